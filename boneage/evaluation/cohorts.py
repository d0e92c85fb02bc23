"""Where a model is wrong: cohorts of images, by how often its error is large.

The words are those of error analysis in the Responsible AI Toolbox (B. Nushi, E. Kamar and
E. Horvitz, Towards Accountable AI, HCOMP 2018): the rate of large errors within a cohort, the
coverage of all large errors by it, and its size.
"""

from collections.abc import Callable, Iterator
from itertools import combinations, product

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeRegressor

from boneage.evaluation.intervals import N_RESAMPLES, SEED, percentile_interval, resample_counts
from boneage.evaluation.metrics import AGE_BANDS
from boneage.evaluation.residuals import with_residuals
from boneage.radiographs.hand import CROP_METHODS, FULL_FRAME
from boneage.wording import CHILDREN, age_in_short, hand_found_short

LARGE_ERROR = 12.0  # months; bone age is reported to about a year
_THIRDS = ("lowest", "middle", "highest")
_LEAST_CASES = 20  # fewer say little of a rate
_MOST_LEAVES, _LEAST_SHARE = 6, 0.02  # of the tree; a leaf's share of all cases

Cohort = tuple[str, np.ndarray]  # its name in words; (n,) bool, which cases it holds


def find_groups(
    cases: pd.DataFrame, n_resamples: int = N_RESAMPLES, seed: int = SEED
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Where the errors of a predictions table of n >= 1 cases are: three tables of groups of them.

    1. Cohorts of at least 20 cases, the one with the highest rate of large errors first: each value
       of age band, sex, crop method and third of contrast (where the table has a column contrast),
       and each pair of values of two of them. What all cases share makes no cohort, nor does a pair
       that holds the same cases as one of its values. Equal rates stand in order of falling n.
    2. Cohorts that a regression tree of the absolute error finds, the largest MAE first. It splits
       on age, sex, crop method and contrast into at most six cohorts, of at least 20 cases and 2 %
       of all; each case is in one of them. Below 40 cases, or where all are alike, there is none.
    3. Every age band and sex that have cases, in order.

    Columns of 1 and 2: cohort (words, "girls, 0-5 years", or the conditions of the tree, ages from
    (included) to (not included): "boys, 2 y 4 m to 9 y 1 m, hand found by bright region"); n; size,
    the share of all cases; rate, the share of the cohort with an absolute error above 12 months;
    coverage, the share of all such errors that lie in the cohort (nan when there are none); mae
    with its 95 % bootstrap interval mae_low and mae_high, months. Shares are in 0..1.
    Columns of 3: age_band, sex, n, mae, mae_low and mae_high.

    All share their resamples, so that a group that stands in several tables has the same interval
    in each.
    """
    cases = with_residuals(cases)
    crossed, leaves = _crossed(cases), _leaves_of_tree(cases, seed)
    keys = pd.MultiIndex.from_product(
        [pd.Categorical(AGE_BANDS, AGE_BANDS, ordered=True), CHILDREN], names=["age_band", "sex"]
    )
    cells = [
        (band, ((cases["age_band"] == band) & (cases["sex"] == sex)).to_numpy())
        for band, sex in keys
    ]
    table = _cohort_table(cases, [*crossed, *leaves, *cells], n_resamples, seed)
    worst, rest = table[: len(crossed)], table[len(crossed) :]
    tree, by_both = rest[: len(leaves)], rest[len(leaves) :]
    by_both = by_both[["n", "mae", "mae_low", "mae_high"]].set_index(keys).reset_index()
    return (
        _worst_first(worst, "rate", "n"),
        _worst_first(tree, "mae"),
        by_both[by_both["n"] > 0].reset_index(drop=True),
    )


def _crossed(cases: pd.DataFrame) -> list[Cohort]:
    """The values of each factor, and the pairs of values of two."""
    factors = _factors(cases)
    cohorts = [cohort for factor in factors for cohort in factor]
    for first, second in combinations(factors, 2):
        for (one, of_one), (other, of_other) in product(first, second):
            both = of_one & of_other
            # A pair that takes all of one value would only repeat that value's cohort.
            if both.sum() < min(of_one.sum(), of_other.sum()):
                cohorts.append((f"{one}, {other}", both))
    return [(name, inside) for name, inside in cohorts if inside.sum() >= _LEAST_CASES]


def _leaves_of_tree(cases: pd.DataFrame, seed: int) -> list[Cohort]:
    """What a regression tree of the absolute error parts the cases into."""
    features = _features(cases)
    if len(cases) < 2 * _LEAST_CASES or features.empty:
        return []
    tree = DecisionTreeRegressor(
        max_leaf_nodes=_MOST_LEAVES,
        min_samples_leaf=max(_LEAST_CASES, round(_LEAST_SHARE * len(cases))),
        random_state=seed,
    ).fit(features.to_numpy(), cases["absolute_error"])
    leaf_of_case = tree.apply(features.to_numpy())
    return [
        (_leaf_in_words(limits, cases), leaf_of_case == leaf)
        for leaf, limits in _leaves(tree.tree_, list(features))
    ]


def _worst_first(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    return table.sort_values(list(columns), ascending=False, kind="stable", ignore_index=True)


def _cohort_table(
    cases: pd.DataFrame, cohorts: list[Cohort], n_resamples: int, seed: int
) -> pd.DataFrame:
    error = cases["absolute_error"].to_numpy()
    large = error > LARGE_ERROR
    names, inside = zip(*cohorts, strict=True)
    inside = np.column_stack(inside)
    n = inside.sum(axis=0)
    means = _resample_means(error, inside, n_resamples, seed)
    low, high = np.transpose(list(map(percentile_interval, means.T, n)))
    return pd.DataFrame(
        {
            "cohort": names,
            "n": n,
            "size": n / len(cases),
            "rate": _share(inside[large].sum(axis=0), n),
            "coverage": inside[large].sum(axis=0) / large.sum() if large.any() else np.nan,
            "mae": _share(error @ inside, n),
            "mae_low": low,
            "mae_high": high,
        }
    )


def _resample_means(
    error: np.ndarray, inside: np.ndarray, n_resamples: int, seed: int
) -> np.ndarray:
    """Mean error (n,) of each cohort in each resample of all cases: (n_resamples, k).

    `inside` is (n, k) bool. A mean is nan where a resample draws no case of the cohort.
    """
    # Cohorts overlap, so the few sets of cases that lie in the same cohorts are summed first.
    bits = np.packbits(inside, axis=1)
    order = np.lexsort(bits.T)
    starts = np.flatnonzero(np.r_[True, (np.diff(bits[order], axis=0) != 0).any(axis=1)])
    error, cells = error[order], inside[order][starts]
    sums, draws = [], []
    for counts in resample_counts(len(error), n_resamples, seed):
        sums.append(np.add.reduceat(counts * error, starts, axis=1))
        draws.append(np.add.reduceat(counts, starts, axis=1))
    sums, draws = (
        np.einsum("rc,ck->rk", np.concatenate(part), cells.astype(float)) for part in (sums, draws)
    )
    return _share(sums, draws)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, nan where the whole is 0."""
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)


def _factors(cases: pd.DataFrame) -> list[list[Cohort]]:
    """What cohorts are made of: the values of each factor; only of what tells cases apart."""
    sex, band, method = cases["sex"], cases["age_band"], cases["crop_method"]
    factors = [
        [(CHILDREN[value], sex == value) for value in CHILDREN],
        [(value, band == value) for value in AGE_BANDS],
        [(_hand_in_words([value]), method == value) for value in CROP_METHODS],
    ]
    if "contrast" in cases:
        edges = cases["contrast"].quantile([1 / 3, 2 / 3])
        thirds = np.digitize(cases["contrast"], edges, right=True)
        factors.append([(f"{v} third of contrast", thirds == i) for i, v in enumerate(_THIRDS)])
    factors = [[(name, np.asarray(i)) for name, i in factor if i.any()] for factor in factors]
    return [factor for factor in factors if len(factor) > 1]


def _features(cases: pd.DataFrame) -> pd.DataFrame:
    """What the tree splits on, as numbers; only what tells cases apart."""
    features = pd.DataFrame(
        {
            "sex": cases["sex"] == "male",
            # Whole months, so that a leaf's limits in years and months are exact.
            "age_months": np.floor(cases["age_months"]),
            "crop_method": cases["crop_method"].map(
                {method: rank for rank, method in enumerate(CROP_METHODS)}
            ),
        },
        dtype=float,
    )
    if "contrast" in cases:
        features["contrast"] = cases["contrast"]
    return features.loc[:, features.max() > features.min()]


def _leaves(
    tree, names: list[str], node: int = 0, limits: dict | None = None
) -> Iterator[tuple[int, dict[str, tuple[float, float]]]]:
    """Every leaf of a fitted tree: its node, and feature -> (above, up to) for those it limits."""
    limits = limits or {}
    left, right = tree.children_left[node], tree.children_right[node]
    if left == right:  # scikit-learn gives a leaf -1 for both
        yield node, limits
        return
    name, threshold = names[tree.feature[node]], tree.threshold[node]
    above, up_to = limits.get(name, (-np.inf, np.inf))
    yield from _leaves(tree, names, left, limits | {name: (above, threshold)})
    yield from _leaves(tree, names, right, limits | {name: (threshold, up_to)})


def _leaf_in_words(limits: dict[str, tuple[float, float]], cases: pd.DataFrame) -> str:
    words = []
    if "sex" in limits:
        words.append(CHILDREN["male" if limits["sex"][0] > 0 else "female"])
    if "age_months" in limits:
        words.append(_range_in_words(*limits["age_months"], age_in_short))
    if "crop_method" in limits:
        above, up_to = limits["crop_method"]
        ranks = [rank for rank in range(len(CROP_METHODS)) if above < rank <= up_to]
        present = set(cases["crop_method"])
        words.append(_hand_in_words([CROP_METHODS[r] for r in ranks if CROP_METHODS[r] in present]))
    if "contrast" in limits:
        words.append("contrast " + _range_in_words(*limits["contrast"], "{:.3g}".format))
    return ", ".join(words) or "all images"


def _range_in_words(above: float, up_to: float, in_words: Callable[[float], str]) -> str:
    if above == -np.inf:
        return f"under {in_words(up_to)}"
    if up_to == np.inf:
        return f"from {in_words(above)}"
    return f"{in_words(above)} to {in_words(up_to)}"


def _hand_in_words(methods: list[str]) -> str:
    """How the hand was found: "hand found by bright region or not found"."""
    return "hand " + " or ".join(
        hand_found_short(method) if method == FULL_FRAME else f"found by {hand_found_short(method)}"
        for method in methods
    )
