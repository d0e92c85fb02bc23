import numpy as np
import pandas as pd
import pytest

from boneage.evaluation.metrics import AGE_BANDS
from boneage.sanity_checks.tables import balanced_sample, occlusion_table, randomization_table


@pytest.fixture
def predictions():
    """300 cases of each sex and of three bands, 7 boys under 5, no girl."""
    rng = np.random.default_rng(0)
    rows = [
        (sex, age)
        for sex in ("female", "male")
        for low, high in list(AGE_BANDS.values())[1:]
        for age in rng.uniform(low, high, 300)
    ] + [("male", age) for age in range(7)]
    table = pd.DataFrame(rows, columns=["sex", "reference_months"])
    return table.assign(id=[str(n) for n in range(len(table))])


def test_a_sample_has_as_many_of_each_sex_and_band(predictions):
    sample = balanced_sample(predictions, 140)  # of 7 cells, 20 each
    years = sample["reference_months"] // 60
    assert sample.groupby([years, "sex"]).size().tolist() == [7] + [20] * 6
    assert not sample["id"].duplicated().any()
    shuffled = predictions.sample(frac=1, random_state=5)
    assert set(balanced_sample(shuffled, 140)["id"]) == set(sample["id"])
    assert set(balanced_sample(predictions, 140, seed=1)["id"]) != set(sample["id"])


def test_no_cases_no_sample(predictions):
    assert balanced_sample(predictions[:0], 200).empty


@pytest.fixture
def shifts():
    return pd.DataFrame(
        {
            "model": "m",
            "model_sha256": "f00",
            "id": ["a", "a", "b", "b", "c", "c"],
            "reference_months": [30.0, 30.0, 50.0, 50.0, 130.0, 130.0],
            "region": ["carpals", "distal_radius_ulna"] * 3,
            "area": [0.02, 0.05, 0.04, 0.05, 0.02, 0.05],
            "shift_months": [6.0, 0.0, -4.0, 0.0, -8.0, 3.0],
            "control_shift_months": [1.0, -2.0, 1.0, 1.0, 1.0, -1.0],
        }
    )


def test_occlusion_by_model_group_and_region(shifts):
    table = occlusion_table(shifts).set_index(["group", "region"])
    assert table.index.get_level_values("group").unique().tolist() == [
        "all", "0-5 years", "10-15 years",
    ]  # fmt: skip
    carpals = table.loc[("all", "carpals")]
    assert carpals["n"] == 3
    assert carpals["change"] == pytest.approx(6)
    assert carpals["shift"] == pytest.approx(-2)
    assert carpals["area"] == pytest.approx(0.08 / 3)
    assert carpals["change_per_area"] == pytest.approx((6 / 2 + 4 / 4 + 8 / 2) / 3)
    young = table.loc[("0-5 years", "carpals")]
    assert (young["n"], young["change"], young["shift"]) == (2, 5, 1)
    alone = table.loc[("10-15 years", "distal_radius_ulna")]
    assert (alone["n"], alone["change"]) == (1, 3)
    assert np.isnan(alone["difference_low"])


def test_each_region_is_compared_with_its_own_control_on_the_same_radiograph(shifts):
    table = occlusion_table(shifts).set_index(["group", "region"])
    forearm = table.xs("distal_radius_ulna", level="region")
    # Smaller than its control at 0 to 5 years, larger at 10 to 15: over all ages they cancel.
    assert forearm["control_change"].to_dict() == pytest.approx(
        {"all": 4 / 3, "0-5 years": 1.5, "10-15 years": 1}
    )
    assert forearm["difference"].to_dict() == pytest.approx(
        {"all": -1 / 3, "0-5 years": -1.5, "10-15 years": 2}
    )
    # Change and control vary by 4 months between radiographs, their difference never.
    steady = shifts[shifts["region"] == "carpals"].assign(
        shift_months=[2.0, -4.0, 6.0], control_shift_months=[1.0, 3.0, -5.0]
    )
    (row,) = occlusion_table(steady).query("group == 'all'").to_dict("records")
    assert [row[f"difference{end}"] for end in ("", "_low", "_high")] == [1, 1, 1]


def test_randomization_by_step():
    similarities = pd.DataFrame(
        {
            "model": "m",
            "model_sha256": "f00",
            "id": ["a", "a", "b", "b"],
            "step": [1, 2, 1, 2],
            "stage": ["head", "stem"] * 2,
            "similarity": [0.5, 0.0, 0.7, -0.2],
        }
    )
    table = randomization_table(similarities).set_index("stage")
    assert table["similarity"].to_dict() == pytest.approx({"head": 0.6, "stem": -0.1})
    assert table["n"].tolist() == [2, 2]
    assert table.loc["head", "sd"] == pytest.approx(0.02**0.5)
    assert table.loc["head", ["similarity_low", "similarity_high"]].tolist() == [0.5, 0.7]
