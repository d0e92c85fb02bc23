import numpy as np
import pytest

from boneage.figures import images, palette
from boneage.radiographs.hand import FULL_FRAME, MEDIAPIPE, Hand, full_frame


def gray(height=60, width=40):
    return np.full((height, width), 50, np.uint8)


def colored(image):
    """(n, 2) x, y of the pixels that are not gray."""
    rows, columns = np.nonzero(np.ptp(image.astype(int), axis=2) > 20)
    return np.column_stack([columns, rows])


def test_a_large_radiograph_is_reduced_and_the_affine_says_how():
    pixels = np.zeros((1800, 1204), np.uint8)
    pixels[1000:1004, 600:604] = 255  # center 601.5, 1001.5
    shown = images.reduce(pixels)
    assert shown.pixels.shape == (900, 602)
    rows, columns = np.nonzero(shown.pixels)
    center = shown.from_radiograph @ (601.5, 1001.5, 1)
    assert center == pytest.approx((columns.mean(), rows.mean()), abs=0.01)


def test_a_small_radiograph_stays_as_it_is():
    shown = images.reduce(gray())
    np.testing.assert_array_equal(shown.pixels, gray())
    np.testing.assert_array_equal(shown.from_radiograph, [[1, 0, 0], [0, 1, 0]])


def test_a_thumbnail_shows_all_of_a_radiograph_in_the_middle():
    pixels = np.full((600, 400), 200, np.uint8)
    boxed = images.letterboxed(pixels, (320, 256))
    assert boxed.shape == (320, 256)
    rows, columns = np.nonzero(boxed == 200)
    assert (rows.min(), rows.max()) == (0, 319)
    assert (columns.min(), columns.max()) == (21, 233)  # 213 = 320 * 400 / 600
    assert (images.letterboxed(gray(), (320, 256)) > 0).sum() == 60 * 40  # not enlarged


def film(bones: int = 120, marker: int | None = None):
    """A film with a hand of low contrast in the middle, and a bright marker beside it."""
    pixels = np.full((300, 240), 40, np.uint8)
    pixels[80:220, 70:170] = np.linspace(60, bones, 100).astype(np.uint8)
    if marker is not None:
        pixels[20:70, 10:90] = marker  # larger than the percentiles leave out
    return pixels


@pytest.mark.parametrize("marker", [None, 255])
def test_the_hand_has_all_the_contrast_whatever_else_is_on_the_film(marker):
    low, high = images.display_window(film(marker=marker))
    assert low == 40
    assert high == pytest.approx(120, abs=2)


def test_a_bright_frame_and_black_borders_do_not_count():
    pixels = np.pad(film(), ((20, 20), (20, 20)), constant_values=230)
    low, high = images.display_window(np.pad(pixels, 20))
    assert low == 40
    assert high == pytest.approx(120, abs=2)


@pytest.mark.parametrize("gray", [0, 80, 255])
def test_an_empty_film_is_shown_as_it_is(gray):
    assert images.display_window(np.full((80, 70), gray, np.uint8)) == (0, 255)


def test_the_box_is_drawn_where_the_hand_is():
    hand = Hand(MEDIAPIPE, (300.0, 500.0), (200.0, 400.0))
    shown = images.reduce(np.full((1800, 1200), 50, np.uint8))
    image = images.with_hand_box(shown, hand)
    assert tuple(image[250, 100]) == palette.rgb(palette.HAND_BOX)
    box = colored(image)
    assert box.min(axis=0) == pytest.approx((100, 150), abs=4)
    assert box.max(axis=0) == pytest.approx((200, 350), abs=4)
    assert tuple(image[250, 150]) == (50, 50, 50)


def test_the_box_of_another_hand_is_thinner():
    hand = Hand(MEDIAPIPE, (300.0, 500.0), (200.0, 400.0))
    shown = images.reduce(np.full((1800, 1200), 50, np.uint8))
    both = images.with_hand_box(shown, hand, [hand.moved(500, 0)])
    box = colored(both)
    assert box.min(axis=0) == pytest.approx((100, 150), abs=4)
    assert box.max(axis=0) == pytest.approx((450, 350), abs=4)
    assert len(colored(both[:, 300:])) < len(colored(both[:, :300])) * 0.8


def test_a_box_around_everything_can_be_seen():
    hand = full_frame(gray())
    assert hand.method == FULL_FRAME
    box = colored(images.with_hand_box(images.reduce(gray()), hand))
    assert box.min() <= 1
    assert box.max(axis=0) == pytest.approx((39, 59), abs=1)


def test_a_map_lies_on_the_place_it_explains():
    values = np.zeros((64, 64), np.float32)
    values[20:23, 40:43] = 1  # center 41, 21
    affine = np.array([[0.0, -8.0, 900.0], [8.0, 0.0, 300.0]])  # turned and enlarged
    shown = images.reduce(np.full((1800, 1200), 50, np.uint8))
    image = images.map_on_radiograph(shown, affine, values, 0.8)
    assert image.shape == (900, 600, 3)
    expected = (affine @ (41, 21, 1)) / 2
    assert colored(image).mean(axis=0) == pytest.approx(expected, abs=1)


def test_on_the_crop_opacity_zero_shows_the_hand_alone():
    values = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)
    crop = np.full((64, 64), 90, np.uint8)
    assert (images.map_on_crop(crop, values, 0) == 90).all()
    assert (images.map_on_crop(crop, values, 0.6)[-1, -1] != 90).any()


def test_the_legend_shows_what_the_map_shows():
    crop, opacity = np.full((2, 2), 110, np.uint8), 0.7
    legend = [palette.rgb(c) for c in images.legend_colors(opacity, n=3)]
    assert legend[0] == (110, 110, 110)
    ones = np.ones((2, 2), np.float32)
    assert legend[2] == tuple(images.map_on_crop(crop, ones, opacity)[0, 0])


def test_a_difference_has_the_color_of_the_higher_map_and_nothing_where_both_are_alike():
    first, second = np.zeros((2, 2, 3), np.float32)
    first[0], second[0] = (1, 0.2, 0.7), (0, 0.7, 0.7)
    colors = ("#FF0000", "#0000FF")
    image = images.difference_map(np.full((2, 3), 50, np.uint8), first, second, colors, 1.0)
    assert image.dtype == np.uint8
    assert tuple(image[0, 0]) == (255, 0, 0)
    assert tuple(image[0, 1]) == (25, 25, 152)  # half of gray 50 and half of blue
    assert tuple(image[0, 2]) == (50, 50, 50)
    assert (image[1] == 50).all()


def test_the_cover_of_a_difference_grows_up_to_the_opacity():
    ones, zeros = np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32)
    crop = np.full((1, 1), 100, np.uint8)
    colors = ("#C80000", "#000000")
    assert tuple(images.difference_map(crop, ones, zeros, colors, 0.5)[0, 0]) == (150, 50, 50)
    assert tuple(images.difference_map(crop, ones, zeros, colors, 0.0)[0, 0]) == (100,) * 3
