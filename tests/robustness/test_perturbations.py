import cv2
import numpy as np
import pytest

from boneage.datasets.phantoms import draw_phantom
from boneage.radiographs.hand import find_hand
from boneage.radiographs.reading import read_radiograph
from boneage.robustness import perturbations
from boneage.robustness.perturbations import PERTURBATIONS


@pytest.fixture(scope="module")
def pixels():
    return draw_phantom(108, "male", seed=1)


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_every_perturbation_changes_a_copy_and_gives_a_file_that_can_be_read(name, pixels):
    before = pixels.copy()
    perturbation = PERTURBATIONS[name]
    changed = perturbation.change(pixels)
    assert changed.dtype == np.uint8
    assert not np.shares_memory(changed, pixels)
    read = read_radiograph(perturbation.file(pixels))
    assert read.pixels.shape == changed.shape
    assert read.file_type == ("JPEG" if name == "jpeg_30" else "PNG")
    assert not read.inverted
    np.testing.assert_array_equal(pixels, before)


def test_sizes(pixels):
    assert pixels.shape == (400, 300)
    assert PERTURBATIONS["width_128"].change(pixels).shape == (171, 128)
    assert PERTURBATIONS["enlarged_4"].change(pixels).shape == (1600, 1200)
    # 7.5% of 400 and 300 are 30 and 22.5, 15% are 60 and 45, and each goes twice.
    assert PERTURBATIONS["cut_7.5"].change(pixels).shape == (340, 256)
    assert PERTURBATIONS["cut_15"].change(pixels).shape == (280, 210)


def test_reducing_averages():
    checks = np.tile(np.array([[0, 200], [200, 0]], np.uint8), (2, 2))
    assert (perturbations.to_width(checks, 2) == 100).all()


def test_what_is_cut_is_the_edge():
    frame = np.arange(100, dtype=np.uint8).reshape(10, 10)
    np.testing.assert_array_equal(perturbations.cut(frame, 0.2), frame[2:8, 2:8])


def test_a_quarter_turn_left_is_the_one_of_numpy():
    square = np.arange(25, dtype=np.uint8).reshape(5, 5)
    np.testing.assert_array_equal(perturbations.turn(square, 90), np.rot90(square))


def test_turning_uncovers_black():
    turned = perturbations.turn(np.full((100, 80), 200, np.uint8), 15)
    assert turned.shape == (100, 80)
    assert turned[0, 0] == turned[-1, -1] == 0
    assert turned[50, 40] == 200


def test_gamma_moves_the_middle_and_not_the_ends():
    gray = np.array([[0, 64, 255]], np.uint8)
    # 255 * (64 / 255) ** 0.6 = 111.3 and ** 1.6 = 27.9
    assert perturbations.gamma(gray, 0.6).tolist() == [[0, 111, 255]]
    assert perturbations.gamma(gray, 1.6).tolist() == [[0, 28, 255]]


def test_mirroring_twice_changes_nothing(pixels):
    mirrored = perturbations.mirror(pixels)
    assert (mirrored[:, 0] == pixels[:, -1]).all()
    np.testing.assert_array_equal(perturbations.mirror(mirrored), pixels)


def test_jpeg_has_the_quality_it_says(pixels):
    decoded = cv2.imdecode(np.frombuffer(PERTURBATIONS["jpeg_30"].file(pixels), np.uint8), 0)
    error = np.abs(decoded.astype(float) - pixels).mean()
    assert 0.5 < error < 5
    fine = perturbations.Perturbation("JPEG, quality 95", jpeg_quality=95).file(pixels)
    assert len(fine) > 2 * len(PERTURBATIONS["jpeg_30"].file(pixels))


@pytest.mark.parametrize(("name", "degrees"), [("turned_left_15", 15), ("turned_right_15", -15)])
def test_hand_finding_turns_a_turned_hand_back(name, degrees, pixels):
    before = find_hand(pixels).angle
    after = find_hand(PERTURBATIONS[name].change(pixels)).angle
    assert after - before == pytest.approx(-degrees, abs=4)
