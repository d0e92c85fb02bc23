"""Everything the head-to-head of two models shows of their predictions, in one go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from boneage.evaluation.comparison import (
    Comparison,
    compare,
    figure_differences,
    pair,
    predictions,
    resample_models,
    wins,
)
from boneage.evaluation.intervals import percentile_interval, resample_means, resamples_at_once
from boneage.evaluation.metrics import figures_row


@dataclass(frozen=True, eq=False)
class HeadToHead:
    """What the functions of `comparison` say of two models on the cases both have.

    figures: columns of `metrics.summarise` for "first", "second" and "ensemble", the mean of both.
    wins: of `group_wins`.
    weights: of the first and the second in their mean.
    """

    pairs: pd.DataFrame
    figures: pd.DataFrame
    differences: pd.DataFrame
    comparison: Comparison
    wins: pd.DataFrame
    weights: tuple[float, float]


def head_to_head(
    first: pd.DataFrame, second: pd.DataFrame, weights: Sequence[float] = (0.5, 0.5)
) -> HeadToHead:
    """Compare two predictions tables, and their mean with these weights.

    Raises BoneAgeError when they share no case.
    """
    pairs = pair(first, second, weights)
    n_resamples = resamples_at_once(2 * len(pairs))  # two models see every case
    drawn = resample_models(pairs, n_resamples)
    rows = {name: _row(pairs, months, drawn[name]) for name, months in predictions(pairs).items()}
    return HeadToHead(
        pairs,
        pd.DataFrame.from_dict(rows, orient="index"),
        figure_differences(pairs, drawn),
        compare(pairs, n_resamples),
        group_wins(pairs),
        tuple(weights),
    )


def mae_only(
    first: pd.DataFrame, second: pd.DataFrame, weights: Sequence[float] = (0.5, 0.5)
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The MAE of two tables and of their mean, ten times as fast as all figures.

    Returns the columns mae, mae_low and mae_high of `HeadToHead.figures`, and the row of the MAE of
    `HeadToHead.differences` with its columns figure and better. Raises ValueError when the tables
    share no case.
    """
    pairs = pair(first, second, weights)
    age = pairs["age_months"]
    errors = pd.DataFrame({name: (m - age).abs() for name, m in predictions(pairs).items()})
    drawn = resample_means(errors, resamples_at_once(2 * len(pairs)))
    table = pd.DataFrame(
        [percentile_interval(column, len(pairs)) for column in drawn.T],
        columns=["mae_low", "mae_high"],
        index=errors.columns,
    )
    table.insert(0, "mae", errors.mean())
    low, high = percentile_interval(drawn[:, 0] - drawn[:, 1], len(pairs))
    better = "first" if high < 0 else "second" if low > 0 else None
    return table, pd.DataFrame({"figure": ["mae"], "better": [better]})


def group_wins(pairs: pd.DataFrame) -> pd.DataFrame:
    """`comparison.wins` by age band and sex, with a column p: does one model win by chance?

    p is that of the two-sided sign test, adjusted for the number of groups, so that of all groups
    called real at p < 0.05 one in twenty is expected not to be (Y. Benjamini and Y. Hochberg,
    Journal of the Royal Statistical Society B 1995;57:289-300).
    """
    table = wins(pairs)
    counts = (table[["first", "second"]].mul(table["n"], axis=0)).round().astype(int)
    p = [_sign_test(first, second) for first, second in counts.to_numpy()]
    return table.assign(p=stats.false_discovery_control(p))


def _sign_test(first: int, second: int) -> float:
    return float(stats.binomtest(first, first + second).pvalue) if first + second else 1.0


def _row(
    pairs: pd.DataFrame, months: pd.Series, drawn: Mapping[str, np.ndarray]
) -> dict[str, float]:
    intervals = {name: percentile_interval(values, len(pairs)) for name, values in drawn.items()}
    return figures_row(pairs["age_months"], months, intervals)
