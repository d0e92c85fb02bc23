"""Metrics of the radiographs chosen, beside published results."""

import streamlit as st

from boneage import formatting
from boneage.datasets.text import ABOUT_SPLIT
from boneage.error_analysis import text as error_text
from boneage.error_analysis.analysis import Analysis
from boneage.error_analysis.benchmarks import benchmarks
from boneage.evaluation.intervals import METRICS
from boneage.evaluation.published import PUBLISHED_COLUMN, SINGLE_READER, published_results
from boneage.figures import cards
from pages.error_analysis_sections.selection import Choice

ABOUT_OWN = "Your own predictions. They stay in memory while this page is open."


def show_metrics(choice: Choice, found: Analysis) -> None:
    number = formatting.counted(len(found.cases), "radiograph")
    st.header(f"{choice.title}: {number}", anchor=False)
    about = [ABOUT_SPLIT.get(choice.split, ABOUT_OWN), choice.note]
    st.markdown(" ".join(filter(None, about)))
    st.html(cards.metric_tiles(found.metrics, METRICS, choice.color))
    st.caption(
        f"Below each metric its {formatting.CI_95} (bootstrap). A residual is predicted minus "
        "reference bone age, positive where overestimated; bias is the mean residual."
    )


def show_published(choice: Choice, found: Analysis) -> None:
    if choice.split not in PUBLISHED_COLUMN:
        st.caption("Results are published on test and validation radiographs.")
        return
    own = tuple(found.metrics[name] for name in ("mae", "mae_low", "mae_high"))
    reader_band = SINGLE_READER if choice.split == "test" else None
    published = published_results()
    column = PUBLISHED_COLUMN[choice.split]
    st.html(benchmarks(choice.title, own, choice.color, published, column, reader_band))
    sentences = ["Mean absolute error in months."]
    if reader_band:
        sentences.append(error_text.about_reader_band(*reader_band))
    if choice.split == "validation":
        sentences.append(
            "Published results are on the official 1,425 validation radiographs of the challenge, "
            "ours on 1,425 other radiographs from the same source."
        )
    if not choice.whole:
        sentences.append(
            "Published results are for both sexes and all ages, unlike your selection."
        )
    st.caption(" ".join(sentences))
    with st.expander("Sources", icon=":material/menu_book:"):
        for row in published.dropna(subset=[column]).itertuples():
            st.markdown(f"- {row.system}: {formatting.as_plain_markdown(row.source)}")
