import numpy as np
import pandas as pd
import pytest
from scipy import stats

from boneage.datasets.blocks import BLOCKS
from boneage.evaluation.metrics import AGE_BANDS
from boneage.inference.conformal import (
    GROUPS,
    LEVELS,
    calibrate,
    conformal_margins,
    coverage_table,
    merge_groups,
)

INFANT, CHILD, TEENAGER, ADULT = AGE_BANDS


def make_cases(n_girls, n_boys, age=90.0, split="validation"):
    """Cases predicted right, n_girls and then n_boys of them; all of one age unless told."""
    n = n_girls + n_boys
    return pd.DataFrame(
        {
            "id": [f"{split}{number}" for number in range(n)],
            "split": split,
            "sex": ["female"] * n_girls + ["male"] * n_boys,
            "reference_months": age,
            "prediction_months": age,
        }
    )


@pytest.fixture
def worked():
    """Errors of 99 girls 0.1 to 9.9 months, of 50 boys 0.2 to 10.

    Every second one is underestimated. All are predicted to be between 5 and 10 years old.
    """
    cases = make_cases(99, 50)
    for sex, step in (("female", 0.1), ("male", 0.2)):
        of_sex = cases.index[cases["sex"] == sex]
        errors = step * np.arange(1, len(of_sex) + 1)
        signs = np.where(np.arange(len(of_sex)) % 2, -1, 1)
        cases.loc[of_sex, "prediction_months"] += errors * signs
    return cases


SPREAD = {"female": 6.0, "male": 12.0}


def simulated(n, seed, split="validation"):
    """Predictions of all four bands alike; boys are read with twice the spread of girls."""
    rng = np.random.default_rng([seed, len(split)])
    predicted = rng.uniform(0, 240, n)
    cases = make_cases(n // 2, n - n // 2, predicted, split)
    return cases.assign(reference_months=predicted + rng.normal(0, cases["sex"].map(SPREAD)))


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
    ensemble = limits(calibration, 100.0, "male", 0.9, "ensemble")
    assert ensemble == limits(calibration, 100.0, "male", 0.9)


def test_every_validation_case_calibrates(worked):
    """Whichever case is left out, the largest of the 90 smallest errors moves or the rank does."""
    whole = limits(calibrate({"one": worked}), 100.0, "female", 0.9)
    girls = worked.index[worked["sex"] == "female"]
    for case in girls[::9]:
        wrong = worked.copy()
        is_small = abs(worked.loc[case, "prediction_months"] - 90) < 9.05
        wrong.loc[case, "prediction_months"] = 119.0 if is_small else 90.0
        assert limits(calibrate({"one": wrong}), 100.0, "female", 0.9) != whole


def test_only_validation_cases_calibrate(worked):
    other = [make_cases(60, 60, split=split) for split in ("train", "test")]
    more = pd.concat([worked, *(cases.assign(prediction_months=20.0) for cases in other)])
    for level in LEVELS:
        assert limits(calibrate({"one": more}), 100.0, "female", level) == limits(
            calibrate({"one": worked}), 100.0, "female", level
        )


@pytest.mark.parametrize(
    ("n", "level", "rank"), [(99, 0.9, 90), (19, 0.95, 19), (9, 0.9, 9), (1425, 0.8, 1141)]
)
def test_the_margin_is_the_error_of_the_rank(n, level, rank):
    errors = np.random.default_rng(1).permutation(np.arange(1.0, n + 1))
    assert conformal_margins(errors, [level]).tolist() == [rank]


def test_too_few_errors_have_an_infinite_margin():
    assert conformal_margins(np.arange(18.0), [0.9, 0.95]).tolist() == [17, np.inf]


@pytest.mark.parametrize(
    ("counts", "groups"),
    [
        ((22, 22, 22, 22), ["0-5", "5-10", "10-15", "15-19"]),
        ((21, 1, 50, 22), ["0-10", "0-10", "10-15", "15-19"]),
        ((12, 12, 90, 10), ["0-10", "0-10", "10-19", "10-19"]),
        ((0, 0, 40, 0), ["0-19"] * 4),
        ((0, 8, 8, 8), ["0-19"] * 4),
    ],
)
def test_bands_of_few_cases_are_merged_with_their_neighbors(counts, groups):
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


@pytest.mark.parametrize(("n_girls", "n_boys"), [(2, 2), (300, 21), (21, 300)])
def test_without_22_validation_cases_of_each_sex_there_are_no_intervals(n_girls, n_boys):
    calibration = calibrate({"one": make_cases(n_girls, n_boys)})
    assert calibration.names == []
    assert calibration.intervals({"one": [100.0], "ensemble": [100.0]}, ["female"]) == {}
    assert calibrate({"one": make_cases(22, 22)}).names == ["one", "ensemble"]


def test_without_validation_cases_there_are_no_intervals():
    table = make_cases(300, 300, split="test")
    assert calibrate({"one": table}).names == []
    assert coverage_table({"one": table}).empty


def test_models_are_calibrated_on_the_cases_that_all_have(worked):
    calibration = calibrate({"one": worked, "two": worked.iloc[:110]})
    assert calibration.names == []


def test_the_other_models_do_not_change_the_intervals_of_a_model(worked):
    two = worked.assign(prediction_months=np.linspace(30, 200, len(worked)))
    together = calibrate({"one": worked, "two": two})
    assert limits(together, 100.0, "male", 0.9) == limits(
        calibrate({"one": worked}), 100.0, "male", 0.9
    )


def test_the_largest_disagreement_of_the_validation_cases_is_kept(worked):
    apart = worked.assign(prediction_months=worked["prediction_months"] + 7)
    apart.loc[5, "prediction_months"] += 20
    unseen = make_cases(30, 30, split="test")
    calibration = calibrate(
        {
            "one": pd.concat([worked, unseen]),
            "two": pd.concat([apart, unseen.assign(prediction_months=200.0)]),
            "three": pd.concat([worked, unseen]),
        }
    )
    assert calibration.most_disagreement == pytest.approx(27)


# Coverage ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def repeated():
    """Coverage in 25 data sets of 600 validation and 600 test cases, all exchangeable."""
    tables = []
    for seed in range(25):
        cases = pd.concat([simulated(600, seed), simulated(600, seed, "test")])
        tables.append(coverage_table({"one": cases}, n_partitions=1))
    table = pd.concat(tables)
    return table[table["model"] == "one"]


@pytest.mark.parametrize("cases", ["validation", "test"])
def test_coverage_of_exchangeable_cases_is_nominal(repeated, cases):
    """Over many data sets the mean is the level, or little above."""
    table = repeated[repeated["cases"] == cases]
    shares = table.groupby(["group", "level"])["coverage"].mean()
    for (group, level), share in shares.items():
        assert share == pytest.approx(level, abs=0.04 if "," in group else 0.015)


def true_coverage(cases):
    """The share of new cases like those `simulated` that 90% intervals of these cover."""
    calibration, shares = calibrate({"one": cases}), []
    for sex, spread in SPREAD.items():
        for months in (30.0, 90.0, 150.0, 210.0):
            margin = limits(calibration, months, sex, 0.9)[1] - months
            shares.append(2 * stats.norm.cdf(margin / spread) - 1)
    return np.mean(shares)


def test_the_ci_of_the_validation_set_holds_the_coverage_among_new_cases():
    held = []
    for seed in range(40):
        cases = simulated(500, seed)
        table = coverage_table({"one": cases}, n_partitions=1)
        every = table[(table["level"] == 0.9) & (table["group"] == "all")].iloc[0]
        held.append(every["low"] < true_coverage(cases) < every["high"])
    assert 0.9 < np.mean(held) < 1


def test_many_partitions_make_the_mean_certain_but_not_the_ci():
    cases = simulated(600, 3)
    two, forty = (
        coverage_table({"one": cases}, n_partitions=n).set_index(["model", "level", "group"])
        for n in (2, 40)
    )
    row = ("one", 0.9, "all")
    width = two["high"] - two["low"]
    assert forty.loc[row, "high"] - forty.loc[row, "low"] == pytest.approx(width[row], rel=0.05)
    assert 0 < forty.loc[row, "sd"] < width[row] / 8


def test_a_case_does_not_calibrate_the_intervals_that_judge_it():
    """Without noise but in one girl, whose own error would be her limit."""
    cases = make_cases(30, 30)
    cases.loc[0, "prediction_months"] += 50
    table = coverage_table({"one": cases}).set_index(["model", "level", "group"])
    for level in LEVELS:
        assert table.loc[("one", level, "female"), "coverage"] == pytest.approx(29 / 30)
    assert table.loc["one", "sd"].max() < 1e-12


def test_partitions_do_not_depend_on_the_order_of_rows():
    cases = simulated(300, 1)
    shuffled = cases.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(coverage_table({"one": cases}), coverage_table({"one": shuffled}))


def test_coverage_of_a_worked_table(worked):
    """Girls' 90% interval is 9 months to each side, boys' 9.2; the test set is 8 or 9.1 off."""
    test = make_cases(4, 6, split="test")
    off = [8.0, -8.0, 9.1, -9.1, 9.1, 9.1, 9.1, 9.1, 9.3, -9.3]
    test["prediction_months"] += off
    test.loc[9, "prediction_months"] = 150.0  # a boy taken for a teenager
    table = coverage_table({"one": pd.concat([worked, test])})
    table = table[(table["model"] == "one") & (table["level"] == 0.9)]
    table = table[table["cases"] == "test"].set_index("group")
    assert table["n"].to_dict() == {
        "all": 10, "female": 4, "male": 6,
        "female, 5-10 years": 4, "male, 5-10 years": 5, "male, 10-15 years": 1,
    }  # fmt: skip
    shares = {"all": 0.6, "female": 0.5, "male": 4 / 6, "male, 5-10 years": 0.8}
    assert table["coverage"][list(shares)].to_dict() == pytest.approx(shares)
    widths = {"female": 18.0, "male": 18.4, "all": 18.4}
    assert table["median_width"][list(widths)].to_dict() == pytest.approx(widths)
    assert table["sd"].isna().all()
    for row in table.itertuples():
        interval = stats.binomtest(round(row.n * row.coverage), row.n).proportion_ci(
            method="wilson"
        )
        assert (row.low, row.high) == pytest.approx((interval.low, interval.high))


def test_coverage_is_told_for_each_inferred_block_of_the_validation_set():
    """Errors are larger in the second block, which does not calibrate by itself."""
    ids = [*range(1500, 1700), *range(4600, 4700), *range(6000, 6300)]
    cases = simulated(600, 2).assign(id=[str(number) for number in ids])
    is_second = cases["id"].between("4600", "4699")
    off = cases["reference_months"] - cases["prediction_months"]
    cases["reference_months"] += np.where(is_second, off, 0)
    test = simulated(60, 4, "test").assign(id=[str(number) for number in range(1400, 1460)])
    table = coverage_table({"one": pd.concat([cases, test])}, n_partitions=2)
    table = table[(table["model"] == "one") & (table["level"] == 0.9)]
    by_block = table[table["group"].isin(BLOCKS)].set_index("group")
    assert set(by_block["cases"]) == {"validation"}
    assert by_block["n"].to_dict() == dict(zip(BLOCKS, (200, 100, 300), strict=True))
    assert by_block["coverage"].idxmin() == "ids 4560-5770"
    assert by_block["coverage"].min() < 0.8


def test_the_coverage_table_has_every_model_level_and_part():
    cases = pd.concat([simulated(600, 3), simulated(60, 4, "test"), simulated(50, 5, "train")])
    table = coverage_table({"one": cases, "two": cases}, n_partitions=2)
    assert set(table["model"]) == {"one", "two", "ensemble"}
    assert set(table["level"]) == set(LEVELS)
    assert set(table["cases"]) == {"validation", "test"}
    assert set(table["group"]) == set(GROUPS) - set(BLOCKS)
    every = table[table["group"] == "all"]
    assert set(every.loc[every["cases"] == "validation", "n"]) == {600}
    assert set(every.loc[every["cases"] == "test", "n"]) == {60}
    assert not table.duplicated(["model", "level", "cases", "group"]).any()
