"""Residuals by age and sex; points selected in the first chart are listed below it."""

import streamlit as st

from boneage.error_analysis import figures as errors
from boneage.error_analysis.analysis import Analysis
from boneage.figures import style
from pages import shared
from pages.error_analysis_sections.selected import show_selected
from pages.error_analysis_sections.selection import Choice, show_sample_note


def show_residuals(choice: Choice, found: Analysis) -> None:
    show_selectable(choice, found)
    show_sample_note(found)
    age, _ = style.AGES[found.by]
    left, right = st.columns(2, gap="medium")
    with left:
        shared.chart(
            errors.residual_distributions(*found.boxes, found.by),
            alt=f"Distribution of the residuals in each band of {age}, girls and boys",
        )
    with right:
        shared.chart(
            errors.mae_heatmap(found.by_band_and_sex, found.by),
            alt=f"Mean absolute error in each band of {age}, girls and boys",
        )


@st.fragment  # choosing points redraws this section only
def show_selectable(choice: Choice, found: Analysis) -> None:
    event = shared.chart(
        errors.residual_scatter(found.drawn, found.running, found.by),
        alt=f"Residual of every radiograph against its {style.AGES[found.by][0]}",
        key="residuals",
        on_select="rerun",
        selection_mode=("points", "box", "lasso"),
    )
    selected = errors.selected_cases(found.drawn, event.selection.points)
    if selected.empty:
        st.caption("Select points with the lasso or the box to list those radiographs.")
        return
    show_selected(choice, selected)
