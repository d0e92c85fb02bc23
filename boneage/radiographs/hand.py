"""Where the hand is on a radiograph, and which way up.

MediaPipe's HandLandmarker was trained on photographs, so the radiograph is first made to look a
little like one. Where it finds no hand, the bright region is segmented; where that fails too, the
whole radiograph is taken. The result says which of the three it was.
"""

import ctypes
import functools
import hashlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from boneage.errors import BoneAgeError
from boneage.quiet import quiet_libraries

if TYPE_CHECKING:
    from mediapipe.tasks.python.vision import HandLandmarker

MEDIAPIPE, SEGMENTATION, FULL_FRAME = "mediapipe", "segmentation", "full_frame"
CROP_METHODS = (MEDIAPIPE, SEGMENTATION, FULL_FRAME)  # found automatically
MANUAL = "manual"  # a person drew the box

# The landmark model, which MediaPipe's wheel does not carry; its license and source lie beside it.
_LANDMARK_MODEL = Path(__file__).parent / "hand_landmarker" / "hand_landmarker.task"
_LANDMARK_SHA256 = "fbc2a30080c3c557093b5ddfc334698132eb341044ccee322ccf8bcf3607cde1"

# How a radiograph is preprocessed for the landmark model: stretched and brightened, brought to one
# size, smoothed (film grain and trabeculae distract it most), tinted like skin, with a black
# margin. On 300 RSNA radiographs the first attempt finds 94% without smoothing, 99.7% with it. The
# last darkens a film whose background is bright or whose side marker outshines the bones: it finds
# 113 of the 135 hands that the others miss on 12,200 radiographs.
_SHORT_SIDE = 300
_GAMMA = 0.6
_SKIN_RGB = (224, 172, 140)
_CONFIDENCE = 0.1


@dataclass(frozen=True)
class _Attempt:
    blur: float  # Gaussian sigma in pixels of the resized radiograph
    margin: float  # black margin, as a fraction of the shorter side
    window: tuple[float, float] = (1, 99.5)  # percentiles that become black and bright


_ATTEMPTS = (
    _Attempt(blur=1.5, margin=0.2),
    _Attempt(blur=0.0, margin=0.35),
    _Attempt(blur=1.5, margin=0.35, window=(50, 95)),
)

# The landmark model also finds hands in side markers, and at times but a few fingers of a hand. Of
# 12,073 RSNA radiographs with landmarks, hands span 5.6% of the film or more and markers 2.4% or
# less; less than 0.4 times as wide as long are some fingers only. 14 fall outside these limits.
_MIN_SPAN = 0.04  # width times length, of the film
_MIN_WIDTH, _MAX_WIDTH = 0.4, 1.5  # of the length, wrist to fingertips

# MediaPipe's landmark order.
WRIST, INDEX_MCP, MIDDLE_MCP, LITTLE_MCP = 0, 5, 9, 17


class HandModelError(BoneAgeError):
    """The landmark model cannot be loaded; `str(error)` is one sentence for people."""


@dataclass(frozen=True, eq=False)
class Hand:
    """A hand as an oriented box on a radiograph; all lengths are radiograph pixels.

    Attributes:
        method: how it was found, one of CROP_METHODS or MANUAL.
        center: (x, y) of the box.
        size: (width, height) of the box in the hand's own upright frame (fingers up).
        angle: degrees the radiograph must be rotated counter-clockwise to bring the fingers up.
        landmarks: (21, 2) float32 of x, y in MediaPipe's order, or None.
    """

    method: str
    center: tuple[float, float]
    size: tuple[float, float]
    angle: float = 0.0
    landmarks: np.ndarray | None = None

    @property
    def corners(self) -> np.ndarray:
        """(4, 2) float64 of x, y: the box's corners, clockwise from the upper left of the hand."""
        half = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * np.array(self.size) / 2
        return half @ upright_axes(self.angle) + np.array(self.center)

    def moved(self, right: float, down: float) -> "Hand":
        """The same hand on a radiograph that continues this one by so many pixels to the left and
        to the top.
        """
        x, y = self.center
        landmarks = (
            None if self.landmarks is None else self.landmarks + np.array([right, down], np.float32)
        )
        return replace(self, center=(x + right, y + down), landmarks=landmarks)


def upright_axes(angle: float | np.floating) -> np.ndarray:
    """The hand's right and down directions.

    Args:
        angle: degrees, see `Hand`.

    Returns:
        (2, 2) float64, radiograph x, y in rows.
    """
    turn = np.deg2rad(angle)
    return np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])


def upright_angle(landmarks: np.ndarray) -> np.floating:
    """How far a hand must be rotated to point upwards.

    Args:
        landmarks: (21, 2).

    Returns:
        Degrees counter-clockwise.
    """
    right, down = landmarks[MIDDLE_MCP] - landmarks[WRIST]
    return np.degrees(np.arctan2(right, -down))


def find_hand(
    pixels: np.ndarray,
    margin: float = 0.08,
    wrist_margin: float = 0.3,
    second_attempt: bool = True,
) -> Hand:
    """Find the hand on a radiograph, however it is turned.

    Args:
        pixels: (H, W) uint8, bones bright.
        margin: room beyond the outermost landmarks, as a fraction of the hand's length (wrist to
            fingertips). The landmarks lie on the joints, inside the soft tissue.
        wrist_margin: the same below the wrist landmark, where MediaPipe's hand ends but the distal
            radius and ulna lie.
        second_attempt: preprocess the radiograph differently, twice, where the first attempt finds
            no hand.

    Returns:
        The hand's box, angle and, where MediaPipe found them, its 21 landmarks. `method` says how
        it was found, one of `CROP_METHODS`.

    Raises:
        HandModelError: MediaPipe or its landmark model does not load.

    Example:
        >>> from boneage.datasets.phantoms import draw_phantom
        >>> hand = find_hand(draw_phantom(120, "female"))
        >>> hand.method, hand.landmarks.shape
        ('mediapipe', (21, 2))
    """
    landmarks = find_landmarks(pixels, second_attempt)
    if landmarks is not None:
        return _hand_from_landmarks(landmarks, margin, wrist_margin)
    return _segment(pixels, margin) or full_frame(pixels)


def find_landmarks(pixels: np.ndarray, second_attempt: bool = True) -> np.ndarray | None:
    """Find the joints of a hand.

    Args:
        pixels: (H, W) uint8, bones bright.
        second_attempt: see `find_hand`.

    Returns:
        (21, 2) float32 of x, y in pixels, in MediaPipe's order; None where there is no hand.

    Raises:
        HandModelError: MediaPipe or its landmark model does not load.
    """
    for attempt in _ATTEMPTS if second_attempt else _ATTEMPTS[:1]:
        landmarks = _find_landmarks(pixels, attempt)
        if landmarks is not None and _could_be_a_hand(landmarks, pixels.size):
            return landmarks
    return None


def find_hands_beside(pixels: np.ndarray, hand: Hand) -> list[np.ndarray]:
    """Landmarks of what is taken for a hand beside the one found.

    Looks left, right, above and below, wherever there is room for a hand half as large: asked for
    two hands on one image, MediaPipe finds both less often. What it finds may be no hand at all.

    Args:
        pixels: (H, W) uint8, what `find_hand` took.
        hand: what `find_hand` returned.

    Returns:
        (21, 2) float32 each; none where the hand has no landmarks.
    """
    if hand.landmarks is None:
        return []
    height, width = pixels.shape
    (left, top), (right, bottom) = (
        np.clip(edge, 0, (width, height)).astype(int)
        for edge in (hand.landmarks.min(axis=0), hand.landmarks.max(axis=0) + 1)
    )
    least = np.array([bottom - top, right - left]) / 2
    finds = []
    for y, x in (
        (slice(0, height), slice(0, left)),
        (slice(0, height), slice(right, width)),
        (slice(0, top), slice(0, width)),
        (slice(bottom, height), slice(0, width)),
    ):
        beside = pixels[y, x]
        if np.all(beside.shape >= np.maximum(least, 1)):
            found = _find_landmarks(beside, _ATTEMPTS[0])
            finds += [] if found is None else [found + np.array([x.start, y.start], np.float32)]
    return finds


def full_frame(pixels: np.ndarray) -> Hand:
    """The whole radiograph, (H, W), taken for the hand."""
    height, width = pixels.shape
    return Hand(FULL_FRAME, ((width - 1) / 2, (height - 1) / 2), (float(width), float(height)))


def _find_landmarks(pixels: np.ndarray, attempt: _Attempt) -> np.ndarray | None:
    """(21, 2) float32 landmarks in radiograph pixels, or None."""
    scale = _SHORT_SIDE / min(pixels.shape)
    border = round(attempt.margin * _SHORT_SIDE)
    preprocessed = np.ascontiguousarray(_preprocessed(pixels, scale, border, attempt))
    with _LANDMARKER_LOCK:  # one landmarker serves every thread of the app, one at a time
        found = _detect(preprocessed)
    if not found:
        return None
    height, width = preprocessed.shape[:2]
    points = np.array([(point.x * width, point.y * height) for point in found[0]])
    return ((points - border) / scale - 0.5).astype(np.float32)


def _preprocessed(pixels: np.ndarray, scale: float, border: int, attempt: _Attempt) -> np.ndarray:
    """(H', W', 3) uint8 RGB: the radiograph as the landmark model likes it."""
    shrink = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=shrink)
    low, high = np.percentile(small[::2, ::2], attempt.window)
    stretched = np.clip((np.arange(256) - low) / max(high - low, 1), 0, 1) ** _GAMMA
    gray = cv2.LUT(small, (stretched * 255).astype(np.uint8))
    if attempt.blur:
        gray = cv2.GaussianBlur(gray, (0, 0), attempt.blur)
    tints = [(np.arange(256) * channel // 255).astype(np.uint8) for channel in _SKIN_RGB]
    skin = cv2.merge([cv2.LUT(gray, tint) for tint in tints])
    return cv2.copyMakeBorder(skin, border, border, border, border, cv2.BORDER_CONSTANT)


_LANDMARKER_LOCK = threading.Lock()
_first_hand_found = False


def _detect(preprocessed: np.ndarray) -> list:
    """Landmarks of the hands on a preprocessed radiograph, at most one."""
    global _first_hand_found
    # Loading logs, and so does the first hand; later detections are silent.
    with nullcontext() if _first_hand_found else quiet_libraries():
        landmarker = _landmarker()
        import mediapipe as mp

        found = landmarker.detect(mp.Image(mp.ImageFormat.SRGB, preprocessed)).hand_landmarks
    _first_hand_found = _first_hand_found or bool(found)
    return found


def load_landmarker() -> None:
    """Load MediaPipe and its landmark model ahead of the first radiograph.

    Raises:
        HandModelError: MediaPipe or its landmark model does not load; `find_hand` says so again.
    """
    with _LANDMARKER_LOCK, quiet_libraries():
        _landmarker()


@contextmanager
def _without_unused_packages() -> Iterator[None]:
    """Keep MediaPipe from importing what finding a hand does not need, seconds of it.

    TensorFlow, wherever it is installed, is for its documentation only
    (mediapipe/tasks/python/core/optional_dependencies.py), sounddevice for microphones: without
    them it loads as well. Matplotlib it insists on, but draws with later, if asked to.
    """
    drawing: Any = ModuleType("matplotlib")
    drawing.pyplot = ModuleType("matplotlib.pyplot")
    unused: dict[str, Any] = {"tensorflow": None, "sounddevice": None}  # None: "not installed"
    unused |= {"matplotlib": drawing, "matplotlib.pyplot": drawing.pyplot}
    hidden = {name: module for name, module in unused.items() if name not in sys.modules}
    sys.modules.update(hidden)
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@functools.cache
def _landmarker() -> "HandLandmarker":
    """The landmark model, loaded once per process."""
    content = _landmark_model()
    try:
        with _without_unused_packages():
            import mediapipe  # noqa: F401
        from mediapipe.tasks.python import BaseOptions
        from mediapipe.tasks.python.vision import HandLandmarker, HandLandmarkerOptions

        options = HandLandmarkerOptions(
            base_options=BaseOptions(model_asset_buffer=content),
            num_hands=1,
            min_hand_detection_confidence=_CONFIDENCE,
            min_hand_presence_confidence=_CONFIDENCE,
        )
        landmarker = HandLandmarker.create_from_options(options)
    except Exception as error:  # of the import, of a system library, of MediaPipe itself
        reason = str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__
        raise HandModelError(
            f"MediaPipe, which finds the hand, cannot be loaded ({reason}): reinstall the pinned "
            "requirements (pip install --force-reinstall -r requirements.txt), and on Linux the "
            "system libraries that the README names."
        ) from error
    # Never collected: at the end of a process, when that would happen, closing it fails aloud.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(landmarker))
    return landmarker


def _landmark_model() -> bytes:
    try:
        content = _LANDMARK_MODEL.read_bytes()
    except OSError as error:
        raise HandModelError(
            f"The hand landmark model cannot be read ({error.strerror}): install boneage again."
        ) from error
    if hashlib.sha256(content).hexdigest() != _LANDMARK_SHA256:
        raise HandModelError(
            "The hand landmark model is not the one this version was tested with: install boneage "
            "again."
        )
    return content


def _could_be_a_hand(landmarks: np.ndarray, film: int) -> bool:
    """Whether landmarks span enough of the film, in pixels, and are neither narrow nor wide."""
    upright = landmarks @ upright_axes(upright_angle(landmarks)).T
    width, length = np.ptp(upright[:, 0]), upright[WRIST, 1] - upright[:, 1].min()
    proportionate = _MIN_WIDTH <= width / length <= _MAX_WIDTH
    return bool(proportionate and width * length >= _MIN_SPAN * film)


def _hand_from_landmarks(landmarks: np.ndarray, margin: float, wrist_margin: float) -> Hand:
    angle = float(upright_angle(landmarks))
    axes = upright_axes(angle)
    upright = landmarks @ axes.T
    low, high = upright.min(axis=0), upright.max(axis=0)
    length = upright[WRIST, 1] - low[1]
    low = low - margin * length
    high = np.array([high[0] + margin * length, upright[WRIST, 1] + wrist_margin * length])
    center = (low + high) / 2 @ axes
    return Hand(
        MEDIAPIPE,
        (float(center[0]), float(center[1])),
        (float(high[0] - low[0]), float(high[1] - low[1])),
        angle,
        landmarks,
    )


def _segment(pixels: np.ndarray, margin: float) -> Hand | None:
    """The largest bright region (Otsu's threshold), if it is of a hand's size."""
    blurred = cv2.GaussianBlur(pixels, (0, 0), max(1.0, min(pixels.shape) / 100))
    _, bright = cv2.threshold(blurred, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    count, _, regions, _ = cv2.connectedComponentsWithStats(bright)
    if count < 2:
        return None
    x, y, width, height, area = regions[1 + np.argmax(regions[1:, cv2.CC_STAT_AREA])]
    if not 0.05 <= area / pixels.size <= 0.9:
        return None
    room = margin * height
    x0, x1 = max(x - room, 0), min(x + width + room, pixels.shape[1])
    y0, y1 = max(y - room, 0), min(y + height + room, pixels.shape[0])
    center = ((x0 + x1 - 1) / 2, (y0 + y1 - 1) / 2)
    return Hand(
        SEGMENTATION, (float(center[0]), float(center[1])), (float(x1 - x0), float(y1 - y0))
    )
