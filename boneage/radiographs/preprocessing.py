"""One preparation for training, evaluation and prediction: crop, contrast, fit."""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from boneage.radiographs.both_hands import FilmPart
from boneage.radiographs.hand import Hand, find_hand, upright_axes
from boneage.radiographs.manual_frame import ManualFrame
from boneage.sexes import SEXES

# Raise it by one whenever other code makes another prepared image of the same file with the same
# `Preprocessing`: reading, inversion, finding the hand, cropping, contrast. What was measured on
# the old images (tables with model_sha256, the quality check) then no longer counts as measured on
# the models there are. tests/radiographs/test_preparation_version.py notices such changes.
PREPROCESSING_VERSION = 1


@dataclass(frozen=True)
class Preprocessing:
    """Parameters of the preparation; stored with every model and read back with it.

    Attributes:
        size: side of the square result in pixels.
        margin: see `find_hand`.
        wrist_margin: see `find_hand`.
        second_attempt: see `find_hand`.
        window_percentile: this share of the crop's darkest and brightest pixels may saturate, so
            that a bright marker or frame elsewhere on the film costs the hand no contrast.
        clahe_clip_limit: contrast limit of CLAHE (Zuiderveld 1994) in OpenCV's units; 0 leaves it
            out.
        clahe_tiles: CLAHE divides the hand into this many tiles each way.
    """

    size: int = 256
    margin: float = 0.08
    wrist_margin: float = 0.3
    second_attempt: bool = True
    window_percentile: float = 0.5
    clahe_clip_limit: float = 2.0
    clahe_tiles: int = 8


@dataclass(frozen=True, eq=False)
class PreparedHand:
    """A hand ready for a model.

    Attributes:
        image: (size, size) uint8, the upright hand on black.
        hand: where it was found.
        contrast: standard deviation of the hand's gray levels (0 to 255) before equalization.
        to_radiograph: (2, 3) float64 affine, image (x, y, 1) -> radiograph (x, y); pixel centers
            lie at whole numbers in both.
    """

    image: np.ndarray
    hand: Hand
    contrast: float
    to_radiograph: np.ndarray

    @property
    def landmarks(self) -> np.ndarray | None:
        """(21, 2) float64 landmarks on `image`; None where the hand was found without."""
        if self.hand.landmarks is None:
            return None
        to_image = cv2.invertAffineTransform(self.to_radiograph)
        return self.hand.landmarks @ to_image[:, :2].T + to_image[:, 2]


def prepare(
    pixels: np.ndarray,
    parameters: Preprocessing | None = None,
    hand: Hand | None = None,
    part: FilmPart | None = None,
    frame: ManualFrame | None = None,
) -> PreparedHand:
    """Find the hand of a radiograph, rotate it upright, crop it and equalize its contrast.

    Contrast limited adaptive histogram equalization (K. Zuiderveld, Graphics Gems IV, 1994, section
    VIII.5) follows the resizing, so that its tiles mean the same at every resolution.

    Args:
        pixels: (H, W) uint8, bones bright (`Radiograph.pixels`).
        parameters: of the preparation; those of `Preprocessing()` by default.
        hand: where it is, if it was found before; the parameters of the search then do not matter.
        part: of a film of two hands, where to look for the hand; the rest should be 0
            (`FilmPart.alone`).
        frame: where a person says that the hand is, instead of searching for it.

    Returns:
        The prepared hand, an image (S, S) uint8 of `parameters.size` pixels, and how it maps to the
        radiograph.

    Raises:
        HandModelError: MediaPipe or its landmark model does not load.
        ManualFrameError: the frame does not lie on the radiograph.

    Example:
        >>> from boneage.datasets.phantoms import draw_phantom
        >>> hand = prepare(draw_phantom(120, "female"), Preprocessing(size=128))
        >>> hand.image.shape, hand.image.dtype, hand.to_radiograph.shape
        ((128, 128), dtype('uint8'), (2, 3))
    """
    parameters = parameters or Preprocessing()
    if frame:
        hand = frame.hand(pixels, parameters.second_attempt)
    hand = hand or _find_hand(pixels, parameters, part)
    scale = parameters.size / max(hand.size)
    to_radiograph = _crop_to_radiograph(hand, parameters.size, scale)
    image = _sample(pixels, to_radiograph, scale, parameters.size)
    # The box may be narrower than it is tall: what lies beside it stays black, and CLAHE must not
    # see it. CLAHE follows the resizing so that its tiles mean the same at every film resolution.
    width, height = (max(1, round(side * scale)) for side in hand.size)
    left, top = (parameters.size - width) // 2, (parameters.size - height) // 2
    inside = np.s_[top : top + height, left : left + width]
    fitted = np.zeros_like(image)
    fitted[inside] = _equalize(image[inside], parameters)
    return PreparedHand(fitted, hand, _contrast(image[inside]), to_radiograph)


def to_model_input(images: np.ndarray, size: int | None = None) -> np.ndarray:
    """Prepared images as a model takes them.

    Args:
        images: (N, S, S) uint8.
        size: side in pixels that the model takes; smaller than S, images are averaged down. None
            for S.

    Returns:
        (N, size, size, 1) float32 in [0, 1].
    """
    if size and size != images.shape[1]:
        images = np.stack(
            [cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA) for image in images]
        )
    return images[..., np.newaxis].astype(np.float32) / 255


def sex_to_model_input(sexes: Iterable[str]) -> np.ndarray:
    """Sexes as a model takes them.

    Args:
        sexes: N times "female" or "male".

    Returns:
        (N, 1) float32, 0 for female and 1 for male.

    Raises:
        ValueError: any other sex.
    """
    sexes = list(sexes)
    if unknown := set(sexes) - set(SEXES):
        raise ValueError(f"The sex must be female or male, not {unknown.pop()!r}.")
    return np.array([[SEXES.index(sex)] for sex in sexes], np.float32)


def _find_hand(pixels: np.ndarray, parameters: Preprocessing, part: FilmPart | None) -> Hand:
    looked_at = part.crop(pixels) if part else pixels
    hand = find_hand(
        looked_at, parameters.margin, parameters.wrist_margin, parameters.second_attempt
    )
    return hand.moved(*part.region[:2]) if part else hand


def _crop_to_radiograph(hand: Hand, size: int, scale: float) -> np.ndarray:
    linear = upright_axes(hand.angle).T / scale
    middle = np.full(2, (size - 1) / 2)
    return np.column_stack([linear, np.array(hand.center) - linear @ middle])


def _sample(pixels: np.ndarray, to_radiograph: np.ndarray, scale: float, size: int) -> np.ndarray:
    if scale < 1:  # average while shrinking; warpAffine alone would skip pixels
        shrunk = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        ratio = np.array(shrunk.shape[::-1]) / np.array(pixels.shape[::-1])
        to_radiograph = to_radiograph * ratio[:, np.newaxis]
        to_radiograph[:, 2] += (ratio - 1) / 2
        pixels = shrunk
    return cv2.warpAffine(
        pixels, to_radiograph, (size, size), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    )


def _exposed(image: np.ndarray) -> np.ndarray:
    return image[image > 0]  # what lies beyond the film is 0 and says nothing about exposure


def _contrast(image: np.ndarray) -> float:
    exposed = _exposed(image)
    return float(exposed.std()) if exposed.size else 0.0


def _equalize(image: np.ndarray, parameters: Preprocessing) -> np.ndarray:
    exposed = _exposed(image)
    if exposed.size:
        tails = (parameters.window_percentile, 100 - parameters.window_percentile)
        low, high = np.percentile(exposed, tails)
        window = np.clip((np.arange(256) - low) / max(high - low, 1), 0, 1) * 255
        image = cv2.LUT(image, window.round().astype(np.uint8))
    if not parameters.clahe_clip_limit:
        return image
    tiles = (parameters.clahe_tiles, parameters.clahe_tiles)
    return cv2.createCLAHE(parameters.clahe_clip_limit, tiles).apply(image)
