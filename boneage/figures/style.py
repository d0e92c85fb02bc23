"""What all analysis charts share: titles, axes with units, margins and words.

Backgrounds are clear and text takes the colour of the page, so a figure follows the light and the
dark theme and prints on white; grids and reference lines are half-clear greys that show on both.
"""

import math
import textwrap
from collections.abc import Callable

import pandas as pd
import plotly.graph_objects as go

from boneage.figures import palette
from boneage.models.registry import ENSEMBLE, find_model
from boneage.wording import duration_in_words, nearest_month

GROUPS = {"female": "Girls", "male": "Boys"}
REFERENCE_AGE = "Reference age (years)"
RESIDUAL = "Residual (months, + too old)"

GRID = palette.faded(palette.NEUTRAL, 0.22)
LINE = palette.faded(palette.NEUTRAL, 0.8)
BAND = palette.faded(palette.NEUTRAL, 0.16)

BIN = 3  # months of error in one bar

# Characters of a title that fit beside each other on a telephone, 360 px wide with its borders.
_TITLE_WIDTH = 36
_TICKS = range(0, 301, 24)  # months; as far as ages are understood


def finish(figure: go.Figure, title: str, height: int = 420) -> go.Figure:
    """Title, margins, legend below, clear background; `height` in pixels. Returns the figure.

    `title` is a question or a finding; it is broken into lines that fit a telephone.
    """
    lines = textwrap.wrap(title, _TITLE_WIDTH)
    figure.update_layout(
        height=height,
        title={
            "text": "<br>".join(lines), "font": {"size": 16, "weight": 600},
            "x": 0, "xref": "container", "xanchor": "left",
            "y": 1, "yref": "container", "yanchor": "top",
            # Plotly moves a title of several lines up by 11 px, off the figure.
            "pad": {"l": 2, "t": 8 if len(lines) == 1 else 19},
        },
        margin={"l": 8, "r": 16, "t": 22 + 21 * len(lines), "b": 8},
        legend={
            "orientation": "h", "x": 0, "xref": "container", "y": 0, "yref": "container",
            "yanchor": "bottom", "itemsizing": "constant", "traceorder": "normal",
        },
        paper_bgcolor="rgba(0, 0, 0, 0)", plot_bgcolor="rgba(0, 0, 0, 0)",
        dragmode=False, hovermode="closest", hoverlabel={"align": "left"},
    )  # fmt: skip
    axes = {
        "automargin": True, "gridcolor": GRID, "zeroline": False, "tickangle": 0,
        "title": {"standoff": 8},
    }  # fmt: skip
    figure.update_xaxes(axes)
    figure.update_yaxes(axes)
    return figure


def age_axis(title: str = REFERENCE_AGE) -> dict:
    """An axis of ages in months with a tick every two years, for update_xaxes or update_yaxes."""
    return {
        "title": {"text": title},
        "tickvals": list(_TICKS),
        "ticktext": [f"{month // 12} y" for month in _TICKS],
        "tickfont": {"size": 11},
    }


def model_title(name: str) -> str:
    """What people call a model of the registry, or the mean of both, ENSEMBLE."""
    return "Mean of both models" if name == ENSEMBLE else find_model(name).title


def in_words(months: pd.Series, say: Callable[[float], str]) -> pd.Series:
    """`say(months)` for each of many; asked once for each whole month."""
    whole = months.map(nearest_month)
    return whole.map({month: say(month) for month in whole.unique()})


def residual_in_words(months: float) -> str:
    """A residual: 13.2 -> "13 months too old"."""
    whole = nearest_month(months)
    if whole == 0:
        return "right to the month"
    return f"{duration_in_words(whole)} too {'old' if whole > 0 else 'young'}"


def signed(months: float) -> str:
    """Months with a sign and one decimal: -3.14 -> "−3.1"; nan is what one case does not have."""
    if math.isnan(months):
        return "not defined"
    return f"{months:+.1f}".replace("-", "−")
