"""Exported graphs compute what the Keras models compute."""

import keras
import numpy as np
import onnx
import pytest
from keras import layers
from onnx import numpy_helper
from random_weights import with_random_weights

from boneage.inference.runtime import Runtime
from boneage.models.cbam import ChannelMeanAndMax
from boneage.models.heads import bone_age_model, image_and_sex_inputs, inference_model
from boneage.models.registry import build_model, find_model
from boneage.radiographs.preprocessing import to_model_input
from boneage.training.export import ExportError, export_model

TINY = ("tiny_densenet", "tiny_resnet_cbam")
CBAM = "tiny_resnet_cbam"
SIZE = 64
SEXES = ["female", "male", "male"]


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE), np.uint8)


@pytest.fixture(scope="module")
def models():
    return {name: with_random_weights(build_model(name, SIZE, 41.0, 127.0)) for name in TINY}


def by_keras(model, images, mirrored=False):
    """(3, 1): what a Keras model of image and sex puts out."""
    inputs = [to_model_input(images), np.array([[0.0], [1.0], [1.0]], np.float32)]
    return keras.ops.convert_to_numpy(inference_model(model, mirrored)(inputs, training=False))


def by_graph(model, images, mirrored=False):
    """Output name -> value, of all outputs."""
    runtime = Runtime(export_model(model, mirrored))
    return runtime(images, SEXES, runtime.outputs)


def value_of(model, layer, images):
    """(3, ...): what a layer of a Keras model puts out."""
    return by_keras(keras.Model(model.inputs, model.get_layer(layer).output), images)


def test_months_are_those_of_keras(models, images):
    for model in models.values():
        for mirrored in (False, True):
            expected = by_keras(model, images, mirrored)[:, 0]
            assert np.ptp(expected) > 1
            found = by_graph(model, images, mirrored)["bone_age"]
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)


def test_a_batch_is_computed_as_each_image_alone(models, images):
    """The runtime gives the graph one image at a time; the graph takes any number."""
    import onnxruntime

    for model in models.values():
        content = export_model(model, mirrored=True)
        expected = Runtime(content)(images, SEXES, ["bone_age", "pooled_gradient"])
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        sex = np.array([[0.0], [1.0], [1.0]], np.float32)
        found = session.run(list(expected), {"image": to_model_input(images), "sex": sex})
        for value, each in zip(found, expected.values(), strict=True):
            np.testing.assert_allclose(value, each, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("mirrored", [False, True])
def test_every_output_is_that_of_its_layer(models, images, mirrored):
    readings = [images, images[:, :, ::-1]] if mirrored else [images]
    for name, model in models.items():
        found = by_graph(model, images, mirrored)
        n_attentions = 2 * len(find_model(name).attention_grids)
        assert len(found) == 4 + n_attentions
        np.testing.assert_allclose(
            found["pooled_features"],
            value_of(model, "pooled_features", images),
            rtol=1e-4,
            atol=1e-5,
        )
        assert found["pooled_gradient"].shape == (len(readings), *found["pooled_features"].shape)
        for output, values in found.items():
            assert values.dtype == np.float32
            if output == "last_feature_map":
                layer = output
            elif "attention" in output:
                layer = output.replace("_", "_block1_", 1)
            else:
                continue
            expected = np.stack([value_of(model, layer, reading) for reading in readings])
            expected = np.moveaxis(expected, -1, 2)  # channels first
            if "spatial" in output:
                expected = expected[:, :, 0]
            elif "channel" in output:
                expected = expected[..., 0, 0]
            np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5)


# Models of one's own ------------------------------------------------------------------------


def model_of(body, hidden_units=(4,)):
    """A model with this body, a function of the image, every weight of it random."""
    image, sex = image_and_sex_inputs(SIZE)
    model = bone_age_model("own", image, sex, body(image), hidden_units, 0.3, 10.0, 100.0)
    return with_random_weights(model)


def every_layer(image):
    """Each kind of layer that is exported, with the options that the models do not use."""
    x = layers.ZeroPadding2D(((1, 2), (0, 3)))(image)
    x = layers.Conv2D(6, (3, 5), padding="same", activation="relu")(x)
    x = layers.Conv2D(8, (2, 4), strides=(2, 3), use_bias=False)(x)
    x = layers.BatchNormalization(epsilon=0.01)(x)
    x = layers.MaxPooling2D((2, 3), strides=(1, 2))(x)
    x = layers.Rescaling(0.5, -0.25)(x)
    x = layers.AveragePooling2D(2)(x)
    x = layers.Dense(8, activation="sigmoid")(x)
    weights = layers.GlobalMaxPooling2D(keepdims=True)(x)
    y = layers.Multiply()([x, weights])
    y = layers.Dropout(0.5)(layers.Add()([x, y]))
    return layers.Concatenate()([x, ChannelMeanAndMax()(y), layers.Activation("relu")(y)])


def test_every_kind_of_layer_is_exported(images):
    model = model_of(every_layer)
    found = by_graph(model, images, mirrored=True)
    expected = value_of(model, "last_feature_map", images)
    np.testing.assert_allclose(
        found["last_feature_map"][0], np.moveaxis(expected, -1, 1), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        found["bone_age"], by_keras(model, images, mirrored=True)[:, 0], rtol=0, atol=1e-3
    )


def test_a_shared_layer_is_used_with_the_same_weights_each_time(images):
    def body(image):
        shared = layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="shared")
        return layers.Concatenate()([shared(image), shared(shared(image))])

    model = model_of(body)
    found = by_graph(model, images)
    expected = value_of(model, "last_feature_map", images)
    np.testing.assert_allclose(
        found["last_feature_map"][0], np.moveaxis(expected, -1, 1), rtol=1e-4, atol=1e-6
    )
    content = onnx.load_from_string(export_model(model, mirrored=False))
    kernels = [x.name for x in content.graph.initializer if x.name == "shared/kernel"]
    assert len(kernels) == 1


def test_attention_is_that_of_the_last_block_of_each_stage(images):
    """Ten blocks, so that ordering names as text would take block 9 for the last one."""

    def body(x):
        x = layers.AveragePooling2D(16)(x)
        for stage, blocks in ((1, 10), (2, 3)):
            for block in range(1, blocks + 1):
                prefix = f"stage{stage}_block{block}"
                x = layers.Conv2D(1, 1, activation="sigmoid", name=f"{prefix}_spatial_attention")(x)
                pooled = layers.GlobalMaxPooling2D(keepdims=True)(x)
                layer = layers.Activation("sigmoid", name=f"{prefix}_channel_attention")
                x = layers.Multiply()([x, layer(pooled)])
        return x

    model = model_of(body)
    found = by_graph(model, images)
    assert [name for name in found if "attention" in name] == [
        "stage1_channel_attention",
        "stage1_spatial_attention",
        "stage2_channel_attention",
        "stage2_spatial_attention",
    ]
    for stage, last in ((1, 10), (2, 3)):
        spatial = value_of(model, f"stage{stage}_block{last}_spatial_attention", images)[..., 0]
        before = value_of(model, f"stage{stage}_block{last - 1}_spatial_attention", images)[..., 0]
        assert np.abs(spatial - before).max() > 1e-3
        np.testing.assert_allclose(found[f"stage{stage}_spatial_attention"][0], spatial, rtol=1e-4)
        channel = value_of(model, f"stage{stage}_block{last}_channel_attention", images)[:, 0, 0]
        np.testing.assert_allclose(found[f"stage{stage}_channel_attention"][0], channel, rtol=1e-4)


@pytest.mark.parametrize("hidden_units", [(), (5,), (7, 6, 5)])
def test_the_gradient_is_that_of_the_head(images, hidden_units):
    """By differences: a small step in each pooled feature changes the months as it says."""
    body = layers.Conv2D(3, 8, strides=8, activation="relu")
    model = model_of(body, hidden_units)
    outputs = by_graph(model, images)
    features, gradient = outputs["pooled_features"], outputs["pooled_gradient"][0]
    assert (np.abs(gradient).max(axis=1) > 0).all()
    rest = keras.Model(
        [model.get_layer("pooled_features").output, model.inputs[1]], model.outputs[0]
    )
    sex = np.array([[0.0], [1.0], [1.0]], np.float32)
    step = 1e-2
    for channel in range(3):
        shift = step * np.eye(3, dtype=np.float32)[channel]
        above, below = (np.asarray(rest([features + s, sex])) for s in (shift, -shift))
        expected = (above - below)[:, 0] / (2 * step)
        np.testing.assert_allclose(gradient[:, channel], expected, rtol=0.01, atol=0.02)


def test_a_model_of_mixed_precision_is_exported(images):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = build_model(CBAM, SIZE, 41.0, 127.0)
    finally:
        keras.config.set_dtype_policy(policy)
    plain = build_model(CBAM, SIZE, 41.0, 127.0)
    plain.set_weights(with_random_weights(mixed).get_weights())
    # The graph computes in float32, whatever the model was trained in.
    found = by_graph(mixed, images)
    for name, value in by_graph(plain, images).items():
        np.testing.assert_array_equal(found[name], value)


# The file -----------------------------------------------------------------------------------


def test_weights_are_stored_as_float16_where_that_loses_nothing():
    model = with_random_weights(build_model(CBAM, SIZE, 41.0, 127.0))
    for variable in model.weights:
        variable.assign(variable.numpy().astype(np.float16).astype(np.float32))
    exact = model.get_layer("stem_bn")
    exact.moving_variance.assign(np.full(8, 70000.0))  # beyond the range of float16
    exact.moving_mean.assign(np.full(8, 0.1))  # not a float16
    graph = onnx.load_from_string(export_model(model, mirrored=True)).graph
    stored = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    of_model = {
        name: value for name, value in stored.items() if "/" in name and value.dtype.kind == "f"
    }
    in_full = {name for name, value in of_model.items() if value.dtype == np.float32}
    assert in_full - {"months/kernel"} == {"stem_bn/moving_variance", "stem_bn/moving_mean"}
    for variable in model.weights:
        values = stored[variable.path]
        if variable.name == "kernel" and values.ndim == 4:
            kernel = variable.numpy()
            kernel = kernel.reshape((1,) * (4 - kernel.ndim) + kernel.shape)
            np.testing.assert_array_equal(values.transpose(2, 3, 1, 0), kernel)
        else:
            np.testing.assert_array_equal(values, variable.numpy())


def test_the_same_model_gives_the_same_file(models):
    for model in models.values():
        assert export_model(model, True) == export_model(model, True)


@pytest.mark.parametrize(
    ("layer", "fault"),
    [
        (layers.UpSampling2D(name="odd"), "is of type UpSampling2D"),
        (layers.SeparableConv2D(2, 3, name="odd"), "is of type SeparableConv2D"),
        (layers.Activation("tanh", name="odd"), "has the activation tanh"),
        (layers.Conv2D(2, 3, activation="gelu", name="odd"), "has the activation gelu"),
        (layers.Dense(2, activation="softmax", name="odd"), "has the activation softmax"),
        (
            layers.Conv2D(2, 3, strides=2, padding="same", name="odd"),
            'has padding "same" with strides or an even kernel',
        ),
        (
            layers.Conv2D(2, (3, 4), padding="same", name="odd"),
            'has padding "same" with strides or an even kernel',
        ),
        (layers.Conv2D(2, 3, dilation_rate=2, name="odd"), "is dilated or grouped"),
        (layers.Conv2D(2, 3, groups=2, name="odd"), "is dilated or grouped"),
        (layers.MaxPooling2D(3, padding="same", name="odd"), 'has padding "same"'),
        (layers.AveragePooling2D(3, padding="same", name="odd"), 'has padding "same"'),
    ],
)
def test_what_cannot_be_exported_is_refused_in_a_sentence(layer, fault):
    model = model_of(lambda image: layer(layers.Conv2D(2, 3)(image)))
    with pytest.raises(ExportError) as caught:
        export_model(model, mirrored=False)
    assert str(caught.value) == (
        f"The layer odd {fault}, which boneage/training/export.py does not export; add it there."
    )
