"""Subgroups of radiographs in which a model's error is larger than in the rest.

The approach is that of error analysis in the Responsible AI Toolbox (B. Nushi, E. Kamar and
E. Horvitz, Towards Accountable AI, HCOMP 2018), but a subgroup is shown only where its larger error
is no chance finding, and with its error on radiographs that had no part in choosing it.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import pandas as pd

from boneage.datasets.blocks import BLOCKS
from boneage.error_analysis.conditions import (
    Condition,
    as_text,
    band_factor,
    block_in_words,
    hand_in_words,
    one_of,
)
from boneage.error_analysis.held_out import halves, weighted_means
from boneage.error_analysis.tree import MIN_SUBGROUP, Cohort, grow_tree, tree_features
from boneage.evaluation.intervals import N_RESAMPLES, NORMAL_FROM, SEED
from boneage.evaluation.limits import is_large
from boneage.evaluation.metrics import AGE_BANDS
from boneage.evaluation.residuals import REFERENCE_AGE, with_residuals
from boneage.formatting import CHILDREN
from boneage.radiographs.hand import CROP_METHODS

_THIRDS = ("lowest", "middle", "highest")
_PERMUTED_AT_ONCE = 50
_FAMILY_ERROR = 0.05  # chance of showing any subgroup where all have the same error


@dataclass(frozen=True, eq=False)
class Subgroups:
    """Subgroups of n cases, the largest held-out MAE first.

    Attributes:
        worst: subgroups with a larger MAE than the rest; empty where none is.
        n_tested: how many were tested for it.
        tree: leaves of a decision tree; empty where it does not explain held-out errors.
        tree_r2: R² of held-out absolute errors; nan without a tree.
        tree_r2_interval: its 95% CI.
        tree_factors: what the tree could split on, out of sex, age, crop_method, block and
            contrast.

    Columns of `worst` and `tree`: subgroup (text of `conditions`); cohort (words, "girls, 0-5
    years", or the conditions of the tree, ages from (included) to (not included)); n; size, the
    share of all cases; mae, estimated on held-out cases, with its 95% bootstrap interval mae_low
    and mae_high, months; mae_in_sample, of the n cases themselves, months; rate, the share of
    held-out cases of the subgroup with an absolute error above 12 months; coverage, the share of
    all such errors that lie in the subgroup (nan when there are none). Shares are from 0 to 1.
    """

    worst: pd.DataFrame
    n_tested: int
    tree: pd.DataFrame
    tree_r2: float
    tree_r2_interval: tuple[float, float]
    tree_factors: list[str]


def find_groups(
    cases: pd.DataFrame,
    by: str = REFERENCE_AGE,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
) -> Subgroups:
    """Subgroups of a predictions table with a larger error than the rest.

    Tested is each value of age band, sex, crop method, third of contrast and inferred acquisition
    block (the last two where the table has a column contrast or block), and each pair of values of
    two of them, of at least 20 cases. What all cases share makes no subgroup, nor does a pair that
    lacks fewer than 20 cases of one of its values.

    A subgroup is shown where its MAE is above that of all cases at a family-wise error of 5%, by a
    permutation test of the largest difference in standard errors (P. H. Westfall and S. S. Young,
    Resampling-Based Multiple Testing, 1993, section 2.3). Its held-out estimates are means over
    those halves of the cases whose other half passes the same test.

    The tree splits on the same factors, see `error_tree.grow_tree`. It is shown where the interval
    of its R² on held-out cases excludes 0.

    Args:
        cases: a predictions table of n >= 1 cases.
        by: column of the age.
        n_resamples: number of bootstrap resamples.
        seed: of resamples, permutations and halves.

    Returns:
        Subgroups and leaves of the tree.
    """
    cases = with_residuals(cases, by)
    worst, n_tested = worst_subgroups(cases, by, n_resamples, seed)
    tree, r2, r2_interval, factors = _tree_subgroups(cases, by, n_resamples, seed)
    return Subgroups(worst, n_tested, tree, r2, r2_interval, factors)


def worst_subgroups(
    cases: pd.DataFrame,
    by: str = REFERENCE_AGE,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
) -> tuple[pd.DataFrame, int]:
    """`Subgroups.worst` and `n_tested` alone, see `find_groups`.

    Args:
        cases: of `with_residuals`.
        by: column of the age whose bands the cases have.
        n_resamples: number of bootstrap resamples.
        seed: of resamples, permutations and halves.

    Returns:
        The table, and how many subgroups were tested.
    """
    crossed = _crossed(cases, by)
    worst, weights = _worse_than_the_rest(cases, crossed, n_resamples, seed)
    return _table(cases, worst, weights, n_resamples, seed), len(crossed)


def _tree_subgroups(
    cases: pd.DataFrame, by: str, n_resamples: int, seed: int
) -> tuple[pd.DataFrame, float, tuple[float, float], list[str]]:
    """What `Subgroups` says of the tree."""
    features = tree_features(cases, by)
    tree = grow_tree(cases, features, by, n_resamples, seed)
    leaves, weights = [], np.empty((len(cases), 0))
    if tree and tree.r2_interval[0] > 0:
        leaves, weights = tree.leaves, tree.weights
    nan = float("nan")
    r2, interval = (tree.r2, tree.r2_interval) if tree else (nan, (nan, nan))
    return _table(cases, leaves, weights, n_resamples, seed), r2, interval, list(features)


def by_band_and_sex(
    cases: pd.DataFrame, n_resamples: int = N_RESAMPLES, seed: int = SEED
) -> pd.DataFrame:
    """MAE of every age band and sex that have cases, in order.

    Args:
        cases: of `with_residuals`.
        n_resamples: number of bootstrap resamples.
        seed: of the resamples.

    Returns:
        Columns age_band, sex, n, and mae with its 95% CI mae_low and mae_high, months.
    """
    keys = pd.MultiIndex.from_product(
        [pd.Categorical(AGE_BANDS, AGE_BANDS, ordered=True), CHILDREN], names=["age_band", "sex"]
    )
    inside = np.column_stack(
        [(cases["age_band"] == band) & (cases["sex"] == sex) for band, sex in keys]
    )
    mae, intervals = weighted_means(cases["absolute_error"].to_numpy(), inside, n_resamples, seed)
    low, high = np.transpose(intervals)
    table = pd.DataFrame(
        {"n": inside.sum(axis=0), "mae": mae, "mae_low": low, "mae_high": high}, index=keys
    )
    return table[table["n"] > 0].reset_index()


def by_block(cases: pd.DataFrame, n_resamples: int = N_RESAMPLES, seed: int = SEED) -> pd.DataFrame:
    """Errors in every inferred acquisition block that has cases, in order of the ids.

    Args:
        cases: of `with_residuals`.
        n_resamples: number of bootstrap resamples.
        seed: of the resamples.

    Returns:
        Columns block, n, subgroup (text of `conditions`), mae and bias, months, each with its 95%
        CI (mae_low, ...), contrast (mean) and whole_years, the share of reference ages that are
        whole years, 0 to 1. Empty where the cases have no block.
    """
    blocks = [block for block in BLOCKS if "block" in cases and (cases["block"] == block).any()]
    if not blocks:
        return pd.DataFrame()
    inside = np.column_stack([cases["block"] == block for block in blocks])
    columns = {
        "mae": cases["absolute_error"],
        "bias": cases["residual_months"],
        "contrast": cases["contrast"],
        "whole_years": cases["reference_months"] % 12 == 0,
    }
    values = np.repeat(np.column_stack(list(columns.values())), len(blocks), axis=1)
    means, intervals = weighted_means(values, np.tile(inside, len(columns)), n_resamples, seed)
    means = means.reshape(len(columns), len(blocks))
    low, high = np.moveaxis(np.reshape(intervals, (*means.shape, 2)), 2, 0)
    table = pd.DataFrame({"block": blocks, "n": inside.sum(axis=0)})
    table["subgroup"] = [as_text(one_of("block", block)) for block in blocks]
    for number, name in enumerate(columns):
        table[name] = means[number]
        if name in ("mae", "bias"):
            table[f"{name}_low"], table[f"{name}_high"] = low[number], high[number]
    return table


def _crossed(cases: pd.DataFrame, by: str) -> list[Cohort]:
    """The values of each factor, and the pairs of values of two."""
    factors = list(_factors(cases, by))
    cohorts = [cohort for factor in factors for cohort in factor]
    for first, second in combinations(factors, 2):
        for one, other in product(first, second):
            both = one.inside & other.inside
            # A pair that takes nearly all of one value would only repeat that value's cohort.
            if both.sum() + MIN_SUBGROUP <= min(one.inside.sum(), other.inside.sum()):
                name = f"{one.name}, {other.name}"
                cohorts.append(Cohort(name, both, one.subgroup + other.subgroup))
    return [cohort for cohort in cohorts if cohort.inside.sum() >= MIN_SUBGROUP]


def _factors(cases: pd.DataFrame, by: str) -> Iterator[list[Cohort]]:
    """What subgroups are made of: the values of each factor; only of what tells cases apart."""
    named = {
        "sex": ("sex", CHILDREN),
        "age_band": (band_factor(by), {band: band for band in AGE_BANDS}),
        "crop_method": ("crop_method", {one: hand_in_words([one]) for one in CROP_METHODS}),
    }
    values = [
        [Cohort(name, cases[column] == v, one_of(factor, v)) for v, name in names.items()]
        for column, (factor, names) in named.items()
    ]
    if "contrast" in cases:
        low, high = cases["contrast"].quantile([1 / 3, 2 / 3])
        edges = (-math.inf, low, high, math.inf)
        thirds = np.digitize(cases["contrast"], [low, high], right=True)
        values.append(
            [
                Cohort(
                    f"{name} third of contrast",
                    thirds == i,
                    (Condition("contrast", (), *map(float, edges[i : i + 2])),),
                )
                for i, name in enumerate(_THIRDS)
            ]
        )
    if "block" in cases:
        values.append(
            [Cohort(block_in_words([v]), cases["block"] == v, one_of("block", v)) for v in BLOCKS]
        )
    for factor in values:
        factor = [one._replace(inside=np.asarray(one.inside)) for one in factor if one.inside.any()]
        if len(factor) > 1:
            yield factor


def _worse_than_the_rest(
    cases: pd.DataFrame, cohorts: list[Cohort], n_permutations: int, seed: int
) -> tuple[list[Cohort], np.ndarray]:
    """The cohorts whose error is above that of the rest, and weights of held-out estimates.

    The weights (n, cohorts) of a case count the halves without it that pass the test, each divided
    by the size of the cohort in the other half.
    """
    error = cases["absolute_error"].to_numpy()
    if not cohorts or np.ptp(error) == 0:
        return [], np.empty((len(error), 0))
    inside = np.column_stack([cohort.inside for cohort in cohorts])
    order, starts, cells = _cells(inside)
    error, inside = error[order], inside[order]

    def sums(values: np.ndarray) -> np.ndarray:
        """Of values (rows, n) in each cohort: (rows, cohorts)."""
        return np.add.reduceat(values, starts, axis=1) @ cells

    n, set_sizes = len(error), np.diff(starts, append=len(error))

    def shuffled(rng: np.random.Generator, rows: int) -> np.ndarray:
        """`sums` of errors in random order, of very many cases what these tend to."""
        if n < NORMAL_FROM:
            return sums(rng.permuted(np.tile(error, (rows, 1)), axis=1))
        drawn = rng.standard_normal((rows, len(set_sizes))) * np.sqrt(set_sizes)
        drawn -= np.outer(drawn.sum(axis=1), set_sizes / n)  # all errors have one sum in any order
        return (error.mean() * set_sizes + error.std() * drawn) @ cells

    size = inside.sum(axis=0)
    limit = _largest_by_chance(error, size, shuffled, n_permutations, seed)
    held_out = halves(len(error), seed)
    size_held_out = sums(held_out.astype(float))
    passes = _excess(sums(~held_out * error), size - size_held_out, error, ~held_out) > limit
    chosen = np.where(passes & (size_held_out > 0), 1 / np.maximum(size_held_out, 1), 0)
    shown = (_excess(error @ inside, size, error) > limit)[0] & chosen.any(axis=0)
    weights = np.empty((len(error), shown.sum()))
    weights[order] = inside[:, shown] * (held_out.T.astype(float) @ chosen[:, shown])
    return [cohort for cohort, is_shown in zip(cohorts, shown, strict=True) if is_shown], weights


def _cells(inside: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sets of cases that lie in the same cohorts; `inside` is bool (n, cohorts).

    Cohorts overlap, so sums over these few sets make up the sum of each cohort. Returns an order of
    the cases (n,) in which each set is together, where the sets start in it, and which cohorts hold
    a set: float (sets, cohorts).
    """
    bits = np.packbits(inside, axis=1)
    order = np.lexsort(bits.T)
    starts = np.flatnonzero(np.r_[True, (np.diff(bits[order], axis=0) != 0).any(axis=1)])
    return order, starts, inside[order][starts].astype(float)


def _excess(
    sums: np.ndarray, size: np.ndarray, error: np.ndarray, among: np.ndarray | None = None
) -> np.ndarray:
    """Mean error of cohorts minus that of all cases, in standard errors: (..., cohorts).

    The cohorts have these sums of errors and sizes among the errors (n,) of all cases, or among
    those in `among`, bool (rows, n). The standard error is that of the mean of as many cases drawn
    without replacement; nan for a cohort of no case or of all.
    """
    among = np.ones((1, len(error))) if among is None else among.astype(float)
    n = among.sum(axis=1, keepdims=True)
    mean = (among @ error)[:, None] / n
    variance = (among @ error**2)[:, None] / n - mean**2
    with np.errstate(divide="ignore", invalid="ignore"):
        return (sums / size - mean) / np.sqrt(variance * (1 / size - 1 / n))


def _largest_by_chance(
    error: np.ndarray, size: np.ndarray, shuffled: Callable, n_permutations: int, seed: int
) -> float:
    """What the largest of all excesses is below in 95% of permutations of the errors."""
    rng = np.random.default_rng(seed)
    largest = [
        _excess(shuffled(rng, _PERMUTED_AT_ONCE), size, error).max(axis=1)
        for _ in range(0, n_permutations, _PERMUTED_AT_ONCE)
    ]
    return float(np.quantile(np.concatenate(largest), 1 - _FAMILY_ERROR))


def _table(
    cases: pd.DataFrame, cohorts: list[Cohort], weights: np.ndarray, n_resamples: int, seed: int
) -> pd.DataFrame:
    error = cases["absolute_error"].to_numpy()
    large = is_large(error)
    inside = np.column_stack([cohort.inside for cohort in cohorts]) if cohorts else weights > 0
    n = inside.sum(axis=0)
    mae, intervals = weighted_means(error, weights, n_resamples, seed)
    low, high = np.reshape(intervals, (-1, 2)).T
    table = pd.DataFrame(
        {
            "subgroup": [as_text(cohort.subgroup) for cohort in cohorts],
            "cohort": [cohort.name for cohort in cohorts],
            "n": n,
            "size": n / len(cases),
            "mae": mae,
            "mae_low": low,
            "mae_high": high,
            "mae_in_sample": error @ inside / n,
            "rate": (weights * large[:, None]).sum(axis=0) / weights.sum(axis=0),
            "coverage": inside[large].sum(axis=0) / large.sum() if large.any() else np.nan,
        }
    )
    return table.sort_values(["mae", "n"], ascending=False, kind="stable", ignore_index=True)
