import numpy as np
import pandas as pd
import pytest
from scipy import stats

from boneage import artifacts
from boneage.datasets.splits import VALIDATION
from boneage.error_analysis.calibration import age_calibration, calibration_bins
from boneage.inference.ensemble import ensemble_table


def calibrated(n=4000, seed=0):
    """References around predictions that are right on average."""
    rng = np.random.default_rng(seed)
    predicted = rng.normal(130, 40, n)
    return predicted + rng.normal(0, 9, n), predicted


def test_a_calibrated_model_has_slope_1_and_residuals_that_slope_with_the_reference():
    found = age_calibration(*calibrated())
    low, high = found.slope_interval
    assert low < 1 < high
    assert found.slope == pytest.approx(1, abs=0.02)
    # var(predicted) / var(reference) - 1
    assert found.residual_slope == pytest.approx(1600 / 1681 - 1, abs=0.01)
    assert found.residual_slope_interval[1] < 0
    assert found.expected_residual_slope == pytest.approx(found.residual_slope, abs=0.01)


def test_predictions_that_are_too_extreme_have_a_slope_below_1():
    reference, predicted = calibrated()
    extreme = 130 + 1.25 * (predicted - 130)
    assert age_calibration(reference, extreme).slope == pytest.approx(0.8, abs=0.02)


def test_slopes_are_those_of_least_squares():
    reference, predicted = calibrated(300)
    found = age_calibration(reference, predicted)
    line = stats.linregress(predicted, reference)
    residuals = stats.linregress(reference, predicted - reference)
    assert (found.n, found.slope, found.intercept) == (
        300, pytest.approx(line.slope), pytest.approx(line.intercept)
    )  # fmt: skip
    assert found.residual_slope == pytest.approx(residuals.slope)
    for interval, expected in (
        (found.slope_interval, line), (found.residual_slope_interval, residuals)
    ):  # fmt: skip
        assert (interval[1] - interval[0]) / 2 == pytest.approx(1.96 * expected.stderr, rel=0.15)


@pytest.mark.parametrize(
    ("reference", "predicted"),
    [([], []), ([90], [100]), ([90, 90], [80, 100]), ([80, 90], [85, 85])],
)
def test_without_a_range_of_ages_there_is_no_slope(reference, predicted):
    found = age_calibration(reference, predicted)
    assert found.n == len(reference)
    assert np.isnan([found.slope, found.residual_slope, *found.slope_interval]).all()


def test_ten_groups_worked_by_hand():
    cases = pd.DataFrame({"prediction_months": np.arange(20.0)[::-1]})
    cases["reference_months"] = cases["prediction_months"] + np.tile([1, -1], 10)
    table = calibration_bins(cases)
    assert table["n"].tolist() == [2] * 10
    assert table["predicted"].tolist() == (np.arange(10) * 2 + 0.5).tolist()
    assert table["reference"].tolist() == table["predicted"].tolist()
    # Of 2k and 2k + 1 the references are 2k - 1 and 2k + 2: SD 3 / sqrt(2), t 12.7062.
    margin = 12.7062 * 3 / 2
    assert (table["high"] - table["reference"]).tolist() == pytest.approx([margin] * 10, rel=1e-4)


def test_fewer_than_ten_cases_make_fewer_groups():
    table = calibration_bins(pd.DataFrame({"prediction_months": [9.0], "reference_months": [10.0]}))
    assert table[["n", "predicted", "reference"]].to_numpy().tolist() == [[1, 9, 10]]
    assert np.isnan(table.loc[0, "low"])


def test_the_published_ensemble_is_calibrated_on_validation(monkeypatch):
    """And its residuals slope with the reference age, as those of any model with its R² do."""
    monkeypatch.delenv("BONEAGE_ARTIFACTS", raising=False)
    names = artifacts.available_models()
    if len(names) < 2:
        pytest.skip("no published predictions")
    tables = {n: artifacts.read_predictions(artifacts.model_folder(n)) for n in names}
    cases = ensemble_table(tables)
    cases = cases[cases["split"] == VALIDATION]
    found = age_calibration(cases["reference_months"], cases["prediction_months"])
    assert found.slope_interval[0] < 1 < found.slope_interval[1]
    low, high = found.residual_slope_interval
    assert low < found.expected_residual_slope < high < 0
