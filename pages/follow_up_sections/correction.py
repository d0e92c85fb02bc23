"""The table of the radiographs, whose dates and ages can be corrected."""

from dataclasses import replace
from datetime import date

import streamlit as st

from boneage.formatting import share
from boneage.growth import text
from boneage.growth.course_table import Row, course_table, edits, readings_of
from boneage.growth.follow_up import Reading, without_repeats
from boneage.inference.conformal import LEVEL
from boneage.models.registry import ENSEMBLE
from pages.follow_up_sections.child import Files
from pages.radiographs import Source, Weights, hands_of, load_predictor, opened, predict
from pages.shared import choose_sd_table

EDITS = "course-edits"  # row key -> {"taken", "entered_age_months", "use"}, as far as edited


def rows_of(weights: Weights, files: Files, sex: str, birth: date | None) -> dict[str, Row]:
    """Key -> row of every radiograph, earlier ones first, with what was edited."""
    load_predictor(weights)
    new = {}
    with st.spinner("Finding the hands and predicting."):
        for source in files.sources:
            row = row_of(weights, source, sex)
            new[source.key] = edited(
                source.key, replace(row, entered_age_months=files.ages.get(source.key))
            )
    earlier = without_repeats(files.readings, readings_of(list(new.values()), birth))
    rows = {}
    for number, reading in enumerate(files.readings):
        if reading in earlier:
            key = f"earlier {number} {reading}"
            rows[key] = edited(key, earlier_row(reading))
    return rows | new


def row_of(weights: Weights, source: Source, sex: str) -> Row:
    header = source.header
    known = Row(source.name, taken=header.study_date, stated_age_months=header.age_months)
    if header.fault:
        return replace(known, note=header.fault)
    hands = hands_of(weights, source)
    left = [hand for hand in hands if hand.which and side_of(weights, hand) == "left"]
    hand = (left or hands)[0]
    prediction = predict(weights, hand.digest, sex, hand.content, hand.hand)
    if prediction.refusal:
        return replace(known, note=prediction.refusal.reason)
    interval = prediction.intervals(LEVEL).get(ENSEMBLE)
    return replace(
        known,
        name=hand.title,
        bone_age_months=prediction.ensemble_months,
        interval=interval,
        level=LEVEL if interval else None,
        model=" ".join(f"{name}:{digest[:8]}" for name, digest in weights),
        note=prediction.source.warning or "",
    )


def side_of(weights: Weights, hand: Source) -> str | None:
    part = opened(weights, hand.digest, hand.content, hand.hand).prepared.part
    return part.side if part else None


def earlier_row(reading: Reading) -> Row:
    return Row(
        reading.name,
        reading.bone_age_months,
        reading.interval,
        reading.level,
        reading.model,
        reading.taken,
        reading.chronological_age_months,
    )


def edited(key: str, row: Row) -> Row:
    return replace(row, **st.session_state.setdefault(EDITS, {}).get(key, {}))


def correct(rows: dict[str, Row], sex: str, birth: date | None) -> tuple[list[Reading], str]:
    """Show the table; its readings, and the table of SDs chosen."""
    st.subheader("Radiographs", anchor=False)
    state = st.session_state
    place = st.container()
    sd_table = choose_sd_table("course-sd-table")
    st.caption(text.about_deviation(sd_table))
    shown = course_table(list(rows.values()), birth, sex, sd_table)
    # A new editor after each edit: what is shown is then what counts.
    editor = f"course-table-{state.setdefault('course-version', 0)}"

    def keep_edits() -> None:
        for number, changes in state[editor]["edited_rows"].items():
            key, before = list(rows)[int(number)], shown.iloc[int(number)]
            state[EDITS].setdefault(key, {}).update(edits(changes, before))
        state["course-version"] += 1

    with place:
        show_table(shown, editor, keep_edits)
        st.caption(
            "Dates, ages and Use can be edited. An age that was entered counts before the dates; "
            "clear it to use them."
        )
    return readings_of(list(rows.values()), birth), sd_table


def show_table(shown, editor: str, keep_edits) -> None:
    limits = {
        name: st.column_config.TextColumn(f"{title}, {share(LEVEL)}")
        for name, title in (("low", "Lower limit"), ("high", "Upper limit"))
    }
    editable = {
        "use": st.column_config.CheckboxColumn("Use", pinned=True),
        "date": st.column_config.DateColumn("Date", format="YYYY-MM-DD"),
        "years": st.column_config.NumberColumn("Age, years", min_value=0, step=1),
        "months": st.column_config.NumberColumn("and months", min_value=0, max_value=11, step=1),
    }
    st.data_editor(
        shown,
        key=editor,
        on_change=keep_edits,
        hide_index=True,
        disabled=[column for column in shown if column not in editable],
        column_config={
            "radiograph": st.column_config.TextColumn("Radiograph"),
            **editable,
            "bone_age": st.column_config.TextColumn("Bone age"),
            **limits,
            "sd": st.column_config.TextColumn("SD"),
            "note": st.column_config.TextColumn("Note", width="large"),
        },
        placeholder="",
        alt="Radiographs of the child with chronological age and bone age",
    )
