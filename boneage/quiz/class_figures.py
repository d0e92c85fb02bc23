"""The residuals of a class, case by case, beside those of the models."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from boneage.figures import palette, style
from boneage.formatting import age_in_short, residual_in_words
from boneage.quiz.class_results import residuals
from boneage.quiz.figures import reader_title

_ROW = 46  # pixels
# In rows: between dots of the same residual, and as far as they may spread.
_STEP, _SPREAD = 0.09, 0.36
_SYMBOLS = ("diamond", "square", "triangle-up", "cross")
_CHILD = {"female": "girl", "male": "boy"}


def residuals_by_case(
    hands: pd.DataFrame, answers: pd.DataFrame, models: pd.DataFrame
) -> go.Figure:
    """Residuals of every learner and model, a row a case, the youngest case lowest.

    Args:
        hands: the cases, columns sex and reference_months.
        answers: of one learner or more, see `boneage.quiz.class_results`.
        models: of `boneage.quiz.class_results.model_answers`.

    Returns:
        The figure.
    """
    order = hands["reference_months"].reset_index(drop=True).sort_values(kind="stable").index
    rows = pd.Series(range(len(hands)), index=answers.index[order])
    labels = [
        f"{answers.index[n]}: {_CHILD[hands['sex'].iloc[n]]}, "
        f"{age_in_short(hands['reference_months'].iloc[n])}"
        for n in order
    ]
    learners = _long(residuals(hands, answers), rows)
    learners["row"] += _offsets(learners)
    learners["reader"] = "learner " + learners["reader"]
    traces = [_points(learners, "Learners", palette.NEUTRAL, "circle", 9, opacity=0.8)]
    for number, name in enumerate(models):
        title, symbol = reader_title(name), _SYMBOLS[number % len(_SYMBOLS)]
        read = _long(residuals(hands, models[[name]]).dropna(), rows).assign(reader=title)
        traces.append(_points(read, title, palette.model_color(name), symbol, 12))
    reach = np.nanmax(np.abs([*learners["residual"], *residuals(hands, models).to_numpy().ravel()]))
    return style.chart(
        traces,
        "Residuals by case",
        # Labels that fit a telephone, beside those of the cases.
        style.residual_axis([reach]) | {"ticklabelstep": 2 if reach > 18 else 1},
        {
            "tickvals": list(range(len(hands))),
            "ticktext": labels,
            "range": (-0.6, len(hands) - 0.4),
        },
        height=130 + _ROW * len(hands),
        shapes=[style.line_at(x=0)],
    )


def _long(table: pd.DataFrame, rows: pd.Series) -> pd.DataFrame:
    """Columns reader, row and residual of a table with a row a case and a column a reader."""
    long = table.rename_axis("case").reset_index().melt("case", None, "reader", "residual")
    return long.assign(row=long["case"].map(rows).astype(float))


def _offsets(points: pd.DataFrame) -> pd.Series:
    """Rows up or down, so that dots of one residual lie side by side."""
    same = points.groupby(["case", "residual"])["reader"]
    n, place = same.transform("size"), same.cumcount()
    step = np.minimum(_STEP, 2 * _SPREAD / n)
    return (place - (n - 1) / 2) * step


def _points(
    points: pd.DataFrame, name: str, color: str, symbol: str, size: int, opacity: float = 1
) -> go.Scatter:
    said = points["residual"].map(residual_in_words)
    return go.Scatter(
        x=points["residual"], y=points["row"], mode="markers", name=name,
        marker={"color": color, "symbol": symbol, "size": size, "opacity": opacity},
        customdata=np.column_stack([points["case"], points["reader"], said]),
        hovertemplate="Hand %{customdata[0]}, %{customdata[1]}:<br>%{customdata[2]}<extra></extra>",
    )  # fmt: skip
