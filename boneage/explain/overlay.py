"""From a map on feature cells to colors on the radiograph. No Keras."""

from __future__ import annotations

import cv2
import numpy as np

from boneage.models.registry import FeatureGrid

# Perceptually uniform, and neither black nor white nor gray anywhere, so that it cannot be
# mistaken for bone or background.
_COLOR_MAP = cv2.COLORMAP_PLASMA


def stretch(values: np.ndarray) -> np.ndarray:
    """Stretch a map to the full range [0, 1], as float32; an even map becomes all zero.

    Meant for attention maps, whose weights often fill a small part of (0, 1).
    """
    values = values.astype(np.float32)
    span = values.max() - values.min()
    return (values - values.min()) / span if span > 0 else np.zeros_like(values)


def upsample(cells: np.ndarray, grid: FeatureGrid, size: int) -> np.ndarray:
    """Interpolate a map from feature cells to the pixels of the crop.

    Plain resizing would shift the map by up to half a cell, as the cells' receptive fields are
    not centered on equal tiles of the image; this puts each value on its center.

    Args:
        cells: (h, w) map on the cells of `grid`.
        grid: where the cells lie; from the model's registry entry.
        size: side of the crop in pixels.

    Returns:
        (size, size) float32, bilinear between cell centers, constant beyond the outermost ones.

    Raises:
        ValueError: the map has not the number of cells that `grid` has on this size.
    """
    # Networks round a size that is no multiple of the stride up or down.
    if any(abs(n * grid.stride - size) >= grid.stride for n in cells.shape):
        raise ValueError(
            f"The map has {cells.shape} cells, which at a stride of {grid.stride} px do not "
            f"cover {size} px; pass the grid that belongs to the map."
        )
    rows, columns = (_linear_weights(n, grid, size) for n in cells.shape)
    return (rows @ cells @ columns.T).astype(np.float32)


def to_radiograph(
    map_on_crop: np.ndarray, affine: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """Carry a map from the crop back onto the radiograph.

    Args:
        map_on_crop: (S, S) map on the pixels of the crop.
        affine: (2, 3), from crop pixel (x, y, 1) to radiograph pixel (x, y), with
            pixel centers at integers; `PreparedHand.to_radiograph`.
        shape: (H, W) of the radiograph.

    Returns:
        (H, W) float32, zero outside the crop.
    """
    height, width = shape
    return cv2.warpAffine(
        map_on_crop.astype(np.float32),
        np.asarray(affine, np.float64),
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )


def colorize(gray: np.ndarray, values: np.ndarray, opacity: float = 0.6) -> np.ndarray:
    """Lay a map in colors over a radiograph.

    The cover grows with the value, so where the map is 0 the radiograph shows unchanged.

    Args:
        gray: (H, W) uint8 radiograph or crop.
        values: (H, W) map in [0, 1].
        opacity: cover at value 1, in [0, 1].

    Returns:
        (H, W, 3) uint8, RGB; from dark blue (low) over red to yellow (high).

    Raises:
        ValueError: shapes differ, or a value or the opacity is outside [0, 1].
    """
    if gray.shape != values.shape:
        raise ValueError(
            f"The radiograph is {gray.shape} and the map {values.shape}; resize the map to the "
            "radiograph first."
        )
    in_range = values.min() >= 0 and values.max() <= 1 and 0 <= opacity <= 1
    if not in_range:
        raise ValueError(
            f"The map runs from {values.min():.3g} to {values.max():.3g} and the opacity is "
            f"{opacity}; both must lie in [0, 1]."
        )
    level = np.round(values * 255).astype(np.uint8)
    return _blends(opacity)[level, gray]


def _blends(opacity: float) -> np.ndarray:
    """(256, 256, 3) uint8 color of every map level over every gray level.

    Looking colors up is some ten times as fast as mixing them on a full-size radiograph.
    """
    levels = np.arange(256, dtype=np.uint8)
    colors = cv2.applyColorMap(levels[None], _COLOR_MAP)[0, :, ::-1]
    cover = opacity * levels[:, None, None] / 255
    return np.round(levels[:, None] * (1 - cover) + colors[:, None] * cover).astype(np.uint8)


def _linear_weights(n_cells: int, grid: FeatureGrid, size: int) -> np.ndarray:
    """(size, n_cells) weights of linear interpolation; each row sums to 1."""
    position = (np.arange(size) - grid.first_center) / grid.stride
    position = np.clip(position, 0, n_cells - 1)
    return np.maximum(0, 1 - np.abs(position[:, None] - np.arange(n_cells)))
