"""Validation radiographs of the same sex that the ensemble predicts most alike.

Neighbors in the space of the models' pooled features were no better at telling how large the error
of a radiograph is, see docs/results.md.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from boneage.evaluation.intervals import percentile_interval
from boneage.evaluation.metrics import summarize
from boneage.inference.ensemble import with_ensemble
from boneage.inference.predictor import Prediction
from boneage.models.registry import ENSEMBLE

N_SIMILAR, MIN_SIMILAR = 100, 20
_RESAMPLES, _SEED = 500, 2017


@dataclass(frozen=True, eq=False)
class SimilarCases:
    """The validation radiographs most similar to one, and all of its sex.

    Attributes:
        cases: rows of the predictions table with residual_months, the most similar first.
        metrics: of `cases`, the row of `summarize`.
        of_sex: the same of all validation radiographs of this sex.
        sex: "female" or "male".
    """

    cases: pd.DataFrame
    metrics: pd.Series
    of_sex: pd.Series
    sex: str


def find_similar(prediction: Prediction, cases: pd.DataFrame) -> SimilarCases | None:
    """Find the validation radiographs of the same sex with the nearest predictions.

    Args:
        prediction: of the radiograph; any local calibration is left aside.
        cases: predictions of the ensemble, see `boneage.inference.ensemble.ensemble_table`.

    Returns:
        The 100 most similar, or all where there are fewer; None for fewer than 20.
    """
    months = with_ensemble(prediction.months, prediction.weights)[ENSEMBLE]
    of_sex = _validation(cases)
    of_sex = of_sex[of_sex["sex"] == prediction.sex]
    if len(of_sex) < MIN_SIMILAR:
        return None
    apart = (of_sex["prediction_months"] - months).abs()
    similar = of_sex.loc[apart.sort_values(kind="stable").index[:N_SIMILAR]].reset_index(drop=True)
    return SimilarCases(
        similar, summarize(similar).iloc[0], summarize(of_sex).iloc[0], prediction.sex
    )


def error_correlation(cases: pd.DataFrame) -> tuple[float, float, float] | None:
    """How well the MAE of similar cases tells the error of a radiograph.

    Args:
        cases: see `find_similar`.

    Returns:
        Spearman's rank correlation of the absolute error of each validation radiograph with the MAE
        of its 100 most similar ones without itself, and its bootstrap 95% CI (low, high); None
        where a sex has too few of them.
    """
    cases = _validation(cases)
    errors, local = [], []
    for _, group in cases.groupby("sex"):
        n = min(N_SIMILAR, len(group) - 1)
        if n < MIN_SIMILAR:
            return None
        months, error = group["prediction_months"].to_numpy(), group["residual_months"].abs()
        apart = np.abs(months[:, None] - months)
        np.fill_diagonal(apart, np.inf)
        nearest = np.argpartition(apart, n - 1, axis=1)[:, :n]
        errors.append(error.to_numpy())
        local.append(error.to_numpy()[nearest].mean(axis=1))
    pairs = np.column_stack([np.concatenate(errors), np.concatenate(local)])
    drawn = np.random.default_rng(_SEED).integers(0, len(pairs), (_RESAMPLES, len(pairs)))
    low, high = percentile_interval(
        np.array([_spearman(pairs[rows]) for rows in drawn]), len(pairs)
    )
    return _spearman(pairs), float(low), float(high)


def _validation(cases: pd.DataFrame) -> pd.DataFrame:
    chosen = cases[cases["split"] == "validation"]
    return chosen.assign(residual_months=chosen["prediction_months"] - chosen["reference_months"])


def _spearman(pairs: np.ndarray) -> float:
    return float(pd.DataFrame(pairs).rank().corr().iloc[0, 1])
