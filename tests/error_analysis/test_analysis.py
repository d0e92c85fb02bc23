import numpy as np
import pandas as pd
import pytest

from boneage.error_analysis import analysis
from boneage.evaluation.metrics import error_metrics
from boneage.evaluation.residuals import PREDICTED_AGE


def cases(n):
    rng = np.random.default_rng(1)
    age = rng.uniform(10, 220, n)
    return pd.DataFrame(
        {
            "id": np.arange(n).astype(str),
            "split": "test",
            "sex": rng.choice(["female", "male"], n),
            "reference_months": age,
            "prediction_months": age + rng.normal(0, 8, n),
            "contrast": rng.uniform(20, 80, n),
            "crop_method": "mediapipe",
        }
    )


def test_all_parts_speak_of_the_same_cases():
    table = cases(300)
    found = analysis.analyze(table)
    expected = error_metrics(table["reference_months"], table["prediction_months"])
    assert found.metrics["mae"] == pytest.approx(expected["mae"])
    assert found.by_band_and_sex["n"].sum() == len(found.cases) == found.agreement.n == 300
    assert found.agreement.bias == pytest.approx(found.cases["residual_months"].mean())
    assert found.cumulative["error_months"].iloc[-1] == found.cases["absolute_error"].max()
    assert found.calibration.n == found.calibration_bins["n"].sum() == 300
    assert found.subgroups.n_tested > 10
    assert found.subgroups.tree_factors == ["sex", "age", "contrast"]
    assert found.by_block.empty


def test_age_is_the_reference_age_or_the_predicted_one():
    table = cases(300).assign(reference_months=lambda c: c["reference_months"].clip(lower=90))
    by_reference = analysis.analyze(table)
    by_prediction = analysis.analyze(table, PREDICTED_AGE)
    assert "0-5 years" in set(by_prediction.by_band_and_sex["age_band"])
    older = {"5-10 years", "10-15 years", "15-19 years"}
    for table in (by_reference.by_band_and_sex, by_reference.boxes[0]):
        assert set(table["age_band"]) == older
    for table in (by_prediction.by_band_and_sex, by_prediction.boxes[0]):
        assert len(table) == 8
    assert list(by_prediction.running)[0] == by_prediction.by == PREDICTED_AGE
    assert by_prediction.metrics == by_reference.metrics
    assert by_prediction.calibration == by_reference.calibration


def test_large_tables_are_resampled_less_often(monkeypatch):
    asked, find_groups = [], analysis.find_groups
    monkeypatch.setattr(
        analysis, "find_groups", lambda table, by, n: asked.append(n) or find_groups(table, by, n)
    )
    for n in (100, 8000, 40_000, 60_000):
        assert analysis.analyze(cases(n)).subgroups.n_tested
    assert asked == [1000, 250, 200, 1000]  # of the last, none is drawn case by case


def test_charts_of_very_many_cases_show_a_sample_and_figures_are_of_all(monkeypatch):
    table = cases(1000)
    whole = analysis.analyze(table)
    assert whole.drawn is whole.cases
    monkeypatch.setattr(analysis, "MOST_POINTS", 500)
    found = analysis.analyze(table)
    assert len(found.drawn) == 500
    assert found.drawn.index.is_monotonic_increasing
    assert found.drawn.equals(analysis.analyze(table).drawn)
    boxes, beyond = found.boxes
    assert boxes.equals(whole.boxes[0])
    assert 0 < len(beyond) < len(whole.boxes[1])
    assert set(beyond["id"]) <= set(found.drawn["id"])
    assert found.metrics == whole.metrics


def test_a_single_case_can_be_analyzed():
    found = analysis.analyze(cases(1))
    assert found.metrics["n"] == 1
    assert np.isnan(found.agreement.sd)
