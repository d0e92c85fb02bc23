"""Several radiographs: a table of their bone ages, of which one is shown in detail."""

from collections.abc import Iterator
from time import monotonic

import streamlit as st

from boneage.formatting import share
from boneage.inference import results
from boneage.models.registry import find_model
from boneage.radiographs.preprocessing import SEXES
from pages.predict_sections.framing import framed
from pages.radiographs import (
    Source,
    Weights,
    ask_for_sex,
    hands_of,
    load_predictor,
    opened,
    predict,
    show_fault,
)


def show_several(
    weights: Weights, sources: list[Source], default_sex: str | None, level: float
) -> tuple[Source, str] | None:
    """The table, and the radiograph and sex chosen for details; None where none is finished."""
    answers = predict_several(weights, sources, default_sex, level)
    table = results.results_table(answers, [name for name, _ in weights], level)
    edit_table(weights, table, sources, level)
    st.download_button(
        "Download as CSV",
        results.to_csv(table),
        file_name="bone_age.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    for source in sources:
        show_fault(source)
    finished = {
        source.key: (source, answer.sex)
        for source, answer in zip(sources, answers, strict=True)
        if answer.sex
    }
    if not finished:
        if any(answer.status == results.WAITING for answer in answers):
            ask_for_sex()
        return None
    key = st.selectbox(
        "Show details for", list(finished), format_func=lambda key: finished[key][0].title
    )
    return finished[key]


def predict_several(
    weights: Weights, sources: list[Source], default_sex: str | None, level: float
) -> list[results.FileResult]:
    """One result a file, with a progress bar where it takes a while."""
    return [
        result_of(weights, source, default_sex, level)
        for source in with_progress(sources, "Predicting")
    ]


def find_hands(weights: Weights, sources: list[Source]) -> list[Source]:
    """One source a hand: two for a film of both hands."""
    load_predictor(weights)
    return [
        hand
        for source in with_progress(sources, "Finding the hands")
        for hand in _hands_of(weights, framed(source))
    ]


def _hands_of(weights: Weights, source: Source) -> list[Source]:
    return [source] if source.frame else [framed(hand) for hand in hands_of(weights, source)]


def with_progress(sources: list[Source], doing: str) -> Iterator[Source]:
    """The sources, with a progress bar where going through them takes a while."""
    place, started = st.empty(), monotonic()
    for number, source in enumerate(sources):
        if monotonic() - started > 0.3:
            place.progress(number / len(sources), f"{doing}: {number + 1} of {len(sources)}")
        yield source
    place.empty()


def result_of(
    weights: Weights, source: Source, default_sex: str | None, level: float
) -> results.FileResult:
    """The sex is the one chosen for this file, else the header's, else the one for all others."""
    if source.header.fault:
        return results.FileResult(source.name, results.UNREADABLE, source.header.fault)
    chosen = st.session_state.setdefault("sexes", {}).get(source.key)
    sex = chosen or source.sex or default_sex
    if sex is None:
        # Opened now, as the whole film is not kept until the sex is chosen.
        opened(weights, source.digest, source.content, source.hand, source.frame)
        return results.FileResult(source.name, results.WAITING)
    return results.result_of(
        source.name,
        predict(weights, source.digest, sex, source.content, source.hand, source.frame),
        results.HEADER if source.sex and not chosen else results.GIVEN,
        level,
        show_refused=source.key in st.session_state.get("forced", ()),
    )


def edit_table(weights: Weights, table, sources: list[Source], level: float) -> None:
    """The results; the sex of each file can be changed in place."""
    # Edits are kept by row, so they must not outlive the list of files.
    editor = "table-" + " ".join(source.key for source in sources)

    def keep_sexes() -> None:
        for row, changes in st.session_state[editor]["edited_rows"].items():
            if "sex" in changes:
                st.session_state["sexes"][sources[int(row)].key] = changes["sex"]

    models = {
        f"{name}_months": st.column_config.TextColumn(find_model(name).title) for name, _ in weights
    }
    limits = {
        f"ensemble_{end}_months": st.column_config.TextColumn(f"{title}, {share(level)}")
        for end, title in (("low", "Lower limit"), ("high", "Upper limit"))
        if table["interval_level"].notna().any()
    }
    shown = results.as_people_read(table)
    st.data_editor(
        shown,
        key=editor,
        on_change=keep_sexes,
        hide_index=True,
        column_order=[
            "file",
            *(["hand"] if table["position"].notna().any() else []),
            "sex",
            "ensemble_months",
            *limits,
            *models,
            "crop",
            "status",
            "reason",
        ],
        disabled=[column for column in shown if column != "sex"],
        column_config={
            "file": st.column_config.TextColumn("File", pinned=True),
            "hand": st.column_config.TextColumn("Hand"),
            "sex": st.column_config.SelectboxColumn("Sex", options=list(SEXES), required=True),
            "ensemble_months": st.column_config.TextColumn("Ensemble"),
            "crop": st.column_config.TextColumn("Hand detection"),
            "status": st.column_config.TextColumn("Status"),
            "reason": st.column_config.TextColumn("Reason", width="large"),
            **models,
            **limits,
        },
        placeholder="",
        alt="Bone age of each file",
    )
    st.caption("Click a sex to change it.")
