from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from boneage.datasets.delimited import LabelError
from boneage.quiz.class_file import (
    COLUMNS,
    CaseSet,
    read_answers,
    read_class,
    reader_code,
    write_answers,
)

SET = CaseSet("Synthetic hands", 7, 6, 9)
HANDS = pd.DataFrame(
    {
        "id": [f"h{number}" for number in range(10)],
        "sex": ["female", "male"] * 5,
        "reference_months": np.arange(70, 110, 4),
    }
)
ANSWERS = [72.0, 75, 80, 84, 84, 96, 90, 100, 102, 111]


def written(reader: str = "KTRWPN", answers=ANSWERS, case_set: CaseSet = SET) -> bytes:
    return write_answers(HANDS.assign(prediction_months=answers), case_set, reader)


def test_answers_are_read_back_as_they_were_given():
    content = written()
    assert read_answers(content, "a.csv", SET, HANDS) == ("KTRWPN", ANSWERS)
    assert content.decode("utf-8-sig").splitlines()[:2] == [
        ",".join(COLUMNS),
        "Synthetic hands,7,6,9,KTRWPN,1,female,70,72.0",
    ]
    all_ages = CaseSet("Your own radiographs", 1)
    content = written(case_set=all_ages)
    assert "h0" not in content.decode()  # may be the name of a file
    assert read_answers(content, "a.csv", all_ages, HANDS)[1] == ANSWERS


def test_a_file_that_a_spreadsheet_has_sorted_and_saved_in_another_language_is_read():
    header, *rows = written().decode("utf-8-sig").splitlines()
    text = "\n".join([header, *sorted(rows, reverse=True)]).replace(",", ";").replace(".", ",")
    assert read_answers(text.encode("cp1252"), "a.csv", SET, HANDS) == ("KTRWPN", ANSWERS)


def test_codes_are_random_and_no_words_or_numbers():
    codes = {reader_code() for _ in range(50)}
    assert len(codes) > 45
    assert all(len(code) == 6 and not set(code) & set("AEIOUY0123456789") for code in codes)


def changed(old: str, new: str) -> bytes:
    return written().replace(old.encode(), new.encode())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\x89PNG\x00", r"a.csv is not a CSV file: it is not text"),
        (b"name\nAnna\n", "a.csv has no column cases, set, .*as it was downloaded"),
        (changed("answer_months", "answer"), "a.csv has no column answer_months"),
        (
            written(case_set=replace(SET, number=8)),
            r"a.csv is of another set \(Synthetic hands, set 8, 6 to 9 years\); choose that set "
            r"under Cases, or have the learner read the one chosen \(Synthetic hands, set 7, 6 to",
        ),
        (written(case_set=CaseSet("Average hands", 7)), r"another set \(Average hands, set 7\)"),
        (changed(",7,", ",,"), r"The set of a.csv is no number \(\"\"\)"),
        (changed(",4,male,82", ",4,male,83"), "has other hands than are shown here"),
        (changed("3,female", "3,male"), "has other hands"),
        (b"\n".join(written().splitlines()[:-1]), "has other hands"),
        (changed("1,female", "2,female"), "has other hands"),
        (changed(",75.0", ",six"), r'answer_months in row 3 of a.csv is not a .*300 \("six"\)'),
        (changed(",75.0", ",-1"), "answer_months in row 3"),
        (changed("KTRWPN,1,", "OTHER,1,"), "holds more than one result"),
        (changed("KTRWPN", "=1+1"), r'The reader of a.csv is "=1\+1"; write a code'),
        (written() + b"\n" * 100_000, "a.csv is too large"),
    ],
)
def test_what_is_no_result_of_the_set_gets_a_sentence(content, sentence):
    with pytest.raises(LabelError, match=sentence):
        read_answers(content, "a.csv", SET, HANDS)


def test_a_class_is_read_without_the_files_that_cannot_be_used():
    files = [
        ("a.csv", written("KKKKKK")),
        ("b.csv", b"nothing"),
        ("c.csv", written("LLLLLL", answers=ANSWERS[::-1])),
        ("d.csv", written("KKKKKK", answers=ANSWERS[::-1])),
    ]
    answers, problems = read_class(files, SET, HANDS)
    assert answers.to_dict("list") == {"KKKKKK": ANSWERS, "LLLLLL": ANSWERS[::-1]}
    assert list(answers.index) == list(range(1, 11))
    assert len(problems) == 2
    assert "b.csv has no rows" in problems[0]
    assert problems[1] == (
        "d.csv has the same reader as a.csv (KKKKKK) and is left out; remove one of the two."
    )
    assert read_class([], SET, HANDS)[0].empty
