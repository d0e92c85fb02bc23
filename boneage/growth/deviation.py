"""The difference between bone age and chronological age, in SD for age and sex.

The difference is measured from the chronological age, as radiology reports do; the SD is that of
the table at this age. The means of the Brush Foundation table are not used, so that both tables
differ in their SDs only.
"""

from dataclasses import dataclass

from boneage.growth.entries import check_age
from boneage.growth.reference import BRUSH_FOUNDATION, sd_at

NORMAL, ADVANCED, DELAYED = "normal", "advanced", "delayed"
LIMIT = 2.0  # SD; beyond it, and not at it, a bone age is advanced or delayed


@dataclass(frozen=True)
class Deviation:
    """How far a bone age lies from the chronological age.

    Attributes:
        bone_age_months: the bone age.
        chronological_age_months: the chronological age.
        sex: "female" or "male".
        table: of the SD, a key of `reference.SD_TABLES`.
        sd_months: SD at this chronological age.
        z: (bone age - chronological age) / SD.
        interval_z: the same for the limits of the prediction interval; None without one.
    """

    bone_age_months: float
    chronological_age_months: float
    sex: str
    table: str
    sd_months: float
    z: float
    interval_z: tuple[float, float] | None = None

    @property
    def status(self) -> str:
        """NORMAL, ADVANCED or DELAYED."""
        return status_of(self.z)

    @property
    def not_excluded(self) -> tuple[str, ...]:
        """Other statuses that the prediction interval reaches, from delayed to advanced."""
        if self.interval_z is None:
            return ()
        order = (DELAYED, NORMAL, ADVANCED)
        first, last = (order.index(status_of(z)) for z in self.interval_z)
        return tuple(each for each in order[first : last + 1] if each != self.status)


def deviation(
    bone_age_months: float,
    interval: tuple[float, float] | None,
    chronological_age_months: float,
    sex: str,
    table: str = BRUSH_FOUNDATION,
) -> Deviation:
    """Compare a bone age with the chronological age.

    Args:
        bone_age_months: the bone age.
        interval: its prediction interval (low, high) in months; None where there is none.
        chronological_age_months: the chronological age.
        sex: "female" or "male".
        table: of the SD, a key of `reference.SD_TABLES`.

    Returns:
        The difference in SD, with what the prediction interval leaves open.

    Raises:
        ImpossibleEntry: the chronological age is none of a child.
        OutsideTable: the table does not cover the chronological age.

    Example:
        >>> found = deviation(165, (158, 174), 144, "male")
        >>> round(found.z, 2), found.status, found.not_excluded
        (2.02, 'advanced', ('normal',))
    """
    age = check_age(chronological_age_months)
    sd = sd_at(table, sex, age)
    interval_z = None
    if interval is not None:
        low, high = interval
        interval_z = (low - age) / sd, (high - age) / sd
    z = (bone_age_months - age) / sd
    return Deviation(bone_age_months, age, sex, table, sd, z, interval_z)


def status_of(z: float) -> str:
    """NORMAL within 2 SD, limits included; ADVANCED above, DELAYED below."""
    if abs(z) <= LIMIT:
        return NORMAL
    return ADVANCED if z > 0 else DELAYED
