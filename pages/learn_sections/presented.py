"""Learn on a projector: one hand of the set after the other, its bone age behind a key."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from boneage.atlas.ossification import separating_events, stage
from boneage.quiz import text as quiz_text
from boneage.quiz.quiz import Quiz
from pages import presentation
from pages.learn_sections.lesson import show_standards
from pages.learn_sections.material import Material
from pages.learn_sections.reading import A_HAND_OF
from pages.viewer import show_image

HAND_HEIGHT = 78  # of the window, in hundredths
PAIR_WIDTH = 560  # pixels
YEAR = 12  # months
NOTHING_TO_PRESENT = "There are no hands to present: press Esc and choose or upload some."


def present(material: Material, game: Quiz, about: str, keys: DeltaGenerator) -> None:
    """The hands of the quiz; what is answered on the page itself stays as it is.

    keys: of `presentation.bar`.
    """
    state = st.session_state
    ids = list(game.hands["id"])
    now = state.get("presented_hand")
    case = now if now in ids else ids[0]
    is_shown = presentation.step_through(
        ids, case, lambda to: state.update(presented_hand=to), "bone age", place=keys
    )
    hand = game.hands.iloc[ids.index(case)]
    whose = A_HAND_OF[hand["sex"]].capitalize()
    left, right = st.columns(2, gap="large")
    alt = material.about(hand)[0] if is_shown else whose
    show_image(material.image(hand), alt, f"presented {case}", height=HAND_HEIGHT, place=left)
    with right:
        st.caption(about)
        if not is_shown:
            st.title(whose, anchor=False)
            st.subheader("What is the bone age?", anchor=False)
            return
        st.title(material.about(hand)[0], anchor=False)
        show_neighbors(hand["sex"], hand["reference_months"])


def show_neighbors(sex: str, months: int) -> None:
    """What tells a bone age from those a year younger and older."""
    ages = {"A year younger": max(0, months - YEAR), "A year older": months + YEAR}
    events = separating_events(sex, *ages.values())
    show_standards(sex, ages, events, PAIR_WIDTH)
    st.markdown(quiz_text.what_separates(sex, *ages.values(), events))
    now = stage(sex, months)
    st.markdown(f"**{now.title}:** {now.look}")
