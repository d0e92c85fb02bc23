import numpy as np
import pandas as pd
import pytest

from boneage.error_analysis import conditions
from boneage.error_analysis.conditions import Condition, SubgroupError, as_text, in_words, parse
from boneage.error_analysis.subgroups import by_block, find_groups
from boneage.evaluation.residuals import PREDICTED_AGE, REFERENCE_AGE, with_residuals


@pytest.fixture(scope="module")
def cases():
    """400 cases of two blocks; girls of 7 years in the second block have large errors."""
    rng = np.random.default_rng(1)
    n = 400
    age = rng.uniform(12, 215, n).round(1)
    sex = rng.choice(["female", "male"], n)
    ids = rng.permutation(np.arange(4360, 4360 + n)) + 1000 * (np.arange(n) % 2)
    block = np.where(ids < 4760, "ids 1377-4359", "ids 4560-5770")
    bad = (sex == "female") & (age > 60) & (age < 120)
    return pd.DataFrame(
        {
            "id": ids.astype(str),
            "split": "validation",
            "sex": sex,
            "reference_months": age,
            "prediction_months": age + rng.normal(0, np.where(bad, 25, 4)),
            "crop_method": rng.choice(["mediapipe", "segmentation"], n),
            "contrast": rng.uniform(20, 80, n).round(2),
            "block": block,
        }
    )


@pytest.mark.parametrize("by", [REFERENCE_AGE, PREDICTED_AGE])
def test_every_subgroup_shown_filters_the_cases_it_counts(cases, by):
    found = find_groups(cases, by, n_resamples=20)
    blocks = by_block(with_residuals(cases, by), n_resamples=20)
    assert len(found.worst) > 2 and len(blocks) == 2
    assert len(found.tree) > 2 or by == PREDICTED_AGE
    for table in (found.worst, found.tree, blocks):
        for text, n in zip(table["subgroup"], table["n"], strict=True):
            assert as_text(parse(text)) == text
            assert conditions.filter_cases(cases, parse(text)).sum() == n, text
    names = dict(zip(found.tree["subgroup"], found.tree["cohort"], strict=True))
    assert all(in_words(parse(text), by) == name for text, name in names.items())


def test_a_cell_of_the_heat_map_is_a_band_and_a_sex(cases):
    cell = conditions.band_and_sex("5-10 years", "female", PREDICTED_AGE)
    assert as_text(cell) == "sex:female~predicted_band:5-10 years"
    inside = conditions.filter_cases(cases, cell)
    age = cases["prediction_months"]
    assert (inside == ((cases["sex"] == "female") & (age >= 60) & (age < 120))).all()
    assert in_words(cell, PREDICTED_AGE) == "girls, 5-10 years"
    assert in_words(cell, REFERENCE_AGE) == "girls, predicted age 5-10 years"


def test_ages_are_whole_months_and_contrast_ends_at_its_limit():
    cases = pd.DataFrame(
        {
            "reference_months": [59.9, 60.0, 95.9, 96.0],
            "prediction_months": [-3.0, 60, 70, 80],
            "contrast": [20.0, 20.01, 40.0, 40.01],
        }
    )
    for text, expected in {
        "reference:60..96": [False, True, True, False],
        "reference:..60": [True, False, False, False],
        "predicted_band:0-5 years": [True, False, False, False],
        "contrast:20..40": [False, True, True, False],
        "": [True] * 4,
    }.items():
        assert conditions.filter_cases(cases, parse(text)).tolist() == expected
    assert in_words(parse("contrast:20..~reference:..60"), REFERENCE_AGE) == (
        "contrast from 20, under 5 y"
    )


def test_a_selection_is_found_again_in_any_order_and_without_its_ids(cases):
    chosen = cases["id"].sample(37, random_state=2)
    selected = conditions.select(cases["id"], chosen)
    text = as_text(selected)
    assert chosen.iloc[0] not in text and len(text) < 150
    for table in (cases, cases.iloc[::-1]):
        inside = conditions.filter_cases(table, parse(text))
        assert set(table["id"][inside]) == set(chosen)
    assert in_words(selected, REFERENCE_AGE) == "37 selected radiographs"
    both = (*selected, *parse("sex:female"))
    of_girls = conditions.filter_cases(cases, both)
    assert 0 < of_girls.sum() < 37
    other = cases.assign(id=[f"x{i}" for i in range(len(cases))])
    for table in (other, cases[1:]):
        with pytest.raises(SubgroupError, match="not among these"):
            conditions.filter_cases(table, selected)


def test_a_selection_too_large_for_an_address_is_refused():
    ids = pd.Series(np.arange(100_000).astype(str))
    with pytest.raises(SubgroupError, match=r"20,000 radiographs are too many .* select fewer"):
        conditions.select(ids, ids.sample(20_000, random_state=1))


@pytest.mark.parametrize(
    "text",
    [
        "sex:girls", "sex", "weight:3..4", "reference:96..60", "reference:a..b", "reference:60",
        "reference:nan..60", "block:", "selected:", "selected:3.4.x", "selected:-3.4.eJw",
        "selected:9999999999.0.eJxjAAAAAQAB", "sex:female~~age", "x" * 20_000,
    ],
)  # fmt: skip
def test_what_is_no_subgroup_is_said(text):
    with pytest.raises(SubgroupError, match="not understood"):
        parse(text)


def test_what_predictions_do_not_state_is_said(cases):
    with pytest.raises(SubgroupError, match="do not state the inferred acquisition block"):
        conditions.filter_cases(cases.drop(columns="block"), parse("block:ids 1377-4359"))
    own = cases.assign(crop_method="unknown")
    assert conditions.filter_cases(own, parse("crop_method:unknown")).all()
    assert in_words(parse("crop_method:segmentation|full_frame"), REFERENCE_AGE)


def test_a_condition_counts_once():
    assert parse("sex:male~sex:male") == (Condition("sex", ("male",)),)
