from dataclasses import replace

import pandas as pd
import pytest
from plain import plain

from boneage import verdict
from boneage.evaluation.comparison import Comparison
from boneage.evaluation.intervals import FIGURES

TITLES = ("Alpha", "Beta")
SAMPLE = "these 200 test radiographs"
# Beta is closer by 2 months, by every measure; averaging helps.
BETA_CLOSER = Comparison(
    n=200,
    first_mae=12.0,
    second_mae=10.0,
    mae_difference=2.0,
    mae_difference_interval=(0.8, 3.1),
    wilcoxon_p=0.0004,
    large_errors={"both": 40, "first_only": 50, "second_only": 20, "neither": 90},
    mcnemar_p=0.0004,
    residual_correlation=0.62,
    ensemble_mae=9.5,
    ensemble_gain=0.5,
    ensemble_gain_interval=(0.2, 0.9),
    ensemble_sd_ratio=0.9,
)
UNDECIDED = replace(
    BETA_CLOSER,
    first_mae=10.3,
    mae_difference=0.3,
    mae_difference_interval=(-0.8, 1.4),
    wilcoxon_p=0.61,
)


def differences(**better) -> pd.DataFrame:
    return pd.DataFrame({"figure": FIGURES, "better": [better.get(name) for name in FIGURES]})


def wins(*groups: tuple[str, str, int, float, float]) -> pd.DataFrame:
    """(age band, sex, n, share of Alpha, p); the rest is Beta's."""
    table = pd.DataFrame(groups, columns=["age_band", "sex", "n", "first", "p"])
    return table.assign(second=1 - table["first"], equal=0.0)


NO_WINNER = wins(("0-5 years", "female", 30, 0.4, 0.4), ("0-5 years", "male", 40, 0.45, 0.6))


def said(comparison=BETA_CLOSER, figures=None, groups=NO_WINNER) -> str:
    figures = differences() if figures is None else figures
    paragraphs = verdict.verdict(comparison, figures, groups, TITLES, SAMPLE)
    return plain(" ".join(paragraphs))


# Which is closer ----------------------------------------------------------------------------


def test_a_certain_difference_names_the_closer_model_and_its_interval():
    text = said()
    assert text.startswith(
        "**Beta is closer to the reference age** on these 200 test radiographs: its mean absolute "
        "error is 10.0 months, that of Alpha 12.0. The difference is 2.0 months (95 % interval "
        "0.8 to 3.1). That is more than chance: the paired interval excludes zero, and the "
        "Wilcoxon signed-rank test agrees (p < 0.001)."
    )
    assert "Less than a month" not in text


def test_the_other_way_round_the_interval_is_still_told_in_positive_months():
    alpha_closer = replace(
        BETA_CLOSER,
        first_mae=9.5,
        second_mae=10.0,
        mae_difference=-0.5,
        mae_difference_interval=(-0.9, -0.1),
    )
    text = said(alpha_closer)
    assert "**Alpha is closer" in text
    assert "The difference is 0.5 months (95 % interval 0.1 to 0.9)" in text
    assert "Less than a month matters little for a single hand." in text


def test_a_difference_that_ranks_do_not_see_is_told_with_a_reservation():
    text = said(replace(BETA_CLOSER, wilcoxon_p=0.21))
    assert "does not confirm it (p = 0.21)" in text
    assert "agrees" not in text


def test_an_interval_around_zero_tells_no_model_apart():
    text = said(UNDECIDED)
    assert text.startswith(
        "**The two models cannot be told apart on these 200 test radiographs.** The mean absolute "
        "error is 10.0 months for Beta and 10.3 for Alpha. The true difference may lie anywhere "
        "between 0.8 months in favour of Alpha and 1.4 months in favour of Beta (95 % interval); "
        "the Wilcoxon signed-rank test sees none either (p = 0.61)."
    )
    assert "is closer to the reference age" not in text


def test_ranks_may_see_a_difference_that_the_mean_does_not():
    text = said(replace(UNDECIDED, wilcoxon_p=0.012))
    assert "cannot be told apart" in text
    assert "does see a difference (p = 0.012)" in text


def test_errors_all_equal_are_said_to_be():
    equal = replace(
        UNDECIDED, mae_difference=0.0, mae_difference_interval=(0.0, 0.0), wilcoxon_p=None
    )
    assert "On each of them both are equally far off." in said(equal)


def test_one_radiograph_gets_no_verdict():
    single = replace(BETA_CLOSER, n=1)
    assert said(single) == "One radiograph says nothing about which model is better: choose more."


# Large errors and other figures -------------------------------------------------------------


def test_large_errors_that_differ_are_told_as_shares_of_all():
    assert (
        "Alpha is more than 12 months off more often: on 45 % of them, Beta on 30 % "
        "(McNemar test, p < 0.001)."
    ) in said()


def test_large_errors_within_chance_set_nobody_apart():
    text = said(replace(BETA_CLOSER, mcnemar_p=0.3))
    assert (
        "do not set them apart: Beta makes them on 30 % of the radiographs, Alpha on 45 %" in text
    )


@pytest.mark.parametrize(
    ("both", "sentence"),
    [
        (0, "Neither is ever more than 12 months off."),
        (7, "Both are more than 12 months off on the same radiographs, 7 in number."),
    ],
)
def test_large_errors_without_a_discordant_pair(both, sentence):
    large = {"both": both, "first_only": 0, "second_only": 0, "neither": 200 - both}
    assert sentence in said(replace(BETA_CLOSER, large_errors=large, mcnemar_p=None))


def test_other_figures_are_listed_with_the_model_they_favour():
    figures = differences(
        mae="second",
        rmse="second",
        r2="second",
        bias="first",
        within_6="second",
        within_24="second",
    )
    assert (
        "More than chance separates some other figures below: Alpha is ahead in bias; Beta is "
        "ahead in RMSE, R² and the share within 6 and 24 months."
    ) in said(figures=figures)


def test_all_other_figures_are_not_listed_one_by_one():
    figures = differences(**dict.fromkeys(FIGURES, "second"))
    assert "Every other figure below favours Beta by more than chance." in said(figures=figures)


def test_the_mae_itself_is_no_other_figure():
    text = said(figures=differences(mae="second"))
    assert "None of the other figures below differs by more than chance." in text


# The mean of both ---------------------------------------------------------------------------


def test_averaging_that_helps_is_told_with_its_gain_and_reason():
    assert (
        "**Averaging both helps**: the mean of both is off by 9.5 months on average, the better "
        "one alone 10.0; that is 0.5 months less (95 % interval 0.2 to 0.9). Their residuals "
        "correlate by 0.62, so part of their errors cancels out: residuals of the mean of two "
        "equally good models would spread 10 % less."
    ) in said()


def test_averaging_that_harms_says_who_is_to_blame():
    text = said(
        replace(
            BETA_CLOSER, ensemble_mae=10.7, ensemble_gain=-0.7, ensemble_gain_interval=(-1.2, -0.2)
        )
    )
    assert "**Averaging both harms**" in text
    assert "that is 0.7 months more (95 % interval 0.2 to 1.2)" in text
    assert "here one of the two is weaker, and such a gain does not show." in text


def test_averaging_within_chance_promises_nothing():
    gain = {"ensemble_gain": 0.1, "ensemble_gain_interval": (-0.4, 0.6)}
    text = said(replace(UNDECIDED, **gain))
    assert "**Averaging both neither helps nor harms beyond chance**" in text
    assert "(gain +0.1, 95 % interval −0.4 to +0.6)" in text
    assert "weaker" not in text  # of two models that cannot be told apart, none is


@pytest.mark.parametrize(
    ("correlation", "words"),
    [
        (0.95, "by 0.95, so both err alike and little cancels out"),
        (-0.2, "by −0.20, so much of their errors cancels out"),
    ],
)
def test_the_correlation_says_what_cancels_out(correlation, words):
    assert words in said(replace(BETA_CLOSER, residual_correlation=correlation))


def test_without_a_correlation_no_reason_is_given():
    text = said(replace(BETA_CLOSER, residual_correlation=None, ensemble_sd_ratio=None))
    assert "correlate" not in text


# Groups -------------------------------------------------------------------------------------


def test_each_model_gets_the_groups_it_wins_the_surest_first():
    groups = wins(
        ("0-5 years", "female", 45, 0.7, 0.03),
        ("0-5 years", "male", 60, 0.8, 0.001),
        ("5-10 years", "female", 80, 0.3, 0.004),
        ("5-10 years", "male", 80, 0.6, 0.2),
    )
    text = said(groups=groups)
    assert (
        "Alpha is closer more often than chance explains among boys of 0-5 years (80 % of 60) and "
        "girls of 0-5 years (70 % of 45)."
    ) in text
    assert (
        "Beta is closer more often than chance explains among girls of 5-10 years (70 % of 80)."
    ) in text
    assert "5-10 years (60" not in text


def test_the_model_behind_is_told_where_it_is_ahead_perhaps_by_chance():
    groups = wins(("0-5 years", "female", 45, 0.6, 0.3), ("0-5 years", "male", 60, 0.2, 0.001))
    assert ("Alpha is ahead among girls of 0-5 years (60 % of 45), which may be chance.") in said(
        groups=groups
    )


def test_of_many_groups_three_are_named():
    bands = ("0-5 years", "5-10 years", "10-15 years", "15-19 years")
    groups = wins(
        *((band, "male", 50, 0.2, 0.01) for band in bands), ("0-5 years", "female", 9, 0.5, 1.0)
    )
    text = said(groups=groups)
    assert "boys of 10-15 years (80 % of 50) and 1 other group." in text
    assert "Alpha is ahead in no group." in text


def test_a_model_that_wins_everywhere_is_said_to():
    groups = wins(("0-5 years", "female", 50, 0.2, 0.01), ("0-5 years", "male", 50, 0.2, 0.01))
    text = said(groups=groups)
    assert "Beta is closer more often than chance explains in every group of age and sex." in text


def test_where_nobody_wins_that_is_said():
    assert "In no group of age and sex is either closer more often than chance explains." in said()


# Statistics and sample ----------------------------------------------------------------------


def test_every_statistic_has_its_value_and_plain_words():
    statistics = verdict.paired_statistics(BETA_CLOSER, TITLES)
    values = {name: plain(value) for name, value, _ in statistics}
    assert values == {
        "MAE of Alpha minus MAE of Beta": "+2.0 months (+0.8 to +3.1)",
        "Wilcoxon signed-rank test": "p < 0.001",
        "McNemar test of errors above 12 months": "50 against 20, p < 0.001",
        "Correlation of the residuals": "0.62",
        "Measured gain of averaging": "+0.5 months (+0.2 to +0.9)",
    }
    meanings = [plain(meaning) for *_, meaning in statistics]
    assert "40 are missed by both, 90 by neither" in meanings[2]
    assert "would spread 10 % less" in meanings[3]


def test_statistics_that_do_not_exist_are_said_to_be_undefined():
    nan = float("nan")
    single = replace(
        BETA_CLOSER,
        n=1,
        mae_difference_interval=(nan, nan),
        wilcoxon_p=None,
        mcnemar_p=None,
        residual_correlation=None,
        ensemble_sd_ratio=None,
    )
    values = [value for _, value, _ in verdict.paired_statistics(single, TITLES)]
    assert values[0] == "+2.0 months (no interval)"
    assert values[1] == values[3] == "not defined"
    assert values[2] == "50 against 20, not defined"


def test_the_sample_is_named_by_size_split_and_sex():
    assert verdict.sample_in_words(1425, "validation") == "these 1,425 validation radiographs"
    assert verdict.sample_in_words(97, "test", "female") == "these 97 test radiographs of girls"


def test_each_split_is_said_to_have_its_own_yardstick():
    assert "mean of six readings" in verdict.about_split("test")
    assert "one clinical reading" in verdict.about_split("validation")
    assert "trained on these" in verdict.about_split("train")
