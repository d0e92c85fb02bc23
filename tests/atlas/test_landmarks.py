import numpy as np
import pytest

from boneage.atlas.landmarks import (
    control_points,
    is_right_hand,
    landmarks_on,
    mean_shape,
    mirrored,
    place,
    scaled,
)
from boneage.datasets.phantoms import make_phantom
from boneage.radiographs.preprocessing import Preprocessing, prepare


def _moved(points: np.ndarray, degrees: float, factor: float, shift) -> np.ndarray:
    turn = np.deg2rad(degrees)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return factor * points @ rotation.T + shift


def test_landmarks_come_onto_the_prepared_image():
    """Those found on the radiograph, against the affine map worked backwards."""
    phantom = make_phantom(120, "female", 3)
    prepared = prepare(phantom.pixels, Preprocessing(size=320))
    found = landmarks_on(prepared)
    back = found @ prepared.to_radiograph[:, :2].T + prepared.to_radiograph[:, 2]
    np.testing.assert_allclose(back, prepared.hand.landmarks, atol=1e-2)
    assert landmarks_on(prepare(np.eye(64, dtype=np.uint8) * 255)) is None


def test_a_mirrored_left_hand_is_a_right_hand():
    landmarks = make_phantom(120, "female", 3).landmarks
    assert not is_right_hand(landmarks)
    assert is_right_hand(mirrored(landmarks, 300))
    assert not is_right_hand(_moved(landmarks, 160, 1, (0, 0)))  # upside down is no mirror


@pytest.mark.parametrize("seed", range(3))
def test_control_points_move_with_the_hand_and_mirror_with_it(seed):
    landmarks = make_phantom(90, "male", seed).landmarks.astype(float)
    points = control_points(landmarks)
    np.testing.assert_array_equal(points[:21], landmarks)
    moved = control_points(_moved(landmarks, 25, 1.7, (30, -8)))
    np.testing.assert_allclose(moved, _moved(points, 25, 1.7, (30, -8)), atol=1e-9)
    np.testing.assert_allclose(
        control_points(mirrored(landmarks, 300)), mirrored(points, 300), atol=1e-9
    )


def test_placing_a_shape_undoes_a_similarity_and_no_more():
    shape = make_phantom(90, "male", 1).landmarks.astype(float)
    np.testing.assert_allclose(place(_moved(shape, -70, 0.4, (5, 6)), shape), shape, atol=1e-9)
    flipped = shape * [-1, 1]
    assert np.abs(place(flipped, shape) - shape).max() > 10


def test_the_mean_shape_does_not_see_where_and_how_large_the_hands_are():
    rng = np.random.default_rng(1)
    shape = make_phantom(90, "male", 1).landmarks.astype(float)
    noise = rng.normal(0, 4, (10, 21, 2))
    noise -= noise.mean(axis=0)
    hands = [shape + each for each in noise]
    moved = [
        _moved(hand, rng.uniform(-30, 30), rng.uniform(0.5, 2), rng.uniform(-50, 50, 2))
        for hand in hands
    ]
    mean = place(mean_shape(np.array(moved)), shape)
    assert np.abs(mean - shape).max() < 0.5


def test_scaling_keeps_the_middle_of_the_image_in_the_middle():
    np.testing.assert_allclose(scaled(np.array([[31.5, 31.5]]), 0.5), [[15.5, 15.5]])
