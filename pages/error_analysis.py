"""Error analysis: residuals, calibration, coverage and subgroups of one model."""

import streamlit as st

from boneage import artifacts
from boneage.error_analysis.analysis import Analysis
from boneage.errors import BoneAgeError
from pages import shared
from pages.error_analysis_sections.agreement import show_agreement, show_calibration
from pages.error_analysis_sections.coverage import show_coverage
from pages.error_analysis_sections.export import show_export
from pages.error_analysis_sections.metrics import show_metrics, show_published
from pages.error_analysis_sections.residuals import show_residuals
from pages.error_analysis_sections.selected import download
from pages.error_analysis_sections.selection import Choice, analyze, choose
from pages.error_analysis_sections.subgroups import show_subgroups

# What the sections are called also stands in the address.
SECTIONS = {
    "Residuals": show_residuals,
    "Calibration": show_calibration,
    "Agreement": show_agreement,
    "Interval coverage": show_coverage,
    "Subgroups": show_subgroups,
    "Published results": show_published,
    "Export": show_export,
}


# Only the section that is open is computed, sent and drawn; opening another redraws nothing else.
@st.fragment
def show_sections(choice: Choice, found: Analysis) -> None:
    for tab, show in zip(
        st.tabs(list(SECTIONS), key="section", bind="query-params"), SECTIONS.values(), strict=True
    ):
        if tab.open:
            with tab:
                show(choice, found)


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
            st.info(
                "No radiograph matches the filters. Choose another sex or a wider age range, or "
                "clear the subgroup."
            )
            return
        found = analyze(choice.cases, choice.by)
        show_metrics(choice, found)
        show_sections(choice, found)
        download("Download all cases shown", found.cases, "cases.csv")
    except BoneAgeError as error:
        shared.show_error(error)


main()
