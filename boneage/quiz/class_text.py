"""The results of a class, in sentences of Markdown."""

import math
from collections.abc import Mapping

import pandas as pd

from boneage.evaluation.readers import Icc
from boneage.formatting import (
    CI_95,
    age_in_words,
    counted,
    metric_interval,
    metric_value,
    over_or_under,
)
from boneage.quiz.class_results import CLASS, CLASS_MEAN

ABOUT_FILE = (
    "One row a case: the set, a random code in place of a name, the reference and your estimate."
)
HOW_TO = (
    "1. Choose a set under *Cases*, and share the address of this page.\n"
    "2. Each learner reads the ten hands and downloads the result for the class, a CSV file "
    "without a name.\n"
    "3. Open the same set, and upload all files here."
)
ABOUT_SCORES = (
    f"Single learner: mean over all learners and cases; its {CI_95}s resample both. Mean of "
    "learners: their mean estimate for each case, which averages out the errors that they do not "
    "share. Shaded: published estimate for single human readers on the 200 test radiographs of the "
    "challenge."
)
ABOUT_AGREEMENT = (
    "ICC(2,1): share of the variance of single readings that is due to the cases (two-way random "
    "effects, absolute agreement; Shrout and Fleiss 1979). It rises with the range of ages, so "
    "compare it only between sets of the same range. Within-case SD: spread of single readings of "
    "one case about their mean, in months (Bland and Altman 1996)."
)
ABOUT_CASES = (
    "Dots: learners. Dots of one case on the same side of 0 are an error that the class shares; "
    "dots far apart are a case on which learners disagree."
)
ABOUT_CASE_TABLE = "MAE, bias and SD of the learners and residuals of the models, in months."


def class_result(scores: pd.DataFrame, n_learners: int) -> str:
    """The result of a class, in two or three sentences.

    Args:
        scores: Of `boneage.quiz.class_results.class_scores`.
        n_learners: The number of learners.
    """
    single = scores.loc[CLASS]
    sentence = (
        f"{counted(n_learners, 'learner')}: mean absolute error of a single reading "
        f"**{metric_value('mae', single['mae'])}** "
        f"({CI_95} {metric_interval('mae', single['mae_low'], single['mae_high'])}), bias "
        f"{metric_value('bias', single['bias'])}."
    )
    if CLASS_MEAN not in scores.index:
        return sentence
    mae = metric_value("mae", scores.loc[CLASS_MEAN, "mae"])
    return f"{sentence} The mean of all learners has a mean absolute error of {mae}."


def agreement_in_words(icc: Icc | None, sd: float) -> str:
    """Agreement between learners, in one or two sentences.

    Args:
        icc: Of `boneage.evaluation.readers.icc_agreement`; None with fewer than two learners.
        sd: The within-case SD in months.
    """
    if icc is None:
        return "Agreement between learners needs the files of at least two."
    value = metric_value("r2", icc.value)
    return (
        f"Agreement between learners: ICC(2,1) **{value}** ({CI_95} "
        f"{metric_interval('r2', icc.low, icc.high)}), within-case SD **{sd:.1f} months**."
    )


def case_in_words(case: pd.Series, models: Mapping[str, float]) -> str:
    """How a class and the models read one case, in two or three sentences.

    Args:
        case: A row of `boneage.quiz.class_results.case_scores`.
        models: Title of each model -> its residual in months.
    """
    sentence = (
        f"Mean estimate {age_in_words(case['mean_months'])} ({_off(case['bias'])}); mean absolute "
        f"error {case['mae']:.1f} months."
    )
    if not math.isnan(case["sd"]):
        low, high = (age_in_words(case[name]) for name in ("youngest_months", "oldest_months"))
        sentence += f" Estimates from {low} to {high} (SD {case['sd']:.1f} months)."
    if not len(models):
        return sentence
    each = ", ".join(f"{title} {metric_value('bias', off, False)}" for title, off in models.items())
    return f"{sentence} Residuals of the models: {each} months."


def _off(residual: float) -> str:
    size = f"{abs(residual):.1f}"
    return "no error" if size == "0.0" else f"{over_or_under(residual)} by {size} months"
