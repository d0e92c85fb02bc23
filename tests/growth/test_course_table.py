from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from boneage.growth.course_table import AGE_MISSING, Row, course_table, edits, readings_of
from boneage.growth.follow_up import Reading
from boneage.growth.reference import BRUSH_FOUNDATION

BIRTH, TAKEN = date(2012, 3, 1), date(2024, 3, 1)  # 144 months apart
ROW = Row("a.png", 165.0, (158.0, 174.0), 0.9, "m", TAKEN)


def shown(row: Row, birth: date | None = BIRTH, sex: str | None = "male") -> dict:
    return course_table([row], birth, sex, BRUSH_FOUNDATION).iloc[0].to_dict()


@pytest.mark.parametrize(
    ("row", "birth", "age"),
    [
        (ROW, BIRTH, 144),
        (ROW, None, None),
        (replace(ROW, stated_age_months=140), None, 140),
        (replace(ROW, stated_age_months=140), BIRTH, 144),
        (replace(ROW, stated_age_months=140, entered_age_months=130), BIRTH, 130),
        (replace(ROW, taken=None), BIRTH, None),
    ],
)
def test_an_age_that_was_entered_counts_before_dates_and_dates_before_the_file(row, birth, age):
    assert row.age_months(birth) == age
    assert [r.chronological_age_months for r in readings_of([row], birth)] == (
        [] if age is None else [age]
    )


def test_a_reading_has_all_of_its_row():
    expected = Reading(144, 165, (158, 174), 0.9, "a.png", TAKEN, "m")
    assert readings_of([ROW], BIRTH) == [expected]
    assert readings_of([replace(ROW, use=False)], BIRTH) == []
    assert readings_of([replace(ROW, bone_age_months=None)], BIRTH) == []


def test_the_table_is_as_people_read_it():
    row = shown(ROW)
    assert (row["years"], row["months"], row["sd"]) == (12, 0, "+2.02")
    assert (row["bone_age"], row["low"], row["high"]) == ("13 y 9 m", "13 y 2 m", "14 y 6 m")
    assert row["date"] == pd.Timestamp(TAKEN) and row["note"] == ""
    assert shown(ROW, sex=None)["sd"] is None


def test_what_is_missing_or_impossible_is_told_in_its_row():
    assert shown(ROW, birth=None)["note"] == AGE_MISSING
    assert pd.isna(shown(ROW, birth=None)["years"])
    before = shown(ROW, birth=date(2025, 1, 1))
    assert "taken before the date of birth" in before["note"]
    assert readings_of([ROW], date(2025, 1, 1)) == []
    assert "not possible" in shown(replace(ROW, entered_age_months=400.0))["note"]
    refused = Row("b.png", note="Refused because.")
    assert shown(refused)["note"] == "Refused because."
    assert shown(replace(ROW, use=False))["note"] == "Left out."
    late = replace(ROW, entered_age_months=240.0)
    assert shown(late)["sd"] is None and shown(late)["years"] == 20


def test_an_age_that_a_file_states_in_whole_years_is_told():
    stated = replace(ROW, stated_age_months=120.0)
    assert "in whole years" in shown(stated, birth=None)["note"]
    assert shown(stated)["note"] == ""  # the dates count
    assert shown(replace(stated, entered_age_months=120.0), birth=None)["note"] == ""
    assert shown(replace(ROW, stated_age_months=121.0), birth=None)["note"] == ""


def test_no_rows_are_an_empty_table():
    assert course_table([], None, None, BRUSH_FOUNDATION).empty


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({"years": 9}, {"entered_age_months": 108}),
        ({"months": 5}, {"entered_age_months": 149}),
        ({"years": 9, "months": 5}, {"entered_age_months": 113}),
        ({"years": None}, {"entered_age_months": None}),
        ({"months": None}, {"entered_age_months": None}),
        ({"date": "2023-03-01"}, {"taken": date(2023, 3, 1)}),
        ({"date": "2023-03-01T00:00:00.000"}, {"taken": date(2023, 3, 1)}),
        ({"date": None}, {"taken": None}),
        ({"use": False}, {"use": False}),
    ],
)
def test_edits_become_attributes_of_the_row(changes, changed):
    before = course_table([ROW], BIRTH, "male", BRUSH_FOUNDATION).iloc[0]
    assert edits(changes, before) == changed
    replace(ROW, **changed)


def test_years_alone_can_be_entered_where_no_age_is_known():
    before = course_table([ROW], None, "male", BRUSH_FOUNDATION).iloc[0]
    assert edits({"years": 9}, before) == {"entered_age_months": 108}
