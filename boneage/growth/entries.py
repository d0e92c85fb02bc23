"""What people enter about a child, checked: an impossible entry gets a sentence."""

import re
from datetime import date

from boneage.errors import BoneAgeError
from boneage.formatting import age_in_words

MAX_AGE_MONTHS = 300.0  # 25 years: nobody's hand grows after that
MIN_HEIGHT_CM, MAX_HEIGHT_CM = 50.0, 250.0
_CM_PER_INCH = 2.54
DAYS_PER_MONTH = 365.25 / 12


class ImpossibleEntry(BoneAgeError):
    """An age, date or height that cannot be right; str() is one sentence for people."""


def check_age(months: float, what: str = "chronological age") -> float:
    """Refuse an age that no child has.

    Args:
        months: the age.
        what: whose or which age, for the sentence.

    Returns:
        The age, unchanged.

    Raises:
        ImpossibleEntry: it is negative, over 25 years, or not a number.
    """
    if not 0 <= months <= MAX_AGE_MONTHS:
        given = f" of {age_in_words(months)}" if abs(months) < 1e6 else ""
        raise ImpossibleEntry(
            f"A {what}{given} is not possible here: enter an age from 0 to "
            f"{MAX_AGE_MONTHS / 12:.0f} years."
        )
    return months


def age_from(years: float | None, months: float | None) -> float | None:
    """An age of which years, months or both were entered, in months; None where neither was."""
    if years is None and months is None:
        return None
    return 12.0 * (years or 0) + (months or 0)


def check_height(cm: float, whose: str = "child") -> float:
    """Refuse a height that nobody has, such as one in millimeters or meters.

    Args:
        cm: the height.
        whose: "child", "mother" or "father", for the sentence.

    Returns:
        The height, unchanged.

    Raises:
        ImpossibleEntry: it is below 50 cm, above 250 cm, or not a number.
    """
    if not MIN_HEIGHT_CM <= cm <= MAX_HEIGHT_CM:
        raise ImpossibleEntry(
            f"A height of {cm:,.10g} cm is not possible for the {whose}: enter the height in "
            f"centimeters, from {MIN_HEIGHT_CM:.0f} to {MAX_HEIGHT_CM:.0f}."
        )
    return cm


def cm_from_feet(feet: float, inches: float = 0.0) -> float:
    """A height in feet and inches, in centimeters.

    Args:
        feet: whole feet.
        inches: further inches, below 12.

    Returns:
        Centimeters.

    Raises:
        ImpossibleEntry: one of both is negative, or there are 12 inches or more.
    """
    if not (feet >= 0 and 0 <= inches < 12):
        raise ImpossibleEntry(
            f"A height of {feet:g} feet {inches:g} inches is not possible: enter whole feet, and "
            "from 0 to less than 12 inches."
        )
    return (12 * feet + inches) * _CM_PER_INCH


def feet_from_cm(cm: float) -> tuple[int, float]:
    """Whole feet and inches of a height, inches rounded to one decimal."""
    inches = round(cm / _CM_PER_INCH, 1)
    return int(inches // 12), round(inches % 12, 1)


def age_on(study: date, birth: date) -> float:
    """The chronological age on the day of a radiograph, in months of 30.44 days.

    Args:
        study: when the radiograph was taken.
        birth: the date of birth.

    Returns:
        The age in months.

    Raises:
        ImpossibleEntry: the radiograph was taken before birth or at over 25 years.
    """
    if study < birth:
        raise ImpossibleEntry(
            f"The radiograph of {study} was taken before the date of birth, {birth}: correct one "
            "of the dates."
        )
    return check_age((study - birth).days / DAYS_PER_MONTH, f"age on {study}")


def parse_age(text: str) -> float:
    """An age as typed: years, such as "12.75", or years and months, such as "12y9m" or "9m".

    Args:
        text: what was typed.

    Returns:
        The age in months.

    Raises:
        ImpossibleEntry: it is no such text, or no age of a child.

    Example:
        >>> parse_age("12y9m"), parse_age("12.75"), parse_age("8m")
        (153.0, 153.0, 8.0)
    """
    short = text.replace(" ", "").casefold()
    if years := re.fullmatch(r"-?\d+(\.\d+)?", short):
        return check_age(12 * float(years[0]))
    parts = re.fullmatch(r"(?:(\d+)y)?(?:(\d+)m)?", short)
    if not short or parts is None:
        raise ImpossibleEntry(
            f"{text!r} is not an age: write years, such as 12.75, or years and months, such as "
            "12y9m."
        )
    return check_age(12.0 * int(parts[1] or 0) + int(parts[2] or 0))


def parse_date(text: str) -> date:
    """A date as typed.

    Args:
        text: "2014-05-31".

    Returns:
        The date.

    Raises:
        ImpossibleEntry: it is no such text, or no day of the calendar.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ImpossibleEntry(
            f"{text!r} is not a date: write year, month and day, such as 2014-05-31."
        ) from None


def parse_height(text: str) -> float:
    """A height as typed: centimeters, such as "140.5", or feet and inches, such as "4ft7in".

    Args:
        text: what was typed.

    Returns:
        Centimeters.

    Raises:
        ImpossibleEntry: it is no such text, or nobody's height.

    Example:
        >>> parse_height("140.5 cm"), round(parse_height("4ft7in"), 1)
        (140.5, 139.7)
    """
    short = text.replace(" ", "").casefold()
    if centimeters := re.fullmatch(r"(-?\d+(?:\.\d+)?)(?:cm)?", short):
        return check_height(float(centimeters[1]))
    feet = re.fullmatch(r"(\d+)(?:ft|')(?:(\d+(?:\.\d+)?)(?:in|\")?)?", short)
    if feet is None:
        raise ImpossibleEntry(
            f"{text!r} is not a height: write centimeters, such as 140.5, or feet and inches, such "
            "as 4ft7in."
        )
    return check_height(cm_from_feet(float(feet[1]), float(feet[2] or 0)))
