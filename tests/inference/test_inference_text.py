import pytest
from plain import plain

from boneage.formatting import CI_95
from boneage.inference import text


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
def test_disagreement_is_told_without_a_judgment(second, sentence):
    assert text.disagreement({"A": 100.0, "B": second}) == sentence


def test_one_model_cannot_disagree():
    assert text.disagreement({"A": 100.0}) is None


def test_the_bias_on_test_is_told_for_each_sex():
    groups = {"all": (1.45, 0.65, 2.26), "female": (2.17, 0.89, 3.34), "male": (0.73, -0.4, 1.9)}
    assert plain(text.bias_on_test(groups)) == (
        f"Bias on test radiographs (mean residual): +1.4 months ({plain(CI_95)} "
        "+0.7 to +2.3; girls +2.2 months, boys +0.7 months)."
    )
    assert "girls" not in text.bias_on_test({"all": (1.45, 0.65, 2.26)})


def test_typical_errors_name_each_model_or_say_nothing():
    assert text.typical_errors({"A": 8.24, "B": 9.0}) == (
        "Mean absolute error on test radiographs: A 8.2 months and B 9.0 months."
    )
    assert text.typical_errors({}) is None


def test_what_an_interval_covers_follows_the_level():
    said = plain(text.about_interval(0.95))
    assert "about 95% of reference bone ages fall in the 95% prediction interval" in said
    assert "covers a single clinical reading" in said
    assert "Not valid for dysplasia, malformation or atypical positioning." in said


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
    sentences = text.unusual_ages(bone_age, age)
    assert [sentence.split(":")[0] for sentence in sentences] == said


def test_the_weights_of_the_ensemble_heaviest_first():
    assert plain(text.ensemble_weights({"A": 0.06, "B": 0.94})) == (
        "Ensemble weights: B 94%, A 6% (chosen on validation)."
    )
    assert text.ensemble_weights({"A": 0.5, "B": 0.5}) == "Ensemble weights: equal."
    assert text.ensemble_weights({"A": 1.0}) is None
