"""Ages of one hand, with their intervals, on a line from birth to maturity."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from boneage.figures import palette, style
from boneage.formatting import age_in_short, age_in_words
from boneage.models.registry import ENSEMBLE

_MATURE = 228.0  # months: 19 years, past which no hand of the atlas changes
_ROW = 48  # pixels


def age_line(
    months: Mapping[str, float],
    mean: float,
    chronological_age: float | None = None,
    intervals: Mapping[str, tuple[float, float]] | None = None,
) -> go.Figure:
    """A row for the mean and one for each model, across them the chronological age when known.

    Args:
        months: model name -> bone age in months.
        mean: of the models, months.
        chronological_age: months, or None.
        intervals: model name, or "ensemble" for the mean -> prediction interval (low, high) in
            months.

    Returns:
        The figure.
    """
    intervals = intervals or {}
    rows = {ENSEMBLE: mean, **months} if len(months) > 1 else dict(months)
    figure = go.Figure()
    marked = []
    for row, (name, age) in enumerate(rows.items()):
        on_row = [age, *intervals.get(name, ())]
        _add_row(figure, row, name, age, intervals.get(name))
        _add_words(figure, row, f"{style.model_title(name)}: <b>{age_in_short(age)}</b>", on_row)
        marked += on_row
    if chronological_age is not None:
        _add_chronological_age(figure, chronological_age, len(rows))
        marked.append(chronological_age)
    start = min(-6.0, *(age - 12 for age in marked))
    end = max(_MATURE, *(age + 12 for age in marked))
    years = [year for year in range(int(start // 12), int(end // 12) + 1) if year % 2 == 0]
    figure.update_xaxes(
        range=(start, end), tickvals=[12 * year for year in years],
        ticktext=[f"{year} y" for year in years], tickangle=0, tickfont={"size": 11},
        showgrid=True, gridcolor=style.GRID, zeroline=False, ticks="outside", fixedrange=True,
    )  # fmt: skip
    figure.update_yaxes(range=(len(rows) - 0.6, -0.8), visible=False, fixedrange=True)
    figure.update_layout(
        height=_ROW * len(rows) + 56, margin={"l": 4, "r": 4, "t": 22, "b": 28},
        hovermode="closest", showlegend=False,
    )  # fmt: skip
    return figure


def _add_row(
    figure: go.Figure, row: int, name: str, age: float, interval: tuple[float, float] | None
) -> None:
    title, color = style.model_title(name), palette.model_color(name)
    words = age_in_words(age)
    if interval:
        low, high = interval
        figure.add_scatter(
            x=[low, high], y=[row, row], mode="lines", hoverinfo="skip",
            name=f"{title}, prediction interval",
            line={"color": palette.faded(color, 0.45), "width": 8 if row else 12},
        )  # fmt: skip
        words += f"<br>Interval {age_in_short(low)} to {age_in_short(high)}"
    figure.add_scatter(
        x=[age], y=[row], mode="markers", name=title,
        marker={"color": color, "size": 13 if row else 18, "line": {"width": 1, "color": "white"},
                "symbol": "diamond" if name == ENSEMBLE else "circle"},
        hovertemplate=f"{title}: {words}<extra></extra>",
    )  # fmt: skip


def _add_words(figure: go.Figure, row: int, words: str, marked: Sequence[float]) -> None:
    """Above the row, from its first mark to the right or from its last to the left."""
    young = min(marked) + max(marked) < _MATURE
    figure.add_annotation(
        x=min(marked) if young else max(marked), xanchor="left" if young else "right",
        y=row, yanchor="bottom", yshift=11, text=words, font={"size": 12 if row else 14},
        showarrow=False,
    )  # fmt: skip


def _add_chronological_age(figure: go.Figure, age: float, n_rows: int) -> None:
    """A mark on every row, and its words above them."""
    color = palette.CHRONOLOGICAL_AGE
    figure.add_scatter(
        x=[age] * n_rows, y=list(range(n_rows)), mode="markers", name="Chronological age",
        marker={"symbol": "line-ns-open", "size": 14, "color": color,
                "line": {"width": 3, "color": color}},
        hovertemplate=f"Chronological age: {age_in_words(age)}<extra></extra>",
    )  # fmt: skip
    figure.add_annotation(
        x=age, xanchor="left" if age < _MATURE / 2 else "right", y=1, yref="paper",
        yanchor="bottom", text=f"Chronological age: <b>{age_in_short(age)}</b>",
        font={"size": 12}, showarrow=False,
    )  # fmt: skip
