"""Both hands on one film: which part of the film is each one's, and which hand it is."""

from dataclasses import dataclass

import numpy as np

from boneage.radiographs.hand import INDEX_MCP, LITTLE_MCP, upright_angle, upright_axes

LEFT, RIGHT = "left", "right"
POSITIONS = ((LEFT, RIGHT), ("top", "bottom"))  # of the film, along x and along y
_AS_DARK = 1  # gray levels that do not make a line darker


@dataclass(frozen=True)
class FilmPart:
    """The part of a film that shows one of two hands.

    Attributes:
        side: which hand it probably is, "left" or "right"; None where the thumbs do not tell.
        position: where on the film it lies, "left", "right", "top" or "bottom".
        region: (left, top, right, bottom) in pixels, right and bottom excluded.
    """

    side: str | None
    position: str
    region: tuple[int, int, int, int]

    def crop(self, pixels: np.ndarray) -> np.ndarray:
        """The part, a view of a film (H, W)."""
        left, top, right, bottom = self.region
        return pixels[top:bottom, left:right]

    def alone(self, pixels: np.ndarray) -> np.ndarray:
        """A copy of a film (H, W) on which all but the part is 0, as beyond a film."""
        film = np.zeros_like(pixels)
        self.crop(film)[:] = self.crop(pixels)
        return film


def split_film(
    pixels: np.ndarray, first: np.ndarray, second: np.ndarray
) -> tuple[FilmPart, FilmPart] | None:
    """Cut a film between two hands, straight and where the gap between them is darkest.

    A side marker cannot be read, so the thumbs tell which hand is which: on a posteroanterior film
    that is not mirrored, the thumb of an upright left hand is on its right. Where both thumbs are
    on the same side, they do not tell.

    Args:
        pixels: (H, W) uint8, the film, bones bright.
        first: (21, 2) landmarks of one hand.
        second: (21, 2) of the other.

    Returns:
        The parts, from left to right or from top to bottom; None where no straight cut, horizontal
        or vertical, passes between the landmarks.

    Example:
        >>> hand = np.full((21, 2), (30, 50))
        >>> hand[[0, 5, 9, 17]] = (30, 90), (40, 60), (30, 60), (20, 60)
        >>> film = np.zeros((100, 160), np.uint8)
        >>> [(part.side, part.region) for part in split_film(film, hand, (159, 0) + hand * (-1, 1))]
        [('left', (0, 0, 80, 100)), ('right', (80, 0, 160, 100))]
    """
    height, width = pixels.shape
    pairs = [sorted((first, second), key=lambda hand: hand[0, axis]) for axis in (0, 1)]
    gaps = [(low[:, axis].max(), high[:, axis].min()) for axis, (low, high) in enumerate(pairs)]
    axis = int(gaps[1][1] - gaps[1][0] > gaps[0][1] - gaps[0][0])
    start, end = np.clip(np.round(gaps[axis]), 0, pixels.shape[1 - axis]).astype(int)
    if end <= start:
        return None
    brightness = pixels.mean(axis=axis)[start:end]
    cut = int(start + 1 + np.median(np.flatnonzero(brightness <= brightness.min() + _AS_DARK)))
    regions = (
        ((0, 0, cut, height), (cut, 0, width, height)),
        ((0, 0, width, cut), (0, cut, width, height)),
    )[axis]
    sides = [_side(landmarks) for landmarks in pairs[axis]]
    told = sides[0] != sides[1]
    low_part, high_part = (
        FilmPart(side if told else None, position, region)
        for side, position, region in zip(sides, POSITIONS[axis], regions, strict=True)
    )
    return low_part, high_part


def _side(landmarks: np.ndarray) -> str:
    """The hand whose thumb is on this side, seen from the back of the hand."""
    right = upright_axes(upright_angle(landmarks))[0]
    return LEFT if (landmarks[INDEX_MCP] - landmarks[LITTLE_MCP]) @ right > 0 else RIGHT
