"""Head to head: two models, or predictions of one's own, on the same radiographs."""

import streamlit as st

from boneage import artifacts, formatting
from boneage.comparison.head_to_head import HeadToHead
from boneage.errors import BoneAgeError
from boneage.models.registry import MODELS
from pages import shared
from pages.head_to_head_sections.charts import show_charts, show_robustness
from pages.head_to_head_sections.export import show_export
from pages.head_to_head_sections.metrics import (
    show_conclusion,
    show_published,
    show_statistics,
    show_table,
)
from pages.head_to_head_sections.one_radiograph import show_radiograph
from pages.head_to_head_sections.selection import Choice, Names, choose, compare


def show_missing(available: list[str]) -> None:
    """With fewer than two models: what is missing, and how to get it."""
    missing = [
        entry for entry in MODELS.values() if not entry.hidden and entry.name not in available
    ]
    titles = formatting.in_words([entry.title for entry in missing])
    st.info(
        f"The comparison needs two trained models. Missing: {titles}. Prepare the radiographs "
        "once as described in docs/training.md, then train:",
        icon=":material/model_training:",
    )
    for entry in missing:
        st.code(
            f"python -m boneage train --model {entry.name} --preset best --cache cache "
            f"--out artifacts/models/{entry.name}",
            language="sh",
            wrap_lines=True,
        )
    show_published()


@st.fragment  # choosing a format redraws this section only
def show_exported(choice: Choice, found: HeadToHead) -> None:
    with st.expander("Export charts, tables, report and methods", icon=":material/download:"):
        show_export(choice, found)


def show_page(models: Names) -> None:
    choice = None
    try:
        choice = choose()
        if choice:
            found = compare(*choice.cases, choice.weights)
    except BoneAgeError as error:  # a file that cannot be used, or tables without a common case
        shared.show_error(error)
    else:
        if choice:
            show_conclusion(found, choice)
            show_table(found, choice)
            show_published()
            show_statistics(found, choice.titles)
            show_charts(choice, found)
            show_exported(choice, found)
    show_robustness()
    show_radiograph(models, choice.recipe if choice else artifacts.BEST)


def main() -> None:
    st.title("Comparison of two models", anchor=False)
    available = artifacts.available_models()
    if len(available) < 2:
        show_missing(available)
        return
    try:
        show_page(tuple(available[:2]))
    except BoneAgeError as error:
        shared.show_error(error)


main()
