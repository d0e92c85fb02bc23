"""Errors of subgroups on radiographs that had no part in finding them.

A subgroup that is chosen because its error is large has a smaller one on other radiographs. So
subgroups are found on one half of the cases and their errors estimated on the other half, and this
is repeated with other halves (S. Athey and G. Imbens, PNAS 2016;113:7353-7360: honest estimation).
Each estimate is a weighted mean over all cases, in which a case counts only for the halves that it
was held out from.
"""

import numpy as np

from boneage.evaluation.intervals import percentile_interval, resample_means

_MAX_PARTITIONS, _MIN_PARTITIONS, _ENOUGH_CASES = 25, 5, 50_000


def halves(n: int, seed: int) -> np.ndarray:
    """Which cases are held out while subgroups are found on the others.

    25 random partitions in two halves, each of which takes its turn: 50 rows. Of more than 2,000
    cases there are fewer, 10 rows at least, for their halves differ less.

    Args:
        n: number of cases, at least 2.
        seed: of the partitions.

    Returns:
        (splits, n) bool.
    """
    rng = np.random.default_rng(seed)
    partitions = np.clip(_ENOUGH_CASES // n, _MIN_PARTITIONS, _MAX_PARTITIONS)
    one = rng.permuted(np.tile(np.arange(n) < n // 2, (partitions, 1)), axis=1)
    return np.concatenate([one, ~one])


def weighted_means(
    values: np.ndarray, weights: np.ndarray, n_resamples: int, seed: int
) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Weighted means with 95% bootstrap intervals.

    Cases are resampled, each with its weight. All columns see the same resamples.

    Args:
        values: (n, k), or (n,), the same for every column.
        weights: (n, k), 0 or more.
        n_resamples: number of resamples.
        seed: of the draw.

    Returns:
        (k,) means, nan for a column without weights, and k intervals (low, high).
    """
    weights = np.asarray(weights, dtype=float)
    k = weights.shape[1]
    columns = np.hstack([weights * values.reshape(len(weights), -1), weights])
    sums = resample_means(columns, n_resamples, seed)
    drawn, n = share(sums[:, :k], sums[:, k:]), np.count_nonzero(weights, axis=0)
    total = columns.sum(axis=0)
    return share(total[:k], total[k:]), list(map(percentile_interval, drawn.T, n))


def share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, nan where the whole is 0."""
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)
