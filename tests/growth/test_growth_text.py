import pytest
from plain import plain

from boneage.growth import text
from boneage.growth.adult_height import AdultHeight, predict_adult_height, target_height
from boneage.growth.deviation import deviation
from boneage.growth.follow_up import Rate, Reading
from boneage.growth.reference import GREULICH_PYLE, SD_TABLES


@pytest.mark.parametrize(
    ("bone_age", "age", "sentence"),
    [
        (114, 100, "Bone age is 14 months ahead of chronological age."),
        (99, 100, "Bone age is 1 month behind chronological age."),
        (100, 127, "Bone age is 2 years 3 months behind chronological age."),
        (100.3, 100, "Bone age equals chronological age, to the nearest month."),
    ],
)
def test_ahead_or_behind(bone_age, age, sentence):
    assert text.ahead_or_behind(bone_age, age) == sentence


def test_a_deviation_names_status_sd_table_and_what_is_left_open():
    assert plain(text.deviation_in_words(deviation(165, (158, 174), 144, "male"), 0.9)) == (
        "**Advanced (+2.02 SD).** Bone age is 21 months ahead of chronological age; 1 SD is "
        "10.4 months for boys of 12 years (Brush Foundation). The 90% prediction interval reaches "
        "from +1.3 to +2.9 SD, so a normal bone age is not excluded."
    )
    found = deviation(130, None, 144, "female", GREULICH_PYLE)
    assert plain(text.deviation_in_words(found)) == (
        "**Normal (−1.0 SD).** Bone age is 14 months behind chronological age; 1 SD is 14.0 months "
        "for girls of 12 years (Greulich-Pyle)."
    )


@pytest.mark.parametrize(
    ("interval", "bone_age", "end"),
    [
        ((140, 150), 144, "−0.4 to +0.6 SD, all within normal limits."),
        ((166, 190), 180, "+2.1 to +4.4 SD, all advanced."),
        ((90, 110), 100, "−5.2 to −3.3 SD, all delayed."),
        ((120, 150), 130, "so a delayed bone age is not excluded."),
        ((120, 170), 144, "so neither a delayed nor an advanced bone age is excluded."),
    ],
)
def test_the_interval_in_words(interval, bone_age, end):
    said = plain(text.deviation_in_words(deviation(bone_age, interval, 144, "male"), 0.9))
    assert said.endswith(end)


@pytest.mark.parametrize(
    ("z", "words"),
    [
        (2.02, "+2.02"),
        (2.004, "+2.004"),
        (2, "+2.0"),
        (1.96, "+2.0"),  # not beyond, as 2.0 is not
        (-2.04, "−2.04"),
        (0.04, "0.0"),
        (-0.04, "0.0"),
        (-0.06, "−0.1"),
    ],
)
def test_rounding_never_moves_an_sd_across_the_limit(z, words):
    assert text.sd_in_words(z) == words


@pytest.mark.parametrize("table", SD_TABLES)
def test_each_table_has_a_source(table):
    assert "1959" in text.about_deviation(table) and "limits included" in text.about_deviation(
        table
    )


def test_an_adult_height_names_range_table_and_group():
    found = predict_adult_height(140, 126, (120, 132), 126, "male")
    assert plain(text.adult_height_in_words(found, 0.9)) == (
        "**Predicted adult height: 176.1 cm**, 174.1 to 178.6 cm over the 90% prediction interval "
        "of the bone age. Bayley-Pinneau, boys, average group, bone age less than 12 months from "
        "chronological age: 79.5% of adult height reached."
    )
    assert "**Predicted adult height: 5 ft 9.3 in**, 5 ft 8.6 in to 5 ft 10.3 in" in plain(
        text.adult_height_in_words(found, 0.9, feet=True)
    )


def test_a_range_that_is_cut_is_told():
    found = predict_adult_height(140, 150, (140, 170), 170, "male")
    said = text.adult_height_in_words(found, 0.9)
    assert "The interval reaches past the table (6 years to 13 years)" in said
    assert "delayed group" in said


def test_without_an_interval_there_is_no_range():
    found = predict_adult_height(140, 126, None, 126, "male")
    assert text.adult_height_in_words(found, None).startswith(
        "**Predicted adult height: 176.1 cm**. Bayley"
    )


@pytest.mark.parametrize(("cm", "where"), [(170.4, "below"), (170.5, "within"), (188, "above")])
def test_a_target_height_and_the_predicted_one(cm, where):
    predicted = AdultHeight(cm, None, None, False, 80, "average", "male")
    assert text.target_height_in_words(target_height(165, 180, "male"), predicted) == (
        "**Target height: 179.0 cm** (170.5 to 187.5 cm; Tanner). The predicted adult height lies "
        f"{where} this range."
    )
    assert text.target_height_in_words(target_height(165, 180, "male")).endswith("Tanner).")


@pytest.mark.parametrize(
    ("limits", "end"),
    [
        ((0.7, 2.4), "No significant difference from 1 year per year. The CI is wide;"),
        ((0.9, 1.4), "No significant difference from 1 year per year."),
        ((1.1, 1.9), "Significantly faster than 1 year per year."),
        ((0.2, 0.9), "Significantly slower than 1 year per year."),
        ((-0.2, 2.0), "(95% CI −0.20 to 2.00), from 2 radiographs over 2 years."),
        ((None, None), "There is no CI, as not every bone age has a prediction interval."),
    ],
)
def test_a_rate_in_words(limits, end):
    said = plain(text.rate_in_words(Rate(1.5, *limits, n=2, span_months=24)))
    assert said.startswith("**Rate of maturation: 1.50 years of bone age per year**")
    assert end in said


def test_readings_of_different_models_are_told():
    assert text.different_models([Reading(96, 90, model="a"), Reading(99, 90, model="a")]) is None
    mixed = [Reading(96, 90, model="a"), Reading(99, 90, model="b")]
    assert "different models or versions" in text.different_models(mixed)


def test_an_age_in_whole_years_is_told():
    assert "in whole years: enter months" in text.whole_years(96.0)
    assert text.whole_years(97.0) is text.whole_years(96.4) is None
