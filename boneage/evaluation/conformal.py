"""How sure a prediction is: intervals that hold the reference age of a stated share of cases.

Method: split conformal prediction (H. Papadopoulos, K. Proedrou, V. Vovk and A. Gammerman,
Inductive confidence machines for regression, ECML 2002), separately in Mondrian groups (V. Vovk,
A. Gammerman and G. Shafer, Algorithmic Learning in a Random World, 2005, section 4.5), computed by
crepes (H. Boström, PMLR 2022;179:24-41). Half of the validation cases calibrate, the other half
and the test set check. The promise holds for cases like those of the validation set.

Tables are those of `boneage.evaluation.metrics`; ages and intervals are in months.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from crepes import ConformalRegressor
from scipy import stats

from boneage.datasets.splits import TEST, VALIDATION
from boneage.evaluation.ensemble import ensemble_weights, side_by_side, with_ensemble
from boneage.evaluation.metrics import AGE_BANDS, age_band
from boneage.models.registry import ENSEMBLE

LEVELS = (0.8, 0.85, 0.9, 0.95)
LEVEL = 0.9  # unless another is asked for
# The fewest round number in a group that has a 95 % limit: of n cases the limit is the one of rank
# 0.95 (n + 1), which 18 do not have.
LEAST_CALIBRATION = 20
CALIBRATION_HALF, CHECK_HALF = "validation calibration half", "validation check half"
_SEXES = ("female", "male")
GROUPS = ("all", *_SEXES, *(f"{sex}, {band}" for sex, band in product(_SEXES, AGE_BANDS)))

_CASE = ["split", "id"]
_COVERAGE_COLUMNS = [
    "model", "level", "cases", "group", "n", "coverage", "low", "high", "median_width",
    "normalised",
]  # fmt: skip
_FLAT = (0.0, 1.0)
# 1 - 0.9 is a trace below 0.1 in binary numbers, for which crepes would go one case further out
# wherever the rank is a whole number.
_TRACE = 1e-9

MondrianGroups = dict[tuple[str, str], str]  # sex and band of predicted age -> Mondrian group


@dataclass(frozen=True, eq=False)
class _Fitted:
    """Intervals of one model.

    line: slope and intercept of the error expected of a disagreement; the intervals are
    proportional to it, and all the same in a group when it is flat.
    """

    groups: MondrianGroups
    line: tuple[float, float]
    regressor: ConformalRegressor

    def intervals(self, months, sexes, disagreement, level: float) -> np.ndarray:
        expected = np.polyval(self.line, disagreement)
        bins = _bins(self.groups, sexes, months)
        return self.regressor.predict_int(months, expected, bins, level - _TRACE, y_min=0)


class Calibration:
    """Prediction intervals of several models and of their mean, "ensemble"; see `calibrate`.

    names: those that have intervals; none where there were too few cases.
    normalised: name -> whether its intervals are wider where the models disagree.
    most_disagreement: between the models on any calibration case, months.
    """

    def __init__(self, fitted: Mapping[str, _Fitted], most_disagreement: float):
        self._fitted = dict(fitted)
        self.most_disagreement = most_disagreement
        self.names = list(self._fitted)
        self.normalised = {name: one.line != _FLAT for name, one in self._fitted.items()}

    def intervals(
        self, months: Mapping[str, Sequence[float]], sexes: Sequence[str], level: float = LEVEL
    ) -> dict[str, np.ndarray]:
        """Lower and upper limits, float64 (N, 2) in months and 0 or more, for each of `names`.

        months: predictions (N,) of all models and of "ensemble"; sexes: N times "female" or
        "male"; level: the share of cases, from 0 to 0.95, that are to lie within the limits.
        """
        disagreement = _disagreement(months.values())
        return {
            name: one.intervals(np.asarray(months[name], float), sexes, disagreement, level)
            for name, one in self._fitted.items()
        }


def calibrate(
    tables: Mapping[str, pd.DataFrame], weights: Mapping[str, float] | None = None
) -> Calibration:
    """Intervals from the predictions table of each model, on the cases that all of them have.

    Where it makes them narrower, the intervals of a model are proportional to the error expected
    of how far the models disagree (normalised: H. Papadopoulos, V. Vovk and A. Gammerman, Journal
    of Artificial Intelligence Research 2011;40:815-840). What to expect is a line through the
    calibration cases themselves; its two parameters cost next to no coverage. Without 20
    calibration cases of each sex there are no intervals. `weights` are those of the ensemble,
    `ensemble_weights(tables)`, worked out here unless given.
    """
    return _calibrate(_side_by_side(tables, weights), [*tables, ENSEMBLE])


def coverage_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """How many cases lie within the intervals of `calibrate(tables)`.

    Result columns: model, each of `tables` and "ensemble" where there are several; level, of
    LEVELS; cases, CHECK_HALF or "test"; group, of GROUPS, whose bands are of predicted age; n;
    coverage, the share of cases whose reference age lies within the interval, and its 95 %
    interval low and high (E. B. Wilson, Journal of the American Statistical Association
    1927;22:209-212), in 0..1; median_width, months; normalised, "yes" or "no". A group without
    cases has no row; without intervals there is none.
    """
    cases = _side_by_side(tables)
    calibration = _calibrate(cases, [*tables, ENSEMBLE])
    if not calibration.names:
        return pd.DataFrame(columns=_COVERAGE_COLUMNS)
    judged = pd.concat(
        _judge(calibration, checked, level).assign(cases=part, level=level)
        for part, checked in cases[cases["part"] != CALIBRATION_HALF].groupby("part")
        for level in LEVELS
    )
    if len(tables) == 1:
        judged = judged[judged["model"] != ENSEMBLE]
    table = pd.concat([_covered(judged, by) for by in ([], ["sex"], ["sex", "band"])])
    limits = [_wilson(*counts) for counts in zip(table["inside"], table["n"], strict=True)]
    table["low"], table["high"] = zip(*limits, strict=True)
    normalised = {name: "yes" if is_so else "no" for name, is_so in calibration.normalised.items()}
    table["normalised"] = table["model"].map(normalised)
    return table.sort_values(["model", "level", "cases"], kind="stable", ignore_index=True)[
        _COVERAGE_COLUMNS
    ]


def calibration_half(cases: pd.DataFrame) -> pd.Series:
    """Which cases of a table are in the half that calibrates: bool, indexed like the table.

    Half of each sex and age band, rounded down, drawn by lots that hang on the ids alone: the
    same for every model and any order of rows.
    """
    # Strata of single years would have few cases at the ends of the range, where errors are
    # large, and rounding would send them to one half.
    lots = (
        cases["id"].map(_lot).groupby([cases["sex"], age_band(cases["age_months"])], observed=True)
    )
    return lots.rank() <= lots.transform("size") // 2


def _lot(id_: str) -> int:
    return int(hashlib.sha256(f"calibration {id_}".encode()).hexdigest()[:12], 16)


def merge_groups(sexes: Sequence[str], months: Sequence[float]) -> MondrianGroups:
    """Mondrian groups: sex by band of predicted age, bands of few cases merged.

    Of each sex, from the youngest band on, bands are joined until they have 20 cases together;
    what is left over at the end joins the group before it. sexes (n,) has each 20 times or more;
    months (n,) are predictions. Returns (sex, band) -> group, for instance "female, 0-10 years".
    """
    counts = Counter(zip(sexes, _predicted_band(months), strict=True))
    groups = {}
    for sex in set(sexes):
        parts, n = [], LEAST_CALIBRATION
        for band in AGE_BANDS:
            if n >= LEAST_CALIBRATION:
                parts.append([])
                n = 0
            parts[-1].append(band)
            n += counts[sex, band]
        if n < LEAST_CALIBRATION:
            left_over = parts.pop()
            parts[-1] += left_over
        groups |= {(sex, band): _group_name(sex, part) for part in parts for band in part}
    return groups


def _side_by_side(
    tables: Mapping[str, pd.DataFrame], weights: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """The cases not trained on: id, sex, age_months, every model's prediction under its name.

    Column part: CALIBRATION_HALF, CHECK_HALF or "test".
    """
    months = side_by_side(tables)
    months[ENSEMBLE] = with_ensemble(months, weights or ensemble_weights(tables))[ENSEMBLE]
    first = next(iter(tables.values())).set_index(_CASE)
    cases = first[["sex", "age_months"]].join(months, how="inner").reset_index()
    validation, test = (cases[cases["split"] == split] for split in (VALIDATION, TEST))
    half = calibration_half(validation)
    parts = {CALIBRATION_HALF: validation[half], CHECK_HALF: validation[~half], TEST: test}
    return pd.concat([part.assign(part=title) for title, part in parts.items()])


def _calibrate(cases: pd.DataFrame, names: list[str]) -> Calibration:
    cases = cases[cases["part"] == CALIBRATION_HALF]
    counts = Counter(cases["sex"])
    if min(counts[sex] for sex in _SEXES) < LEAST_CALIBRATION:
        return Calibration({}, np.inf)
    disagreement = _disagreement(cases[name] for name in names)
    fitted = {name: _fit(cases, cases[name], disagreement) for name in names}
    return Calibration(fitted, float(disagreement.max()))


def _fit(cases: pd.DataFrame, months: pd.Series, disagreement: np.ndarray) -> _Fitted:
    groups = merge_groups(cases["sex"], months)
    bins = _bins(groups, cases["sex"], months)
    error = (cases["age_months"] - months).abs().to_numpy()
    line = _line(disagreement, error)
    if not _is_informative(cases, disagreement, error, bins):
        line = _FLAT
    regressor = ConformalRegressor().fit(error, np.polyval(line, disagreement), bins)
    return _Fitted(groups, line, regressor)


def _is_informative(cases: pd.DataFrame, disagreement, error, bins) -> bool:
    """Whether intervals that follow the disagreement are narrower in the mean.

    Cross-fitted: what error to expect of a disagreement is learnt on the other half of the cases.
    Of all of them, both kinds of interval hold the same number.
    """
    half = calibration_half(cases).to_numpy()
    expected = np.empty_like(error)
    for part in (half, ~half):
        expected[part] = np.polyval(_line(disagreement[~part], error[~part]), disagreement[part])
    return _mean_width(error, expected, bins) < _mean_width(error, np.ones_like(error), bins)


def _line(disagreement: np.ndarray, error: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of a least-squares line, flat unless both are positive."""
    if np.ptp(disagreement) == 0:
        return _FLAT
    slope, intercept = np.polyfit(disagreement, error, 1)
    return (slope, intercept) if min(slope, intercept) > 0 else _FLAT


def _mean_width(error: np.ndarray, expected: np.ndarray, bins: np.ndarray) -> float:
    regressor = ConformalRegressor().fit(error, expected, bins)
    limits = regressor.predict_int(np.zeros_like(error), expected, bins, LEVEL - _TRACE)
    return float(np.mean(limits[:, 1] - limits[:, 0]))


def _disagreement(months: Iterable[Sequence[float]]) -> np.ndarray:
    """From the youngest to the oldest prediction; that of the ensemble lies between."""
    return np.ptp(np.array(list(months)), axis=0)


def _bins(groups: MondrianGroups, sexes: Sequence[str], months: Sequence[float]) -> np.ndarray:
    cells = zip(sexes, _predicted_band(months), strict=True)
    return np.array([groups[cell] for cell in cells])


def _predicted_band(months: Sequence[float]) -> pd.Series:
    return age_band(np.maximum(months, 0))  # models may predict before birth


def _group_name(sex: str, bands: list[str]) -> str:
    """("female", ["0-5 years", "5-10 years"]) -> "female, 0-10 years"."""
    return f"{sex}, {bands[0].split('-')[0]}-{bands[-1].split('-')[1]}"


def _judge(calibration: Calibration, cases: pd.DataFrame, level: float) -> pd.DataFrame:
    """Of each model and case: sex, band of predicted age, whether the age is inside, and width."""
    months = {name: cases[name] for name in calibration.names}
    tables = []
    for name, limits in calibration.intervals(months, cases["sex"], level).items():
        low, high = limits.T
        judged = {
            "model": name,
            "sex": cases["sex"],
            "band": _predicted_band(cases[name]),
            "inside": cases["age_months"].between(low, high),
            "width": high - low,
        }
        tables.append(pd.DataFrame(judged))
    return pd.concat(tables)


def _covered(judged: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Rows of `coverage_table` for the groups that `by` makes."""
    groups = judged.groupby(["model", "level", "cases", *by], observed=True)
    table = groups.agg(
        n=("inside", "size"),
        inside=("inside", "sum"),
        coverage=("inside", "mean"),
        median_width=("width", "median"),
    ).reset_index()
    return table.assign(group=table[by].astype(str).agg(", ".join, axis=1) if by else "all")


def _wilson(inside: int, n: int) -> tuple[float, float]:
    """95 % confidence interval of a share of n cases."""
    interval = stats.binomtest(inside, n).proportion_ci(method="wilson")
    return interval.low, interval.high
