"""Hands brought onto the standard of their sex and age, at half its size."""

import cv2
import numpy as np

from boneage.atlas.landmarks import is_right_hand, mirrored, place, scaled
from boneage.atlas.registration import detail, find_flow, hand_mask
from boneage.atlas.standards import Standard
from boneage.atlas.warping import sample, warp_map

SCALE = 0.5
_ROUNDS = (12.0, 5.0, 2.5)  # Gaussian sigma of the flow, in pixels of the halved standard
_CELL = 8  # pixels between the places that displacements are told of
_OUTLIER = 2.0  # robust standard deviations below the median correlation


def register(
    images: list[np.ndarray], landmarks: np.ndarray, standard: Standard
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bring hands onto a standard, by landmarks and then by optical flow.

    Args:
        images: N prepared images, (S, S) uint8.
        landmarks: (N, 21, 2) on them.
        standard: of about their age.

    Returns:
        (N, 320, 256) uint8, the hands; (N, 40, 32, 2) float32 of x, y, from each place of the
        standard to where it lies on the hand, which is moved, rotated and scaled to the standard's
        landmarks; (N,) bool, which hands are like the rest.
    """
    image = cv2.resize(standard.image, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_AREA)
    points, mask, target = scaled(standard.landmarks, SCALE), hand_mask(image), detail(image)
    views, displacements = zip(
        *(_register(*hand, points, mask, target) for hand in zip(images, landmarks, strict=True)),
        strict=True,
    )
    inside = mask > 0.5
    likeness = np.array([np.corrcoef(detail(v)[inside], target[inside])[0, 1] for v in views])
    below = np.median(likeness) - likeness
    alike = below <= _OUTLIER * 1.4826 * np.median(np.abs(below))
    return np.stack(views), np.stack(displacements), alike


def _register(
    image: np.ndarray,
    landmarks: np.ndarray,
    points: np.ndarray,
    mask: np.ndarray,
    target: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    if is_right_hand(landmarks):
        image, landmarks = image[:, ::-1], mirrored(landmarks, image.shape[1])
    # The box around the hand without the black beside it, which is no background.
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    box = np.ascontiguousarray(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    own = landmarks - [columns[0], rows[0]]
    height, width = mask.shape
    grid = np.dstack(np.meshgrid(np.arange(width), np.arange(height))).astype(np.float32)
    where = warp_map(points, own, mask.shape)
    for smoothing in _ROUNDS:
        flow = find_flow(target, detail(sample(box, where)), mask, smoothing)
        bent = grid + cv2.resize(flow, (width, height))
        where = sample(where, bent, cv2.INTER_LINEAR)
    size = (width // _CELL, height // _CELL)
    cells = [cv2.resize(field, size, interpolation=cv2.INTER_AREA) for field in (where, grid)]
    placed = place(own, points, cells[0].reshape(-1, 2)).reshape(cells[1].shape)
    return sample(box, where), (placed - cells[1]).astype(np.float32)
