import json
from collections import Counter
from functools import cache

import numpy as np
import pandas as pd
import pytest

from boneage import artifacts
from boneage.datasets.phantoms import draw_phantom, make_phantom, write_phantoms
from boneage.errors import BoneAgeError
from boneage.inference.predictor import Predictor
from boneage.quality import learning
from boneage.quality.checks import QualityMeasures
from boneage.quality.learning import (
    ALL,
    OTHER_HALF,
    REAL,
    Sample,
    fit_quality_check,
    learn_quality_check,
    measure_quality_check,
    refused_by_other_half,
)
from boneage.quality.out_of_distribution import UNLIKE
from boneage.quality.quality_check import load_quality_check
from boneage.radiographs import preprocessing

RNG = np.random.default_rng(0)


@cache
def landmarks_of(number: int) -> np.ndarray:
    """Of a phantom, drawn small: the check of the shape does not depend on the size."""
    return make_phantom(12 + number % 200, "male", number, height=100).landmarks


def sample(n: int, offset: float = 0.0, **measures: float) -> Sample:
    features = {"model": RNG.normal(size=(n, 160)).astype(np.float32) + offset}
    quality = [QualityMeasures(dict(measures), landmarks_of(number)) for number in range(n)]
    return Sample(quality, features)


@pytest.fixture(autouse=True)
def same_numbers():
    """Whichever tests this process has run before."""
    RNG.bit_generator.state = np.random.default_rng(0).bit_generator.state


@pytest.fixture
def quality_check():
    return fit_quality_check(sample(200), sample(300))


def test_at_most_one_percent_of_validation_is_refused_by_all_checks_together():
    validation = sample(300)
    quality_check = fit_quality_check(sample(200), validation)
    refused = [quality_check.refusal(m) for m in validation.measures(quality_check)]
    assert 2 <= sum(map(bool, refused)) <= 3
    # A fixed check that uses up what is allowed leaves nothing to the chosen limits.
    for each in validation.quality[:3]:
        each.measures["share in color"] = 0.5
    quality_check = fit_quality_check(sample(200), validation)
    refusals = filter(None, map(quality_check.refusal, validation.measures(quality_check)))
    assert [refusal.kind for refusal in refusals] == ["in color"] * 3


def test_rare_training_cases_count_for_all_limits_but_those_of_the_features():
    training, validation = sample(300), sample(300)
    quality_check = fit_quality_check(training, validation)
    for each in training.quality[:30]:
        each.measures["fine detail missing"] = 7.0
    training.features["model"][:30] += 3
    wider = fit_quality_check(training, validation)
    assert wider.limits["fine detail missing"] == 7.0
    assert quality_check.limits["fine detail missing"] == 0.0
    measures = [m["features of model"] for m in validation.measures(wider)]
    assert wider.limits["features of model"] in measures


def test_the_table_counts_refusals_and_their_reasons(quality_check):
    table = measure_quality_check(
        quality_check,
        {
            (REAL, "validation"): sample(30),
            (REAL, "test"): sample(50),
            (UNLIKE, "far"): sample(10, offset=5.0),
            (UNLIKE, "like real"): sample(40),
            (UNLIKE, "broken"): Sample(unreadable=2),
        },
        Counter({"cut off": 3}),
    ).set_index(["group", "kind"])
    assert table.loc[(UNLIKE, "far"), ["n", "refused", "auc"]].tolist() == [10, 1, 1]
    assert table.loc[(UNLIKE, "far"), "reasons"] == "out of distribution 10"
    assert table.loc[(UNLIKE, "broken"), "reasons"] == "unreadable 2"
    assert 0.3 < table.loc[(UNLIKE, "like real"), "auc"] < 0.7
    assert table.loc[(UNLIKE, ALL), "n"] == 52
    by_other_half = table.loc[(REAL, OTHER_HALF)]
    assert (by_other_half["n"], by_other_half["refused"]) == (30, 0.1)
    assert by_other_half["reasons"] == "cut off 3"
    assert np.isnan(table.loc[(REAL, "test"), "auc"])


def test_images_of_few_sources_have_a_wide_interval(quality_check):
    kinds = {(REAL, part): sample(30) for part in ("validation", "test")}
    kinds |= {(UNLIKE, kind): sample(40, offset=5.0) for kind in ("quarters", "drawn")}
    sources = {(UNLIKE, "quarters"): set("abc")}
    table = measure_quality_check(quality_check, kinds, Counter(), sources).set_index(
        ["group", "kind"]
    )
    assert table.loc[(UNLIKE, "quarters"), ["n", "sources"]].tolist() == [40, 3]
    assert table.loc[(UNLIKE, "drawn"), ["n", "sources"]].tolist() == [40, 40]
    quarters, drawn = (table.loc[(UNLIKE, kind)] for kind in ("quarters", "drawn"))
    assert (quarters["refused"], quarters["high"]) == (1, 1)
    assert quarters["low"] == pytest.approx(0.4385, abs=1e-3)  # Wilson, 3 of 3
    assert drawn["low"] == pytest.approx(0.9124, abs=1e-3)  # 40 of 40


def test_limits_of_the_other_half_are_not_chosen_on_the_cases_they_are_held_against():
    validation = sample(400)
    for each in validation.quality[::2]:  # one half: all of one kind, stranger than the other's
        each.measures["fine detail missing"] = 9.0
    for each in validation.quality[1::2]:
        each.measures["fine detail missing"] = 1.0
    refused = refused_by_other_half(sample(200), validation)
    assert refused["blurred"] > 190  # limits of their own would have passed nearly all


@pytest.mark.slow
def test_learning_from_a_data_set_stores_a_quality_check_that_the_predictor_uses(
    tiny_artifacts, tmp_path, monkeypatch
):
    root = tmp_path / "artifacts"
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(root))
    data = write_phantoms(tmp_path / "data", n_train=24, n_test=2)
    for name in ("tiny_densenet", "tiny_resnet_cbam"):
        copy_model(tiny_artifacts / "models" / name, root / "models" / name, data)
    monkeypatch.setattr(learning, "_SHAPE_AXES", 4)
    monkeypatch.setattr(learning, "_FEATURE_AXES", 2)
    png = learning.negatives.__globals__["_png"](draw_phantom(60, "male", 3) // 64)
    monkeypatch.setattr(learning, "negatives", lambda _: [(UNLIKE, "dark", "page", png)] * 2)
    path, table = learn_quality_check(Predictor(), data)
    assert path == root / "quality_check.csv"
    assert pd.read_csv(path)["kind"].tolist() == table["kind"].tolist()
    dark = table.set_index("kind").loc["dark"]
    assert (dark["n"], dark["refused"], dark["reasons"]) == (2, 1, "blank or too dark 2")
    facts = json.loads((root / "quality_check.json").read_text())
    assert (facts["n_train"], facts["n_validation"]) == (20, 4)
    assert load_quality_check(facts["model_sha256"]).note is None
    assert Predictor().quality_check.note is None
    # Features of images that are prepared otherwise are not those that were learned.
    version = preprocessing.PREPROCESSING_VERSION
    monkeypatch.setattr(preprocessing, "PREPROCESSING_VERSION", version + 1)
    assert "this preprocessing" in Predictor().quality_check.note
    with pytest.raises(BoneAgeError, match="holds 0 of the"):
        (tmp_path / "empty" / "boneage-training-dataset").mkdir(parents=True)
        learn_quality_check(Predictor(), tmp_path / "empty")


def copy_model(source, target, data):
    """An artifact whose predictions are of a data set's radiographs."""
    from boneage.datasets.rsna import read_labels

    target.mkdir(parents=True)
    for file in source.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    parts = []
    for name, splits in (("training", ["train"] * 20 + ["validation"] * 4), ("test", ["test"] * 2)):
        labels = read_labels(data / f"boneage-{name}-dataset.csv")
        parts.append(labels.assign(split=splits))
    cases = pd.concat(parts).assign(prediction_months=90.0, contrast=50.0, crop_method="mediapipe")
    artifacts.write_predictions(target, cases)
