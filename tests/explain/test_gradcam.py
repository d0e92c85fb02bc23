import keras
import numpy as np
import pytest

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("Grad-CAM needs TensorFlow", allow_module_level=True)

import tensorflow as tf

from boneage.datasets.challenge import MEAN_AGE
from boneage.explain.gradcam import GradCam, telling_direction
from boneage.models.registry import build_model


@pytest.fixture(scope="module")
def bright_is_old():
    """A model that reads bright 8x8 cells as older and dark ones as younger than grey."""
    image = keras.Input((64, 64, 1), name="image")
    sex = keras.Input((1,), name="sex")
    conv = keras.layers.Conv2D(2, 8, strides=8, activation="relu", name="last_feature_map")
    pooled = keras.layers.GlobalAveragePooling2D()(conv(image))
    months = keras.layers.Dense(1, name="bone_age")(
        keras.layers.Concatenate()([pooled, sex]),
    )
    model = keras.Model([image, sex], months)
    kernel = np.ones((8, 8, 1, 2), np.float32) / 64 * [1, -1]
    conv.set_weights([kernel, np.array([-0.5, 0.5])])
    model.get_layer("bone_age").set_weights([np.array([[10.0], [-10.0], [1.0]]), np.array([100.0])])
    return model


@pytest.fixture
def image():
    """Grey, with a bright cell at (1, 6) and a dark one at (5, 2)."""
    image = np.full((64, 64, 1), 0.5, np.float32)
    image[8:16, 48:56] = 1
    image[40:48, 16:24] = 0
    return image


@pytest.mark.parametrize(("direction", "cell"), [("raises", (1, 6)), ("lowers", (5, 2))])
def test_map_peaks_where_the_age_comes_from(bright_is_old, image, direction, cell):
    expected = np.zeros((8, 8), np.float32)
    expected[cell] = 1
    found = GradCam(bright_is_old)(image, "female", direction)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found / found.max(), expected, atol=1e-6)


def test_a_hand_younger_than_average_is_explained_by_what_lowers_its_age():
    assert telling_direction(MEAN_AGE - 1) == "lowers"
    assert telling_direction(MEAN_AGE + 1) == "raises"


def test_map_is_all_zero_where_nothing_moves_the_age(bright_is_old):
    grey = np.full((64, 64, 1), 0.5, np.float32)
    assert GradCam(bright_is_old)(grey, "male", "raises").max() == 0


@pytest.mark.parametrize("name", ["tiny_densenet", "tiny_resnet_cbam"])
def test_split_model_gives_the_maps_of_the_whole_model(name):
    model = build_model(name, input_size=96, output_scale=40.0, output_offset=127.0)
    image = np.random.default_rng(0).random((96, 96, 1), dtype="float32")
    whole = keras.Model(
        model.inputs, [model.get_layer("last_feature_map").output, model.outputs[0]]
    )

    @tf.function  # see test_feature_grids.py: as a graph, because of a crash of TensorFlow
    def reference(image, sex):
        """Equations 1 and 2 of the paper, before the ReLU."""
        with tf.GradientTape() as tape:
            features, months = whole([image, sex])
        weights = tf.reduce_mean(tape.gradient(months, features), axis=(1, 2), keepdims=True)
        return tf.reduce_sum(weights * features, axis=-1)

    cam = reference(tf.constant(image[None]), tf.ones((1, 1))).numpy()[0]
    assert cam.shape == (3, 3)
    gradcam = GradCam(model)
    for direction, sign in (("raises", 1.0), ("lowers", -1.0)):
        expected = np.maximum(sign * cam, 0)
        found = gradcam(image, "male", direction)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


def test_mixed_precision_model_is_explained_too():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build_model("tiny_resnet_cbam", input_size=64)
    finally:
        keras.config.set_dtype_policy(policy)
    image = np.random.default_rng(0).random((64, 64, 1), dtype="float32")
    gradcam = GradCam(model)
    maps = [gradcam(image, "male", direction) for direction in ("raises", "lowers")]
    assert max(found.max() for found in maps) > 0
    assert all(found.dtype == np.float32 and found.min() >= 0 for found in maps)


def test_bad_input_is_refused(bright_is_old, image):
    gradcam = GradCam(bright_is_old)
    with pytest.raises(ValueError, match="direction"):
        gradcam(image, "male", "both")
    with pytest.raises(ValueError, match="sex"):
        gradcam(image, "unknown", "raises")
    with pytest.raises(ValueError, match="floating point"):
        gradcam((image * 255).astype(np.uint8), "male", "raises")
