"""Landmarks of a hand as the atlas uses them: on a prepared image, and with more points around.

All points are (x, y) in pixels, in MediaPipe's order: wrist, then thumb to little finger, each
from the hand outwards.
"""

from collections.abc import Sequence

import numpy as np

from boneage.radiographs.hand import MIDDLE_MCP, WRIST
from boneage.radiographs.preprocessing import PreparedHand

N_LANDMARKS = 21
_KNUCKLES = [5, 9, 13, 17]
_DIGITS = np.arange(1, N_LANDMARKS).reshape(5, 4)

# Lengths in units of the hand, wrist to middle knuckle.
_HALF_FINGER = 0.09
_BEYOND_TIP = 0.12
# (across, along) of points on the forearm, which MediaPipe does not know, and of the frame around
# the image; across counts towards the thumb, along towards the fingers.
_FOREARM = [(x, y) for y in (-0.3, -0.7) for x in (-0.3, 0.3)]
_FRAME = [(x, y) for y in (-1.5, 1.0, 3.0) for x in (-2.2, 2.2)] + [(0.0, -1.5), (0.0, 3.2)]


def landmarks_on(prepared: PreparedHand) -> np.ndarray | None:
    """(21, 2) float32 landmarks on `prepared.image`; None where the hand was found without."""
    landmarks = prepared.landmarks
    return None if landmarks is None else landmarks.astype(np.float32)


def is_right_hand(landmarks: np.ndarray) -> bool:
    """Whether the thumb's side is on the left of a hand with fingers up, seen from behind.

    Told by the turn from the index knuckle, about the wrist, to the little finger's.
    """
    index, little = landmarks[[5, 17]] - landmarks[WRIST]
    return bool(index[0] * little[1] - index[1] * little[0] > 0)


def mirrored(landmarks: np.ndarray, width: int) -> np.ndarray:
    """The landmarks on the image flipped left to right."""
    return landmarks * [-1, 1] + [width - 1, 0]


def scaled(landmarks: np.ndarray, factor: float) -> np.ndarray:
    """The landmarks on the image enlarged by `factor`; pixel centers lie at whole numbers."""
    return (landmarks + 0.5) * factor - 0.5


def control_points(landmarks: np.ndarray) -> np.ndarray:
    """(21 + M, 2) float64: the landmarks, and points around them that follow from them.

    Points on both sides of every finger and beyond its tip keep a warp from bending or thinning
    it; points on the forearm and around the image keep it sane where no landmarks are. The same
    number stands for the same place in every hand, left or right.
    """
    points = np.asarray(landmarks, np.float64)
    up = points[_KNUCKLES].mean(axis=0) - points[WRIST]
    unit = np.linalg.norm(points[MIDDLE_MCP] - points[WRIST])
    up /= np.linalg.norm(up)
    side = -1 if is_right_hand(points) else 1
    to_thumb = side * np.array([-up[1], up[0]])

    around = [points]
    for digit in points[_DIGITS]:
        bones = np.diff(digit, axis=0)
        bones /= np.linalg.norm(bones, axis=1, keepdims=True)
        at_joints = np.array([bones[0] + bones[1], bones[1] + bones[2], bones[2]])
        at_joints /= np.linalg.norm(at_joints, axis=1, keepdims=True)
        across = side * _HALF_FINGER * unit * np.stack([-at_joints[:, 1], at_joints[:, 0]], axis=1)
        around += [digit[1:] + across, digit[1:] - across]
        around.append(digit[3:] + _BEYOND_TIP * unit * bones[2])
    for where in (_FOREARM, _FRAME):
        where = np.array(where) * unit
        around.append(points[WRIST] + where[:, :1] * to_thumb + where[:, 1:] * up)
    return np.concatenate(around)


def mean_shape(shapes: np.ndarray | Sequence[np.ndarray], rounds: int = 5) -> np.ndarray:
    """Mean of landmark sets after each was moved, rotated and scaled onto it (Gower 1975).

    Args:
        shapes: (N, P, 2), all left or all right hands.
        rounds: how often the mean is taken and the sets are moved onto it.

    Returns:
        (P, 2) float64, placed as the first.
    """
    each = np.asarray(shapes, np.float64)
    mean = each[0]
    for _ in range(rounds):
        mean = place(np.mean([place(shape, mean) for shape in each], axis=0), each[0])
    return mean


def place(shape: np.ndarray, onto: np.ndarray, points: np.ndarray | None = None) -> np.ndarray:
    """`points` moved, turned and scaled as brings `shape` (P, 2) closest (least squares) to `onto`.

    Args:
        shape: (P, 2).
        onto: (P, 2).
        points: (N, 2); `shape` itself by default.

    Returns:
        (N, 2) float64.
    """
    # Points as complex numbers: turning and scaling is one multiplication.
    moved, start, goal = (
        np.ascontiguousarray(p, np.float64).view(complex)[:, 0]
        for p in (shape if points is None else points, shape, onto)
    )
    centered = start - start.mean()
    factor = np.vdot(centered, goal - goal.mean()) / np.vdot(centered, centered).real
    return (factor * (moved - start.mean()) + goal.mean()).view(float).reshape(-1, 2)
