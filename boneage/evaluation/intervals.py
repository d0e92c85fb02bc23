"""Confidence intervals of the error figures by the percentile bootstrap.

Method: B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
Cases are resampled with replacement, age and prediction together.

Of very many cases no resample is drawn but what resampling tends to: means are normal with the
covariance of the mean, and the rank of the median is normal around the middle with a variance of
n / 4 (chapters 5 and 12).
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from boneage.evaluation.limits import WITHIN_MONTHS, within

METRICS = ("mae", "rmse", "r2", "bias", "median_ae", *(f"within_{m}" for m in WITHIN_MONTHS))
N_RESAMPLES = 2000
SEED = 2017
_UNDEFINED = (float("nan"), float("nan"))
Z_95 = 1.959963984540054  # 95% of a normal distribution lie within so many SDs

# Cases from which on the limit of resampling is taken; a resample of a million takes a quarter of a
# second, and the intervals differ by less than the chance of 1,000 resamples.
NORMAL_FROM = 50_000

# Entries of the count matrix held at once: 400 kB of int64, which stay in the cache of one core.
_CHUNK_ENTRIES = 50_000


def as_ages(age: ArrayLike, prediction: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Reference and predicted ages as two float64 arrays (n,), in months.

    Args:
        age: (n,), months.
        prediction: (n,), months.

    Returns:
        Both arrays.

    Raises:
        ValueError: they are not equally long lists of finite numbers.
    """
    age = np.asarray(age, dtype=np.float64)
    prediction = np.asarray(prediction, dtype=np.float64)
    if age.ndim != 1 or age.shape != prediction.shape:
        raise ValueError(
            f"Ages {age.shape} and predictions {prediction.shape} do not match; "
            "give one age and one prediction in months for each case."
        )
    if not (np.isfinite(age).all() and np.isfinite(prediction).all()):
        raise ValueError(
            "Some ages or predictions are not numbers; leave such cases out before evaluating."
        )
    return age, prediction


def resamples_at_once(n: int) -> int:
    """How many resamples of n cases to draw where somebody is waiting.

    1,000 of most tables. Of ten thousand cases fewer do: what is shown of their narrow intervals no
    longer changes. Of very many, nothing is drawn case by case.

    Args:
        n: number of cases, at least 1.

    Returns:
        200 to 1,000.
    """
    return 1000 if n >= NORMAL_FROM else min(1000, max(200, 2_000_000 // n))


def resample_counts(
    n: int, n_resamples: int = N_RESAMPLES, seed: int = SEED
) -> Iterator[np.ndarray]:
    """How often each case is drawn, for one resample a row.

    Args:
        n: number of cases, at least 1.
        n_resamples: number of resamples.
        seed: of the draw.

    Yields:
        Read-only integer arrays (chunk, n), `n_resamples` rows in all; each row sums to n.
    """
    counts = _all_counts(n, n_resamples, seed)
    chunk = max(1, _CHUNK_ENTRIES // n)
    for start in range(0, n_resamples, chunk):
        yield counts[start : start + chunk]


# One table of predictions is resampled for several figures, always in the same way.
@lru_cache(maxsize=2)
def _all_counts(n: int, n_resamples: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    counts = np.empty((n_resamples, n), np.uint32 if n > np.iinfo(np.uint16).max else np.uint16)
    chunk = max(1, _CHUNK_ENTRIES // n)
    for start in range(0, n_resamples, chunk):
        rows = min(chunk, n_resamples - start)
        drawn = rng.integers(0, n, size=(rows, n))
        drawn += np.arange(rows)[:, None] * n
        one = np.bincount(drawn.ravel(), minlength=rows * n)
        counts[start : start + rows] = one.reshape(rows, n)
    counts.flags.writeable = False
    return counts


def resample_means(
    columns: np.ndarray, n_resamples: int = N_RESAMPLES, seed: int = SEED
) -> np.ndarray:
    """Mean of every column in every resample; from `NORMAL_FROM` cases on, of their normal limit.

    All columns see the same resamples, so differences between columns are paired.

    Args:
        columns: (n, k), one row a case, n >= 1.
        n_resamples: number of resamples.
        seed: of the draw.

    Returns:
        (n_resamples, k) float64.
    """
    n = len(columns)
    if n >= NORMAL_FROM:
        return _normal_means(np.asarray(columns, dtype=np.float64), n_resamples, seed)
    rows = np.ascontiguousarray(np.transpose(columns), dtype=np.float64)
    chunks = [_sums(counts, rows) for counts in resample_counts(n, n_resamples, seed)]
    return np.concatenate(chunks) / n


def resample_metrics(
    age: ArrayLike, prediction: ArrayLike, n_resamples: int = N_RESAMPLES, seed: int = SEED
) -> dict[str, np.ndarray]:
    """The figures of every resample.

    Args:
        age: (n,), months, n >= 1.
        prediction: (n,), months.
        n_resamples: number of resamples.
        seed: of the draw.

    Returns:
        Name -> (n_resamples,) float64, in the units of `metrics.error_metrics`. R2 is nan in a
        resample whose ages are all the same, for there it is undefined.
    """
    age, prediction = as_ages(age, prediction)
    residual = prediction - age
    error = np.abs(residual)
    centered = age - age.mean()  # keeps the difference of squares below from losing digits
    near = [within(error, months) for months in WITHIN_MONTHS]
    columns = np.column_stack([error, residual**2, residual, centered, centered**2, *near])
    means = resample_means(columns, n_resamples, seed).T
    mae, mse, bias, mean_age, mean_square_age, *shares = means
    variance = mean_square_age - mean_age**2
    # Rounding leaves a trace of variance where there is none; ages are at best 0.01 months apart.
    defined = variance > 1e-9 * max(np.mean(centered**2), np.finfo(float).tiny)
    r2 = np.full(n_resamples, np.nan)
    np.divide(mse, variance, out=r2, where=defined)
    return {
        "mae": mae,
        "rmse": np.sqrt(mse),
        "r2": 1 - r2,
        "bias": bias,
        "median_ae": _resampled_medians(error, n_resamples, seed),
        **{f"within_{m}": share for m, share in zip(WITHIN_MONTHS, shares, strict=True)},
    }


def percentile_interval(values: np.ndarray, n: int, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of a figure that was resampled.

    Args:
        values: (n_resamples,), the figure in each resample; those that are not finite are left out.
        n: number of cases that the figure is of.
        level: of the interval, 0 to 1.

    Returns:
        (low, high), the middle `level` of the values. (nan, nan) where no value is left, and of
        fewer than two cases: one says nothing about spread.
    """
    values = values[np.isfinite(values)]
    if n < 2 or len(values) == 0:
        return _UNDEFINED
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2]).tolist()
    return low, high


def t_95(n: int) -> float:
    """Half the width of the 95% CI of a mean of n >= 2 normal values, in standard errors."""
    # Half a second of import, which the first chart of a page need not wait for.
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, 0.975))


def wilson_interval(share: float, n: int) -> tuple[float, float]:
    """95% CI of a share.

    Source: E. B. Wilson, Journal of the American Statistical Association 1927;22:209-212.

    Args:
        share: 0 to 1; as a mean it need not be of whole cases.
        n: number of cases, at least 1.

    Returns:
        (low, high), 0 to 1.
    """
    z = Z_95
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5
    return max(0.0, middle - reach), min(1.0, middle + reach)


def bootstrap(
    age: ArrayLike,
    prediction: ArrayLike,
    level: float = 0.95,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
) -> dict[str, tuple[float, float]]:
    """95% CI of every figure by the percentile bootstrap (Efron and Tibshirani 1993, chapter 13).

    Args:
        age: (n,), reference bone age, months.
        prediction: (n,), predicted bone age, months.
        level: of the intervals, in (0, 1).
        n_resamples: number of resamples.
        seed: of the draw; the same input and seed give the same intervals.

    Returns:
        Name of the figure -> (low, high). Below two cases every interval is (nan, nan). R2 is
        (nan, nan) too when all ages are the same; resamples without an R2 are left out of its
        interval.

    Raises:
        ValueError: the ages are not equally many finite numbers, or the level is not in (0, 1).

    Example:
        >>> low, high = bootstrap([100, 120, 140], [104, 118, 146])["mae"]
        >>> low, high
        (2.0, 6.0)
    """
    age, prediction = as_ages(age, prediction)
    if not 0 < level < 1:
        raise ValueError(f"The level {level} is not between 0 and 1; give 0.95 for 95%.")
    if len(age) == 0:
        return dict.fromkeys(METRICS, _UNDEFINED)
    resamples = resample_metrics(age, prediction, n_resamples, seed)
    return {
        name: percentile_interval(values, len(age), level) for name, values in resamples.items()
    }


def _sums(counts: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Sum of every column (k, n) over the drawn cases of counts (rows, n): (rows, k)."""
    # Chunks are so small that BLAS wakes no threads, which wait for each other on a busy machine.
    return counts.astype(np.float64) @ columns.T


def _normal_means(columns: np.ndarray, n_resamples: int, seed: int) -> np.ndarray:
    """What the means of resamples of columns (n, k) tend to: (n_resamples, k)."""
    n, mean = len(columns), columns.mean(axis=0)
    if not len(mean):
        return np.empty((n_resamples, 0))
    # Piece by piece, as a copy of all would take as much memory again.
    pieces = (columns[start : start + NORMAL_FROM] - mean for start in range(0, n, NORMAL_FROM))
    spread = sum(piece.T @ piece for piece in pieces) / n**2
    drawn = np.random.default_rng(seed).multivariate_normal(
        mean, spread, n_resamples, check_valid="ignore", method="eigh"
    )
    # No mean lies beyond the values, such as a share above 1.
    return np.clip(drawn, columns.min(axis=0), columns.max(axis=0))


def _resampled_medians(values: np.ndarray, n_resamples: int, seed: int) -> np.ndarray:
    """Median of values (n,) in every resample: (n_resamples,)."""
    n, order = len(values), np.argsort(values)
    ascending = values[order]
    if n >= NORMAL_FROM:
        ranks = np.random.default_rng(seed).normal((n - 1) / 2, n**0.5 / 2, n_resamples)
        return ascending[ranks.round().astype(int)]
    # A case is drawn a few times only, and small numbers are put in order three times as fast.
    return np.concatenate(
        [
            _medians(counts.astype(np.uint16).take(order, axis=1), ascending)
            for counts in resample_counts(n, n_resamples, seed)
        ]
    )


def _medians(counts: np.ndarray, ascending: np.ndarray) -> np.ndarray:
    """Median over the drawn cases of counts (rows, n) of their ascending values (n,): (rows,)."""
    drawn = counts.cumsum(axis=1)
    n = len(ascending)
    middle = ((n - 1) // 2, n // 2)  # one rank twice where n is odd
    lower, upper = (ascending[np.count_nonzero(drawn <= rank, axis=1)] for rank in middle)
    return (lower + upper) / 2
