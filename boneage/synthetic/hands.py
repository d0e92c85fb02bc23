"""Synthetic hands: asked for by sex, bone age and seed. Needs neither Keras nor MediaPipe."""

import functools
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from boneage.artifacts import ArtifactError
from boneage.formatting import CHILDREN
from boneage.synthetic import files
from boneage.synthetic.drawing import draw
from boneage.synthetic.model import HandModel


@dataclass(frozen=True, eq=False)
class SyntheticHand:
    """A radiograph of a hand that is nobody's.

    Attributes:
        sex: "female" or "male".
        bone_age_months: mean bone age of the radiographs whose model it was drawn from.
        n: how many these were.
        seed: of the draw.
        image: (H, W) uint8, a left hand with fingers up, bones bright.
    """

    sex: str
    bone_age_months: float
    n: int
    seed: int
    image: np.ndarray = field(repr=False)


def available(root: str | Path | None = None) -> bool:
    """Whether there are models of synthetic hands.

    Args:
        root: their folder, by default the published one.

    Returns:
        Whether it has a table of groups.
    """
    return (files.synthetic_folder(root) / files.GROUPS).is_file()


def groups(root: str | Path | None = None) -> pd.DataFrame:
    """The groups of radiographs that have a model, by sex and age.

    Args:
        root: folder of the models, by default the published one.

    Returns:
        Columns `boneage.synthetic.files.COLUMNS`.

    Raises:
        ArtifactError: the models are missing or damaged.

    Example:
        >>> sorted(groups()["sex"].unique())
        ['female', 'male']
    """
    return files.read_groups(files.synthetic_folder(root))


def synthetic_hand(
    sex: str, age_months: float, seed: int, root: str | Path | None = None
) -> SyntheticHand:
    """Draw a radiograph of a hand that is nobody's.

    Args:
        sex: "female" or "male".
        age_months: bone age; the group with the closest mean is drawn from.
        seed: the same seed draws the same hand.
        root: folder of the models, by default the published one.

    Returns:
        The hand, with the bone age of its group.

    Raises:
        ArtifactError: the models are missing or damaged, or none is of this sex.

    Example:
        >>> hand = synthetic_hand("female", 120, seed=7)
        >>> hand.image.dtype, abs(hand.bone_age_months - 120) < 6
        (dtype('uint8'), True)
    """
    folder = files.synthetic_folder(root)
    rows = groups(root)
    rows = rows[rows["sex"] == sex]
    if rows.empty:
        raise ArtifactError(f"There are no models of synthetic hands of {CHILDREN[sex]}.")
    group = rows.loc[(rows["mean_age_months"] - age_months).abs().idxmin()]
    model = _model(folder / group["file"], group["build"])
    return SyntheticHand(
        sex, float(group["mean_age_months"]), int(group["n"]), seed, draw(model, seed)
    )


@functools.lru_cache(maxsize=4)
def _model(path: Path, build: str) -> HandModel:
    return files.read_model(path)
