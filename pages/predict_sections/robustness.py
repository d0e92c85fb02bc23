"""Robustness of one prediction: the radiograph is changed with sliders and predicted again."""

from dataclasses import replace

import streamlit as st

from boneage.figures import cards, images
from boneage.inference.predictor import Prediction
from boneage.radiographs.limits import UnreadableRadiograph
from boneage.robustness.stress import (
    CHANGES,
    UNCHANGED,
    Stressed,
    predict_stressed,
    within_size,
)
from boneage.robustness.stress_figure import stress_curve, stressed_in_words
from pages.predict_sections.local_calibration import calibrated
from pages.radiographs import Source, Weights, hand_pixels, load_predictor
from pages.shared import chart, show_error

SHOWN_SIDE = 420  # pixels of the longer side
Degrees = tuple[float, ...]  # of CHANGES, in their order


@st.fragment  # a slider redraws this part, and nothing else of the page
def show_robustness(weights: Weights, source: Source, sex: str, level: float) -> None:
    st.header("Robustness of this prediction", anchor=False)
    section = st.expander(
        "Change the radiograph and predict it again",
        key="robustness",
        icon=":material/tune:",
        on_change="rerun",
    )
    if section.open:
        with section:
            show_stress(weights, source, sex, level)


def show_stress(weights: Weights, source: Source, sex: str, level: float) -> None:
    degrees = ask_for_changes(source)
    answer, curve = st.container(), st.container()
    unchanged = stressed(weights, source, sex, tuple(UNCHANGED.values()))
    with answer:
        try:
            found = stressed(weights, source, sex, degrees)
        except UnreadableRadiograph as error:
            show_error(error)
        else:
            show_stressed(found, calibrated(unchanged.prediction), level)
    with curve:
        show_curve(weights, source, sex, degrees, calibrated(unchanged.prediction), level)


def ask_for_changes(source: Source) -> Degrees:
    def follow(name: str) -> None:
        st.session_state["stress-along"] = name

    def key(name: str) -> str:
        return f"stress-{name}-{source.key}-{source.frame}"

    def reset() -> None:
        st.session_state.update({key(name): value for name, value in UNCHANGED.items()})

    with st.grid(4, min_column_width=200, gap="small"):
        for name, change in CHANGES.items():
            st.session_state.setdefault(key(name), change.unchanged)
            st.select_slider(
                change.title,
                change.positions,
                format_func=change.in_words,
                key=key(name),
                help=change.about,
                on_change=follow,
                args=(name,),
                # A box that the user drew would no longer lie on the hand.
                disabled=change.moves and source.frame is not None,
            )
    st.button("Reset", on_click=reset, key="stress-reset", icon=":material/restart_alt:")
    return tuple(st.session_state[key(name)] for name in CHANGES)


def show_stressed(found: Stressed, unchanged: Prediction, level: float) -> None:
    prediction = calibrated(found.prediction)
    if prediction.refusal:
        st.html(cards.refused_age_cards(prediction.model_ages, prediction.ensemble_months))
    else:
        intervals = prediction.intervals(level)
        st.html(
            cards.age_cards(prediction.model_ages, prediction.ensemble_months, intervals, level)
        )
    st.markdown(stressed_in_words(prediction, unchanged))
    crop = next(iter(prediction.prepared.values())).image
    with st.container(horizontal=True, gap="medium"):
        st.image(
            found.pixels,
            caption="Changed radiograph",
            alt="Changed radiograph",
            width=200,
        )
        st.image(crop, caption="Model input", alt="Model input, changed", width=200)


def show_curve(
    weights: Weights,
    source: Source,
    sex: str,
    degrees: Degrees,
    unchanged: Prediction,
    level: float,
) -> None:
    """Along the slider moved last; drawn when it is complete, while sliders can be moved on."""
    along = st.selectbox(
        "Bone age along",
        list(CHANGES),
        format_func=lambda name: CHANGES[name].title,
        key="stress-along",
        width=320,
    )
    place, change, at = st.empty(), CHANGES[along], list(CHANGES).index(along)
    found: dict[float, Prediction | None] = {}
    for number, position in enumerate(change.positions):
        # Also where the script is interrupted when a slider moves.
        place.progress(number / len(change.positions), "Predicting along the slider")
        try:
            there = stressed(weights, source, sex, (*degrees[:at], position, *degrees[at + 1 :]))
            found[position] = calibrated(there.prediction)
        except UnreadableRadiograph:
            found[position] = None
    with place.container():
        chart(
            stress_curve(change, found, degrees[at], unchanged, level),
            alt=f"Bone age along the slider {change.title}",
            key="stress-curve",
        )
        st.caption(
            "The other changes as set above. Bars: prediction intervals. Dotted line: unchanged "
            "radiograph. Upright line: the slider."
        )


def stressed(weights: Weights, source: Source, sex: str, degrees: Degrees) -> Stressed:
    """Raises UnreadableRadiograph."""
    return _stressed(weights, source.digest, source.hand, source.frame, sex, degrees, source)


@st.cache_resource(show_spinner=False, max_entries=128)
def _stressed(
    weights: Weights, digest: str, hand, frame, sex: str, degrees: Degrees, _source: Source
) -> Stressed:
    pixels = hand_pixels(weights, _source)
    if frame is None:  # whose box is in pixels of the whole film
        pixels = within_size(pixels)
    changes = dict(zip(CHANGES, degrees, strict=True))
    found = predict_stressed(load_predictor(weights), pixels, sex, changes, frame)
    return replace(found, pixels=images.reduce(found.pixels, SHOWN_SIDE).pixels)
