import dataclasses

import numpy as np
import pytest

from boneage import artifacts
from boneage.inference.runtime import Runtime
from boneage.training.correction import correction_line
from boneage.training.fit import train
from boneage.training.presets import find_preset

EAGER = pytest.mark.usefixtures("run_eagerly")


def test_the_line_undoes_regression_to_the_mean_and_outliers_hardly_move_it():
    age = np.linspace(10, 220, 500)
    prediction = 0.8 * age + 25 + np.random.default_rng(1).normal(0, 2, 500)
    prediction[:10] += 150
    slope, intercept = correction_line(age, prediction)
    assert slope == pytest.approx(1.25, abs=0.03)
    assert intercept == pytest.approx(-25 / 0.8, abs=2)


@EAGER
def test_a_corrected_model_predicts_what_is_written_and_needs_no_second_line(
    phantom_cache, tmp_path
):
    preset = dataclasses.replace(find_preset("smoke"), epochs=1, images_per_epoch=8)
    preset = dataclasses.replace(preset, linear_correction=True)
    folder = train("tiny_densenet", preset, phantom_cache, tmp_path / "run")
    written = artifacts.read_predictions(folder)
    of_training = written[written["split"] == "train"]
    line = correction_line(
        *(of_training[c].to_numpy() for c in ("reference_months", "prediction_months"))
    )
    assert line[0] == pytest.approx(1, abs=0.02)
    assert line[0] * 100 + line[1] == pytest.approx(100, abs=1)

    model, facts = artifacts.load_model(folder)
    assert facts.build["output_scale"] != preset.output_scale
    images = phantom_cache.images[:4, ..., np.newaxis].astype(np.float32) / 255
    male = (phantom_cache.manifest["sex"][:4] == "male").to_numpy(np.float32)[:, np.newaxis]
    months = np.asarray(model.predict_on_batch([images, male]))[:, 0]
    np.testing.assert_allclose(months, written["prediction_months"][:4], atol=0.02)
    sexes = phantom_cache.manifest["sex"][:4]
    of_graph = Runtime.load(folder)(phantom_cache.images[:4], sexes, ["bone_age"])["bone_age"]
    np.testing.assert_allclose(of_graph, months, atol=1e-3)
