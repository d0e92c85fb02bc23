"""The result of a learner as a file for the class."""

import streamlit as st

from boneage.quiz.class_file import CaseSet, reader_code, write_answers
from boneage.quiz.class_text import ABOUT_FILE
from boneage.quiz.quiz import Quiz


def download_result(game: Quiz, case_set: CaseSet) -> None:
    """The answers under a random code; the same answers keep it, so that nobody counts twice."""
    state, answers = st.session_state, (case_set, game.answers)
    if state.get("reader_of") != answers:
        state["reader_of"], state["reader"] = answers, reader_code()
    reader = state["reader"]
    st.download_button(
        "Download for the class",
        write_answers(game.cases(), case_set, reader),
        file_name=f"bone_age_set_{case_set.number}_{reader}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        help=ABOUT_FILE,
    )
    st.caption(f"Your code: {reader}", width="content")
