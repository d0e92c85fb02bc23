import numpy as np
import pandas as pd
import pytest
from scipy import stats

from boneage.evaluation.conformal import (
    CHECK_HALF,
    GROUPS,
    LEVELS,
    calibrate,
    calibration_half,
    coverage_table,
    merge_groups,
)
from boneage.evaluation.metrics import AGE_BANDS, age_band

INFANT, CHILD, TEENAGER, ADULT = AGE_BANDS


def make_cases(n_girls, n_boys, age=90.0, split="validation"):
    """Cases predicted right, n_girls and then n_boys of them; all of one age unless told."""
    n = n_girls + n_boys
    return pd.DataFrame(
        {
            "id": [f"{split}{number}" for number in range(n)],
            "split": split,
            "sex": ["female"] * n_girls + ["male"] * n_boys,
            "age_months": age,
            "prediction_months": age,
        }
    )


@pytest.fixture
def worked():
    """Errors in the calibration half: of 99 girls 0.1 to 9.9 months, of 50 boys 0.2 to 10.

    Every second one is read too young. All are predicted to be between 5 and 10 years old.
    """
    cases = make_cases(198, 100)
    half = calibration_half(cases)
    for sex, step in (("female", 0.1), ("male", 0.2)):
        drawn = cases.index[half & (cases["sex"] == sex)]
        errors = step * np.arange(1, len(drawn) + 1)
        cases.loc[drawn, "prediction_months"] += errors * np.tile([1, -1], len(drawn))[: len(drawn)]
    return cases


def simulated(n, seed):
    """Cases of all ages; boys are read with twice the spread of girls."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(20, 220, n)
    cases = make_cases(n // 2, n - n // 2, age)
    spread = np.where(cases["sex"] == "female", 6, 12)
    return cases.assign(prediction_months=age + rng.normal(0, spread))


def limits(calibration, months, sex, level, name="one"):
    ages = {known: [months] for known in calibration.names}
    return calibration.intervals(ages, [sex], level)[name][0].tolist()


@pytest.mark.parametrize(
    ("sex", "level", "margin"),
    [
        ("female", 0.9, 9.0),  # of 99 errors the 90th: 0.9 * (99 + 1)
        ("female", 0.8, 8.0),
        ("female", 0.95, 9.5),
        ("male", 0.9, 9.2),  # of 50 errors the 46th: 0.9 * (50 + 1) = 45.9
        ("male", 0.8, 8.2),  # the 41st
        ("male", 0.95, 9.8),  # the 49th
    ],
)
def test_intervals_worked_by_hand(worked, sex, level, margin):
    calibration = calibrate({"one": worked})
    assert limits(calibration, 100.0, sex, level) == pytest.approx([100 - margin, 100 + margin])


def test_no_interval_reaches_below_birth(worked):
    calibration = calibrate({"one": worked})
    assert limits(calibration, 3.0, "female", 0.9) == pytest.approx([0, 12])
    assert limits(calibration, -4.0, "female", 0.9) == pytest.approx([0, 5])


def test_one_model_and_the_mean_of_one_are_the_same(worked):
    calibration = calibrate({"one": worked})
    assert calibration.names == ["one", "ensemble"]
    assert not any(calibration.normalised.values())
    ensemble = limits(calibration, 100.0, "male", 0.9, "ensemble")
    assert ensemble == limits(calibration, 100.0, "male", 0.9)


def test_the_check_half_and_the_test_set_do_not_calibrate(worked):
    others = ~calibration_half(worked)
    wrong = worked.assign(prediction_months=worked["prediction_months"] + 30 * others)
    wrong = pd.concat([wrong, make_cases(60, 60, split="test").assign(prediction_months=20.0)])
    for level in LEVELS:
        assert limits(calibrate({"one": wrong}), 100.0, "female", level) == limits(
            calibrate({"one": worked}), 100.0, "female", level
        )


def test_the_half_is_the_same_for_any_order_and_any_predictions():
    cases = simulated(701, 1)
    half = calibration_half(cases)
    shuffled = cases.assign(prediction_months=0.0).sample(frac=1, random_state=3)
    pd.testing.assert_series_equal(calibration_half(shuffled).sort_index(), half)


def test_the_half_takes_half_of_every_sex_and_age_band():
    cases = simulated(1001, 2)
    half = calibration_half(cases)
    groups = half.groupby([cases["sex"], age_band(cases["age_months"])], observed=True)
    assert groups.sum().tolist() == (groups.size() // 2).tolist()
    assert len(groups) == 8


@pytest.mark.parametrize(
    ("counts", "groups"),
    [
        ((20, 20, 20, 20), ["0-5", "5-10", "10-15", "15-19"]),
        ((19, 1, 50, 20), ["0-10", "0-10", "10-15", "15-19"]),
        ((12, 12, 90, 10), ["0-10", "0-10", "10-19", "10-19"]),
        ((0, 0, 40, 0), ["0-19"] * 4),
        ((0, 8, 8, 8), ["0-19"] * 4),
    ],
)
def test_bands_of_few_cases_are_merged_with_their_neighbours(counts, groups):
    months = np.repeat([30.0, 90.0, 150.0, 200.0], counts)
    boys = np.repeat([30.0, 90.0, 150.0, 200.0], 60)
    merged = merge_groups(
        ["female"] * len(months) + ["male"] * len(boys), np.concatenate([months, boys])
    )
    girls = [merged["female", band] for band in AGE_BANDS]
    assert girls == [f"female, {group} years" for group in groups]
    assert [merged["male", band] for band in AGE_BANDS] == [f"male, {band}" for band in AGE_BANDS]


def test_groups_are_of_predicted_age():
    months = [-5.0] * 50 + [60.0] * 50
    assert merge_groups(["male"] * 100, months)["male", INFANT] == "male, 0-5 years"


@pytest.mark.parametrize(("n_girls", "n_boys"), [(2, 2), (300, 38), (38, 300)])
def test_without_20_calibration_cases_of_each_sex_there_are_no_intervals(n_girls, n_boys):
    calibration = calibrate({"one": make_cases(n_girls, n_boys)})
    assert calibration.names == []
    assert calibration.intervals({"one": [100.0], "ensemble": [100.0]}, ["female"]) == {}


def test_without_validation_cases_there_are_no_intervals():
    table = make_cases(300, 300, split="test")
    assert calibrate({"one": table}).names == []
    assert coverage_table({"one": table}).empty


def test_models_are_calibrated_on_the_cases_that_all_have(worked):
    calibration = calibrate({"one": worked, "two": worked.iloc[:150]})
    assert calibration.names == []


def test_simulated_intervals_hold_what_they_promise_in_each_sex():
    """Exchangeable cases: over many data sets the mean coverage is the level, or little above."""
    tables = [coverage_table({"one": simulated(1200, seed)}) for seed in range(60)]
    shares = pd.concat(tables).groupby(["group", "level"])["coverage"].mean()
    for group in ("all", "female", "male"):
        for level in LEVELS:
            assert shares[group, level] == pytest.approx(level, abs=0.015)


@pytest.fixture
def disagreeing():
    """Two models whose errors share their size, which differs from case to case."""
    rng = np.random.default_rng(5)
    cases = make_cases(1500, 1500, rng.uniform(20, 220, 3000))
    size = rng.choice([3.0, 20.0], 3000)
    return {
        name: cases.assign(prediction_months=cases["age_months"] + size * rng.normal(size=3000))
        for name in ("one", "two")
    }


def test_where_disagreement_tells_hard_cases_intervals_follow_it(disagreeing):
    calibration = calibrate(disagreeing)
    assert calibration.normalised == {"one": True, "two": True, "ensemble": True}
    ages = {"one": [98.0, 80.0], "two": [102.0, 120.0], "ensemble": [100.0, 100.0]}
    low, high = calibration.intervals(ages, ["female"] * 2)["ensemble"].T
    near, far = high - low
    assert far > 1.5 * near


def test_intervals_that_follow_disagreement_are_narrower_and_hold_as_much(disagreeing):
    with_both = coverage_table(disagreeing).set_index(["model", "level", "cases", "group"])
    alone = coverage_table({"one": disagreeing["one"]})
    alone = alone.set_index(["model", "level", "cases", "group"])
    row = ("one", 0.9, CHECK_HALF, "all")
    assert (with_both.loc[row, "normalised"], alone.loc[row, "normalised"]) == ("yes", "no")
    assert with_both.loc[row, "median_width"] < 0.9 * alone.loc[row, "median_width"]
    for table in (with_both, alone):
        assert table.loc[row, "coverage"] == pytest.approx(0.9, abs=0.02)


def test_the_largest_disagreement_of_the_calibration_half_is_kept(worked):
    half = calibration_half(worked)
    others = worked.assign(prediction_months=worked["prediction_months"] + np.where(half, 7, 70))
    calibration = calibrate({"one": worked, "two": others, "three": worked})
    assert calibration.most_disagreement == pytest.approx(7)


def test_models_that_never_disagree_leave_intervals_as_they_are(worked):
    calibration = calibrate({"one": worked, "two": worked})
    assert not any(calibration.normalised.values())
    assert limits(calibration, 100.0, "female", 0.9) == pytest.approx([91, 109])


def test_coverage_of_a_worked_table(worked):
    """Girls' 90 % interval is 9 months to each side, boys' 9.2; the test set is 8 or 9.1 off."""
    test = make_cases(4, 6, split="test")
    off = [8.0, -8.0, 9.1, -9.1, 9.1, 9.1, 9.1, 9.1, 9.3, -9.3]
    test["prediction_months"] += off
    test.loc[9, "prediction_months"] = 150.0  # a boy taken for a teenager
    table = coverage_table({"one": pd.concat([worked, test])})
    assert set(table["model"]) == {"one"}
    assert set(table["normalised"]) == {"no"}
    table = table[(table["level"] == 0.9) & (table["cases"] == "test")].set_index("group")
    assert table["n"].to_dict() == {
        "all": 10, "female": 4, "male": 6,
        "female, 5-10 years": 4, "male, 5-10 years": 5, "male, 10-15 years": 1,
    }  # fmt: skip
    shares = {"all": 0.6, "female": 0.5, "male": 4 / 6, "male, 5-10 years": 0.8}
    assert table["coverage"][list(shares)].to_dict() == pytest.approx(shares)
    widths = {"female": 18.0, "male": 18.4, "all": 18.4}
    assert table["median_width"][list(widths)].to_dict() == pytest.approx(widths)
    for row in table.itertuples():
        interval = stats.binomtest(round(row.n * row.coverage), row.n).proportion_ci(
            method="wilson"
        )
        assert (row.low, row.high) == pytest.approx((interval.low, interval.high))


def test_the_coverage_table_has_every_model_level_and_part():
    cases = pd.concat([simulated(600, 3), simulated(60, 4).assign(split="test")])
    cases = pd.concat([cases, simulated(50, 5).assign(split="train")])
    table = coverage_table({"one": cases, "two": cases})
    assert set(table["model"]) == {"one", "two", "ensemble"}
    assert set(table["level"]) == set(LEVELS)
    assert set(table["cases"]) == {CHECK_HALF, "test"}
    assert set(table["group"]) == set(GROUPS)
    every = table[table["group"] == "all"]
    assert set(every.loc[every["cases"] == CHECK_HALF, "n"]) == {302}  # halves are rounded down
    assert set(every.loc[every["cases"] == "test", "n"]) == {60}
    assert not table.duplicated(["model", "level", "cases", "group"]).any()
