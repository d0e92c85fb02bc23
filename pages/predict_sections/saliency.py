"""Saliency maps of one radiograph: Grad-CAM of every model, and CBAM attention."""

import streamlit as st

from boneage.explain.explanation import Explanation
from boneage.explain.overlay import stretch
from boneage.explain.text import ABOUT_GRADCAM, gradcam_direction
from boneage.figures import cards, images, palette
from boneage.figures.channels import channel_bars
from boneage.models.registry import find_model
from pages.predict_sections.sanity_checks import show_checks
from pages.radiographs import Source, Weights, explain, opened, predict
from pages.shared import PLOT
from pages.viewer import show_image

CROP, RADIOGRAPH = "Model input", "Radiograph"


@st.fragment  # the slider redraws the maps, and nothing else of the page
def show_maps(weights: Weights, source: Source, sex: str) -> None:
    prediction = predict(weights, source.digest, sex, source.content, source.hand, source.frame)
    st.header("Saliency maps", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        place = st.segmented_control(
            "Show on",
            (CROP, RADIOGRAPH),
            default=CROP,
            required=True,
            key="place",
            bind="query-params",
        )
        opacity = st.slider(
            "Opacity", 0, 100, 60, 5, format="%d%%", key="opacity", width=260, bind="query-params"
        )
    st.html(cards.map_legend("low influence", "high influence", opacity / 100))

    def image(name: str, values):
        prepared = prediction.prepared[name]
        if place == CROP:
            return images.map_on_crop(prepared.image, values, opacity / 100)
        shown = opened(weights, source.digest, source.content, source.hand, source.frame).shown
        return images.map_on_radiograph(shown, prepared.to_radiograph, values, opacity / 100)

    with st.spinner("Computing saliency maps."):
        explanations = {
            name: explain(
                weights, source.digest, sex, name, source.content, source.hand, source.frame
            )
            for name in prediction.months
        }
    st.subheader("Grad-CAM", anchor=False)
    st.caption(ABOUT_GRADCAM)
    for column, (name, explanation) in zip(
        st.columns(max(2, len(explanations)), gap="medium"), explanations.items(), strict=False
    ):
        with column:
            st.html(cards.model_heading(name))
            show_image(
                image(name, explanation.gradcam),
                f"Grad-CAM of {find_model(name).title}",
                f"grad-cam {source.key} {name} {place}",
                gradcam_direction(explanation.direction),
            )
    show_checks(weights, prediction)
    for name, explanation in explanations.items():
        if explanation.spatial:
            show_attention(name, explanation, image)


def show_attention(name: str, explanation: Explanation, image) -> None:
    title = find_model(name).title
    st.subheader("CBAM attention", anchor=False)
    st.html(cards.model_heading(name))
    st.caption(
        "Spatial attention weights of each stage, at high resolution in early and low resolution "
        "in late stages; each map is scaled to its own range. Attention weights features within "
        "the network and does not by itself explain the prediction."
    )
    with st.grid(4, min_column_width=150, gap="small"):
        for stage, values in explanation.spatial.items():
            st.image(
                image(name, stretch(values)),
                caption=f"Stage {stage}",
                width="stretch",
                alt=f"Spatial attention of stage {stage} of {title}",
            )
    st.markdown("**Channel attention**")
    st.caption("Attention weight (0 to 1) of each channel, sorted within its stage.")
    st.plotly_chart(
        channel_bars(explanation.channel, palette.model_color(name)),
        config=PLOT,
        alt="Channel attention of each stage",
    )
