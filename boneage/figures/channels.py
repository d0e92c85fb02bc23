"""Channel attention as small bar charts."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots


def channel_bars(weights: Mapping[int, np.ndarray], color: str) -> go.Figure:
    """One small chart a stage: its channels from the most to the least weighted.

    Args:
        weights: CBAM stage -> (C,) channel attention in [0, 1]; at least one stage.
        color: of the bars, "#rrggbb".

    Returns:
        The figure.
    """
    titles = [f"Stage {stage}: {len(channels)} channels" for stage, channels in weights.items()]
    rows = (len(weights) + 1) // 2
    figure = make_subplots(
        rows, 2, subplot_titles=titles, shared_yaxes=True,
        vertical_spacing=0.2, horizontal_spacing=0.06,
    )  # fmt: skip
    for number, channels in enumerate(weights.values()):
        order = np.argsort(channels)[::-1]
        figure.add_bar(
            x=np.arange(1, len(channels) + 1), y=channels[order], customdata=order,
            marker={"color": color, "line": {"width": 0}},
            hovertemplate="Channel %{customdata}: %{y:.2f}<extra></extra>",
            row=number // 2 + 1, col=number % 2 + 1,
        )  # fmt: skip
    figure.update_yaxes(range=(0, 1), tickvals=[0, 0.5, 1], zeroline=False, fixedrange=True)
    figure.update_xaxes(showticklabels=False, showgrid=False, zeroline=False, fixedrange=True)
    figure.update_annotations(font_size=13)
    figure.update_layout(
        height=150 * rows + 20, bargap=0, showlegend=False,
        margin={"l": 4, "r": 4, "t": 28, "b": 4},
    )  # fmt: skip
    return figure
