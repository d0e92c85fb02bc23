"""How a training went, epoch by epoch."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from boneage.figures import palette, style

# Title of each chart -> columns of a history, each with what the legend adds to the model's title
# and how the line is dashed. Huber's loss is in months², for errors large and small.
_CHARTS = {
    "Loss<br>(months²)": {"val_loss": (", validation", "solid"), "loss": (", training", "dot")},
    "Validation MAE<br>(months)": {"val_mae": (", validation", "solid")},
    "Learning rate<br>(per step)": {"learning_rate": ("", "solid")},
}
# The first epochs err many times as much as the last, which are to be told apart as well.
_LOGARITHMIC = {
    "type": "log",
    # Plotly's own ticks between powers of ten lack their zeros.
    "tickvals": [digit * 10**power for power in range(5) for digit in (1, 2, 5)],
}
_EVERY_EPOCH = 10  # trainings as short as this have a tick at each of them


def training_curves(histories: Mapping[str, pd.DataFrame]) -> go.Figure:
    """Loss and validation MAE, both on a logarithmic scale, and learning rate below each other.

    Each model has its color. A chart without a line is left out.

    Args:
        histories: registry name -> its history, one row an epoch, with the column epoch and any of
            loss, val_loss (months²), val_mae (months), learning_rate.

    Returns:
        The figure.
    """
    columns = {column for history in histories.values() for column in history}
    charts = {title: lines for title, lines in _CHARTS.items() if columns & lines.keys()}
    figure = make_subplots(len(charts), 1, shared_xaxes=True, vertical_spacing=0.06)
    for row, (title, lines) in enumerate(charts.items(), start=1):
        scale = {"rangemode": "tozero"} if "learning_rate" in lines else _LOGARITHMIC
        figure.update_yaxes(title_text=title, exponentformat="none", row=row, **scale)
        for name, history in histories.items():
            for column in [column for column in lines if column in history]:
                added, dash = lines[column]
                figure.add_scatter(
                    x=history["epoch"], y=history[column], mode="lines+markers",
                    name=style.model_title(name) + added, showlegend=row == 1,
                    line={"color": palette.model_color(name), "dash": dash, "width": 2},
                    marker={"size": 4}, row=row, col=1,
                    hovertemplate="Epoch %{x}: %{y:,.4~g}<extra>%{fullData.name}</extra>",
                )  # fmt: skip
    last = max(history["epoch"].max() for history in histories.values())
    # Left alone, Plotly marks half epochs of a short training.
    figure.update_xaxes(dtick=1 if last <= _EVERY_EPOCH else None)
    figure.update_xaxes(title_text="Epoch", row=len(charts))
    return style.finish(figure, "Training and validation curves", height=120 + 170 * len(charts))
