import dataclasses
import json

import cv2
import numpy as np
import pytest

from boneage.datasets.phantoms import draw_phantom
from boneage.radiographs import preprocessing
from boneage.radiographs.hand import Hand
from boneage.radiographs.preprocessing import Preprocessing, prepare, to_model_input


def _with_hand(monkeypatch, hand):
    monkeypatch.setattr(preprocessing, "find_hand", lambda *_: hand)


def test_the_result_is_a_square_of_the_size_asked_for():
    pixels = draw_phantom(120, "male", seed=1)
    for size in (96, 256):
        image = prepare(pixels, Preprocessing(size=size)).image
        assert image.shape == (size, size)
        assert image.dtype == np.uint8


def test_crop_pixels_map_to_the_radiograph_pixels_they_show(monkeypatch):
    """A dot on the film must lie where the affine says, whatever the turn and the scale."""
    for angle, box in [(0, 100), (30, 100), (90, 400), (180, 400), (-45, 250)]:
        hand = Hand("mediapipe", (260.0, 210.0), (0.8 * box, float(box)), angle)
        _with_hand(monkeypatch, hand)
        film = np.zeros((420, 520), np.uint8)
        dot = (255, 228)
        cv2.circle(film, dot, 3, 255, -1)
        prepared = prepare(film, Preprocessing(clahe_clip_limit=0, window_percentile=0))
        y, x = np.average(np.indices((256, 256)).reshape(2, -1), 1, prepared.image.ravel() + 1e-9)
        assert prepared.to_radiograph @ [x, y, 1] == pytest.approx(dot, abs=0.35)


def test_aspect_is_kept_and_the_rest_is_black(monkeypatch):
    _with_hand(monkeypatch, Hand("full_frame", (49.5, 99.5), (100.0, 200.0)))
    image = prepare(np.full((200, 100), 90, np.uint8), Preprocessing(clahe_clip_limit=0)).image
    assert (image[:, :64] == 0).all()
    assert (image[:, 192:] == 0).all()


def test_a_bright_marker_costs_the_hand_no_contrast(monkeypatch):
    _with_hand(monkeypatch, Hand("full_frame", (127.5, 127.5), (256.0, 256.0)))
    film = np.tile(np.linspace(20, 80, 256).astype(np.uint8), (256, 1))
    film[:8, :8] = 255
    image = prepare(film, Preprocessing(clahe_clip_limit=0)).image
    assert image[100, 250] - image[100, 5] > 220


def test_contrast_is_that_of_the_hand_before_it_is_equalized(monkeypatch):
    _with_hand(monkeypatch, Hand("full_frame", (127.5, 127.5), (256.0, 256.0)))
    film = np.full((400, 400), 255, np.uint8)
    film[:256, :256] = np.where(np.arange(256) % 128 < 64, 80, 120)
    assert prepare(film).contrast == pytest.approx(20, abs=0.5)
    assert prepare(film // 2).contrast == pytest.approx(10, abs=0.5)
    assert prepare(np.zeros((400, 400), np.uint8)).contrast == 0


def test_clahe_raises_local_contrast(monkeypatch):
    _with_hand(monkeypatch, Hand("full_frame", (127.5, 127.5), (256.0, 256.0)))
    rng = np.random.default_rng(0)
    film = (np.linspace(20, 220, 256) + rng.normal(0, 4, (256, 256))).astype(np.uint8)
    plain, equalized = (prepare(film, Preprocessing(clahe_clip_limit=c)).image for c in (0, 3))
    local = [float(np.std(image[96:112, 96:112])) for image in (plain, equalized)]
    assert local[1] > 1.3 * local[0]


def test_the_film_resolution_hardly_matters():
    pixels = draw_phantom(96, "female", seed=5, height=1200)
    half = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    difference = prepare(pixels).image.astype(float) - prepare(half).image
    assert np.abs(difference).mean() < 8


def test_model_input_is_the_unit_range_with_a_channel():
    images = np.array([[[0, 255], [51, 102]]], np.uint8)
    result = to_model_input(images)
    assert result.shape == (1, 2, 2, 1)
    assert result.dtype == np.float32
    assert result.ravel() == pytest.approx([0, 1, 0.2, 0.4])


def test_model_input_is_averaged_down():
    images = np.zeros((1, 4, 4), np.uint8)
    images[0, :2, :2] = [[0, 100], [100, 200]]
    assert to_model_input(images, 2)[0, 0, 0, 0] == pytest.approx(100 / 255)


def test_parameters_survive_json():
    parameters = Preprocessing(size=64, margin=0.2)
    assert Preprocessing(**json.loads(json.dumps(dataclasses.asdict(parameters)))) == parameters
