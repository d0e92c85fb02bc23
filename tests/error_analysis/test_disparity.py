import numpy as np
import pandas as pd
import pytest

from boneage.error_analysis.disparity import COLUMNS, disparity
from boneage.error_analysis.disparity_table import disparity_table


@pytest.fixture
def cases():
    """Girls of band a: residuals 2 and 4; of b: 6. Boys of a: -1 and -13; of b: 14 and 16."""
    residual = np.array([2.0, 4, 6, -1, -13, 14, 16])
    return pd.DataFrame(
        {
            "sex": ["female"] * 3 + ["male"] * 4,
            "age_band": ["a", "a", "b", "a", "a", "b", "b"],
            "residual_months": residual,
            "absolute_error": np.abs(residual),
        }
    )


def test_differences_and_ratios_are_those_worked_by_hand(cases):
    # Girls: MAE 12 / 3, bias 4, none of 3 large. Boys: MAE 44 / 4, bias 16 / 4, 3 of 4 large.
    found = disparity(cases, "sex", min_cases=1).set_index("metric")
    assert found["control"].tolist() == ["", "", ""]
    mae, bias, large = (found.loc[name] for name in ("mae", "bias", "large"))
    assert (mae.highest, mae.lowest, mae.n_highest, mae.n_lowest) == ("male", "female", 4, 3)
    assert (mae.value_highest, mae.value_lowest) == (11, 4)
    assert (mae.difference, mae.ratio) == pytest.approx((7, 4 / 11))
    assert (bias.difference, bias.ratio) == pytest.approx((0, 1))
    assert (large.difference, large.ratio) == pytest.approx((0.75, 0))


def test_a_control_feature_compares_within_its_values(cases):
    found = disparity(cases, "sex", "age_band", min_cases=1).set_index(["control", "metric"])
    assert found["difference"].to_dict() == pytest.approx(
        {
            ("a", "mae"): 4, ("a", "bias"): 10, ("a", "large"): 0.5,
            ("b", "mae"): 9, ("b", "bias"): 9, ("b", "large"): 1,
        }
    )  # fmt: skip
    assert np.isnan(found.loc[("a", "bias"), "ratio"])  # 3 and -7
    assert np.isnan(found.loc[("a", "bias"), "ratio_low"])
    assert found.loc[("b", "bias"), "ratio"] == pytest.approx(6 / 15)


def test_small_groups_are_left_out(cases):
    assert disparity(cases, "sex", min_cases=4).empty
    assert list(disparity(cases, "sex").columns) == list(COLUMNS)


def test_the_interval_holds_a_real_difference_and_zero_where_there_is_none():
    rng = np.random.default_rng(1)
    sex = np.repeat(["female", "male"], 400)
    for extra, excludes_zero in ((4.0, True), (0.0, False)):
        residual = rng.normal(0, 8, 800) + np.where(sex == "male", extra, 0)
        cases = pd.DataFrame({"sex": sex, "residual_months": residual})
        cases = cases.assign(absolute_error=cases["residual_months"].abs())
        bias = disparity(cases, "sex", n_resamples=500).set_index("metric").loc["bias"]
        assert bias.difference_low < max(extra, bias.difference) < bias.difference_high + 1e-9
        assert (bias.difference_low > 0) == excludes_zero
        # Normal theory: 1.96 standard errors of a difference of two means.
        width = 2 * 1.96 * 8 * (2 / 400) ** 0.5
        assert bias.difference_high - bias.difference_low == pytest.approx(width, rel=0.15)


def test_the_table_names_the_groups_and_says_what_is_not_defined(cases):
    html = disparity_table(disparity(cases, "sex", "age_band", min_cases=1)).html()
    assert "Boys, n = 2" in html and "Girls, n = 1" in html
    assert "not defined" in html and "nan" not in html
    assert html.count("Errors &gt; 12 months") == 2
