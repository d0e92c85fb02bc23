"""The bones of a prepared hand in four regions, drawn from its 21 MediaPipe landmarks. No Keras.

Landmarks lie on the joints, so a region is everything within a finger's half width of its bones.
The landmarks end at the wrist, and none marks the joints between carpals and metacarpals: these
lines are placed by proportions of the palm, measured on radiographs of children of 2 to 18 years.
"""

import cv2
import numpy as np

from boneage.radiographs.preprocessing import PreparedHand

PHALANGES, METACARPALS, CARPALS, DISTAL_RADIUS_ULNA = REGIONS = (
    "phalanges",
    "metacarpals",
    "carpals",
    "distal_radius_ulna",
)
REGION_TITLES = {
    PHALANGES: "Phalanges",
    METACARPALS: "Metacarpals",
    CARPALS: "Carpals",
    DISTAL_RADIUS_ULNA: "Distal radius and ulna",
}

# MediaPipe's numbers: the wrist is 0, then four landmarks a finger from the thumb's base on.
_WRIST = 0
_THUMB = (1, 2, 3, 4)  # its first bone is a metacarpal
_KNUCKLES = (5, 9, 13, 17)

# In palm lengths (wrist to middle knuckle), along the palm.
_HALF_WIDTH = 0.09  # of a finger with its soft tissue
_BASES = 0.27  # from the wrist landmark up to the bases of the metacarpals
_RADIUS = 0.09  # from the wrist landmark, which lies in the carpals, down to the radius

# In palm widths (index to little knuckle), across the palm.
_INDEX_BASE, _LITTLE_BASE = 0.2, 0.1  # how far from the middle the wrist end of their ray lies
_HALF_CARPUS, _HALF_FOREARM = 0.42, 0.5


def bone_regions(hand: PreparedHand) -> dict[str, np.ndarray]:
    """Where the bones are on a prepared image.

    Regions do not overlap; that of radius and ulna reaches down to the edge of the crop.

    Args:
        hand: prepared, found by its landmarks.

    Returns:
        Region of REGIONS -> (S, S) bool.

    Raises:
        ValueError: the hand was found without landmarks.
    """
    points = hand.landmarks
    if points is None:
        raise ValueError("The hand was found without landmarks, so its bones cannot be placed.")
    size = len(hand.image)

    wrist, knuckles = points[_WRIST], points[list(_KNUCKLES)]
    up = knuckles[1] - wrist
    index_to_little = knuckles[0] - knuckles[3]
    across = np.array([up[1], -up[0]]) / np.linalg.norm(up)  # as wide as the palm, to the thumb
    across *= np.copysign(np.linalg.norm(index_to_little), across @ index_to_little)
    half_width = _HALF_WIDTH * np.linalg.norm(up)
    rays = wrist + np.linspace(_INDEX_BASE, -_LITTLE_BASE, 4)[:, np.newaxis] * across
    bases = rays + _BASES * (knuckles - rays)
    joint = wrist - _RADIUS * up
    beyond = joint - 2 * up  # far outside the crop

    fingers = [points[[k, k + 1, k + 2, k + 3]] for k in _KNUCKLES]
    to_phalanges = _distance(size, [*fingers, points[list(_THUMB[1:])]])
    palm = [*np.stack([bases, knuckles], axis=1), points[list(_THUMB[:2])]]
    to_metacarpals = _distance(size, palm)
    carpals = _polygon(
        size, [*bases, points[_THUMB[0]], *(joint + s * _HALF_CARPUS * across for s in (-1, 1))]
    )
    sides = [(joint, 1), (joint, -1), (beyond, -1), (beyond, 1)]
    forearm = _polygon(size, [end + s * _HALF_FOREARM * across for end, s in sides]) & ~carpals
    fingers_end = carpals | forearm
    return {
        PHALANGES: (to_phalanges <= half_width) & (to_phalanges < to_metacarpals) & ~fingers_end,
        METACARPALS: (to_metacarpals <= half_width)
        & (to_metacarpals <= to_phalanges)
        & ~fingers_end,
        CARPALS: carpals,
        DISTAL_RADIUS_ULNA: forearm,
    }


def beside_the_bones(regions: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A control of the same area for each region: region -> (S, S) bool, no bone in it.

    It is as many pixels as the region has, those nearest to any bone: the outline of the hand and
    the background beside it. Where bones fill more than half of the image, it is all there is.
    """
    bones = np.logical_or.reduce(list(regions.values()))
    distance = cv2.distanceTransform((~bones).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    nearest = np.argsort(distance, axis=None, kind="stable")[bones.sum() :]
    controls = {}
    for name, region in regions.items():
        controls[name] = np.zeros_like(bones)
        controls[name].flat[nearest[: region.sum()]] = True
    return controls


def _distance(size: int, lines: list[np.ndarray]) -> np.ndarray:
    """(S, S) float32: pixels to the nearest of the broken lines, each (n, 2) of x, y."""
    away = np.ones((size, size), np.uint8)
    cv2.polylines(away, [np.round(line).astype(np.int32) for line in lines], False, color=0)
    return cv2.distanceTransform(away, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def _polygon(size: int, corners: list[np.ndarray]) -> np.ndarray:
    """(S, S) bool: the convex hull of corners (x, y)."""
    inside = np.zeros((size, size), np.uint8)
    hull = cv2.convexHull(np.round(corners).astype(np.int32))
    cv2.fillConvexPoly(inside, hull, 1)
    return inside.astype(bool)
