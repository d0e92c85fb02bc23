"""Fit a local calibration to readings of one site.

The difference of reading and prediction is a line in the predicted bone age for each sex. Four
coefficients (offset, its difference between the sexes, slope, its difference) are fitted together
by Huber's M-estimator (P. J. Huber, Annals of Mathematical Statistics 1964;35:73-101), so that some
wrong readings do little. All but the offset are shrunk toward 0, as in a mixed model with normal
priors: the more, the fewer readings there are.

The lines are used only where they reduce the error on readings that they were not fitted to: where
the 95% CI of the gain in 10-fold cross-validation lies above 0. Without lines, intervals are
recalibrated only where their local coverage differs significantly from 90%.

Ages and differences are in months.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from boneage import __version__
from boneage.errors import BoneAgeError
from boneage.evaluation.intervals import percentile_interval, resample_means, wilson_interval
from boneage.inference.conformal import LEVEL, Calibration
from boneage.inference.local_calibration import MIN_READINGS, Gain, Line, LocalCalibration
from boneage.sexes import SEXES

# Prior SDs of what is shrunk: offset between the sexes, slope, slope between the sexes.
_PRIOR_SDS = (4.0, 0.1, 0.05)
_HUBER = 1.345  # SDs; 95% efficient where errors are normal
_MIN_SD = 1.0  # months; readings in whole months are no better
_ITERATIONS = 30
_FOLDS, _PARTITIONS, _SEED = 10, 10, 2017


@dataclass(frozen=True)
class LocalFit:
    """A local calibration, and what was found on the way.

    Attributes:
        calibration: to save.
        coverage: share of the readings in the 90% prediction intervals before calibration; None
            without intervals.
        coverage_ci: its 95% CI; None without intervals.
        width_factor: width of the 90% intervals after, divided by that before calibration.
        n_by_sex: sex -> number of readings.
        largest_shift: largest absolute change of a reading's prediction, months.
    """

    calibration: LocalCalibration
    coverage: float | None
    coverage_ci: tuple[float, float] | None
    width_factor: float
    n_by_sex: dict[str, int]
    largest_shift: float


def fit_lines(cases: pd.DataFrame) -> dict[str, Line]:
    """Robust lines of the calibrated in the predicted bone age, by sex.

    Args:
        cases: columns sex, reference_months and prediction_months.

    Returns:
        Sex -> line, for the sexes that `cases` has.
    """
    predicted = cases["prediction_months"].to_numpy()
    difference = cases["reference_months"].to_numpy() - predicted
    center = float(np.median(predicted))
    age = predicted - center
    side = np.where(cases["sex"] == SEXES[0], 0.5, -0.5)
    terms = np.column_stack([np.ones_like(age), side, age, side * age])
    penalty = np.diag([0.0, *(1 / sd**2 for sd in _PRIOR_SDS)])
    coefficients = np.array([np.median(difference), 0, 0, 0])
    for _ in range(_ITERATIONS):
        residual = np.abs(difference - terms @ coefficients)
        sd = max(1.4826 * float(np.median(residual)), _MIN_SD)
        weight = np.minimum(1, _HUBER * sd / np.maximum(residual, 1e-9)) / sd**2
        weighted = terms * weight[:, None]
        before = coefficients
        coefficients = np.linalg.solve(weighted.T @ terms + penalty, weighted.T @ difference)
        if np.abs(coefficients - before).max() < 1e-6:
            break
    offset, offset_side, slope, slope_side = coefficients
    lines = {}
    for sex, sign in zip(SEXES, (0.5, -0.5), strict=True):
        own = predicted[(cases["sex"] == sex).to_numpy()]
        if len(own):
            lines[sex] = Line(
                n=len(own),
                offset_months=round(float(offset + sign * offset_side), 3),
                scale=round(float(1 + slope + sign * slope_side), 5),
                center_months=round(center, 2),
                low_months=round(float(own.min()), 2),
                high_months=round(float(own.max()), 2),
            )
    return lines


def cross_validated(cases: pd.DataFrame) -> np.ndarray:
    """Calibrated bone ages from lines that were fitted to the other readings.

    Args:
        cases: as for `fit_lines`.

    Returns:
        (n,) float64, months: the mean over 10 random partitions into 10 folds, each with the same
        share of both sexes.
    """
    rng = np.random.default_rng(_SEED)
    sexes, total = cases["sex"].to_numpy(), np.zeros(len(cases))
    for _ in range(_PARTITIONS):
        order = rng.permutation(len(cases))
        order = order[np.argsort(sexes[order], kind="stable")]
        for fold in range(_FOLDS):
            out = order[fold::_FOLDS]
            kept = np.delete(np.arange(len(cases)), out)
            total[out] += _calibrated(fit_lines(cases.iloc[kept]), cases.iloc[out])
    return total / _PARTITIONS


def fit_local_calibration(
    cases: pd.DataFrame,
    model: str,
    model_sha256: str,
    calibration: Calibration,
    csv_sha256: str,
    made_on: date | None = None,
) -> LocalFit:
    """Fit a local calibration.

    Args:
        cases: the readings, 30 or more: columns sex, reference_months and prediction_months, the
            prediction of `model`.
        model: name of the model, or "ensemble".
        model_sha256: its fingerprint.
        calibration: prediction intervals of the models.
        csv_sha256: of the file of readings.
        made_on: date; by default today.

    Returns:
        The calibration: no change, where lines gain nothing and intervals cover as they should.

    Raises:
        BoneAgeError: there are fewer than 30 readings.
    """
    n = len(cases)
    if n < MIN_READINGS:
        raise BoneAgeError(
            f"A local calibration needs {MIN_READINGS} readings or more, and there are {n}: add "
            "readings of further children."
        )
    cases = cases.reset_index(drop=True)
    reference = cases["reference_months"].to_numpy()
    predicted = cases["prediction_months"].to_numpy()
    held_out = cross_validated(cases)
    before, after = np.abs(reference - predicted), np.abs(reference - held_out)
    gain = _gain(before, after)
    lines = fit_lines(cases) if gain.low > 0 else {}

    scores: Sequence[float] = ()
    coverage = coverage_ci = None
    factor = 1.0
    if model in calibration.names:
        margins = calibration.margins(model, predicted, cases["sex"], LEVEL)
        coverage = float((before <= margins).mean())
        coverage_ci = wilson_interval(coverage, n)
        if lines or not coverage_ci[0] <= LEVEL <= coverage_ci[1]:
            errors = after if lines else before
            scores = tuple(np.sort(errors / margins).round(5).tolist())
            factor = float(np.quantile([*scores, np.inf], LEVEL, method="inverted_cdf"))
    found = LocalCalibration(
        model=model,
        model_sha256=model_sha256,
        n=n,
        csv_sha256=csv_sha256,
        made_on=(made_on or date.today()).isoformat(),
        software=f"boneage {__version__}",
        cross_validation=gain,
        lines=lines,
        interval_scores=tuple(scores),
    )
    counts = cases["sex"].value_counts()
    shift = np.abs(_calibrated(lines, cases) - predicted).max() if lines else 0.0
    return LocalFit(
        calibration=found,
        coverage=coverage,
        coverage_ci=coverage_ci,
        width_factor=factor,
        n_by_sex={sex: int(counts.get(sex, 0)) for sex in SEXES},
        largest_shift=float(shift),
    )


def _calibrated(lines: dict[str, Line], cases: pd.DataFrame) -> np.ndarray:
    """Calibrated bone ages (n,); those of a sex without a line stay as they are."""
    ages = cases["prediction_months"].to_numpy(float, copy=True)
    for sex, line in lines.items():
        of_sex = (cases["sex"] == sex).to_numpy()
        ages[of_sex] = line(ages[of_sex])
    return ages


def _gain(before: np.ndarray, after: np.ndarray) -> Gain:
    difference = before - after
    low, high = percentile_interval(resample_means(difference[:, None])[:, 0], len(difference))
    numbers = (before.mean(), after.mean(), difference.mean(), low, high)
    return Gain(*(round(float(number), 4) for number in numbers))
