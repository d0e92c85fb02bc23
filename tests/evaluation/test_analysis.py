import numpy as np
import pandas as pd
import pytest

from boneage.evaluation import analysis
from boneage.evaluation.metrics import figures


def cases(n):
    rng = np.random.default_rng(1)
    age = rng.uniform(10, 220, n)
    return pd.DataFrame(
        {
            "id": np.arange(n).astype(str),
            "split": "test",
            "sex": rng.choice(["female", "male"], n),
            "age_months": age,
            "prediction_months": age + rng.normal(0, 8, n),
            "contrast": rng.uniform(20, 80, n),
            "crop_method": "mediapipe",
        }
    )


def test_all_parts_speak_of_the_same_cases():
    table = cases(300)
    found = analysis.analyse(table)
    expected = figures(table["age_months"], table["prediction_months"])
    assert found.figures["mae"] == pytest.approx(expected["mae"])
    assert found.by_band_and_sex["n"].sum() == len(found.cases) == found.agreement.n == 300
    assert found.agreement.bias == pytest.approx(found.cases["residual_months"].mean())
    assert found.cumulative["error_months"].iloc[-1] == found.cases["absolute_error"].max()
    assert found.tree["n"].sum() == 300
    assert {"0-5 years", "girls", "boys"} <= set(found.worst["cohort"])


def test_large_tables_are_resampled_less_often(monkeypatch):
    asked, find_groups = [], analysis.find_groups
    monkeypatch.setattr(
        analysis, "find_groups", lambda table, n: asked.append(n) or find_groups(table, n)
    )
    for n in (100, 8000, 40_000):
        analysis.analyse(cases(n))
    assert asked == [1000, 250, 200]


def test_a_single_case_can_be_analysed():
    found = analysis.analyse(cases(1))
    assert found.figures["n"] == 1
    assert np.isnan(found.agreement.sd)
