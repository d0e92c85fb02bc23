"""A box that a person draws round the hand, where it is not found or wrongly cropped."""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from boneage.errors import BoneAgeError
from boneage.radiographs.hand import MANUAL, Hand, find_landmarks, upright_axes
from boneage.radiographs.limits import MIN_SIDE


class ManualFrameError(BoneAgeError):
    """The box or the rotation cannot be used; `str(error)` is one sentence for people."""


@dataclass(frozen=True)
class ManualFrame:
    """Where the hand is, as a person says it: rotate the film first, then draw a box on it.

    The film (`Radiograph.pixels`, without a frame that was removed) is rotated about its center, on
    a canvas large enough to hold all of it (`canvas`), until the fingers point up. The box is in
    pixels of that canvas; without a rotation, these are the pixels of the film.

    Attributes:
        box: (left, top, right, bottom) in pixels, right and bottom excluded.
        rotation: degrees clockwise.

    Raises:
        ManualFrameError: a number is not finite, or a side is shorter than `MIN_SIDE`.

    Example:
        >>> ManualFrame((10, 20, 210, 320), rotation=90).canvas(400, 300)
        (300, 400)
    """

    box: tuple[float, float, float, float]
    rotation: float = 0.0

    def __post_init__(self) -> None:
        left, top, right, bottom = self.box
        if not all(map(math.isfinite, (*self.box, self.rotation))):
            raise ManualFrameError("The box and the rotation must be finite numbers.")
        if right <= left or bottom <= top:
            raise ManualFrameError(
                f"The box {self._box} is empty: give left, top, right and bottom, in this order."
            )
        if min(right - left, bottom - top) < MIN_SIDE:
            raise ManualFrameError(
                f"The box is too small ({right - left:g} x {bottom - top:g} pixels): each side "
                f"needs at least {MIN_SIDE} pixels."
            )

    @property
    def _box(self) -> str:
        return ",".join(f"{edge:g}" for edge in self.box)

    @property
    def _angle(self) -> float:
        """As that of a `Hand`: counter-clockwise."""
        return -math.remainder(self.rotation, 360)

    def canvas(self, width: int, height: int) -> tuple[int, int]:
        """The size of the rotated film.

        Args:
            width: of the film in pixels.
            height: the same.

        Returns:
            (width, height) in pixels; its center is that of the film.
        """
        across, along = abs(upright_axes(self._angle)[0]).tolist()
        return round(width * across + height * along), round(width * along + height * across)

    def hand(self, pixels: np.ndarray, second_attempt: bool = True) -> Hand:
        """What the box holds, taken for the hand, with landmarks where they are found in it.

        Args:
            pixels: (H, W) uint8, the film, bones bright.
            second_attempt: see `boneage.radiographs.hand.find_hand`.

        Returns:
            The hand on the film, not rotated. Box and angle are as given, whatever the landmarks.

        Raises:
            ManualFrameError: the box does not lie on the rotated film.
            HandModelError: MediaPipe or its landmark model does not load.
        """
        hand = self._framed(pixels)
        upright, to_film = _cut_out(pixels, hand)
        landmarks = find_landmarks(upright, second_attempt)
        if landmarks is None:
            return hand
        on_film = landmarks @ to_film[:, :2].T + to_film[:, 2]
        return replace(hand, landmarks=on_film.astype(np.float32))

    def alone(self, pixels: np.ndarray) -> np.ndarray:
        """A copy of a film (H, W) on which all but the box is 0, as beyond a film."""
        inside = np.zeros_like(pixels)
        corners = self._framed(pixels).corners.round().astype(np.int32)
        cv2.fillConvexPoly(inside, corners, 255)
        return cv2.bitwise_and(pixels, inside)

    def _framed(self, pixels: np.ndarray) -> Hand:
        height, width = pixels.shape
        left, top, right, bottom = self.box
        canvas = self.canvas(width, height)
        if left < 0 or top < 0 or right > canvas[0] or bottom > canvas[1]:
            rotated = f"rotated by {self.rotation:g} degrees it is" if self.rotation else "it is"
            raise ManualFrameError(
                f"The box {self._box} reaches beyond the film: {rotated} {canvas[0]} x {canvas[1]} "
                "pixels."
            )
        # A box of pixels 0 to n - 1 has its center at (n - 1) / 2, and so have film and canvas.
        from_center = (np.array([left + right, top + bottom]) - canvas) / 2
        x, y = from_center @ upright_axes(self._angle) + (np.array([width, height]) - 1) / 2
        return Hand(MANUAL, (float(x), float(y)), (right - left, bottom - top), self._angle)


def _cut_out(pixels: np.ndarray, hand: Hand) -> tuple[np.ndarray, np.ndarray]:
    """The hand's box, upright, and (2, 3) from its pixels to the film's."""
    width, height = (max(1, round(side)) for side in hand.size)
    linear = upright_axes(hand.angle).T
    middle = (np.array([width, height]) - 1) / 2
    to_film = np.column_stack([linear, np.array(hand.center) - linear @ middle])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(pixels, to_film, (width, height), flags=flags), to_film
