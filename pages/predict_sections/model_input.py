"""The radiograph with its crop box, beside the preprocessed image that the models get."""

import streamlit as st

from boneage.inference.predictor import Prediction
from boneage.quality.checks import NO_HAND
from boneage.radiographs.text import hand_found, hand_found_short, prepared_hand
from pages.predict_sections.framing import show_framing
from pages.radiographs import Source, Weights, film, opened
from pages.viewer import show_image


def show_hand(
    weights: Weights, source: Source, prediction: Prediction, input_sizes: set[int]
) -> None:
    st.header("Model input", anchor=False)
    if not (prediction.refusal and prediction.refusal.kind == NO_HAND):
        st.markdown(hand_found(prediction.hand.method))
    if prediction.source.inverted:
        st.markdown("The image had black bones on a white background and was inverted.")
    shown = film(source.digest, source.content)
    others = opened(weights, source.digest, source.content, source.hand, source.frame).others
    # Beside a square crop, this gives both images one height.
    left, right = st.columns([min(max(shown.width / shown.height, 0.5), 1.5), 1], gap="medium")
    show_image(
        shown,
        "Radiograph with the crop box",
        f"film {source.key}",
        "Radiograph with the crop box" + ("; thin: the other hand" if others else ""),
        hands=(prediction.hand, *others),
        place=left,
    )
    crop = next(iter(prediction.prepared.values())).image
    show_image(
        crop,
        "Preprocessed image of the hand",
        f"input {source.key}",
        prepared_hand(len(crop), input_sizes),
        place=right,
    )
    show_framing(source, prediction)
    if prediction.source.info:
        show_file(prediction)


def show_file(prediction: Prediction) -> None:
    """How the file was read."""
    rows = [
        *prediction.source.info.rows,
        ("Hand detection", hand_found_short(prediction.hand.method)),
    ]
    with st.expander("About this file"):
        st.table(dict(rows), border="horizontal")
