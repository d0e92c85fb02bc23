"""Simulated sites: a real shift is found, and no shift changes nothing."""

import json

import numpy as np
import pandas as pd
import pytest

from boneage import artifacts
from boneage.errors import BoneAgeError
from boneage.inference.conformal import calibrate
from boneage.inference.local_calibration import LocalCalibrationError, read_local_calibration
from boneage.local_calibration.fit import fit_local_calibration
from boneage.local_calibration.text import fit_in_words


@pytest.fixture
def fitted(calibrated_artifacts, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(calibrated_artifacts))
    name = "tiny_densenet"
    calibration = calibrate({name: artifacts.read_predictions(artifacts.model_folder(name))})

    def fit(n: int = 120, girls: float = 0.0, boys: float = 0.0, seed: int = 5):
        rng = np.random.default_rng(seed)
        sex = np.array(["female", "male"] * n)[:n]
        predicted = rng.uniform(24, 200, n)
        reference = predicted + rng.normal(0, 9, n) + np.where(sex == "female", girls, boys)
        cases = pd.DataFrame(
            {"sex": sex, "reference_months": reference, "prediction_months": predicted}
        )
        sha256 = artifacts.published_fingerprints()[name]
        return fit_local_calibration(cases, name, sha256, calibration, "ab" * 32)

    return fit


def test_a_shift_is_found_by_sex_and_comes_back_from_its_file(fitted, tmp_path):
    fit = fitted(girls=12, boys=6)
    found = fit.calibration
    assert found.cross_validation.low > 0
    assert 9 < found.age(120, "female") - 120 < 14
    assert 4 < found.age(120, "male") - 120 < 9
    assert "Girls (n = 60)" in " ".join(fit_in_words(fit))
    path = tmp_path / "site.json"
    found.save(path)
    models = artifacts.published_fingerprints()
    assert read_local_calibration(path, models) == found
    values = json.loads(path.read_text())
    for change, said in (
        ({"model_sha256": "0"}, "other weights"),
        ({"model": "unknown"}, "unknown, which is not in use"),
        ({"version": 9}, "version 9"),
        ({"n": 3}, "damaged"),
        ({"format": "x"}, "no local calibration"),
    ):
        with pytest.raises(LocalCalibrationError, match=said):
            read_local_calibration(json.dumps(values | change).encode(), models)


def test_no_shift_changes_nothing(fitted):
    fits = [fitted(seed=seed) for seed in (5, 6)]
    for fit in fits:
        assert not fit.calibration.lines
        assert fit.calibration.age(120, "female") == 120
    # The intervals of one site in twenty are recalibrated by chance: their test is one at 5%.
    unchanged = [fit for fit in fits if fit.calibration.is_no_change]
    assert unchanged
    assert "No change" in fit_in_words(unchanged[0])[-1]


def test_too_few_readings_are_refused(fitted):
    with pytest.raises(BoneAgeError, match="30 readings or more"):
        fitted(29)
