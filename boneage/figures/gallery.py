"""Pictures beside each other in one figure, as a notebook shows them."""

import base64
from collections.abc import Mapping

import cv2
import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from boneage.figures import style


def gallery(pictures: Mapping[str, np.ndarray], title: str, height: int = 320) -> go.Figure:
    """A row of pictures, each below its caption.

    Args:
        pictures: caption -> (H, W) uint8 grey or (H, W, 3) uint8 RGB, each of its own size.
        title: of the figure.
        height: of the figure in pixels.

    Returns:
        The figure.
    """
    figure = make_subplots(1, len(pictures), subplot_titles=list(pictures), horizontal_spacing=0.02)
    for column, picture in enumerate(pictures.values(), start=1):
        figure.add_image(source=_data_uri(picture), hoverinfo="skip", row=1, col=column)
    figure.update_annotations(font_size=13)
    style.finish(figure, title, height)
    figure.update_xaxes(visible=False, fixedrange=True)
    figure.update_yaxes(visible=False, fixedrange=True, constraintoward="top")
    return figure.update_layout(margin_t=figure.layout.margin.t + 26)  # room for the captions


def _data_uri(picture: np.ndarray) -> str:
    blue_first = picture if picture.ndim == 2 else picture[..., ::-1]
    png = cv2.imencode(".png", blue_first)[1]
    return f"data:image/png;base64,{base64.b64encode(png.tobytes()).decode()}"
