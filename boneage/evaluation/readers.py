"""Several readers of the same cases: agreement with each other, and CIs over readers and cases.

Ratings are (n cases, k readers) without gaps; those of bone age are in months.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from boneage.evaluation.intervals import N_RESAMPLES, SEED, percentile_interval, resample_counts


class Icc(NamedTuple):
    """An intraclass correlation coefficient with its 95% CI."""

    value: float
    low: float
    high: float


def icc_agreement(ratings: ArrayLike) -> Icc:
    """ICC(2,1): absolute agreement of a single reader with any other, both drawn at random.

    The variance between cases as a share of the whole variance, in which differences between the
    readers' means count as disagreement. It rises with the range of the cases.

    Source: P. E. Shrout and J. L. Fleiss, Psychological Bulletin 1979;86:420-428, case 2, with the
    approximate interval on page 424.

    Args:
        ratings: (n, k), n and k at least 2.

    Returns:
        The coefficient and its 95% CI. All nan where no two ratings differ; where all readers agree
        on every case, it is 1 with an interval of nan.

    Raises:
        ValueError: the ratings are not finite numbers of at least 2 cases by 2 readers.

    Example:
        >>> round(icc_agreement([[100, 104], [130, 129], [160, 166]]).value, 2)
        0.99
    """
    ratings = _as_ratings(ratings)
    n, k = ratings.shape
    if n < 2 or k < 2:
        raise ValueError(f"Agreement needs at least 2 cases and 2 readers, not {n} and {k}.")
    # Imported late as in `intervals.t_95`.
    from scipy.special import fdtri

    mean = ratings.mean()
    by_case, by_reader = ratings.mean(axis=1), ratings.mean(axis=0)
    error = ratings - by_case[:, None] - by_reader + mean
    bms = k * ((by_case - mean) ** 2).sum() / (n - 1)  # between cases
    jms = n * ((by_reader - mean) ** 2).sum() / (k - 1)  # between readers, "judges"
    ems = (error**2).sum() / ((n - 1) * (k - 1))
    tiny = 1e-12 * max(np.square(ratings).mean(), np.finfo(float).tiny)  # a trace left by rounding
    bms, jms, ems = (0.0 if square < tiny else float(square) for square in (bms, jms, ems))
    other = k * jms + (k * n - k - n) * ems
    whole = n * bms + other
    undefined = float("nan")
    if whole == 0:
        return Icc(undefined, undefined, undefined)
    value = n * (bms - ems) / whole
    reader, rest = k * value * jms, (n * (1 + (k - 1) * value) - k * value) * ems
    if reader == rest == 0:
        return Icc(value, undefined, undefined)
    freedom = (k - 1) * (n - 1) * (reader + rest) ** 2 / ((n - 1) * reader**2 + rest**2)
    above, below = fdtri(n - 1, freedom, 0.975), fdtri(freedom, n - 1, 0.975)
    low = n * (bms - above * ems) / (above * other + n * bms)
    high = n * (below * bms - ems) / (other + n * below * bms)
    return Icc(value, float(low), float(high))


def within_case_sd(ratings: ArrayLike) -> float:
    """SD of single readings of one case about their mean, pooled over the cases.

    Source: J. M. Bland and D. G. Altman, Measurement error, BMJ 1996;313:744.

    Args:
        ratings: (n, k).

    Returns:
        In the unit of the ratings; nan with fewer than two readers.

    Raises:
        ValueError: the ratings are not finite numbers of at least one case and one reader.
    """
    ratings = _as_ratings(ratings)
    if ratings.shape[1] < 2:
        return float("nan")
    return float(ratings.var(axis=1, ddof=1).mean() ** 0.5)


def interval_of_mean(
    values: ArrayLike, n_resamples: int = N_RESAMPLES, seed: int = SEED
) -> tuple[float, float]:
    """95% CI of the mean over cases and readers, both of which are resampled.

    So it is for other readers and other cases of the same kind.

    Source: S. V. Beiden, R. F. Wagner and G. Campbell, Academic Radiology 2000;7:341-349.

    Args:
        values: (n, k), such as absolute errors in months.
        n_resamples: number of bootstrap resamples.
        seed: of the draw.

    Returns:
        (low, high); (nan, nan) with fewer than two cases.

    Raises:
        ValueError: the values are not finite numbers of at least one case and one reader.
    """
    values = _as_ratings(values)
    n, k = values.shape
    cases, readers = (
        np.concatenate(list(resample_counts(size, n_resamples, seed + number)))
        for number, size in enumerate((n, k))
    )
    means = (cases.astype(np.float64) @ values * readers).sum(axis=1) / (n * k)
    return percentile_interval(means, n)


def _as_ratings(ratings: ArrayLike) -> np.ndarray:
    ratings = np.asarray(ratings, dtype=np.float64)
    if ratings.ndim != 2 or ratings.size == 0 or not np.isfinite(ratings).all():
        raise ValueError("Give one finite rating for every case (row) and reader (column).")
    return ratings
