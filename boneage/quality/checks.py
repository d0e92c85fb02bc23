"""What the quality check looks at, and what it says.

A check compares one number of an image, its measure, with the largest that passes. Limits that
follow from what a radiograph is stand here; those that depend on how real radiographs vary are
chosen on the validation set and stored in `artifacts/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from boneage.radiographs.hand import (
    FULL_FRAME,
    MANUAL,
    MIDDLE_MCP,
    WRIST,
    Hand,
    find_hands_beside,
    upright_angle,
    upright_axes,
)
from boneage.radiographs.preprocessing import PreparedHand
from boneage.radiographs.reading import Radiograph

BLANK, COLOR, NO_HAND, TOO_SMALL = "blank or too dark", "in color", "no hand", "too small"
SEVERAL, CUT_OFF, BLURRED = "more than one hand", "cut off", "blurred"
OUTSIDE_BOX = "outside the box"
OUT_OF_DISTRIBUTION = "out of distribution"

# Groups of images that the check is measured on, in quality_check.csv; ALL are the kinds of one
# together.
REAL, UNLIKE, NEARLY = "radiographs", "far out-of-distribution", "near out-of-distribution"
HANDS, ALL = "corrected hands", "all"

_REASONS = {
    BLANK: "The image is blank or much too dark, with hardly any gray levels; export the "
    "radiograph again with more contrast.",
    COLOR: "The image is in color, so it is not a radiograph; choose the original grayscale "
    "radiograph.",
    NO_HAND: "No hand was found in this image; choose a radiograph of one hand, from the "
    "fingertips to the wrist.",
    TOO_SMALL: "The hand is too small in this image to assess its growth plates; export the "
    "radiograph at full resolution.",
    SEVERAL: "The image seems to show more than one hand; crop it to one hand.",
    CUT_OFF: "Part of the hand is outside the image; choose a radiograph that shows all fingers "
    "and the wrist.",
    OUTSIDE_BOX: "Part of the hand is outside the box; draw it round all fingers and the ends of "
    "radius and ulna.",
    BLURRED: "The image is too blurred to assess the growth plates; choose a sharp radiograph, or "
    "export it again at full resolution.",
    OUT_OF_DISTRIBUTION: "The image is unlike the hand radiographs of the training data, "
    "so a prediction "
    "would not be reliable; check that it is a sharp radiograph of one whole hand.",
}


@dataclass(frozen=True)
class Refusal:
    """Why an image should not be predicted.

    Attributes:
        kind: for tables.
        reason: a sentence for people.
    """

    kind: str
    reason: str


@dataclass(frozen=True)
class Check:
    """One check: the measure it looks at, and what an image beyond the limit is.

    Attributes:
        measure: name of the measure.
        kind: what an image beyond the limit is, for tables.
        most: the largest value that passes; None where it is chosen on the validation set.
    """

    measure: str
    kind: str
    most: float | None = None

    @property
    def refusal(self) -> Refusal:
        return Refusal(self.kind, _REASONS[self.kind])


SHAPE, OTHER = "hand shape", "similarity of another detection to a hand"
# That of another find stands here, as one chosen on real radiographs would only cost some of them:
# on 2,425, no find beside the hand came closer than 3.1 to the shape of a hand (`DensityModel`),
# while on 95% of pairs of validation radiographs the other hand came closer than 3.
# The first that fails gives the reason, so those that explain most come first; the checks of each
# model's features (`features_check`) come last.
CHECKS = (
    Check("gray levels missing", BLANK, most=1),
    Check("share in color", COLOR, most=0.1),
    Check("no hand found", NO_HAND, most=0),
    Check(SHAPE, NO_HAND),
    Check("pixels missing", TOO_SMALL, most=1),
    Check(OTHER, SEVERAL, most=1 / 3),
    Check("joints near the edge", CUT_OFF),
    Check("wrist near the edge", CUT_OFF),
    # Of a box that a person drew. On 15 test films, boxes drawn carelessly leave joints out by at
    # most 0.02 hand lengths; boxes that cut a tenth of the fingers off, by 0.06 or more on 13.
    Check("joints outside the box", OUTSIDE_BOX, most=0.05),
    Check("wrist near the box edge", OUTSIDE_BOX, most=5.5),
    Check("fine detail missing", BLURRED),
)

# Of the 256 of 8 bits. Real radiographs had at least 60, a white wall or a black frame a handful.
_MIN_LEVELS = 12
# Of the hand's box, on its longer side; no hand of 12,000 RSNA radiographs had fewer than 117.
_MIN_PIXELS = 96
# Of two hands on one film neither is half as large as the other; side markers are far smaller.
_MIN_RATIO = 0.5
# Fine is what a blur of this share of the prepared hand's side takes away. It is coarse enough to
# pass a hand of `_MIN_PIXELS` that was enlarged.
_FINE = 1 / 64
_NO_ROOM = 0.01  # of a hand's length: at the edge, or beyond


def features_check(model: str) -> Check:
    """The check whether a model's pooled features are like those of the training data."""
    return Check(f"features of {model}", OUT_OF_DISTRIBUTION)


@dataclass(frozen=True, eq=False)
class QualityMeasures:
    """The quality measures of an image and the hand on it.

    Attributes:
        measures: measure -> value, 0 or more, larger is less typical.
        landmarks: (21, 2) of the hand, or None where it was found without.
        others: the same of what is of a hand's size beside it, whether it is a hand or not.
    """

    measures: dict[str, float]
    landmarks: np.ndarray | None = None
    others: Sequence[np.ndarray] = ()


def measure_quality(radiograph: Radiograph, prepared: PreparedHand) -> QualityMeasures:
    """QualityMeasures at a radiograph and the hand prepared from it.

    Args:
        radiograph: as it was read.
        prepared: its hand.

    Returns:
        What the quality check compares with its limits.
    """
    hand = prepared.hand
    measures = {
        "gray levels missing": _MIN_LEVELS / max(radiograph.gray_levels, 1),
        "share in color": radiograph.color,
        "no hand found": float(hand.method == FULL_FRAME),
        "pixels missing": _MIN_PIXELS / max(hand.size),
        "fine detail missing": 1 / max(_fine_detail(prepared.image), 1e-3),
    }
    if hand.landmarks is None:
        return QualityMeasures(measures)
    joints, wrist = _room(hand.landmarks, radiograph.pixels.shape)
    measures["joints near the edge"] = 1 / max(joints, _NO_ROOM)
    measures["wrist near the edge"] = 1 / max(wrist, _NO_ROOM)
    if hand.method == MANUAL:
        joints, wrist = _room(_in_box(hand, hand.landmarks), hand.size[::-1])
        measures["joints outside the box"] = max(-joints, 0.0)
        measures["wrist near the box edge"] = 1 / max(wrist, _NO_ROOM)
    others = find_hands_beside(radiograph.pixels, hand)
    others = [points for points in others if _are_of_one_size(points, hand.landmarks)]
    return QualityMeasures(measures, hand.landmarks, others)


def _are_of_one_size(*finds: np.ndarray) -> bool:
    lengths = [np.linalg.norm(points[MIDDLE_MCP] - points[WRIST]) for points in finds]
    return min(lengths) > _MIN_RATIO * max(lengths)


def _fine_detail(image: np.ndarray) -> float:
    """How much of a prepared hand's contrast is in fine detail, 0 to about 1."""
    image = image.astype(np.float32)
    inside = image > 0  # beside the hand's box it is black
    fine = image - cv2.GaussianBlur(image, (0, 0), _FINE * len(image))
    return float(fine[inside].std() / max(image[inside].std(), 1)) if inside.any() else 0.0


def _in_box(hand: Hand, landmarks: np.ndarray) -> np.ndarray:
    """Landmarks in pixels of the hand's box."""
    middle = (np.array(hand.size) - 1) / 2
    return (landmarks - hand.center) @ upright_axes(hand.angle).T + middle


def _room(landmarks: np.ndarray, shape: tuple[float, ...]) -> tuple[float, float]:
    """Way to the image's edge, in hand lengths, from the outermost joint and down from the wrist.

    Fingers outside the image are guessed by MediaPipe, at or beyond the edge.
    """
    last = np.array(shape[::-1]) - 1
    angle = float(upright_angle(landmarks))
    upright = landmarks @ upright_axes(angle).T
    length = upright[WRIST, 1] - upright[:, 1].min()
    joints = np.minimum(landmarks, last - landmarks).min()
    wrist, down = landmarks[WRIST], upright_axes(angle)[1]
    edges = np.where(down > 0, last, 0)
    ways = np.divide(edges - wrist, down, out=np.full(2, np.inf), where=down != 0)
    return float(joints / length), float(ways.min() / length)
