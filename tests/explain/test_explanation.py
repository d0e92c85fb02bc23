"""A model that answers with the mean over an image and its mirror image is explained by both."""

import numpy as np
import pytest
from random_weights import with_random_weights

from boneage.explain.explanation import explain, outputs_to_explain
from boneage.explain.gradcam import gradcam
from boneage.explain.overlay import upsample
from boneage.inference.runtime import Runtime
from boneage.models.registry import build_model, find_model
from boneage.training.export import export_model

CBAM = "tiny_resnet_cbam"
TINY = ("tiny_densenet", CBAM)
DIRECTIONS = ("raises", "lowers")


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).integers(0, 256, (96, 96), np.uint8)


@pytest.fixture(scope="module")
def runtimes():
    """(name, mirrored) -> the exported model."""
    models = {name: with_random_weights(build_model(name, 96, 40.0, 127.0)) for name in TINY}
    return {
        (name, mirrored): Runtime(export_model(models[name], mirrored))
        for name in TINY
        for mirrored in (False, True)
    }


def outputs_of(runtime, name, image, sex):
    return runtime(image[np.newaxis], [sex], outputs_to_explain(find_model(name)))


def explanation_of(runtime, name, image, sex, direction):
    return explain(outputs_of(runtime, name, image, sex), find_model(name), direction, 96)


def cells_of(outputs, direction):
    """Grad-CAM of the one reading there is."""
    features, gradient = (outputs[name] for name in ("last_feature_map", "pooled_gradient"))
    assert len(features) == 1
    return gradcam(features[0, 0], gradient[0, 0], direction)


@pytest.mark.parametrize("name", TINY)
def test_maps_of_a_mirrored_model_turn_with_the_image(runtimes, name, image):
    runtime = runtimes[name, True]
    for direction in DIRECTIONS:
        of_image, of_mirror_image = (
            explanation_of(runtime, name, given, "male", direction)
            for given in (image, image[:, ::-1])
        )
        np.testing.assert_allclose(
            of_mirror_image.gradcam[:, ::-1], of_image.gradcam, rtol=1e-4, atol=1e-5
        )
    assert list(of_image.spatial) == list(of_image.channel) == [1, 2, 3, 4] * (name == CBAM)
    for stage, weights in of_image.spatial.items():
        np.testing.assert_allclose(of_mirror_image.spatial[stage][:, ::-1], weights, rtol=1e-4)
        np.testing.assert_allclose(
            of_mirror_image.channel[stage], of_image.channel[stage], rtol=1e-4
        )


@pytest.mark.parametrize("name", TINY)
def test_the_map_is_the_mean_of_both_scaled_once(runtimes, name, image):
    """The larger of the two counts more: each is scaled to its own maximum nowhere."""
    grid = find_model(name).last_grid
    alone = [
        outputs_of(runtimes[name, False], name, given, "female")
        for given in (image, image[:, ::-1])
    ]
    for direction in DIRECTIONS:
        of_image, of_mirror_image = (
            upsample(cells_of(outputs, direction), grid, 96) for outputs in alone
        )
        mean = (of_image + of_mirror_image[:, ::-1]) / 2
        found = explanation_of(runtimes[name, True], name, image, "female", direction).gradcam
        assert found.dtype == np.float32
        np.testing.assert_allclose(found * mean.max(), mean, rtol=1e-4, atol=1e-6)
        assert found.max() == 1


def test_attention_is_the_mean_of_both(runtimes, image):
    of_image, of_mirror_image = (
        outputs_of(runtimes[CBAM, False], CBAM, given, "male") for given in (image, image[:, ::-1])
    )
    found = explanation_of(runtimes[CBAM, True], CBAM, image, "male", "raises")
    for stage, grid in find_model(CBAM).attention_grids.items():
        maps = [
            upsample(outputs[f"stage{stage}_spatial_attention"][0, 0], grid, 96)
            for outputs in (of_image, of_mirror_image)
        ]
        np.testing.assert_allclose(
            found.spatial[stage], (maps[0] + maps[1][:, ::-1]) / 2, rtol=1e-5
        )
        name = f"stage{stage}_channel_attention"
        expected = (of_image[name] + of_mirror_image[name])[0, 0] / 2
        np.testing.assert_allclose(found.channel[stage], expected, rtol=1e-4)


@pytest.mark.parametrize("size", [None, 96, 192])
def test_a_model_that_reads_the_image_alone_is_explained_by_the_image_alone(runtimes, image, size):
    entry, outputs = find_model(CBAM), outputs_of(runtimes[CBAM, False], CBAM, image, "male")
    side = size or 96
    for direction in DIRECTIONS:
        found = explain(outputs, entry, direction, 96, size)
        assert found.direction == direction
        expected = upsample(cells_of(outputs, direction), entry.last_grid.scaled(side / 96), side)
        assert found.gradcam.shape == (side, side)
        np.testing.assert_allclose(found.gradcam * expected.max(), expected, rtol=1e-4, atol=1e-6)
    for stage, grid in entry.attention_grids.items():
        cells = outputs[f"stage{stage}_spatial_attention"][0, 0]
        assert cells.shape == (96 // grid.stride,) * 2
        expected = upsample(cells, grid.scaled(side / 96), side)
        np.testing.assert_array_equal(found.spatial[stage], expected)
        weights = outputs[f"stage{stage}_channel_attention"][0, 0]
        np.testing.assert_array_equal(found.channel[stage], weights)
        assert 0 < min(expected.min(), weights.min()) <= max(expected.max(), weights.max()) < 1


def test_a_map_that_is_zero_stays_zero(runtimes, image):
    entry, outputs = find_model(CBAM), outputs_of(runtimes[CBAM, True], CBAM, image, "male")
    even = outputs | {"pooled_gradient": np.zeros_like(outputs["pooled_gradient"])}
    for direction in DIRECTIONS:
        assert not explain(even, entry, direction, 96).gradcam.any()


def test_an_unknown_direction_is_refused(runtimes, image):
    with pytest.raises(ValueError, match="direction"):
        explanation_of(runtimes[CBAM, False], CBAM, image, "male", "both")
