"""Images beside each other in one figure, as a notebook shows them."""

import base64
from collections.abc import Mapping

import cv2
import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from boneage.figures import style


def gallery(images: Mapping[str, np.ndarray], title: str, height: int = 320) -> go.Figure:
    """A row of images, each below its caption.

    Args:
        images: caption -> (H, W) uint8 gray or (H, W, 3) uint8 RGB, each of its own size.
        title: of the figure.
        height: of the figure in pixels.

    Returns:
        The figure.
    """
    figure = make_subplots(1, len(images), subplot_titles=list(images), horizontal_spacing=0.02)
    for column, image in enumerate(images.values(), start=1):
        figure.add_image(source=_data_uri(image), hoverinfo="skip", row=1, col=column)
    figure.update_annotations(font_size=13)
    style.finish(figure, title, height)
    figure.update_xaxes(visible=False, fixedrange=True)
    figure.update_yaxes(visible=False, fixedrange=True, constraintoward="top")
    return figure.update_layout(margin_t=figure.layout.margin.t + 26)  # room for the captions


def _data_uri(image: np.ndarray) -> str:
    blue_first = image if image.ndim == 2 else image[..., ::-1]
    png = cv2.imencode(".png", blue_first)[1]
    return f"data:image/png;base64,{base64.b64encode(png.tobytes()).decode()}"
