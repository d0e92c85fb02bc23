"""Maps of exported models are those of tf-keras-vis on the Keras models they come from."""

import keras
import numpy as np
import pytest
from random_weights import with_random_weights

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the reference needs TensorFlow", allow_module_level=True)

import tensorflow as tf

from boneage.explain.gradcam import gradcam
from boneage.explain.reference import ReferenceGradCam
from boneage.inference.runtime import Runtime
from boneage.models.registry import build_model
from boneage.radiographs.preprocessing import to_model_input
from boneage.training.export import export_model

TINY = ("tiny_densenet", "tiny_resnet_cbam")


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).integers(0, 256, (96, 96), np.uint8)


@pytest.fixture(scope="module", params=TINY)
def model(request):
    return with_random_weights(build_model(request.param, 96, 40.0, 127.0))


@pytest.mark.parametrize("mirrored", [False, True])
def test_maps_are_those_of_the_reference(model, image, mirrored):
    runtime, reference = Runtime(export_model(model, mirrored)), ReferenceGradCam(model)
    readings = to_model_input(np.stack([image, image[:, ::-1]] if mirrored else [image]))
    for sex in ("female", "male"):
        outputs = runtime(image[np.newaxis], [sex], ["last_feature_map", "pooled_gradient"])
        assert len(outputs["last_feature_map"]) == len(readings)
        for direction in ("raises", "lowers"):
            for number, reading in enumerate(readings):
                expected = reference(reading, sex, direction)
                assert expected.shape == (3, 3) and expected.max() > 0
                found = gradcam(
                    outputs["last_feature_map"][number, 0],
                    outputs["pooled_gradient"][number, 0],
                    direction,
                )
                np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3 * expected.max())


def test_the_pooled_gradient_is_exact(model, image):
    images = np.stack([image, image[::-1]])
    sexes = ["female", "male"]
    (found,) = Runtime(export_model(model, False))(images, sexes, ["pooled_gradient"]).values()
    parts = keras.Model(model.inputs, [model.get_layer("pooled_features").output, model.outputs[0]])

    @tf.function  # see tests/models/test_feature_grids.py: as a graph, because of a crash
    def derivative(image, sex):
        with tf.GradientTape() as tape:
            pooled, months = parts([image, sex])
        return tape.gradient(months, pooled)

    expected = derivative(to_model_input(images), np.array([[0.0], [1.0]], np.float32)).numpy()
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(found[0], expected, rtol=1e-4, atol=1e-5)


def test_the_reference_follows_equations_1_and_2_of_the_paper(model, image):
    whole = keras.Model(
        model.inputs, [model.get_layer("last_feature_map").output, model.outputs[0]]
    )
    given = to_model_input(image[np.newaxis])

    @tf.function  # see above
    def before_relu(image, sex):
        with tf.GradientTape() as tape:
            features, months = whole([image, sex])
        weights = tf.reduce_mean(tape.gradient(months, features), axis=(1, 2), keepdims=True)
        return tf.reduce_sum(weights * features, axis=-1)

    cam = before_relu(tf.constant(given), tf.ones((1, 1))).numpy()[0]
    reference = ReferenceGradCam(model)
    for direction, sign in (("raises", 1.0), ("lowers", -1.0)):
        found = reference(given[0], "male", direction)
        np.testing.assert_allclose(found, np.maximum(sign * cam, 0), rtol=1e-3, atol=1e-5)
