from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from boneage.similar_cases.similar import error_correlation, find_similar
from boneage.similar_cases.text import about_correlation, similar_in_words


@dataclass
class Predicted:
    """What is asked of a prediction."""

    months: dict
    sex: str = "female"
    weights: dict = field(default_factory=lambda: {"one": 1.0})


def made_up(n: int, spread) -> pd.DataFrame:
    """n radiographs whose error has the SD `spread` of the prediction."""
    rng = np.random.default_rng(4)
    predicted = np.linspace(20, 220, n)
    return pd.DataFrame(
        {
            "id": [str(number) for number in range(n)],
            "split": "validation",
            "sex": ["female", "male"] * (n // 2),
            "prediction_months": predicted,
            "reference_months": predicted + rng.normal(0, 1, n) * spread(predicted),
        }
    )


def test_the_nearest_predictions_of_the_same_sex_are_found():
    cases = made_up(600, lambda months: 8)
    cases.loc[cases["sex"] == "male", "reference_months"] += 50
    cases.loc[cases["prediction_months"].between(119, 121), "split"] = "test"
    found = find_similar(Predicted({"one": 120.0}), cases)
    assert len(found.cases) == 100
    assert set(found.cases["sex"]) == {"female"}
    apart = (found.cases["prediction_months"] - 120).abs()
    assert apart.is_monotonic_increasing and apart.min() > 1 and apart.max() < 40
    assert found.metrics["mae"] == pytest.approx(found.cases["residual_months"].abs().mean())
    assert found.metrics["bias"] == pytest.approx(found.cases["residual_months"].mean())
    assert found.of_sex["n"] == 297
    said = similar_in_words(found)
    assert said.startswith("The 100 validation radiographs of girls predicted most like this one (")
    assert "(n = 297): MAE" in said


def test_too_few_cases_give_nothing():
    cases = made_up(38, lambda months: 8)
    assert find_similar(Predicted({"one": 120.0}), cases) is None
    assert error_correlation(cases) is None


def test_the_correlation_tells_whether_errors_depend_on_the_prediction():
    rho, low, high = error_correlation(made_up(600, lambda months: 8))
    assert low < 0.05 < 0.15 > rho and low < rho < high
    rho, low, _ = error_correlation(made_up(600, lambda months: 1 + months / 8))
    assert rho > 0.3 and low > 0.2
    assert "rank correlation 0.21 (95% CI −0.05 to 0.30)" in about_correlation((0.21, -0.05, 0.3))
