"""The radiograph with its crop box, beside the preprocessed image that the models get."""

import streamlit as st

from boneage.figures import images
from boneage.inference.predictor import Prediction
from boneage.quality.checks import NO_HAND
from boneage.radiographs.text import hand_found, prepared_hand


def show_hand(prediction: Prediction, shown: images.ShownRadiograph, input_sizes: set[int]) -> None:
    st.header("Model input", anchor=False)
    if not (prediction.refusal and prediction.refusal.kind == NO_HAND):
        st.markdown(hand_found(prediction.hand.method))
    if prediction.source.inverted:
        st.markdown("The image had black bones on a white background and was inverted.")
    height, width = shown.pixels.shape
    # Beside a square crop, this gives both images one height.
    left, right = st.columns([min(max(width / height, 0.5), 1.5), 1], gap="medium")
    left.image(
        images.with_hand_box(shown, prediction.hand),
        caption="Radiograph with the crop box",
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
