"""How far the errors of groups lie apart: differences and ratios between groups, with 95% CIs.

Differences and ratios are those of Fairlearn's `MetricFrame` between groups, within each value of a
control feature (H. Weerts et al., Journal of Machine Learning Research 2023;24(257):1-8). Unlike
there, intervals are of the two groups that lie furthest apart in all cases: the largest difference
of a resample is never negative, so its interval would exclude 0 even where groups are alike.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from boneage.error_analysis.held_out import share
from boneage.evaluation.intervals import (
    N_RESAMPLES,
    SEED,
    percentile_interval,
    resample_means,
)
from boneage.evaluation.limits import is_large

MIN_CASES = 20  # a smaller group is not compared
METRICS = ("mae", "bias", "large")
_ENDS = ("", "_low", "_high")
COLUMNS = (
    *("control", "metric", "highest", "lowest", "n_highest", "n_lowest"),
    *("value_highest", "value_lowest"),
    *(name + end for name in ("difference", "ratio") for end in _ENDS),
)


def disparity(
    cases: pd.DataFrame,
    by: str,
    control: str | None = None,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
    min_cases: int = MIN_CASES,
) -> pd.DataFrame:
    """The two groups furthest apart in each metric, and by how much.

    Args:
        cases: of `residuals.with_residuals`.
        by: column that makes the groups.
        control: column within whose values groups are compared; None for all cases at once.
        n_resamples: number of bootstrap resamples.
        seed: of the resamples.
        min_cases: smaller groups are left out.

    Returns:
        A row each value of `control` ("" without one) and metric: "mae" and "bias" (months) and
        "large", the share of absolute errors above 12 months, 0 to 1. Columns: highest and lowest
        (groups), their n_highest, n_lowest, value_highest and value_lowest; difference, highest -
        lowest, and ratio, lowest / highest, each with its 95% CI (difference_low, ...). The ratio
        of biases is that of their sizes, the smaller to the larger, nan where the signs differ; nan
        too where both values are 0. No row where fewer than two groups are large enough.
    """
    levels = [("", np.ones(len(cases), dtype=bool))]
    if control is not None:
        levels = [(level, _is(cases, control, level)) for level in _values(cases, control)]
    names, inside = [], []
    for level, in_level in levels:
        for group in _values(cases, by):
            in_group = in_level & _is(cases, by, group)
            if in_group.sum() >= min_cases:
                names.append((level, group))
                inside.append(in_group)
    if not inside:
        return pd.DataFrame(columns=COLUMNS)
    sizes, values, drawn = _group_means(cases, np.column_stack(inside), n_resamples, seed)
    rows = []
    for level, _ in levels:
        places = [place for place, name in enumerate(names) if name[0] == level]
        if len(places) < 2:
            continue
        for number, metric in enumerate(METRICS):
            ordered = sorted(places, key=lambda place: values[number, place])
            low, high = ordered[0], ordered[-1]
            n = int(min(sizes[low], sizes[high]))
            apart = drawn[number][:, high] - drawn[number][:, low]
            ratio = _ratio(metric, values[number, [high]], values[number, [low]])[0]
            ratios = _ratio(metric, drawn[number][:, high], drawn[number][:, low])
            rows.append(
                (
                    *(str(level), metric, str(names[high][1]), str(names[low][1])),
                    *(int(sizes[high]), int(sizes[low])),
                    *(values[number, high], values[number, low]),
                    values[number, high] - values[number, low],
                    *percentile_interval(apart, n),
                    ratio,
                    *_ratio_interval(ratio, ratios, n),
                )
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def _group_means(
    cases: pd.DataFrame, inside: np.ndarray, n_resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Sizes (k,), metrics (3, k), and metrics of resamples, three of (n_resamples, k)."""
    error = cases["absolute_error"].to_numpy()
    measured = (error, cases["residual_months"].to_numpy(), is_large(error))
    k = inside.shape[1]
    columns = np.hstack([inside, *(inside * one[:, None] for one in measured)]).astype(float)
    sums = resample_means(columns, n_resamples, seed)  # each of them by the number of cases
    total = columns.sum(axis=0)
    parts = range(k, 4 * k, k)
    values = np.stack([share(total[start : start + k], total[:k]) for start in parts])
    drawn = [share(sums[:, start : start + k], sums[:, :k]) for start in parts]
    return total[:k], values, drawn


def _ratio(metric: str, high: np.ndarray, low: np.ndarray) -> np.ndarray:
    if metric == "bias":
        same_sign = high * low > 0
        sizes = np.abs([high, low])
        high = np.where(same_sign, sizes.max(axis=0), 0)
        low = np.where(same_sign, sizes.min(axis=0), 0)
    return share(low, high)


def _ratio_interval(ratio: float, ratios: np.ndarray, n: int) -> tuple[float, float]:
    """Of a ratio that is not defined there is none."""
    return (ratio, ratio) if np.isnan(ratio) else percentile_interval(ratios, n)


def _values(cases: pd.DataFrame, column: str) -> Sequence:
    """In the order of bands, else of the alphabet."""
    return cases.groupby(column, observed=True).size().index.tolist()


def _is(cases: pd.DataFrame, column: str, value: object) -> np.ndarray:
    return (cases[column] == value).to_numpy()
