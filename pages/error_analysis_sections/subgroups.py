"""Subgroups of radiographs in which the errors are larger."""

import streamlit as st

from boneage.error_analysis import text as error_text
from boneage.error_analysis.analysis import Analysis
from boneage.figures import style, tables
from pages.error_analysis_sections.selection import Choice

N_SUBGROUPS = 8


def show_subgroups(choice: Choice, found: Analysis) -> None:
    groups, (age, _) = found.subgroups, style.AGES[found.by]
    st.subheader(error_text.WORST, anchor=False)
    st.markdown(error_text.worst_subgroups(groups, age))
    if not groups.worst.empty:
        st.html(tables.cohort_table(groups.worst.head(N_SUBGROUPS)))
    st.subheader(error_text.TREE, anchor=False)
    st.markdown(error_text.tree_subgroups(groups, age))
    if not groups.tree.empty:
        st.html(tables.cohort_table(groups.tree))
    if not found.by_block.empty:
        st.subheader(error_text.BLOCKS, anchor=False)
        st.markdown(error_text.ABOUT_BLOCKS)
        st.html(tables.block_table(found.by_block))
    st.caption(error_text.ABOUT_SMALL_GROUPS)
