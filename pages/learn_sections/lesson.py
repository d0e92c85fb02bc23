"""What separates two bone ages: their average hands side by side, and the events between them."""

from collections.abc import Sequence

import streamlit as st

from boneage.atlas import standards
from boneage.atlas.marks import marked
from boneage.atlas.ossification import SOURCES, STAGES_SOURCE, Event, separating_events, stage
from boneage.atlas.text import event_in_words
from boneage.formatting import as_plain_markdown
from boneage.quiz import text as quiz_text

PAIR_WIDTH = 460  # pixels: on a projector, the events stand below without scrolling


def show_lesson(sex: str, answer: float, reference: float) -> None:
    """The learner's age against the reference bone age, both in months."""
    events = separating_events(sex, *sorted((answer, reference)))
    ages = {"Your estimate": answer, "Reference": reference}
    if answer == reference:
        del ages["Your estimate"]
    show_standards(sex, ages, events)
    if answer != reference:
        st.markdown(quiz_text.what_separates(sex, answer, reference, events))
        show_events(sex, events)
    now = stage(sex, reference)
    st.markdown(f"**{now.title}:** {now.look}")
    st.caption(f"Indicators of maturity after {as_plain_markdown(SOURCES[STAGES_SOURCE])}")


def show_standards(
    sex: str, ages: dict[str, float], events: Sequence[Event], width: int = PAIR_WIDTH
) -> None:
    """The average hand of each age, with the events marked; ages: whose -> months."""
    if not standards.available():
        return
    with st.container(width=width), st.grid(len(ages), min_column_width=120, gap="small"):
        for whose, months in ages.items():
            standard = standards.between(sex, months)
            st.image(
                marked(standard, events),
                caption=quiz_text.standard_for(whose, months, standard.mean_age_months),
                width="stretch",
                alt=f"{whose}: average hand of {standard.title.lower()}",
            )


def show_events(sex: str, events: Sequence[Event]) -> None:
    """When each event takes place, and what to look at."""
    lines = [
        f"- **{event.number} {event.name}.** "
        f"{event_in_words(event.change, *event.bone_age[sex])}. {event.look}"
        for event in events
    ]
    if lines:
        st.markdown("\n".join(lines))
