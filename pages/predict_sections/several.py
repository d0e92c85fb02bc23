"""Several radiographs: a table of their bone ages, of which one is shown in detail."""

from collections.abc import Iterator
from time import monotonic

import pandas as pd
import streamlit as st

from boneage.formatting import share
from boneage.growth import columns as growth_columns
from boneage.growth.course_table import edits
from boneage.growth.reference import BRUSH_FOUNDATION, SD_TABLES
from boneage.inference import labeled, results
from boneage.local_calibration.text import about_calibration
from boneage.models.registry import find_model
from boneage.radiographs.preprocessing import SEXES
from pages.predict_sections.framing import framed
from pages.predict_sections.local_calibration import calibrated, kept
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
from pages.shared import OLDEST_YEARS


def show_several(
    weights: Weights,
    sources: list[Source],
    default_sex: str | None,
    level: float,
    labels: pd.DataFrame | None = None,
) -> tuple[Source, str, float | None] | None:
    """The table; the radiograph chosen for details with its sex and age, None where there is none.

    labels: reference bone ages, for the errors.
    """
    answers = predict_several(weights, sources, default_sex, level)
    table = results.results_table(answers, [name for name, _ in weights], level)
    # The same as below the table, where the one radiograph is shown.
    sd_table = st.session_state.get("sd_table", BRUSH_FOUNDATION)
    table = growth_columns.with_sd(table, sd_table)
    if labels is not None:
        table = labeled.with_reference(table, labels)
        if sentence := labeled.errors_in_words(table):
            st.markdown(sentence)
    edit_table(weights, table, sources, level, SD_TABLES[sd_table])
    if local := kept():
        st.caption(about_calibration(local))
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
        source.key: (source, answer.sex, answer.chronological_age_months)
        for source, answer in zip(sources, answers, strict=True)
        if answer.sex
    }
    if not finished:
        if any(answer.status == results.WAITING for answer in answers):
            ask_for_sex()
        return None
    key = st.selectbox(
        "Show details for",
        list(finished),
        format_func=lambda key: finished[key][0].title,
        key="details-" + " ".join(finished),
        persist_state="session",
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
    """Sex and age are those entered for this file, else those of a label file, else the header's.

    The sex asked for above the table is that of files without any.
    """
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
        calibrated(predict(weights, source.digest, sex, source.content, source.hand, source.frame)),
        results.HEADER if source.sex and not (chosen or source.given_sex) else results.GIVEN,
        level,
        source.key in st.session_state.get("forced", ()),
        st.session_state.setdefault("ages", {}).get(source.key, source.given_age),
    )


def edit_table(
    weights: Weights, table: pd.DataFrame, sources: list[Source], level: float, sd_table: str
) -> None:
    """The results; the sex and the age of each file can be changed in place."""
    # Edits are kept by row, so they must not outlive the list of files.
    editor = "table-" + " ".join(source.key for source in sources)

    shown = results.as_people_read(growth_columns.in_words(table))

    def keep_edits() -> None:
        for row, changes in st.session_state[editor]["edited_rows"].items():
            key, before = sources[int(row)].key, shown.iloc[int(row)]
            if "sex" in changes:
                st.session_state["sexes"][key] = changes["sex"]
            if "entered_age_months" in (found := edits(changes, before)):
                st.session_state["ages"][key] = found["entered_age_months"]

    models = {
        f"{name}_months": st.column_config.TextColumn(find_model(name).title) for name, _ in weights
    }
    limits = {
        f"ensemble_{end}_months": st.column_config.TextColumn(f"{title}, {share(level)}")
        for end, title in (("low", "Lower limit"), ("high", "Upper limit"))
        if table["interval_level"].notna().any()
    }
    reference = {
        "reference_months": st.column_config.TextColumn("Reference"),
        "residual_months": st.column_config.NumberColumn("Residual, months", format="%+.1f"),
    }
    if "residual_months" in table:
        shown["residual_months"] = table["residual_months"]
    st.data_editor(
        shown,
        key=editor,
        on_change=keep_edits,
        hide_index=True,
        column_order=[
            "file",
            *(["hand"] if table["position"].notna().any() else []),
            "sex",
            "years",
            "months",
            "ensemble_months",
            *limits,
            "sd_score",
            "assessment",
            *(column for column in reference if column in table),
            *models,
            "crop",
            "status",
            "reason",
        ],
        disabled=[column for column in shown if column not in ("sex", "years", "months")],
        column_config={
            "file": st.column_config.TextColumn("File", pinned=True),
            "hand": st.column_config.TextColumn("Hand"),
            "sex": st.column_config.SelectboxColumn("Sex", options=list(SEXES), required=True),
            "years": st.column_config.NumberColumn(
                "Age, years", help="Chronological age", min_value=0, max_value=OLDEST_YEARS, step=1
            ),
            "months": st.column_config.NumberColumn(
                "and months", min_value=0, max_value=11, step=1
            ),
            "ensemble_months": st.column_config.TextColumn("Ensemble"),
            "sd_score": st.column_config.TextColumn(
                "SD", help=f"Bone age minus chronological age in SD ({sd_table})"
            ),
            "assessment": st.column_config.TextColumn("Assessment"),
            "crop": st.column_config.TextColumn("Hand detection"),
            "status": st.column_config.TextColumn("Status"),
            "reason": st.column_config.TextColumn("Reason", width="large"),
            **models,
            **limits,
            **reference,
        },
        placeholder="",
        alt="Bone age of each file",
    )
    st.caption(
        "Click a sex or an age to change it. Assessment: delayed or advanced beyond ±2 SD "
        f"({sd_table})."
    )
