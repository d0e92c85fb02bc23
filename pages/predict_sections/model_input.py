"""The radiograph with its crop box, beside the preprocessed image that the models get."""

from collections.abc import Sequence

import streamlit as st

from boneage.figures import images
from boneage.inference.predictor import Prediction
from boneage.quality.checks import NO_HAND
from boneage.radiographs.hand import Hand
from boneage.radiographs.text import hand_found, hand_found_short, prepared_hand


def show_hand(
    prediction: Prediction,
    shown: images.ShownRadiograph,
    input_sizes: set[int],
    others: Sequence[Hand] = (),
) -> None:
    """Others: further hands on the film, whose boxes are drawn thin."""
    st.header("Model input", anchor=False)
    if not (prediction.refusal and prediction.refusal.kind == NO_HAND):
        st.markdown(hand_found(prediction.hand.method))
    if prediction.source.inverted:
        st.markdown("The image had black bones on a white background and was inverted.")
    height, width = shown.pixels.shape
    # Beside a square crop, this gives both images one height.
    left, right = st.columns([min(max(width / height, 0.5), 1.5), 1], gap="medium")
    left.image(
        images.with_hand_box(shown, prediction.hand, others),
        caption="Radiograph with the crop box" + ("; thin: the other hand" if others else ""),
        width="stretch",
        alt="Radiograph with the crop box",
    )
    crop = next(iter(prediction.prepared.values())).image
    right.image(
        crop,
        caption=prepared_hand(len(crop), input_sizes),
        width="stretch",
        output_format="PNG",
        alt="Preprocessed image of the hand",
    )
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
