import numpy as np
import pandas as pd
import pytest

from boneage.evaluation.cohorts import find_groups
from boneage.evaluation.intervals import bootstrap

COLUMNS = ["cohort", "n", "size", "rate", "coverage", "mae", "mae_low", "mae_high"]


def groups(*rows, **columns):
    """Cases from rows of (n, sex, age, error in months, crop method)."""
    n, *values = zip(*rows, strict=True)
    sex, age, error, method = (np.repeat(value, n) for value in values)
    return pd.DataFrame(
        {
            "id": [str(number) for number in range(sum(n))],
            "split": "test",
            "sex": sex,
            "age_months": age.astype(float),
            "prediction_months": age + error.astype(float),
            "crop_method": method,
        }
        | columns
    )


def worst_cohorts(cases, n_resamples=50):
    return find_groups(cases, n_resamples)[0]


def tree_cohorts(cases):
    return find_groups(cases, n_resamples=50)[1]


@pytest.fixture
def cases():
    """Large errors: half of the young girls and all hands found by segmentation."""
    return groups(
        (20, "female", 40, 20, "mediapipe"),
        (20, "female", 40, -2, "mediapipe"),
        (30, "female", 130, 12, "mediapipe"),  # 12 months are not yet a large error
        (30, "male", 130, 4, "mediapipe"),
        (25, "male", 130, -30, "segmentation"),
    )


def test_cohorts_are_the_values_of_each_factor_and_their_pairs(cases):
    table = worst_cohorts(cases)
    assert list(table) == COLUMNS
    assert set(table["cohort"]) == {
        "girls",
        "boys",
        "0-5 years",
        "10-15 years",
        "hand found by joint landmarks",
        "hand found by bright region",
        "girls, 10-15 years",
        "10-15 years, hand found by joint landmarks",
        "boys, hand found by joint landmarks",
    }
    # The other pairs hold the same cases as one of their values: all young children are girls.


def test_rate_coverage_and_size_worked_by_hand(cases):
    table = worst_cohorts(cases).set_index("cohort")
    girls = table.loc["girls"]
    assert (girls["n"], girls["size"]) == (70, 70 / 125)
    assert (girls["rate"], girls["coverage"]) == (20 / 70, 20 / 45)
    assert girls["mae"] == pytest.approx((20 * 20 + 20 * 2 + 30 * 12) / 70)
    boys = table.loc["boys, hand found by joint landmarks"]
    assert (boys["rate"], boys["coverage"], boys["mae"]) == (0, 0, 4)


def test_the_worst_cohort_stands_first_and_of_equal_ones_the_larger(cases):
    table = worst_cohorts(cases)
    assert table.loc[0, "cohort"] == "hand found by bright region"
    assert table["rate"].is_monotonic_decreasing
    faultless = table[table["rate"] == 0]
    assert len(faultless) > 1
    assert faultless["n"].is_monotonic_decreasing


def test_cohorts_of_fewer_than_20_cases_are_left_out(cases):
    by_region = cases["crop_method"] == "segmentation"
    assert worst_cohorts(cases[~by_region | (cases.index < 120)]).loc[0, "n"] == 20
    fewer = worst_cohorts(cases[~by_region | (cases.index < 119)])
    assert "hand found by bright region" not in set(fewer["cohort"])
    assert fewer["n"].min() == 30


def test_intervals_agree_with_a_bootstrap_of_the_cohort_alone():
    rng = np.random.default_rng(0)
    cases = groups((200, "female", 40, 0, "mediapipe"), (300, "male", 130, 0, "mediapipe"))
    cases["age_months"] += rng.uniform(0, 40, 500)
    cases["prediction_months"] = cases["age_months"] + rng.normal(3, 12, 500)
    table = worst_cohorts(cases, n_resamples=2000).set_index("cohort")
    alone = cases[cases["sex"] == "female"]
    low, high = bootstrap(alone["age_months"], alone["prediction_months"])["mae"]
    girls = table.loc["girls"]
    tolerance = 0.12 * (high - low)
    assert girls["mae_low"] == pytest.approx(low, abs=tolerance)
    assert girls["mae_high"] == pytest.approx(high, abs=tolerance)


def test_every_band_and_sex_with_cases_worked_by_hand(cases):
    *_, table = find_groups(pd.concat([cases, cases[:1].assign(age_months=200)]), n_resamples=50)
    assert table["age_band"].cat.ordered
    found = table[["age_band", "sex", "n", "mae"]].to_numpy().tolist()
    assert found == [
        ["0-5 years", "female", 40, 11],  # (20 + 2) / 2
        ["10-15 years", "female", 30, 12],
        ["10-15 years", "male", 55, (30 * 4 + 25 * 30) / 55],
        ["15-19 years", "female", 1, 140],
    ]
    assert table["mae_low"].isna().tolist() == [False, False, False, True]


def test_a_group_has_the_same_interval_in_every_table(cases):
    worst, _, by_both = find_groups(cases, n_resamples=50)
    columns = ["n", "mae", "mae_low", "mae_high"]
    girls = worst.set_index("cohort").loc["girls, 10-15 years", columns]
    assert girls.tolist() == by_both[columns].iloc[1].tolist()


def test_contrast_is_cut_into_thirds(cases):
    # The 42 flattest radiographs are those of the young girls and two others.
    table = worst_cohorts(cases.assign(contrast=np.arange(125.0)))
    thirds = table[table["cohort"].str.endswith("third of contrast")].set_index("cohort")
    assert thirds["n"].loc[
        ["lowest third of contrast", "middle third of contrast", "highest third of contrast"]
    ].tolist() == [42, 41, 42]
    assert thirds.loc["lowest third of contrast", "coverage"] == 20 / 45
    assert "girls, lowest third of contrast" not in thirds.index  # the same cases as the third
    assert "boys, highest third of contrast" not in thirds.index
    assert thirds.loc["girls, middle third of contrast", "n"] == 28


def test_one_contrast_for_all_makes_no_cohort(cases):
    table = worst_cohorts(cases.assign(contrast=0.2))
    assert not table["cohort"].str.contains("contrast").any()


def test_coverage_is_undefined_without_large_errors(cases):
    table = worst_cohorts(cases.assign(prediction_months=cases["age_months"]))
    assert table["coverage"].isna().all()
    assert (table["rate"] == 0).all()


def test_hands_found_in_an_unknown_way_make_no_cohort(cases):
    own = cases.assign(crop_method="unknown")
    for table in (worst_cohorts(own), tree_cohorts(own)):
        assert len(table) > 0
        assert not table["cohort"].str.contains("hand").any()


@pytest.mark.parametrize("find", [worst_cohorts, tree_cohorts])
@pytest.mark.parametrize("n", [1, 39, 60])
def test_cases_that_are_all_alike_have_no_cohorts(find, n):
    table = find(groups((60, "male", 130, 4, "mediapipe"))[:n])
    assert list(table) == COLUMNS
    assert table.empty


def test_the_tree_finds_where_the_error_is():
    cases = groups(
        (50, "male", 24, 2, "mediapipe"),
        (50, "male", 32, 30, "segmentation"),
        (50, "male", 32, 3, "mediapipe"),
        (50, "male", 110, 2, "segmentation"),
        (50, "female", 32, 2, "mediapipe"),
    )
    table = tree_cohorts(cases)
    assert list(table) == COLUMNS
    # Ages 32 and 110 are parted in the middle, 71 months.
    worst = table.iloc[0]
    assert worst["cohort"] == "under 5 y 11 m, hand found by bright region"
    assert (worst["n"], worst["rate"], worst["coverage"], worst["mae"]) == (50, 1, 1, 30)
    assert (worst["mae_low"], worst["mae_high"]) == (30, 30)


def test_the_leaves_part_the_cases():
    rng = np.random.default_rng(0)
    cases = groups((900, "female", 0, 0, "mediapipe"), (900, "male", 0, 0, "segmentation"))
    cases["age_months"] = rng.uniform(0, 220, 1800)
    cases["prediction_months"] = cases["age_months"] + rng.normal(0, 10, 1800)
    table = tree_cohorts(cases)
    assert len(table) == 6
    assert table["n"].sum() == 1800
    assert table["n"].min() >= 36  # 2 %
    assert table["coverage"].sum() == pytest.approx(1)
    assert table["cohort"].is_unique
    assert table["mae"].is_monotonic_decreasing


def test_conditions_on_one_factor_become_one_range():
    rng = np.random.default_rng(0)
    age = rng.integers(0, 220, 600).astype(float)
    error = np.where((age >= 28) & (age < 109), 20.0, 1.0)
    cases = groups((600, "female", 0, 0, "mediapipe"))
    cases = cases.assign(age_months=age, prediction_months=age + error)
    table = tree_cohorts(cases).set_index("cohort")
    assert set(table.index) == {"2 y 4 m to 9 y 1 m", "under 2 y 4 m", "from 9 y 1 m"}
    assert table.loc["2 y 4 m to 9 y 1 m", "n"] == (error == 20).sum()
    assert table.loc["under 2 y 4 m", "n"] == (age < 28).sum()


def test_leaves_begin_and_end_at_whole_months():
    # The best cut would be at 28.5 months, which no name of years and months can say.
    age = np.repeat([28.2, 28.8, 40.0], 40)
    error = np.repeat([1.0, 9.0, 9.0], 40)
    cases = groups((120, "female", 0, 0, "mediapipe"))
    cases = cases.assign(age_months=age, prediction_months=age + error)
    table = tree_cohorts(cases).set_index("cohort")
    assert table["n"].to_dict() == {"from 2 y 10 m": 40, "under 2 y 10 m": 80}


def test_a_leaf_may_hold_hands_found_in_several_ways():
    cases = groups(
        (60, "female", 100, 1, "mediapipe"),
        (30, "female", 100, 20, "segmentation"),
        (30, "female", 100, 20, "full_frame"),
    )
    names = tree_cohorts(cases)["cohort"].tolist()
    assert names == ["hand found by bright region or not found", "hand found by joint landmarks"]


def test_sex_and_contrast_in_words():
    contrast = np.tile(np.repeat([0.1, 0.15, 0.25], 40), 2)
    cases = groups((120, "female", 100, 1, "mediapipe"), (120, "male", 100, 1, "mediapipe"))
    cases = cases.assign(contrast=contrast)
    wrong = (cases["sex"] == "male") & (contrast == 0.15)
    cases.loc[wrong, "prediction_months"] += 30
    table = tree_cohorts(cases)
    assert table.loc[0, "cohort"] == "boys, contrast 0.125 to 0.2"
    assert table.loc[0, "mae"] == 31
