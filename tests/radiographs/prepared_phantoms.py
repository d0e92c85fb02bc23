"""Files of phantoms, and what the preparation makes of them: noticed when it changes.

Run from the repository, `PYTHONPATH=. python tests/radiographs/prepared_phantoms.py` stores the
reference for a raised PREPROCESSING_VERSION in place of the old one.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from boneage.datasets.phantoms import draw_phantom
from boneage.radiographs import preprocessing
from boneage.radiographs.hand import FULL_FRAME, MEDIAPIPE, SEGMENTATION
from boneage.radiographs.preprocessing import PreparedHand, prepare
from boneage.radiographs.reading import read_radiograph
from boneage.robustness.perturbations import turn

FOLDER = Path(__file__).parent
UPDATE = "PYTHONPATH=. python tests/radiographs/prepared_phantoms.py"
SIDE = 64  # pixels of a stored image, averaged down

# How large the mean absolute difference of gray levels (0 to 255) may be. The landmark model
# follows the least noise: one gray level on 1% of the pixels, more than another processor makes,
# changes 0.7 or less, 2.1 where the hand is hard to find. 5% less margin changes 1.0 to 3.8.
STEADY, HARD_TO_FIND = 1.5, 3.0


def _child() -> np.ndarray:
    return draw_phantom(36, "female", seed=1)


def _teenager() -> np.ndarray:
    return draw_phantom(120, "male", seed=2)


def _with_lines(pixels: np.ndarray) -> np.ndarray:
    """Bright lines that hide the hand from two of the three attempts."""
    pixels[::25] = 255
    pixels[:, ::25] = 255
    return pixels


def _twice_as_wide(pixels: np.ndarray) -> np.ndarray:
    return cv2.resize(pixels, None, fx=2, fy=1)


def _fingers(pixels: np.ndarray) -> np.ndarray:
    return pixels[: int(0.4 * len(pixels))]


class Case(NamedTuple):
    """How the hand is to be found, the pixels of the file, and how far images may differ."""

    method: str
    draw: Callable[[], np.ndarray]
    tolerance: float = STEADY


# Every way through the code.
CASES = {
    "upright": Case(MEDIAPIPE, _teenager),
    "turned": Case(MEDIAPIPE, lambda: turn(_child(), 30)),
    "upside down": Case(MEDIAPIPE, lambda: np.rot90(_teenager(), 2)),
    "large": Case(MEDIAPIPE, lambda: draw_phantom(190, "female", seed=3, height=1200)),
    "black bones": Case(MEDIAPIPE, lambda: 255 - _child()),
    "16 bits": Case(MEDIAPIPE, lambda: 9000 + 8 * _teenager().astype(np.uint16)),
    "second attempt": Case(MEDIAPIPE, lambda: _twice_as_wide(_teenager()), HARD_TO_FIND),
    "third attempt": Case(MEDIAPIPE, lambda: _with_lines(_teenager()), HARD_TO_FIND),
    "bright region": Case(SEGMENTATION, lambda: _twice_as_wide(_child())),
    "whole image": Case(FULL_FRAME, lambda: _fingers(_teenager())),
}


def prepared(name: str) -> PreparedHand:
    """A case, read from a file and prepared with default parameters."""
    file = cv2.imencode(".png", CASES[name].draw())[1].tobytes()
    return prepare(read_radiograph(file).pixels)


def small(image: np.ndarray) -> np.ndarray:
    """(S, S) uint8 -> (SIDE, SIDE) uint8."""
    return cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def changes(stored: dict[str, np.ndarray], names: Iterable[str] = CASES) -> list[str]:
    """What is no longer as stored, one text for each case."""
    texts = []
    for name in names:
        case, hand = CASES[name], prepared(name)
        change = np.abs(small(hand.image).astype(float) - stored[name]).mean()
        if hand.hand.method != case.method:
            texts.append(f"{name}: found by {hand.hand.method}, not by {case.method}")
        elif change > case.tolerance:
            texts.append(f"{name}: differs by {change:.1f} gray levels on average")
    return texts


def reference(version: int) -> dict[str, np.ndarray] | None:
    """Name -> (SIDE, SIDE) uint8 as stored for a version of the preparation; None if not stored."""
    sheet = cv2.imread(str(_path(version)), cv2.IMREAD_GRAYSCALE)
    return None if sheet is None else dict(zip(CASES, np.split(sheet, len(CASES), 1), strict=True))


def store() -> None:
    """Replace the reference. Raises ValueError where PREPROCESSING_VERSION was not raised."""
    version = preprocessing.PREPROCESSING_VERSION
    if _path(version).exists():
        raise ValueError(f"Raise PREPROCESSING_VERSION first: it is {version}, as it was before.")
    images = [small(prepared(name).image) for name in CASES]
    for old in FOLDER.glob("prepared_phantoms_*.png"):
        old.unlink()
    cv2.imwrite(str(_path(version)), np.hstack(images))


def _path(version: int) -> Path:
    return FOLDER / f"prepared_phantoms_{version}.png"


if __name__ == "__main__":
    store()
