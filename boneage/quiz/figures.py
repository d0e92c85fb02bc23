"""Readings compared with predictions: errors with CIs, and Bland-Altman plots."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from boneage.error_analysis import figures as errors
from boneage.evaluation.residuals import agreement
from boneage.figures import palette, style
from boneage.formatting import CI_95
from boneage.quiz.class_results import CLASS, CLASS_MEAN

YOU = "you"
_PEOPLE = {YOU: "You", CLASS: "Single learner", CLASS_MEAN: "Mean of learners"}


def reader_title(name: str) -> str:
    """What people call a reader: YOU, CLASS, CLASS_MEAN, a model of the registry or "ensemble"."""
    return _PEOPLE.get(name) or style.model_title(name)


def reader_errors(scores: pd.DataFrame, single_reader: tuple[float, float]) -> go.Figure:
    """Mean absolute error of each reader with its interval, over the band of single readers.

    Args:
        scores: of `boneage.quiz.quiz.scores`.
        single_reader: a range in months.

    Returns:
        The figure.
    """
    readers = scores.iloc[::-1]  # Plotly draws the first lowest
    colors = [palette.model_color(name) for name in readers.index]
    points = go.Scatter(
        x=readers["mae"], y=readers.index.map(reader_title), mode="markers+text",
        text=[f"<b>{error:.1f}</b>" for error in readers["mae"]], textposition="top center",
        marker={"size": 12, "color": colors},
        error_x=style.error_bars(
            readers["mae"], readers["mae_low"], readers["mae_high"], color=palette.NEUTRAL
        ),
        customdata=readers[["mae_low", "mae_high"]], showlegend=False,
        hovertemplate="%{y}: %{x:.1f} months<br>"
        f"{CI_95} %{{customdata[0]:.1f}} to %{{customdata[1]:.1f}}<extra></extra>",
    )  # fmt: skip
    low, high = single_reader
    name = f"Single human readers (estimate), {low:.1f} to {high:.1f} months"
    band = style.band(low, high, level=False, layer="below", name=name, showlegend=True)
    return style.chart(
        [points],
        "Mean absolute error",
        style.titled("Mean absolute error (months)", rangemode="tozero"),
        {"range": (-0.5, len(readers) - 0.3), "showgrid": False},
        height=130 + 58 * len(readers),
        shapes=[band],
    )


def bland_altman(readers: Mapping[str, pd.DataFrame]) -> dict[str, go.Figure]:
    """A Bland-Altman plot for each reader, all with the axes that the cases and errors need.

    Args:
        readers: name -> cases.

    Returns:
        Name -> plot.
    """
    found = {
        name: agreement(cases["reference_months"], cases["prediction_months"])
        for name, cases in readers.items()
    }
    reach = 1.1 * max(
        np.nanmax(np.abs([*readers[name]["residual_months"], one.lower, one.upper]))
        for name, one in found.items()
    )
    age_axis = _age_axis(pd.concat(readers.values()))
    plots = {}
    for name, cases in readers.items():
        figure = errors.bland_altman(cases, found[name])
        figure.layout.title.text = reader_title(name)
        figure.layout.height = 400
        figure.layout.yaxis.range = (-reach, reach)
        figure.layout.yaxis.update(style.residual_ticks(reach))
        figure.layout.xaxis.update(age_axis)
        for trace in figure.data:
            trace.hovertemplate = trace.hovertemplate.replace("Radiograph ", "")
            trace.marker.size = 9
        for line in figure.layout.annotations:
            # One line each: on an axis that fits all readers, some lines lie close together.
            line.text = line.text.partition("<br>")[2]
        plots[name] = figure
    return plots


def _age_axis(cases: pd.DataFrame) -> dict:
    """Whole years around the means of estimate and reference, with room for the markers."""
    means = (cases["reference_months"] + cases["prediction_months"]) / 2
    low, high = math.floor((means.min() - 3) / 12), math.ceil((means.max() + 3) / 12)
    years = range(low, high + 1, 1 if high - low <= 10 else 2)
    return {
        "range": (12 * low, 12 * high),
        "tickvals": [12 * year for year in years],
        "ticktext": [f"{year} y" for year in years],
    }
