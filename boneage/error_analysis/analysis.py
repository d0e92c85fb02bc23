"""Everything the error analysis of one table of predictions shows."""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from boneage.error_analysis.calibration import AgeCalibration, age_calibration, calibration_bins
from boneage.error_analysis.subgroups import Subgroups, by_band_and_sex, by_block, find_groups
from boneage.evaluation.intervals import SEED, resamples_at_once
from boneage.evaluation.metrics import summarize
from boneage.evaluation.residuals import (
    REFERENCE_AGE,
    Agreement,
    agreement,
    boxes,
    cumulative_error,
    running_median,
    with_residuals,
)

MOST_POINTS = 20_000  # more lie on each other, and a browser takes seconds to draw them


@dataclass(frozen=True, eq=False)
class Analysis:
    """What the functions of `evaluation` say of the same cases.

    Each part is computed when it is first asked for, so that the first chart of a page does not
    wait for the last table.

    Attributes:
        by: the column of the age by which residuals and subgroups are shown, reference or
            predicted.
        cases: with residuals.
        n_resamples: number of bootstrap resamples of every interval.
    """

    by: str
    cases: pd.DataFrame
    n_resamples: int

    @cached_property
    def drawn(self) -> pd.DataFrame:
        """The cases that charts of points show: all, or a random sample where they are very many.

        The sample is the same each time and keeps the order of the cases.
        """
        if len(self.cases) <= MOST_POINTS:
            return self.cases
        return self.cases.sample(MOST_POINTS, random_state=SEED).sort_index()

    @cached_property
    def metrics(self) -> dict[str, float]:
        """A row of `summarize`."""
        row = summarize(self.cases, n_resamples=self.n_resamples).iloc[0]
        return {str(name): value for name, value in row.items()}

    @cached_property
    def by_band_and_sex(self) -> pd.DataFrame:
        """Of `subgroups.by_band_and_sex`."""
        return by_band_and_sex(self.cases, self.n_resamples)

    @cached_property
    def by_block(self) -> pd.DataFrame:
        """Of `subgroups.by_block`."""
        return by_block(self.cases, self.n_resamples)

    @cached_property
    def boxes(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Of `residuals.boxes`: the boxes, and the cases beyond their whiskers of those drawn."""
        found, beyond = boxes(self.cases)
        return found, beyond[beyond["id"].isin(self.drawn["id"])]

    @cached_property
    def running(self) -> pd.DataFrame:
        """Of `residuals.running_median`."""
        return running_median(self.cases, self.by)

    @cached_property
    def calibration(self) -> AgeCalibration:
        """Of `age_calibration`."""
        return age_calibration(
            self.cases["reference_months"], self.cases["prediction_months"], self.n_resamples
        )

    @cached_property
    def calibration_bins(self) -> pd.DataFrame:
        """Of `calibration.calibration_bins`."""
        return calibration_bins(self.cases)

    @cached_property
    def agreement(self) -> Agreement:
        """Of `residuals.agreement`."""
        return agreement(self.cases["reference_months"], self.cases["prediction_months"])

    @cached_property
    def cumulative(self) -> pd.DataFrame:
        """Of `residuals.cumulative_error`."""
        return cumulative_error(self.cases["absolute_error"])

    @cached_property
    def subgroups(self) -> Subgroups:
        """Of `subgroups.find_groups`."""
        return find_groups(self.cases, self.by, self.n_resamples)


def analyze(predictions: pd.DataFrame, by: str = REFERENCE_AGE) -> Analysis:
    """Analyze the errors of a predictions table; the same table gives the same result.

    Args:
        predictions: a predictions table of at least one case.
        by: column of the age by which residuals and subgroups are shown, `residuals.REFERENCE_AGE`
            or `residuals.PREDICTED_AGE`.

    Returns:
        Metrics, residuals, calibration and subgroups of the cases.

    Example:
        >>> from boneage import artifacts
        >>> predictions = artifacts.read_predictions(artifacts.model_folder("densenet121"))
        >>> found = analyze(predictions[predictions["split"] == "test"])
        >>> found.agreement.n, len(found.cases)
        (200, 200)
    """
    return Analysis(by, with_residuals(predictions, by), resamples_at_once(len(predictions)))
