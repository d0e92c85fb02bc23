"""Everything the head-to-head of two models shows of their predictions, in one go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from boneage.comparison.significance import ALPHA, MIN_CASES, holm, paired_t, sign_test
from boneage.comparison.statistics import (
    Comparison,
    bias_by_sex,
    compare,
    metric_differences,
    pair,
    predictions,
    resample_models,
    wins,
)
from boneage.evaluation.intervals import percentile_interval, resample_means, resamples_at_once
from boneage.evaluation.metrics import metrics_row


@dataclass(frozen=True, eq=False)
class HeadToHead:
    """What the functions of `comparison` say of two models on the cases both have.

    Attributes:
        pairs: of `comparison.pair`.
        metrics: columns of `metrics.summarize` for "first", "second" and "ensemble".
        differences: of `comparison.metric_differences`.
        comparison: of `comparison.compare`.
        wins: of `group_wins`.
        bias: of `comparison.bias_by_sex`.
        weights: of the first and the second in the ensemble.
    """

    pairs: pd.DataFrame
    metrics: pd.DataFrame
    differences: pd.DataFrame
    comparison: Comparison
    wins: pd.DataFrame
    bias: pd.DataFrame
    weights: tuple[float, float]


def head_to_head(
    first: pd.DataFrame, second: pd.DataFrame, weights: Sequence[float] = (0.5, 0.5)
) -> HeadToHead:
    """Compare two models, and their ensemble, on the cases that both have.

    Args:
        first: predictions table of one model.
        second: predictions table of the other.
        weights: of the first and the second in the ensemble, 1 together.

    Returns:
        Metrics of the three, paired tests and their parts.

    Raises:
        BoneAgeError: the tables share no case.

    Example:
        >>> from boneage import artifacts
        >>> first, second = (
        ...     artifacts.read_predictions(artifacts.model_folder(name)).query("split == 'test'")
        ...     for name in ("densenet121", "resnet34_cbam")
        ... )
        >>> found = head_to_head(first, second)
        >>> found.comparison.n, list(found.metrics.index)
        (200, ['first', 'second', 'ensemble'])
    """
    pairs = pair(first, second, weights)
    n_resamples = resamples_at_once(2 * len(pairs))  # two models see every case
    drawn = resample_models(pairs, n_resamples)
    rows = {name: _row(pairs, months, drawn[name]) for name, months in predictions(pairs).items()}
    return HeadToHead(
        pairs,
        pd.DataFrame.from_dict(rows, orient="index"),
        metric_differences(pairs, drawn),
        compare(pairs),
        group_wins(pairs),
        bias_by_sex(pairs),
        (weights[0], weights[1]),
    )


def mae_only(
    first: pd.DataFrame, second: pd.DataFrame, weights: Sequence[float] = (0.5, 0.5)
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The MAE of two tables and of their ensemble, ten times as fast as all metrics.

    Args:
        first: predictions table of one model.
        second: predictions table of the other.
        weights: of the first and the second in the ensemble, 1 together.

    Returns:
        The columns mae, mae_low and mae_high of `HeadToHead.metrics`, and the row of the MAE of
        `HeadToHead.differences` with its columns figure, p and better.

    Raises:
        BoneAgeError: the tables share no case.
    """
    pairs = pair(first, second, weights)
    age = pairs["reference_months"]
    errors = pd.DataFrame({name: (m - age).abs() for name, m in predictions(pairs).items()})
    drawn = resample_means(errors, resamples_at_once(2 * len(pairs)))
    table = pd.DataFrame(
        [percentile_interval(column, len(pairs)) for column in drawn.T],
        columns=["mae_low", "mae_high"],
        index=errors.columns,
    )
    table.insert(0, "mae", errors.mean())
    p = paired_t(errors["first"] - errors["second"])[-1] if len(pairs) >= MIN_CASES else np.nan
    ahead = "first" if table.at["first", "mae"] < table.at["second", "mae"] else "second"
    better = ahead if p < ALPHA else None
    return table, pd.DataFrame(
        {"metric": ["mae"], "p": [p], "better": pd.Series([better], dtype=object)}
    )


def group_wins(pairs: pd.DataFrame) -> pd.DataFrame:
    """How often each model is the closer one by age band and sex, and whether significantly so.

    Args:
        pairs: of `comparison.pair`.

    Returns:
        `comparison.wins` with a column p: that of the sign test, of all groups together by
        `significance.holm`; nan for a group of fewer than `MIN_CASES` cases, which is not tested.
    """
    table = wins(pairs)
    counts = (table[["first", "second"]].mul(table["n"], axis=0)).round().astype(int)
    p = np.array([sign_test(first, second) for first, second in counts.to_numpy()])
    return table.assign(p=holm(np.where(table["n"] >= MIN_CASES, p, np.nan)))


def _row(
    pairs: pd.DataFrame, months: pd.Series, drawn: Mapping[str, np.ndarray]
) -> dict[str, float]:
    intervals = {name: percentile_interval(values, len(pairs)) for name, values in drawn.items()}
    return metrics_row(pairs["reference_months"], months, intervals)
