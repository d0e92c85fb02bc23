import pytest
from plain import plain

from boneage import wording
from boneage.radiographs.hand import CROP_METHODS


@pytest.mark.parametrize(
    ("months", "long", "short"),
    [
        (0, "0 months", "0 m"),
        (1, "1 month", "1 m"),
        (12, "1 year", "1 y"),
        (13.4, "1 year 1 month", "1 y 1 m"),
        (23.6, "2 years", "2 y"),
        (99.4, "8 years 3 months", "8 y 3 m"),
        (98.5, "8 years 3 months", "8 y 3 m"),  # halves go up, also before an odd month
        (-3, "−3 months", "−3 m"),
        (-0.2, "0 months", "0 m"),
    ],
)
def test_age(months, long, short):
    assert wording.age_in_words(months) == long
    assert wording.age_in_short(months) == short


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
    assert wording.ahead_or_behind(bone_age, age) == sentence


@pytest.mark.parametrize(
    ("second", "sentence"),
    [
        (100.2, "The models predict the same bone age, to the nearest month."),
        (106, "B predicts a bone age 6 months higher than A."),
        (88, "A predicts a bone age 12 months higher than B."),
        (140, "B predicts a bone age 3 years 4 months higher than A."),
        (
            99.5,
            "The models predict the same bone age, to the nearest month.",
        ),  # shown as the same age
        (100.5, "B predicts a bone age 1 month higher than A."),
    ],
)
def test_disagreement_is_told_without_a_judgement(second, sentence):
    assert wording.disagreement({"A": 100.0, "B": second}) == sentence


def test_one_model_cannot_disagree():
    assert wording.disagreement({"A": 100.0}) is None


def test_the_bias_on_test_is_told_for_each_sex():
    groups = {"all": (1.45, 0.65, 2.26), "female": (2.17, 0.89, 3.34), "male": (0.73, -0.4, 1.9)}
    assert plain(wording.bias_on_test(groups)) == (
        f"Bias on test radiographs (mean residual): +1.4 months ({plain(wording.CI_95)} "
        "+0.7 to +2.3; girls +2.2 months, boys +0.7 months)."
    )
    assert "girls" not in wording.bias_on_test({"all": (1.45, 0.65, 2.26)})


def test_the_quality_check_is_told_with_the_number_of_its_sources():
    said = plain(wording.quality_check_measured(260, 113, 1.0, 0.967, 1.0))
    assert "refused 100% (95% CI 97% to 100%) of 260 images" in said
    assert "from 113 photographs and drawings" in said


def test_typical_errors_name_each_model_or_say_nothing():
    assert wording.typical_errors({"A": 8.24, "B": 9.0}) == (
        "Mean absolute error on test radiographs: A 8.2 months and B 9.0 months."
    )
    assert wording.typical_errors({}) is None


def test_every_crop_method_has_words():
    sentences = {wording.hand_found(method) for method in CROP_METHODS}
    words = {wording.hand_found_short(method) for method in CROP_METHODS}
    assert len(sentences) == len(words) == len(CROP_METHODS)
    assert wording.hand_found_short("unknown") == "not stated"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("mae", 7.26, "7.3 months"),
        ("bias", -1.24, "−1.2 months"),
        ("bias", 2.0, "+2.0 months"),
        ("bias", -0.04, "0.0 months"),
        ("r2", 0.9414, "0.941"),
        ("within_12", 0.644, "64%"),
        ("within_24", 0.995, "99.5%"),
        ("within_24", 1.0, "100%"),
        ("r2", float("nan"), "not defined"),
    ],
)
def test_figures_are_said_in_their_units(name, value, words):
    assert plain(wording.metric_value(name, value)) == words


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (1.0, "1"),
        (0.1133, "0.11"),
        (0.0341, "0.034"),
        (0.0496, "0.0496"),  # and not 0.05
        (0.0504, "0.05"),
        (0.001, "0.001"),
        (3e-9, "< 0.001"),
    ],
)
def test_p_values_stay_on_their_side_of_five_percent(p, words):
    assert plain(wording.p_value(p)) == words


def test_every_split_says_what_its_reference_is_and_what_its_label_noise_is():
    assert (
        "mean of six readings. One reading has an SD of about 7 months, the mean of six about 3"
        in (wording.ABOUT_SPLIT["test"])
    )
    assert "one clinical reading, with an SD of about 7 months" in wording.ABOUT_SPLIT["validation"]
    assert not any("model's own" in text for text in wording.ABOUT_SPLIT.values())
    for split in ("test", "validation"):
        assert "this label noise is part of every residual" in wording.ABOUT_SPLIT[split]


def test_the_band_of_readers_is_called_an_estimate():
    assert wording.about_reader_band(4.8, 7.0) == (
        "Shaded: estimated range of single human readers on the 200 test radiographs, 4.8 to 7.0 "
        "months."
    )


def test_an_interval_is_said_without_its_unit():
    assert wording.metric_interval("bias", -1.0, 2.5) == "−1.0 to +2.5"
    assert wording.metric_interval("within_6", 0.21, 0.324) == "21 to 32"
    assert wording.metric_interval("mae", float("nan"), float("nan")) == "no interval"


@pytest.mark.parametrize(
    ("items", "words"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_in_words(items, words):
    assert wording.in_words(items) == words


def test_file_names_cannot_become_markup():
    assert wording.as_plain_markdown("a_b*[x](y):red:.png") == (r"a\_b\*\[x\]\(y\)\:red\:\.png")


def test_the_prepared_hand_says_at_which_size_the_models_take_it():
    assert wording.prepared_hand(256, {256}) == (
        "Model input: 256 × 256 pixels, contrast equalized"
    )
    assert wording.prepared_hand(256, {128}).endswith("resized to 128 × 128 for these weights")


def test_an_interval_says_its_level_and_its_limits():
    assert plain(wording.interval_in_short(0.9, 109.0, 136.2)) == (
        "90% interval: 9 y 1 m to 11 y 4 m"
    )


def test_what_an_interval_covers_follows_the_level():
    said = plain(wording.about_interval(0.95))
    assert "about 95% of reference bone ages fall in the 95% prediction interval" in said
    assert "covers a single clinical reading" in said
    assert "Not valid for dysplasia, malformation or atypical positioning." in said


@pytest.mark.parametrize(
    ("age", "place"),
    [(108.4, "outside"), (108.6, "within"), (120, "within"), (136.4, "within"), (136.6, "outside")],
)
def test_an_age_lies_within_an_interval_as_people_see_it(age, place):
    """The limits read 9 y 1 m and 11 y 4 m."""
    sentence = plain(wording.in_interval(age, 0.9, 109.3, 135.8))
    assert sentence.startswith(f"Chronological age lies {place} the 90% prediction interval")


def test_outside_of_an_interval_lie_as_many_readings_as_its_level_leaves():
    sentence = plain(wording.in_interval(20, 0.85, 109.3, 135.8))
    assert sentence.endswith("as do about 15% of clinical readings.")


@pytest.mark.parametrize(
    ("bone_age", "age", "said"),
    [
        (100, None, []),
        (12, 227.9, []),
        (11.9, None, ["Under 1 year"]),
        (30, 11, ["Under 1 year"]),
        (228, None, ["19 years and older"]),
        (200, 300, ["19 years and older"]),
        (5, 240, ["Under 1 year", "19 years and older"]),
    ],
)
def test_ages_of_which_the_models_know_little_are_told(bone_age, age, said):
    sentences = wording.unfamiliar_ages(bone_age, age)
    assert [sentence.split(":")[0] for sentence in sentences] == said


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (0, "0%"),
        (1 / 10_000, "0.01%"),
        (0.004, "0.4%"),
        (0.006, "1%"),
        (0.9949, "99%"),
        (199 / 200, "99.5%"),
        (9374 / 9375, "99.99%"),
        (1, "100%"),
    ],
)
def test_only_all_is_100_percent_and_only_none_is_0(part, words):
    assert plain(wording.share(part)) == words


def test_a_share_of_reference_ages_comes_with_its_interval():
    words = plain(wording.covered(1425, 0.9284, 0.9071, 0.945))
    assert words == "92.8% (90.7 to 94.5) of 1,425"


def test_the_weights_of_the_ensemble_heaviest_first():
    assert plain(wording.ensemble_weights({"A": 0.06, "B": 0.94})) == (
        "Ensemble weights: B 94%, A 6% (chosen on validation)."
    )
    assert wording.ensemble_weights({"A": 0.5, "B": 0.5}) == "Ensemble weights: equal."
    assert wording.ensemble_weights({"A": 1.0}) is None


def test_plates_that_the_models_do_not_read_are_named_with_how_far_off():
    assert wording.plates_read(58, 2) == (
        "The ensemble is within 12 months of the mean bone age for 56 of the 58 average hands."
    )
    assert wording.plates_read(57, 0).endswith("of the mean bone age for all 57 average hands.")
    assert wording.plates_missed({"Girls, 4 years": 12.32, "Boys, 17 years": -15.0}) == (
        "Errors of more than 12 months: girls, 4 years (overestimated by 12.3 months) and boys, "
        "17 years (underestimated by 15.0 months)."
    )


def test_plates_say_how_many_radiographs_each_is_made_of():
    said = wording.averages_of([39, 36, 40])
    assert said.startswith("Averages of 39, 36 and 40 radiographs, with the mean bone age")


def test_plates_that_the_quality_check_refused_are_counted_and_named():
    assert wording.plates_accepted(57, 0).endswith("accepted all 57 average hands.")
    assert wording.plates_accepted(57, 2).endswith("accepted 55 of the 57 average hands.")
    assert wording.plates_refused(["Girls, 4 years", "Boys, 17 years"]) == (
        "The image quality check refused the average hands of girls, 4 years and boys, 17 years; "
        "their predictions are not shown."
    )


def test_events_are_told_with_the_scale_of_fusion():
    assert wording.event_in_words("appears", 29, 29) == "Appears at about 2 years 5 months"
    assert wording.event_in_words("fuses", 156, 180) == (
        "Fuses at a bone age of about 13 to 15 years"
    )


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 radiographs"), (1, "1 radiograph"), (1425, "1,425 radiographs")]
)
def test_things_are_counted_in_singular_and_plural(number, words):
    assert wording.counted(number, "radiograph") == words


@pytest.mark.parametrize(
    ("months", "words"),
    [
        (13.2, "overestimated by 13 months"),
        (-30.0, "underestimated by 2 years 6 months"),
        (0.4, "exact to the month"),
    ],
)
def test_a_residual_in_words(months, words):
    assert wording.residual_in_words(months) == words
