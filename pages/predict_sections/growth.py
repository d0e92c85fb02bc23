"""What the bone age of one radiograph means: SD for age and sex, and adult height."""

import streamlit as st

from boneage.case_report.content import Child
from boneage.errors import BoneAgeError
from boneage.formatting import as_plain_markdown
from boneage.growth import text
from boneage.growth.adult_height import AdultHeight, predict_adult_height, target_height
from boneage.growth.deviation import deviation
from boneage.growth.entries import cm_from_feet
from boneage.growth.figures import growth_chart
from boneage.growth.follow_up import Reading
from boneage.inference.predictor import Prediction
from boneage.models.registry import ENSEMBLE
from pages.shared import chart, choose_sd_table

UNITS = {"cm": "cm", "feet": "feet and inches"}


def show_meaning(prediction: Prediction, age: float, level: float, child: str) -> Child:
    """age: chronological, months. child: what heights entered are kept under.

    Returns what was entered, for the case report.
    """
    st.header("What the bone age means", anchor=False)
    interval = prediction.intervals(level).get(ENSEMBLE)
    reading = Reading(age, prediction.ensemble_months, interval, level if interval else None)
    table = show_deviation(reading, prediction.sex)
    st.subheader("Adult height", anchor=False)
    return Child(age, table, *show_adult_height(reading, prediction.sex, child))


def show_deviation(reading: Reading, sex: str) -> str:
    """Returns the table of SDs that was chosen."""
    answer = st.container()
    table = choose_sd_table("sd_table", "Two samples of healthy children with different SDs.")
    with answer:
        age, bone_age = reading.chronological_age_months, reading.bone_age_months
        try:
            found = deviation(bone_age, reading.interval, age, sex, table)
        except BoneAgeError as error:
            st.markdown(text.ahead_or_behind(bone_age, age))
            st.info(as_plain_markdown(str(error)), icon=":material/info:")
            return table
        st.markdown(text.deviation_in_words(found, reading.level))
        if sentence := text.whole_years(age):
            st.caption(sentence)
        chart(
            growth_chart([reading], sex, table),
            alt="Bone age against chronological age with bands of 1 and 2 SD",
            key="growth-chart",
        )
    st.caption(text.about_deviation(table))
    return table


def show_adult_height(
    reading: Reading, sex: str, child: str
) -> tuple[float | None, float | None, float | None, bool]:
    """Returns the heights of the child, mother and father in cm, and whether to show feet."""
    with st.container(horizontal=True, gap="medium"):
        feet = ask_for_unit() == "feet"
        height = ask_for_height("Height of the child", "child", child, feet)
    with (
        st.expander("Parents' heights (optional)"),
        st.container(horizontal=True, gap="medium"),
    ):
        mother = ask_for_height("Mother's height", "mother", child, feet)
        father = ask_for_height("Father's height", "father", child, feet)
    predicted = None
    if height is not None:
        predicted = try_to_predict(reading, sex, height, feet)
    if mother is not None and father is not None:
        try:
            target = target_height(mother, father, sex)
        except BoneAgeError as error:
            st.error(as_plain_markdown(str(error)), icon=":material/error:")
        else:
            st.markdown(text.target_height_in_words(target, predicted, feet))
    st.caption(text.ABOUT_HEIGHT)
    return height, mother, father, feet


def ask_for_unit() -> str:
    return st.segmented_control(
        "Unit of height",
        list(UNITS),
        default="cm",
        required=True,
        format_func=UNITS.get,
        key="height_unit",
        bind="query-params",
        width="content",
    )


def ask_for_height(label: str, whose: str, child: str, feet: bool) -> float | None:
    """In centimeters; None while nothing is entered, or what is entered is impossible."""
    key = f"height-{whose}-{child}"
    day = "On the day of the radiograph." if whose == "child" else None
    if not feet:
        # Without limits: an impossible height gets a sentence that says what is wrong.
        return st.number_input(
            f"{label} (cm)",
            value=None,
            step=0.5,
            format="%.1f",
            key=f"{key}-cm",
            persist_state="session",
            width=220,
            help=day,
        )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", width=370):
        whole = st.number_input(
            f"{label} (feet)",
            value=None,
            step=1,
            key=f"{key}-ft",
            width=220,
            help=day,
            persist_state="session",
        )
        inches = st.number_input(
            "and inches",
            value=None,
            step=0.5,
            format="%.1f",
            key=f"{key}-in",
            width=130,
            persist_state="session",
        )
    if whole is None:
        return None
    try:
        return cm_from_feet(whole, inches or 0.0)
    except BoneAgeError as error:
        st.error(as_plain_markdown(str(error)), icon=":material/error:")
        return None


def try_to_predict(reading: Reading, sex: str, height: float, feet: bool) -> AdultHeight | None:
    try:
        found = predict_adult_height(
            height,
            reading.bone_age_months,
            reading.interval,
            reading.chronological_age_months,
            sex,
        )
    except BoneAgeError as error:
        st.warning(as_plain_markdown(str(error)), icon=":material/info:")
        return None
    st.markdown(text.adult_height_in_words(found, reading.level, feet))
    return found
