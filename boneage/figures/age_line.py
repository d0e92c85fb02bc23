"""Ages of one hand on a line from birth to maturity."""

from collections.abc import Mapping

import plotly.graph_objects as go

from boneage.figures import palette
from boneage.models.registry import find_model
from boneage.wording import age_in_short, age_in_words

_MATURE = 228.0  # months: 19 years, past which no hand of the atlas changes


def age_line(
    months: Mapping[str, float], mean: float, chronological_age: float | None = None
) -> go.Figure:
    """Bone age of each model, their mean and, when known, the chronological age.

    months: model name -> bone age in months; mean and chronological_age in months.
    """
    figure = go.Figure()
    ages = [*months.values(), mean, *([] if chronological_age is None else [chronological_age])]
    low, high = min(months.values()), max(months.values())
    figure.add_shape(
        type="rect", x0=low, x1=high, y0=-0.16, y1=0.16, line_width=0,
        fillcolor=palette.faded(palette.MEAN, 0.25), layer="below",
    )  # fmt: skip
    for name, age in months.items():
        title = find_model(name).title
        _mark(figure, title, age, palette.model_colour(name), symbol="circle", size=13)
    if chronological_age is not None:
        _mark(
            figure, "Chronological age", chronological_age, palette.CHRONOLOGICAL_AGE,
            symbol="line-ns-open", size=26, line_width=3,
        )  # fmt: skip
    if len(months) > 1:
        _mark(figure, "Mean", mean, palette.MEAN, symbol="diamond", size=19)
    _label(figure, mean, palette.MEAN if len(months) > 1 else None)
    start, end = min(-6.0, *(age - 12 for age in ages)), max(_MATURE, *(age + 12 for age in ages))
    years = [year for year in range(int(start // 12), int(end // 12) + 1) if year % 2 == 0]
    figure.update_xaxes(
        range=(start, end), tickvals=[12 * year for year in years],
        ticktext=[f"{year} y" for year in years], showgrid=False, zeroline=False,
        ticks="outside", fixedrange=True,
    )  # fmt: skip
    figure.update_yaxes(
        range=(-0.5, 1.0), visible=False, showgrid=False, zeroline=False, fixedrange=True
    )
    figure.add_hline(y=0, line_width=2, line_color=palette.faded(palette.CHRONOLOGICAL_AGE, 0.5),
                     layer="below")  # fmt: skip
    figure.update_layout(
        height=150, margin={"l": 4, "r": 4, "t": 4, "b": 4}, hovermode="closest",
        legend={"orientation": "h", "x": 0, "y": -0.45, "yanchor": "top", "itemclick": False,
                "itemdoubleclick": False},
    )  # fmt: skip
    return figure


def _mark(figure: go.Figure, title: str, age: float, colour: str, line_width=1, **marker) -> None:
    line = {"width": line_width, "color": colour if line_width > 1 else "white"}
    figure.add_scatter(
        x=[age], y=[0], mode="markers", name=title,
        marker={"color": colour, "line": line, **marker},
        hovertemplate=f"{title}: {age_in_words(age)}<extra></extra>",
    )  # fmt: skip


def _label(figure: go.Figure, age: float, colour: str | None) -> None:
    figure.add_annotation(
        x=age, y=0.3, text=f"<b>{age_in_short(age)}</b>", showarrow=False, yanchor="bottom",
        font={"size": 15, **({"color": colour} if colour else {})},
    )  # fmt: skip
