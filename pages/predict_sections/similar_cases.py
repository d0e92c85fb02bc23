"""How the ensemble did on the validation radiographs that it predicts most like this one."""

import pandas as pd
import streamlit as st

from boneage import artifacts
from boneage.datasets.challenge import radiographs_folder
from boneage.datasets.rsna import find_split_images
from boneage.errors import BoneAgeError
from boneage.figures import images
from boneage.formatting import age_in_short
from boneage.inference.ensemble import ensemble_table
from boneage.inference.predictor import Prediction
from boneage.radiographs.reading import read_radiograph
from boneage.similar_cases.similar import error_correlation, find_similar
from boneage.similar_cases.text import about_correlation, similar_in_words
from pages.radiographs import Weights, load_predictor
from pages.shared import show_error

N_SHOWN, N_IMAGES, SHOWN_SIDE = 10, 4, 400


@st.fragment  # opening it redraws nothing else of the page
def show_similar(weights: Weights, prediction: Prediction) -> None:
    section = st.expander(
        "Errors on similar validation radiographs",
        key="similar",
        icon=":material/group:",
        on_change="rerun",
    )
    if not section.open:
        return
    with section:
        cases, correlation = validation_cases(weights)
        found = find_similar(prediction, cases)
        if found is None:
            st.caption("These models have too few validation radiographs to compare with.")
            return
        st.markdown(similar_in_words(found))
        if correlation:
            st.caption(about_correlation(correlation))
        nearest = found.cases.head(N_SHOWN)
        show_table(nearest)
        show_images(nearest.head(N_IMAGES))


@st.cache_resource(show_spinner=False, max_entries=2)
def validation_cases(weights: Weights) -> tuple:
    """Predictions of the ensemble, and how well errors of similar cases tell the own one."""
    tables = {name: artifacts.read_predictions(artifacts.model_folder(name)) for name, _ in weights}
    cases = ensemble_table(tables, load_predictor(weights).weights)
    return cases, error_correlation(cases)


def show_table(cases: pd.DataFrame) -> None:
    ages = {name: cases[f"{name}_months"].map(age_in_short) for name in ("reference", "prediction")}
    st.dataframe(
        pd.DataFrame({"id": cases["id"], **ages, "residual": cases["residual_months"]}),
        hide_index=True,
        column_config={
            "id": st.column_config.TextColumn("Radiograph", pinned=True),
            "reference": st.column_config.TextColumn("Reference bone age"),
            "prediction": st.column_config.TextColumn("Predicted bone age"),
            "residual": st.column_config.NumberColumn("Residual, months", format="%+.1f"),
        },
        alt="The most similar validation radiographs",
    )


def show_images(cases: pd.DataFrame) -> None:
    """The radiographs themselves, where this machine has them."""
    folder = radiographs_folder()
    if not folder:
        return
    try:
        files = find_split_images(folder, "validation", cases["id"])
        with st.grid(4, min_column_width=150, gap="small"):
            for case in cases[cases["id"].isin(files)].itertuples():
                pixels = read_radiograph(files[case.id]).pixels
                st.image(
                    images.reduce(pixels, SHOWN_SIDE).pixels,
                    caption=f"{case.id}: reference {age_in_short(case.reference_months)}",
                    width="stretch",
                    alt=f"Radiograph {case.id}",
                )
    except BoneAgeError as error:
        show_error(error)
