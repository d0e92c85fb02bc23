"""The course of one child as a CSV file, to be continued another day.

One row a radiograph, see `COLUMNS`. Numbers have all their digits, so that a file that is read back
gives the same course.
"""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from boneage.datasets.delimited import LabelError, read_cells, shortened, to_numbers
from boneage.growth.entries import ImpossibleEntry, check_age
from boneage.growth.follow_up import Reading
from boneage.sexes import SEXES

_AGES = ["chronological_age_months", "bone_age_months"]
_LIMITS = ["low_months", "high_months"]
# Column -> what it holds, for people. Only those of _NEEDED must be there and filled in.
COLUMNS = {
    "radiograph": "Name of the file",
    "date": "Day of the radiograph, YYYY-MM-DD; may be empty",
    "sex": "female or male, the same in all rows",
    "chronological_age_months": "On the day of the radiograph, in months",
    "bone_age_months": "In months",
    "low_months": "Lower limit of the prediction interval, in months; may be empty",
    "high_months": "Upper limit, in months; may be empty",
    "interval_level": "Level of the prediction interval, such as 0.9; may be empty",
    "model": "Models and versions of the weights; may be empty",
}
_NEEDED = ("sex", *_AGES)


def write_course(readings: Sequence[Reading], sex: str) -> bytes:
    """The CSV file of a course.

    Args:
        readings: of one child.
        sex: "female" or "male".

    Returns:
        The file, UTF-8 with a byte order mark. A name that a spreadsheet would take for a formula
        gets an apostrophe in front, which `read_course` takes away.
    """
    rows = []
    for reading in readings:
        low, high = reading.interval or (None, None)
        name = " ".join(reading.name.split())
        rows.append(
            {
                "radiograph": f"'{name}" if name[:1] in tuple("'=+-@") else name,
                "date": reading.taken,
                "sex": sex,
                "chronological_age_months": reading.chronological_age_months,
                "bone_age_months": reading.bone_age_months,
                "low_months": low,
                "high_months": high,
                "interval_level": reading.level,
                "model": reading.model,
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(index=False).encode("utf-8-sig")


def read_course(content: bytes, title: str) -> tuple[list[Reading], str]:
    """Read the CSV file of a course.

    Args:
        content: of the file.
        title: what errors call it.

    Returns:
        The readings as they stand in the file, and the sex, "female" or "male".

    Raises:
        LabelError: it is not such a file, or a cell cannot be right; the sentence names it.
    """
    cells = read_cells(content, title)
    if missing := [name for name in _NEEDED if name not in cells]:
        raise LabelError(
            f"{title} has no column {' and no column '.join(missing)}; upload a file that was "
            "downloaded from this page, with its column names unchanged."
        )
    cells = cells.reindex(columns=list(COLUMNS), fill_value="")
    sexes = set(cells["sex"])
    if len(sexes) != 1 or not sexes <= set(SEXES):
        raise LabelError(
            f"The column sex of {title} must be female in all rows or male in all rows, as the "
            "file is about one child."
        )
    return [_reading(row, title) for _, row in cells.iterrows()], sexes.pop()


def _reading(row: pd.Series, title: str) -> Reading:
    where = f"row {row.name} of {title}"
    numbers = to_numbers(row[[*_AGES, *_LIMITS, "interval_level"]])
    for name, number in numbers.items():
        if pd.isna(number) and (row[name] or name in _AGES):
            given = shortened(row[name], 40) or "empty"
            raise LabelError(f"The {name} in {where} is no number ({given}); correct it.")
    age, bone_age, low, high, level = map(float, numbers)
    try:
        check_age(age)
        check_age(abs(bone_age), "bone age")  # models may predict before birth
    except ImpossibleEntry as error:
        raise LabelError(f"An age in {where} cannot be right. {error}") from error
    given = numbers[[*_LIMITS, "interval_level"]].notna()
    if given.any() and not (given.all() and 0 <= low <= high and 0 < level < 1):
        raise LabelError(
            f"The prediction interval in {where} cannot be right: low_months, high_months and "
            "interval_level belong together, low_months is the lower limit, and the level is a "
            "share such as 0.9."
        )
    return Reading(
        age,
        bone_age,
        (low, high) if given.all() else None,
        level if given.all() else None,
        row["radiograph"].removeprefix("'"),
        _date(row["date"], where),
        row["model"],
    )


def _date(text: str, where: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise LabelError(
            f"The date in {where} is not like 2026-03-31 ({shortened(text, 40)}); correct it."
        ) from error
