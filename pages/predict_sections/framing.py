"""A box around the hand, drawn by the user where the hand was not found or is wrongly framed."""

from dataclasses import replace

import streamlit as st

from boneage.figures.viewer import Framing
from boneage.inference.predictor import Prediction
from boneage.radiographs.manual_frame import ManualFrame
from pages.radiographs import Source, film
from pages.viewer import ask_for_box


def framed(source: Source) -> Source:
    """The source with the box that the user drew on it, if any."""
    return replace(source, frame=_frames().get(source.key))


def mark_manual(source: Source) -> None:
    if source.frame:
        st.badge("Manually framed", icon=":material/crop_rotate:", color="blue")


def show_framing(source: Source, prediction: Prediction) -> None:
    """Offer to draw the box, at once where no hand was found."""
    no_hand = prediction.refusal is not None and prediction.hand.landmarks is None
    if not st.toggle(
        "Wrongly framed? Frame the hand yourself",
        value=no_hand or source.frame is not None,
        key=f"framing-{source.key}",
        persist_state="session",
    ):
        return
    st.markdown(
        "Rotate the film until the fingers point up. Then move or resize the box, or draw a new "
        "one beside it: around all fingertips and the ends of radius and ulna, with little room. "
        "Keys: arrows move the box, Shift with arrows resizes it."
    )
    shown = film(source.digest, source.content)
    framing = Framing.around(prediction.hand, shown, is_manual=source.frame is not None)
    ask_for_box(shown, framing, f"frame {source.key}", lambda answer: _keep(source.key, answer))


def _keep(key: str, answer: dict) -> None:
    if answer["box"]:
        _frames()[key] = ManualFrame(tuple(map(float, answer["box"])), float(answer["rotation"]))
    else:
        _frames().pop(key, None)


def _frames() -> dict[str, ManualFrame]:
    return st.session_state.setdefault("frames", {})
