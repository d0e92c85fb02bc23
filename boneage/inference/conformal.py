"""Prediction intervals and how often they cover the reference bone age.

Method: split conformal prediction (H. Papadopoulos, K. Proedrou, V. Vovk and A. Gammerman,
Inductive confidence machines for regression, ECML 2002), separately in Mondrian groups of sex and
predicted age (V. Vovk, A. Gammerman and G. Shafer, Algorithmic Learning in a Random World, 2005,
section 4.5). An interval covers a single clinical reading, the label of the validation cases, of a
radiograph like theirs. The mean of six readings, the label of the test set, has less noise, so
that more of the test set is covered.

All validation cases calibrate. Coverage among them is cross-conformal (V. Vovk, Annals of
Mathematics and Artificial Intelligence 2015;74:9-28): a case is judged by intervals that the other
folds calibrate. Ten folds leave a group 9/10 of its cases, so that the intervals judged are nearly
those in use; halves would leave too few of the rarest group. A single split into halves, as was
reported before, has an SD of 1.5 percentage points. In the groups that calibrate, coverage is
nominal by construction. The inferred acquisition blocks do not calibrate and can depart from it.

The validation cases also chose the epoch of each model, whether it reads the mirror image and the
ensemble weight, so that their errors are optimistic. For the weight this is 0.007 months of MAE
(6.413 in 10-fold cross-validation, 6.406 in-sample); for the others it is not known.

Intervals that follow an expected error were tried and left out. The disagreement of the models
changes the mean width by 0.1% or less (Spearman's correlation with the error of the ensemble 0.04).
Gradient boosting of the 90% quantile of training errors on prediction, sex and contrast makes
intervals 3 to 5% narrower, but coverage falls in a block that is below nominal already: by 0.4
points for the ensemble (ids 1377-4359), by 1.2 for DenseNet121 (ids 4560-5770).

Tables are those of `boneage.evaluation.metrics`; ages and intervals are in months.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from boneage.datasets.blocks import BLOCKS, acquisition_block
from boneage.datasets.splits import TEST, VALIDATION
from boneage.evaluation.intervals import wilson_interval
from boneage.evaluation.metrics import AGE_BANDS, age_band
from boneage.inference.ensemble import ensemble_weights, side_by_side, with_ensemble
from boneage.models.registry import ENSEMBLE
from boneage.sexes import SEXES

if TYPE_CHECKING:
    import pandas as pd

LEVELS = (0.8, 0.85, 0.9, 0.95)
LEVEL = 0.9  # unless another is asked for
FOLDS = 10
N_PARTITIONS = 20
SEED = 2017
# Of n cases the 95% limit is the one of rank 0.95 (n + 1), which 18 do not have. Of 22 cases, at
# least 19 are left when one of ten folds is taken out.
MIN_CALIBRATION = 22
GROUPS = (
    "all", *SEXES, *(f"{sex}, {band}" for sex, band in product(SEXES, AGE_BANDS)), *BLOCKS
)  # fmt: skip

_CASE = ["split", "id"]
_COVERAGE_COLUMNS = [
    "model", "level", "cases", "group", "n", "coverage", "sd", "low", "high", "median_width",
]  # fmt: skip

MondrianGroups = dict[tuple[str, str], str]  # sex and band of predicted age -> Mondrian group


@dataclass(frozen=True, eq=False)
class _Fitted:
    """Intervals of one model; errors: Mondrian group -> absolute errors of its cases, months."""

    groups: MondrianGroups
    errors: dict[str, np.ndarray]

    def margins(
        self, months: np.ndarray, sexes: Sequence[str], levels: Sequence[float]
    ) -> np.ndarray:
        """Half the width of intervals, (N, levels), before they are cut off at birth."""
        margins = {g: conformal_margins(errors, levels) for g, errors in self.errors.items()}
        return np.stack([margins[g] for g in _mondrian(self.groups, sexes, months)])


class Calibration:
    """Prediction intervals of several models and of their mean, "ensemble"; see `calibrate`.

    Attributes:
        names: those that have intervals; none where there were too few cases.
        most_disagreement: between the models on any calibration case, months.
    """

    def __init__(self, fitted: Mapping[str, _Fitted], most_disagreement: float):
        self._fitted = dict(fitted)
        self.most_disagreement = most_disagreement
        self.names = list(self._fitted)

    def intervals(
        self, months: Mapping[str, Sequence[float]], sexes: Sequence[str], level: float = LEVEL
    ) -> dict[str, np.ndarray]:
        """Prediction intervals of N radiographs.

        Args:
            months: predictions (N,) of all models and of "ensemble".
            sexes: N times "female" or "male".
            level: the share of clinical readings, from 0 to 0.95, that are to lie within.

        Returns:
            Name, for each of `names` -> lower and upper limits, (N, 2) float64 in months, 0 or
            more.
        """
        limits = {}
        for name in self.names:
            predicted = np.asarray(months[name], float)
            margins = self.margins(name, predicted, sexes, level)
            limits[name] = np.column_stack(_limits(predicted, margins))
        return limits

    def margins(
        self,
        name: str,
        months: Sequence[float] | np.ndarray,
        sexes: Sequence[str],
        level: float = LEVEL,
    ) -> np.ndarray:
        """Half the width of one model's prediction intervals, before they are cut off at birth.

        Args:
            name: of `names`.
            months: predictions (N,).
            sexes: N times "female" or "male".
            level: see `intervals`.

        Returns:
            (N,) float64, months.
        """
        return self._fitted[name].margins(np.asarray(months, float), sexes, [level])[:, 0]


def calibrate(
    tables: Mapping[str, pd.DataFrame], weights: Mapping[str, float] | None = None
) -> Calibration:
    """Prediction intervals from the predictions of each model, by split conformal prediction.

    Intervals are calibrated on all validation cases that the models share, in groups of sex and
    predicted age (V. Vovk, A. Gammerman and G. Shafer, Algorithmic Learning in a Random World,
    2005, section 4.5).

    Args:
        tables: model name -> its predictions table.
        weights: of the ensemble; by default `ensemble_weights(tables)`.

    Returns:
        The intervals. Without 22 validation cases of each sex there are none.

    Example:
        >>> from boneage import artifacts
        >>> table = artifacts.read_predictions(artifacts.model_folder("densenet121"))
        >>> calibration = calibrate({"densenet121": table})
        >>> months = {"densenet121": [120.0], "ensemble": [120.0]}
        >>> ((low, high),) = calibration.intervals(months, ["female"])["densenet121"]
        >>> low < 120 < high
        np.True_
    """
    return _calibrate(_side_by_side(tables, weights), [*tables, ENSEMBLE])


def coverage_table(
    tables: Mapping[str, pd.DataFrame], n_partitions: int = N_PARTITIONS
) -> pd.DataFrame:
    """How often the intervals of `calibrate(tables)` cover the reference bone age.

    On the validation set coverage is cross-conformal: the mean over `n_partitions` random
    partitions into ten folds, stratified by Mondrian group, in each of which a case is judged by
    intervals from the other nine. On the test set it is that of the intervals in use. The cases are
    RSNA's, whose ids tell the inferred acquisition block.

    Args:
        tables: model name -> its predictions table.
        n_partitions: number of random partitions of the validation set.

    Returns:
        Columns model, each of `tables` and "ensemble"; level, of LEVELS; cases, "validation" or
        "test"; group, of GROUPS, whose bands are of predicted age and whose blocks have validation
        cases only; n; coverage, 0 to 1; sd, its standard deviation over the partitions, nan for the
        test set; low and high, its 95% CI; median_width of the intervals in use, months. A group
        without cases has no row; without intervals there is none.

        The CI is that of a share of n independent cases (E. B. Wilson, Journal of the American
        Statistical Association 1927;22:209-212), however many partitions there are, as all of them
        share these cases. In a group that calibrates it tells where the coverage among new cases
        lies: given the calibration cases, that has a beta distribution with the variance of such a
        share (V. Vovk, PMLR 2012;25:475-490).

    Example:
        >>> from boneage import artifacts
        >>> table = artifacts.read_predictions(artifacts.model_folder("densenet121"))
        >>> coverage = coverage_table({"densenet121": table}, n_partitions=2)
        >>> sorted(coverage["cases"].unique())
        ['test', 'validation']
    """
    import pandas as pd

    cases = _side_by_side(tables)
    calibration = _calibrate(cases, [*tables, ENSEMBLE])
    rows = [
        {"model": name, "cases": split} | row
        for name, fitted in calibration._fitted.items()
        for split in (TEST, VALIDATION)
        for row in _covered(fitted, cases, name, split, n_partitions)
    ]
    table = pd.DataFrame(rows, columns=_COVERAGE_COLUMNS)
    return table.sort_values(["model", "level", "cases"], kind="stable", ignore_index=True)


def conformal_margins(errors: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Half the width of conformal intervals (Papadopoulos et al., ECML 2002).

    Args:
        errors: (n,), absolute errors of the calibration cases.
        levels: of the intervals, 0 to 1.

    Returns:
        (levels,), for each level the error of rank level (n + 1), rounded up; infinite where that
        is beyond n.
    """
    return np.quantile(np.append(errors, np.inf), levels, method="inverted_cdf")


def merge_groups(sexes: Sequence[str], months: Sequence[float] | np.ndarray) -> MondrianGroups:
    """Mondrian groups: sex by band of predicted age, bands of few cases merged.

    Of each sex, from the youngest band on, bands are joined until they have 22 cases together; what
    is left over at the end joins the group before it.

    Args:
        sexes: (n,), each 22 times or more.
        months: (n,), predictions.

    Returns:
        (sex, band) -> group, for instance "female, 0-10 years".
    """
    counts = Counter(zip(sexes, _predicted_band(months), strict=True))
    groups: MondrianGroups = {}
    for sex in set(sexes):
        parts: list[list[str]] = []
        n = MIN_CALIBRATION
        for band in AGE_BANDS:
            if n >= MIN_CALIBRATION:
                parts.append([])
                n = 0
            parts[-1].append(band)
            n += counts[sex, band]
        if n < MIN_CALIBRATION:
            left_over = parts.pop()
            parts[-1] += left_over
        groups |= {(sex, band): _group_name(sex, part) for part in parts for band in part}
    return groups


def _side_by_side(
    tables: Mapping[str, pd.DataFrame], weights: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """Every model's prediction of the cases all have, under its name, and the ensemble's.

    Further columns split, id, sex and reference_months; sorted by id, so that partitions do not
    depend on the order of the tables.
    """
    months = side_by_side(tables)
    months[ENSEMBLE] = with_ensemble(months, weights or ensemble_weights(tables))[ENSEMBLE]
    first = next(iter(tables.values())).set_index(_CASE)
    return (
        first[["sex", "reference_months"]].join(months, how="inner").reset_index().sort_values("id")
    )


def _calibrate(cases: pd.DataFrame, names: list[str]) -> Calibration:
    cases = cases[cases["split"] == VALIDATION]
    counts = Counter(cases["sex"])
    if min(counts[sex] for sex in SEXES) < MIN_CALIBRATION:
        return Calibration({}, np.inf)
    return Calibration({name: _fit(cases, name) for name in names}, _most_apart(cases[names]))


def _fit(cases: pd.DataFrame, name: str) -> _Fitted:
    groups = merge_groups(cases["sex"], cases[name])
    of_case, error = _mondrian(groups, cases["sex"], cases[name]), _error(cases, name)
    return _Fitted(groups, {group: error[of_case == group] for group in set(of_case)})


def _error(cases: pd.DataFrame, name: str) -> np.ndarray:
    # Rounded, as errors that are the same in decimals may differ by a trace in binary numbers.
    return (cases["reference_months"] - cases[name]).abs().round(6).to_numpy()


def _most_apart(months: pd.DataFrame) -> float:
    return float((months.max(axis=1) - months.min(axis=1)).max())


def _mondrian(
    groups: MondrianGroups, sexes: Sequence[str], months: Sequence[float] | np.ndarray
) -> np.ndarray:
    cells = zip(sexes, _predicted_band(months), strict=True)
    return np.array([groups[cell] for cell in cells])


def _predicted_band(months: Sequence[float] | np.ndarray) -> pd.Series:
    return age_band(np.maximum(months, 0))  # models may predict before birth


def _group_name(sex: str, bands: list[str]) -> str:
    """("female", ["0-5 years", "5-10 years"]) -> "female, 0-10 years"."""
    return f"{sex}, {bands[0].split('-')[0]}-{bands[-1].split('-')[1]}"


def _limits(months: np.ndarray, margins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.maximum(months - margins, 0), np.maximum(months + margins, 0)


# Coverage ---------------------------------------------------------------------------------------


def _covered(
    fitted: _Fitted, cases: pd.DataFrame, name: str, split: str, n_partitions: int
) -> Iterator[dict]:
    """Rows of `coverage_table` for the cases of one split."""
    cases = cases[cases["split"] == split]
    if cases.empty:
        return
    error = _error(cases, name)
    margins = fitted.margins(cases[name], cases["sex"], LEVELS)
    if split == VALIDATION:
        groups = _mondrian(fitted.groups, cases["sex"], cases[name])
        inside = _cross_conformal(error, groups, n_partitions)
    else:
        inside = (error[:, None] <= margins)[None]
    low, high = _limits(cases[[name]].to_numpy(), margins)
    for group, members in _members(cases, name).items():
        shares, widths = inside[:, members].mean(axis=1), (high - low)[members]
        for k, level in enumerate(LEVELS):
            row = {"level": level, "group": group, "n": len(widths)}
            row["coverage"] = coverage = shares[:, k].mean()
            row["sd"] = shares[:, k].std(ddof=1) if len(shares) > 1 else np.nan
            row["low"], row["high"] = wilson_interval(coverage, len(widths))
            yield row | {"median_width": np.median(widths[:, k])}


def _cross_conformal(error: np.ndarray, groups: np.ndarray, n_partitions: int) -> np.ndarray:
    """Whether each case is covered by intervals from the other folds: bool (partition, n, level).

    Mondrian groups are those of all cases. They depend on predictions and sexes alone, never on
    labels, so that cases stay exchangeable within them.
    """
    rng = np.random.default_rng(SEED)
    inside = np.empty((n_partitions, len(error), len(LEVELS)), bool)
    for partition, group in product(range(n_partitions), sorted(set(groups))):
        members = rng.permutation(np.flatnonzero(groups == group))
        for fold in range(FOLDS):
            out = np.arange(len(members)) % FOLDS == fold
            margins = conformal_margins(error[members[~out]], LEVELS)
            inside[partition, members[out]] = error[members[out], None] <= margins
    return inside


def _members(cases: pd.DataFrame, name: str) -> dict[str, np.ndarray]:
    """Of GROUPS those that have cases -> bool (n,)."""
    labels = [
        np.full(len(cases), "all"),
        cases["sex"].to_numpy(),
        (cases["sex"] + ", " + _predicted_band(cases[name]).astype(str)).to_numpy(),
        acquisition_block(cases).to_numpy(),
    ]
    members = {group: np.any([label == group for label in labels], axis=0) for group in GROUPS}
    return {group: of_group for group, of_group in members.items() if of_group.any()}
