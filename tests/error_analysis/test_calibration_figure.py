import numpy as np
import pandas as pd
import pytest

from boneage.error_analysis.calibration import age_calibration, calibration_bins
from boneage.error_analysis.calibration_figure import reference_on_predicted
from boneage.evaluation.residuals import with_residuals


def drawn(cases):
    calibration = age_calibration(
        cases["reference_months"], cases["prediction_months"], n_resamples=50
    )
    figure = reference_on_predicted(cases, calibration_bins(cases), calibration)
    return figure, {trace.name: trace for trace in figure.data}


@pytest.fixture
def cases():
    """Reference 20 + 0.8 times the prediction, plus or minus 1."""
    predicted = np.arange(60.0, 180, 2)
    cases = pd.DataFrame(
        {
            "id": [str(k) for k in range(60)],
            "sex": ["female", "male"] * 30,
            "reference_months": 20 + 0.8 * predicted + np.tile([1, -1, -1, 1], 15),
            "prediction_months": predicted,
        }
    )
    return with_residuals(cases)


def test_reference_stands_on_prediction_with_its_line_and_means(cases):
    figure, traces = drawn(cases)
    layout = figure.layout
    assert layout.xaxis.title.text == "Predicted bone age (years)"
    assert layout.yaxis.title.text == "Reference bone age (years)"
    girls = traces["Girls"]
    assert list(girls.x)[:2] == pytest.approx([60, 64], abs=1)
    assert list(girls.y)[:2] == pytest.approx([69, 70.2])
    line = traces["Least squares"]
    assert list(line.x) == [60, 178]
    assert list(line.y) == pytest.approx([68, 162.4], abs=0.2)
    equal = traces["Calibrated"]
    assert list(equal.x) == list(equal.y) == [60, 178]
    means = traces["Mean, 95% CI"]
    assert len(means.x) == 10
    assert means.customdata[0][2] == 6
    assert list(means.y) == pytest.approx([20 + 0.8 * x for x in means.x], abs=0.5)
    assert (np.array(means.error_y.array) > 0).all()


def test_a_single_case_has_no_line(cases):
    _, traces = drawn(cases[:1])
    assert "Least squares" not in traces
    assert list(traces["Mean, 95% CI"].x) == [60]
