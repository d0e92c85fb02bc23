import base64
import json

import cv2
import numpy as np
import pytest

from boneage.figures import viewer
from boneage.figures.viewer import Framing, viewer_data
from boneage.radiographs.hand import MEDIAPIPE, Hand, full_frame
from boneage.radiographs.manual_frame import ManualFrame


def gray(height=900, width=700):
    return np.tile(np.linspace(20, 200, width).astype(np.uint8), (height, 1))


def shown(url: str) -> np.ndarray:
    content = np.frombuffer(base64.b64decode(url.partition(",")[2]), np.uint8)
    return cv2.imdecode(content, cv2.IMREAD_UNCHANGED)


def test_a_film_is_reduced_but_keeps_its_size_in_pixels():
    film = viewer.film(gray(2400, 1800))
    assert (film.width, film.height) == (1800, 2400)
    assert film.url.startswith("data:image/jpeg;base64,")
    assert shown(film.url).shape == (1600, 1200)
    assert (
        np.abs(shown(film.url).astype(int) - cv2.resize(gray(2400, 1800), (1200, 1600))).max() < 9
    )


def test_a_film_is_shown_with_the_contrast_of_its_middle():
    low, high = viewer.film(gray()).window
    assert 20 / 255 < low < 60 / 255
    assert 160 / 255 < high < 200 / 255


@pytest.mark.parametrize("shape", [(256, 256), (64, 64, 3)])
def test_a_small_image_is_sent_as_it_is(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    picture = viewer.picture(image)
    assert picture.window == (0, 1)
    sent = shown(picture.url)
    np.testing.assert_array_equal(sent if image.ndim == 2 else sent[..., ::-1], image)


def test_the_boxes_of_hands_are_drawn_within_the_film():
    inside = Hand(MEDIAPIPE, (300.0, 500.0), (200.0, 400.0))
    film = viewer.picture(gray())
    data = viewer_data(film, "A film", "scene", hands=[inside, full_frame(gray())])
    assert data["outlines"][0] == {
        "points": [[200, 300], [400, 300], [400, 700], [200, 700]],
        "thin": False,
    }
    assert data["outlines"][1] == {
        "points": [[3, 3], [696, 3], [696, 896], [3, 896]],
        "thin": True,
    }


def test_the_version_changes_with_whatever_is_shown():
    film, other = viewer.picture(gray()), viewer.picture(gray() + 1)
    data = viewer_data(film, "A film", "scene")
    assert json.loads(json.dumps(data)) == data
    assert viewer_data(film, "A film", "scene")["version"] == data["version"]
    hand = full_frame(gray())
    others = [
        viewer_data(other, "A film", "scene"),
        viewer_data(film, "Another", "scene"),
        viewer_data(film, "A film", "scene", hands=[hand]),
        viewer_data(film, "A film", "scene", framing=Framing.around(hand, film)),
    ]
    assert len({each["version"] for each in [data, *others]}) == 5


@pytest.mark.parametrize("angle", [0.0, -17.0, 90.0, 200.0])
def test_the_box_of_a_hand_drawn_again_is_the_same_hand(angle):
    pixels = np.zeros((900, 700), np.uint8)
    found = Hand(MEDIAPIPE, (330.0, 460.0), (200.0, 300.0), angle)
    framing = Framing.around(found, viewer.picture(pixels))
    again = ManualFrame(framing.box, framing.rotation).hand(pixels, second_attempt=False)
    assert again.center == pytest.approx(found.center)
    assert again.size == pytest.approx(found.size)
    assert (again.angle - found.angle) % 360 == pytest.approx(0)


def test_without_a_hand_the_box_begins_in_the_middle():
    framing = Framing.around(full_frame(gray()), viewer.picture(gray()))
    assert framing == Framing((70, 90, 630, 810), 0)
