"""Predict: the bone age of a radiograph from every model, with saliency maps."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from boneage.case_report.content import Child
from boneage.errors import BoneAgeError
from boneage.figures import cards
from boneage.formatting import as_plain_markdown, counted
from boneage.inference.conformal import LEVEL
from boneage.radiographs.text import ABOUT_BOTH_HANDS
from pages.predict_sections.about_models import about_the_models
from pages.predict_sections.answer import (
    choose_level,
    show_ages,
    show_cautions,
    show_intervals,
)
from pages.predict_sections.atlas_comparison import show_average_hand
from pages.predict_sections.framing import mark_manual, show_framing
from pages.predict_sections.growth import show_meaning
from pages.predict_sections.local_calibration import (
    calibrated,
    choose_calibration,
    name_calibration,
)
from pages.predict_sections.model_input import show_hand
from pages.predict_sections.presented import present
from pages.predict_sections.report import show_report
from pages.predict_sections.robustness import show_robustness
from pages.predict_sections.saliency import show_maps
from pages.predict_sections.several import find_hands, show_several
from pages.predict_sections.similar_cases import show_similar
from pages.predict_sections.upload import (
    ask_about_the_child,
    choose_sources,
    clear,
    offer_samples,
    with_labels,
)
from pages.presentation import is_presenting, present_button
from pages.radiographs import (
    Source,
    Weights,
    ask_for_sex,
    load_predictor,
    opened,
    predict,
    published_weights,
    show_fault,
    show_notes,
    show_refusal,
)
from pages.shared import show_error

NOT_FOR_DIAGNOSIS = (
    ":material/school: For teaching and research. "
    "**Not a medical device; not for diagnosis or treatment.**"
)
ABOUT_CLEAR = "Forget the radiographs and what was entered about them."


def introduction() -> None:
    st.markdown(
        "Neural networks estimate skeletal maturity from a radiograph of the hand. "
        "Saliency maps show which regions the estimate depends on."
    )


def show_one(
    weights: Weights, source: Source, sex: str, age: float | None, level: float | None = None
) -> None:
    """Everything on one radiograph; the level of the intervals is asked unless it is given."""
    load_predictor(weights)
    with st.spinner("Finding the hand and predicting."):
        prediction = calibrated(
            predict(weights, source.digest, sex, source.content, source.hand, source.frame)
        )
    name = source.title if source.about else as_plain_markdown(source.title)
    st.header(f"Bone age: {name}", anchor=False)
    mark_manual(source)
    answer = st.container()  # first, so that it is seen without scrolling
    show_notes(source, prediction)
    child = Child(age)
    if not prediction.refusal:
        show_cautions(prediction, age)
        level = level or choose_level(weights)
        with answer:
            show_ages(prediction, level)
        show_intervals(weights, prediction, age, level)
        if age is not None:
            child = show_meaning(prediction, age, level, source.digest)
    elif show_refusal(weights, source, prediction):
        st.html(cards.refused_age_cards(prediction.model_ages, prediction.ensemble_months))
        name_calibration(prediction)
    else:
        show_framing(source, prediction)
        return
    for note in load_predictor(weights).notes:
        st.caption(note)
    input_sizes = {facts.build["input_size"] for facts in load_predictor(weights).facts.values()}
    show_hand(weights, source, prediction, input_sizes)
    if not prediction.refusal:
        known = opened(weights, source.digest, source.content, source.hand, source.frame)
        show_average_hand(
            prediction, f"{source.digest} {source.hand} {source.frame}", known.to_compare
        )
        show_similar(weights, prediction)
    show_report(weights, source, prediction, child, level or LEVEL)
    show_maps(weights, source, sex)
    show_robustness(weights, source, sex, level or LEVEL)


def show_all(
    weights: Weights,
    sources: list[Source],
    default_sex: str | None,
    labels: pd.DataFrame | None,
) -> None:
    """The table of several radiographs, then everything on the one chosen in it."""
    st.header(f"Bone age of {counted(len(sources), 'file')}", anchor=False)
    level = choose_level(weights)
    hands = find_hands(weights, sources)
    if len(hands) > len(sources):
        st.info(ABOUT_BOTH_HANDS, icon=":material/info:")
    if chosen := show_several(weights, hands, default_sex, level, labels):
        show_one(weights, *chosen, level)


def show_both_hands(weights: Weights, hands: list[Source], sex: str, age: float | None) -> None:
    """The table of both hands on one film, then everything on the one chosen in it."""
    st.header("Bone age of both hands", anchor=False)
    st.info(ABOUT_BOTH_HANDS, icon=":material/info:")
    level = choose_level(weights)
    # What was asked for counts, whatever the header says.
    hands = [replace(hand, given_sex=sex, given_age=age) for hand in hands]
    if chosen := show_several(weights, hands, sex, level):
        show_one(weights, *chosen, level)


def main() -> None:
    if is_presenting():
        try:
            present(published_weights())
        except BoneAgeError as error:
            show_error(error)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Bone age from a hand radiograph", anchor=False)
        present_button()
        to_clear = st.container(width="content")
    before = st.container()
    left, right = st.columns([3, 2], gap="large")
    with left:
        sources, labels = choose_sources()
        sex, age = ask_about_the_child(sources)
        if labels is not None:
            sources = with_labels(sources, labels)
        choose_calibration()
    with right:
        offer_samples(with_images=not sources)
    if sources:
        to_clear.button("Clear", on_click=clear, icon=":material/close:", help=ABOUT_CLEAR)
    else:
        with before:
            introduction()
    before.markdown(NOT_FOR_DIAGNOSIS)
    # For the presentation, where nothing is uploaded.
    st.session_state["uploads_shown"] = [source for source in sources if not source.about]
    try:
        weights = published_weights()
        if len(sources) > 1 or (sources and labels is not None):
            show_all(weights, sources, sex, labels)
        elif sources and not show_fault(sources[0]):
            if sex is None:
                ask_for_sex()
            elif len(hands := find_hands(weights, sources)) > 1:
                show_both_hands(weights, hands, sex, age)
            else:
                show_one(weights, hands[0], sex, age)
        about_the_models(weights)
    except BoneAgeError as error:
        show_error(error)


main()
