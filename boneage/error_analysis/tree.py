"""Subgroups that a regression tree of the absolute error finds, and whether they hold elsewhere."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from boneage.datasets.blocks import BLOCKS
from boneage.error_analysis.conditions import Condition, Subgroup, age_factor, in_words
from boneage.error_analysis.held_out import halves, share
from boneage.evaluation.intervals import percentile_interval, resample_means
from boneage.radiographs.hand import CROP_METHODS

if TYPE_CHECKING:
    from sklearn.tree import DecisionTreeRegressor

MIN_SUBGROUP = 20  # fewer say little of an error
# Smaller leaves fit chance: of 1,425 simulated cases of equal error, the worst leaf of 2% was
# 2.2 months worse in sample than it is, that of 5% 1.3.
_MAX_LEAVES, _MIN_SHARE = 6, 0.05
# Factors whose values are words, in the order in which a tree may cut them.
_CATEGORIES = {"crop_method": CROP_METHODS, "block": tuple(BLOCKS)}


class Cohort(NamedTuple):
    """A subgroup of n cases: its name in words, bool (n,), and its conditions."""

    name: str
    inside: np.ndarray
    subgroup: Subgroup


@dataclass(frozen=True, eq=False)
class ErrorTree:
    """A tree grown on all cases, and what trees grown on halves of them say of the other halves.

    Attributes:
        leaves: name in words and cases of each leaf; every case is in one.
        weights: (n, leaves), of the held-out estimate of each leaf: the mean over the trees that
            did not see a case of the share of its leaf that lies in the leaf of the whole tree.
        r2: of the absolute errors of held-out cases as those trees predict them; nan where the
            errors do not vary.
        r2_interval: its 95% bootstrap CI.
    """

    leaves: list[Cohort]
    weights: np.ndarray
    r2: float
    r2_interval: tuple[float, float]


def grow_tree(
    cases: pd.DataFrame, features: pd.DataFrame, by: str, n_resamples: int, seed: int
) -> ErrorTree | None:
    """A tree of at most six leaves, each of at least 20 cases and 5% of all.

    Args:
        cases: of `with_residuals`.
        features: of `tree_features`.
        by: column of the age.
        n_resamples: number of bootstrap resamples.
        seed: of resamples and halves.

    Returns:
        The tree; None below 40 cases, or where nothing tells cases apart.
    """
    n = len(cases)
    if n < 2 * MIN_SUBGROUP or features.empty:
        return None
    x, error = features.to_numpy(np.float32), cases["absolute_error"].to_numpy()
    least = max(MIN_SUBGROUP, round(_MIN_SHARE * n))
    whole = _fit(x, error, least, seed)
    leaf = whole.tree_.apply(x)
    named = list(_leaves(whole.tree_, list(features)))
    inside = np.column_stack([leaf == node for node, _ in named])
    weights, squares = np.zeros(inside.shape), np.zeros((n, 2))
    for held_out in halves(n, seed):
        x_grown, error_grown = x[~held_out], error[~held_out]
        tree = _fit(x_grown, error_grown, least // 2, seed).tree_
        leaf = tree.apply(x)
        size = np.bincount(leaf)
        common = np.column_stack([np.bincount(leaf[c], minlength=len(size)) for c in inside.T])
        leaf, tested = leaf[held_out], error[held_out]
        weights[held_out] += share(common, size[:, None])[leaf]
        squares[held_out, 0] += (tested - tree.value.ravel()[leaf]) ** 2
        squares[held_out, 1] += (tested - error_grown.mean()) ** 2
    leaves = [_subgroup(limits, cases, by) for _, limits in named]
    return ErrorTree(
        [
            Cohort(in_words(leaf, by) or "all images", cohort, leaf)
            for leaf, cohort in zip(leaves, inside.T, strict=True)
        ],
        weights,
        float(_r2(squares.mean(axis=0))),
        percentile_interval(_r2(resample_means(squares, n_resamples, seed).T), n),
    )


def tree_features(cases: pd.DataFrame, by: str) -> pd.DataFrame:
    """What the tree splits on, as numbers; only what tells cases apart.

    Args:
        cases: of `with_residuals`.
        by: column of the age.

    Returns:
        Columns out of sex, age, crop_method, contrast and block.
    """
    features = {
        "sex": cases["sex"] == "male",
        # Whole months, so that a leaf's limits in years and months are exact.
        "age": np.floor(cases[by]),
    }
    for name, values in _CATEGORIES.items():
        if name in cases:
            ranks = pd.Index(values).get_indexer(cases[name].astype(object))
            features[name] = np.where(ranks < 0, np.nan, ranks)
    if "contrast" in cases:
        features["contrast"] = cases["contrast"]
    features = pd.DataFrame(features, index=cases.index, dtype=float)
    return features.loc[:, features.notna().all() & (features.max() > features.min())]


def _fit(x: np.ndarray, error: np.ndarray, least: int, seed: int) -> "DecisionTreeRegressor":
    # Takes as long to import as all charts to be drawn, and is needed below them only.
    from sklearn.tree import DecisionTreeRegressor

    return DecisionTreeRegressor(
        max_leaf_nodes=_MAX_LEAVES, min_samples_leaf=least, random_state=seed
    ).fit(x, error)


def _r2(mean_squares: np.ndarray) -> np.ndarray:
    """Of mean squared errors (2, ...), of the tree and of the mean."""
    return 1 - share(mean_squares[0], mean_squares[1])


def _leaves(
    tree: Any,
    names: list[str],
    node: int = 0,
    limits: dict[str, tuple[float, float]] | None = None,
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


def _subgroup(limits: Mapping[str, tuple[float, float]], cases: pd.DataFrame, by: str) -> Subgroup:
    """The conditions of a leaf."""
    conditions = []
    if "sex" in limits:
        conditions.append(Condition("sex", ("male" if limits["sex"][0] > 0 else "female",)))
    if "age" in limits:
        # The cut lies between two whole months; -inf and inf stay.
        ages = [limit if np.isinf(limit) else np.floor(limit + 0.5) for limit in limits["age"]]
        conditions.append(Condition(age_factor(by), (), *map(float, ages)))
    for name, values in _CATEGORIES.items():
        if name in limits:
            above, up_to = limits[name]
            present = set(cases[name])
            chosen = [v for rank, v in enumerate(values) if above < rank <= up_to and v in present]
            conditions.append(Condition(name, tuple(chosen)))
    if "contrast" in limits:
        conditions.append(Condition("contrast", (), *map(float, limits["contrast"])))
    return tuple(conditions)
