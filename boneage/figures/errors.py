"""Where one model is wrong: residuals, errors and limits of agreement.

`cases` are predictions with their residuals, as `evaluation.residuals.with_residuals` gives them:
id, sex, age_months, prediction_months, residual_months, absolute_error (months) and age_band.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from boneage.evaluation.metrics import AGE_BANDS
from boneage.evaluation.residuals import Agreement
from boneage.figures import palette, style
from boneage.wording import age_in_short, age_in_words

FEW_CASES = 20  # below this a cell of the heatmap is not coloured
_YEAR = 12  # months
_MANY = 2000  # points, from which on they are drawn smaller
# Most ages are whole or half years: side by side, one sex does not hide the other. Months.
_SHIFT = {"female": -0.8, "male": 0.8}


def residual_scatter(
    cases: pd.DataFrame, running: pd.DataFrame, colour_by_sex: bool = True
) -> go.Figure:
    """Residual against age, with the running median and the middle half of the cases.

    `running` is `evaluation.residuals.running_median(cases)`. customdata[0] of a point is its id.
    """
    figure = go.Figure()
    for _, last in list(AGE_BANDS.values())[:-1]:
        figure.add_vline(x=last, line={"dash": "dot", "width": 1, "color": style.LINE})
    figure.add_hline(y=0, line={"width": 1.5, "color": style.LINE})
    _add_points(figure, cases, cases["age_months"], cases["residual_months"], colour_by_sex)
    _add_running(figure, running)
    figure.update_xaxes(style.age_axis())
    figure.update_yaxes(title_text=style.RESIDUAL, dtick=24)
    style.finish(figure, "At which ages is the model wrong?", height=480)
    return figure.update_layout(dragmode="lasso")


def predicted_against_age(cases: pd.DataFrame) -> go.Figure:
    """Prediction against age, with the line on which both are the same and a year to each side."""
    figure = go.Figure()
    end = max(cases["age_months"].max(), cases["prediction_months"].max())
    figure.add_shape(
        type="path", path=f"M 0,{-_YEAR} L {end},{end - _YEAR} L {end},{end + _YEAR} L 0,{_YEAR} Z",
        fillcolor=style.BAND, line_width=0, layer="below", name="Within a year", showlegend=True,
    )  # fmt: skip
    _add_points(figure, cases, cases["age_months"], cases["prediction_months"])
    figure.add_scattergl(
        x=[0, end], y=[0, end], mode="lines", name="Prediction = reference",
        line={"width": 2, "color": palette.NEUTRAL}, hoverinfo="skip",
    )  # fmt: skip
    figure.update_xaxes(style.age_axis())
    figure.update_yaxes(style.age_axis("Predicted bone age (years)"))
    return style.finish(figure, "Do predictions follow the reference?", height=480)


def error_histogram(cases: pd.DataFrame, colour: str) -> go.Figure:
    """How many radiographs have which residual, in bins of 3 months; `colour` is "#rrggbb"."""
    bins = np.floor(cases["residual_months"] / style.BIN).astype(int).value_counts().sort_index()
    starts = bins.index * style.BIN
    figure = go.Figure()
    figure.add_vrect(
        x0=-_YEAR, x1=_YEAR, fillcolor=style.BAND, line_width=0, layer="below",
        name="Within a year", showlegend=True,
    )  # fmt: skip
    figure.add_bar(
        x=starts + style.BIN / 2, y=bins, width=style.BIN, showlegend=False,
        marker={"color": colour, "line": {"width": 0}},
        customdata=np.column_stack([starts, starts + style.BIN, 100 * bins / len(cases)]),
        hovertemplate="%{customdata[0]:+d} to %{customdata[1]:+d} months:"
        "<br>%{y:,d} radiographs (%{customdata[2]:.1f} %)<extra></extra>",
    )  # fmt: skip
    figure.add_vline(x=0, line={"width": 1.5, "color": style.LINE})
    figure.update_xaxes(title_text=style.RESIDUAL)
    figure.update_yaxes(title_text="Radiographs")
    return style.finish(figure, "How large are the errors?")


def cumulative_error(
    curve: pd.DataFrame, colour: str, marks: Sequence[float] = (0.5, 0.8, 0.95)
) -> go.Figure:
    """Which share of radiographs lies within which error.

    curve: `evaluation.residuals.cumulative_error(...)`; marks: shares in (0, 1] to point out, the
    first of which is the title (a mark stands at the least error that reaches its share);
    colour: "#rrggbb".
    """
    errors, shares = curve["error_months"].to_numpy(), curve["share"].to_numpy()
    marked = errors[np.searchsorted(shares, marks)]
    figure = go.Figure()
    figure.add_scatter(
        x=errors, y=100 * shares, mode="lines", line={"shape": "hv", "color": colour, "width": 2.5},
        hovertemplate="%{y:.1f} % within %{x:.1f} months<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=marked, y=100 * np.array(marks), mode="markers+text", textposition="bottom right",
        text=[f"{100 * s:.0f} %: {e:.1f} months" for s, e in zip(marks, marked, strict=True)],
        marker={"color": colour, "size": 9}, hoverinfo="skip",
    )  # fmt: skip
    # Leaves room for the words beside the last mark; past it, the curve has little to tell.
    figure.update_xaxes(title_text="Absolute error (months)", range=(0, 2.5 * marked.max()))
    figure.update_yaxes(title_text="Radiographs (%)", range=(0, 104))
    figure.update_layout(showlegend=False)
    title = f"{100 * marks[0]:.0f} % of the radiographs are read within {marked[0]:.1f} months"
    return style.finish(figure, title)


def residual_distributions(cases: pd.DataFrame) -> go.Figure:
    """A box for each age band and sex: quartiles, whiskers at 1.5 quartile ranges, outliers."""
    bands = [band for band in AGE_BANDS if (cases["age_band"] == band).any()]
    figure = go.Figure()
    figure.add_hline(y=0, line={"width": 1.5, "color": style.LINE})
    for sex in _sexes(cases):
        group = cases[cases["sex"] == sex]
        beside = -0.2 if sex == "female" else 0.2
        place = group["age_band"].astype(str).map(bands.index) + beside
        colour = palette.SEXES[sex]
        figure.add_box(
            x=place, y=group["residual_months"], width=0.34, name=style.GROUPS[sex],
            boxpoints="outliers", hoveron="points", text=group["id"],
            marker={"color": colour, "size": 3, "opacity": 0.6}, line={"width": 2},
            fillcolor=palette.faded(colour, 0.25),
            hovertemplate="Radiograph %{text}: %{y:+.0f} months<extra></extra>",
        )  # fmt: skip
        _add_box_words(figure, group, place)
    figure.update_xaxes(
        title_text=style.REFERENCE_AGE,
        tickvals=list(range(len(bands))),
        ticktext=[_years(band) for band in bands],
        showgrid=False,
    )
    figure.update_yaxes(title_text=style.RESIDUAL, dtick=24)
    figure.update_layout(boxmode="overlay", barmode="overlay")
    return style.finish(figure, "Who is read too old, who too young?", height=460)


def mae_heatmap(table: pd.DataFrame) -> go.Figure:
    """Mean absolute error, its interval and n for each age band and sex.

    `table` is `summarise(cases, by=["age_band", "sex"])`. A cell of fewer than FEW_CASES
    radiographs is not coloured by its error and says that they are few.
    """
    cells = table.pivot(index="age_band", columns="sex")
    few = cells["n"] < FEW_CASES
    figure = go.Figure()
    for values, shades in (
        (cells["mae"].mask(few), palette.ERROR_SHADES),
        (cells["mae"].where(few), (palette.FEW, palette.FEW)),
    ):
        figure.add_heatmap(
            x=values.columns.map(style.GROUPS), y=values.index.map(_years), z=values,
            zmin=0, zmax=table["mae"].max(), colorscale=shades, showscale=False,
            xgap=4, ygap=4, hoverinfo="skip",
        )  # fmt: skip
    # Not the text of the heatmap, whose colour Plotly chooses as if it lay on white.
    words = [_cell(row) for row in table.itertuples()]
    figure.add_scatter(
        x=table["sex"].map(style.GROUPS), y=table["age_band"].map(_years), mode="text", text=words,
        textfont_color=palette.INK, hoverinfo="skip",
    )  # fmt: skip
    figure.update_xaxes(title_text="Sex", showgrid=False, fixedrange=True)
    figure.update_yaxes(
        title_text=style.REFERENCE_AGE, autorange="reversed", showgrid=False, fixedrange=True
    )
    figure.update_layout(showlegend=False)
    title = "In which group is the error largest?"
    return style.finish(figure, title, height=120 + 76 * len(cells))


def bland_altman(cases: pd.DataFrame, agreement: Agreement) -> go.Figure:
    """Difference against mean of prediction and age, with bias and limits of agreement.

    J. M. Bland and D. G. Altman, Lancet 1986; 327:307-310. Bands are 95 % intervals of the lines.
    """
    figure = go.Figure()
    middle = (cases["age_months"] + cases["prediction_months"]) / 2
    _add_points(figure, cases, middle, cases["residual_months"])
    for title, value, (low, high), colour, anchor in (
        ("Upper", agreement.upper, agreement.upper_interval, palette.ERROR, "bottom"),
        ("Bias", agreement.bias, agreement.bias_interval, palette.MEAN, "middle"),
        ("Lower", agreement.lower, agreement.lower_interval, palette.ERROR, "top"),
    ):
        figure.add_hrect(y0=low, y1=high, fillcolor=palette.faded(colour, 0.3), line_width=0)
        figure.add_hline(y=value, line={"width": 2, "color": colour})
        figure.add_annotation(
            x=1, xref="paper", xanchor="left", y=value, yanchor=anchor, showarrow=False,
            align="left", text=f"{title}<br><b>{style.signed(value)}</b>",
        )  # fmt: skip
    figure.update_xaxes(style.age_axis("Mean of prediction and reference (years)"))
    figure.update_yaxes(title_text="Prediction − reference (months)", dtick=24)
    style.finish(figure, "How far off can a reading be?", height=480)
    return figure.update_layout(margin_r=52)  # the words beside the lines


def _sexes(cases: pd.DataFrame) -> list[str]:
    """Those there are, girls first."""
    return [sex for sex in style.GROUPS if (cases["sex"] == sex).any()]


def _add_points(
    figure: go.Figure, cases: pd.DataFrame, x: pd.Series, y: pd.Series, by_sex: bool = True
) -> None:
    """One WebGL trace a sex, or one of all; what a point says is in months and years."""
    words = np.column_stack(
        [
            cases["id"],
            cases["sex"],
            style.in_words(cases["age_months"], age_in_short),
            style.in_words(cases["prediction_months"], age_in_short),
            style.in_words(cases["residual_months"], style.residual_in_words),
        ]
    )
    if by_sex:
        traces = [
            (style.GROUPS[sex], cases["sex"] == sex, palette.SEXES[sex], _SHIFT[sex])
            for sex in _sexes(cases)
        ]
    else:
        traces = [("Radiographs", cases["sex"].notna(), palette.NEUTRAL, 0)]
    look = {"size": 4, "opacity": 0.6} if len(cases) > _MANY else {"size": 6, "opacity": 0.75}
    for name, shown, colour, shift in traces:
        figure.add_scattergl(
            x=x[shown] + shift, y=y[shown], mode="markers", name=name, customdata=words[shown],
            marker={"color": colour, **look},
            hovertemplate="<b>Radiograph %{customdata[0]}</b>, %{customdata[1]}"
            "<br>Reference %{customdata[2]}<br>Prediction %{customdata[3]}"
            "<br>%{customdata[4]}<extra></extra>",
        )  # fmt: skip


def _add_running(figure: go.Figure, running: pd.DataFrame) -> None:
    age = running["age_months"]
    figure.add_scattergl(
        x=[*age, *age[::-1]], y=[*running["lower_quartile"], *running["upper_quartile"][::-1]],
        mode="lines", name="Middle half", line={"width": 1, "color": palette.MEAN},
        fill="toself", fillcolor=palette.faded(palette.MEAN, 0.25), hoverinfo="skip",
    )  # fmt: skip
    said = style.in_words(running["median"], style.residual_in_words)
    figure.add_scattergl(
        x=age, y=running["median"], mode="lines", name="Running median",
        line={"width": 3, "color": palette.MEAN},
        customdata=np.column_stack([style.in_words(age, age_in_words), said]),
        hovertemplate="Median at %{customdata[0]}:<br>%{customdata[1]}<extra></extra>",
    )  # fmt: skip


def _add_box_words(figure: go.Figure, group: pd.DataFrame, place: pd.Series) -> None:
    """Invisible bars over the boxes, for Plotly's own words of a box leave out n."""
    quartiles = group.groupby(place)["residual_months"].describe()
    low, high = quartiles["25%"], quartiles["75%"]
    figure.add_bar(
        x=quartiles.index, base=low, y=high - low, width=0.34, opacity=0, showlegend=False,
        customdata=np.column_stack([quartiles["count"], quartiles["50%"], low, high]),
        hovertemplate="n = %{customdata[0]:,d}<br>Median %{customdata[1]:+.1f} months"
        "<br>Middle half %{customdata[2]:+.1f} to %{customdata[3]:+.1f}<extra></extra>",
    )  # fmt: skip


def _cell(row) -> str:
    """The words in one cell; the interval of a single case is undefined and left out."""
    interval = "" if np.isnan(row.mae_low) else f"{row.mae_low:.1f} to {row.mae_high:.1f}<br>"
    few = " (few)" if row.n < FEW_CASES else ""
    return f"<b>{row.mae:.1f} months</b><br>{interval}n = {row.n:,}{few}"


def _years(band: str) -> str:
    """An age band on an axis whose title says the unit."""
    return band.removesuffix(" years")
