"""The radiographs of one child as a table in which dates and ages can be corrected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from boneage.formatting import age_in_short, nearest_month
from boneage.growth.entries import ImpossibleEntry, age_from, age_on, check_age
from boneage.growth.follow_up import Reading
from boneage.growth.text import sd_in_short, whole_years

AGE_MISSING = "Enter the age, or the date of birth and the date of the radiograph."
LEFT_OUT = "Left out."


@dataclass(frozen=True)
class Row:
    """One radiograph of the child.

    Attributes:
        name: of the file.
        bone_age_months: None where there is none; `note` then says why.
        interval: prediction interval (low, high) in months; None without one.
        level: of the interval, in 0..1; None without one.
        model: what predicted the bone age.
        taken: the day of the radiograph, where it is known.
        stated_age_months: chronological age that the file states.
        entered_age_months: chronological age that was entered; it counts before all others.
        use: whether the radiograph counts.
        note: why there is no bone age, or what to know of it.
    """

    name: str
    bone_age_months: float | None = None
    interval: tuple[float, float] | None = None
    level: float | None = None
    model: str = ""
    taken: date | None = None
    stated_age_months: float | None = None
    entered_age_months: float | None = None
    use: bool = True
    note: str = ""

    def age_months(self, birth: date | None) -> float | None:
        """The chronological age: as entered, else from the dates, else as the file states it.

        Args:
            birth: the date of birth, where it is known.

        Returns:
            The age in months; None where nothing tells it.

        Raises:
            ImpossibleEntry: the age is none of a child, or the radiograph was taken before birth.
        """
        if self.entered_age_months is not None:
            return check_age(self.entered_age_months)
        if birth and self.taken:
            return age_on(self.taken, birth)
        return None if self.stated_age_months is None else check_age(self.stated_age_months)

    def reading(self, birth: date | None) -> Reading | None:
        """The reading; None where the bone age or the age is missing, or it is not to be used.

        Args:
            birth: the date of birth, where it is known.

        Raises:
            ImpossibleEntry: see `age_months`.
        """
        age = self.age_months(birth)
        if not self.use or age is None or self.bone_age_months is None:
            return None
        return Reading(
            age, self.bone_age_months, self.interval, self.level, self.name, self.taken, self.model
        )


def readings_of(rows: Sequence[Row], birth: date | None) -> list[Reading]:
    """The readings of all rows that have one; rows with an impossible age are left out."""
    found = []
    for row in rows:
        try:
            reading = row.reading(birth)
        except ImpossibleEntry:
            continue  # the table says so in its row
        if reading:
            found.append(reading)
    return found


def course_table(
    rows: Sequence[Row], birth: date | None, sex: str | None, table: str
) -> pd.DataFrame:
    """The rows as people read them.

    Args:
        rows: the radiographs.
        birth: the date of birth, where it is known.
        sex: "female" or "male"; None while it is unknown.
        table: of the SD, a key of `reference.SD_TABLES`.

    Returns:
        One row a radiograph: use, radiograph, date, years, months, bone_age, low, high, sd, note.
        years and months are the chronological age; what is not known is missing.
    """
    columns = [
        "use", "radiograph", "date", "years", "months", "bone_age", "low", "high", "sd", "note",
    ]  # fmt: skip
    shown = pd.DataFrame([_shown(row, birth, sex, table) for row in rows], columns=columns)
    return shown.astype({"years": "Int64", "months": "Int64", "date": "datetime64[s]"})


def edits(changes: Mapping[str, object], shown: pd.Series) -> dict[str, object]:
    """What a person changed in one row of `course_table`.

    Args:
        changes: column -> new value, of the columns use, date (ISO text), years and months; None
            where it was cleared.
        shown: the row before the change.

    Returns:
        Attribute of `Row` -> its new value. Clearing the years or the months clears the age that
        was entered, so that the dates or the file tell it.
    """
    found: dict[str, object] = {}
    if "use" in changes:
        found["use"] = bool(changes["use"])
    if "date" in changes:
        text = changes["date"]
        found["taken"] = date.fromisoformat(str(text)[:10]) if text else None
    if parts := changes.keys() & {"years", "months"}:
        known = shown[["years", "months"]].dropna().to_dict()
        age = {"years": None, "months": None} | known | dict(changes)
        cleared = any(changes[part] is None for part in parts)
        found["entered_age_months"] = None if cleared else age_from(age["years"], age["months"])
    return found


def _shown(row: Row, birth: date | None, sex: str | None, table: str) -> dict:
    age = reading = None
    note = row.note
    try:
        age, reading = row.age_months(birth), row.reading(birth)
        if age is None:
            note = note or AGE_MISSING
        elif age == row.stated_age_months and row.entered_age_months is None:
            note = note or whole_years(age) or ""
    except ImpossibleEntry as error:
        note = str(error)
    if not row.use:
        note = LEFT_OUT
    years, months = (None, None) if age is None else divmod(nearest_month(age), 12)
    low, high = row.interval or (None, None)
    ages = {"bone_age": row.bone_age_months, "low": low, "high": high}
    return {
        "use": row.use,
        "radiograph": row.name,
        "date": row.taken,
        "years": years,
        "months": months,
        **{name: None if value is None else age_in_short(value) for name, value in ages.items()},
        "sd": sd_in_short(reading, sex, table) if reading and sex else None,
        "note": note,
    }
