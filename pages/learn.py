"""Learn: read ten hands, then compare the error with that of the models and human readers.

With `?present=1` the same hands for a projector, see `pages.presentation`.
"""

import streamlit as st

from boneage.errors import BoneAgeError
from boneage.quiz.class_file import CaseSet
from pages import shared
from pages.learn_sections.ages import choose_ages, of_ages
from pages.learn_sections.class_results import show_class
from pages.learn_sections.material import MATERIALS, STANDARDS, choose, material_of
from pages.learn_sections.presented import NOTHING_TO_PRESENT, present
from pages.learn_sections.reading import ask, current_quiz, look_back
from pages.learn_sections.result import show_result
from pages.learn_sections.standard_predictions import show_standard_predictions
from pages.presentation import bar, is_presenting, present_button

# What is chosen there stays only while it is on the page.
UNSEEN = """
<style>
:has(> .st-key-learn-header), :has(> .st-key-learn-files) { display: none; }
</style>
"""


def main() -> None:
    keys = None
    if is_presenting():
        keys = bar()
        st.html(UNSEEN)
    with st.container(key="learn-header", horizontal=True, vertical_alignment="center"):
        st.title("How well do you read bone age?", anchor=False)
        # Out of the way, so that a projector shows a whole hand and the question.
        settings = st.popover("Cases", icon=":material/tune:")
        present_button()
    try:
        with settings:
            chosen, number, tell = choose()
            ages = choose_ages()
        with st.container(key="learn-files"):
            material = material_of(chosen)
        if material is None:
            if keys:
                st.info(NOTHING_TO_PRESENT, icon=":material/info:")
            return
        material = of_ages(material, ages)
        case_set = CaseSet(MATERIALS[chosen], number, *(ages or ()))
        about = str(case_set)
        game = current_quiz(material, number)
        if keys:
            present(material, game, about, keys)
            return
        if st.session_state["looking_back"]:
            look_back(material, game, about)
        elif game.is_over:
            show_result(material, game, case_set)
        else:
            ask(material, game, tell, about)
        st.caption(" ".join(material.notes))
        if chosen == STANDARDS:
            show_standard_predictions()
        show_class(material, game.hands, case_set)
    except BoneAgeError as error:
        shared.show_error(error)


main()
