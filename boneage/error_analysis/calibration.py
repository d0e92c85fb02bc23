"""Whether predicted ages are right on average at every predicted age.

A model is calibrated where the mean reference age of the cases with one predicted age is that age.
The calibration slope is that of the least-squares line of observed on predicted: 1 for a calibrated
model, less where its predictions are too extreme, more where they are too close to their mean
(D. R. Cox, Biometrika 1958;45:562-565; R. J. Stevens and K. K. Poppe, Journal of Clinical
Epidemiology 2020;118:93-99).

The slope of the residuals on the reference age does not tell: by regression to the mean it is
negative even for a calibrated model (J. M. Bland and D. G. Altman, BMJ 1994;309:780).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from boneage.evaluation.intervals import (
    N_RESAMPLES,
    SEED,
    as_ages,
    percentile_interval,
    resample_means,
    t_95,
)
from boneage.evaluation.limits import TOLERANCE

_BINS = 10
_UNDEFINED = (float("nan"), float("nan"))


@dataclass(frozen=True)
class AgeCalibration:
    """The calibration of n predicted ages; intervals are 95% percentile bootstrap intervals.

    All but n are nan where one of the two ages does not vary.

    Attributes:
        n: number of cases.
        slope: of the least-squares line of reference on predicted age.
        slope_interval: (low, high).
        intercept: of the same line, months.
        residual_slope: of residuals on reference age, months per month.
        residual_slope_interval: (low, high).
        expected_residual_slope: what it is for a calibrated model whose predictions are correlated
            with the reference as these are, r² - 1.
    """

    n: int
    slope: float
    slope_interval: tuple[float, float]
    intercept: float
    residual_slope: float
    residual_slope_interval: tuple[float, float]
    expected_residual_slope: float


def age_calibration(
    reference: ArrayLike, predicted: ArrayLike, n_resamples: int = N_RESAMPLES, seed: int = SEED
) -> AgeCalibration:
    """Calibration of predicted ages (Cox 1958, see above).

    Args:
        reference: (n,), reference bone age, months.
        predicted: (n,), predicted bone age, months.
        n_resamples: number of bootstrap resamples.
        seed: of the resamples.

    Returns:
        Slope and intercept, with 95% CIs.

    Raises:
        ValueError: the ages are not equally many finite numbers.
    """
    reference, predicted = as_ages(reference, predicted)
    n = len(reference)
    if n < 2 or min(np.ptp(reference), np.ptp(predicted)) < TOLERANCE:
        nan = float("nan")
        return AgeCalibration(n, nan, _UNDEFINED, nan, nan, _UNDEFINED, nan)
    # Centered, so that the differences of squares below lose no digits.
    y, x = reference - reference.mean(), predicted - predicted.mean()
    columns = np.column_stack([x, y, x * x, x * y, y * y])
    slope, residual_slope = _slopes(columns.mean(axis=0))
    drawn = _slopes(resample_means(columns, n_resamples, seed).T)
    slope_interval, residual_slope_interval = (percentile_interval(each, n) for each in drawn)
    return AgeCalibration(
        n=n,
        slope=float(slope),
        slope_interval=slope_interval,
        intercept=float(reference.mean() - slope * predicted.mean()),
        residual_slope=float(residual_slope),
        residual_slope_interval=residual_slope_interval,
        expected_residual_slope=float(np.corrcoef(x, y)[0, 1] ** 2 - 1),
    )


def _slopes(means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slopes of y on x and of x - y on y, from the means of x, y, x², xy and y²."""
    x, y, xx, xy, yy = means
    covariance = xy - x * y
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample of one case many times
        return covariance / (xx - x * x), covariance / (yy - y * y) - 1


def calibration_bins(cases: pd.DataFrame) -> pd.DataFrame:
    """Mean reference age in ten groups of equal size by predicted age.

    Args:
        cases: a predictions table of at least one row.

    Returns:
        A row a group, fewer where there are fewer than ten cases. Columns n, predicted (mean),
        reference (mean) and its 95% CI low and high by Student's t, months. A single case has the
        interval nan.
    """
    ages = cases[["prediction_months", "reference_months"]].to_numpy()
    ages = ages[np.argsort(ages[:, 0], kind="stable")]
    rows = []
    for predicted, reference in (group.T for group in np.array_split(ages, min(_BINS, len(ages)))):
        n, mean, margin = len(reference), reference.mean(), float("nan")
        if n > 1:
            margin = t_95(n) * reference.std(ddof=1) / n**0.5
        rows.append((n, predicted.mean(), mean, mean - margin, mean + margin))
    return pd.DataFrame(rows, columns=["n", "predicted", "reference", "low", "high"])
