"""The image viewer on a page: zoom, brightness and contrast of a radiograph or a map."""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from boneage.figures import viewer
from boneage.figures.viewer import Framing, ViewedImage
from boneage.radiographs.hand import Hand

VIEWER = st.components.v2.component("image_viewer", **viewer.VIEWER)


def show_image(
    image: np.ndarray | ViewedImage,
    alt: str,
    key: str,
    caption: str = "",
    hands: Sequence[Hand] = (),
    height: int = 75,
    place=st,
) -> None:
    """An image that can be zoomed; see `viewer_data`."""
    shown = image if isinstance(image, ViewedImage) else viewer.picture(image)
    data = viewer.viewer_data(shown, alt, key, caption, hands, height)
    with place.container():
        VIEWER(key=_widget(key), data=data)


def ask_for_box(
    film: ViewedImage, framing: Framing, key: str, answer: Callable[[dict], None]
) -> None:
    """Let the user frame the hand.

    answer: called with "box" (left, top, right, bottom in pixels of the rotated film, or None for
    the automatic one) and "rotation" (degrees clockwise).
    """
    data = viewer.viewer_data(
        film, "Radiograph to frame the hand on", key, height=60, framing=framing
    )
    widget = _widget(key)
    VIEWER(key=widget, data=data, on_frame_change=lambda: answer(st.session_state[widget]["frame"]))


def _widget(key: str) -> str:
    # Names of files are part of keys, and may hold what Streamlit keeps for itself.
    return hashlib.sha256(key.encode()).hexdigest()[:16]
