"""Everything the error analysis of one table of predictions shows, in one go."""

from dataclasses import dataclass

import pandas as pd

from boneage.error_analysis.calibration import AgeCalibration, age_calibration, calibration_bins
from boneage.error_analysis.subgroups import Subgroups, by_band_and_sex, by_block, find_groups
from boneage.evaluation.intervals import resamples_at_once
from boneage.evaluation.metrics import summarise
from boneage.evaluation.residuals import (
    REFERENCE_AGE,
    Agreement,
    agreement,
    boxes,
    cumulative_error,
    running_median,
    with_residuals,
)


@dataclass(frozen=True, eq=False)
class Analysis:
    """What the functions of `evaluation` say of the same cases.

    Attributes:
        by: the column of the age by which residuals and subgroups are shown, reference or
            predicted.
        cases: with residuals.
        metrics: a row of `summarise`.
        by_band_and_sex: of `cohorts.by_band_and_sex`.
        by_block: of `cohorts.by_block`.
        boxes: of `residuals.boxes`.
        beyond_boxes: cases beyond the whiskers.
        running: of `residuals.running_median`.
        calibration: of `age_calibration`.
        calibration_bins: of `age_calibration.calibration_bins`.
        agreement: of `residuals.agreement`.
        cumulative: of `residuals.cumulative_error`.
        subgroups: of `cohorts.find_groups`.
    """

    by: str
    cases: pd.DataFrame
    metrics: dict[str, float]
    by_band_and_sex: pd.DataFrame
    by_block: pd.DataFrame
    boxes: pd.DataFrame
    beyond_boxes: pd.DataFrame
    running: pd.DataFrame
    calibration: AgeCalibration
    calibration_bins: pd.DataFrame
    agreement: Agreement
    cumulative: pd.DataFrame
    subgroups: Subgroups


def analyse(predictions: pd.DataFrame, by: str = REFERENCE_AGE) -> Analysis:
    """Analyse the errors of a predictions table; the same table gives the same result.

    Args:
        predictions: a predictions table of at least one case.
        by: column of the age by which residuals and subgroups are shown, `residuals.REFERENCE_AGE`
            or `residuals.PREDICTED_AGE`.

    Returns:
        Metrics, residuals, calibration and subgroups of the cases.

    Example:
        >>> from boneage import artifacts
        >>> predictions = artifacts.read_predictions(artifacts.model_folder("densenet121"))
        >>> found = analyse(predictions[predictions["split"] == "test"])
        >>> found.agreement.n, len(found.cases)
        (200, 200)
    """
    cases = with_residuals(predictions, by)
    reference, predicted = cases["reference_months"], cases["prediction_months"]
    n_resamples = resamples_at_once(len(cases))
    within_boxes, beyond_boxes = boxes(cases)
    return Analysis(
        by=by,
        cases=cases,
        metrics=summarise(cases, n_resamples=n_resamples).iloc[0].to_dict(),
        by_band_and_sex=by_band_and_sex(cases, n_resamples),
        by_block=by_block(cases, n_resamples),
        boxes=within_boxes,
        beyond_boxes=beyond_boxes,
        running=running_median(cases, by),
        calibration=age_calibration(reference, predicted, n_resamples),
        calibration_bins=calibration_bins(cases),
        agreement=agreement(reference, predicted),
        cumulative=cumulative_error(cases["absolute_error"]),
        subgroups=find_groups(cases, by, n_resamples),
    )
