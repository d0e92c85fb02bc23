import math

import pandas as pd
from plain import plain

from boneage.error_analysis import text as error_text
from boneage.error_analysis.calibration import AgeCalibration
from boneage.error_analysis.subgroups import Subgroups

NAN = math.nan
FOUND = AgeCalibration(
    n=1425, slope=1.0001, slope_interval=(0.989, 1.01), intercept=0.1,
    residual_slope=-0.0439, residual_slope_interval=(-0.0551, -0.0339),
    expected_residual_slope=-0.0437,
)  # fmt: skip
UNDEFINED = AgeCalibration(1, NAN, (NAN, NAN), NAN, NAN, (NAN, NAN), NAN)


def subgroups(n_worst=0, n_leaves=0, n_tested=63, r2=0.022, low=-0.004, factors=("sex", "age")):
    return Subgroups(
        pd.DataFrame({"n": range(n_worst)}), n_tested, pd.DataFrame({"n": range(n_leaves)}), r2,
        (low, 0.048), list(factors),
    )  # fmt: skip


def test_the_calibration_slope_has_its_interval_and_n():
    sentence = plain(error_text.calibration_slope(FOUND))
    assert "Calibration slope 1.00 (95% CI 0.99 to 1.01, n = 1,425)" in sentence
    assert "different ages" in error_text.calibration_slope(UNDEFINED)


def test_regression_to_the_mean_is_told_with_the_expected_and_the_found_slope():
    sentence = plain(error_text.regression_to_the_mean(FOUND))
    assert sentence.startswith("Regression to the mean: residuals slope downwards")
    assert "−0.044 months per month would be expected" in sentence
    assert "−0.044, 95% CI −0.055 to −0.034, is found" in sentence
    assert "nan" not in error_text.regression_to_the_mean(UNDEFINED)


def test_where_no_subgroup_is_worse_the_page_says_so():
    sentence = plain(error_text.worst_subgroups(subgroups(), "reference bone age"))
    assert sentence.startswith("None of 63 subgroups tested (bands are of reference bone age)")
    assert "held" not in sentence
    none = error_text.worst_subgroups(subgroups(n_tested=0), "reference bone age")
    assert none == "No subgroup of at least 20 radiographs can be formed."


def test_subgroups_come_with_a_caveat():
    sentence = plain(error_text.worst_subgroups(subgroups(n_worst=2), "predicted bone age"))
    assert "of 63 tested, after adjustment for their number (family-wise error 5%)" in sentence
    assert "bands are of predicted bone age" in sentence
    assert "estimated on radiographs not used for the selection" in sentence


def test_a_tree_that_explains_nothing_is_one_sentence():
    assert plain(error_text.tree_subgroups(subgroups(), "reference bone age")) == (
        "No subgroup found by a decision tree has a different error on held-out radiographs "
        "(out-of-sample R² 0.022, 95% CI −0.004 to 0.048)."
    )
    assert "No decision tree" in error_text.tree_subgroups(subgroups(r2=NAN), "reference bone age")


def test_a_tree_names_only_what_it_could_split_on():
    tree = subgroups(n_leaves=3, low=0.01)
    sentence = plain(error_text.tree_subgroups(tree, "reference bone age"))
    assert "can split on sex and age (out-of-sample R² 0.022, 95% CI 0.010 to 0.048)" in sentence
    assert "contrast" not in sentence
    assert "estimated on radiographs not used for the selection" in sentence
    both = error_text.tree_subgroups(subgroups(n_worst=1, n_leaves=3), "reference bone age")
    assert "no part" not in both  # stands with the subgroups above
    every = ["sex", "age", "crop_method", "block", "contrast"]
    assert error_text.factors(every) == (
        "sex, age, hand detection method, inferred acquisition block and contrast"
    )


def test_the_band_of_readers_is_called_an_estimate():
    assert error_text.about_reader_band(4.8, 7.0) == (
        "Shaded: estimated range of single human readers on the 200 test radiographs, 4.8 to 7.0 "
        "months."
    )
