"""Paired tests of two models on the same cases, and how many at once are judged.

One rule for the whole comparison of two models: the MAE is the primary metric and is tested once,
at 5%. All other metrics together, and all subgroups together, have a family-wise error of 5% by
Holm's method. Fewer than `MIN_CASES` cases are not tested.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

MIN_CASES = 20
ALPHA = 0.05
# Months, and all that is computed of them; below, differences come from rounding of binary numbers.
ROUNDING = 1e-9


def paired_t(differences: np.ndarray, level: float = 0.95) -> tuple[float, float, float]:
    """Interval of the mean of paired differences (n,), and p of its being zero: (low, high, p).

    Student's paired t test, two-sided, and its interval of this level. Differences without spread
    have an interval without width, and p is 1 where they are zero, else 0. Below two cases all
    three are nan.
    """
    differences = np.asarray(differences, float)
    n = len(differences)
    if n < 2:
        return (float("nan"),) * 3
    mean, error = differences.mean(), differences.std(ddof=1) / n**0.5
    margin = stats.t.ppf((1 + level) / 2, n - 1) * error
    return float(mean - margin), float(mean + margin), wald_p(mean, error, n)


def wald_p(estimate: float, standard_error: float, n: int) -> float:
    """Two-sided p of an estimate from n cases being zero, by Student's t with n - 1 degrees."""
    if standard_error < ROUNDING:
        return 1.0 if abs(estimate) < ROUNDING else 0.0
    return float(2 * stats.t.sf(abs(estimate) / standard_error, n - 1))


def sign_test(first: int, second: int) -> float:
    """Two-sided exact p of `first` against `second` of two equally likely outcomes.

    Of discordant pairs this is the exact test of McNemar (Psychometrika 1947;12:153-157).
    """
    return float(stats.binomtest(first, first + second).pvalue) if first + second else 1.0


def holm(p: ArrayLike) -> np.ndarray:
    """p values adjusted for their number, (m,); nan stands for one that is not tested.

    Of adjusted values below 5%, with a probability of 5% at most any is a false alarm, however the
    tests depend on each other (S. Holm, Scandinavian Journal of Statistics 1979;6:65-70).
    """
    each = np.asarray(p, float)
    adjusted = np.full(len(each), np.nan)
    ascending = np.argsort(each)[: np.count_nonzero(~np.isnan(each))]  # nan comes last
    factors = np.arange(len(ascending), 0, -1)
    adjusted[ascending] = np.maximum.accumulate(factors * each[ascending]).clip(max=1)
    return adjusted


def spearman(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float] | None:
    """Spearman's rank correlation of two columns (n,), and its 95% CI: (rho, low, high).

    The interval is that of Fisher's z with the standard error sqrt((1 + rho² / 2) / (n - 3))
    (D. G. Bonett and T. A. Wright, Psychometrika 2000;65:23-28). None below `MIN_CASES` cases and
    where a column does not vary.
    """
    n = len(x)
    if n < MIN_CASES or min(np.ptp(x), np.ptp(y)) < ROUNDING:
        return None
    rho = float(stats.spearmanr(x, y).statistic)
    # Ranks that agree entirely have no z.
    z = np.arctanh(np.clip(rho, -1 + 1e-12, 1 - 1e-12))
    margin = stats.norm.ppf(0.975) * ((1 + rho**2 / 2) / (n - 3)) ** 0.5
    return rho, float(np.tanh(z - margin)), float(np.tanh(z + margin))
