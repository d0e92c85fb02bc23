import numpy as np
import pytest

from boneage.datasets.phantoms import draw_phantom
from boneage.gate.checks import (
    BLANK,
    COLOUR,
    NO_HAND,
    SEVERAL,
    TOO_SMALL,
    look,
)
from boneage.gate.gate import Gate
from boneage.radiographs.hand import Hand, find_hand, full_frame
from boneage.radiographs.reading import Radiograph

PIXELS = draw_phantom(120, "female", 1)


def refusal(radiograph: Radiograph, hand: Hand | None = None):
    return Gate().refusal(look(radiograph, hand or find_hand(radiograph.pixels)))


def hand_at(landmarks: np.ndarray, angle: float = 0.0) -> Hand:
    return Hand("mediapipe", (200.0, 200.0), (200.0, 300.0), angle, landmarks.astype(np.float32))


def test_a_hand_passes():
    assert refusal(Radiograph(PIXELS, "PNG")) is None


@pytest.mark.parametrize(
    ("radiograph", "kind"),
    [
        (Radiograph(PIXELS, "PNG", grey_levels=5), BLANK),
        (Radiograph(PIXELS, "PNG", colour=0.4), COLOUR),
    ],
)
def test_what_the_pixels_tell(radiograph, kind):
    refused = refusal(radiograph)
    assert refused.kind == kind
    assert refused.reason.endswith(".")


def test_what_the_hand_tells():
    radiograph = Radiograph(PIXELS, "PNG")
    assert refusal(radiograph, full_frame(PIXELS)).kind == NO_HAND
    assert refusal(radiograph, Hand("mediapipe", (9.0, 9.0), (40.0, 60.0))).kind == TOO_SMALL


def test_two_hands_on_one_film_are_two():
    pair = np.hstack([PIXELS, PIXELS[:, ::-1]])
    assert refusal(Radiograph(pair, "PNG")).kind == SEVERAL


@pytest.mark.parametrize("turns", range(4))
def test_room_is_counted_in_hand_lengths_however_the_film_is_turned(turns):
    """A hand 100 px long: 50 px from the nearest edge to a joint, 80 px down from the wrist."""
    up = np.full((21, 2), (150.0, 250.0))
    up[9], up[12], up[4] = (150, 180), (150, 150), (50, 200)
    film = (331, 401)  # height, width
    points, angle = up, 0
    for _ in range(turns):  # a quarter turn counter-clockwise
        points = np.stack([points[:, 1], film[1] - 1 - points[:, 0]], axis=1)
        film, angle = film[::-1], angle - 90
    measures = look(Radiograph(np.resize(PIXELS, film), "PNG"), hand_at(points, angle))
    assert measures["joints near the edge"] == pytest.approx(2)
    assert measures["wrist near the edge"] == pytest.approx(100 / 80)


def test_a_joint_beyond_the_edge_has_no_room():
    points = find_hand(PIXELS).landmarks.copy()
    points[12, 1] = -30
    measures = look(Radiograph(PIXELS, "PNG"), hand_at(points))
    assert measures["joints near the edge"] > 50
