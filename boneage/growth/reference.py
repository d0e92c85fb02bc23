"""The published tables in `tables/`, in months and percent; outside of its ages a table is silent.

brush_foundation.csv   mean and SD of skeletal age by chronological age: Brush Foundation study,
                       in Greulich WW, Pyle SI 1959. `deviation` does not use the means.
greulich_pyle_sd.csv   SD of skeletal age by chronological age: the same book, tables V and VI.
bayley_pinneau.csv     percent of adult height reached at a skeletal age: Bayley N, Pinneau SR
                       1952.
"""

import csv
import functools
from bisect import bisect
from dataclasses import dataclass
from pathlib import Path

from boneage.errors import BoneAgeError
from boneage.formatting import CHILDREN, age_in_words

BRUSH_FOUNDATION, GREULICH_PYLE = "brush_foundation", "greulich_pyle"
AVERAGE, ACCELERATED, DELAYED = "average", "accelerated", "delayed"

_ATLAS = (
    "Greulich WW, Pyle SI. Radiographic Atlas of Skeletal Development of the Hand and Wrist. "
    "2nd ed. Stanford 1959"
)
# Table of SDs -> its title and its source.
SD_TABLES = {BRUSH_FOUNDATION: "Brush Foundation", GREULICH_PYLE: "Greulich-Pyle"}
SOURCES = {
    BRUSH_FOUNDATION: f"Brush Foundation study, in {_ATLAS}.",
    GREULICH_PYLE: f"{_ATLAS}, tables V and VI.",
}
BAYLEY_PINNEAU_SOURCE = "Bayley N, Pinneau SR. J Pediatr 1952;40:423-441."

_FOLDER = Path(__file__).with_name("tables")


class OutsideTable(BoneAgeError):
    """An age that a table does not cover; str() is one sentence for people."""


@dataclass(frozen=True)
class Column:
    """One column of a table, by age.

    Attributes:
        ages: of the rows in months, ascending.
        values: one an age.
    """

    ages: tuple[float, ...]
    values: tuple[float, ...]

    def covers(self, months: float) -> bool:
        """Whether an age lies within the rows, both ends included."""
        return self.ages[0] <= months <= self.ages[-1]

    def at(self, months: float) -> float:
        """The value at an age, linear between the rows; past them, that of the nearest row."""
        above = bisect(self.ages, months)
        if above in (0, len(self.ages)):
            return self.values[min(above, len(self.ages) - 1)]
        (age, next_age), (value, next_value) = (
            column[above - 1 : above + 1] for column in (self.ages, self.values)
        )
        return value + (months - age) / (next_age - age) * (next_value - value)


@functools.cache
def sd_column(table: str, sex: str) -> Column:
    """The SD of skeletal age by chronological age.

    Args:
        table: BRUSH_FOUNDATION or GREULICH_PYLE.
        sex: "female" or "male".

    Returns:
        Ages and SDs in months.
    """
    file = {BRUSH_FOUNDATION: "brush_foundation.csv", GREULICH_PYLE: "greulich_pyle_sd.csv"}[table]
    return _column(file, "chronological_age_months", "sd_months", sex=sex)


@functools.cache
def mean_column(sex: str) -> Column:
    """The mean skeletal age of healthy children by chronological age (Brush Foundation).

    Args:
        sex: "female" or "male".

    Returns:
        Ages and means in months.
    """
    ages, means = "chronological_age_months", "mean_skeletal_age_months"
    return _column("brush_foundation.csv", ages, means, sex=sex)


@functools.cache
def height_column(sex: str, maturity: str) -> Column:
    """The percentage of adult height by skeletal age (Bayley-Pinneau).

    Args:
        sex: "female" or "male".
        maturity: AVERAGE, ACCELERATED or DELAYED.

    Returns:
        Skeletal ages in months and percentages.
    """
    ages = "skeletal_age_months"
    return _column(
        "bayley_pinneau.csv", ages, "percent_of_adult_height", sex=sex, maturity=maturity
    )


def sd_at(table: str, sex: str, chronological_age_months: float) -> float:
    """The SD of skeletal age at a chronological age, linear between the ages of the table.

    Args:
        table: BRUSH_FOUNDATION or GREULICH_PYLE.
        sex: "female" or "male".
        chronological_age_months: the age.

    Returns:
        The SD in months.

    Raises:
        OutsideTable: the table does not cover the age.
    """
    column = sd_column(table, sex)
    if column.covers(chronological_age_months):
        return column.at(chronological_age_months)
    child = "younger" if chronological_age_months < column.ages[0] else "older"
    others = [
        title
        for other, title in SD_TABLES.items()
        if sd_column(other, sex).covers(chronological_age_months)
    ]
    remedy = f"; the {others[0]} table covers this age" if others else ""
    raise OutsideTable(
        f"The {SD_TABLES[table]} table covers {CHILDREN[sex]} from {age_in_words(column.ages[0])} "
        f"to {age_in_words(column.ages[-1])} of age. This child is {child}, so no SD is "
        f"given{remedy}."
    )


def _column(file: str, ages: str, values: str, **chosen: str) -> Column:
    with (_FOLDER / file).open(encoding="utf-8", newline="") as rows:
        found = [
            (float(row[ages]), float(row[values]))
            for row in csv.DictReader(rows)
            if all(row[name] == value for name, value in chosen.items())
        ]
    return Column(*zip(*found, strict=True))
