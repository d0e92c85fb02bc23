import cv2
import numpy as np
import pytest

from boneage.datasets.phantoms import draw_phantom
from boneage.datasets.rsna import find_images
from boneage.radiographs.borders import find_film
from boneage.radiographs.contrast import looks_black_on_white
from boneage.radiographs.reading import read_radiograph

FILM = draw_phantom(120, "female", seed=1)
HEIGHT, WIDTH = FILM.shape


def _framed(level, left, top, right, bottom, film=FILM):
    return cv2.copyMakeBorder(film, top, bottom, left, right, cv2.BORDER_CONSTANT, value=level)


def noisy(framed, sd):
    """A frame of a scanner's lid, the film of `_framed` left as it is."""
    lid = np.random.default_rng(0).normal(framed, sd).clip(0, 255).astype(np.uint8)
    return np.where(framed == framed[0, 0], lid, framed)


@pytest.mark.parametrize("sd", [1, 3, 8])
@pytest.mark.parametrize("level", [128, 200, 250])
@pytest.mark.parametrize(
    "widths", [(30, 30, 30, 30), (0, 0, 15, 0), (0, 40, 0, 0), (100, 12, 0, 0), (15, 0, 15, 0)]
)
def test_the_noise_of_a_lid_does_not_hide_it(sd, level, widths):
    left, top, _, _ = widths
    framed = noisy(_framed(level, *widths), sd)
    assert find_film(framed) == (left, top, left + WIDTH, top + HEIGHT)
    assert find_film(framed.astype(np.uint16) * 257) == find_film(framed)


@pytest.mark.parametrize("widths", [(30, 30, 30, 30), (0, 0, 15, 0), (40, 40, 0, 0)])
@pytest.mark.parametrize("sd", [0, 4])
def test_a_black_frame_is_left_out_of_black_bones_on_white_only(widths, sd):
    left, top, _, _ = widths
    expected = (left, top, left + WIDTH, top + HEIGHT)
    for film in (FILM, 255 - FILM):
        framed = noisy(_framed(0, *widths, film), sd)
        assert find_film(framed) == (0, 0, framed.shape[1], framed.shape[0])
        radiograph = read_radiograph(cv2.imencode(".png", framed)[1].tobytes())
        assert radiograph.inverted == (film is not FILM)
        whole = (WIDTH, HEIGHT) if radiograph.inverted else framed.shape[::-1]
        assert radiograph.pixels.shape[::-1] == whole
    assert find_film(framed, black_too=True) == expected


@pytest.mark.parametrize("level", [60, 128, 200, 255])
@pytest.mark.parametrize(
    "widths", [(50, 50, 50, 50), (12, 40, 200, 8), (300, 300, 300, 300), (0, 40, 40, 40)]
)
def test_frame_is_found_to_the_pixel(level, widths):
    left, top, _, _ = widths
    expected = (left, top, left + WIDTH, top + HEIGHT)
    framed = _framed(level, *widths)
    assert find_film(framed) == expected
    assert find_film(framed.astype(np.uint16) * 257) == expected
    assert find_film(framed.astype(np.float32) / 255 - 3) == expected


def test_frames_within_frames_are_found():
    inner = _framed(255, 20, 20, 20, 20)
    assert find_film(_framed(60, 0, 50, 0, 30, inner)) == (20, 70, 20 + WIDTH, 70 + HEIGHT)


def test_frame_round_black_bones_on_white_is_found():
    assert find_film(_framed(128, 30, 30, 30, 30, 255 - FILM))[:2] == (30, 30)


@pytest.mark.parametrize(
    "film",
    [
        FILM,
        255 - FILM,
        _framed(0, 60, 60, 60, 60),  # black background, not a frame
        cv2.blur(_framed(255, 60, 0, 0, 0), (3, 3)),  # a collimator's edge
        cv2.blur(_framed(255, 60, 60, 0, 0), (3, 3)),
        cv2.blur(noisy(_framed(120, 60, 60, 60, 0), 2), (3, 3)),
        _framed(0, 60, 60, 0, 0),
        np.full((200, 150), 7, np.uint8),
        np.where(np.add.outer(np.arange(200), np.arange(200)) % 100 < 50, 0, 255),
        cv2.GaussianBlur(_framed(255, 60, 60, 60, 60), (0, 0), 15),  # a gradual edge
    ],
)
def test_what_is_no_frame_stays(film):
    assert find_film(film) == (0, 0, film.shape[1], film.shape[0])


def test_saturated_background_is_no_frame():
    """Black bones on a white that fills most lines: the hand has no straight edge."""
    hand = np.full((400, 300), 255, np.uint8)
    cv2.ellipse(hand, (150, 220), (80, 120), 0, 0, 360, 40, -1)
    assert find_film(hand) == (0, 0, 300, 400)


def test_gray_frame_does_not_decide_on_polarity():
    framed = _framed(140, 200, 200, 200, 200)
    left, top, right, bottom = find_film(framed)
    assert not looks_black_on_white(framed[top:bottom, left:right])


def test_real_radiographs_have_no_frame(rsna):
    """Nor have those with a collimator's gray or white surround (4467 to 6289)."""
    ids = ["4467", "4536", "4550"]
    files = list(find_images(rsna / "boneage-test-dataset", ids).values())
    ids = ["10069", "11242", "12685", "15050", "6289"]
    files += find_images(rsna / "boneage-training-dataset", ids).values()
    files += sorted((rsna / "boneage-training-dataset").iterdir())[::400]
    for file in files:
        assert read_radiograph(file).info.borders == (0, 0, 0, 0), file.name
    assert len(files) >= 30


def test_a_frame_around_nothing_stays():
    film = np.full((200, 300), 50, np.uint8)
    film[:, 60:240] = 200
    assert find_film(film, black_too=True) == (0, 0, 300, 200)
