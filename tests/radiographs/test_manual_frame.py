import math

import cv2
import numpy as np
import pytest

from boneage.datasets.phantoms import draw_phantom, make_phantom
from boneage.radiographs.hand import MANUAL, find_hand, upright_axes
from boneage.radiographs.manual_frame import ManualFrame, ManualFrameError
from boneage.radiographs.preprocessing import prepare

FILM = np.pad(draw_phantom(120, "female", 1), 120)
HEIGHT, WIDTH = FILM.shape


def frame_around(hand, shape=FILM.shape) -> ManualFrame:
    """The frame that a person would give for a hand that was found."""
    size, rotation = np.array(shape[::-1]), -hand.angle
    canvas = ManualFrame((0, 0, 99, 99), rotation).canvas(*size)
    middle = (hand.center - (size - 1) / 2) @ upright_axes(hand.angle).T + np.array(canvas) / 2
    low, high = middle - np.array(hand.size) / 2, middle + np.array(hand.size) / 2
    return ManualFrame((*low, *high), rotation)


@pytest.mark.parametrize("turn", [0, 25, 160])
def test_the_automatic_box_given_by_hand_prepares_the_same_image(turn):
    about = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), turn, 1)
    film = cv2.warpAffine(FILM, about, (WIDTH, HEIGHT))
    automatic = prepare(film)
    framed = prepare(film, frame=frame_around(automatic.hand))
    assert framed.hand.method == MANUAL
    np.testing.assert_allclose(framed.hand.center, automatic.hand.center, atol=1e-3)
    difference = np.abs(framed.image.astype(int) - automatic.image)
    assert (difference > 2).mean() < 0.001
    apart = np.linalg.norm(framed.hand.landmarks - automatic.hand.landmarks, axis=1)
    assert apart.max() < 0.05 * max(automatic.hand.size)


@pytest.mark.parametrize("quarters", range(1, 4))
def test_a_box_on_a_film_rotated_by_quarters_is_the_box_of_the_rotated_pixels(quarters):
    box = (30, 20, 231, 421)
    rows, columns = (np.rot90(axis, -quarters) for axis in np.indices(FILM.shape))  # clockwise
    framed = prepare(FILM, frame=ManualFrame(box, 90 * quarters))
    assert framed.hand.center == pytest.approx((columns[220, 130], rows[220, 130]))
    rotated = prepare(FILM[rows, columns], frame=ManualFrame(box))
    difference = np.abs(framed.image.astype(int) - rotated.image)
    assert difference.mean() < 2  # shrunk and interpolated along other axes


def test_a_full_turn_more_is_the_same_frame():
    box = (30, 20, 230, 420)
    once, more = (ManualFrame(box, turn).hand(FILM) for turn in (30, 30 - 360))
    assert once.center == pytest.approx(more.center) and once.angle == pytest.approx(more.angle)


def test_the_rotated_film_lies_on_a_canvas_that_holds_it():
    box = (0, 0, 64, 64)
    assert ManualFrame(box).canvas(400, 300) == (400, 300)
    assert ManualFrame(box, 90).canvas(400, 300) == (300, 400)
    assert ManualFrame(box, -180).canvas(400, 300) == (400, 300)
    side = round(700 / math.sqrt(2))
    assert ManualFrame(box, 45).canvas(400, 300) == (side, side)


def test_without_a_hand_in_the_box_the_box_is_still_the_crop():
    hand = ManualFrame((0, 0, 100, 80)).hand(FILM)
    assert (hand.method, hand.landmarks) == (MANUAL, None)
    assert (hand.center, hand.size, hand.angle) == ((49.5, 39.5), (100, 80), 0)


def test_landmarks_are_looked_for_in_the_box_alone():
    phantom = make_phantom(120, "female", 1)
    height, width = phantom.pixels.shape
    pair = np.hstack([phantom.pixels, phantom.pixels])
    for start in (0, width):
        landmarks = ManualFrame((start, 0, start + width, height)).hand(pair).landmarks
        assert (landmarks[:, 0] > start).all() and (landmarks[:, 0] < start + width).all()


def test_the_given_rotation_counts_and_not_that_of_the_landmarks():
    sideways = np.ascontiguousarray(np.rot90(FILM))
    hand = ManualFrame((0, 0, HEIGHT, WIDTH)).hand(sideways)
    assert hand.angle == 0 and hand.landmarks is not None
    assert abs(find_hand(sideways).angle) > 60


@pytest.mark.parametrize("rotation", [0, 90, 30])
def test_a_film_alone_keeps_the_box_only(rotation):
    film = np.full((200, 300), 7, np.uint8)
    alone = ManualFrame((80, 60, 180, 160), rotation).alone(film)
    assert film.all() and set(np.unique(alone)) == {0, 7}
    assert (alone > 0).sum() == pytest.approx(100 * 100, rel=0.03)


@pytest.mark.parametrize(
    ("box", "rotation", "reason"),
    [
        ((0, 0, math.nan, 100), 0, "finite"),
        ((0, 0, 100, 100), math.inf, "finite"),
        ((100, 0, 100, 100), 0, "empty: give left, top, right and bottom"),
        ((0, 100, 100, 0), 0, "empty"),
        ((0, 0, 100, 63), 0, "too small (100 x 63 pixels): each side needs at least 64"),
    ],
)
def test_a_frame_that_is_none_is_refused_in_a_sentence(box, rotation, reason):
    with pytest.raises(ManualFrameError) as error:
        ManualFrame(box, rotation)
    assert reason in str(error.value) and str(error.value).endswith(".")


@pytest.mark.parametrize(
    ("box", "rotation", "reason"),
    [
        ((-1, 0, 100, 100), 0, "The box -1,0,100,100 reaches beyond the film: it is 300 x 200"),
        ((0, 0, 301, 100), 0, "it is 300 x 200 pixels"),
        ((0, 0, 100, 201), 0, "it is 300 x 200 pixels"),
        ((0, 0, 250, 100), 90, "rotated by 90 degrees it is 200 x 300 pixels"),
    ],
)
def test_a_box_beyond_the_film_is_refused_with_the_size_of_the_film(box, rotation, reason):
    with pytest.raises(ManualFrameError) as error:
        prepare(np.zeros((200, 300), np.uint8), frame=ManualFrame(box, rotation))
    assert reason in str(error.value)
