"""Two models on the same radiographs.

`pairs` and `wins` are the tables of `comparison.head_to_head`; first and second say what the first
and the second predictions in these tables are.
"""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from boneage.comparison.compared import Compared
from boneage.figures import palette, style


def prediction_against_prediction(
    pairs: pd.DataFrame, first: Compared, second: Compared
) -> go.Figure:
    """Prediction of one model against that of the other, in the color of the closer one."""
    titles = [first.title, second.title]
    months = pairs[["first_months", "second_months"]]
    ends = [months.min(axis=None), months.max(axis=None)]
    ages = ("reference_months", "first_months", "second_months")
    numbers = style.case_numbers(pairs["id"], *(pairs[age] for age in ages))
    traces = []
    for closer, name, color in _sides(first, second):
        shown = pairs["closer"] == closer
        points = go.Scattergl(
            x=months["first_months"][shown], y=months["second_months"][shown], mode="markers",
            name=name, customdata=numbers[shown],
            marker={"color": color, "size": 6, "opacity": 0.75},
            hovertemplate="<b>Radiograph %{customdata[0]}</b>"
            f"<br>Reference {style.age_in_hover(1)}<br>{titles[0]} {style.age_in_hover(3)}"
            f"<br>{titles[1]} {style.age_in_hover(5)}<extra></extra>",
        )  # fmt: skip
        traces.append(points)
    equal = go.Scattergl(
        x=ends, y=ends, mode="lines", name="Equal predictions", hoverinfo="skip",
        line={"width": 2, "color": palette.NEUTRAL},
    )  # fmt: skip
    return style.chart(
        [*traces, equal],
        "Predicted bone age of both models",
        style.age_axis(f"{titles[0]} (years)"),
        style.age_axis(f"{titles[1]} (years)"),
        height=480,
    )


def win_shares(wins: pd.DataFrame, first: Compared, second: Compared) -> go.Figure:
    """On which share of each group each model is closer; one bar a group."""
    groups = wins.columns.drop(["n", "first", "second", "equal"])
    named = wins[groups].astype(str).replace(style.GROUPS)
    labels = [
        f"{', '.join(names).capitalize()}<br>n = {n:,}"
        for names, n in zip(named.to_numpy(), wins["n"], strict=True)
    ]
    first_side, second_side, equal = _sides(first, second)
    bars = [
        go.Bar(
            x=100 * wins[side], y=labels, orientation="h", name=name,
            marker={"color": color, "line": {"width": 0}}, textfont={"color": palette.INK},
            texttemplate="%{x:.0f}%", textposition="inside", insidetextanchor="middle",
            textangle=0, hovertemplate="%{x:.1f}%<extra>%{fullData.name}</extra>",
        )
        for side, name, color in (first_side, equal, second_side)
    ]  # fmt: skip
    return style.chart(
        bars,
        "Closer model by age and sex",
        style.titled("Radiographs (%)", range=(0, 100), dtick=25, fixedrange=True),
        style.titled("Group", autorange="reversed", fixedrange=True),
        height=140 + 48 * len(wins),
        shapes=[style.line_at(x=50, dash="dot", width=1, color=palette.INK)],
        barmode="stack",
        bargap=0.3,
        uniformtext={"mode": "hide", "minsize": 11},
    )


def error_distributions(pairs: pd.DataFrame, first: Compared, second: Compared) -> go.Figure:
    """How many radiographs have which absolute error, in bins of 3 months; one line a model."""
    filled = 1 + int(pairs[["first_error", "second_error"]].max(axis=None) // style.BIN)
    edges = style.BIN * np.arange(filled + 2)  # the last bin is empty: outlines end at zero
    lines = []
    for one, errors in ((first, pairs["first_error"]), (second, pairs["second_error"])):
        share = 100 * np.histogram(errors, edges)[0] / len(pairs)
        line = go.Scatter(
            x=edges[:-1], y=share, mode="lines", name=one.title,
            line={"shape": "hv", "width": 2.5, "color": one.color},
            fill="tozeroy", fillcolor=palette.faded(one.color, 0.12),
            customdata=edges[1:],
            hovertemplate="%{x} to %{customdata} months: %{y:.1f}"
            "%<extra>%{fullData.name}</extra>",
        )  # fmt: skip
        lines.append(line)
    return style.chart(
        lines,
        "Distribution of absolute errors",
        style.titled("Absolute error (months)"),
        style.titled("Radiographs (%)", rangemode="tozero"),
    )


def _sides(first: Compared, second: Compared) -> list[tuple[str, str, str]]:
    """Values of the column `closer` with their title and color."""
    return [
        ("first", f"{first.title} closer", first.color),
        ("second", f"{second.title} closer", second.color),
        ("equal", "Equally close", palette.NEUTRAL),
    ]
