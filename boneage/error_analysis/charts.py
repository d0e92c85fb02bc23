"""The charts of an error analysis by title, each drawn when it is called."""

from collections.abc import Callable
from functools import partial

import pandas as pd
import plotly.graph_objects as go

from boneage.error_analysis import figures as errors
from boneage.error_analysis.analysis import Analysis
from boneage.error_analysis.calibration_figure import reference_on_predicted
from boneage.error_analysis.coverage_figures import coverage_by_group, coverage_by_level
from boneage.inference.conformal import LEVEL

Charts = dict[str, Callable[[], go.Figure]]


def residual_charts(found: Analysis) -> Charts:
    """Residuals and errors by age and sex."""
    return {
        "Residuals by age": lambda: errors.residual_scatter(found.drawn, found.running, found.by),
        "Residuals by age and sex": lambda: errors.residual_distributions(*found.boxes, found.by),
        "MAE by age and sex": lambda: errors.mae_heatmap(found.by_band_and_sex, found.by),
    }


def calibration_charts(found: Analysis) -> Charts:
    """Reference against predicted bone age."""
    return {
        "Calibration": lambda: reference_on_predicted(
            found.drawn, found.calibration_bins, found.calibration
        )
    }


def agreement_charts(found: Analysis, color: str) -> Charts:
    """Agreement with the reference; `color` is "#rrggbb"."""
    return {
        "Predicted against reference bone age": lambda: errors.predicted_against_age(found.drawn),
        "Bland-Altman plot": lambda: errors.bland_altman(found.drawn, found.agreement),
        "Histogram of residuals": lambda: errors.error_histogram(found.cases, color),
        "Cumulative distribution of the absolute error": lambda: errors.cumulative_error(
            found.cumulative, color
        ),
    }


def coverage_charts(coverage: pd.DataFrame, color: str) -> Charts:
    """Coverage of the prediction intervals of one model.

    Args:
        coverage: of `inference.conformal.coverage_table`, of the model.
        color: "#rrggbb".
    """
    return {
        "Interval coverage by level": partial(coverage_by_level, coverage, color),
        "Interval coverage by subgroup": partial(coverage_by_group, coverage, LEVEL, color),
    }


def all_charts(found: Analysis, color: str, coverage: pd.DataFrame | None = None) -> Charts:
    """Those of every section of the page.

    Args:
        found: the analysis.
        color: "#rrggbb".
        coverage: as of `coverage_charts`, None where there are no intervals.
    """
    charts = residual_charts(found) | calibration_charts(found) | agreement_charts(found, color)
    return charts if coverage is None else charts | coverage_charts(coverage, color)
