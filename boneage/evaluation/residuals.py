"""Residuals of a predictions table: their course with age, their spread, limits of agreement.

Tables are those of `boneage.evaluation.metrics`; a residual is predicted minus reference bone age.
What depends on age can be seen by reference age or by predicted age: `by` names its column.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from boneage.evaluation.intervals import Z_95, as_ages, t_95
from boneage.evaluation.metrics import age_band

REFERENCE_AGE, PREDICTED_AGE = "reference_months", "prediction_months"  # what `by` may be

# A window of the running median holds this fraction of all cases, but enough for quartiles.
_WINDOW_FRACTION = 1 / 20
_WINDOW_LEAST = 25
_WINDOW_MOST = 20_000  # cases; of more, evenly spaced ones: quartiles no longer change visibly
_CURVE_POINTS = 500


def with_residuals(predictions: pd.DataFrame, by: str = REFERENCE_AGE) -> pd.DataFrame:
    """Predictions with their residuals.

    Args:
        predictions: a predictions table.
        by: column of the age whose band is told. A model may predict an age before birth; it is in
            the first band.

    Returns:
        A copy with residual_months, absolute_error (months) and age_band.
    """
    residual = predictions["prediction_months"] - predictions["reference_months"]
    return predictions.assign(
        residual_months=residual,
        absolute_error=residual.abs(),
        age_band=age_band(
            predictions[by] if by == REFERENCE_AGE else predictions[by].clip(lower=0)
        ),
    )


def running_median(
    cases: pd.DataFrame, by: str = REFERENCE_AGE, n_points: int = 60
) -> pd.DataFrame:
    """How the residual runs with the age `by`: median and quartiles in a moving window.

    The window holds the cases next to an age, a twentieth of all (25 at least), half of them
    younger and half older; a window of fixed width in months would starve at the ends of the range.
    The points are evenly spaced in age, from the middle of the first window to the middle of the
    last.

    Args:
        cases: of `with_residuals`.
        by: column of the age.
        n_points: at most this many rows.

    Returns:
        Columns, months: the age `by` (ascending), median, lower_quartile, upper_quartile; no row
        without a case.
    """
    columns = [by, "median", "lower_quartile", "upper_quartile"]
    n = len(cases)
    if n == 0:
        return pd.DataFrame(columns=columns, dtype=float)
    cases = cases[[by, "residual_months"]].sort_values(by, kind="stable")
    age, residual = cases[by].to_numpy(), cases["residual_months"].to_numpy()
    width = min(n, max(_WINDOW_LEAST, round(n * _WINDOW_FRACTION)))
    half = width // 2
    # Without spread of age there is one point, not n_points times the same.
    at = np.unique(np.linspace(age[half], age[n - width + half], n_points))
    # Where many cases share an age, the window takes the middle ones.
    middle = (np.searchsorted(age, at) + np.searchsorted(age, at, side="right")) // 2
    start = np.clip(middle - half, 0, n - width)
    step = -(-width // _WINDOW_MOST)
    windows = np.lib.stride_tricks.sliding_window_view(residual, width)[start, ::step]
    lower, median, upper = np.quantile(windows, [0.25, 0.5, 0.75], axis=1)
    return pd.DataFrame(dict(zip(columns, (at, median, lower, upper), strict=True)))


def boxes(cases: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The residuals of each age band and sex as a box, and the cases beyond its whiskers.

    Whiskers reach to the last case within 1.5 interquartile ranges of the box (J. W. Tukey,
    Exploratory Data Analysis, 1977, chapter 2).

    Args:
        cases: of `with_residuals`, one or more.

    Returns:
        Columns age_band, sex, n, and in months lower_whisker, lower_quartile, median,
        upper_quartile and upper_whisker, one row for each group that has cases; and the rows of
        `cases` beyond the whiskers.
    """
    residual = cases["residual_months"].to_numpy()
    rows, beyond = [], np.zeros(len(cases), bool)
    for key, inside in cases.groupby(["age_band", "sex"], observed=True).indices.items():
        low, median, high = np.quantile(residual[inside], [0.25, 0.5, 0.75])
        reach = 1.5 * (high - low)
        far = (residual[inside] < low - reach) | (residual[inside] > high + reach)
        near = residual[inside[~far]]
        rows.append((*key, len(inside), near.min(), low, median, high, near.max()))
        beyond[inside[far]] = True
    columns = [
        "age_band", "sex", "n",
        "lower_whisker", "lower_quartile", "median", "upper_quartile", "upper_whisker",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns), cases[beyond]


@dataclass(frozen=True)
class Agreement:
    """Agreement of predictions and reference bone ages; all but `n` in months.

    Attributes:
        n: number of cases.
        bias: mean residual.
        sd: standard deviation of the residuals.
        lower: limit of agreement, bias - 1.96 sd.
        upper: limit of agreement, bias + 1.96 sd. A residual is expected to lie between the two
            with 95% probability.
        bias_interval: 95% CI of the bias, (low, high).
        lower_interval: 95% CI of `lower`.
        upper_interval: 95% CI of `upper`.
    """

    n: int
    bias: float
    sd: float
    lower: float
    upper: float
    bias_interval: tuple[float, float]
    lower_interval: tuple[float, float]
    upper_interval: tuple[float, float]


def agreement(age: ArrayLike, prediction: ArrayLike) -> Agreement:
    """Limits of agreement of predictions with reference bone ages.

    Source: J. M. Bland and D. G. Altman, Lancet 1986;327:307-310, and Statistical Methods in
    Medical Research 1999;8:135-160, section 2 for the standard error of a limit,
    sd * sqrt(1 / n + 1.96² / (2 (n - 1))); the intervals take Student's t with n - 1 degrees of
    freedom.

    Args:
        age: (n,), reference bone age, months.
        prediction: (n,), predicted bone age, months.

    Returns:
        Bias and limits with 95% CIs. Below two cases all but n and the bias are nan, without a case
        the bias too.

    Raises:
        ValueError: the ages are not equally many finite numbers.

    Example:
        >>> found = agreement([100, 120, 140], [104, 118, 146])
        >>> round(found.bias, 2), round(found.lower, 1), round(found.upper, 1)
        (2.67, -5.5, 10.8)
    """
    age, prediction = as_ages(age, prediction)
    n = len(age)
    residual = prediction - age
    bias = float(residual.mean()) if n else float("nan")
    if n < 2:
        nan, undefined = float("nan"), (float("nan"), float("nan"))
        return Agreement(n, bias, nan, nan, nan, undefined, undefined, undefined)
    sd = float(residual.std(ddof=1))
    z, t = Z_95, t_95(n)
    bias_margin = t * sd * (1 / n) ** 0.5
    limit_margin = t * sd * (1 / n + z**2 / (2 * (n - 1))) ** 0.5
    lower, upper = bias - z * sd, bias + z * sd
    return Agreement(
        n=n,
        bias=bias,
        sd=sd,
        lower=lower,
        upper=upper,
        bias_interval=(bias - bias_margin, bias + bias_margin),
        lower_interval=(lower - limit_margin, lower + limit_margin),
        upper_interval=(upper - limit_margin, upper + limit_margin),
    )


def cumulative_error(absolute_error: ArrayLike) -> pd.DataFrame:
    """The error up to which a share of the images lies, for a curve.

    Args:
        absolute_error: (n,), months.

    Returns:
        Columns error_months and share (0 to 1), both ascending from (0, 0); of many errors only
        500, evenly spaced in share, are kept.
    """
    error = np.sort(np.asarray(absolute_error, dtype=np.float64))
    n = len(error)
    rank = np.unique(np.linspace(1, n, min(n, _CURVE_POINTS)).round().astype(int))
    return pd.DataFrame(
        {
            "error_months": np.concatenate([[0.0], error[rank - 1]]),
            "share": np.concatenate([[0.0], rank / n]),
        }
    )
