"""Predict on a projector: one radiograph after the other, its bone age behind a key."""

import streamlit as st

from boneage.formatting import as_plain_markdown
from boneage.growth.entries import age_from
from boneage.inference.conformal import LEVEL
from pages import presentation
from pages.predict_sections.answer import show_ages, show_cautions
from pages.predict_sections.local_calibration import calibrated, name_calibration
from pages.predict_sections.several import find_hands
from pages.predict_sections.upload import chosen_sample, take_sample
from pages.radiographs import (
    Source,
    Weights,
    film,
    load_predictor,
    predict,
    show_fault,
    show_notes,
)
from pages.samples import CHILD, sample_source, samples
from pages.viewer import show_image

FILM_HEIGHT = 78  # of the window, in hundredths


def present(weights: Weights) -> None:
    """The radiographs uploaded on the page before, or else the samples."""
    state = st.session_state
    uploaded = state.get("uploads_shown")
    if uploaded:
        cases = find_hands(weights, uploaded)
        now = state.get("presented")
    else:
        cases = [sample_source(name) for name in samples()]
        now = chosen_sample()
    by_key = {case.key: case for case in cases}
    case = by_key.get(now, cases[0])

    def go(key: str) -> None:
        state["presented"] = key
        if not uploaded:
            take_sample(key)

    if not uploaded:
        take_sample(case.key)
    is_shown = presentation.step_through(list(by_key), case.key, go, "bone age")
    sex, age = sex_and_age(case, alone=len(uploaded or ()) == 1)
    if not show_fault(case):
        radiograph, answer = st.columns([2, 3], gap="large")
        with radiograph:
            shown = film(case.digest, case.content)
            show_image(shown, "Radiograph", f"presented {case.key}", height=FILM_HEIGHT)
        with answer:
            st.title(CHILD[case.sex] if case.about else as_plain_markdown(case.title), anchor=False)
            if sex is None:
                ask_for_sex(case.key)
            elif is_shown:
                show_bone_age(weights, case, sex, age)
            else:
                st.subheader("What is the bone age?", anchor=False)


def sex_and_age(case: Source, alone: bool) -> tuple[str | None, float | None]:
    """What was entered on the page before, or what the file states; the age in months."""
    state = st.session_state
    if case.about:
        return case.sex, None
    entered = state.get("sexes", {}).get(case.key)
    if alone:
        age = age_from(state.get("age_years"), state.get("age_months"))
        return entered or state.get("sex") or case.sex, age
    return (
        entered or case.sex or state.get("sex"),
        state.get("ages", {}).get(case.key, case.given_age),
    )


def ask_for_sex(key: str) -> None:
    sexes = st.session_state.setdefault("sexes", {})
    st.info("The file does not state the sex. Press F or M.", icon=":material/keyboard:")
    with st.container(horizontal=True):
        for sex in ("female", "male"):
            presentation.key_button(sex.capitalize(), sex[0].upper(), sexes.__setitem__, (key, sex))


def show_bone_age(weights: Weights, case: Source, sex: str, age: float | None) -> None:
    load_predictor(weights)
    prediction = calibrated(predict(weights, case.digest, sex, case.content, case.hand, case.frame))
    if prediction.refusal and case.key not in st.session_state.get("forced", ()):
        st.warning(
            f"**No bone age for this image.** {prediction.refusal.reason}",
            icon=":material/block:",
        )
        return
    show_ages(prediction, st.session_state.get("level", LEVEL))
    name_calibration(prediction)
    show_cautions(prediction, age)
    show_notes(case, prediction)
