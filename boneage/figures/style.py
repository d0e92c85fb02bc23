"""What all analysis charts share: titles, axes with units, margins and words.

Backgrounds are clear and text takes the color of the page, so a figure follows the light and the
dark theme and prints on white; grids and reference lines are half-clear grays that show on both.
"""

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from boneage.evaluation import residuals
from boneage.figures import palette
from boneage.models.registry import ENSEMBLE, find_model

GROUPS = {"female": "Girls", "male": "Boys"}
REFERENCE_AGE = "Reference bone age (years)"
PREDICTED_AGE = "Predicted bone age (years)"
# What `by` of `evaluation.residuals` may be -> the age in words, and the title of its axis.
AGES = {
    residuals.REFERENCE_AGE: ("reference bone age", REFERENCE_AGE),
    residuals.PREDICTED_AGE: ("predicted bone age", PREDICTED_AGE),
}
RESIDUAL = "Residual (months, + overestimated)"

GRID = palette.faded(palette.NEUTRAL, 0.22)
LINE = palette.faded(palette.NEUTRAL, 0.8)
CLEAR = "rgba(0, 0, 0, 0)"
BAND = palette.faded(palette.NEUTRAL, 0.16)

BIN = 3  # months of error in one bar

# Pixels below a plot for its axis, and more for each row of the legend; beside it for its axis.
_BOTTOM, _LEGEND_ROWS, _LEFT = 64, (0, 24, 42), 60

# Characters of a title that fit beside each other on a telephone, 360 px wide with its borders.
_TITLE_WIDTH = 36
_FINE_REACH, _MAX_LABELS = 30, 14
_TICKS = range(0, 301, 24)  # months; as far as ages are understood


def chart(
    traces: Sequence, title: str, x: dict, y: dict, height: int = 420, **layout: Any
) -> go.Figure:
    """A figure with title, axes, legend below and clear background.

    `title` is a question or a finding; it is broken into lines that fit a telephone. x, y: what is
    special about the axes, for instance `age_axis()` or {"title": {"text": "Radiographs"}};
    height in pixels; layout: more of Plotly's layout, such as shapes.

    Everything goes into one constructor: figures that are changed afterwards take Plotly ten times
    as long, and pages draw many.
    """
    axes = {"xaxis": _axis(x), "yaxis": _axis(y)}
    look = _look(title, height)
    # What most charts need: where it is not enough, Plotly draws the chart again with more.
    look["margin"] |= {"l": _LEFT, "b": _BOTTOM + _LEGEND_ROWS[_legend_rows(traces, layout)]}
    return go.Figure(list(traces), look | axes | layout)


def _legend_rows(traces: Sequence, layout: dict) -> int:
    """Rows of the legend of a chart of half the width of a page."""
    if layout.get("showlegend") is False:
        return 0
    named = [trace for trace in traces if trace.name and trace.showlegend is not False]
    entries = len(named) + sum(shape.get("showlegend", False) for shape in layout.get("shapes", ()))
    return 0 if entries == 0 else 1 if entries <= 3 else 2


def finish(figure: go.Figure, title: str, height: int = 420) -> go.Figure:
    """The look of `chart` for a figure that is there, such as one of several plots."""
    figure.update_layout(_look(title, height))
    figure.update_xaxes(_axis({}))
    return figure.update_yaxes(_axis({}))


def _look(title: str, height: int) -> dict:
    lines = textwrap.wrap(title, _TITLE_WIDTH)
    return {
        "height": height,
        "title": {
            "text": "<br>".join(lines), "font": {"size": 16, "weight": 600},
            "x": 0, "xref": "container", "xanchor": "left",
            "y": 1, "yref": "container", "yanchor": "top",
            # Plotly moves a title of several lines up by 11 px, off the figure.
            "pad": {"l": 2, "t": 8 if len(lines) == 1 else 19},
        },
        "margin": {"l": 8, "r": 16, "t": 22 + 21 * len(lines), "b": 8},
        "legend": {
            "orientation": "h", "x": 0, "xref": "container", "y": 0, "yref": "container",
            "yanchor": "bottom", "itemsizing": "constant", "traceorder": "normal",
        },
        "paper_bgcolor": CLEAR, "plot_bgcolor": CLEAR,
        "dragmode": False, "hovermode": "closest", "hoverlabel": {"align": "left"},
    }  # fmt: skip


def _axis(special: dict) -> dict:
    look = {"automargin": True, "gridcolor": GRID, "zeroline": False, "tickangle": 0}
    return look | special | {"title": {"standoff": 8} | special.get("title", {})}


def titled(title: str, **special: Any) -> dict:
    """An axis with a title and what is special about it, for `chart`."""
    return {"title": {"text": title}, **special}


def error_bars(values: pd.Series, low: pd.Series, high: pd.Series, **look: Any) -> dict:
    """Bars from low to high around values, for a trace's error_x or error_y."""
    ends = {"array": high - values, "arrayminus": values - low}
    return {"type": "data", "symmetric": False, "thickness": 2} | ends | look


def line_at(*, x: float | None = None, y: float | None = None, **line: Any) -> dict:
    """The shape of a line across the whole plot, upright at x or level at y."""
    line = {"color": LINE, "width": 1.5} | line
    ends = {"xref": "x domain", "x0": 0, "x1": 1, "y0": y, "y1": y}
    if x is not None:
        ends = {"yref": "y domain", "y0": 0, "y1": 1, "x0": x, "x1": x}
    return {"type": "line", "line": line, **ends}


def band(low: float, high: float, level: bool, **shape: Any) -> dict:
    """The shape of a band from low to high, level across the whole plot or upright."""
    ends = {"yref": "y domain", "y0": 0, "y1": 1, "x0": low, "x1": high}
    if level:
        ends = {"xref": "x domain", "x0": 0, "x1": 1, "y0": low, "y1": high}
    return {"type": "rect", "fillcolor": BAND, "line": {"width": 0}, **ends, **shape}


def residual_axis(months: ArrayLike, title: str = RESIDUAL, **special: Any) -> dict:
    """An axis of residuals (n,), months, with the ticks of `residual_ticks`, for `chart`."""
    return titled(title, **residual_ticks(float(np.abs(months).max())), **special)


def residual_ticks(reach: float) -> dict:
    """A tick every 6 months, or every 12 where residuals reach more than 30 months.

    Where they reach so far that labels would not fit a telephone, only some ticks have one.
    """
    step = 6 if reach <= _FINE_REACH else 12
    every = max(1, math.ceil(2 * reach / step / _MAX_LABELS))
    return {"tick0": 0, "dtick": step, "ticklabelstep": every}


def age_axis(title: str = REFERENCE_AGE) -> dict:
    """An axis of ages in months with a tick every two years, for `chart`."""
    return {
        "title": {"text": title},
        "tickvals": list(_TICKS),
        "ticktext": [f"{month // 12} y" for month in _TICKS],
        "tickfont": {"size": 11},
    }


def model_title(name: str) -> str:
    """The title of a model of the registry, or of the ensemble."""
    return "Ensemble" if name == ENSEMBLE else find_model(name).title


def case_numbers(ids: pd.Series, *ages: pd.Series) -> np.ndarray:
    """What hovering over points says, for customdata: (n, 1 + 2 * ages), id, years, months, ...

    Float32 where the ids are whole numbers that it can hold: Plotly copies texts one by one,
    several times, and sends them at length. ages are in months.
    """
    if ids.str.fullmatch("0|[1-9][0-9]{0,6}").all():  # and not "0012"
        ids = ids.to_numpy().astype(np.float32)
    whole = [np.floor(np.maximum(age, 0) + 0.5).astype(np.float32) for age in ages]
    return np.column_stack([ids, *(part for age in whole for part in (age // 12, age % 12))])


def age_in_hover(column: int) -> str:
    """The age whose years stand in this column of `case_numbers`, in a hovertemplate."""
    return f"%{{customdata[{column}]:.0f}} y %{{customdata[{column + 1}]:.0f}} m"


def signed(months: float) -> str:
    """Months with a sign and one decimal: -3.14 -> "−3.1"; nan is what one case does not have."""
    if math.isnan(months):
        return "not defined"
    return f"{months:+.1f}".replace("-", "−")
