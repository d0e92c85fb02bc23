"""Subgroups that a regression tree of the absolute error finds, and whether they hold elsewhere."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from boneage.datasets.blocks import BLOCKS
from boneage.error_analysis.held_out import halves, share
from boneage.evaluation.intervals import percentile_interval, resample_means
from boneage.formatting import CHILDREN, age_in_short
from boneage.radiographs.hand import CROP_METHODS, FULL_FRAME
from boneage.radiographs.text import hand_found_short

if TYPE_CHECKING:
    from sklearn.tree import DecisionTreeRegressor

MIN_SUBGROUP = 20  # fewer say little of an error
# Smaller leaves fit chance: of 1,425 simulated cases of equal error, the worst leaf of 2% was
# 2.2 months worse in sample than it is, that of 5% 1.3.
_MAX_LEAVES, _MIN_SHARE = 6, 0.05
# Factors whose values are words, in the order in which a tree may cut them.
_CATEGORIES = {"crop_method": CROP_METHODS, "block": tuple(BLOCKS)}

Cohort = tuple[str, np.ndarray]  # its name in words; (n,) bool, which cases it holds


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
    cases: pd.DataFrame, features: pd.DataFrame, n_resamples: int, seed: int
) -> ErrorTree | None:
    """A tree of at most six leaves, each of at least 20 cases and 5% of all.

    Args:
        cases: of `with_residuals`.
        features: of `tree_features`.
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
    return ErrorTree(
        [
            (_in_words(limits, cases), cohort)
            for (_, limits), cohort in zip(named, inside.T, strict=True)
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


def hand_in_words(methods: Sequence[str]) -> str:
    """How the hand was found: "hand found by bright region or not found"."""
    return "hand " + " or ".join(
        hand_found_short(method) if method == FULL_FRAME else f"found by {hand_found_short(method)}"
        for method in methods
    )


def block_in_words(blocks: Sequence[str]) -> str:
    """Acquisition blocks of `datasets.blocks`: "inferred block ids 1377-4359"."""
    return "inferred block " + " or ".join(blocks)


_CATEGORIES_IN_WORDS = {"crop_method": hand_in_words, "block": block_in_words}


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


def _in_words(limits: Mapping[str, tuple[float, float]], cases: pd.DataFrame) -> str:
    words = []
    if "sex" in limits:
        words.append(CHILDREN["male" if limits["sex"][0] > 0 else "female"])
    if "age" in limits:
        words.append(_range_in_words(*limits["age"], age_in_short))
    for name, values in _CATEGORIES.items():
        if name in limits:
            above, up_to = limits[name]
            present = set(cases[name])
            chosen = [v for rank, v in enumerate(values) if above < rank <= up_to and v in present]
            words.append(_CATEGORIES_IN_WORDS[name](chosen))
    if "contrast" in limits:
        words.append("contrast " + _range_in_words(*limits["contrast"], "{:.3g}".format))
    return ", ".join(words) or "all images"


def _range_in_words(above: float, up_to: float, in_words: Callable[[float], str]) -> str:
    if above == -np.inf:
        return f"under {in_words(up_to)}"
    if up_to == np.inf:
        return f"from {in_words(above)}"
    return f"{in_words(above)} to {in_words(up_to)}"
