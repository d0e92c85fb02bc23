import dataclasses

import cv2
import numpy as np
import pytest

from boneage.datasets.phantoms import draw_phantom
from boneage.quality.checks import (
    BLANK,
    COLOR,
    NO_HAND,
    TOO_SMALL,
    measure_quality,
)
from boneage.quality.quality_check import QualityCheck
from boneage.radiographs.hand import Hand, find_hand, full_frame
from boneage.radiographs.preprocessing import PreparedHand, prepare
from boneage.radiographs.reading import Radiograph

PIXELS = draw_phantom(120, "female", 1)


def measures(radiograph: Radiograph, hand: Hand | None = None) -> dict[str, float]:
    prepared = prepare(radiograph.pixels)
    return measure_quality(
        radiograph, dataclasses.replace(prepared, hand=hand or prepared.hand)
    ).measures


def refusal(radiograph: Radiograph, hand: Hand | None = None):
    return QualityCheck().refusal(measures(radiograph, hand))


def hand_at(landmarks: np.ndarray, angle: float = 0.0) -> Hand:
    return Hand("mediapipe", (200.0, 200.0), (200.0, 300.0), angle, landmarks.astype(np.float32))


def test_a_hand_passes():
    assert refusal(Radiograph(PIXELS, "PNG")) is None


@pytest.mark.parametrize(
    ("radiograph", "kind"),
    [
        (Radiograph(PIXELS, "PNG", gray_levels=5), BLANK),
        (Radiograph(PIXELS, "PNG", color=0.4), COLOR),
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


@pytest.mark.parametrize("stack", [np.hstack, np.vstack])
def test_of_two_hands_on_one_film_the_other_is_seen_too(stack):
    pair = stack([PIXELS, PIXELS[:, ::-1]])
    seen = measure_quality(Radiograph(pair, "PNG"), prepare(pair))
    (other,) = seen.others
    assert np.abs(other.mean(axis=0) - seen.landmarks.mean(axis=0)).max() > 0.8 * min(PIXELS.shape)
    half = pair.shape[1] // 2 if stack is np.hstack else pair.shape[0] // 2
    axis = 0 if stack is np.hstack else 1
    assert (other[:, axis] < half).all() != (seen.landmarks[:, axis] < half).all()


def test_beside_one_hand_there_is_no_other():
    film = np.pad(PIXELS, 150)
    assert measure_quality(Radiograph(film, "PNG"), prepare(film)).others == []


def test_a_blurred_image_lacks_fine_detail_and_a_small_or_enlarged_one_does_not():
    def detail_missing(pixels):
        return measures(Radiograph(pixels, "PNG"))["fine detail missing"]

    sharp = detail_missing(PIXELS)
    blurred = detail_missing(cv2.GaussianBlur(PIXELS, (0, 0), 0.02 * min(PIXELS.shape)))
    quarter = cv2.resize(PIXELS, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    assert blurred > 1.5 * sharp
    assert detail_missing(quarter) == pytest.approx(sharp, rel=0.25)
    assert detail_missing(np.kron(PIXELS, np.ones((2, 2), np.uint8))) == pytest.approx(
        sharp, rel=0.1
    )


def test_an_empty_crop_has_no_detail():
    hand = full_frame(PIXELS)
    empty = PreparedHand(np.zeros((64, 64), np.uint8), hand, 0.0, np.eye(2, 3))
    assert measure_quality(Radiograph(PIXELS, "PNG"), empty).measures["fine detail missing"] == 1000


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
    seen = measures(Radiograph(np.resize(PIXELS, film), "PNG"), hand_at(points, angle))
    assert seen["joints near the edge"] == pytest.approx(2)
    assert seen["wrist near the edge"] == pytest.approx(100 / 80)


def test_a_joint_beyond_the_edge_has_no_room():
    points = find_hand(PIXELS).landmarks.copy()
    points[12, 1] = -30
    seen = measures(Radiograph(PIXELS, "PNG"), hand_at(points))
    assert seen["joints near the edge"] > 50
