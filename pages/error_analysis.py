"""Error analysis: residuals, calibration, coverage and subgroups of one model."""

import streamlit as st

from boneage import artifacts
from boneage.error_analysis import text as error_text
from boneage.errors import BoneAgeError
from boneage.figures import style
from pages import shared
from pages.error_analysis_sections.agreement import show_agreement, show_calibration
from pages.error_analysis_sections.coverage import show_coverage
from pages.error_analysis_sections.metrics import show_metrics
from pages.error_analysis_sections.residuals import show_residuals
from pages.error_analysis_sections.selected import download
from pages.error_analysis_sections.selection import analyze, choose
from pages.error_analysis_sections.subgroups import show_subgroups


def main() -> None:
    st.title("Error analysis", anchor=False)
    st.markdown("Predictions of the published models compared with the reference bone age.")
    try:
        if not artifacts.available_models():
            st.info(
                "This copy contains no trained model. docs/training.md describes how to train one."
            )
            return
        choice = choose()
        if choice is None:
            return
        if choice.cases.empty:
            st.info("No radiograph matches the filters. Choose another sex or a wider age range.")
            return
        metrics = st.container()  # above the control that the analysis waits for
        st.header(error_text.RESIDUALS, anchor=False)
        by = shared.pick(
            "Age", {by: words.capitalize() for by, (words, _) in style.AGES.items()}, "by"
        )
        found = analyze(choice.cases, by)
        with metrics:
            show_metrics(choice, found)
        show_residuals(choice, found)
        show_calibration(found)
        show_agreement(choice, found)
        show_coverage(choice)
        show_subgroups(found)
        download("Download all cases shown", found.cases, "cases.csv")
    except BoneAgeError as error:
        shared.show_error(error)


main()
