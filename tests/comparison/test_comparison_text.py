import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from plain import plain

from boneage.comparison import text as words
from boneage.comparison.head_to_head import head_to_head
from boneage.comparison.statistics import Comparison
from boneage.evaluation.intervals import METRICS
from boneage.formatting import CI_95, share

TITLES = ("Alpha", "Beta")
SAMPLE = "these 200 test radiographs"
CI = plain(CI_95)
# Beta has the smaller error by 2 months, by every measure; the ensemble gains.
BETA_BETTER = Comparison(
    n=200,
    first_mae=12.0,
    second_mae=10.0,
    mae_difference=2.0,
    mae_difference_interval=(0.8, 3.1),
    mae_p=0.0004,
    wilcoxon_p=0.0004,
    large_errors={"both": 40, "first_only": 50, "second_only": 20, "neither": 90},
    residual_correlation=0.62,
    corrected_correlation=0.58,
    noise_shares=[0.1, 0.12],
    ensemble_mae=8.5,
    ensemble_gain=1.5,
    ensemble_gain_interval=(1.1, 1.9),
    gain_p=0.0001,
    disagreement=(0.04, -0.1, 0.18),
)
UNDECIDED = replace(
    BETA_BETTER,
    first_mae=10.3,
    mae_difference=0.3,
    mae_difference_interval=(-0.8, 1.4),
    mae_p=0.61,
)


def differences(p=0.3, **better) -> pd.DataFrame:
    return pd.DataFrame(
        {"metric": METRICS, "p": p, "better": [better.get(name) for name in METRICS]}
    )


def wins(*groups: tuple[str, str, int, float, float]) -> pd.DataFrame:
    """(age band, sex, n, share of Alpha, p); the rest is Beta's."""
    table = pd.DataFrame(groups, columns=["age_band", "sex", "n", "first", "p"])
    return table.assign(second=1 - table["first"], equal=0.0)


NO_WINNER = wins(("0-5 years", "female", 30, 0.4, 0.4), ("0-5 years", "male", 40, 0.45, 0.6))


def said(comparison=BETA_BETTER, figures=None, groups=NO_WINNER) -> str:
    figures = differences() if figures is None else figures
    paragraphs = words.conclusion(comparison, figures, groups, TITLES, SAMPLE)
    return plain(" ".join(paragraphs))


# Difference in MAE --------------------------------------------------------------------------


def test_a_significant_difference_names_the_better_model_and_its_interval():
    assert said().startswith(
        "**Beta has the smaller error** on these 200 test radiographs: MAE 10.0 months for Beta "
        f"and 12.0 for Alpha. Difference 2.0 months ({CI} 0.8 to 3.1; p < 0.001). A difference "
        "smaller than the margin of 1 month is not excluded."
    )


def test_a_difference_beyond_the_margin_is_said_to_be():
    text = said(replace(BETA_BETTER, mae_difference_interval=(1.2, 2.8)))
    assert f"({CI} 1.2 to 2.8; p < 0.001): larger than the margin of 1 month." in text


def test_the_other_way_round_the_difference_is_still_told_in_positive_months():
    alpha_better = replace(
        BETA_BETTER, first_mae=9.0, mae_difference=-1.0, mae_difference_interval=(-1.6, -0.4)
    )
    text = said(alpha_better)
    assert text.startswith("**Alpha has the smaller error**")
    assert f"Difference 1.0 months ({CI} 0.4 to 1.6; p < 0.001)" in text


def test_a_significant_difference_within_the_margin_is_not_relevant():
    small = {"mae_difference": 0.3, "mae_difference_interval": (0.2, 0.4), "first_mae": 10.3}
    text = said(replace(BETA_BETTER, **small))
    assert text.startswith("**No relevant difference between Beta and Alpha** on these 200")
    assert (
        f"({CI} 0.2 to 0.4; p < 0.001): statistically significant, but smaller than the margin of "
        "1 month."
    ) in text
    assert "smaller error" not in text.partition("ensemble")[0]


def test_an_interval_within_the_margin_is_equivalence():
    text = said(replace(UNDECIDED, mae_difference_interval=(-0.2, 0.8), mae_p=0.11))
    assert text.startswith("**No relevant difference between Beta and Alpha**")
    assert f"Difference 0.3 months ({CI} −0.2 to 0.8; p = 0.11): equivalent within 1 month." in text


def test_an_interval_around_zero_and_beyond_the_margin_is_inconclusive():
    assert said(UNDECIDED).startswith(
        "**No significant difference between Beta and Alpha** on these 200 test radiographs: MAE "
        f"10.0 months for Beta and 10.3 for Alpha. Difference 0.3 months ({CI} −0.8 to 1.4; "
        "p = 0.61). Inconclusive: a difference of more than 1 month is not excluded."
    )


@pytest.mark.parametrize("n", [1, 2, 19])
def test_below_twenty_radiographs_there_is_no_conclusion(n):
    few = replace(BETA_BETTER, n=n, mae_p=None, wilcoxon_p=None, gain_p=None, disagreement=None)
    text = said(few, differences(float("nan")), NO_WINNER.assign(p=float("nan")))
    radiographs = "radiograph" if n == 1 else "radiographs"
    assert text == (
        f"**No conclusion: {n} {radiographs}, fewer than 20.** The metrics below are shown without "
        "statistical tests."
    )


# The ensemble -------------------------------------------------------------------------------


def test_an_ensemble_that_gains_is_told_with_its_gain():
    assert (
        "**The ensemble has the smaller error**: MAE 8.5 months for the ensemble and 10.0 for Beta "
        f"alone. Difference 1.5 months ({CI} 1.1 to 1.9; p < 0.001): larger than the margin of 1 "
        "month."
    ) in said()


def test_an_ensemble_that_loses_less_than_the_margin_does_no_harm():
    loss = {"ensemble_gain": -0.024, "ensemble_gain_interval": (-0.033, -0.017)}
    text = said(replace(BETA_BETTER, ensemble_mae=10.025, gain_p=3e-10, **loss))
    assert (
        "**No relevant difference between Beta alone and the ensemble**: MAE 10.0 months for Beta "
        f"alone and 10.0 for the ensemble. Difference 0.02 months ({CI} 0.02 to 0.03; p < 0.001): "
        "statistically significant, but smaller than the margin of 1 month."
    ) in text
    assert "0.0 months" not in text.replace("10.0 months", "")


# Large errors and other metrics -------------------------------------------------------------


def test_large_errors_that_differ_are_told_as_shares_of_all():
    shares = plain(f"Beta {share(0.3)}, Alpha {share(0.45)} of radiographs; p = 0.003")
    text = said(figures=differences(0.003, within_12="second"))
    assert f"Beta has significantly fewer errors > 12 months ({shares})." in text


def test_large_errors_that_do_not_differ_significantly_are_told_with_the_adjusted_p():
    shares = plain(f"Beta {share(0.3)}, Alpha {share(0.45)} of radiographs; p = 0.3")
    assert f"No significant difference in errors > 12 months ({shares})." in said()


@pytest.mark.parametrize(
    ("both", "sentence"),
    [
        (0, "Neither model has an error > 12 months."),
        (1, "Errors > 12 months are on the same 1 radiograph."),
        (7, "Errors > 12 months are on the same 7 radiographs."),
    ],
)
def test_large_errors_without_a_discordant_pair(both, sentence):
    large = {"both": both, "first_only": 0, "second_only": 0, "neither": 200 - both}
    assert sentence in said(replace(BETA_BETTER, large_errors=large))


def test_other_metrics_are_listed_with_the_model_they_favor():
    better = dict.fromkeys(("mae", "rmse", "r2", "within_6", "within_24"), "second")
    assert (
        "Other metrics: Alpha is significantly better in bias; Beta is significantly better in "
        "RMSE, R² and the share within 6 and 24 months."
    ) in said(figures=differences(0.01, bias="first", **better))


def test_all_other_metrics_are_not_listed_one_by_one():
    figures = differences(0.01, **dict.fromkeys(METRICS, "second"))
    assert "Beta is significantly better in all other metrics." in said(figures=figures)


def test_the_mae_itself_is_no_other_metric():
    text = said(figures=differences(mae="second"))
    assert "No significant difference in the other metrics." in text


# Subgroups ----------------------------------------------------------------------------------


def test_each_model_gets_the_subgroups_it_wins_the_smallest_p_first():
    groups = wins(
        ("0-5 years", "female", 45, 0.7, 0.03),
        ("0-5 years", "male", 60, 0.8, 0.001),
        ("5-10 years", "female", 80, 0.3, 0.004),
        ("5-10 years", "male", 80, 0.6, 0.2),
    )
    text = said(groups=groups)
    boys, girls, others = (plain(share(part)) for part in (0.8, 0.7, 0.7))
    assert (
        f"Alpha is significantly more often closer among boys of 0-5 years ({boys} of 60) and "
        f"girls of 0-5 years ({girls} of 45)."
    ) in text
    assert (
        f"Beta is significantly more often closer among girls of 5-10 years ({others} of 80)."
    ) in text
    assert "boys of 5-10 years" not in text


def test_of_many_subgroups_three_are_named():
    bands = ("0-5 years", "5-10 years", "10-15 years", "15-19 years")
    groups = wins(*((band, "male", 50, 0.2, 0.01) for band in bands))
    assert re.search(
        r"boys of 10-15 years \(80.?% of 50\) and 1 other subgroup\.", said(groups=groups)
    )


def test_where_nobody_wins_that_is_said():
    assert "No significant difference in any subgroup of age and sex." in said()


def test_subgroups_too_small_to_test_are_said_to_be():
    groups = NO_WINNER.assign(p=float("nan"))
    assert "No subgroup of age and sex has 20 radiographs." in said(groups=groups)


# Bias, statistics and sample ----------------------------------------------------------------


def test_the_bias_is_told_for_every_model_and_sex():
    table = pd.DataFrame(
        {"all": [1.45, 0.7, 0.81], "female": [2.17, 1.24, 1.37], "male": [0.73, 0.16, 0.24]},
        index=["first", "second", "ensemble"],
    )
    assert words.bias(table, TITLES) == (
        "**Bias** (mean residual, + overestimated): Alpha +1.4 months (girls +2.2, boys +0.7), "
        "Beta +0.7 months (girls +1.2, boys +0.2), ensemble +0.8 months (girls +1.4, boys +0.2)."
    )
    girls = words.bias(table[["all", "female"]], TITLES)
    assert "Alpha +1.4 months, Beta" in girls


def test_every_statistic_has_its_value_and_plain_words():
    statistics = words.paired_statistics(BETA_BETTER, TITLES)
    values = {name: plain(value) for name, value, _ in statistics}
    assert values == {
        "MAE of Alpha minus MAE of Beta": f"+2.0 months ({CI} +0.8 to +3.1; p < 0.001)",
        "Wilcoxon signed-rank test": "p < 0.001",
        "Errors > 12 months": "Alpha only 50, Beta only 20",
        "Correlation of the residuals": "0.62",
        "MAE of the better model minus MAE of the ensemble": (
            f"+1.5 months ({CI} +1.1 to +1.9; p < 0.001)"
        ),
        "Disagreement of the models and error of the ensemble": (
            f"Spearman 0.04 ({CI} −0.10 to 0.18)"
        ),
    }
    meanings = [plain(meaning) for *_, meaning in statistics]
    assert "Both models 40, neither 90 radiographs." in meanings[2]
    shares = plain(f"{share(0.1)} and {share(0.12)}")
    assert meanings[3].startswith(
        f"Label noise, which both models share, is about {shares} of the variance; corrected for "
        "it, the correlation is about 0.58."
    )
    assert meanings[5] == "Disagreement does not predict the error."


def test_a_correlation_that_is_not_corrected_is_said_to_be():
    train = replace(BETA_BETTER, corrected_correlation=None, noise_shares=None)
    meaning = words.paired_statistics(train, TITLES)[3][2]
    assert meaning.startswith("Not corrected for label noise")


def test_disagreement_that_goes_with_the_error_is_said_to():
    predicting = replace(BETA_BETTER, disagreement=(0.4, 0.3, 0.5))
    meaning = words.paired_statistics(predicting, TITLES)[-1][2]
    assert meaning == "The error tends to be larger where the models disagree more."


def test_statistics_that_do_not_exist_are_said_to_be_undefined():
    nan = float("nan")
    single = replace(
        BETA_BETTER,
        n=1,
        mae_difference_interval=(nan, nan),
        ensemble_gain_interval=(nan, nan),
        mae_p=None,
        gain_p=None,
        wilcoxon_p=None,
        residual_correlation=None,
        corrected_correlation=None,
        noise_shares=None,
        disagreement=None,
    )
    values = [value for _, value, _ in words.paired_statistics(single, TITLES)]
    assert values[0] == "+2.0 months (no interval; not tested)"
    assert values[1] == "not tested"
    assert values[3] == "not defined"
    assert len(values) == 5


def test_the_sample_is_named_by_size_split_and_sex():
    assert words.sample_in_words(1425, "validation") == "these 1,425 validation radiographs"
    assert words.sample_in_words(97, "test", "female") == "these 97 test radiographs of girls"


# Simulated tables ---------------------------------------------------------------------------


def simulated(n: int, kind: str):
    rng = np.random.default_rng(n)
    age = rng.uniform(10, 210, n).round(2)
    cases = pd.DataFrame(
        {
            "id": [str(number) for number in range(n)],
            "split": "test",
            "sex": rng.choice(["female", "male"], n),
            "reference_months": age,
            "crop_method": "mediapipe",
        }
    )
    common = rng.normal(0, 5, n)
    first = (age + common + rng.normal(0, 3, n)).round(2)
    second = {
        "equal models": (age + common + rng.normal(0, 3, n)).round(2),
        "all ties": first,
        "mirrored ties": 2 * age - first,
        "constant offset": first + 30,
        "same errors but for an offset": age + 5,
    }[kind]
    if kind == "same errors but for an offset":
        first = age + 3
    return head_to_head(
        cases.assign(prediction_months=first), cases.assign(prediction_months=second)
    )


@pytest.mark.parametrize(
    ("n", "kind"),
    [
        *((n, kind) for n in (1, 2, 19, 20, 200) for kind in (
            "equal models", "all ties", "mirrored ties", "constant offset",
            "same errors but for an offset",
        )),
        (100_000, "equal models"),
    ],
)  # fmt: skip
def test_simulated_tables_get_well_formed_sentences_and_the_right_conclusion(n, kind):
    found = simulated(n, kind)
    sample = words.sample_in_words(n, "test")
    paragraphs = words.conclusion(found.comparison, found.differences, found.wins, TITLES, sample)
    statistics = words.paired_statistics(found.comparison, TITLES)
    everything = [*paragraphs, words.bias(found.bias, TITLES), *(" ".join(s) for s in statistics)]
    for text in map(plain, everything):
        assert text.endswith(".")
        assert not re.search(r"\bnan\b|\binf\b|None|\be-\d|  |\.\.|−0\.0+\b", text), text
        assert text.count("**") in (0, 2)
    text = plain(" ".join(paragraphs))
    if n < 20:
        assert text.startswith("**No conclusion")
        assert found.differences["better"].isna().all()
        assert found.differences["p"].isna().all()
        return
    if kind in ("all ties", "mirrored ties"):
        assert "**No relevant difference between" in text
        assert f"Difference 0.0 months ({CI} 0.0 to 0.0; p = 1): equivalent within 1 month." in text
    elif kind == "constant offset":
        assert text.startswith("**Alpha has the smaller error**")
        assert "larger than the margin of 1 month" in text
    elif kind == "same errors but for an offset":
        assert f"Difference 2.0 months ({CI} 2.0 to 2.0; p < 0.001): larger" in text
    elif n >= 200:
        assert text.startswith("**No relevant difference between")
    assert "harm" not in text
