import cv2
import numpy as np
import pytest

from boneage.atlas.landmarks import mirrored
from boneage.atlas.registration import (
    HEIGHT,
    WIDTH,
    average,
    detail,
    find_flow,
    follow,
    hand_mask,
    trimmed_mean,
)
from boneage.datasets.phantoms import make_phantom

N, AGE = 16, 108
RADIUS = 4  # of the white discs that mark the joints, in pixels
NOISE = 3.0  # standard deviation of each coordinate of the landmarks given, in pixels


def marked(phantom) -> np.ndarray:
    """The drawing with a white disc on every joint."""
    pixels = phantom.pixels.copy()
    for x, y in np.rint(16 * phantom.landmarks).astype(int):
        cv2.circle(pixels, (x, y), 16 * RADIUS, 255, -1, cv2.LINE_AA, shift=4)
    return pixels


def discs(image: np.ndarray, landmarks: np.ndarray, reach: int = 12):
    """Middles (21, 2) and areas (21,) of what is white around each landmark."""
    middles, areas = [], []
    for x, y in np.rint(landmarks).astype(int):
        window = image[y - reach : y + reach + 1, x - reach : x + reach + 1] > 215
        rows, columns = np.nonzero(window)
        middles.append((x - reach + columns.mean(), y - reach + rows.mean()))
        areas.append(len(rows))
    return np.array(middles), np.array(areas)


@pytest.fixture(scope="module")
def hands():
    """Drawings of one age, whose joints are marked and known."""
    phantoms = [make_phantom(AGE, "female", seed, height=640) for seed in range(N)]
    return [marked(one) for one in phantoms], np.array([one.landmarks for one in phantoms])


def test_joints_lie_on_each_other_within_two_pixels_although_landmarks_are_off(hands):
    images, landmarks = hands
    given = landmarks + np.random.default_rng(1).normal(0, NOISE, landmarks.shape)
    assert np.linalg.norm(given - landmarks, axis=-1).mean() > 3.5
    made = average(images, given)
    assert made.image.shape == (HEIGHT, WIDTH)
    middles, areas = discs(made.image, made.landmarks)
    # Of the middle half of the values at a pixel, white are those where most discs overlap: the
    # discs stay whole only where they lie on each other.
    assert np.median(areas) > 0.8 * np.pi * RADIUS**2
    assert areas.min() > 0.5 * np.pi * RADIUS**2
    distances = np.linalg.norm(middles - made.landmarks, axis=1)
    assert distances.mean() < 2
    assert made.sharpness > 2 * made.sharpness_before


def test_right_hands_are_averaged_as_left_ones(hands):
    images, landmarks = (each[:8] for each in hands)
    mixed = [
        (image[:, ::-1], mirrored(points, image.shape[1])) if number % 2 else (image, points)
        for number, (image, points) in enumerate(zip(images, landmarks, strict=True))
    ]
    left = average(list(images), landmarks)
    both = average([image for image, _ in mixed], np.array([points for _, points in mixed]))
    np.testing.assert_allclose(both.landmarks, left.landmarks, atol=0.01)
    assert np.abs(both.image.astype(int) - left.image).mean() < 1


def test_a_hand_unlike_the_others_is_left_out(hands):
    images, landmarks = hands
    other = make_phantom(216, "female", 50, height=640)  # grown up
    made = average([*images, other.pixels], np.array([*landmarks, other.landmarks]))
    assert not made.kept[-1]
    assert made.kept[:-1].mean() > 0.8


def test_flow_finds_a_known_shift_and_following_it_undoes_it():
    here = cv2.copyMakeBorder(make_phantom(AGE, "male", 3, height=640).pixels, 0, 0, 16, 16, 1)
    there = np.roll(here, (3, -2), axis=(0, 1))  # 2 to the left, 3 down
    mask = hand_mask(here)
    flow = find_flow(detail(here), detail(there), mask, 8.0)
    assert flow.shape == (160, 128, 2)
    inside = cv2.resize(mask, (128, 160)) > 0.9
    np.testing.assert_allclose(np.median(flow[inside], axis=0), (-2, 3), atol=0.3)
    back = np.abs(follow(there, flow).astype(float) - here)[mask > 0.9].mean()
    assert back < 0.4 * np.abs(there.astype(float) - here)[mask > 0.9].mean()


def test_the_trimmed_mean_does_not_see_one_bright_or_dark_hand():
    stack = np.full((8, 2, 2), 100, np.uint8)
    stack[0], stack[1] = 255, 0
    np.testing.assert_array_equal(trimmed_mean(stack), 100)


def test_detail_is_the_same_whatever_the_exposure():
    pixels = make_phantom(AGE, "male", 3, height=640).pixels
    darker = np.rint(0.6 * pixels + 30).astype(np.uint8)
    inside = hand_mask(pixels) > 0.9
    both = [detail(each)[inside].astype(float) for each in (pixels, darker)]
    assert np.corrcoef(*both)[0, 1] > 0.98
