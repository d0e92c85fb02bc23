import cv2
import numpy as np

from boneage.atlas.landmarks import control_points, mirrored
from boneage.atlas.warping import warp, warp_map
from boneage.datasets.phantoms import make_phantom


def _at(where: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Values of a map (H, W, 2) at points (N, 2), interpolated."""
    x, y = points.astype(np.float32).T
    return cv2.remap(where, x[None], y[None], cv2.INTER_LINEAR)[0]


def test_the_map_leads_every_landmark_to_its_own():
    here, there = (make_phantom(120, "male", seed).landmarks for seed in (2, 5))
    assert np.abs(here - there).max() > 15
    where = warp_map(here, there, (400, 300))
    assert where.dtype == np.float32
    assert where.shape == (400, 300, 2)
    assert np.abs(_at(where, here) - there).max() < 1


def test_a_similarity_is_reproduced_everywhere():
    landmarks = make_phantom(120, "male", 2).landmarks
    where = warp_map(landmarks, 1.5 * landmarks + [10, -4], (400, 300))
    y, x = np.mgrid[:400, :300]
    np.testing.assert_allclose(where, np.dstack([1.5 * x + 10, 1.5 * y - 4]), atol=0.02)


def test_nothing_is_torn_or_folded():
    """The map keeps its orientation at every pixel of the hand, fingers spread or not."""
    for seed in range(6):
        here, there = (make_phantom(60, "female", s).landmarks for s in (seed, seed + 10))
        dy, dx = (np.gradient(warp_map(here, there, (400, 300)), axis=axis) for axis in (0, 1))
        area = dx[..., 0] * dy[..., 1] - dx[..., 1] * dy[..., 0]
        hand = np.zeros((400, 300), np.uint8)
        cv2.fillConvexPoly(hand, cv2.convexHull(here.astype(np.int32)), 1)
        assert area[hand > 0].min() > 0.1


def test_a_left_hand_warped_onto_a_right_one_is_mirrored():
    phantom = make_phantom(120, "male", 2)
    height, width = phantom.pixels.shape
    right = mirrored(phantom.landmarks, width)
    warped = warp(phantom.pixels, phantom.landmarks, right, (height, width))
    assert np.abs(warped[:, ::-1].astype(int) - phantom.pixels).mean() < 1


def test_landmarks_off_by_a_little_do_not_dent_the_image():
    """The points at the fingers' sides follow the joints; the warp must stay smooth."""
    rng = np.random.default_rng(0)
    landmarks = make_phantom(120, "male", 2).landmarks
    shaken = landmarks + rng.normal(0, 2, landmarks.shape)
    where = warp_map(landmarks, shaken, (400, 300))
    y, x = np.mgrid[:400, :300]
    assert np.abs(where - np.dstack([x, y])).max() < 15
    assert len(control_points(shaken)) == len(control_points(landmarks))
