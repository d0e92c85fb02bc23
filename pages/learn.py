"""Learn: read ten hands, then compare the error with that of the models and human readers."""

import streamlit as st

from boneage.errors import BoneAgeError
from boneage.quiz.class_file import CaseSet
from boneage.quiz.quiz import N_HANDS
from pages import shared
from pages.learn_sections.class_results import show_class
from pages.learn_sections.material import MATERIALS, STANDARDS, choose, material_of
from pages.learn_sections.reading import ask, current_quiz, look_back
from pages.learn_sections.result import show_result
from pages.learn_sections.standard_predictions import show_standard_predictions


def main() -> None:
    st.title("How well do you read bone age?", anchor=False)
    st.markdown(
        f"Estimate the bone age of {N_HANDS} hands. Then compare your error, bias and limits of "
        "agreement with those of the models on the same hands. Your answers are not stored."
    )
    try:
        chosen, number, tell = choose()
        material = material_of(chosen)
        if material is None:
            return
        game = current_quiz(material, number)
        case_set = CaseSet(MATERIALS[chosen], number)
        if st.session_state["looking_back"]:
            look_back(material, game)
        elif game.is_over:
            show_result(material, game, case_set)
        else:
            ask(material, game, tell)
        st.caption(" ".join(material.notes))
        if chosen == STANDARDS:
            show_standard_predictions()
        show_class(material, game.hands, case_set)
    except BoneAgeError as error:
        shared.show_error(error)


main()
