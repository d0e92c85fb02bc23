import keras
import numpy as np
import pytest

from boneage.models.registry import build_model
from boneage.sanity_checks.randomization import Randomization, randomizable_stages, similarity

STAGES = ["head", "stage 4", "stage 3", "stage 2", "stage 1", "stem"]


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (96, 96), np.uint8)


@pytest.mark.parametrize("name", ["tiny_densenet", "tiny_resnet_cbam"])
def test_stages_hold_every_weight_once_from_the_output_down(name):
    model = build_model(name, input_size=96)
    stages = randomizable_stages(model)
    assert list(stages) == STAGES
    layers = [layer for stage in stages.values() for layer in stage]
    assert sum(layer.count_params() for layer in layers) == model.count_params()
    assert len({id(layer) for layer in layers}) == len(layers)
    head = {layer.name for layer in stages["head"]}
    assert head == {"sex_features1", "sex_features2", "head1", "output"} | (
        {"head2"} if "resnet" in name else set()
    )
    assert {"stem_conv", "stem_bn"} == {layer.name for layer in stages["stem"]}


def test_each_step_randomizes_one_more_stage_and_the_model_is_restored(image, monkeypatch):
    keras.utils.set_random_seed(3)
    model = build_model("tiny_resnet_cbam", 96, output_scale=41.0, output_offset=127.0)
    randomization = Randomization(model, mirrored=False)
    learned = {v.path: v.numpy().copy() for v in model.weights}
    changed = []

    def record(self, *arguments):
        changed.append({v.path for v in model.weights if (v.numpy() != learned[v.path]).any()})
        return np.arange(9.0).reshape(3, 3) * (1 if len(changed) < 3 else -1)

    monkeypatch.setattr(Randomization, "_gradcam", record)
    table = randomization(image, "female", "raises")
    assert table["stage"].tolist() == STAGES
    assert table["step"].tolist() == [1, 2, 3, 4, 5, 6]
    assert table["similarity"].tolist() == pytest.approx([1, -1, -1, -1, -1, -1])
    assert not changed[0]
    for before, after, stage in zip(changed, changed[1:], STAGES, strict=False):
        assert before < after
        # Biases and the state of batch normalization are at their initial values already.
        kernels = {
            weight.path
            for layer in randomization.stages[stage]
            for weight in layer.weights
            if weight.name == "kernel"
        }
        assert after - before == kernels
    for variable in model.weights:
        np.testing.assert_array_equal(variable.numpy(), learned[variable.path])


def test_every_radiograph_has_random_weights_of_its_own(image):
    keras.utils.set_random_seed(3)
    model = build_model("tiny_densenet", 96, output_scale=41.0, output_offset=127.0)
    randomization = Randomization(model, mirrored=False, seed=1)
    first, second = (randomization(image, "male", "raises") for _ in range(2))
    again = Randomization(model, mirrored=False, seed=1)(image, "male", "raises")
    assert first["similarity"].tolist() != second["similarity"].tolist()
    assert first["similarity"].tolist() == pytest.approx(again["similarity"].tolist())


def test_the_maps_compared_are_those_of_the_answer(image):
    """Of a model that reads the mirror image, too, it does not matter which of both is given."""
    keras.utils.set_random_seed(3)
    model = build_model("tiny_resnet_cbam", 96, output_scale=41.0, output_offset=127.0)
    of_both = [
        Randomization(model, mirrored=True)(given, "male", "raises")["similarity"].tolist()
        for given in (image, image[:, ::-1])
    ]
    assert len(of_both[0]) == len(STAGES)
    assert of_both[0] == pytest.approx(of_both[1], abs=0.01)
    alone = Randomization(model, mirrored=False)(image, "male", "raises")["similarity"].tolist()
    assert alone != pytest.approx(of_both[0], abs=0.05)


def test_an_even_map_has_no_order_to_lose(image, monkeypatch):
    monkeypatch.setattr(Randomization, "_gradcam", lambda *_: np.zeros((3, 3), np.float32))
    table = Randomization(build_model("tiny_densenet", 96), mirrored=False)(image, "male", "raises")
    assert table.empty
    assert list(table) == ["step", "stage", "similarity"]


def test_similarity_is_spearmans():
    first = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert similarity(first, first**3) == pytest.approx(1)
    assert similarity(first, -first) == pytest.approx(-1)
    # Ranks 1 2 3 4 and 2 1 4 3: 1 - 6 * 4 / (4 * 15).
    assert similarity(first, np.array([[2.0, 1.0], [4.0, 3.0]])) == pytest.approx(0.6)
    assert similarity(first, np.ones((2, 2))) == 0
