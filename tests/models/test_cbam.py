import keras
import numpy as np
import pytest

from boneage.models.cbam import cbam
from boneage.models.registry import build_model


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.fixture(scope="module")
def block():
    features = keras.Input((5, 6, 32))
    return keras.Model(features, cbam(features, prefix="block"))


def outputs_of(model, layer, inputs):
    part = keras.Model(model.inputs, model.get_layer(layer).output)
    return keras.ops.convert_to_numpy(part([inputs], training=False))


def test_channel_attention_follows_equation_2(block):
    x = np.random.default_rng(0).normal(size=(2, 5, 6, 32)).astype("float32")
    squeeze, squeeze_bias = block.get_layer("block_channel_squeeze").get_weights()
    excite, excite_bias = block.get_layer("block_channel_excite").get_weights()
    assert squeeze.shape == (32, 2)

    def mlp(pooled):
        return np.maximum(pooled @ squeeze + squeeze_bias, 0) @ excite + excite_bias

    expected = sigmoid(mlp(x.mean(axis=(1, 2))) + mlp(x.max(axis=(1, 2))))
    weights = outputs_of(block, "block_channel_attention", x)
    assert weights.shape == (2, 1, 1, 32)
    np.testing.assert_allclose(weights[:, 0, 0], expected, rtol=1e-4)


def test_spatial_attention_follows_equation_3(block):
    x = np.random.default_rng(1).normal(size=(1, 5, 6, 32)).astype("float32")
    weighted = x * outputs_of(block, "block_channel_attention", x)
    kernel, bias = block.get_layer("block_spatial_attention").get_weights()
    pooled = np.stack([weighted.mean(axis=-1), weighted.max(axis=-1)], axis=-1)[0]
    padded = np.pad(pooled, ((3, 3), (3, 3), (0, 0)))
    expected = np.array(
        [
            [np.sum(padded[i : i + 7, j : j + 7] * kernel[..., 0]) + bias[0] for j in range(6)]
            for i in range(5)
        ]
    )
    weights = outputs_of(block, "block_spatial_attention", x)
    np.testing.assert_allclose(weights[0, ..., 0], sigmoid(expected), rtol=1e-4)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(block(x)), weighted * weights, rtol=1e-4, atol=1e-6
    )


def test_every_block_of_the_network_has_both_attentions():
    model = build_model("tiny_resnet_cbam", input_size=64)
    channels, cells = {1: 8, 2: 16, 3: 16, 4: 32}, {1: 16, 2: 8, 3: 4, 4: 2}
    for stage in (1, 2, 3, 4):
        name = f"stage{stage}_block1"
        channel = model.get_layer(f"{name}_channel_attention").output.shape
        spatial = model.get_layer(f"{name}_spatial_attention").output.shape
        assert channel == (None, 1, 1, channels[stage])
        assert spatial == (None, cells[stage], cells[stage], 1)
