import cv2
import numpy as np
import pytest

from boneage.datasets.phantoms import make_phantom
from boneage.datasets.rsna import find_images
from boneage.errors import BoneAgeError
from boneage.radiographs import hand as hand_module
from boneage.radiographs.hand import Hand, find_hand, full_frame
from boneage.radiographs.reading import read_radiograph

N_REAL = 40


@pytest.fixture(scope="module")
def child():
    return make_phantom(108, "female", seed=3)


def _contains(hand: Hand, points: np.ndarray) -> bool:
    corners = hand.corners.astype(np.float32)
    return all(cv2.pointPolygonTest(corners, tuple(map(float, p)), False) >= 0 for p in points)


def test_the_box_holds_all_landmarks_and_the_distal_forearm(child):
    hand = find_hand(child.pixels)
    assert hand.method == "mediapipe"
    assert _contains(hand, child.landmarks)
    wrist, middle_tip = child.landmarks[0], child.landmarks[12]
    assert _contains(hand, [wrist + 0.2 * (wrist - middle_tip)])


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_turned_radiograph_gets_the_angle_that_brings_it_upright(child, turns):
    upright = find_hand(child.pixels)
    turned = find_hand(np.ascontiguousarray(np.rot90(child.pixels, turns)))
    # np.rot90 turns counter-clockwise, so the way back is that much less.
    difference = turned.angle - (upright.angle - 90 * turns)
    assert abs((difference + 180) % 360 - 180) < 10


def test_without_landmarks_the_bright_region_is_taken(monkeypatch):
    monkeypatch.setattr(hand_module, "_find_landmarks", lambda *_: None)
    pixels = np.zeros((300, 200), np.uint8)
    pixels[100:260, 60:140] = 200
    hand = find_hand(pixels)
    assert hand.method == "segmentation"
    assert hand.center == pytest.approx((99.5, 179.5), abs=2)
    assert 80 < hand.size[0] < 130
    assert 160 < hand.size[1] < 210


def test_without_any_hand_the_whole_radiograph_is_taken(monkeypatch):
    monkeypatch.setattr(hand_module, "_find_landmarks", lambda *_: None)
    flat = np.full((120, 90), 7, np.uint8)
    hand = find_hand(flat)
    assert (hand.method, hand.size, hand.center) == ("full_frame", (90, 120), (44.5, 59.5))


def test_the_second_attempt_can_be_switched_off(monkeypatch):
    attempts = []
    monkeypatch.setattr(hand_module, "_find_landmarks", lambda _, attempt: attempts.append(attempt))
    find_hand(np.full((120, 90), 7, np.uint8))
    find_hand(np.full((120, 90), 7, np.uint8), second_attempt=False)
    assert len(attempts) == 4


@pytest.mark.parametrize(
    ("width", "height"),
    [(0.1, 0.1), (0.15, 1), (1.2, 0.5)],
    ids=["a side marker", "a finger", "no hand is so wide"],
)
def test_what_cannot_be_a_hand_is_passed_over(child, monkeypatch, width, height):
    """The first attempt finds something, the second the hand."""
    center = child.landmarks.mean(axis=0)
    strange = center + (child.landmarks - center) * np.float32([width, height])
    finds = iter([strange, child.landmarks])
    monkeypatch.setattr(hand_module, "_find_landmarks", lambda *_: next(finds))
    hand = find_hand(child.pixels)
    np.testing.assert_array_equal(hand.landmarks, child.landmarks)
    finds = iter([strange] * 3)
    assert find_hand(child.pixels).method == "segmentation"


def test_corners_go_round_the_box():
    box = full_frame(np.zeros((40, 30), np.uint8))
    assert box.corners.tolist() == [[-0.5, -0.5], [29.5, -0.5], [29.5, 39.5], [-0.5, 39.5]]


def test_corners_turn_with_the_hand():
    box = Hand("mediapipe", (50, 50), (20, 40), angle=90)
    # Fingers point to the right of the film, so the hand's upper left is the film's upper right.
    assert box.corners[0] == pytest.approx([70, 40])


def test_an_altered_landmark_model_is_refused(monkeypatch):
    monkeypatch.setattr(hand_module, "_LANDMARK_SHA256", "0" * 64)
    with pytest.raises(BoneAgeError, match="install boneage again"):
        hand_module._landmark_model()


def test_a_missing_landmark_model_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(hand_module, "_LANDMARK_MODEL", tmp_path / "hand_landmarker.task")
    with pytest.raises(BoneAgeError, match="cannot be read"):
        hand_module._landmark_model()


def test_a_side_marker_is_not_taken_for_the_hand(rsna):
    """On these films it once was."""
    files = find_images(rsna / "boneage-training-dataset", ["3757", "3518", "4017"])
    for file in files.values():
        pixels = read_radiograph(file).pixels
        assert np.prod(find_hand(pixels).size) > 0.25 * pixels.size
    assert len(files) == 3


def test_hands_on_bright_film_and_beside_a_brighter_marker_are_found(rsna):
    """On these films two ways of preprocessing do not show the hand."""
    files = find_images(rsna / "boneage-training-dataset", ["2071", "2588", "3226", "3431", "3821"])
    hands = [find_hand(read_radiograph(file).pixels) for file in files.values()]
    assert [hand.method for hand in hands] == ["mediapipe"] * 5


def test_mediapipe_finds_real_hands(rsna):
    files = sorted((rsna / "boneage-training-dataset").iterdir())[:: 12_000 // N_REAL]
    methods = [find_hand(read_radiograph(file).pixels).method for file in files]
    assert np.mean([method == "mediapipe" for method in methods]) >= 0.95
