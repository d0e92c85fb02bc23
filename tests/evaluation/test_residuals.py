import numpy as np
import pandas as pd
import pytest
from scipy import stats

from boneage.evaluation.residuals import (
    PREDICTED_AGE,
    agreement,
    boxes,
    cumulative_error,
    running_median,
    with_residuals,
)


def test_a_residual_is_positive_when_read_too_old():
    predictions = pd.DataFrame(
        {"reference_months": [50.0, 120.0], "prediction_months": [57.0, 117.0]}
    )
    cases = with_residuals(predictions)
    assert cases["residual_months"].tolist() == [7, -3]
    assert cases["absolute_error"].tolist() == [7, 3]
    assert cases["age_band"].tolist() == ["0-5 years", "10-15 years"]
    assert "residual_months" not in predictions


def cases_of_age(age, residual):
    return pd.DataFrame({"reference_months": age, "residual_months": residual}, dtype=float)


def test_the_running_median_takes_the_25_cases_around_each_age():
    age = np.arange(101)
    table = running_median(cases_of_age(age, age), n_points=3).set_index("reference_months")
    # The first window holds the ages 0 to 24, the last 76 to 100.
    assert table["median"].to_dict() == {12: 12, 50: 50, 88: 88}
    assert table["lower_quartile"].to_dict() == {12: 6, 50: 44, 88: 82}
    assert table["upper_quartile"].to_dict() == {12: 18, 50: 56, 88: 94}


def test_of_many_cases_the_window_takes_a_twentieth():
    age = np.arange(2020)
    table = running_median(cases_of_age(age, age), n_points=2)
    assert table["reference_months"].tolist() == [50, 1969]
    assert (table["upper_quartile"] - table["lower_quartile"]).tolist() == [50, 50]


def test_ages_can_be_the_predicted_ones():
    predictions = pd.DataFrame(
        {"reference_months": [50.0, 10.0], "prediction_months": [61.0, -3.0]}
    )
    cases = with_residuals(predictions, PREDICTED_AGE)
    assert cases["residual_months"].tolist() == [11, -13]
    assert cases["age_band"].tolist() == ["5-10 years", "0-5 years"]
    table = running_median(cases, PREDICTED_AGE)
    assert table[PREDICTED_AGE].tolist() == [61]  # one window holds both
    assert list(running_median(cases)) == ["reference_months", *table.columns[1:]]


def test_the_order_of_the_cases_does_not_matter_to_the_running_median():
    rng = np.random.default_rng(3)
    cases = cases_of_age(rng.permutation(300), rng.normal(size=300))
    pd.testing.assert_frame_equal(running_median(cases), running_median(cases.sample(frac=1)))


def test_the_running_median_of_few_cases_is_one_point():
    table = running_median(cases_of_age([90, 100, 110], [5, 1, 3]))
    assert table["reference_months"].tolist() == [100]
    assert table["median"].tolist() == [3]
    assert running_median(cases_of_age([100] * 60, range(60)))["median"].tolist() == [30]
    empty = running_median(cases_of_age([], []))
    assert list(empty) == ["reference_months", "median", "lower_quartile", "upper_quartile"]
    assert len(empty) == 0


def test_limits_of_agreement_worked_by_hand():
    # Residuals 2, 4, 6, 8: mean 5, variance 20 / 3.
    found = agreement([100, 110, 120, 130], [102, 114, 126, 138])
    sd = (20 / 3) ** 0.5
    assert (found.n, found.bias, found.sd) == (4, 5, pytest.approx(sd))
    assert found.lower == pytest.approx(5 - 1.959964 * sd)
    assert found.upper == pytest.approx(5 + 1.959964 * sd)
    # Student's t with 3 degrees of freedom is 3.182446 at 97.5%.
    assert found.upper_interval == pytest.approx(
        (
            found.upper - 3.182446 * sd * (1 / 4 + 1.959964**2 / 6) ** 0.5,
            found.upper + 3.182446 * sd * (1 / 4 + 1.959964**2 / 6) ** 0.5,
        )
    )
    assert np.subtract(found.lower_interval, found.lower) == pytest.approx(
        np.subtract(found.upper_interval, found.upper)
    )


def test_the_interval_of_the_bias_is_that_of_a_t_test():
    rng = np.random.default_rng(0)
    age = rng.uniform(10, 200, 50)
    prediction = age + rng.normal(2, 9, 50)
    expected = stats.ttest_rel(prediction, age).confidence_interval(0.95)
    assert agreement(age, prediction).bias_interval == pytest.approx(tuple(expected))


def test_the_interval_of_a_limit_covers_the_true_limit_19_times_in_20():
    rng = np.random.default_rng(1)
    true_limit = 1.959964 * 10
    covered = 0
    for residual in rng.normal(0, 10, (1000, 200)):
        low, high = agreement(np.full(200, 100.0), 100 + residual).upper_interval
        covered += low <= true_limit <= high
    assert 0.93 < covered / 1000 < 0.97


def test_fewer_than_two_cases_have_no_limits_of_agreement():
    one, none = agreement([100.0], [103.0]), agreement([], [])
    assert (one.n, one.bias, none.n) == (1, 3, 0)
    assert np.isnan([one.sd, one.lower, one.upper, *one.bias_interval, *one.upper_interval]).all()
    assert np.isnan([none.bias, none.sd, none.lower, *none.lower_interval]).all()


def test_the_cumulative_error_rises_case_by_case():
    curve = cumulative_error(pd.Series([8.0, 1.0, 3.0, 3.0]))
    assert curve["error_months"].tolist() == [0, 1, 3, 3, 8]
    assert curve["share"].tolist() == [0, 0.25, 0.5, 0.75, 1]


def test_the_cumulative_error_of_many_cases_keeps_500_true_points():
    error = np.random.default_rng(0).uniform(0, 50, 3000)
    curve = cumulative_error(error)
    assert len(curve) == 501
    assert curve.iloc[-1].tolist() == [error.max(), 1]
    for row in curve.iloc[[1, 250, 400]].itertuples():
        assert np.mean(error <= row.error_months) == pytest.approx(row.share)


def test_no_cases_have_a_cumulative_error_of_one_point():
    assert cumulative_error([]).to_numpy().tolist() == [[0, 0]]


def test_a_box_and_its_whiskers_worked_by_hand():
    residuals = [0.0, 1.0, 2.0, 3.0, 4.0, 9.0, -7.0]
    cases = pd.DataFrame(
        {
            "id": list("abcdefgh"),
            "sex": ["male"] * 7 + ["female"],
            "reference_months": 100.0,
            "prediction_months": [100 + r for r in residuals] + [103.0],
        }
    )
    table, beyond = boxes(with_residuals(cases))
    girls, boys = table.to_dict("records")
    # In order -7 0 1 2 3 4 9: quartiles 0.5 and 3.5, so whiskers reach at most to -4 and 8.
    expected = {
        "age_band": "5-10 years", "sex": "male", "n": 7, "lower_whisker": 0,
        "lower_quartile": 0.5, "median": 2, "upper_quartile": 3.5, "upper_whisker": 4,
    }  # fmt: skip
    assert boys == expected
    assert set(girls.values()) == {"5-10 years", "female", 1, 3}
    assert beyond["id"].tolist() == ["f", "g"]
