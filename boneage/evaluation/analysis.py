"""Everything the error analysis of one table of predictions shows, in one go."""

from dataclasses import dataclass

import pandas as pd

from boneage.evaluation.cohorts import find_groups
from boneage.evaluation.intervals import resamples_at_once
from boneage.evaluation.metrics import summarise
from boneage.evaluation.residuals import (
    Agreement,
    agreement,
    boxes,
    cumulative_error,
    running_median,
    with_residuals,
)


@dataclass(frozen=True, eq=False)
class Analysis:
    """What the functions of `residuals`, `metrics` and `cohorts` say of the same cases.

    cases: with residuals. figures: a row of `summarise`. worst, tree, by_band_and_sex: of
    `find_groups`.
    """

    cases: pd.DataFrame
    figures: dict[str, float]
    by_band_and_sex: pd.DataFrame
    boxes: pd.DataFrame
    beyond_boxes: pd.DataFrame
    running: pd.DataFrame
    agreement: Agreement
    cumulative: pd.DataFrame
    worst: pd.DataFrame
    tree: pd.DataFrame


def analyse(predictions: pd.DataFrame) -> Analysis:
    """Analyse a predictions table of at least one case; the same table gives the same result."""
    cases = with_residuals(predictions)
    n_resamples = resamples_at_once(len(cases))
    worst, tree, by_band_and_sex = find_groups(cases, n_resamples)
    return Analysis(
        cases,
        summarise(cases, n_resamples=n_resamples).iloc[0].to_dict(),
        by_band_and_sex,
        *boxes(cases),
        running_median(cases),
        agreement(cases["age_months"], cases["prediction_months"]),
        cumulative_error(cases["absolute_error"]),
        worst,
        tree,
    )
