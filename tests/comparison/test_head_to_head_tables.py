import numpy as np
import pandas as pd
import pytest
from scipy import stats

from boneage.comparison.head_to_head import group_wins, head_to_head, mae_only
from boneage.errors import BoneAgeError
from boneage.evaluation.metrics import error_metrics
from boneage.inference.ensemble import ensemble_table


@pytest.fixture
def tables():
    """Two models on 300 radiographs, the second with the smaller error."""
    rng = np.random.default_rng(5)
    n = 300
    age = rng.uniform(10, 220, n)
    cases = pd.DataFrame(
        {
            "id": [str(number) for number in range(n)],
            "split": "test",
            "sex": rng.choice(["female", "male"], n),
            "reference_months": age,
            "crop_method": "mediapipe",
        }
    )
    return [
        cases.assign(prediction_months=age + rng.normal(1, spread, n)) for spread in (12.0, 7.0)
    ]


def test_the_figures_are_those_of_each_table_and_of_their_mean(tables):
    found = head_to_head(*tables)
    mean = ensemble_table(dict(zip("ab", tables, strict=True)))
    for name, table in zip(("first", "second", "ensemble"), [*tables, mean], strict=True):
        expected = error_metrics(table["reference_months"], table["prediction_months"])
        for figure in ("mae", "r2", "within_12"):
            assert found.metrics.at[name, figure] == pytest.approx(expected[figure])
            low, high = found.metrics.loc[name, [f"{figure}_low", f"{figure}_high"]]
            assert low < expected[figure] < high
    assert found.comparison.n == len(found.pairs) == 300
    assert found.differences.set_index("metric")["better"]["mae"] == "second"


def test_the_mae_alone_agrees_with_all_figures(tables):
    found = head_to_head(*tables)
    table, difference = mae_only(*tables)
    columns = ["mae", "mae_low", "mae_high"]
    expected = found.metrics[columns].to_numpy()
    np.testing.assert_allclose(table[columns].to_numpy(), expected, rtol=0, atol=1e-9)
    assert list(table.index) == ["first", "second", "ensemble"]
    expected = found.differences.loc[[0], ["metric", "p", "better"]]
    assert difference.to_dict("list") == expected.to_dict("list")
    assert list(difference["better"]) == ["second"]


def test_the_mae_of_one_model_against_itself_marks_none(tables):
    _, difference = mae_only(tables[0], tables[0])
    assert list(difference["better"]) == [None]


def test_the_mae_marks_the_first_model_when_it_is_the_better(tables):
    _, difference = mae_only(*reversed(tables))
    assert list(difference["better"]) == ["first"]


def test_the_mae_of_a_few_cases_marks_none(tables):
    _, difference = mae_only(*(table.head(19) for table in tables))
    assert list(difference["better"]) == [None]
    assert difference["p"].isna().all()


def test_p_of_a_group_is_a_sign_test_adjusted_for_the_number_of_groups():
    closer = ["first"] * 18 + ["second"] * 2 + ["first"] * 8 + ["second"] * 12 + ["equal"] * 3
    sex = ["female"] * 20 + ["male"] * 23
    pairs = pd.DataFrame({"age_band": "0-5 years", "sex": sex, "closer": closer})
    p_girls = stats.binomtest(2, 20).pvalue
    p_boys = stats.binomtest(8, 20).pvalue  # ties say nothing
    assert list(group_wins(pairs)["p"]) == pytest.approx([2 * p_girls, p_boys])  # Holm


def test_a_group_below_twenty_cases_is_not_tested_and_does_not_count():
    closer = ["first"] * 19 + ["first"] * 16 + ["second"] * 4
    sex = ["female"] * 19 + ["male"] * 20
    pairs = pd.DataFrame({"age_band": "0-5 years", "sex": sex, "closer": closer})
    girls, boys = group_wins(pairs)["p"]
    assert np.isnan(girls)
    assert boys == pytest.approx(stats.binomtest(4, 20).pvalue)


def test_a_group_of_ties_only_has_no_closer_model():
    pairs = pd.DataFrame({"age_band": "0-5 years", "sex": ["male"] * 20, "closer": "equal"})
    assert list(group_wins(pairs)["p"]) == [1.0]


def test_tables_without_a_common_case_are_refused(tables):
    first, second = tables
    with pytest.raises(BoneAgeError, match="share no case"):
        head_to_head(first, second.assign(split="train"))
