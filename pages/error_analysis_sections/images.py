"""Selected radiographs as images, with what the quality check and Grad-CAM say of them."""

import pandas as pd
import streamlit as st

from boneage import formatting
from boneage.datasets.challenge import RADIOGRAPHS, radiographs_folder
from boneage.datasets.labels import LabelError
from boneage.datasets.rsna import find_split_images
from boneage.errors import BoneAgeError
from boneage.figures import images, style
from pages import radiographs, shared
from pages.error_analysis_sections.selection import Choice

N_IMAGES = 8


def show_radiographs(choice: Choice, selected: pd.DataFrame) -> None:
    """The radiographs themselves, where this machine has them."""
    folder = radiographs_folder()
    if not folder:
        st.info(
            "To see the radiographs here, download the RSNA Pediatric Bone Age data, name its "
            f"folder in the environment variable {RADIOGRAPHS} and start the app again.",
            icon=":material/image_search:",
        )
        return
    try:
        files = find_split_images(folder, choice.split, selected["id"])
    except LabelError as error:
        shared.show_error(error)
        return
    cases = selected[selected["id"].isin(files)].head(N_IMAGES)
    if cases.empty:
        st.info(f"None of the selected radiographs is in {folder}.", icon=":material/image_search:")
        return
    map_of = choose_map(choice.models)
    if len(cases) < len(selected):
        st.caption(f"The {len(cases)} radiographs with the largest error:")
    with st.grid(4, min_column_width=150, gap="small"):
        for case in cases.itertuples():
            show_radiograph(case, files[case.id].read_bytes(), map_of)


def choose_map(models: list[str]) -> str | None:
    """The model whose Grad-CAM to lay over the radiographs; None for the bare ones."""
    if not models:
        return None
    return st.segmented_control(
        "Grad-CAM overlay",
        models,
        format_func=style.model_title,
        key="map_of",
        help="The models load in the background when the app starts.",
    )


def show_radiograph(case, content: bytes, map_of: str | None) -> None:
    try:
        source = radiographs.file_source(case.id, case.id, content)
        image, refusal = radiograph(source, case.sex, map_of)
    except BoneAgeError as error:
        shared.show_error(error)
        return
    read, predicted = map(formatting.age_in_short, (case.reference_months, case.prediction_months))
    caption = f"{case.id}, {case.sex}: reference {read}, prediction {predicted}"
    if refusal:
        caption += f". Refused by the quality check ({refusal.kind}): prediction not reliable"
    st.image(
        image,
        caption=caption,
        width="stretch",
        alt=f"Radiograph {case.id}",
    )


def radiograph(source: radiographs.Source, sex: str, map_of: str | None) -> tuple:
    """(image, what the quality check says of it)."""
    weights = radiographs.published_weights()
    prediction = radiographs.predict(weights, source.digest, sex, source.content)
    shown = radiographs.opened(weights, source.digest, source.content).shown
    if map_of is None:
        return shown.pixels, prediction.refusal
    explanation = radiographs.explain(weights, source.digest, sex, map_of, source.content)
    place = prediction.prepared[map_of].to_radiograph
    image = images.map_on_radiograph(shown, place, explanation.gradcam, opacity=0.6)
    return image, prediction.refusal
