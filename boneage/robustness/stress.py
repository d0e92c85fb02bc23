"""One radiograph, changed by degrees, and what is predicted of it then.

The changed radiograph is written to a file and goes the way of any upload, as in `measurement`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from boneage.inference.predictor import Prediction, Predictor
from boneage.radiographs.manual_frame import ManualFrame
from boneage.radiographs.reading import read_radiograph
from boneage.robustness.perturbations import (
    Perturbation,
    add_noise,
    blur,
    contrast,
    cut,
    gamma,
    to_width,
    turn,
)

JPEG = "jpeg"
_MAX_SIDE = 2048  # pixels; a larger film is averaged down first, or a change would take too long


@dataclass(frozen=True)
class Change:
    """A change of which there can be more or less.

    Attributes:
        title: the name people read.
        about: what its values are, a sentence.
        positions: values that can be chosen, ascending.
        unchanged: the one of them that changes nothing.
        in_words: a value -> the words for it.
        apply: (H, W) uint8 and a value -> (H', W') uint8; None for JPEG, a change of the file.
        moves: whether the hand then lies elsewhere on the image.
    """

    title: str
    about: str
    positions: tuple[float, ...]
    unchanged: float
    in_words: Callable[[float], str]
    apply: Callable[[np.ndarray, float], np.ndarray] | None
    moves: bool = False


def _percent(value: float) -> str:
    return f"{value:g}%"


# In the order in which they are made.
CHANGES: dict[str, Change] = {
    "rotation": Change(
        "Rotation",
        "Degrees, + counter-clockwise. Corners are lost.",
        (-45, -30, -20, -10, 0, 10, 20, 30, 45),
        0,
        lambda degrees: f"{degrees:+g}°".replace("-", "−") if degrees else "0°",
        turn,
        moves=True,
    ),
    "crop": Change(
        "Crop",
        "Share of width and height that is cut off at each edge.",
        (0, 2.5, 5, 7.5, 10, 12.5, 15, 20),
        0,
        _percent,
        lambda pixels, percent: cut(pixels, percent / 100),
        moves=True,
    ),
    "scale": Change(
        "Scale",
        "Pixels along each side, in % of those of the radiograph.",
        (8, 12, 18, 25, 35, 50, 70, 100),
        100,
        _percent,
        lambda pixels, percent: to_width(pixels, max(1, round(pixels.shape[1] * percent / 100))),
        moves=True,
    ),
    "gamma": Change(
        "Gamma",
        "Gray levels raised to a power: above 1 darker, below 1 brighter.",
        (0.4, 0.5, 0.6, 0.8, 1, 1.25, 1.6, 2, 2.5),
        1,
        lambda exponent: f"{exponent:g}",
        gamma,
    ),
    "contrast": Change(
        "Contrast",
        "Differences from the mean gray level times a factor.",
        (0.1, 0.2, 0.4, 0.7, 1, 1.4, 2, 3),
        1,
        lambda factor: f"× {factor:g}",
        contrast,
    ),
    "blur": Change(
        "Blur",
        "SD of the Gaussian, in % of the width.",
        (0, 0.1, 0.2, 0.3, 0.45, 0.7, 1, 1.5),
        0,
        _percent,
        lambda pixels, percent: blur(pixels, percent / 100),
    ),
    "noise": Change(
        "Noise",
        "SD of the Gaussian noise in each pixel, in gray levels of 256.",
        (0, 5, 10, 20, 30, 45, 60, 90),
        0,
        lambda sd: f"{sd:g}",
        add_noise,
    ),
    JPEG: Change(
        "JPEG quality",
        "Of the file that is predicted, by the scale of libjpeg.",
        (3, 5, 10, 20, 30, 50, 75, 100),
        100,
        lambda quality: f"{quality:g}" if quality < 100 else "not compressed",
        None,
    ),
}
UNCHANGED = {name: change.unchanged for name, change in CHANGES.items()}


@dataclass(frozen=True, eq=False)
class Stressed:
    """What became of a radiograph that was changed.

    Attributes:
        prediction: of it, with the answer of the quality check.
        pixels: (H, W) uint8, the changed radiograph as it was read.
    """

    prediction: Prediction
    pixels: np.ndarray


def within_size(pixels: np.ndarray) -> np.ndarray:
    """A film (H, W), averaged down where its longer side has more than 2,048 pixels."""
    longer = max(pixels.shape)
    if longer <= _MAX_SIDE:
        return pixels
    return to_width(pixels, max(1, round(pixels.shape[1] * _MAX_SIDE / longer)))


def changed_file(pixels: np.ndarray, degrees: Mapping[str, float]) -> bytes:
    """The file of a changed radiograph: JPEG where its quality is below 100, else PNG.

    Args:
        pixels: (H, W) uint8, bones bright.
        degrees: name of a change -> its value; those left out change nothing.

    Returns:
        The content of the file.
    """
    degrees = UNCHANGED | dict(degrees)
    for name, change in CHANGES.items():
        if change.apply and degrees[name] != change.unchanged:
            pixels = change.apply(pixels, degrees[name])
    quality = None if degrees[JPEG] == UNCHANGED[JPEG] else int(degrees[JPEG])
    return Perturbation("", jpeg_quality=quality).file(pixels)


def predict_stressed(
    predictor: Predictor,
    pixels: np.ndarray,
    sex: str,
    degrees: Mapping[str, float],
    frame: ManualFrame | None = None,
) -> Stressed:
    """Change a radiograph and predict it, as if it had been uploaded so.

    Args:
        predictor: of the models.
        pixels: (H, W) uint8, bones bright.
        sex: "female" or "male".
        degrees: see `changed_file`; with a frame, none that moves the hand.
        frame: where a person says that the hand is.

    Returns:
        The prediction, after the quality check.

    Raises:
        UnreadableRadiograph: too little is left of the image.
    """
    radiograph = read_radiograph(changed_file(pixels, degrees))
    (prediction,) = predictor.predict_all([predictor.open(radiograph, frame)], [sex])
    return Stressed(prediction, radiograph.pixels)
