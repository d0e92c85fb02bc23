"""How image changes affect the error.

`table` is that of `evaluation.robustness.robustness_table`.
"""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from boneage.figures import palette, style
from boneage.robustness.perturbations import CLEAN, PERTURBATIONS

TOO_MUCH = 2  # times the error on the clean images

_APART = 0.22  # rows between the models on one row


def error_ratios(table: pd.DataFrame) -> go.Figure:
    """How many times the clean error every model makes on changed images; a row a change."""
    shown = table[table["perturbation"] != CLEAN]
    changes = shown["perturbation"].unique().tolist()
    models = shown["model"].unique().tolist()
    least, most = shown["ratio_low"].min(), max(TOO_MUCH, shown["ratio_high"].max())
    traces = [
        go.Scatter(
            x=[ratio, ratio], y=[-1, len(changes)], mode="lines", name=words, hoverinfo="skip",
            line={"width": 2, "color": style.LINE, "dash": dash},
        )
        for ratio, dash, words in ((1, "solid", "Unchanged"), (TOO_MUCH, "dot", "MAE doubled"))
    ]  # fmt: skip
    for number, model in enumerate(models):
        rows = shown[shown["model"] == model]
        beside = _APART * (number - (len(models) - 1) / 2)
        traces.append(_ratios(model, rows, rows["perturbation"].map(changes.index) + beside))
    return style.chart(
        traces, _finding(shown), height=150 + 44 * len(changes),
        x=style.titled(
            "MAE, changed ÷ unchanged image", range=(least - 0.05, most + 0.05), fixedrange=True
        ),
        y={
            "tickvals": list(range(len(changes))),
            "ticktext": [PERTURBATIONS[change].title for change in changes],
            "range": (len(changes) - 0.5, -0.5), "fixedrange": True,
        },
    )  # fmt: skip


def _finding(shown: pd.DataFrame) -> str:
    beyond = shown.loc[shown["ratio"] > TOO_MUCH, "perturbation"].nunique()
    if not beyond:
        return f"MAE ratio by image change: none above {TOO_MUCH}"
    n = shown["perturbation"].nunique()
    return f"MAE ratio by image change: {beyond} of {n} above {TOO_MUCH}"


def _ratios(model: str, rows: pd.DataFrame, place: pd.Series) -> go.Scatter:
    ratio = rows["ratio"]
    bars = style.error_bars(ratio, rows["ratio_low"], rows["ratio_high"], width=3)
    changes = [rows[f"change{end}"].map(style.signed) for end in ("", "_low", "_high")]
    return go.Scatter(
        x=ratio, y=place, error_x=bars, mode="markers", name=style.model_title(model),
        marker={"color": palette.model_color(model), "size": 9},
        customdata=np.column_stack([rows["mae"], *changes]),
        hovertemplate="MAE ratio %{x:.2f}: MAE %{customdata[0]:.1f} months,<br>"
        "difference %{customdata[1]} (95% CI %{customdata[2]} to %{customdata[3]})"
        "<extra>%{fullData.name}</extra>",
    )  # fmt: skip
