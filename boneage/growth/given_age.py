"""What people say about the child of a radiograph, besides what its file states."""

from dataclasses import dataclass
from datetime import date

from boneage.growth.entries import ImpossibleEntry, age_on


@dataclass(frozen=True)
class GivenAge:
    """The age of a child, or the dates that give it.

    Attributes:
        age_months: chronological age on the day of the radiograph.
        birth: the date of birth.
        study: when the radiograph was taken; by default as its file states.

    Raises:
        ImpossibleEntry: both an age and a date of birth are given, a date of the radiograph without
            one of birth, or two dates that give no age of a child.
    """

    age_months: float | None = None
    birth: date | None = None
    study: date | None = None

    def __post_init__(self) -> None:
        if self.age_months is not None and self.birth is not None:
            raise ImpossibleEntry("Give the age or the date of birth, not both.")
        if self.study is not None:
            if self.birth is None:
                raise ImpossibleEntry(
                    "The date of the radiograph needs the date of birth beside it to give an age."
                )
            age_on(self.study, self.birth)

    def age_on(self, stated: date | None) -> float | None:
        """The chronological age on the day of a radiograph.

        Args:
            stated: when the radiograph was taken, as its file states; None where it does not.

        Returns:
            The age in months; None where nothing was said about it.

        Raises:
            ImpossibleEntry: the dates give no age of a child, or there is no date of the
                radiograph.

        Example:
            >>> round(GivenAge(birth=date(2014, 5, 31)).age_on(date(2026, 5, 31)), 1)
            144.0
        """
        if self.birth is None:
            return self.age_months
        study = self.study or stated
        if study is None:
            raise ImpossibleEntry(
                "The file does not state when the radiograph was taken: give its date "
                "(--study-date) beside the date of birth, or the age."
            )
        return age_on(study, self.birth)
