"""Sanity checks of the saliency maps: occlusion and weight randomization."""

import streamlit as st

from boneage import artifacts
from boneage.evaluation.metrics import age_band
from boneage.inference.predictor import Prediction
from boneage.models.registry import find_model
from boneage.sanity_checks import figures, text
from boneage.sanity_checks.regions import bone_regions
from pages.radiographs import Weights, load_predictor
from pages.shared import PLOT


def show_checks(weights: Weights, prediction: Prediction) -> None:
    """Sanity checks of the maps at this age; nothing where these models were not checked."""
    facts = load_predictor(weights).facts
    occlusion = artifacts.read_saliency(artifacts.OCCLUSION, facts)
    randomization = artifacts.read_saliency(artifacts.RANDOMIZATION, facts)
    checked = set(occlusion["model"]) & set(randomization["model"])
    titles = {name: find_model(name).title for name, _ in weights if name in checked}
    if not titles:
        return
    band = age_band([max(0, prediction.ensemble_months)])[0]
    st.markdown(text.in_short(occlusion, randomization, band, titles))
    with st.expander("Sanity checks of the saliency maps", icon=":material/fact_check:"):
        st.markdown("**Occlusion: which bones does the prediction depend on?**")
        groups = list(occlusion["group"].unique())
        group = st.segmented_control(
            "Age",
            groups,
            default=band,
            required=True,
            format_func=str.capitalize,
            key=f"occlusion-{band}",
        )
        left, right = st.columns([3, 2], gap="medium")
        left.plotly_chart(
            figures.region_differences(occlusion, group),
            config=PLOT,
            alt="Change of the prediction by blurring each region, minus that of its control",
        )
        with right:
            show_regions(prediction)
        for sentence in text.occlusion_results(occlusion, group, titles):
            st.markdown(sentence)
        st.caption(text.ABOUT_OCCLUSION)
        st.markdown("**Weight randomization: do the maps change when weights are randomized?**")
        for sentence in text.randomization_results(randomization, titles):
            st.markdown(sentence)
        st.plotly_chart(
            figures.similarity_by_stage(randomization),
            config=PLOT,
            alt="Rank correlation of Grad-CAM with the original map as weights are randomized",
        )
        st.caption(text.ABOUT_RANDOMIZATION)


def show_regions(prediction: Prediction) -> None:
    """The regions on this hand, where its landmarks were found."""
    prepared = next(iter(prediction.prepared.values()))
    if prepared.hand.landmarks is None:
        return
    st.image(
        figures.outlined_regions(prepared.image, bone_regions(prepared)),
        caption="Regions on this hand, derived from its landmarks",
        width="stretch",
        alt="The hand with its regions outlined",
    )
    st.html(figures.region_legend())
