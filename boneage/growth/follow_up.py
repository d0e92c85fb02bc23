"""The course of one child: bone ages of several radiographs, and how fast the hand matures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import NormalDist

import numpy as np

from boneage.errors import BoneAgeError
from boneage.evaluation.intervals import Z_95
from boneage.formatting import nearest_month
from boneage.growth.entries import check_age


class NoCourse(BoneAgeError):
    """Readings from which no rate can be told; str() is one sentence for people."""


@dataclass(frozen=True)
class Reading:
    """The bone age of one radiograph of the child.

    Attributes:
        chronological_age_months: on the day of the radiograph.
        bone_age_months: the bone age.
        interval: its prediction interval (low, high) in months; None without one.
        level: of the interval, in 0..1; None without one.
        name: of the file, or what people call the radiograph.
        taken: the day of the radiograph, where it is known.
        model: what predicted the bone age, so that readings of different models are told apart.
    """

    chronological_age_months: float
    bone_age_months: float
    interval: tuple[float, float] | None = None
    level: float | None = None
    name: str = ""
    taken: date | None = None
    model: str = ""

    @property
    def sd_months(self) -> float | None:
        """The SD of a normal error whose interval is as wide; None without an interval.

        Of an interval that was cut off at birth, the whole half counts.
        """
        if self.interval is None or self.level is None:
            return None
        low, high = self.interval
        half = max(high - self.bone_age_months, self.bone_age_months - low)
        return half / NormalDist().inv_cdf((1 + self.level) / 2)


@dataclass(frozen=True)
class Rate:
    """How fast the hand matures.

    Attributes:
        years_per_year: years of bone age per year of chronological age.
        low: lower limit of its 95% CI; None where a reading has no interval.
        high: upper limit of its 95% CI; None where a reading has no interval.
        n: number of readings.
        span_months: from the first to the last chronological age.
    """

    years_per_year: float
    low: float | None
    high: float | None
    n: int
    span_months: float


def in_order(readings: Sequence[Reading]) -> list[Reading]:
    """The readings by chronological age.

    Args:
        readings: of one child.

    Returns:
        The readings, youngest first.

    Raises:
        ImpossibleEntry: a chronological age is none of a child.
    """
    for reading in readings:
        check_age(reading.chronological_age_months)
    return sorted(readings, key=lambda reading: reading.chronological_age_months)


def without_repeats(earlier: Sequence[Reading], new: Sequence[Reading]) -> list[Reading]:
    """The earlier readings of which there is no new one: a radiograph must not count twice.

    Args:
        earlier: readings of a file.
        new: readings of radiographs that were uploaded beside it.

    Returns:
        Those of `earlier` with another name, or at another age to the nearest month.
    """
    known = {(one.name, nearest_month(one.chronological_age_months)) for one in new}
    return [
        one
        for one in earlier
        if not one.name or (one.name, nearest_month(one.chronological_age_months)) not in known
    ]


def maturation_rate(readings: Sequence[Reading]) -> Rate:
    """The mean rate of maturation over all readings, by weighted least squares.

    A line is fitted through bone age against chronological age, each reading weighted by 1 / SD²
    (of two readings: the difference of the bone ages over that of the chronological ages). The CI
    takes the errors of the readings for independent and normal, with the SDs that their prediction
    intervals imply. Errors that all readings of a child share cancel out, so that the CI is then
    too wide. Without the interval of a reading all count alike, and there is no CI.

    Args:
        readings: of one child, in any order.

    Returns:
        The rate with its 95% CI.

    Raises:
        ImpossibleEntry: a chronological age is none of a child.
        NoCourse: there are not two readings at different ages.

    Example:
        >>> rate = maturation_rate([
        ...     Reading(96, 90, (80, 100), 0.9), Reading(120, 126, (116, 136), 0.9)
        ... ])
        >>> round(rate.years_per_year, 2), round(rate.low, 2), round(rate.high, 2)
        (1.5, 0.8, 2.2)
    """
    readings = in_order(readings)
    ages = np.array([reading.chronological_age_months for reading in readings])
    if len(ages) < 2 or ages[0] == ages[-1]:
        raise NoCourse(
            "A rate of maturation needs radiographs at two or more ages: add an earlier or a later "
            "one, or correct the ages."
        )
    bone_ages = np.array([reading.bone_age_months for reading in readings])
    sds = [sd for reading in readings if (sd := reading.sd_months) is not None]
    known = len(sds) == len(readings) and min(sds) > 0
    weights = np.array(sds) ** -2 if known else np.ones(len(readings))
    off = ages - np.average(ages, weights=weights)
    spread = (weights * off**2).sum()
    slope = float((weights * off * bone_ages).sum() / spread)
    margin = Z_95 / float(np.sqrt(spread)) if known else None
    low, high = (None, None) if margin is None else (slope - margin, slope + margin)
    return Rate(slope, low, high, len(readings), float(ages[-1] - ages[0]))
