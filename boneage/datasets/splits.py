"""Stratified, seeded split of a training set into training and validation."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from boneage.errors import BoneAgeError

if TYPE_CHECKING:
    import pandas as pd

TRAIN, VALIDATION, TEST = "train", "validation", "test"


def split_train_validation(
    labels: pd.DataFrame, n_validation: int = 1425, seed: int = 2017
) -> pd.Series:
    """Choose validation cases, stratified by sex and year of age.

    Each stratum gives its proportional share, rounded by the largest remainder method; a stratum of
    one case is allowed. The choice depends on the set of cases and the seed only, not on the order
    of rows.

    Args:
        labels: columns `id` (unique), `sex` and `reference_months`.
        n_validation: exactly so many are chosen.
        seed: of the choice.

    Returns:
        Series of "train" or "validation", indexed like `labels`.

    Raises:
        BoneAgeError: not 0 <= n_validation < number of cases.
    """
    import pandas as pd

    if not 0 <= n_validation < len(labels):
        raise BoneAgeError(
            f"{n_validation} validation cases cannot be taken from {len(labels)} cases and leave "
            "some for training."
        )
    strata = pd.DataFrame(
        {
            "sex": labels["sex"].to_numpy(),
            "year": (labels["reference_months"] // 12).to_numpy(),
            "ticket": [_ticket(seed, id_) for id_ in labels["id"]],
        }
    )
    groups = strata.groupby(["sex", "year"], sort=True)
    sizes = groups.size()
    quotas = dict(zip(sizes.index, _largest_remainder(sizes.to_numpy(), n_validation), strict=True))

    split = np.full(len(labels), TRAIN, dtype=object)
    for key, group in groups:
        drawn = group["ticket"].sort_values().index[: quotas[key]]
        split[drawn] = VALIDATION
    return pd.Series(split, index=labels.index, name="split", dtype="str")


def _ticket(seed: int, id_: str) -> str:
    """A lot drawn for a case: unlike a random generator's stream, a hash never changes with the
    library's version, and a case keeps its lot when other cases come or go."""
    return hashlib.sha256(f"{seed}:{id_}".encode()).hexdigest()


def _largest_remainder(sizes: np.ndarray, n: int) -> np.ndarray:
    """Share out n in proportion to sizes, as integers that sum to n (Hamilton's method)."""
    shares, remainders = np.divmod(sizes * n, sizes.sum())
    largest_first = np.argsort(-remainders, kind="stable")
    shares[largest_first[: n - shares.sum()]] += 1
    return shares
