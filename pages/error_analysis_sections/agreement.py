"""Calibration of the predicted ages, and their agreement with the reference."""

import streamlit as st

from boneage.error_analysis import figures as errors
from boneage.error_analysis import text as error_text
from boneage.error_analysis.analysis import Analysis
from boneage.error_analysis.calibration_figure import reference_on_predicted
from pages import shared
from pages.error_analysis_sections.selection import Choice, show_sample_note


def show_calibration(choice: Choice, found: Analysis) -> None:
    show_sample_note(found)
    left, right = st.columns(2, gap="medium", vertical_alignment="center")
    with left:
        shared.chart(
            reference_on_predicted(found.drawn, found.calibration_bins, found.calibration),
            alt="Reference bone age against predicted bone age of each radiograph, with means",
        )
    with right:
        st.markdown(error_text.calibration_slope(found.calibration))
        st.markdown(error_text.regression_to_the_mean(found.calibration))
        st.caption(
            "Large markers: means of ten equal-sized groups by predicted bone age. The slope is "
            "that of the least-squares line of reference on predicted bone age (bootstrap CI)."
        )


def show_agreement(choice: Choice, found: Analysis) -> None:
    show_sample_note(found)
    figures = {
        "Predicted against reference bone age": errors.predicted_against_age(found.drawn),
        "Bland-Altman plot": errors.bland_altman(found.drawn, found.agreement),
        "Histogram of residuals": errors.error_histogram(found.cases, choice.color),
        "Cumulative distribution of the absolute error": errors.cumulative_error(
            found.cumulative, choice.color
        ),
    }
    for place, (alt, figure) in zip(
        [*st.columns(2, gap="medium"), *st.columns(2, gap="medium")], figures.items(), strict=True
    ):
        with place:
            shared.chart(figure, alt=alt)
