import keras
import numpy as np
import pytest
from boneage.explain.attention import CbamAttention

from boneage.models.registry import MODELS, build_model


@pytest.fixture(scope="module")
def model():
    return build_model("tiny_resnet_cbam", input_size=64)


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).random((64, 64, 1), dtype="float32")


def test_one_map_and_one_vector_a_stage(model, image):
    attention = CbamAttention(model)(image)
    grids = MODELS["tiny_resnet_cbam"].attention_grids
    assert set(attention.spatial) == set(attention.channel) == set(grids)
    for stage, grid in grids.items():
        assert attention.spatial[stage].shape == (64 // grid.stride,) * 2
        for weights in (attention.spatial[stage], attention.channel[stage]):
            assert weights.dtype == np.float32
            assert 0 < weights.min() <= weights.max() < 1
    assert {s: len(w) for s, w in attention.channel.items()} == {1: 8, 2: 16, 3: 16, 4: 32}


def test_values_are_those_of_the_layers(model, image):
    attention = CbamAttention(model)(image)
    layer = model.get_layer("stage2_block1_spatial_attention")
    direct = keras.Model([model.inputs[0]], layer.output)([image[None]], training=False)
    np.testing.assert_allclose(
        attention.spatial[2], keras.ops.convert_to_numpy(direct)[0, ..., 0], rtol=1e-5
    )


def test_the_last_block_of_a_stage_is_read():
    image = keras.Input((4, 4, 1), name="image")
    x = image
    # Ten blocks, so that ordering names as text would take block 9 for the last one.
    for block in range(1, 11):
        x = keras.layers.Rescaling(1.0, 0.01, name=f"stage1_block{block}_spatial_attention")(x)
    attention = CbamAttention(keras.Model([image], x))(np.zeros((4, 4, 1), np.float32))
    assert attention.spatial[1] == pytest.approx(0.1)


def test_model_without_cbam_is_refused():
    with pytest.raises(ValueError, match="tiny_densenet.* no CBAM attention"):
        CbamAttention(build_model("tiny_densenet"))
