import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from boneage.models.registry import MODELS, build_model, find_model

TINY = [name for name, entry in MODELS.items() if entry.hidden]


def some_inputs(size=32, n=2):
    generator = np.random.default_rng(0)
    images = generator.random((n, size, size, 1), dtype="float32")
    return [images, np.tile([[1.0], [0.0]], (n // 2, 1)).astype("float32")]


def predict(model, inputs):
    return keras.ops.convert_to_numpy(model(inputs, training=False))


@pytest.mark.parametrize(
    ("name", "reference"), [("densenet121", 7_075_241), ("resnet34_cbam", 22_590_634)]
)
def test_parameter_totals_are_within_one_percent_of_the_reference(name, reference):
    model = build_model(name)
    assert model.count_params() == pytest.approx(reference, rel=0.01)
    cells = model.get_layer("last_feature_map").output.shape[1]
    assert cells * MODELS[name].last_grid.stride == MODELS[name].input_size == 256


@pytest.mark.parametrize("name", ["densenet121", *TINY])
def test_floating_point_operations_are_those_tensorflow_counts(name):
    model = build_model(name)
    inputs = [tf.TensorSpec((1, *tensor.shape[1:])) for tensor in model.inputs]
    graph = tf.function(lambda *case: model(list(case))).get_concrete_function(*inputs).graph
    builder = tf.compat.v1.profiler.ProfileOptionBuilder
    options = builder(builder.float_operation()).with_empty_output().build()
    counted = tf.compat.v1.profiler.profile(graph, options=options).total_float_ops
    assert find_model(name).gflops == pytest.approx(counted / 1e9, rel=0.01)


@pytest.mark.parametrize("name", TINY)
def test_inputs_and_output(name):
    model = build_model(name)
    assert [(tensor.name, tensor.shape) for tensor in model.inputs] == [
        ("image", (None, 32, 32, 1)),
        ("sex", (None, 1)),
    ]
    assert model.layers[-1].name == "bone_age"
    assert predict(model, some_inputs()).shape == (2, 1)
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)


@pytest.mark.parametrize("name", TINY)
def test_output_is_scaled_to_months(name):
    plain = build_model(name)
    scaled = build_model(name, output_scale=40.0, output_offset=127.0)
    scaled.set_weights(plain.get_weights())
    inputs = some_inputs()
    np.testing.assert_allclose(
        predict(scaled, inputs), predict(plain, inputs) * 40 + 127, rtol=1e-5
    )


@pytest.mark.parametrize("name", TINY)
def test_sex_changes_the_prediction(name):
    image = np.repeat(some_inputs()[0][:1], 2, axis=0)
    female, male = predict(build_model(name), [image, np.array([[0.0], [1.0]], "float32")])[:, 0]
    assert female != male


@pytest.mark.parametrize("name", TINY)
def test_weights_of_one_size_load_into_another(name, tmp_path):
    small, large = build_model(name, 32), build_model(name, 64)
    small.save_weights(tmp_path / "small.weights.h5")
    large.load_weights(tmp_path / "small.weights.h5")
    for before, after in zip(small.get_weights(), large.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert predict(large, some_inputs(64)).shape == (2, 1)


@pytest.mark.parametrize("name", TINY)
def test_saved_model_predicts_the_same(name, tmp_path):
    model = build_model(name, l2=1e-4, output_scale=40.0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        predict(loaded, some_inputs()), predict(model, some_inputs()), rtol=1e-5
    )


@pytest.mark.parametrize("name", TINY)
def test_months_stay_float32_in_mixed_precision(name):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build_model(name, l2=1e-4)
    finally:
        keras.config.set_dtype_policy(policy)
    assert model.get_layer("last_feature_map").compute_dtype == "bfloat16"
    assert predict(model, some_inputs()).dtype == np.float32


@pytest.mark.parametrize("name", TINY)
def test_l2_penalises_every_kernel_and_nothing_else(name):
    assert build_model(name).losses == []
    model = build_model(name, l2=1e-2)
    kernels = [weight for weight in model.weights if weight.name == "kernel"]
    expected = 1e-2 * sum(np.sum(keras.ops.convert_to_numpy(k) ** 2) for k in kernels)
    assert len(model.losses) == len(kernels)
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", TINY)
def test_dropout_reaches_every_dropout_layer(name):
    model = build_model(name, dropout=0.25)
    rates = {layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)}
    assert rates == {0.25}


def test_unknown_name_lists_the_models_for_users():
    with pytest.raises(ValueError, match="densenet121, resnet34_cbam") as error:
        find_model("vgg")
    assert "tiny" not in str(error.value)


@pytest.mark.parametrize("option", [{"input_size": 16}, {"dropout": 1.0}, {"l2": -1.0}])
def test_options_out_of_range_are_refused(option):
    with pytest.raises(ValueError, match="; use "):
        build_model("tiny_densenet", **option)


def test_listing_the_models_imports_no_keras():
    code = "import sys, boneage.models.registry; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
