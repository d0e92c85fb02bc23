"""The weights in artifacts/ are those their facts and predictions speak of."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from boneage import artifacts
from boneage.datasets.phantoms import draw_phantom
from boneage.explain.gradcam import gradcam
from boneage.inference.conformal import coverage_table
from boneage.inference.predictor import Predictor
from boneage.inference.runtime import Runtime
from boneage.models.heads import inference_model
from boneage.quality.checks import CHECKS
from boneage.quality.quality_check import load_quality_check
from boneage.radiographs.preprocessing import (
    Preprocessing,
    prepare,
    sex_to_model_input,
    to_model_input,
)
from boneage.radiographs.reading import Radiograph, read_radiograph
from boneage.robustness.perturbations import CLEAN

SHIPPED = artifacts.available_models(Path(__file__).resolve().parents[1] / "artifacts")
# Building them takes seconds; no test here changes one.
load_model = cache(artifacts.load_model)
N_REAL = 12
N_EXPORTED = 48  # real radiographs that graphs and Keras models must agree on; Keras is slow


@pytest.mark.parametrize("name", SHIPPED)
def test_the_artifact_is_complete_and_agrees_with_itself(name):
    folder = artifacts.model_folder(name)
    model, facts = load_model(folder)
    assert model.count_params() == facts.parameters
    assert len(artifacts.read_history(folder))
    predictions = artifacts.read_predictions(folder)
    assert set(predictions["split"]) == {"train", "validation", "test"}
    assert (predictions["split"] == "train").sum() == facts.n_train
    error = (predictions["prediction_months"] - predictions["reference_months"]).abs()
    mae = error.groupby(predictions["split"]).mean()
    stated = artifacts.read_metrics(folder).query("group == 'all'").set_index("split")["mae"]
    pd.testing.assert_series_equal(mae, stated, check_names=False, check_like=True, atol=1e-3)


@pytest.fixture(scope="module")
def phantoms():
    """Prepared images and sexes of eight phantoms."""
    sexes = ["female", "male"] * 4
    drawn = [draw_phantom(20 + 25 * number, sex, number) for number, sex in enumerate(sexes)]
    return np.stack([prepare(pixels).image for pixels in drawn]), sexes


@pytest.fixture(scope="module")
def radiographs(rsna):
    """The same of real radiographs of the test set."""
    table = artifacts.read_predictions(artifacts.model_folder(SHIPPED[0]))
    cases = table.query("split == 'test'").head(N_EXPORTED)
    files = [rsna / "boneage-test-dataset" / f"{case}.webp" for case in cases["id"]]
    images = [prepare(read_radiograph(file).pixels).image for file in files]
    return np.stack(images), cases["sex"].tolist()


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("source", ["phantoms", "radiographs"])
def test_graphs_predict_what_the_weights_predict(name, source, request):
    folder = artifacts.model_folder(name)
    model, facts = load_model(folder)
    assert Preprocessing(**facts.preprocessing) == Preprocessing()
    images, sexes = request.getfixturevalue(source)
    found = Runtime.load(folder)(images, sexes, ["bone_age"])["bone_age"]
    inputs = [to_model_input(images, facts.build["input_size"]), sex_to_model_input(sexes)]
    # Called, as `predict` would compile it with XLA, which takes longer than to run it.
    read = inference_model(model, facts.mirrored)
    batches = zip(*(np.array_split(values, len(values) // 8) for values in inputs), strict=True)
    expected = np.concatenate([np.asarray(read([*batch]))[:, 0] for batch in batches])
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.01)


@pytest.mark.parametrize("name", SHIPPED)
def test_maps_of_graphs_are_those_of_the_reference(name, phantoms):
    pytest.importorskip("tf_keras_vis")
    from boneage.explain.reference import ReferenceGradCam

    folder = artifacts.model_folder(name)
    model, facts = load_model(folder)
    (image, *_), (sex, *_) = phantoms
    reference, runtime = ReferenceGradCam(model), Runtime.load(folder)
    outputs = runtime(image[np.newaxis], [sex], ["last_feature_map", "pooled_gradient"])
    readings = [image, image[:, ::-1]] if facts.mirrored else [image]
    assert len(outputs["last_feature_map"]) == len(readings)
    for number, reading in enumerate(to_model_input(np.stack(readings), runtime.size)):
        features, gradient = (values[number, 0] for values in outputs.values())
        for direction in ("raises", "lowers"):
            expected = reference(reading, sex, direction)
            found = gradcam(features, gradient, direction)
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3 * expected.max())


def test_both_hands_of_a_film_get_the_age_of_each_alone():
    path = Path(__file__).parent / "radiographs" / "cases" / "plain.png"
    plain, predictor = read_radiograph(path), Predictor()
    expected = predictor.predict(plain, "female").ensemble_months
    for flip in (1, -1):
        film = np.hstack([plain.pixels, plain.pixels[:, ::-1]][::flip])
        hands = predictor.open_all(Radiograph(film, "PNG"))
        assert [hand.part.side for hand in hands] == ["left", "right"][::flip]
        predictions = predictor.predict_all(hands, ["female"] * 2)
        assert [prediction.refusal for prediction in predictions] == [None] * 2
        months = [prediction.ensemble_months for prediction in predictions]
        assert months == pytest.approx([expected] * 2, abs=1)


def test_shipped_models_halve_the_error_of_guessing_the_mean():
    for name in SHIPPED:
        predictions = artifacts.read_predictions(artifacts.model_folder(name))
        train = predictions.query("split == 'train'")["reference_months"]
        kept = predictions.query("split == 'validation'")
        guess = (kept["reference_months"] - train.mean()).abs().mean()
        error = (kept["prediction_months"] - kept["reference_months"]).abs().mean()
        assert error < guess / 2


def test_errors_on_changed_images_were_measured_on_these_weights():
    table = artifacts.read_robustness()
    assert table is not None, "run: python -m boneage robustness, on the test set"
    clean = table[table["perturbation"] == CLEAN].set_index("model")["mae"]
    for name in SHIPPED:
        metrics = artifacts.read_metrics(artifacts.model_folder(name))
        stated = metrics.query("split == 'test' and group == 'all'")["mae"].item()
        assert clean[name] == pytest.approx(stated, abs=0.1)


def test_coverage_was_measured_on_all_validation_cases_of_these_weights():
    table = artifacts.read_coverage()
    assert table is not None, "run: python -m boneage coverage"
    tables = {name: artifacts.read_predictions(artifacts.model_folder(name)) for name in SHIPPED}
    measured = coverage_table(tables)
    same = ["model", "level", "cases", "group", "n", "coverage", "low", "high"]
    pd.testing.assert_frame_equal(table[same], measured[same], atol=1e-4)
    every = table[(table["group"] == "all") & (table["cases"] == "validation")]
    assert set(every["n"]) == {1425}


def test_real_radiographs_get_the_ages_stated(rsna):
    predictor = Predictor(SHIPPED)
    tables = {name: artifacts.read_predictions(artifacts.model_folder(name)) for name in SHIPPED}
    cases = tables[SHIPPED[0]].query("split == 'test'").head(N_REAL)
    for case in cases.itertuples():
        file = rsna / "boneage-test-dataset" / f"{case.id}.webp"
        months = predictor.predict(file, case.sex).months
        for name, table in tables.items():
            stated = table.query("split == 'test' and id == @case.id")["prediction_months"].item()
            assert months[name] == pytest.approx(stated, abs=0.1)


def test_the_quality_check_is_that_of_the_shipped_weights_and_refuses_few_radiographs():
    root = artifacts.artifacts_root()
    fingerprints = artifacts.published_fingerprints()
    quality_check = load_quality_check({name: fingerprints[name] for name in SHIPPED})
    assert quality_check.note is None, "run python -m boneage quality"
    assert len(quality_check.checks) == len(CHECKS) + len(SHIPPED)
    table = pd.read_csv(root / artifacts.QUALITY_CHECK_TABLE).set_index(["group", "kind"])
    assert table.loc[("radiographs", "validation"), "refused"] <= 0.01
    assert table.loc[("far out-of-distribution", "all"), "refused"] > 0.9
    assert table.loc[("far out-of-distribution", "all"), "auc"] > 0.98
    assert (root / artifacts.QUALITY_CHECK_NUMBERS).stat().st_size < 2**20
