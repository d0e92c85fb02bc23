"""A preparation that makes other images of the same files has to have another version."""

import dataclasses

import cv2
import numpy as np
import prepared_phantoms
import pytest
from prepared_phantoms import CASES, UPDATE, changes, reference, store

from boneage.radiographs import hand, preprocessing
from boneage.radiographs.preprocessing import PREPROCESSING_VERSION


@pytest.fixture(scope="module")
def stored():
    images = reference(PREPROCESSING_VERSION)
    assert images is not None, f"Store the reference of PREPROCESSING_VERSION: {UPDATE}"
    return images


def test_the_prepared_images_are_those_of_this_version(stored):
    found = changes(stored)
    assert not found, (
        f"The preparation makes other images than version {PREPROCESSING_VERSION} did "
        f"({'; '.join(found)}). If that is meant: raise PREPROCESSING_VERSION, store the reference "
        f"({UPDATE}), and regenerate what was measured on the old images (python -m boneage "
        "sanity-checks, robustness, quality, atlas-evaluate)."
    )


def _less_margin(monkeypatch):
    found = preprocessing.find_hand
    monkeypatch.setattr(
        preprocessing, "find_hand", lambda p, margin, *more: found(p, 0.9 * margin, *more)
    )


def _more_contrast(monkeypatch):
    equalize = preprocessing._equalize
    monkeypatch.setattr(
        preprocessing,
        "_equalize",
        lambda image, p: equalize(image, dataclasses.replace(p, clahe_clip_limit=2.5)),
    )


def _one_attempt_less(monkeypatch):
    monkeypatch.setattr(hand, "_ATTEMPTS", hand._ATTEMPTS[:2])


def _no_segmentation(monkeypatch):
    monkeypatch.setattr(hand, "_segment", lambda *_: None)


def _no_inversion(monkeypatch):
    read = prepared_phantoms.read_radiograph

    def as_it_was(file):
        radiograph = read(file)
        pixels = 255 - radiograph.pixels if radiograph.inverted else radiograph.pixels
        return dataclasses.replace(radiograph, pixels=pixels)

    monkeypatch.setattr(prepared_phantoms, "read_radiograph", as_it_was)


def _aslant(monkeypatch):
    axes = hand.upright_axes
    monkeypatch.setattr(hand, "upright_axes", lambda angle: axes(angle + 3))


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (_less_margin, "upright"),
        (_more_contrast, "upright"),
        (_one_attempt_less, "third attempt"),
        (_no_segmentation, "bright region"),
        (_no_inversion, "black bones"),
        (_aslant, "turned"),
    ],
)
def test_a_changed_preparation_is_noticed(stored, monkeypatch, change, case):
    change(monkeypatch)
    assert changes(stored, [case])


def test_noise_that_nobody_sees_is_not(stored, monkeypatch):
    """Another processor rounds a few gray levels otherwise."""
    encode, rng = cv2.imencode, np.random.default_rng(0)

    def noisy(ending, pixels):
        noise = rng.integers(-1, 2, pixels.shape) * (rng.random(pixels.shape) < 0.001)
        limits = np.iinfo(pixels.dtype)
        noisy = np.clip(pixels.astype(int) + noise, limits.min, limits.max)
        return encode(ending, noisy.astype(pixels.dtype))

    monkeypatch.setattr(cv2, "imencode", noisy)
    assert changes(stored) == []


def test_a_reference_is_replaced_only_where_the_version_is_raised(tmp_path, monkeypatch):
    monkeypatch.setattr(prepared_phantoms, "FOLDER", tmp_path)
    monkeypatch.setattr(prepared_phantoms, "CASES", {"upright": CASES["upright"]})
    store()
    with pytest.raises(ValueError, match="Raise PREPROCESSING_VERSION"):
        store()
    monkeypatch.setattr(preprocessing, "PREPROCESSING_VERSION", PREPROCESSING_VERSION + 1)
    assert reference(PREPROCESSING_VERSION + 1) is None
    store()
    assert list(reference(PREPROCESSING_VERSION + 1)) == ["upright"]
    assert reference(PREPROCESSING_VERSION) is None
