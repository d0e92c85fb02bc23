"""Where one model is wrong: residuals, errors and limits of agreement.

`cases` are predictions with their residuals, as `evaluation.residuals.with_residuals` gives them:
id, sex, reference_months, prediction_months, residual_months, absolute_error (months) and age_band.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from boneage.evaluation.limits import TOLERANCE
from boneage.evaluation.metrics import AGE_BANDS
from boneage.evaluation.residuals import REFERENCE_AGE, Agreement
from boneage.figures import palette, style
from boneage.formatting import age_in_words, counted, residual_in_words

FEW_CASES = 20  # below this a cell of the heatmap is not colored
_YEAR = 12  # months
_MANY = 2000  # points, from which on they are drawn smaller
_MAX_SVG = 500  # points; more are faster in WebGL
# Most ages are whole or half years: side by side, one sex does not hide the other. Months.
_SHIFT = {"female": -0.8, "male": 0.8}


def residual_scatter(
    cases: pd.DataFrame, running: pd.DataFrame, by: str = REFERENCE_AGE
) -> go.Figure:
    """Residual against the age `by`, with running median and interquartile range.

    `running` is `evaluation.residuals.running_median(cases, by)`.
    """
    edges = [last for _, last in list(AGE_BANDS.values())[:-1]]
    words, axis = style.AGES[by]
    return style.chart(
        [
            *points(cases, cases[by], cases["residual_months"]),
            *_running(scatter(len(cases)), running[by], running),
        ],
        f"Residuals by {words}",
        style.age_axis(axis),
        style.residual_axis(cases["residual_months"]),
        height=480,
        dragmode="lasso",
        shapes=[
            *(style.line_at(x=edge, dash="dot", width=1) for edge in edges),
            style.line_at(y=0),
        ],
    )


def selected_cases(cases: pd.DataFrame, points: Sequence[Mapping]) -> pd.DataFrame:
    """The cases of points selected in `residual_scatter(cases, ...)`.

    Args:
        cases: that were drawn.
        points: each with Plotly's curve_number and point_index; those of other lines are left out.

    Returns:
        Rows of `cases`.
    """
    if not points:
        return cases[:0]
    traces = [cases[cases["sex"] == sex] for sex in _sexes(cases)]
    chosen = [
        trace.iloc[sorted({p["point_index"] for p in points if p["curve_number"] == number})]
        for number, trace in enumerate(traces)
    ]
    return pd.concat(chosen)


def predicted_against_age(cases: pd.DataFrame) -> go.Figure:
    """Prediction against age, with the line on which both are the same and a year to each side."""
    end = max(cases["reference_months"].max(), cases["prediction_months"].max())
    within_a_year = {
        "type": "path",
        "path": f"M 0,{-_YEAR} L {end},{end - _YEAR} L {end},{end + _YEAR} L 0,{_YEAR} Z",
        "fillcolor": style.BAND, "line": {"width": 0}, "layer": "below",
        "name": "Within 12 months", "showlegend": True,
    }  # fmt: skip
    equal = scatter(len(cases))(
        x=[0, end], y=[0, end], mode="lines", name="Prediction = reference",
        line={"width": 2, "color": palette.NEUTRAL}, hoverinfo="skip",
    )  # fmt: skip
    return style.chart(
        [*points(cases, cases["reference_months"], cases["prediction_months"]), equal],
        "Predicted against reference bone age",
        style.age_axis(),
        style.age_axis(style.PREDICTED_AGE),
        height=480,
        shapes=[within_a_year],
    )


def error_histogram(cases: pd.DataFrame, color: str) -> go.Figure:
    """How many radiographs have which residual, in bins of 3 months; `color` is "#rrggbb"."""
    bins = (
        np.floor((cases["residual_months"] + TOLERANCE) / style.BIN)
        .astype(int)
        .value_counts()
        .sort_index()
    )
    starts = bins.index * style.BIN
    bars = go.Bar(
        x=starts + style.BIN / 2, y=bins, width=style.BIN, showlegend=False,
        marker={"color": color, "line": {"width": 0}},
        customdata=[
            (start, start + style.BIN, counted(n, "radiograph"), 100 * n / len(cases))
            for start, n in bins.set_axis(starts).items()
        ],
        hovertemplate="%{customdata[0]:+d} to %{customdata[1]:+d} months:"
        "<br>%{customdata[2]} (%{customdata[3]:.1f}%)<extra></extra>",
    )  # fmt: skip
    year = {"layer": "below", "name": "Within 12 months", "showlegend": True}
    return style.chart(
        [bars],
        "Distribution of residuals",
        style.residual_axis(cases["residual_months"]),
        style.titled("Radiographs"),
        shapes=[style.band(-_YEAR, _YEAR, level=False, **year), style.line_at(x=0)],
    )


def cumulative_error(
    curve: pd.DataFrame, color: str, marks: Sequence[float] = (0.5, 0.8, 0.95)
) -> go.Figure:
    """Which share of radiographs lies within which error.

    Args:
        curve: of `evaluation.residuals.cumulative_error`.
        color: "#rrggbb".
        marks: shares in (0, 1] to point out, the first of which is the title (a mark stands at the
            least error that reaches its share).

    Returns:
        The figure.
    """
    errors, shares = curve["error_months"].to_numpy(), curve["share"].to_numpy()
    marked = errors[np.searchsorted(shares, marks)]
    line = go.Scatter(
        x=errors, y=100 * shares, mode="lines", line={"shape": "hv", "color": color, "width": 2.5},
        hovertemplate="%{y:.1f}% within %{x:.1f} months<extra></extra>",
    )  # fmt: skip
    points = go.Scatter(
        x=marked, y=100 * np.array(marks), mode="markers+text", textposition="bottom right",
        text=[f"{100 * s:.0f}%: {e:.1f} months" for s, e in zip(marks, marked, strict=True)],
        marker={"color": color, "size": 9}, hoverinfo="skip",
    )  # fmt: skip
    return style.chart(
        [line, points],
        f"Cumulative distribution of the absolute error (median {marked[0]:.1f} months)",
        # Leaves room for the words beside the last mark; past it, the curve has little to tell.
        style.titled("Absolute error (months)", range=(0, 2.5 * marked.max())),
        style.titled("Radiographs (%)", range=(0, 104)),
        showlegend=False,
    )


def residual_distributions(
    boxes: pd.DataFrame, beyond: pd.DataFrame, by: str = REFERENCE_AGE
) -> go.Figure:
    """A box for each age band and sex, and the cases beyond its whiskers as points.

    Args:
        boxes: of `evaluation.residuals.boxes`.
        beyond: of the same.
        by: column of the age whose bands they are.

    Returns:
        The figure.
    """
    words, axis = style.AGES[by]
    residuals = [*boxes["lower_whisker"], *boxes["upper_whisker"], *beyond["residual_months"]]
    bands = [band for band in AGE_BANDS if band in set(boxes["age_band"])]
    traces = []
    for sex in _sexes(boxes):
        color = palette.SEXES[sex]
        place = {band: n + (-0.2 if sex == "female" else 0.2) for n, band in enumerate(bands)}
        box, points = (table[table["sex"] == sex] for table in (boxes, beyond))
        x = box["age_band"].map(place).astype(float)
        traces += [
            go.Box(
                x=x, name=style.GROUPS[sex], legendgroup=sex, width=0.34,
                q1=box["lower_quartile"], median=box["median"], q3=box["upper_quartile"],
                lowerfence=box["lower_whisker"], upperfence=box["upper_whisker"],
                line={"width": 2, "color": color}, fillcolor=palette.faded(color, 0.25),
                hoverinfo="skip",
            ),
            # Invisible bars over the boxes, for Plotly's own words of a box leave out n.
            go.Bar(
                x=x, base=box["lower_quartile"], y=box["upper_quartile"] - box["lower_quartile"],
                width=0.34, opacity=0, legendgroup=sex, showlegend=False,
                customdata=box[["n", "median", "lower_quartile", "upper_quartile"]].to_numpy(),
                hovertemplate="n = %{customdata[0]:,d}<br>Median %{customdata[1]:+.1f} months"
                "<br>Interquartile range %{customdata[2]:+.1f} to %{customdata[3]:+.1f}"
                "<extra></extra>",
            ),
            go.Scatter(
                x=points["age_band"].map(place).astype(float), y=points["residual_months"],
                mode="markers", legendgroup=sex, showlegend=False,
                marker={"color": color, **_look(boxes["n"].sum())},
                customdata=style.case_numbers(points["id"]),
                hovertemplate="Radiograph %{customdata[0]}: %{y:+.0f} months<extra></extra>",
            ),
        ]  # fmt: skip
    return style.chart(
        traces,
        f"Residuals by {words} and sex",
        style.titled(
            axis,
            tickvals=list(range(len(bands))),
            ticktext=[_years(band) for band in bands],
            showgrid=False,
        ),
        style.residual_axis(residuals),
        height=460,
        shapes=[style.line_at(y=0)],
        boxmode="overlay",
        barmode="overlay",
    )


def mae_heatmap(table: pd.DataFrame, by: str = REFERENCE_AGE) -> go.Figure:
    """Mean absolute error, its interval and n for each band of the age `by` and sex.

    `table` is `evaluation.cohorts.by_band_and_sex(cases)`. A cell of fewer than FEW_CASES
    radiographs is not colored by its error and says that they are few.
    """
    age, axis = style.AGES[by]
    cells = table.pivot(index="age_band", columns="sex")
    few = cells["n"] < FEW_CASES
    shades = [
        go.Heatmap(
            x=values.columns.map(style.GROUPS), y=values.index.map(_years), z=values,
            zmin=0, zmax=table["mae"].max(), colorscale=colors, showscale=False,
            xgap=4, ygap=4, hoverinfo="skip",
        )
        for values, colors in (
            (cells["mae"].mask(few), palette.ERROR_SHADES),
            (cells["mae"].where(few), (palette.FEW, palette.FEW)),
        )
    ]  # fmt: skip
    # Not the text of the heatmap, whose color Plotly chooses as if it lay on white.
    # Unseen markers can be clicked, which the shades cannot.
    words = go.Scatter(
        x=table["sex"].map(style.GROUPS), y=table["age_band"].map(_years), mode="markers+text",
        text=[_cell(row) for row in table.itertuples()], hoverinfo="none",
        marker={"opacity": 0, "size": 60}, unselected={"marker": {"opacity": 0}},
        selected={"marker": {"opacity": 0}},
    )  # fmt: skip
    return style.chart(
        [*shades, words],
        f"Mean absolute error by {age} and sex",
        style.titled("Sex", showgrid=False, fixedrange=True),
        style.titled(axis, autorange="reversed", showgrid=False, fixedrange=True),
        height=120 + 76 * max(len(cells), 3),  # fewer have no room for the title of the axis
        showlegend=False,
        hoverdistance=-1,  # a click anywhere in a cell is one on its middle
    )


def clicked_cell(table: pd.DataFrame, points: Sequence[Mapping]) -> tuple[str, str] | None:
    """The age band and sex of the point clicked in `mae_heatmap(table)`; None without one.

    Args:
        table: that was drawn.
        points: each with Plotly's point_index.
    """
    if not points:
        return None
    row = table.iloc[points[0]["point_index"]]
    return row["age_band"], row["sex"]


def bland_altman(cases: pd.DataFrame, agreement: Agreement) -> go.Figure:
    """Difference against mean of prediction and age, with bias and limits of agreement.

    J. M. Bland and D. G. Altman, Lancet 1986; 327:307-310. Bands are 95% CIs of the lines.
    """
    middle = (cases["reference_months"] + cases["prediction_months"]) / 2
    shapes, annotations = [], []
    for title, value, interval, color, anchor in (
        ("Upper", agreement.upper, agreement.upper_interval, palette.ERROR, "bottom"),
        ("Bias", agreement.bias, agreement.bias_interval, palette.MEAN, "middle"),
        ("Lower", agreement.lower, agreement.lower_interval, palette.ERROR, "top"),
    ):
        shapes += [
            style.band(*interval, level=True, fillcolor=palette.faded(color, 0.3)),
            style.line_at(y=value, width=2, color=color),
        ]
        annotations.append(
            {
                "x": 1, "xref": "paper", "xanchor": "left", "y": value, "yanchor": anchor,
                "showarrow": False, "align": "left",
                "text": f"{title}<br><b>{style.signed(value)}</b>",
            }
        )  # fmt: skip
    figure = style.chart(
        points(cases, middle, cases["residual_months"]),
        "Limits of agreement (Bland-Altman)",
        style.age_axis("Mean of predicted and reference bone age (years)"),
        style.residual_axis(
            [*cases["residual_months"], *filter(np.isfinite, (agreement.lower, agreement.upper))],
            "Predicted − reference (months)",
        ),
        height=480,
        shapes=shapes,
        annotations=annotations,
    )
    figure.layout.margin.r = 52  # the words beside the lines
    return figure


def _sexes(cases: pd.DataFrame) -> list[str]:
    """Those there are, girls first."""
    return [sex for sex in style.GROUPS if (cases["sex"] == sex).any()]


def points(cases: pd.DataFrame, x: pd.Series, y: pd.Series) -> list:
    """One trace a sex; what a point says is in months and years.

    Places are float32, half of what is sent: 0.00001 months cannot be seen.
    """
    numbers = style.case_numbers(cases["id"], cases["reference_months"], cases["prediction_months"])
    numbers = np.column_stack([numbers, cases["residual_months"].astype(numbers.dtype)])
    traces = [
        (style.GROUPS[sex], cases["sex"] == sex, palette.SEXES[sex], _SHIFT[sex])
        for sex in _sexes(cases)
    ]
    return [
        scatter(len(cases))(
            x=(x[shown] + shift).astype(np.float32), y=y[shown].astype(np.float32),
            mode="markers", name=name, customdata=numbers[shown],
            marker={"color": color, **_look(len(cases))},
            hovertemplate="<b>Radiograph %{customdata[0]}</b>"
            f"<br>Reference {style.age_in_hover(1)}<br>Prediction {style.age_in_hover(3)}"
            "<br>Residual %{customdata[5]:+.1f} months",
        )
        for name, shown, color, shift in traces
    ]  # fmt: skip


def scatter(n_cases: int) -> type:
    """The trace that draws so many cases, and the lines of the same chart.

    WebGL draws many points fast, but each chart takes a browser without a graphics processor half
    a second before the first point, and lies above all that is SVG.
    """
    return go.Scattergl if n_cases > _MAX_SVG else go.Scatter


def _look(n_cases: int) -> dict:
    """Of the marker of one of so many cases."""
    return {"size": 4, "opacity": 0.6} if n_cases > _MANY else {"size": 6, "opacity": 0.75}


def _running(trace: type, age: pd.Series, running: pd.DataFrame) -> list:
    half = trace(
        x=[*age, *age[::-1]], y=[*running["lower_quartile"], *running["upper_quartile"][::-1]],
        mode="lines", name="Interquartile range", line={"width": 1, "color": palette.MEAN},
        fill="toself", fillcolor=palette.faded(palette.MEAN, 0.25), hoverinfo="skip",
    )  # fmt: skip
    said = running["median"].map(residual_in_words)
    median = trace(
        x=age, y=running["median"], mode="lines", name="Running median",
        line={"width": 3, "color": palette.MEAN},
        customdata=np.column_stack([age.map(age_in_words), said]),
        hovertemplate="Median at %{customdata[0]}:<br>%{customdata[1]}<extra></extra>",
    )  # fmt: skip
    return [half, median]


def _cell(row: Any) -> str:
    """The words in one cell; the interval of a single case is undefined and left out."""
    interval = "" if np.isnan(row.mae_low) else f"{row.mae_low:.1f} to {row.mae_high:.1f}<br>"
    few = " (few)" if row.n < FEW_CASES else ""
    return f"<b>{row.mae:.1f} months</b><br>{interval}n = {row.n:,}{few}"


def _years(band: str) -> str:
    """An age band on an axis whose title says the unit."""
    return band.removesuffix(" years")
