"""Radiographs as people see them: reduced for the screen, with contrast, with a map on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from boneage.explain.overlay import colorize, to_radiograph
from boneage.figures import palette
from boneage.radiographs.hand import Hand

LONGER_SIDE = 900  # pixels of the longer side on the screen
_ALMOST_WHITE, _DISPLAYED = 250, (1, 99.5)  # see `display_window`
_MIN_SPAN = 16  # gray levels; fewer are noise on an empty film


@dataclass(frozen=True, eq=False)
class ShownRadiograph:
    """A radiograph reduced for the screen.

    Attributes:
        pixels: (h, w) uint8, longer side at most LONGER_SIDE.
        from_radiograph: (2, 3) float64 affine, radiograph (x, y, 1) -> pixel (x, y) here; pixel
            centers lie at whole numbers in both.
    """

    pixels: np.ndarray
    from_radiograph: np.ndarray

    def to_shown(self, crop_to_radiograph: np.ndarray) -> np.ndarray:
        """(2, 3) affine crop -> radiograph continued to the image here."""
        return self.from_radiograph @ np.vstack([crop_to_radiograph, [0, 0, 1]])


def reduce(pixels: np.ndarray, longer_side: int = LONGER_SIDE) -> ShownRadiograph:
    """Average (H, W) uint8 down to the screen's size; a smaller radiograph stays as it is."""
    height, width = pixels.shape
    scale = min(1.0, longer_side / max(height, width))
    shape = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
    ratio = np.array(shape) / (width, height)
    return ShownRadiograph(small, np.column_stack([np.diag(ratio), (ratio - 1) / 2]))


def letterboxed(pixels: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The whole of a radiograph on an image of a given shape, black beside it.

    Args:
        pixels: (H, W) uint8.
        shape: (h, w) of the result.

    Returns:
        (h, w) uint8. A smaller radiograph is not enlarged.
    """
    scale = min(1.0, shape[0] / pixels.shape[0], shape[1] / pixels.shape[1])
    size = [max(1, round(side * scale)) for side in pixels.shape]
    small = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA)
    top, left = ((whole - side) // 2 for whole, side in zip(shape, size, strict=True))
    boxed = np.zeros(shape, np.uint8)
    boxed[top : top + size[0], left : left + size[1]] = small
    return boxed


def display_window(pixels: np.ndarray) -> tuple[int, int]:
    """The gray levels of a film to show black and white, so that the hand has contrast.

    Markers and frames are brighter than bones, and often set the film's own contrast: they lie
    near its edges or are all but white, and are left out of the percentiles.

    Args:
        pixels: (H, W) uint8, bones bright.

    Returns:
        (low, high), low < high.
    """
    height, width = (side // 6 for side in pixels.shape)
    step = max(1, max(pixels.shape) // 1000)
    middle = pixels[height : len(pixels) - height : step, width : pixels.shape[1] - width : step]
    values = middle[(middle > 0) & (middle < _ALMOST_WHITE)]
    if not values.size:
        return 0, 255
    low, high = (round(value) for value in np.percentile(values, _DISPLAYED))
    return (low, high) if high - low >= _MIN_SPAN else (0, 255)


def with_hand_box(shown: ShownRadiograph, hand: Hand, others: Sequence[Hand] = ()) -> np.ndarray:
    """The radiograph with the outline of the hand's box.

    Args:
        shown: the radiograph.
        hand: in pixels of the whole radiograph.
        others: further hands on it, whose outlines are thin.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    image = cv2.cvtColor(shown.pixels, cv2.COLOR_GRAY2RGB)
    thickness = max(2, round(max(shown.pixels.shape) / 250))
    for other in others:
        _draw_box(image, shown, other, max(1, thickness // 2))
    _draw_box(image, shown, hand, thickness)
    return image


def _draw_box(image: np.ndarray, shown: ShownRadiograph, hand: Hand, thickness: int) -> None:
    corners = np.column_stack([hand.corners, np.ones(4)]) @ shown.from_radiograph.T
    # A box that leaves the radiograph is drawn along its edge, so that it can be seen.
    inset = thickness / 2
    corners = np.clip(corners, inset, np.array(shown.pixels.shape[::-1]) - 1 - inset)
    sixteenths = np.round(corners * 16).astype(np.int32)
    cv2.polylines(
        image, [sixteenths], isClosed=True, color=palette.rgb(palette.HAND_BOX),
        thickness=thickness, lineType=cv2.LINE_AA, shift=4,
    )  # fmt: skip


def map_on_crop(crop: np.ndarray, values: np.ndarray, opacity: float) -> np.ndarray:
    """(S, S, 3) uint8 RGB: a map (S, S) in [0, 1] over the prepared image (S, S) uint8."""
    return colorize(crop, values, opacity)


def map_on_radiograph(
    shown: ShownRadiograph, crop_to_radiograph: np.ndarray, values: np.ndarray, opacity: float
) -> np.ndarray:
    """A map carried back from the crop to the radiograph.

    Args:
        shown: the radiograph.
        crop_to_radiograph: `PreparedHand.to_radiograph`.
        values: (S, S) in [0, 1] on the crop.
        opacity: of the map at its maximum, 0 to 1.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    affine = shown.to_shown(crop_to_radiograph)
    carried = to_radiograph(values, affine, shown.pixels.shape)
    return colorize(shown.pixels, np.clip(carried, 0, 1), opacity)


def wipe(left: np.ndarray, right: np.ndarray, share: float) -> np.ndarray:
    """One image up to a share of the width, then the other; a line lies between them.

    Args:
        left: (H, W) uint8.
        right: (H, W) uint8.
        share: of the width, 0 to 1.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    height, width = left.shape
    at = round(share * width)
    image = cv2.cvtColor(np.hstack([left[:, :at], right[:, at:]]), cv2.COLOR_GRAY2RGB)
    if 0 < at < width:
        half = max(1, width // 400)
        image[:, max(0, at - half) : at + half] = palette.rgb(palette.HAND_BOX)
    return image


def difference_map(
    crop: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    colors: tuple[str, str],
    opacity: float,
) -> np.ndarray:
    """Where one of two maps is higher than the other, over a prepared image.

    The cover grows with the difference, so where both maps are alike the image shows unchanged.

    Args:
        crop: (S, S) uint8.
        first: (S, S) in [0, 1].
        second: (S, S) in [0, 1].
        colors: "#rrggbb" where the first is higher, and where the second is.
        opacity: of the cover at most, 0 to 1.

    Returns:
        (S, S, 3) uint8 RGB.
    """
    difference = (first - second)[..., None]
    color = np.where(difference > 0, *(np.array(palette.rgb(c), np.float32) for c in colors))
    cover = opacity * np.abs(difference)
    return np.round(crop[..., None] * (1 - cover) + color * cover).astype(np.uint8)


def legend_colors(opacity: float, n: int = 9) -> list[str]:
    """n colors, "#rrggbb", of a map from 0 to 1 as they look over the gray of a radiograph."""
    ramp = np.linspace(0, 1, n, dtype=np.float32)[None]
    gray = np.full((1, n), 110, np.uint8)
    return [f"#{bytes(color).hex()}" for color in colorize(gray, ramp, opacity)[0]]
