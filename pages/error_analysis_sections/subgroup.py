"""The subgroup that the page shows alone: what sets it, and the chip that clears it.

It stands in the address only, so a link shows the same, and what filters is what is seen.
"""

import pandas as pd
import streamlit as st

from boneage.error_analysis import conditions
from boneage.error_analysis.conditions import Subgroup, SubgroupError
from boneage.figures.clickable import CLICKABLE
from boneage.formatting import as_plain_markdown
from pages import shared

KEY = "subgroup"
TABLE = st.components.v2.component("clickable", **CLICKABLE)


def chosen() -> Subgroup:
    """The subgroup in the address; one that is not understood is said, and left out."""
    try:
        return conditions.parse(st.query_params.get(KEY, ""))
    except SubgroupError as error:
        shared.show_error(error)
        clear()
        return ()


def narrow_to(subgroup: Subgroup) -> None:
    """Show only what also lies in this subgroup, on the whole page."""
    before = conditions.parse(st.query_params.get(KEY, ""))
    added = [condition for condition in subgroup if condition not in before]
    if added:
        st.query_params[KEY] = conditions.as_text((*before, *added))
        st.rerun()


def clear() -> None:
    st.query_params.pop(KEY, None)


def key_of_chart(name: str) -> str:
    """A key under which a chart has no selection of points from before the page was narrowed."""
    return f"{name} {st.query_params.get(KEY, '')}"


def show_chip(subgroup: Subgroup, by: str) -> None:
    if subgroup:
        st.button(
            f"Subgroup: {as_plain_markdown(conditions.in_words(subgroup, by))}",
            icon=":material/close:",
            help="Clear the subgroup",
            on_click=clear,
            key="clear-subgroup",
        )


def clickable_table(html: str, key: str) -> None:
    """A table whose rows narrow the page to the subgroup that their buttons name."""
    clicked = TABLE(key=key, data={"html": html}, on_clicked_change=lambda: None).clicked
    if clicked:
        narrow_to(conditions.parse(clicked))


def pick_cell(table: pd.DataFrame, by: str) -> None:
    """The cells of the heat map to choose by keyboard.

    table: of `subgroups.by_band_and_sex`.
    """
    options = {
        conditions.as_text(conditions.band_and_sex(row.age_band, row.sex, by)): row.n
        for row in table.itertuples()
    }
    if len(options) < 2:
        return
    picked = st.selectbox(
        "Show only a subgroup",
        list(options),
        index=None,
        placeholder="Click a cell, or choose it here",
        format_func=lambda text: f"{_title(text, by)} (n = {options[text]:,})",
        key="cell",
        label_visibility="collapsed",
    )
    if picked:
        narrow_to(conditions.parse(picked))


def _title(text: str, by: str) -> str:
    words = conditions.in_words(conditions.parse(text), by)
    return words[:1].upper() + words[1:]
