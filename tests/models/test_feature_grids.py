"""The geometry in the registry, measured: where does a feature cell look?"""

import keras
import numpy as np
import pytest

from boneage.models.registry import MODELS, build_model

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the gradient is taken with TensorFlow"
)

# The widest receptive field of the tiny networks (about 195 px) must fit around a middle cell.
SIZE = 256


def model_with_positive_kernels(name):
    """All kernels equal, so that a cell weighs its receptive field evenly about its center.

    Attention kernels are zero: channel attention sees the whole image and has no center.
    """
    model = build_model(name, input_size=SIZE)
    for layer in model.layers:
        if "kernel" not in [weight.name for weight in layer.weights]:
            continue
        kernel, *bias = layer.get_weights()
        is_attention = "spatial_attention" in layer.name or "channel_" in layer.name
        value = 0.0 if is_attention else 1.0 / kernel[..., 0].size
        layer.set_weights([np.full_like(kernel, value), *bias])
    return model


def measured_center(model, layer, cell):
    """(y, x) centroid in pixels of the gradient of one cell with respect to the image.

    Averaged over random images, because max pooling passes each gradient to one pixel only.
    """
    part = keras.Model(model.inputs[0], model.get_layer(layer).output)

    # As a graph, which leaves out the gradients of the kernels that nobody asks for: on processors
    # with AVX-512, TensorFlow 2.21 can crash over them.
    @tf.function
    def gradient(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            value = tf.reduce_sum(part(images, training=False)[:, cell[0], cell[1]])
        return tape.gradient(value, images)

    images = np.random.default_rng(0).random((8, SIZE, SIZE, 1), dtype="float32")
    weight = np.abs(gradient(tf.constant(images)).numpy()).sum(axis=(0, 3))
    assert weight[[0, -1]].max() == weight[:, [0, -1]].max() == 0, "the border cuts the field"
    y, x = np.indices(weight.shape)
    return (y * weight).sum() / weight.sum(), (x * weight).sum() / weight.sum()


@pytest.mark.parametrize("name", ["tiny_densenet", "tiny_resnet_cbam"])
def test_last_feature_map_lies_where_the_registry_says(name):
    grid = MODELS[name].last_grid
    y, x = measured_center(model_with_positive_kernels(name), "last_feature_map", cell=(3, 4))
    assert y == pytest.approx(grid.first_center + 3 * grid.stride, abs=0.5)
    assert x == pytest.approx(grid.first_center + 4 * grid.stride, abs=0.5)


@pytest.mark.parametrize("stage", [1, 2, 3, 4])
def test_attention_maps_lie_where_the_registry_says(stage):
    grid = MODELS["tiny_resnet_cbam"].attention_grids[stage]
    middle = int(SIZE / grid.stride / 2)
    model = model_with_positive_kernels("tiny_resnet_cbam")
    center = measured_center(model, f"stage{stage}_block1_output", cell=(middle, middle))
    assert center == pytest.approx([grid.first_center + middle * grid.stride] * 2, abs=0.5)


@pytest.mark.parametrize(
    ("tiny", "full"), [("tiny_densenet", "densenet121"), ("tiny_resnet_cbam", "resnet34_cbam")]
)
def test_tiny_networks_share_the_geometry_of_the_full_ones(tiny, full):
    assert MODELS[tiny].last_grid == MODELS[full].last_grid
    assert MODELS[tiny].attention_grids == MODELS[full].attention_grids
