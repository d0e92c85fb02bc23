"""Two models on the same radiographs.

`pairs` and `wins` are the tables of `evaluation.comparison`; first_name and second_name are names
of the registry, or "ensemble", and say which model is first and which second in these tables.
"""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from boneage.figures import palette, style


def prediction_against_prediction(
    pairs: pd.DataFrame, first_name: str, second_name: str
) -> go.Figure:
    """Prediction of one model against that of the other, in the color of the closer one."""
    titles = [style.model_title(first_name), style.model_title(second_name)]
    months = pairs[["first_months", "second_months"]]
    ends = [months.min(axis=None), months.max(axis=None)]
    ages = ("reference_months", "first_months", "second_months")
    numbers = style.case_numbers(pairs["id"], *(pairs[age] for age in ages))
    traces = []
    for closer, name, color in _sides(first_name, second_name):
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


def win_shares(wins: pd.DataFrame, first_name: str, second_name: str) -> go.Figure:
    """On which share of each group each model is closer; one bar a group."""
    groups = wins.columns.drop(["n", "first", "second", "equal"])
    named = wins[groups].astype(str).replace(style.GROUPS)
    labels = [
        f"{', '.join(names).capitalize()}<br>n = {n:,}"
        for names, n in zip(named.to_numpy(), wins["n"], strict=True)
    ]
    first, second, equal = _sides(first_name, second_name)
    bars = [
        go.Bar(
            x=100 * wins[side], y=labels, orientation="h", name=name,
            marker={"color": color, "line": {"width": 0}}, textfont={"color": palette.INK},
            texttemplate="%{x:.0f}%", textposition="inside", insidetextanchor="middle",
            textangle=0, hovertemplate="%{x:.1f}%<extra>%{fullData.name}</extra>",
        )
        for side, name, color in (first, equal, second)
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


def error_distributions(pairs: pd.DataFrame, first_name: str, second_name: str) -> go.Figure:
    """How many radiographs have which absolute error, in bins of 3 months; one line a model."""
    filled = 1 + int(pairs[["first_error", "second_error"]].max(axis=None) // style.BIN)
    edges = style.BIN * np.arange(filled + 2)  # the last bin is empty: outlines end at zero
    lines = []
    for name, errors in ((first_name, pairs["first_error"]), (second_name, pairs["second_error"])):
        share = 100 * np.histogram(errors, edges)[0] / len(pairs)
        color = palette.model_color(name)
        line = go.Scatter(
            x=edges[:-1], y=share, mode="lines", name=style.model_title(name),
            line={"shape": "hv", "width": 2.5, "color": color},
            fill="tozeroy", fillcolor=palette.faded(color, 0.12),
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


def _sides(first_name: str, second_name: str) -> list[tuple[str, str, str]]:
    """Values of the column `closer` with their title and color."""
    return [
        ("first", f"{style.model_title(first_name)} closer", palette.model_color(first_name)),
        ("second", f"{style.model_title(second_name)} closer", palette.model_color(second_name)),
        ("equal", "Equally close", palette.NEUTRAL),
    ]
