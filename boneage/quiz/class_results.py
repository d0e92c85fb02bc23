"""How a class reads the cases of one set: errors, agreement between learners, hardest cases.

`hands` are the cases in their order (columns id, sex and reference_months), `answers` the readings
of `boneage.quiz.class_file.read_class`: a row a hand, numbered from 1, and a column a learner.
Ages and errors are in months.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from boneage.evaluation.readers import interval_of_mean
from boneage.evaluation.residuals import agreement, with_residuals
from boneage.quiz import quiz

# Readers, beside models: single learners, and the mean of their answers to each case.
CLASS, CLASS_MEAN = "class", "class_mean"


def residuals(hands: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """Answers minus reference bone ages.

    Args:
        hands: the cases.
        answers: of one learner or more.

    Returns:
        As `answers`.
    """
    return answers.sub(_reference(hands), axis=0)


def model_answers(
    hands: pd.DataFrame, predictions: Mapping[str, pd.DataFrame], refused: list[str]
) -> pd.DataFrame:
    """The predictions of models for the cases, as answers.

    Args:
        hands: the cases.
        predictions: name of the model -> columns id and prediction_months.
        refused: ids of hands that the image quality check refuses.

    Returns:
        As answers, a column a model; nan where it has no prediction. Models without any are left
        out.
    """
    ids = hands["id"].where(~hands["id"].isin(refused))
    found = {
        name: ids.map(table.set_index("id")["prediction_months"]).to_numpy(dtype=float)
        for name, table in predictions.items()
    }
    return pd.DataFrame(found, index=_numbers(hands)).dropna(axis=1, how="all")


def class_scores(hands: pd.DataFrame, answers: pd.DataFrame, models: pd.DataFrame) -> pd.DataFrame:
    """Error, bias and limits of agreement of the class and of the models.

    Args:
        hands: the cases.
        answers: of one learner or more.
        models: of `model_answers`.

    Returns:
        Rows and columns as of `boneage.quiz.quiz.scores`. CLASS is single readings: mae and bias
        are means over cases and learners, and in their 95% CIs both are resampled. CLASS_MEAN, of
        two learners or more, is the mean of the class for each case; then the models.
    """
    errors = residuals(hands, answers)
    n = answers.shape[1]
    # Reader by reader, as agreement takes one reference a reading.
    found = agreement(np.tile(_reference(hands), n), answers.to_numpy().ravel(order="F"))
    mae_low, mae_high = interval_of_mean(errors.abs())
    bias_low, bias_high = interval_of_mean(errors)
    single = {
        "n": errors.size,
        "mae": errors.abs().to_numpy().mean(), "mae_low": mae_low, "mae_high": mae_high,
        "bias": found.bias, "bias_low": bias_low, "bias_high": bias_high,
        "lower": found.lower, "upper": found.upper,
    }  # fmt: skip
    readers = {CLASS_MEAN: answers.mean(axis=1)} if n > 1 else {}
    readers |= {name: models[name] for name in models}
    tables = [pd.DataFrame([single], index=[CLASS])]
    if readers:
        tables.append(quiz.scores({name: _cases(hands, read) for name, read in readers.items()}))
    return pd.concat(tables)


def learner_scores(hands: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """Error, bias and limits of agreement of every learner.

    Args:
        hands: the cases.
        answers: of one learner or more.

    Returns:
        Columns reader, mae, bias, lower and upper; the smallest error first.
    """
    rows = []
    for reader in answers:
        found = agreement(_reference(hands), answers[reader])
        mae = residuals(hands, answers[[reader]]).abs().to_numpy().mean()
        rows.append((reader, mae, found.bias, found.lower, found.upper))
    table = pd.DataFrame(rows, columns=["reader", "mae", "bias", "lower", "upper"])
    return table.sort_values(["mae", "reader"], ignore_index=True)


def case_scores(hands: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """How the class reads every case.

    Args:
        hands: the cases.
        answers: of one learner or more.

    Returns:
        The columns of `hands`, and mean_months, youngest_months and oldest_months (of the answers),
        mae, bias and sd (between the learners; nan for one); indexed as `answers`, the hardest case
        first: that of the largest mae.
    """
    errors = residuals(hands, answers)
    table = hands.set_index(answers.index).assign(
        mean_months=answers.mean(axis=1),
        youngest_months=answers.min(axis=1),
        oldest_months=answers.max(axis=1),
        mae=errors.abs().mean(axis=1),
        bias=errors.mean(axis=1),
        sd=answers.std(axis=1, ddof=1),
    )
    return table.sort_values("mae", ascending=False, kind="stable")


def _numbers(hands: pd.DataFrame) -> pd.RangeIndex:
    return pd.RangeIndex(1, len(hands) + 1, name="case")


def _reference(hands: pd.DataFrame) -> np.ndarray:
    return hands["reference_months"].to_numpy(dtype=float)


def _cases(hands: pd.DataFrame, read: pd.Series) -> pd.DataFrame:
    return with_residuals(
        hands.assign(prediction_months=read.to_numpy()).dropna(subset="prediction_months")
    )
