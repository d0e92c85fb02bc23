"""The folder of the models of synthetic hands: the only reader and writer of its files.

`artifacts/synthetic/` holds
    groups.csv        one row a group, see `COLUMNS`
    female-072.npz    the model of a group, in whole numbers, see `_STEPS`; sex and nominal age in
                      months
    predictions.csv   see `boneage.synthetic.evaluation`
    privacy.csv       see `boneage.synthetic.privacy`
    README.md         what it was computed from, and under which terms
"""

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from boneage import artifacts
from boneage.atomic import replace_file
from boneage.synthetic.model import HandModel

GROUPS, README = "groups.csv", "README.md"
# sex, months: nominal. n: hands; dropped: those left out for being unlike the rest.
# mean_age_months, sd_age_months: of the bone ages of the n. file: of the model. build: digest of
# all the group depends on.
COLUMNS = (
    "sex", "months", "n", "dropped", "mean_age_months", "sd_age_months", "file", "build",
)  # fmt: skip
BUILD = "build it again (python -m boneage synthetic --help)"
# What one counts for in the stored parts, gray levels or pixels: less than can be seen.
_STEPS = {"mean": 1.0, "shape": 1 / 8, "tone": 1.0, "mixtures": 4.0}


def synthetic_folder(root: str | Path | None = None) -> Path:
    """`root`, or the published folder."""
    return Path(root) if root is not None else artifacts.artifacts_root() / "synthetic"


def file_name(sex: str, months: int) -> str:
    """File name of the model of a group."""
    return f"{sex}-{months:03d}.npz"


def read_groups(folder: Path) -> pd.DataFrame:
    """Read groups.csv.

    Args:
        folder: of the models.

    Returns:
        Columns `COLUMNS`, by sex and age.

    Raises:
        ArtifactError: the file is missing or damaged.
    """
    texts = dict.fromkeys(("sex", "file", "build"), str)
    table = artifacts.read_table(folder / GROUPS, COLUMNS, BUILD, dtype=texts)
    if table.empty or table.isna().any(axis=None):
        raise artifacts.unusable(folder / GROUPS, "lacks values", BUILD)
    return table.sort_values(["sex", "months"], ignore_index=True)


def write_groups(folder: Path, groups: pd.DataFrame) -> None:
    """Write groups.csv, which alone says what is there."""
    groups = groups[list(COLUMNS)].infer_objects().sort_values(["sex", "months"])
    artifacts.write_table(folder / GROUPS, groups)


def read_model(path: Path) -> HandModel:
    """Read the model of a group.

    Args:
        path: of the file.

    Returns:
        The model.

    Raises:
        ArtifactError: the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            parts = {
                name: stored[name].astype(np.float32) * np.float32(step)
                for name, step in _STEPS.items()
            }
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise artifacts.unusable(path, "is missing or damaged", BUILD) from error
    return HandModel(**parts)


def write_model(path: Path, model: HandModel) -> None:
    """Write the model of a group."""
    content = io.BytesIO()
    parts = {name: _whole_numbers(getattr(model, name) / step) for name, step in _STEPS.items()}
    np.savez_compressed(content, allow_pickle=False, **parts)
    replace_file(path, content.getvalue())


def _whole_numbers(values: np.ndarray) -> np.ndarray:
    numbers = np.rint(values)
    if numbers.min() >= 0 and numbers.max() <= np.iinfo(np.uint8).max:
        return numbers.astype(np.uint8)
    kind = np.int8 if np.abs(numbers).max() <= np.iinfo(np.int8).max else np.int16
    return numbers.astype(kind)
