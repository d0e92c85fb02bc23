from datetime import date

import numpy as np
import pytest

from boneage.datasets.delimited import LabelError
from boneage.growth.course_file import COLUMNS, read_course, write_course
from boneage.growth.follow_up import Reading

HEADER = "sex,chronological_age_months,bone_age_months,low_months,high_months,interval_level,date"


def refusal(text: str) -> str:
    with pytest.raises(LabelError) as caught:
        read_course(text.encode(), "course.csv")
    message = str(caught.value)
    assert "course.csv" in message and message.endswith(".") and "\n" not in message
    return message


def test_a_course_comes_back_as_it_was():
    rng = np.random.default_rng(0)
    readings = [
        Reading(age, bone, (max(bone - 9, 0.0), bone + 9), 0.9, "a.png", date(2024, 2, 29), "m 1")
        for age, bone in rng.uniform(0, 220, (300, 2)).tolist()
    ]
    readings += [
        Reading(96.1, 1 / 3),
        Reading(3, -2.5, (0.0, 7.0), 0.95, '=1+1, "Zoë"; é'),
        Reading(300.0, 0.0, name="'quoted"),
    ]
    content = write_course(readings, "female")
    assert read_course(content, "course.csv") == (readings, "female")
    assert content.decode("utf-8-sig").splitlines()[0] == ",".join(COLUMNS)
    assert b"\n=1" not in content and b'"=1' not in content


def test_a_file_that_a_spreadsheet_saved_is_read():
    content = f"{HEADER}\n".replace(",", ";") + "male;96,5;90;80;100;0,9;2024-03-01\n"
    readings, sex = read_course(content.encode("utf-8-sig"), "course.csv")
    assert sex == "male"
    assert readings == [Reading(96.5, 90, (80, 100), 0.9, taken=date(2024, 3, 1))]


def test_only_sex_and_ages_are_needed():
    content = b"sex,chronological_age_months,bone_age_months\nmale,96,90\n"
    assert read_course(content, "course.csv") == ([Reading(96, 90)], "male")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("male,x,90,,,,", "The chronological_age_months in row 2 of course.csv is no number (x)"),
        ("male,96,,,,,", "The bone_age_months in row 2 of course.csv is no number (empty)"),
        ("male,96,90,a,,,", "The low_months in row 2 of course.csv is no number (a)"),
        ("male,400,90,,,,", "An age in row 2 of course.csv cannot be right. A chronological age"),
        ("male,96,900,,,,", "A bone age of 75 years is not possible"),
        ("male,96,90,80,,0.9,", "The prediction interval in row 2 of course.csv cannot be right"),
        ("male,96,90,100,80,0.9,", "The prediction interval in row 2"),
        ("male,96,90,80,100,90,", "the level is a share such as 0.9"),
        ("male,96,90,,,,31.03.2026", "is not like 2026-03-31 (31.03.2026)"),
        ("male,96,90,,,,\nfemale,99,90,,,,", "must be female in all rows or male in all rows"),
        ("boy,96,90,,,,", "must be female in all rows or male in all rows"),
    ],
)
def test_a_bad_cell_gets_a_sentence(rows, said):
    assert said in refusal(f"{HEADER}\n{rows}\n")


def test_another_file_gets_a_sentence():
    assert "no column sex and no column chronological_age_months" in refusal("id,boneage\n1,2\n")
    assert "has no rows of data" in refusal(HEADER)
    assert "is not a CSV file" in refusal("\x00\x01")
