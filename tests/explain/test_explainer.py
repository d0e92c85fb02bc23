"""A model that answers with the mean over an image and its mirror image is explained by both."""

import keras
import numpy as np
import pytest

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("Grad-CAM needs TensorFlow", allow_module_level=True)

from boneage.explain.attention import CbamAttention
from boneage.explain.explainer import Explainer

from boneage.explain.gradcam import GradCam
from boneage.explain.overlay import upsample
from boneage.models.registry import build_model, find_model

CBAM = "tiny_resnet_cbam"
DIRECTIONS = ("raises", "lowers")


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).random((96, 96, 1), dtype="float32")


@pytest.fixture(scope="module")
def models():
    """Of each name one model, with the weights of a fixed seed."""
    keras.utils.set_random_seed(5)
    return {name: build_model(name, 96, 40.0, 127.0) for name in ("tiny_densenet", CBAM)}


@pytest.mark.parametrize("name", ["tiny_densenet", CBAM])
def test_maps_of_a_mirrored_model_turn_with_the_image(models, name, image):
    explainer = Explainer(models[name], find_model(name), mirrored=True)
    for direction in DIRECTIONS:
        heat = explainer.gradcam(image, "male", direction)
        mirrored = explainer.gradcam(image[:, ::-1], "male", direction)
        np.testing.assert_allclose(mirrored[:, ::-1], heat, rtol=1e-4, atol=1e-5)
    attention, mirrored = explainer.attention(image), explainer.attention(image[:, ::-1])
    for stage, weights in attention.spatial.items():
        np.testing.assert_allclose(mirrored.spatial[stage][:, ::-1], weights, rtol=1e-4)
        np.testing.assert_allclose(mirrored.channel[stage], attention.channel[stage], rtol=1e-4)
    assert len(attention.spatial) == (4 if name == CBAM else 0)


def test_the_map_is_the_mean_of_both_scaled_once(models, image):
    """The larger of the two counts more: each is scaled to its own maximum nowhere."""
    model, grid = models[CBAM], find_model(CBAM).last_grid
    gradcam, explainer = GradCam(model), Explainer(model, find_model(CBAM), mirrored=True)
    for direction in DIRECTIONS:
        of_image = upsample(gradcam(image, "female", direction), grid, 96)
        of_mirror_image = upsample(gradcam(image[:, ::-1], "female", direction), grid, 96)[:, ::-1]
        mean = (of_image + of_mirror_image) / 2
        found = explainer.gradcam(image, "female", direction)
        np.testing.assert_allclose(found * mean.max(), mean, rtol=1e-4, atol=1e-6)
        assert found.max() in (0, 1)


def test_attention_is_the_mean_of_both(models, image):
    entry = find_model(CBAM)
    cbam = CbamAttention(models[CBAM])
    of_image, of_mirror_image = cbam(image), cbam(image[:, ::-1])
    found = Explainer(models[CBAM], entry, mirrored=True).attention(image)
    for stage, grid in entry.attention_grids.items():
        mirrored_back = upsample(of_mirror_image.spatial[stage], grid, 96)[:, ::-1]
        expected = (upsample(of_image.spatial[stage], grid, 96) + mirrored_back) / 2
        np.testing.assert_allclose(found.spatial[stage], expected, rtol=1e-5)
        expected = (of_image.channel[stage] + of_mirror_image.channel[stage]) / 2
        np.testing.assert_allclose(found.channel[stage], expected, rtol=1e-5)


@pytest.mark.parametrize("size", [96, 192])
def test_a_model_that_reads_the_image_alone_is_explained_by_the_image_alone(models, image, size):
    entry = find_model(CBAM)
    explainer = Explainer(models[CBAM], entry, mirrored=False)
    factor = size / 96
    cells = GradCam(models[CBAM])(image, "male", "raises")
    expected = upsample(cells, entry.last_grid.scaled(factor), size)
    found = explainer.gradcam(image, "male", "raises", size)
    assert found.shape == (size, size)
    np.testing.assert_allclose(found * expected.max(), expected, rtol=1e-4, atol=1e-6)
    attention, cbam = explainer.attention(image, size), CbamAttention(models[CBAM])(image)
    for stage, grid in entry.attention_grids.items():
        expected = upsample(cbam.spatial[stage], grid.scaled(factor), size)
        np.testing.assert_array_equal(attention.spatial[stage], expected)
        np.testing.assert_array_equal(attention.channel[stage], cbam.channel[stage])
