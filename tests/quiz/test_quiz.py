import numpy as np
import pandas as pd
import pytest

from boneage.errors import BoneAgeError
from boneage.formatting import age_in_words, nearest_month
from boneage.quiz.quiz import N_HANDS, Quiz, most_missed, scores, within_years
from boneage.quiz.text import answer_against

# Ages 1 to 40 of girls and of boys, in months.
POOL = pd.DataFrame(
    {
        "id": [f"{sex}{age}" for sex in "gb" for age in range(1, 41)],
        "sex": ["female"] * 40 + ["male"] * 40,
        "reference_months": [*range(1, 41)] * 2,
    }
).sample(frac=1, random_state=3)


def finished(quiz: Quiz, errors) -> Quiz:
    for error in errors:
        quiz = quiz.answered(quiz.hand["reference_months"] + error)
    return quiz


def test_the_ten_come_from_all_ages_of_both_sexes():
    for seed in range(20):
        hands = Quiz.start(POOL, seed).hands
        assert len(hands) == N_HANDS
        assert hands["id"].is_unique
        for _, group in hands.groupby("sex"):
            # One from each fifth of the ages of that sex.
            assert sorted((group["reference_months"] - 1) // 8) == [0, 1, 2, 3, 4]


def test_a_seed_gives_the_same_ten_in_the_same_order_whatever_the_order_of_the_pool():
    first, again = Quiz.start(POOL, 5), Quiz.start(POOL[::-1], 5)
    pd.testing.assert_frame_equal(first.hands, again.hands)
    assert list(Quiz.start(POOL, 6).hands["id"]) != list(first.hands["id"])
    ages = first.hands.groupby("sex")["reference_months"]
    assert not all(group.is_monotonic_increasing for _, group in ages)


def test_fewer_than_ten_are_refused_in_a_sentence():
    assert len(Quiz.start(POOL.head(10), 1).hands) == 10
    with pytest.raises(BoneAgeError, match="needs 10 hands.*there are 9.*a wider range"):
        Quiz.start(POOL.head(9), 1)


def test_an_answer_is_scored_against_the_age_that_people_read():
    """Of 20.5 months, people read 1 year 9 months, and 1 year 9 months is right."""
    pool = POOL.assign(reference_months=POOL["reference_months"] + 0.5)
    quiz = Quiz.start(pool, 1)
    assert list(quiz.hands["id"]) == list(Quiz.start(POOL, 1).hands["id"])
    hand = quiz.hand
    age = pool.set_index("id")["reference_months"][hand["id"]]
    assert age_in_words(hand["reference_months"]) == age_in_words(age)
    case = quiz.answered(nearest_month(age)).cases().iloc[0]
    assert case["residual_months"] == 0
    said = answer_against(case["prediction_months"], case["reference_months"])
    assert said.endswith("exact to the month.")


def test_hands_can_be_of_some_years_alone():
    some = within_years(POOL, 1, 2)
    assert sorted(some["reference_months"]) == sorted([*range(12, 25)] * 2)
    # As people read it, 11.6 months is a year.
    near = pd.DataFrame({"reference_months": [11.4, 11.6, 24.4, 24.6]})
    assert list(within_years(near, 1, 2)["reference_months"]) == [11.6, 24.4]


def test_answers_are_kept_with_their_hands_and_the_quiz_ends_after_ten():
    start = Quiz.start(POOL, 1)
    third = finished(start, [1, -2])
    assert start.answers == ()
    assert third.hand["id"] == start.hands["id"][2]
    assert list(third.cases()["residual_months"]) == [1, -2]
    assert not third.is_over
    assert finished(third, [0] * 8).is_over


def test_a_model_is_judged_on_the_same_hands_as_far_as_it_has_read_them():
    quiz = finished(Quiz.start(POOL, 1), [0, 0, 0])
    read = quiz.hands["id"].iloc[[0, 2, 5]]
    predictions = pd.DataFrame({"id": read, "prediction_months": [50.0, 60.0, 70.0]})
    cases = quiz.cases_of(predictions)
    assert list(cases["id"]) == list(read[:2])
    assert list(cases["prediction_months"]) == [50, 60]
    assert list(cases["residual_months"] + cases["reference_months"]) == [50, 60]


def test_scores_are_those_worked_out_by_hand():
    errors = [4.0, -4, 4, -4, 4, -4, 4, -4, 4, 6]
    table = scores({"you": finished(Quiz.start(POOL, 1), errors).cases()})
    row = table.loc["you"]
    assert row["n"] == 10
    assert row["mae"] == pytest.approx(4.2)
    assert row["bias"] == pytest.approx(1.0)
    sd = np.std(errors, ddof=1)
    assert (row["lower"], row["upper"]) == pytest.approx((1 - 1.96 * sd, 1 + 1.96 * sd), abs=0.01)
    assert row["mae_low"] <= 4.2 <= row["mae_high"]
    # Student's t of 9 degrees of freedom: 2.262.
    assert row["bias_high"] - 1 == pytest.approx(2.262 * sd / 10**0.5, abs=0.01)


def test_most_missed_leaves_out_what_is_right_to_the_month():
    cases = finished(Quiz.start(POOL, 1), [0.4, -9, 3, 0, -0.9, 0, 0, 0, 0, 0]).cases()
    assert list(most_missed(cases)["residual_months"]) == [-9, 3]
