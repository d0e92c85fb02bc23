"""Errors of exactly 6, 12 and 24 months are within the limit wherever one is compared with it."""

import numpy as np
import pandas as pd
import pytest

from boneage.atlas.evaluation import beyond_a_year
from boneage.comparison.statistics import compare, pair
from boneage.error_analysis import figures as errors
from boneage.evaluation.intervals import bootstrap
from boneage.evaluation.limits import is_large, within
from boneage.evaluation.metrics import error_metrics
from boneage.evaluation.residuals import with_residuals


def exactly(months, n=10_000):
    """Ages and predictions with two decimals, as artifacts store them, this many months apart."""
    age = np.random.default_rng(0).integers(1200, 20_000, n) / 100
    return age, (age + months * np.where(np.arange(n) % 2, 1, -1)).round(2)


def cases_exactly(months, n=1000):
    age, prediction = exactly(months, n)
    columns = {"id": [str(k) for k in range(n)], "split": "test", "sex": "female"}
    columns |= {
        "reference_months": age,
        "prediction_months": prediction,
        "crop_method": "mediapipe",
    }
    return pd.DataFrame(columns)


@pytest.mark.parametrize("months", [6, 12, 24])
def test_errors_at_a_limit_are_within_it(months):
    age, prediction = exactly(months)
    assert (np.abs(prediction - age) > months).any()  # binary numbers do not hold the decimals
    assert error_metrics(age, prediction)[f"within_{months}"] == 1
    age, prediction = age[:500], prediction[:500]
    assert bootstrap(age, prediction, n_resamples=20)[f"within_{months}"] == (1, 1)


def test_errors_a_hundredth_above_a_limit_are_not():
    age, prediction = exactly(12.01)
    assert error_metrics(age, prediction)["within_12"] == 0
    assert within([11.99, 12, 12.01]).tolist() == [True, True, False]
    assert is_large([12, 12.01]).tolist() == [False, True]


def test_two_models_exactly_a_year_off_have_no_large_error():
    cases = cases_exactly(12)
    found = compare(pair(cases, cases))
    assert found.large_errors == {"both": 0, "first_only": 0, "second_only": 0, "neither": 1000}


def test_an_average_hand_read_exactly_a_year_off_is_not_beyond_a_year():
    months, predicted = exactly(12)
    columns = {"model": "ensemble", "sex": "male", "months": months, "refused": False}
    table = pd.DataFrame(columns | {"absolute_error": np.abs(predicted - months)})
    assert (table["absolute_error"] > 12).any()
    assert beyond_a_year(table).empty


def test_residuals_of_whole_bins_are_counted_in_one_bin():
    cases = with_residuals(cases_exactly(12))
    (bars,) = errors.error_histogram(cases, "#2F7FD6").data
    assert dict(zip(bars.x, bars.y, strict=True)) == {-10.5: 500, 13.5: 500}
