"""The models in short: training, bias, and what the quality check was measured on."""

import streamlit as st

from boneage import artifacts
from boneage.datasets.challenge import CITATION
from boneage.figures import cards
from boneage.inference import results
from boneage.inference.text import bias_on_test
from boneage.quality import text as quality_text
from boneage.quality.checks import ALL, UNLIKE
from pages.radiographs import Weights


def about_the_models(weights: Weights) -> None:
    with st.expander("About these models", icon=":material/info:"):
        for name, _ in weights:
            folder = artifacts.model_folder(name)
            facts = artifacts.read_facts(folder)
            mirror = ""
            if facts.mirrored:
                mirror = "It predicts the mean over the image and its mirror image. "
            st.html(cards.model_heading(name))
            bias = results.stated_bias(artifacts.read_metrics(folder))
            st.markdown(
                f"{facts.architecture} {facts.parameters:,} parameters. {facts.training_note} "
                f"{mirror}Training set: {facts.n_train:,} radiographs; finished "
                f"{facts.trained_on}. {bias_on_test(bias) if bias else ''}"
            )
        if measured := quality_check_measured():
            st.caption(measured)
        st.caption(f"Data: RSNA Pediatric Bone Age Challenge 2017. {CITATION}")


def quality_check_measured() -> str | None:
    table = artifacts.read_quality_check_table()
    if table is None:
        return None
    far = table[(table["group"] == UNLIKE) & (table["kind"] == ALL)]
    if far.empty:
        return None
    columns = ["n", "sources", "refused", "low", "high"]
    return quality_text.quality_check_measured(*far[columns].iloc[0].tolist())
