import numpy as np
import pandas as pd
import pytest

from boneage.error_analysis.subgroups import find_groups
from boneage.error_analysis.tree import grow_tree, tree_features
from boneage.evaluation.residuals import PREDICTED_AGE, REFERENCE_AGE, with_residuals

TRUE_MAE = 8 * (2 / np.pi) ** 0.5


def cases_of(age, error, sex="female", method="mediapipe", **columns):
    age = np.asarray(age, dtype=float)
    return pd.DataFrame(
        {
            "id": [str(number) for number in range(len(age))],
            "sex": sex,
            "reference_months": age,
            "prediction_months": age + error,
            "crop_method": method,
        }
        | columns
    )


def simulated(seed, n=1425, worse=1.0):
    """Errors of one size but of boys under 5 years 8 months, who are 15% of all cases."""
    rng = np.random.default_rng(seed)
    sex, age = rng.choice(["female", "male"], n), rng.integers(0, 228, n)
    scale = np.where((sex == "male") & (age < 68), 8 * worse, 8)
    return cases_of(age, rng.normal(0, scale), sex, contrast=rng.normal(50, 10, n))


def grown(cases, n_resamples=200):
    cases = with_residuals(cases)
    features = tree_features(cases, REFERENCE_AGE)
    return grow_tree(cases, features, REFERENCE_AGE, n_resamples, seed=1)


def shown(cases, by=REFERENCE_AGE):
    """Leaves that are shown: name -> row."""
    return find_groups(cases, by, n_resamples=50).tree.set_index("cohort")


def held_out(tree, cases):
    error = with_residuals(cases)["absolute_error"].to_numpy()
    return error @ tree.weights / tree.weights.sum(axis=0)


def test_the_tree_finds_where_the_error_is():
    cases = cases_of(
        np.repeat([24, 32, 32, 110, 32], 50),
        np.repeat([2, 30, 3, 2, 2], 50),
        np.repeat(["male", "male", "male", "male", "female"], 50),
        np.repeat(["mediapipe", "segmentation", "mediapipe", "segmentation", "mediapipe"], 50),
    )
    tree = find_groups(cases, n_resamples=50).tree
    # Ages 32 and 110 are parted in the middle, 71 months.
    worst = tree.iloc[0]
    assert worst["cohort"] == "under 5 y 11 m, hand found by bright region"
    assert (worst["n"], worst["coverage"]) == (50, 1)
    assert worst[["mae", "mae_in_sample", "rate"]].tolist() == pytest.approx([30, 30, 1])


def test_the_leaves_part_the_cases():
    tree = grown(simulated(0, n=1800))
    inside = np.column_stack([leaf.inside for leaf in tree.leaves])
    assert inside.shape == tree.weights.shape == (1800, 6)
    assert (inside.sum(axis=1) == 1).all()
    assert inside.sum(axis=0).min() >= 90  # 5%
    assert len({leaf.name for leaf in tree.leaves}) == 6


def test_below_40_cases_or_without_factors_there_is_no_tree():
    rng = np.random.default_rng(0)
    assert grown(cases_of(rng.integers(0, 200, 39), rng.normal(0, 8, 39))) is None
    assert grown(cases_of([100] * 60, rng.normal(0, 8, 60))) is None


def test_errors_that_do_not_differ_are_passed_over():
    """In sample every tree explains some of them: its worst leaf is more than 15% too high."""
    passed_over, in_sample, out = 0, [], []
    for seed in range(20):
        cases = simulated(seed, n=600)
        tree = grown(cases)
        passed_over += tree.r2_interval[0] <= 0
        error = with_residuals(cases)["absolute_error"].to_numpy()
        means = [error[leaf.inside].mean() for leaf in tree.leaves]
        in_sample.append(max(means))
        out.append(held_out(tree, cases)[np.argmax(means)])
        assert tree.r2 < 0.01
    assert passed_over >= 19
    assert np.mean(in_sample) > 1.15 * TRUE_MAE
    assert np.mean(out) == pytest.approx(TRUE_MAE, rel=0.07)


def test_a_subgroup_of_doubled_error_is_found_and_its_estimate_has_no_bias():
    in_sample, bias = [], []
    for seed in range(10):
        cases = simulated(seed, worse=2)
        tree = grown(cases)
        assert tree.r2_interval[0] > 0
        truth = (
            np.where((cases["sex"] == "male") & (cases["reference_months"] < 68), 2, 1) * TRUE_MAE
        )
        error = with_residuals(cases)["absolute_error"].to_numpy()
        means = [error[leaf.inside].mean() for leaf in tree.leaves]
        worst = np.argmax(means)
        expected = truth[tree.leaves[worst].inside].mean()
        in_sample.append(means[worst] - expected)
        bias.append(held_out(tree, cases)[worst] - expected)
    assert np.mean(in_sample) > 0.8
    assert abs(np.mean(bias)) < 0.4


def test_a_tree_that_explains_nothing_held_out_is_not_shown():
    found = find_groups(simulated(3, n=300), n_resamples=50)
    assert found.tree.empty
    assert found.tree_r2 < 0
    low, high = found.tree_r2_interval
    assert low < found.tree_r2 < high


def test_conditions_on_one_factor_become_one_range():
    age = np.random.default_rng(0).integers(0, 220, 600)
    error = np.where((age >= 28) & (age < 109), 20.0, 1.0)
    table = shown(cases_of(age, error))
    assert set(table.index) == {"2 y 4 m to 9 y 1 m", "under 2 y 4 m", "from 9 y 1 m"}
    assert table.loc["2 y 4 m to 9 y 1 m", "n"] == (error == 20).sum()
    assert table.loc["under 2 y 4 m", "n"] == (age < 28).sum()


def test_ages_are_those_asked_for():
    age = np.tile([40.0, 100.0], 60)
    cases = cases_of(age, np.where(age == 40, 20.0, 1.0))
    assert set(shown(cases).index) == {"under 5 y 10 m", "from 5 y 10 m"}  # of 40 and 100
    # Of 60 and 101.
    assert set(shown(cases, PREDICTED_AGE).index) == {"under 6 y 9 m", "from 6 y 9 m"}


def test_leaves_begin_and_end_at_whole_months():
    # The best cut would be at 28.5 months, which no name of years and months can say.
    table = shown(cases_of(np.repeat([28.2, 28.8, 40.0], 40), np.repeat([1.0, 9.0, 9.0], 40)))
    assert table["n"].to_dict() == {"from 2 y 10 m": 40, "under 2 y 10 m": 80}


def test_a_leaf_may_hold_hands_found_in_several_ways():
    methods = np.repeat(["mediapipe", "segmentation", "full_frame"], [60, 30, 30])
    table = shown(cases_of([100] * 120, np.repeat([1, 20], 60), method=methods))
    assert table.index.tolist() == [
        "hand found by bright region or not found", "hand found by joint landmarks"
    ]  # fmt: skip


def test_sex_and_contrast_in_words():
    contrast = np.tile(np.repeat([0.1, 0.15, 0.25], 60), 2)
    sex = np.repeat(["female", "male"], 180)
    wrong = (sex == "male") & (contrast == 0.15)
    table = shown(cases_of([100] * 360, np.where(wrong, 31.0, 1.0), sex, contrast=contrast))
    assert table.index[0] == "boys, contrast 0.125 to 0.2"
    assert table["mae"].iloc[0] == pytest.approx(31)


def test_only_what_tells_cases_apart_is_a_factor():
    cases = cases_of([90, 100], 1, method="unknown", contrast=50.0)
    assert list(tree_features(cases, REFERENCE_AGE)) == ["age"]
