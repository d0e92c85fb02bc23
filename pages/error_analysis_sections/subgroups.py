"""Subgroups of radiographs in which the errors are larger."""

import streamlit as st

from boneage.error_analysis import text as error_text
from boneage.error_analysis.analysis import Analysis
from boneage.error_analysis.disparity import disparity
from boneage.error_analysis.disparity_table import (
    ABOUT_DISPARITY,
    DISPARITY,
    TOO_FEW,
    disparity_table,
    factors_of,
)
from boneage.figures import style, tables
from pages import shared
from pages.error_analysis_sections.selection import Choice
from pages.error_analysis_sections.subgroup import clickable_table

N_SUBGROUPS = 8
NO_CONTROL = "none"


def show_subgroups(choice: Choice, found: Analysis) -> None:
    groups, (age, _) = found.subgroups, style.AGES[found.by]
    st.subheader(error_text.WORST, anchor=False)
    st.markdown(error_text.worst_subgroups(groups, age))
    if not groups.worst.empty:
        clickable_table(tables.cohort_table(groups.worst.head(N_SUBGROUPS), True).html(), "worst")
    st.subheader(error_text.TREE, anchor=False)
    st.markdown(error_text.tree_subgroups(groups, age))
    if not groups.tree.empty:
        clickable_table(tables.cohort_table(groups.tree, True).html(), "tree")
    if not found.by_block.empty:
        st.subheader(error_text.BLOCKS, anchor=False)
        st.markdown(error_text.ABOUT_BLOCKS)
        clickable_table(tables.block_table(found.by_block, True).html(), "blocks")
    st.caption(error_text.ABOUT_SMALL_GROUPS)
    show_disparity(found)


def show_disparity(found: Analysis) -> None:
    st.subheader(DISPARITY, anchor=False)
    groups = factors_of(found.cases)
    if not groups:
        st.caption(TOO_FEW)
        return
    with st.container(horizontal=True, gap="medium"):
        by = shared.pick("Groups", groups, "groups")
        controls = {NO_CONTROL: "None"} | {name: groups[name] for name in groups if name != by}
        control = shared.pick("Within each", controls, "within")
    apart = disparity(
        found.cases, by, None if control == NO_CONTROL else control, found.n_resamples
    )
    if apart.empty:
        st.caption(TOO_FEW)
        return
    st.html(disparity_table(apart).html())
    st.caption(ABOUT_DISPARITY)
