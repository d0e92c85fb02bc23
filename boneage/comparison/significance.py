"""Paired tests of two models on the same cases, and how many at once are judged.

One rule for the whole comparison of two models: the MAE is the primary metric and is tested once,
at 5%. All other metrics together, and all subgroups together, have a family-wise error of 5% by
Holm's method. Fewer than `MIN_CASES` cases are not tested.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from boneage.evaluation.limits import TOLERANCE

MIN_CASES = 20
ALPHA = 0.05


def paired_t(differences: np.ndarray, level: float = 0.95) -> tuple[float, float, float]:
    """Paired Student's t test of two models, two-sided, with its interval.

    Args:
        differences: (n,), of the two on each case.
        level: of the interval, 0 to 1.

    Returns:
        (low, high, p): the interval of the mean difference, and p of its being zero. Differences
        without spread have an interval without width, and p is 1 where they are zero, else 0. Below
        two cases all three are nan.

    Example:
        >>> low, high, p = paired_t([1, 2, 3, 4])
        >>> round(low, 2), round(high, 2), round(p, 3)
        (0.45, 4.55, 0.03)
    """
    differences = np.asarray(differences, float)
    n = len(differences)
    if n < 2:
        return (float("nan"),) * 3
    mean, error = differences.mean(), differences.std(ddof=1) / n**0.5
    margin = stats.t.ppf((1 + level) / 2, n - 1) * error
    return float(mean - margin), float(mean + margin), wald_p(mean, error, n)


def wald_p(estimate: float, standard_error: float, n: int) -> float:
    """Two-sided p of an estimate being zero, by Student's t.

    Args:
        estimate: of n cases.
        standard_error: of the estimate.
        n: number of cases; the test has n - 1 degrees of freedom.

    Returns:
        p, 0 to 1.
    """
    if standard_error < TOLERANCE:
        return 1.0 if abs(estimate) < TOLERANCE else 0.0
    return float(2 * stats.t.sf(abs(estimate) / standard_error, n - 1))


def sign_test(first: int, second: int) -> float:
    """Two-sided exact p of one of two equally likely outcomes against the other.

    Of discordant pairs this is the exact test of McNemar (Psychometrika 1947;12:153-157).

    Args:
        first: how often the one was seen.
        second: how often the other was seen.

    Returns:
        p, 0 to 1; 1 where neither was seen.
    """
    return float(stats.binomtest(first, first + second).pvalue) if first + second else 1.0


def holm(p: ArrayLike) -> np.ndarray:
    """p values adjusted for their number.

    Of adjusted values below 5%, with a probability of 5% at most any is a false alarm, however the
    tests depend on each other (S. Holm, Scandinavian Journal of Statistics 1979;6:65-70).

    Args:
        p: (m,); nan stands for one that is not tested.

    Returns:
        (m,) adjusted p; nan where it was nan.

    Example:
        >>> holm([0.01, 0.04, float("nan")])
        array([0.02, 0.04,  nan])
    """
    each = np.asarray(p, float)
    adjusted = np.full(len(each), np.nan)
    ascending = np.argsort(each)[: np.count_nonzero(~np.isnan(each))]  # nan comes last
    factors = np.arange(len(ascending), 0, -1)
    adjusted[ascending] = np.maximum.accumulate(factors * each[ascending]).clip(max=1)
    return adjusted


def spearman(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float] | None:
    """Spearman's rank correlation with its 95% CI.

    The interval is that of Fisher's z with the standard error sqrt((1 + rho² / 2) / (n - 3))
    (D. G. Bonett and T. A. Wright, Psychometrika 2000;65:23-28).

    Args:
        x: (n,).
        y: (n,).

    Returns:
        (rho, low, high); None below `MIN_CASES` cases and where a column does not vary.
    """
    n = len(x)
    if n < MIN_CASES or min(np.ptp(x), np.ptp(y)) < TOLERANCE:
        return None
    rho = float(stats.spearmanr(x, y).statistic)
    # Ranks that agree entirely have no z.
    z = np.arctanh(np.clip(rho, -1 + 1e-12, 1 - 1e-12))
    margin = stats.norm.ppf(0.975) * ((1 + rho**2 / 2) / (n - 3)) ** 0.5
    return rho, float(np.tanh(z - margin)), float(np.tanh(z + margin))
