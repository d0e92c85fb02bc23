import numpy as np
import pytest

from boneage.datasets.phantoms import make_phantom
from boneage.radiographs.both_hands import FilmPart, split_film
from boneage.radiographs.hand import FULL_FRAME, Hand, full_frame

PHANTOM = make_phantom(120, "female", 1)
HEIGHT, WIDTH = PHANTOM.pixels.shape
MIRRORED = (WIDTH - 1, 0) + PHANTOM.landmarks * (-1, 1)
PHANTOM_SIDE, OTHER_SIDE = "left", "right"  # the thumb of a phantom is on its right


def pair(stack=np.hstack, first=PHANTOM.pixels, second=PHANTOM.pixels[:, ::-1]) -> np.ndarray:
    return stack([first, second])


def test_hands_side_by_side_are_told_apart_by_their_thumbs():
    second = MIRRORED + (WIDTH, 0)
    for hands in ((PHANTOM.landmarks, second), (second, PHANTOM.landmarks)):
        one, other = split_film(pair(), *hands)
        assert (one.side, other.side) == (PHANTOM_SIDE, OTHER_SIDE)
        assert (one.position, other.position) == ("left", "right")
        assert one.region[0] == 0 and one.region[2] == other.region[0]
        assert other.region[2:] == (2 * WIDTH, HEIGHT)
        assert abs(one.region[2] - WIDTH) < 0.1 * WIDTH


def test_hands_that_changed_places_keep_their_sides():
    film = pair(first=PHANTOM.pixels[:, ::-1], second=PHANTOM.pixels)
    one, other = split_film(film, MIRRORED, PHANTOM.landmarks + (WIDTH, 0))
    assert (one.side, other.side) == (OTHER_SIDE, PHANTOM_SIDE)


def test_two_thumbs_on_one_side_do_not_tell_the_hands_apart():
    film = pair(second=PHANTOM.pixels)
    parts = split_film(film, PHANTOM.landmarks, PHANTOM.landmarks + (WIDTH, 0))
    assert [part.side for part in parts] == [None, None]


def test_one_hand_above_the_other():
    one, other = split_film(pair(np.vstack), PHANTOM.landmarks, MIRRORED + (0, HEIGHT))
    assert (one.position, other.position) == ("top", "bottom")
    assert one.region == (0, 0, WIDTH, other.region[1])
    assert other.region[2:] == (WIDTH, 2 * HEIGHT)


def test_hands_upside_down_are_the_same_hands():
    turned = (2 * WIDTH - 1, HEIGHT - 1) - np.stack([PHANTOM.landmarks, MIRRORED + (WIDTH, 0)])
    one, other = split_film(pair()[::-1, ::-1], *turned)
    assert (one.side, other.side) == (OTHER_SIDE, PHANTOM_SIDE)


def test_the_cut_goes_where_the_gap_is_darkest():
    film = np.full((100, 200), 50, np.uint8)
    film[:, 110:121] = 10
    hand = np.full((21, 2), 50.0)
    one, other = split_film(film, hand, hand + (100, 0))
    assert one.region[2] == other.region[0] == 116


def test_hands_that_overlap_are_not_cut():
    assert split_film(pair(), PHANTOM.landmarks, PHANTOM.landmarks + (20, 20)) is None


def test_a_part_alone_leaves_nothing_else_on_the_film():
    film = np.arange(1, 13, dtype=np.uint8).reshape(3, 4)
    part = FilmPart(None, "right", (2, 0, 4, 3))
    assert part.crop(film).tolist() == [[3, 4], [7, 8], [11, 12]]
    assert part.alone(film).tolist() == [[0, 0, 3, 4], [0, 0, 7, 8], [0, 0, 11, 12]]
    assert film.all()


def test_a_hand_moves_with_its_landmarks():
    hand = Hand("mediapipe", (3.0, 4.0), (2.0, 2.0), 5.0, np.ones((21, 2), np.float32))
    moved = hand.moved(10, 20)
    assert moved.center == (13, 24) and (moved.size, moved.angle) == (hand.size, hand.angle)
    assert moved.landmarks.dtype == np.float32 and (moved.landmarks == (11, 21)).all()
    whole = full_frame(np.zeros((5, 7), np.uint8)).moved(1, 0)
    assert whole.method == FULL_FRAME and whole.landmarks is None
    assert whole.center == pytest.approx((4, 2))
