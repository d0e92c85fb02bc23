"""Error metrics of a predictions table: all cases, by sex, by age band.

A predictions table has the columns id, split, sex, reference_months, prediction_months and
crop_method. A residual is predicted minus reference bone age in months: positive where
overestimated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from boneage.evaluation.intervals import METRICS, N_RESAMPLES, SEED, as_ages, bootstrap
from boneage.evaluation.limits import WITHIN_MONTHS, within

if TYPE_CHECKING:
    import pandas as pd

# [low, high) in months; the last band also takes everyone older.
AGE_BANDS: dict[str, tuple[int, int]] = {
    "0-5 years": (0, 60),
    "5-10 years": (60, 120),
    "10-15 years": (120, 180),
    "15-19 years": (180, 228),
}


def age_band(months: ArrayLike) -> pd.Series:
    """The age band of each age, a key of `AGE_BANDS`.

    Args:
        months: (n,), each 0 or more; of a Series, the index is kept.

    Returns:
        Series (n,) of ordered categoricals, named "age_band".

    Raises:
        ValueError: an age is negative or not a number.

    Example:
        >>> age_band([30, 130]).tolist()
        ['0-5 years', '10-15 years']
    """
    import pandas as pd

    age = pd.Series(months, dtype=float)
    if not (age >= 0).all():
        raise ValueError("Some ages are negative or missing; give ages in months from 0 upwards.")
    edges = [low for low, _ in AGE_BANDS.values()] + [np.inf]
    bands = pd.cut(age, edges, right=False, labels=list(AGE_BANDS))
    return bands.rename("age_band")


def error_metrics(age: ArrayLike, prediction: ArrayLike) -> dict[str, float]:
    """Metrics of predicted against reference bone ages.

    Args:
        age: (n,), reference bone age, months.
        prediction: (n,), predicted bone age, months.

    Returns:
        mae, rmse, bias (mean residual) and median_ae (median absolute error) in months; r2
        (coefficient of determination, at most 1); within_6, within_12 and within_24, the share of
        cases at most 6, 12 or 24 months off, 0 to 1; n. R2 is nan below two cases or when all ages
        are the same; without a case all but n are nan.

    Raises:
        ValueError: the ages are not equally many finite numbers.

    Example:
        >>> found = error_metrics([100, 120, 140], [104, 118, 149])
        >>> found["mae"], found["within_6"]
        (5.0, 0.6666666666666666)
    """
    age, prediction = as_ages(age, prediction)
    n = len(age)
    if n == 0:
        return dict.fromkeys(METRICS, float("nan")) | {"n": 0}
    residual = prediction - age
    error = np.abs(residual)
    has_r2 = n >= 2 and np.ptp(age) > 0
    spread = np.sum((age - age.mean()) ** 2)
    return {
        "mae": float(error.mean()),
        "rmse": float(np.mean(residual**2) ** 0.5),
        "r2": float(1 - np.sum(residual**2) / spread) if has_r2 else float("nan"),
        "bias": float(residual.mean()),
        "median_ae": float(np.median(error)),
        **{f"within_{m}": float(np.mean(within(error, m))) for m in WITHIN_MONTHS},
        "n": n,
    }


def metrics_row(
    age: ArrayLike, prediction: ArrayLike, intervals: Mapping[str, tuple[float, float]]
) -> dict[str, float]:
    """Metrics with their intervals, a row of a table.

    Args:
        age: (n,), reference bone age, months.
        prediction: (n,), predicted bone age, months.
        intervals: name -> (low, high).

    Returns:
        `error_metrics`, and of each interval its ends as name_low and name_high.
    """
    row = error_metrics(age, prediction)
    for name, (low, high) in intervals.items():
        row |= {f"{name}_low": low, f"{name}_high": high}
    return row


def summarize(
    predictions: pd.DataFrame,
    by: str | Sequence[str] = (),
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
) -> pd.DataFrame:
    """Metrics with 95% bootstrap CIs, one row per group that has cases.

    Args:
        predictions: a predictions table.
        by: columns of the table that make the groups; "age_band" may be among them without being a
            column. By default all cases are one group.
        n_resamples: number of bootstrap resamples.
        seed: of the resamples.

    Returns:
        Columns: those of `by`, n, then each metric with its interval (mae, mae_low, mae_high, ...),
        in the units of `error_metrics`; groups are sorted.

    Raises:
        ValueError: a column is missing.

    Example:
        >>> from boneage import artifacts
        >>> predictions = artifacts.read_predictions(artifacts.model_folder("densenet121"))
        >>> test = predictions[predictions["split"] == "test"]
        >>> summarize(test, by="sex", n_resamples=100)[["sex", "n"]].to_numpy().tolist()
        [['female', 100], ['male', 100]]
    """
    import pandas as pd

    by = [by] if isinstance(by, str) else list(by)
    if "age_band" in by and "age_band" not in predictions:
        _require(predictions, ["reference_months"])
        predictions = predictions.assign(age_band=age_band(predictions["reference_months"]))
    _require(predictions, [*by, "reference_months", "prediction_months"])
    groups = predictions.groupby(by, observed=True) if by else [((), predictions)]
    rows = [dict(zip(by, key, strict=True)) | _row(g, n_resamples, seed) for key, g in groups]
    table = pd.DataFrame(rows, columns=[*by, "n", *_metric_columns()])
    # Rows of dictionaries forget the order of the bands, which sorting and axes need.
    for column in by:
        table[column] = table[column].astype(predictions[column].dtype)
    return table


def metrics_table(
    predictions: pd.DataFrame, n_resamples: int = N_RESAMPLES, seed: int = SEED
) -> pd.DataFrame:
    """What an artifact's metrics.csv holds: metrics of each split, for all, by sex, by age band.

    Args:
        predictions: a predictions table.
        n_resamples: number of bootstrap resamples.
        seed: of the resamples.

    Returns:
        Columns split, group ("all", "female", "male", "0-5 years", ...), n, then each metric with
        its 95% CI as in `summarize`. Splits stand in the order of the table; a group without cases
        has no row.

    Raises:
        ValueError: a column is missing.

    Example:
        >>> from boneage import artifacts
        >>> predictions = artifacts.read_predictions(artifacts.model_folder("densenet121"))
        >>> test = predictions[predictions["split"] == "test"]
        >>> metrics_table(test, n_resamples=100)["group"].tolist()[:3]
        ['all', 'female', 'male']
    """
    import pandas as pd

    _require(predictions, ["split", "sex", "reference_months", "prediction_months"])
    parts = []
    for split, cases in predictions.groupby("split", sort=False):
        for by in ("all", "sex", "age_band"):
            table = summarize(cases.assign(all="all"), by, n_resamples, seed)
            table = table.rename(columns={by: "group"}).astype({"group": str})
            table.insert(0, "split", split)
            parts.append(table)
    if not parts:
        return pd.DataFrame(columns=["split", "group", "n", *_metric_columns()])
    return pd.concat(parts, ignore_index=True)


def _row(cases: pd.DataFrame, n_resamples: int, seed: int) -> dict[str, float]:
    age, prediction = cases["reference_months"], cases["prediction_months"]
    intervals = bootstrap(age, prediction, n_resamples=n_resamples, seed=seed)
    return metrics_row(age, prediction, intervals)


def _metric_columns() -> list[str]:
    return [name + end for name in METRICS for end in ("", "_low", "_high")]


def _require(predictions: pd.DataFrame, columns: list[str]) -> None:
    missing = [column for column in columns if column not in predictions]
    if missing:
        raise ValueError(
            f"The predictions table has no column {', '.join(missing)}; "
            f"it has {', '.join(map(str, predictions.columns)) or 'none'}."
        )
