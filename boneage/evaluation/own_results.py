"""Predictions that a researcher brings along, from a CSV file."""

import csv
import io

import numpy as np
import pandas as pd

from boneage.errors import BoneAgeError

# What is needed -> the column names understood, in the order of preference.
_NAMES = {
    "id": ("id",),
    "age_months": ("age_months", "age", "boneage"),
    "sex": ("sex", "male"),
    "prediction_months": ("prediction_months", "prediction"),
}
# Name of the column -> its words.
_SEXES = {
    "sex": dict.fromkeys(("female", "f", "girl"), "female")
    | dict.fromkeys(("male", "m", "boy"), "male"),
    "male": {"false": "female", "0": "female", "true": "male", "1": "male"},
}
_OLDEST_MONTHS = 300
# So many rows without one above 25: in months that would be a study of infants, in years it is
# every study.
_OLDEST_YEARS, _ENOUGH_ROWS = 25, 5


class OwnResultsError(BoneAgeError):
    """A file of predictions cannot be used; the message is one sentence for people."""


def read_own_results(content: bytes) -> pd.DataFrame:
    """A predictions table from a CSV file, with split "own" and crop_method "unknown".

    Columns, in any order and case: id; age_months, age or boneage; sex (female, f, girl, male, m
    or boy) or male (true, 1, false or 0); prediction_months or prediction. Ages and predictions
    are in months. Fields are separated by commas or semicolons; decimals have a point or a comma.
    Empty rows and columns with other names are left out.

    Raises OwnResultsError.
    """
    header, rows = _read_table(content)
    found = _find_columns(header)
    texts = rows[[header.index(name) for name in found.values()]].set_axis(list(found), axis=1)
    cases = pd.DataFrame(
        {
            "id": _ids(texts["id"]),
            "split": "own",
            "sex": _sexes(texts["sex"], found["sex"]),
            "age_months": _numbers(texts["age_months"], found["age_months"]),
            "prediction_months": _numbers(texts["prediction_months"], found["prediction_months"]),
            "crop_method": "unknown",
        }
    )
    _check_months(cases)
    return cases.reset_index(drop=True)


def _read_table(content: bytes) -> tuple[list[str], pd.DataFrame]:
    """Column names in lower case, and the cells as text, indexed by the row of a spreadsheet."""
    lines = _read_lines(content)
    if len(lines) < 2:
        raise OwnResultsError(
            "The file has no rows of data; give column names in the first row and one image in "
            "each row below."
        )
    (_, header), *rows = lines
    width = len(header)
    for number, row in rows:
        if any(row[width:]):
            raise OwnResultsError(
                f"Row {number} has more fields than there are column names ({width}); where "
                "decimals have a comma, separate the fields by semicolons."
            )
    cells = [(row + [""] * width)[:width] for _, row in rows]
    return [name.lower() for name in header], pd.DataFrame(cells, [n for n, _ in rows], dtype=str)


def _read_lines(content: bytes) -> list[tuple[int, list[str]]]:
    """Number and stripped cells of every line that is not empty."""
    try:
        text = content.decode("utf-8-sig")
        if "\0" in text:
            raise csv.Error("a binary file")
        separator = ";" if ";" in text.lstrip().partition("\n")[0] else ","
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise OwnResultsError(
            'The file is not a CSV file; save the table from the spreadsheet as "CSV UTF-8".'
        ) from error
    return [(number, row) for number, row in lines if any(row)]


def _find_columns(header: list[str]) -> dict[str, str]:
    """What is needed -> the name of its column."""
    found = {
        wanted: next((name for name in names if name in header), None)
        for wanted, names in _NAMES.items()
    }
    if missing := [" or ".join(_NAMES[wanted]) for wanted, name in found.items() if name is None]:
        raise OwnResultsError(
            f"The file has no column {', and no column '.join(missing)}; "
            f"its columns are {_shortened(', '.join(header), 200)}."
        )
    return found


def _ids(texts: pd.Series) -> pd.Series:
    if (empty := texts == "").any():
        raise OwnResultsError(f"Row {empty.idxmax()} has no id; give every image its own.")
    if (again := texts.duplicated()).any():
        row = again.idxmax()
        first = (texts == texts[row]).idxmax()
        raise OwnResultsError(
            f"Rows {first} and {row} have the same id {_quoted(texts[row])}; give every image "
            "its own."
        )
    return texts


def _sexes(texts: pd.Series, column: str) -> pd.Series:
    words = _SEXES[column]
    sexes = texts.str.lower().map(words)
    if (unknown := sexes.isna()).any():
        row = unknown.idxmax()
        raise OwnResultsError(
            f"Row {row} has {_quoted(texts[row])} in the column {column}; "
            f"write {', '.join(list(words)[:-1])} or {list(words)[-1]}."
        )
    return sexes


def _numbers(texts: pd.Series, column: str) -> pd.Series:
    numbers = pd.to_numeric(texts.str.replace(",", "."), errors="coerce").astype(float)
    if (wrong := ~np.isfinite(numbers)).any():
        row = wrong.idxmax()
        raise OwnResultsError(
            f"Row {row} has {_quoted(texts[row])} in the column {column}, which is not a number; "
            "correct it or leave the row out."
        )
    return numbers


def _check_months(cases: pd.DataFrame) -> None:
    columns = {"ages": cases["age_months"], "predictions": cases["prediction_months"]}
    if len(cases) >= _ENOUGH_ROWS:
        years = [name for name, months in columns.items() if months.max() <= _OLDEST_YEARS]
        if years:
            raise OwnResultsError(
                f"The {' and '.join(years)} look like years, for none is above {_OLDEST_YEARS}; "
                "multiply them by 12, because months are expected."
            )
    age = cases["age_months"]
    if (absurd := ~age.between(0, _OLDEST_MONTHS)).any():
        row = absurd.idxmax()
        raise OwnResultsError(
            f"Row {row} has an age of {age[row]:g} months; give ages in months from 0 to "
            f"{_OLDEST_MONTHS} or leave the row out."
        )


def _quoted(text: str) -> str:
    return f'"{_shortened(text, 40)}"'


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
