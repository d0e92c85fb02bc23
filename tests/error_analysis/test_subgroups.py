import numpy as np
import pandas as pd
import pytest

from boneage.datasets.blocks import BLOCKS
from boneage.error_analysis import subgroups
from boneage.error_analysis.subgroups import by_band_and_sex, by_block, find_groups, worst_subgroups
from boneage.evaluation.intervals import bootstrap
from boneage.evaluation.residuals import PREDICTED_AGE, REFERENCE_AGE, with_residuals

COLUMNS = [
    *("subgroup", "cohort", "n", "size", "mae", "mae_low", "mae_high", "mae_in_sample"),
    *("rate", "coverage"),
]  # fmt: skip


def groups(*rows, **columns):
    """Cases from rows of (n, sex, age, error in months, crop method)."""
    n, *values = zip(*rows, strict=True)
    sex, age, error, method = (np.repeat(value, n) for value in values)
    return pd.DataFrame(
        {
            "id": [str(number) for number in range(sum(n))],
            "split": "test",
            "sex": sex,
            "reference_months": age.astype(float),
            "prediction_months": age + error.astype(float),
            "crop_method": method,
        }
        | columns
    )


def simulated(seed, n=1425, worse=1.0):
    """Errors of one size, MAE 8 * sqrt(2 / pi) months, but of boys of 5 to 10 years (`worse`)."""
    rng = np.random.default_rng(seed)
    age = rng.choice([40, 90, 150, 200], n, p=[0.1, 0.3, 0.45, 0.15]) + rng.integers(0, 20, n)
    sex = rng.choice(["female", "male"], n)
    bad = (sex == "male") & (age >= 90) & (age < 110)
    error = rng.normal(0, 8, n) * np.where(bad, worse, 1)
    cases = groups((n, "male", 0, 0, "mediapipe"), contrast=rng.normal(50, 10, n))
    return cases.assign(sex=sex, reference_months=age.astype(float), prediction_months=age + error)


TRUE_MAE = 8 * (2 / np.pi) ** 0.5


def worst_cohorts(cases, n_resamples=100):
    return worst_subgroups(with_residuals(cases), n_resamples=n_resamples)[0]


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


def test_values_of_each_factor_and_their_pairs_are_tested(cases):
    # 2 sexes, 2 bands, 2 crop methods; girls of 10-15 years, that band by landmarks, boys by
    # landmarks. The other pairs hold the same cases as one of their values: all young are girls.
    assert find_groups(cases, n_resamples=50).n_tested == 9
    fewer = cases.drop(cases.index[-6:])  # 19 hands are left that were found by segmentation
    assert find_groups(fewer, n_resamples=50).n_tested == 6


def test_the_subgroups_that_are_worse_are_shown_with_numbers_worked_by_hand(cases):
    table = worst_cohorts(cases)
    assert list(table) == COLUMNS
    assert table["cohort"].tolist() == ["hand found by bright region", "boys"]
    found = table.set_index("cohort")
    one = found.loc["hand found by bright region"]
    assert (one["n"], one["size"], one["mae"], one["rate"]) == (25, 25 / 125, 30, 1)
    assert (one["mae_low"], one["mae_high"]) == pytest.approx((30, 30))
    assert one["coverage"] == 25 / 45
    assert found.loc["boys", "mae_in_sample"] == pytest.approx((30 * 4 + 25 * 30) / 55)


def test_an_error_of_exactly_12_months_is_not_large():
    rng = np.random.default_rng(0)
    age = rng.integers(0, 18_000, 1000) / 100
    cases = groups((1000, "female", 0, 0, "mediapipe"))
    cases = cases.assign(reference_months=age, prediction_months=(age + 12).round(2))
    cases.loc[:199, "sex"] = "male"
    cases.loc[:199, "prediction_months"] = (age[:200] + 14).round(2)
    boys = worst_cohorts(cases).set_index("cohort").loc["boys"]
    assert (boys["rate"], boys["coverage"]) == (1, 1)


def test_errors_that_do_not_differ_are_passed_over_in_95_of_100_tables():
    shown = sum(len(worst_cohorts(simulated(seed, n=400))) > 0 for seed in range(100))
    assert shown <= 10  # expected 5, standard deviation 2.2


def test_a_subgroup_of_doubled_error_is_found_and_its_estimate_has_no_bias():
    found, bias = 0, []
    for seed in range(20):
        table = worst_cohorts(simulated(seed, worse=2)).set_index("cohort")
        if "boys, 5-10 years" in table.index:
            found += 1
            bias.append(table.loc["boys, 5-10 years", "mae"] - 2 * TRUE_MAE)
    assert found == 20
    assert abs(np.mean(bias)) < 0.4  # months; standard error of the mean 0.15


def test_what_is_shown_by_chance_or_with_luck_is_estimated_closer_to_the_truth():
    """Of slightly larger errors, only the luckier tables show a subgroup, so its error in sample is
    too large; the held-out estimate is not."""
    in_sample, held_out = [], []
    for seed in range(150):
        table = worst_cohorts(simulated(seed, n=400, worse=1.25)).set_index("cohort")
        if "boys, 5-10 years" in table.index:
            one = table.loc["boys, 5-10 years"]
            in_sample.append(one["mae_in_sample"] - 1.25 * TRUE_MAE)
            held_out.append(one["mae"] - 1.25 * TRUE_MAE)
    assert len(held_out) >= 20
    assert np.mean(in_sample) > 0.6
    assert abs(np.mean(held_out)) < 0.5 * np.mean(in_sample)


def test_intervals_agree_with_a_bootstrap_of_the_subgroup_alone():
    # So much worse that every half chooses it: each case counts alike.
    cases = simulated(0, worse=4)
    one = worst_cohorts(cases, n_resamples=2000).set_index("cohort").loc["boys, 5-10 years"]
    bands = with_residuals(cases)["age_band"]
    alone = cases[(cases["sex"] == "male") & (bands == "5-10 years")]
    low, high = bootstrap(alone["reference_months"], alone["prediction_months"])["mae"]
    assert one["mae"] == pytest.approx(one["mae_in_sample"], rel=0.01)
    tolerance = 0.12 * (high - low)
    assert one["mae_low"] == pytest.approx(low, abs=tolerance)
    assert one["mae_high"] == pytest.approx(high, abs=tolerance)


def test_bands_can_be_those_of_predicted_age():
    # Boys of 50 months read as 70: 0-5 years by reference, 5-10 years by prediction.
    cases = groups(
        (40, "male", 50, 20, "mediapipe"),
        (60, "female", 50, 1, "mediapipe"),
        (60, "female", 90, 1, "mediapipe"),
        (60, "male", 90, 1, "mediapipe"),
    )
    by_reference, by_prediction = (
        set(find_groups(cases, by, n_resamples=50).worst["cohort"])
        for by in (REFERENCE_AGE, PREDICTED_AGE)
    )
    assert "boys, 0-5 years" in by_reference
    assert not any("0-5 years" in name for name in by_prediction)


def test_every_band_and_sex_with_cases_worked_by_hand(cases):
    cases = with_residuals(pd.concat([cases, cases[:1].assign(reference_months=200)]))
    table = by_band_and_sex(cases, n_resamples=50)
    assert table["age_band"].cat.ordered
    found = table[["age_band", "sex", "n", "mae"]].to_numpy().tolist()
    assert found == [
        ["0-5 years", "female", 40, 11],  # (20 + 2) / 2
        ["10-15 years", "female", 30, 12],
        ["10-15 years", "male", 55, (30 * 4 + 25 * 30) / 55],
        ["15-19 years", "female", 1, 140],
    ]
    assert table["mae_low"].isna().tolist() == [False, False, False, True]


def test_contrast_is_cut_into_thirds(cases):
    flat = cases.assign(
        prediction_months=cases["reference_months"], contrast=np.arange(125.0)[::-1]
    )
    flat.loc[90:, "prediction_months"] += 10 + np.arange(35) / 100
    names = worst_cohorts(flat)["cohort"].tolist()
    assert "lowest third of contrast" in names
    assert find_groups(flat, n_resamples=50).n_tested > 9


def test_the_inferred_block_is_a_factor(cases):
    names = list(BLOCKS)
    block = pd.Categorical.from_codes(np.arange(125) % 2, names, ordered=True)
    error = np.where(np.arange(125) % 2 == 0, 2.0, 9.0) + np.arange(125) / 100
    cases = cases.assign(block=block, prediction_months=cases["reference_months"] + error)
    found = find_groups(cases, n_resamples=50)
    assert f"inferred block {names[1]}" in set(found.worst["cohort"])
    assert found.tree["cohort"].tolist()[0].endswith(f"inferred block {names[1]}")
    assert "block" in found.tree_factors


def test_blocks_worked_by_hand():
    names = list(BLOCKS)
    cases = groups(
        (2, "male", 120, 4, "mediapipe"),
        (2, "male", 127, -2, "mediapipe"),
        contrast=[10.0, 20.0, 50.0, 60.0],
        block=pd.Categorical.from_codes([0, 0, 2, 2], names, ordered=True),
    )
    cases.loc[1, "prediction_months"] -= 10  # errors +4, -6
    table = by_block(with_residuals(cases), n_resamples=50)
    assert table["block"].tolist() == [names[0], names[2]]
    assert table["n"].tolist() == [2, 2]
    assert table["mae"].tolist() == [5, 2]
    assert table["bias"].tolist() == [-1, -2]
    assert table["contrast"].tolist() == [15, 55]
    assert table["whole_years"].tolist() == [1, 0]
    assert (table.loc[1, "bias_low"], table.loc[1, "bias_high"]) == (-2, -2)
    assert by_block(with_residuals(cases.drop(columns="block"))).empty


def test_one_contrast_for_all_makes_no_cohort(cases):
    found = find_groups(cases.assign(contrast=0.2), n_resamples=50)
    assert found.n_tested == 9
    assert "contrast" not in found.tree_factors


def test_coverage_is_undefined_without_large_errors(cases):
    table = worst_cohorts(
        cases.assign(prediction_months=cases["reference_months"] + cases.index / 20)
    )
    assert len(table) > 0
    assert table["coverage"].isna().all()
    assert (table["rate"] == 0).all()


def test_hands_found_in_an_unknown_way_make_no_cohort(cases):
    found = find_groups(cases.assign(crop_method="unknown"), n_resamples=50)
    assert found.tree_factors == ["sex", "age"]
    assert found.n_tested == 5  # 2 sexes, 2 bands, girls of 10 to 15 years


@pytest.mark.parametrize("n", [1, 39, 60])
def test_cases_that_are_all_alike_have_no_subgroups(n):
    found = find_groups(groups((60, "male", 130, 4, "mediapipe"))[:n], n_resamples=50)
    for table in (found.worst, found.tree):
        assert list(table) == COLUMNS
        assert table.empty
    assert found.n_tested == 0


def test_of_very_many_cases_the_limit_of_permutations_is_taken(monkeypatch):
    limits, by_chance = [], subgroups._largest_by_chance
    monkeypatch.setattr(
        subgroups,
        "_largest_by_chance",
        lambda *given: limits.append(by_chance(*given)) or limits[-1],
    )
    cases = with_residuals(simulated(1, n=5000, worse=1.5))
    permuted, n_tested = worst_subgroups(cases)
    monkeypatch.setattr(subgroups, "NORMAL_FROM", 1000)
    drawn, n_drawn = worst_subgroups(cases)
    assert n_tested == n_drawn > 10
    assert set(drawn["cohort"]) == set(permuted["cohort"]) != set()
    assert limits[0] != limits[1] == pytest.approx(limits[0], rel=0.05)
