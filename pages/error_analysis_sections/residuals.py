"""Residuals by age and sex; points selected in the first chart are listed below it."""

import streamlit as st

from boneage.error_analysis import conditions
from boneage.error_analysis import figures as errors
from boneage.error_analysis.analysis import Analysis
from boneage.errors import BoneAgeError
from boneage.figures import style
from pages import shared
from pages.error_analysis_sections.selected import show_selected
from pages.error_analysis_sections.selection import Choice, show_sample_note
from pages.error_analysis_sections.subgroup import key_of_chart, narrow_to, pick_cell


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
        show_heatmap(found, f"Mean absolute error in each band of {age}, girls and boys")


def show_heatmap(found: Analysis, alt: str) -> None:
    table = found.by_band_and_sex
    event = shared.chart(
        errors.mae_heatmap(table, found.by),
        alt=alt,
        key=key_of_chart("heatmap"),
        on_select="rerun",
        selection_mode="points",
    )
    pick_cell(table, found.by)
    if cell := errors.clicked_cell(table, event.selection.points):
        narrow_to(conditions.band_and_sex(*cell, found.by))


@st.fragment  # choosing points redraws this section only
def show_selectable(choice: Choice, found: Analysis) -> None:
    event = shared.chart(
        errors.residual_scatter(found.drawn, found.running, found.by),
        alt=f"Residual of every radiograph against its {style.AGES[found.by][0]}",
        key=key_of_chart("residuals"),
        on_select="rerun",
        selection_mode=("points", "box", "lasso"),
    )
    selected = errors.selected_cases(found.drawn, event.selection.points)
    if selected.empty:
        st.caption("Select points with the lasso or the box to list those radiographs.")
        return
    if st.button("Show only these radiographs", icon=":material/filter_alt:"):
        try:
            narrow_to(conditions.select(choice.ids, selected["id"]))
        except BoneAgeError as error:
            shared.show_error(error)
    show_selected(choice, selected)
