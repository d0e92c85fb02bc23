"""The folder of an atlas: the only reader and writer of its files.

`artifacts/atlas/` holds
    standards.csv                one row a standard, see `COLUMNS`
    landmarks.csv             columns sex, months, landmark (0 to 20), x, y; pixels of the standard
    female-060.webp           a standard: gray, 8 bits, 512 x 640; sex and nominal age in months
    female-060-spread.webp    interquartile range between its hands at each pixel, half the size
    README.md                 what it was computed from, and under which terms
"""

import io
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from boneage import artifacts
from boneage.atomic import replace_file

STANDARDS, LANDMARKS, README = "standards.csv", "landmarks.csv", "README.md"

# sex, months: nominal; the radiographs' bone ages lie in [months - 3, months + 3).
# n: radiographs averaged; dropped: those left out for being unlike the rest.
# mean_age_months, sd_age_months: of the n. correlation, sharpness, sharpness_before: see
# `boneage.atlas.registration.Average`. image, spread: file names. build: digest of all the standard
# depends on.
COLUMNS = (
    "sex",
    "months",
    "n",
    "dropped",
    "mean_age_months",
    "sd_age_months",
    "correlation",
    "sharpness",
    "sharpness_before",
    "image",
    "spread",
    "build",
)
_TEXTS = ("sex", "image", "spread", "build", "id", "model", "model_sha256", "atlas")
LINK = (
    "https://www.rsna.org/education/ai-resources-and-training/ai-image-challenge/"
    "RSNA-Pediatric-Bone-Age-Challenge-2017"
)
_LANDMARK_COLUMNS = ("sex", "months", "landmark", "x", "y")
_BUILD = "build the atlas again (python -m boneage atlas --help)"
_QUALITY = 94  # of WebP; a standard is smooth and shows no loss at it
_SPREAD_QUALITY = 80


def atlas_folder(root: str | Path | None = None) -> Path:
    """`root`, or the published atlas."""
    return Path(root) if root is not None else artifacts.artifacts_root() / "atlas"


def read_standards(folder: Path) -> pd.DataFrame:
    """Read standards.csv.

    Args:
        folder: of the atlas.

    Returns:
        Columns `COLUMNS`, by sex and age.

    Raises:
        ArtifactError: the file is missing or damaged.
    """
    table = read_table(folder / STANDARDS, COLUMNS)
    return table.sort_values(["sex", "months"], ignore_index=True)


def read_landmarks(folder: Path) -> dict[tuple[str, int], np.ndarray]:
    """Read landmarks.csv.

    Args:
        folder: of the atlas.

    Returns:
        (sex, months) -> (21, 2) float32, pixels of the standard.

    Raises:
        ArtifactError: the file is missing or damaged.
    """
    table = read_table(folder / LANDMARKS, _LANDMARK_COLUMNS)
    table = table.sort_values("landmark")
    return {
        (sex, int(months)): points[["x", "y"]].to_numpy(np.float32)
        for (sex, months), points in table.groupby(["sex", "months"])
    }


def read_image(path: Path) -> np.ndarray:
    """Read the image of a standard.

    Args:
        path: of the file.

    Returns:
        (H, W) uint8.

    Raises:
        ArtifactError: the file is missing or damaged.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("L"))
    except OSError as error:
        raise artifacts.unusable(path, "is missing or damaged", _BUILD) from error


def image_names(sex: str, months: int) -> tuple[str, str]:
    """File names of a standard and of its spread."""
    return f"{sex}-{months:03d}.webp", f"{sex}-{months:03d}-spread.webp"


def write_images(
    folder: Path, sex: str, months: int, image: np.ndarray, spread: np.ndarray
) -> None:
    """Write a standard and its spread, (H, W) uint8 each; the spread at half the size."""
    half = cv2.resize(spread, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    names = image_names(sex, months)
    for name, pixels, quality in zip(
        names, (image, half), (_QUALITY, _SPREAD_QUALITY), strict=True
    ):
        content = io.BytesIO()
        Image.fromarray(pixels).save(content, "WEBP", quality=quality, method=6)
        replace_file(folder / name, content.getvalue())


def write_tables(
    folder: Path, standards: pd.DataFrame, landmarks: dict[tuple[str, int], np.ndarray]
) -> None:
    """Write landmarks.csv and then standards.csv, which alone says what is there."""
    rows = [
        (sex, months, number, x, y)
        for (sex, months), points in sorted(landmarks.items())
        for number, (x, y) in enumerate(points)
    ]
    artifacts.write_table(folder / LANDMARKS, pd.DataFrame(rows, columns=_LANDMARK_COLUMNS))
    # Rows added one by one make columns of objects, which would be written to the last digit.
    standards = standards[list(COLUMNS)].infer_objects().sort_values(["sex", "months"])
    artifacts.write_table(folder / STANDARDS, standards)


def write_readme(folder: Path, text: str) -> None:
    """Write README.md."""
    replace_file(folder / README, text.encode())


def remove_other_images(folder: Path, standards: pd.DataFrame) -> None:
    """Delete images that no row of `standards` names."""
    named = {*standards["image"], *standards["spread"]}
    for path in folder.glob("*.webp"):
        if path.name not in named:
            path.unlink()


def read_table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read a table of the atlas.

    Args:
        path: of the file.
        columns: that it must have.

    Returns:
        The table, of at least one row.

    Raises:
        ArtifactError: the file is missing or damaged.
    """
    table = artifacts.read_table(path, columns, _BUILD, dtype=dict.fromkeys(_TEXTS, str))
    if table.isna().any(axis=None):
        raise artifacts.unusable(path, "lacks values", _BUILD)
    return table
