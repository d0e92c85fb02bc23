"""The bone age of one radiograph along a change of the image, as a chart and in a sentence."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from boneage.figures import palette, style
from boneage.formatting import age_in_short, age_in_words, duration_in_words, nearest_month
from boneage.inference.predictor import Prediction
from boneage.robustness.stress import Change

_TICKS = ((36, 6), (96, 12), (float("inf"), 24))  # months shown, at most -> months between ticks
_MARGIN = 3  # months above and below


def stress_curve(
    change: Change,
    along: Mapping[float, Prediction | None],
    value: float,
    unchanged: Prediction,
    level: float,
) -> go.Figure:
    """The bone age at every position of a change, with prediction intervals of the ensemble.

    Args:
        change: what changes along the axis.
        along: position -> prediction; None where too little was left of the image.
        value: the position that is set.
        unchanged: the prediction of the radiograph as it is.
        level: of the prediction intervals, in 0..1.

    Returns:
        The figure. Positions stand side by side, whatever lies between them. Crosses mark what the
        quality check refuses.
    """
    positions = list(along)
    names = list(unchanged.ages) if len(unchanged.months) > 1 else list(unchanged.months)
    main = names[-1]
    traces = [_ages(along, name, level if name == main else None) for name in names]
    traces += _refused(along, main)
    shown = [found for found in [unchanged, *along.values()] if found]
    ages = [age for found in shown for age in found.ages.values()]
    ages += [end for found in shown for end in found.interval(main, level) or ()]
    low, high = min(ages) - _MARGIN, max(ages) + _MARGIN
    return style.chart(
        traces,
        f"{change.title}: bone age at every position",
        x={
            "tickvals": list(range(len(positions))),
            "ticktext": [_tick(change, position) for position in positions],
            "range": (-0.5, len(positions) - 0.5), "fixedrange": True,
        },
        y=_age_axis(low, high),
        shapes=[
            style.line_at(y=unchanged.ages[main], dash="dot"),
            style.line_at(x=positions.index(value)),
        ],
    )  # fmt: skip


def stressed_in_words(found: Prediction, unchanged: Prediction) -> str:
    """One sentence on what the change does to the bone age and to the quality check.

    Args:
        found: of the changed radiograph.
        unchanged: of the radiograph as it is.
    """
    before, after = unchanged.ensemble_months, found.ensemble_months
    apart = nearest_month(after) - nearest_month(before)
    title = "Ensemble" if len(found.months) > 1 else "Bone age"
    said = f"{title} {age_in_words(after)}: "
    if apart:
        direction = "higher" if apart > 0 else "lower"
        said += f"{duration_in_words(apart)} {direction} than on the unchanged radiograph."
    else:
        said += "the same as on the unchanged radiograph, to the nearest month."
    if found.refusal:
        return f"{said} **Refused by the quality check.** {found.refusal.reason}"
    return f"{said} Passed by the quality check."


def _tick(change: Change, position: float) -> str:
    return "none" if position == 100 and change.apply is None else change.in_words(position)


def _age_axis(low: float, high: float) -> dict:
    step = next(step for reach, step in _TICKS if high - low <= reach)
    ticks = range(0, 361, step)
    return style.titled(
        "Bone age", tickvals=list(ticks), ticktext=[age_in_short(month) for month in ticks],
        range=(low, high), fixedrange=True,
    )  # fmt: skip


def _ages(along: Mapping[float, Prediction | None], name: str, level: float | None) -> go.Scatter:
    """The bone ages by one model, with prediction intervals where a level is given."""
    ages = pd.Series([found.ages[name] if found else None for found in along.values()], dtype=float)
    look = {}
    if level is not None:
        ends = [(found and found.interval(name, level)) or (None, None) for found in along.values()]
        low, high = pd.DataFrame(ends, dtype=float).T.to_numpy()
        look["error_y"] = style.error_bars(ages, low, high, width=5)
    main = level is not None
    return go.Scatter(
        x=list(range(len(ages))), y=ages, mode="lines+markers", name=style.model_title(name),
        line={"color": palette.model_color(name), "width": 3 if main else 1.5},
        marker={"size": 8 if main else 5}, zorder=2 if main else 1,
        customdata=ages.map(age_in_words, na_action="ignore"),
        hovertemplate="%{customdata}<extra>%{fullData.name}</extra>", **look,
    )  # fmt: skip


def _refused(along: Mapping[float, Prediction | None], name: str) -> list[go.Scatter]:
    points = [
        (place, found.ages[name], found.refusal.kind)
        for place, found in enumerate(along.values())
        if found and found.refusal
    ]
    if not points:
        return []
    x, y, kinds = zip(*points, strict=True)
    return [
        go.Scatter(
            x=x, y=y, mode="markers", name="Refused by the quality check", customdata=kinds,
            marker={"symbol": "x", "size": 12, "color": palette.ERROR}, zorder=3,
            hovertemplate="Refused: %{customdata}<extra></extra>",
        )
    ]  # fmt: skip
