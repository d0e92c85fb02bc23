import json

import numpy as np
import pandas as pd
import pytest

from boneage import artifacts
from boneage.artifacts import ArtifactError
from boneage.datasets.phantoms import draw_phantom, make_phantom
from boneage.quality.checks import (
    COLOR,
    NO_HAND,
    OTHER,
    OUT_OF_DISTRIBUTION,
    SEVERAL,
    SHAPE,
    QualityMeasures,
    features_check,
    measure_quality,
)
from boneage.quality.density import DensityModel
from boneage.quality.quality_check import QualityCheck, load_quality_check, to_arrays
from boneage.quality.shapes import aligned
from boneage.radiographs.preprocessing import prepare
from boneage.radiographs.reading import Radiograph

FEATURES = features_check("tiny_densenet").measure
FAR_FROM_NONE = {"tiny_densenet": np.zeros((1, 10), np.float32)}


@pytest.fixture(scope="module")
def quality_check():
    """One to which features near 0 and the hands of phantoms are density."""
    rng = np.random.default_rng(0)
    shapes = [aligned(make_phantom(12 + 2 * n, "male", n).landmarks) for n in range(60)]
    return QualityCheck(
        {SHAPE: 20.0, FEATURES: 2.0},
        DensityModel.fit(np.stack(shapes), 8),
        {"tiny_densenet": DensityModel.fit(rng.normal(size=(200, 10)), 4)},
    )


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path))
    return tmp_path


def store(quality_check, **changes):
    facts = {"limits": quality_check.limits, "model_sha256": {"tiny_densenet": "a" * 64}} | changes
    artifacts.write_quality_check(
        facts, to_arrays(quality_check), pd.DataFrame({"kind": ["test"], "n": [1]})
    )


def test_features_like_those_of_the_training_data_pass_and_others_do_not(quality_check):
    features = {"tiny_densenet": np.stack([np.zeros(10), np.full(10, 9.0)]).astype(np.float32)}
    fine, unusual = quality_check.judge([QualityMeasures({}), QualityMeasures({})], features)
    assert fine is None
    assert unusual.kind == OUT_OF_DISTRIBUTION
    assert unusual.reason.endswith(".")


def test_what_explains_most_is_the_reason(quality_check):
    measures = {FEATURES: 9.0, "share in color": 0.5, SHAPE: 30.0}
    assert quality_check.refusal(measures).kind == COLOR
    del measures["share in color"]
    assert quality_check.refusal(measures).kind == NO_HAND
    assert quality_check.refusal({SHAPE: 19.9, FEATURES: 1.9}) is None


def test_the_ood_score_is_above_one_just_where_there_is_a_refusal(quality_check):
    for measures in ({FEATURES: 1.9, SHAPE: 1.0}, {FEATURES: 2.1}, {"no hand found": 1.0}, {}):
        assert (quality_check.ood_score(measures) > 1) == (
            quality_check.refusal(measures) is not None
        )
    assert quality_check.ood_score({FEATURES: 1.0, SHAPE: 16.0}) == pytest.approx(0.8)


def test_a_phantom_is_a_hand_to_it(quality_check):
    pixels = draw_phantom(100, "male", 99)
    (measures,) = quality_check.measure(
        [measure_quality(Radiograph(pixels, "PNG"), prepare(pixels))], FAR_FROM_NONE
    )
    assert SHAPE in measures
    assert quality_check.refusal(measures) is None


def test_what_lies_beside_a_hand_is_another_one_if_it_has_the_shape_of_one(quality_check):
    hand, other = (make_phantom(100, "male", seed).landmarks for seed in (1, 2))
    scribble = np.random.default_rng(0).uniform(0, 300, (21, 2))
    quality = [
        QualityMeasures({}, hand),
        QualityMeasures({}, hand, [scribble]),
        QualityMeasures({}, hand, [scribble, other]),
    ]
    features = {"tiny_densenet": np.zeros((3, 10), np.float32)}
    alone, with_scribble, with_another = (
        m[OTHER] for m in quality_check.measure(quality, features)
    )
    assert alone == 0 < with_scribble < with_another
    strict = QualityCheck({OTHER: (with_scribble + with_another) / 2}, quality_check.shapes)
    kinds = [refusal and refusal.kind for refusal in strict.judge(quality, {})]
    assert kinds == [None, None, SEVERAL]


def test_the_other_hand_is_told_only_where_it_is_the_reason(quality_check):
    hand, other = (make_phantom(100, "male", seed).landmarks for seed in (1, 2))
    scribble = np.random.default_rng(0).uniform(0, 300, (21, 2))
    strict = QualityCheck({OTHER: 0.0}, quality_check.shapes)
    assert strict.other_hand(QualityMeasures({}, hand)) is None
    assert strict.other_hand(QualityMeasures({}, hand, [scribble, other])) is other
    too_small = QualityMeasures({"pixels missing": 2.0}, hand, [other])
    assert strict.other_hand(too_small) is None
    assert QualityCheck().other_hand(QualityMeasures({}, hand, [other])) is None


def test_it_comes_back_from_the_artifacts(quality_check, root):
    store(quality_check)
    again = load_quality_check({"tiny_densenet": "a" * 64})
    assert again.limits == quality_check.limits
    assert again.note is None
    measures = [
        g.measure([QualityMeasures({})], {"tiny_densenet": np.ones((1, 10), np.float32)})
        for g in (quality_check, again)
    ]
    assert measures[0] == measures[1]


def test_statistics_of_other_models_are_left_out_and_said_so(quality_check, root):
    store(quality_check)
    stale = load_quality_check({"tiny_densenet": "b" * 64, "tiny_resnet_cbam": "c" * 64})
    assert stale.features == {}
    assert "Tiny DenseNet (tests) and Tiny ResNet+CBAM (tests)" in stale.note
    assert "python -m boneage quality" in stale.note
    assert stale.refusal({SHAPE: 30.0}).kind == NO_HAND  # the rest of the quality check stands
    far = {"tiny_densenet": np.full((1, 10), 99.0), "tiny_resnet_cbam": np.zeros((1, 3))}
    assert stale.judge([QualityMeasures({})], far) == [None]


def test_without_any_statistics_the_fixed_checks_stand(root):
    quality_check = load_quality_check({"tiny_densenet": "a" * 64})
    assert quality_check.note
    assert quality_check.judge([QualityMeasures({})], {"tiny_densenet": np.zeros((1, 10))}) == [
        None
    ]
    assert quality_check.refusal({"share in color": 0.9}).kind == COLOR


def test_damaged_statistics_get_one_sentence(quality_check, root):
    store(quality_check)
    numbers = root / "quality_check.safetensors"
    content = numbers.read_bytes()
    numbers.write_bytes(content[:-4] + b"\0\1\2\3")
    with pytest.raises(ArtifactError, match="not the file quality_check.json was written for"):
        load_quality_check({})
    numbers.write_bytes(content)
    facts = json.loads((root / "quality_check.json").read_text())
    for broken in ("{", "[]", json.dumps(facts | {"limits": None})):
        (root / "quality_check.json").write_text(broken)
        with pytest.raises(ArtifactError, match=r"quality_check\.json"):
            load_quality_check({"tiny_densenet": "a" * 64})
