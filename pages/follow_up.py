"""Follow-up: bone ages of several radiographs of one child over time."""

import streamlit as st

from boneage.errors import BoneAgeError
from pages.follow_up_sections.child import ask_about_the_child, choose_files
from pages.follow_up_sections.correction import correct, rows_of
from pages.follow_up_sections.course import download, show_course
from pages.radiographs import ask_for_sex, published_weights
from pages.shared import show_error


def main() -> None:
    st.title("Follow-up of one child", anchor=False)
    st.markdown(
        "Bone age against chronological age over time, with prediction intervals, SD for age and "
        "sex, and the rate of maturation. For teaching and research; not for diagnosis or "
        "treatment. Nothing is stored: download the course as a CSV file to continue it later."
    )
    try:
        files = choose_files()
        sex, birth = ask_about_the_child(files)
        if not files.sources and not files.readings:
            return
        if sex is None:
            ask_for_sex()
            return
        rows = rows_of(published_weights(), files, sex, birth)
        course = st.container()
        readings, table = correct(rows, sex, birth)
        with course:
            show_course(readings, sex, table)
        download(readings, sex)
    except BoneAgeError as error:
        show_error(error)


main()
