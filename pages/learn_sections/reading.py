"""Reading one hand after another, with feedback after each where it is wanted."""

import pandas as pd
import streamlit as st

from boneage.quiz.quiz import N_HANDS, Quiz
from boneage.quiz.text import answer_against
from pages import shared
from pages.learn_sections.lesson import show_lesson
from pages.learn_sections.material import Material
from pages.viewer import show_image

A_HAND_OF = {"female": "a girl's hand", "male": "a boy's hand"}
INTRODUCTION = (
    f"Estimate the bone age of {N_HANDS} hands. Then compare your error, bias and limits of "
    "agreement with those of the models on the same hands. Your answers are not stored."
)

# Of the hand to be read: its share of the page's width, and of the window's height in hundredths,
# so that the whole hand and the question are seen at once.
COLUMNS, HEIGHT = (5, 6), 66

# Streamlit cannot move the focus. Not where it would open a keyboard on the screen.
FOCUS = st.components.v2.component(
    "focus_on_years",
    js="""
export default function ({ data, parentElement }) {
  if (parentElement.hand === data.hand || matchMedia("(pointer: coarse)").matches) return;
  parentElement.hand = data.hand;
  document.querySelector(".st-key-years input")?.focus({ preventScroll: true });
}
""",
)


def current_quiz(material: Material, number: int) -> Quiz:
    """The quiz that is going on; another material or number starts a new one."""
    state = st.session_state
    if state.get("quiz_of") != (material.key, number):
        state["quiz"] = Quiz.start(material.pool, seed=number)
        state["quiz_of"] = material.key, number
        state["looking_back"] = False
    return state["quiz"]


def ask(material: Material, game: Quiz, tell: bool, about: str) -> None:
    hand = game.hand
    number = len(game.answers) + 1
    left, right = st.columns(COLUMNS, gap="large")
    show_hand(left, material, hand, f"Hand {number} of {len(game.hands)}, {A_HAND_OF[hand['sex']]}")
    with right:
        show_progress(game, number, about)
        st.subheader(A_HAND_OF[hand["sex"]].capitalize(), anchor=False)
        with st.form("answer", border=False, clear_on_submit=True):
            with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
                years = st.number_input(
                    "Bone age: years", 0, shared.OLDEST_YEARS, None, key="years", width=170
                )
                months = st.number_input("and months", 0, 11, None, key="months", width=120)
            sent = st.form_submit_button("Submit", type="primary", icon=":material/check:")
        st.caption("Tab moves between the fields, Enter submits.")
        if number == 1:
            st.markdown(INTRODUCTION)
        else:  # the quiz is going on, so that it can go on without a mouse
            FOCUS(key="focus", data={"hand": number})
    if not sent:
        return
    if years is None and months is None:
        right.warning("Enter a bone age first.", icon=":material/edit:")
        return
    st.session_state["quiz"] = game.answered(12 * (years or 0) + (months or 0))
    st.session_state["looking_back"] = tell
    st.rerun()


def look_back(material: Material, game: Quiz, about: str) -> None:
    """The hand answered last, now with its age and what separates it from the answer."""
    case = game.cases().iloc[-1]
    number = len(game.answers)
    answer, reference = case["prediction_months"], case["reference_months"]
    left, right = st.columns(COLUMNS, gap="large")
    title, sentence = material.about(case)
    show_hand(left, material, case, f"Hand {number}: {title}")
    if sentence:
        left.caption(sentence)
    with right:
        show_progress(game, number, about)
        with st.container(
            horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
        ):
            st.subheader(title, anchor=False)
            st.button(
                "Show the result" if game.is_over else "Next hand",
                type="primary",
                icon=":material/arrow_forward:",
                on_click=st.session_state.update,
                kwargs={"looking_back": False},
                shortcut="Enter",
            )
        st.markdown(answer_against(answer, reference))
        show_lesson(case["sex"], answer, reference)


def show_progress(game: Quiz, number: int, about: str) -> None:
    st.progress(len(game.answers) / len(game.hands), f"Hand {number} of {N_HANDS}: {about}")


def show_hand(place, material: Material, hand: pd.Series, alt: str) -> None:
    show_image(material.image(hand), alt, f"hand {hand['id']}", height=HEIGHT, place=place)
