"""Reading one hand after another, with feedback after each where it is wanted."""

import pandas as pd
import streamlit as st

from boneage.atlas.ossification import SOURCES, STAGES_SOURCE, stage
from boneage.formatting import as_plain_markdown
from boneage.quiz.quiz import Quiz
from boneage.quiz.text import answer_against
from pages import shared
from pages.learn_sections.material import Material
from pages.viewer import show_image

A_HAND_OF = {"female": "a girl's hand", "male": "a boy's hand"}

# Of the hand to be read: its share of the page's width, and of the window's height in hundredths,
# so that the whole hand and the question are seen at once.
COLUMNS, HEIGHT = (5, 6), 60


def current_quiz(material: Material, number: int) -> Quiz:
    """The quiz that is going on; another material or number starts a new one."""
    state = st.session_state
    if state.get("quiz_of") != (material.key, number):
        state["quiz"] = Quiz.start(material.pool, seed=number)
        state["quiz_of"] = material.key, number
        state["looking_back"] = False
    return state["quiz"]


def ask(material: Material, game: Quiz, tell: bool) -> None:
    hand = game.hand
    number = len(game.answers) + 1
    st.progress((number - 1) / len(game.hands), f"Hand {number} of {len(game.hands)}")
    left, right = st.columns(COLUMNS, gap="large")
    show_hand(left, material, hand, f"Hand {number} of {len(game.hands)}, {A_HAND_OF[hand['sex']]}")
    with right:
        st.subheader(A_HAND_OF[hand["sex"]].capitalize(), anchor=False)
        with st.form("answer", border=False, clear_on_submit=True):
            with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
                years = st.number_input(
                    "Bone age: years", 0, shared.OLDEST_YEARS, None, key="years", width=170
                )
                months = st.number_input("and months", 0, 11, None, key="months", width=120)
            sent = st.form_submit_button("Submit", type="primary", icon=":material/check:")
        st.caption("Tab moves between the fields, Enter submits.")
    if not sent:
        return
    if years is None and months is None:
        right.warning("Enter a bone age first.", icon=":material/edit:")
        return
    st.session_state["quiz"] = game.answered(12 * (years or 0) + (months or 0))
    st.session_state["looking_back"] = tell
    st.rerun()


def look_back(material: Material, game: Quiz) -> None:
    """The hand answered last, now with its age."""
    case = game.cases().iloc[-1]
    number = len(game.answers)
    st.progress(number / len(game.hands), f"Hand {number} of {len(game.hands)}")
    left, right = st.columns(COLUMNS, gap="large")
    title, sentence = material.about(case)
    show_hand(left, material, case, f"Hand {number}: {title}")
    with right:
        st.subheader(title, anchor=False)
        said = answer_against(case["prediction_months"], case["reference_months"])
        st.markdown(f"{sentence} {said}")
        now = stage(case["sex"], case["reference_months"])
        st.markdown(f"**{now.title}:** {now.look}")
        st.button(
            "Show the result" if game.is_over else "Next hand",
            type="primary",
            icon=":material/arrow_forward:",
            on_click=st.session_state.update,
            kwargs={"looking_back": False},
            shortcut="Enter",
        )
        st.caption(f"Indicators of maturity after {as_plain_markdown(SOURCES[STAGES_SOURCE])}")


def show_hand(place, material: Material, hand: pd.Series, alt: str) -> None:
    show_image(material.image(hand), alt, f"hand {hand['id']}", height=HEIGHT, place=place)
