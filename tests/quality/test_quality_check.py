import json

import numpy as np
import pandas as pd
import pytest

from boneage import artifacts
from boneage.artifacts import ArtifactError
from boneage.datasets.phantoms import draw_phantom, make_phantom
from boneage.quality.checks import (
    COLOUR,
    NO_HAND,
    OTHER,
    SEVERAL,
    SHAPE,
    UNFAMILIAR,
    QualityMeasures,
    features_check,
    measure_quality,
)
from boneage.quality.density import DensityModel
from boneage.quality.quality_check import Gate, load_gate, to_arrays
from boneage.quality.shapes import aligned
from boneage.radiographs.preprocessing import prepare
from boneage.radiographs.reading import Radiograph

FEATURES = features_check("tiny_densenet").measure
FAR_FROM_NONE = {"tiny_densenet": np.zeros((1, 10), np.float32)}


@pytest.fixture(scope="module")
def gate():
    """One to which features near 0 and the hands of phantoms are density."""
    rng = np.random.default_rng(0)
    shapes = [aligned(make_phantom(12 + 2 * n, "male", n).landmarks) for n in range(60)]
    return Gate(
        {SHAPE: 20.0, FEATURES: 2.0},
        DensityModel.fit(np.stack(shapes), 8),
        {"tiny_densenet": DensityModel.fit(rng.normal(size=(200, 10)), 4)},
    )


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path))
    return tmp_path


def store(gate, **changes):
    facts = {"limits": gate.limits, "model_sha256": {"tiny_densenet": "a" * 64}} | changes
    artifacts.write_gate(facts, to_arrays(gate), pd.DataFrame({"kind": ["test"], "n": [1]}))


def test_familiar_features_pass_and_strange_ones_do_not(gate):
    features = {"tiny_densenet": np.stack([np.zeros(10), np.full(10, 9.0)]).astype(np.float32)}
    fine, strange = gate.judge([QualityMeasures({}), QualityMeasures({})], features)
    assert fine is None
    assert strange.kind == UNFAMILIAR
    assert strange.reason.endswith(".")


def test_what_explains_most_is_the_reason(gate):
    measures = {FEATURES: 9.0, "share in color": 0.5, SHAPE: 30.0}
    assert gate.refusal(measures).kind == COLOUR
    del measures["share in color"]
    assert gate.refusal(measures).kind == NO_HAND
    assert gate.refusal({SHAPE: 19.9, FEATURES: 1.9}) is None


def test_strangeness_is_above_one_just_where_there_is_a_refusal(gate):
    for measures in ({FEATURES: 1.9, SHAPE: 1.0}, {FEATURES: 2.1}, {"no hand found": 1.0}, {}):
        assert (gate.ood_score(measures) > 1) == (gate.refusal(measures) is not None)
    assert gate.ood_score({FEATURES: 1.0, SHAPE: 16.0}) == pytest.approx(0.8)


def test_a_phantom_is_a_hand_to_it(gate):
    pixels = draw_phantom(100, "male", 99)
    (measures,) = gate.measure(
        [measure_quality(Radiograph(pixels, "PNG"), prepare(pixels))], FAR_FROM_NONE
    )
    assert SHAPE in measures
    assert gate.refusal(measures) is None


def test_what_lies_beside_a_hand_is_another_one_if_it_has_the_shape_of_one(gate):
    hand, other = (make_phantom(100, "male", seed).landmarks for seed in (1, 2))
    scribble = np.random.default_rng(0).uniform(0, 300, (21, 2))
    quality = [
        QualityMeasures({}, hand),
        QualityMeasures({}, hand, [scribble]),
        QualityMeasures({}, hand, [scribble, other]),
    ]
    features = {"tiny_densenet": np.zeros((3, 10), np.float32)}
    alone, with_scribble, with_another = (m[OTHER] for m in gate.measure(quality, features))
    assert alone == 0 < with_scribble < with_another
    strict = Gate({OTHER: (with_scribble + with_another) / 2}, gate.shapes)
    kinds = [refusal and refusal.kind for refusal in strict.judge(quality, {})]
    assert kinds == [None, None, SEVERAL]


def test_it_comes_back_from_the_artifacts(gate, root):
    store(gate)
    again = load_gate({"tiny_densenet": "a" * 64})
    assert again.limits == gate.limits
    assert again.note is None
    measures = [
        g.measure([QualityMeasures({})], {"tiny_densenet": np.ones((1, 10), np.float32)})
        for g in (gate, again)
    ]
    assert measures[0] == measures[1]


def test_statistics_of_other_models_are_left_out_and_said_so(gate, root):
    store(gate)
    stale = load_gate({"tiny_densenet": "b" * 64, "tiny_resnet_cbam": "c" * 64})
    assert stale.features == {}
    assert "Tiny DenseNet (tests) and Tiny ResNet+CBAM (tests)" in stale.note
    assert "python -m boneage quality" in stale.note
    assert stale.refusal({SHAPE: 30.0}).kind == NO_HAND  # the rest of the gate stands
    far = {"tiny_densenet": np.full((1, 10), 99.0), "tiny_resnet_cbam": np.zeros((1, 3))}
    assert stale.judge([QualityMeasures({})], far) == [None]


def test_without_any_statistics_the_fixed_checks_stand(root):
    gate = load_gate({"tiny_densenet": "a" * 64})
    assert gate.note
    assert gate.judge([QualityMeasures({})], {"tiny_densenet": np.zeros((1, 10))}) == [None]
    assert gate.refusal({"share in color": 0.9}).kind == COLOUR


def test_damaged_statistics_get_one_sentence(gate, root):
    store(gate)
    numbers = root / "gate.safetensors"
    content = numbers.read_bytes()
    numbers.write_bytes(content[:-4] + b"\0\1\2\3")
    with pytest.raises(ArtifactError, match="not the file gate.json was written for"):
        load_gate({})
    numbers.write_bytes(content)
    facts = json.loads((root / "gate.json").read_text())
    for broken in ("{", "[]", json.dumps(facts | {"limits": None})):
        (root / "gate.json").write_text(broken)
        with pytest.raises(ArtifactError, match=r"gate\.json"):
            load_gate({"tiny_densenet": "a" * 64})
