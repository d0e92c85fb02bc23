import keras
import numpy as np
import pytest

from boneage.training.augmentation import RandomAffine, RandomGamma, augmentation_layers
from boneage.training.presets import Augmentation


@pytest.fixture
def images():
    return np.random.default_rng(0).random((16, 32, 32, 1), np.float32)


def test_outside_training_nothing_changes(images):
    changed = images
    for layer in augmentation_layers(Augmentation(gamma=0.4, erasing=0.5)):
        changed = layer(changed, training=False)
    np.testing.assert_array_equal(np.asarray(changed), images)


def test_without_ranges_nothing_changes(images):
    changed = RandomAffine(flip=False)(images, training=True)
    np.testing.assert_allclose(np.asarray(changed), images, atol=1e-5)


def test_flip_mirrors_about_half_of_the_images(images):
    changed = np.asarray(RandomAffine(flip=True, seed=1)(images, training=True))
    same = [np.allclose(a, b, atol=1e-4) for a, b in zip(changed, images, strict=True)]
    mirrored = [np.allclose(a, b[:, ::-1], atol=1e-4) for a, b in zip(changed, images, strict=True)]
    assert all(np.logical_xor(same, mirrored))
    assert 2 <= sum(mirrored) <= 14


def test_rotation_stays_within_its_range():
    """A dot above the center must land on the arc that the range allows, and spread over it."""
    image = np.zeros((64, 65, 65, 1), np.float32)
    image[:, 12, 32] = 1
    changed = np.asarray(RandomAffine(flip=False, rotation=30, seed=2)(image, training=True))
    y, x = np.indices((65, 65))
    mass = changed[..., 0].sum((1, 2))
    dots = np.stack([(changed[..., 0] * c).sum((1, 2)) / mass - 32 for c in (x, y)])
    np.testing.assert_allclose(np.hypot(*dots), 20, atol=0.6)
    angles = np.degrees(np.arctan2(dots[0], -dots[1]))
    assert np.abs(angles).max() < 31
    assert np.ptp(angles) > 40


def test_scale_changes_height_against_width():
    """With aspect alone, a square becomes a rectangle of nearly the same area."""
    image = np.zeros((32, 64, 64, 1), np.float32)
    image[:, 22:42, 22:42] = 1
    changed = np.asarray(RandomAffine(flip=False, aspect=0.4, seed=3)(image, training=True))
    height = changed.sum(1).max((1, 2))
    width = changed.sum(2).max((1, 2))
    assert np.ptp(np.log(height / width)) > 0.4
    np.testing.assert_allclose(height * width, 400, rtol=0.12)


def test_gamma_keeps_black_and_white_and_spreads_over_its_range():
    gray = np.full((64, 4, 4, 1), 0.25, np.float32)
    gray[:, 0, 0], gray[:, 0, 1] = 0, 1
    changed = np.asarray(RandomGamma(0.5, seed=5)(gray, training=True))
    assert (changed[:, 0, 0] == 0).all()
    assert (changed[:, 0, 1] == 1).all()
    powers = np.log(np.log(changed[:, 1:]) / np.log(0.25))
    assert np.ptp(powers, axis=(1, 2)).max() < 1e-4  # one power an image
    assert 0.4 < np.abs(powers).max() <= 0.5001
    assert abs(powers.mean()) < 0.15


def test_erasing_blackens_a_small_rectangle_in_its_share_of_the_images():
    white = np.ones((128, 64, 64, 1), np.float32)
    settings = Augmentation(False, 0, 0, 0, 0, contrast=0, brightness=0, erasing=0.5)
    changed = white
    for layer in augmentation_layers(settings):
        changed = layer(changed, training=True)
    changed = np.asarray(changed)[..., 0].round(3)
    assert set(np.unique(changed)) == {0, 1}
    black = changed == 0
    share = black.mean((1, 2))
    assert 0.35 < (share > 0).mean() < 0.65
    assert share.max() < 0.1
    for image in black[share > 0]:
        assert image.sum() == image.any(0).sum() * image.any(1).sum()


@pytest.mark.parametrize(
    "layer", [RandomAffine(rotation=3, shift=0.1, seed=4), RandomGamma(0.3, seed=4)]
)
def test_the_layers_survive_saving(layer):
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.get_config() == layer.get_config()
