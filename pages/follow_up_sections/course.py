"""The course of the child: rate of maturation, chart, and the CSV file."""

import streamlit as st

from boneage.errors import BoneAgeError
from boneage.formatting import as_plain_markdown
from boneage.growth import text
from boneage.growth.course_file import COLUMNS, write_course
from boneage.growth.deviation import deviation
from boneage.growth.figures import growth_chart
from boneage.growth.follow_up import Reading, in_order, maturation_rate
from pages.shared import chart


def show_course(readings: list[Reading], sex: str, table: str) -> None:
    st.header("Course", anchor=False)
    if not readings:
        st.info(
            "Enter the age or the date of birth for at least one radiograph with a bone age.",
            icon=":material/arrow_downward:",
        )
        return
    try:
        st.markdown(text.rate_in_words(maturation_rate(readings)))
    except BoneAgeError as error:
        st.info(as_plain_markdown(str(error)), icon=":material/info:")
    show_last(in_order(readings)[-1], sex, table)
    if sentence := text.different_models(readings):
        st.warning(sentence, icon=":material/warning:")
    chart(
        growth_chart(readings, sex, table),
        alt="Bone ages over chronological age with bands of 1 and 2 SD",
        key="course-chart",
    )
    st.caption(text.ABOUT_RATE)


def show_last(reading: Reading, sex: str, table: str) -> None:
    """The SD of the last radiograph."""
    age, bone_age = reading.chronological_age_months, reading.bone_age_months
    try:
        found = deviation(bone_age, reading.interval, age, sex, table)
    except BoneAgeError as error:
        st.info(as_plain_markdown(str(error)), icon=":material/info:")
    else:
        st.markdown(f"Last radiograph: {text.deviation_in_words(found, reading.level)}")


def download(readings: list[Reading], sex: str) -> None:
    if not readings:
        return
    st.download_button(
        "Download the course as CSV",
        write_course(in_order(readings), sex),
        file_name="bone_age_course.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    with st.expander("Columns of the CSV file"):
        st.table(COLUMNS, border="horizontal")
