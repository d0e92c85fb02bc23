import math

import numpy as np
import pandas as pd
import pytest

from boneage.evaluation.readers import icc_agreement, within_case_sd
from boneage.quiz.class_figures import residuals_by_case
from boneage.quiz.class_results import (
    CLASS,
    CLASS_MEAN,
    case_scores,
    class_scores,
    learner_scores,
    model_answers,
)
from boneage.quiz.class_text import agreement_in_words, case_in_words, class_result
from boneage.quiz.figures import reader_title

HANDS = pd.DataFrame(
    {
        "id": ["a", "b", "c", "d"],
        "sex": ["female", "male", "female", "male"],
        "reference_months": [100, 40, 160, 70],
    }
)
OFF = pd.DataFrame(
    {"KKKKKK": [6, 2, 0, -4], "LLLLLL": [6, -2, 12, -4], "MMMMMM": [0, 0, 0, -4]},
    index=pd.RangeIndex(1, 5, name="case"),
    dtype=float,
)
ANSWERS = OFF.add(HANDS["reference_months"].to_numpy(), axis=0)
PREDICTIONS = {
    "densenet121": pd.DataFrame({"id": ["d", "b", "a"], "prediction_months": [75.0, 41, 99]}),
    "ensemble": pd.DataFrame({"id": ["x"], "prediction_months": [75.0]}),
}
MODELS = model_answers(HANDS, PREDICTIONS, refused=["b"])


def test_models_are_matched_by_id_and_silent_on_refused_hands():
    assert list(MODELS) == ["densenet121"]
    np.testing.assert_equal(MODELS["densenet121"].to_numpy(), [99, math.nan, math.nan, 75])


def test_the_class_is_scored_as_worked_out_by_hand():
    scores = class_scores(HANDS, ANSWERS, MODELS)
    assert list(scores.index) == [CLASS, CLASS_MEAN, "densenet121"]
    single = scores.loc[CLASS]
    assert single["n"] == 12
    assert single["mae"] == pytest.approx(40 / 12)
    assert single["bias"] == pytest.approx(12 / 12)
    sd = np.std(OFF.to_numpy(), ddof=1)
    assert single["upper"] - single["lower"] == pytest.approx(2 * 1.96 * sd, abs=0.01)
    assert single["mae_low"] < single["mae"] < single["mae_high"]
    assert single["bias_low"] < single["bias"] < single["bias_high"]
    assert scores.loc[CLASS_MEAN, "mae"] == pytest.approx((4 + 0 + 4 + 4) / 4)
    assert scores.loc["densenet121", ["n", "mae", "bias"]].tolist() == pytest.approx([2, 3, 2])


def test_one_learner_has_no_mean_and_no_agreement():
    scores = class_scores(HANDS, ANSWERS[["KKKKKK"]], MODELS[[]])
    assert list(scores.index) == [CLASS]
    assert "mean of all" not in class_result(scores, 1)
    assert "needs the files of at least two" in agreement_in_words(None, math.nan)


def test_learners_are_listed_by_their_error_and_cases_by_that_of_the_class():
    learners = learner_scores(HANDS, ANSWERS)
    assert learners["reader"].tolist() == ["MMMMMM", "KKKKKK", "LLLLLL"]
    assert learners["mae"].tolist() == [1, 3, 6]
    assert learners["bias"].tolist() == [-1, 1, 3]
    cases = case_scores(HANDS, ANSWERS)
    assert list(cases.index) == [1, 3, 4, 2]
    assert cases["id"].tolist() == ["a", "c", "d", "b"]
    assert cases["mae"].tolist() == pytest.approx([4, 4, 4, 4 / 3])
    first = cases.loc[1]
    assert (first["youngest_months"], first["oldest_months"]) == (100, 106)
    assert (first["mean_months"], first["bias"]) == (104, 4)
    assert first["sd"] == pytest.approx(12**0.5)


def test_the_figure_has_every_reading_youngest_case_lowest_and_no_dot_on_another():
    figure = residuals_by_case(HANDS, ANSWERS, MODELS)
    learners, model = figure.data
    assert len(learners.x) == 12
    assert list(figure.layout.yaxis.ticktext) == [
        "2: boy, 3 y 4 m", "4: boy, 5 y 10 m", "1: girl, 8 y 4 m", "3: girl, 13 y 4 m",
    ]  # fmt: skip
    assert len(set(zip(learners.x, learners.y, strict=True))) == 12
    assert [round(y) for x, y in zip(learners.x, learners.y, strict=True) if x == 12] == [3]
    assert (model.name, list(model.x), list(model.y)) == ("DenseNet121", [-1, 5], [2, 1])
    assert ["2", "learner LLLLLL", "underestimated by 2 months"] in [
        [str(part) for part in point] for point in learners.customdata
    ]


def test_results_are_said_in_sentences():
    said = class_result(class_scores(HANDS, ANSWERS, MODELS), 3)
    assert said.startswith(
        "3 learners: mean absolute error of a single reading **3.3 months** (95%"
    )
    assert "bias +1.0 months. The mean of all learners has a mean absolute error of 3.0" in said
    said = agreement_in_words(icc_agreement(ANSWERS), within_case_sd(ANSWERS))
    assert "ICC(2,1) **0.99" in said
    assert f"within-case SD **{within_case_sd(ANSWERS):.1f} months**" in said
    case = case_scores(HANDS, ANSWERS).loc[1]
    assert case_in_words(case, {"DenseNet121": -1.0, "Ensemble": 0.01}) == (
        "Mean estimate 8 years 8 months (overestimated by 4.0 months); mean absolute error 4.0 "
        "months. Estimates from 8 years 4 months to 8 years 10 months (SD 3.5 months). "
        "Residuals of the models: DenseNet121 −1.0, Ensemble 0.0 months."
    )
    assert reader_title(CLASS) == "Single learner"
    assert reader_title(CLASS_MEAN) == "Mean of learners"
