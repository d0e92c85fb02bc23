"""Adult height from bone age (Bayley-Pinneau) and from the parents' heights (Tanner)."""

from dataclasses import dataclass

from boneage.formatting import CHILDREN, age_in_words, nearest_month
from boneage.growth.entries import check_age, check_height
from boneage.growth.reference import (
    ACCELERATED,
    AVERAGE,
    DELAYED,
    OutsideTable,
    height_column,
)

_GROUP_DIFFERENCE = 12  # months, of the ages as people read them
_SEX_DIFFERENCE_CM = 13.0  # between adult men and women, of which a parent's height gets half
_TARGET_RANGE_CM = 8.5


@dataclass(frozen=True)
class AdultHeight:
    """A predicted adult height.

    Attributes:
        cm: the height.
        low_cm: at the upper limit of the prediction interval of the bone age; None without one.
        high_cm: at the lower limit; None without one.
        range_is_cut: whether the interval reaches past the table, so that the range is that of the
            part of the interval that the table covers.
        percent: of the adult height reached at the bone age.
        group: AVERAGE, ACCELERATED or DELAYED.
        sex: "female" or "male".
    """

    cm: float
    low_cm: float | None
    high_cm: float | None
    range_is_cut: bool
    percent: float
    group: str
    sex: str


@dataclass(frozen=True)
class TargetHeight:
    """The adult height to expect from the parents' heights.

    Attributes:
        cm: the height.
        low_cm: lower end of its range.
        high_cm: upper end of its range.
    """

    cm: float
    low_cm: float
    high_cm: float


def maturity_group(bone_age_months: float, chronological_age_months: float) -> str:
    """The group of the Bayley-Pinneau tables.

    The ages count to the nearest month, as people read them, so that the group agrees with them.

    Args:
        bone_age_months: the bone age.
        chronological_age_months: the chronological age.

    Returns:
        ACCELERATED where the bone age is at least 12 months ahead of the chronological age, DELAYED
        where it is at least 12 months behind, else AVERAGE.
    """
    ahead = nearest_month(bone_age_months) - nearest_month(chronological_age_months)
    if abs(ahead) < _GROUP_DIFFERENCE:
        return AVERAGE
    return ACCELERATED if ahead > 0 else DELAYED


def predict_adult_height(
    height_cm: float,
    bone_age_months: float,
    interval: tuple[float, float] | None,
    chronological_age_months: float,
    sex: str,
) -> AdultHeight:
    """Adult height from the height on the day of the radiograph.

    Height divided by the share of the adult height that children of this bone age have reached,
    linear between the rows of the table (Bayley N, Pinneau SR. J Pediatr 1952;40:423-441). The
    range is that of the prediction interval of the bone age in the same group; errors of the method
    are not in it.

    Args:
        height_cm: on the day of the radiograph.
        bone_age_months: the bone age.
        interval: its prediction interval (low, high) in months; None where there is none.
        chronological_age_months: the chronological age, which tells the group.
        sex: "female" or "male".

    Returns:
        The predicted adult height.

    Raises:
        ImpossibleEntry: the height or the chronological age is impossible.
        OutsideTable: there is no table for this bone age.

    Example:
        >>> round(predict_adult_height(140, 126, None, 126, "male").cm, 1)
        176.1
    """
    check_height(height_cm)
    group = maturity_group(bone_age_months, check_age(chronological_age_months))
    column = height_column(sex, group)
    if not column.covers(bone_age_months):
        raise _outside(bone_age_months, sex, group)
    percent = column.at(bone_age_months)
    low_cm = high_cm = None
    is_cut = False
    if interval is not None:
        is_cut = not all(column.covers(limit) for limit in interval)
        # The more of the adult height is reached, the less is to come.
        high_cm, low_cm = (100 * height_cm / column.at(limit) for limit in interval)
    cm = 100 * height_cm / percent
    return AdultHeight(cm, low_cm, high_cm, is_cut, percent, group, sex)


def target_height(mother_cm: float, father_cm: float, sex: str) -> TargetHeight:
    """The mean of the parents' heights, corrected for sex.

    Tanner JM, Goldstein H, Whitehouse RH. Arch Dis Child 1970;45:755-762.

    Args:
        mother_cm: the mother's height.
        father_cm: the father's height.
        sex: of the child, "female" or "male".

    Returns:
        The target height, with its range of 8.5 cm to either side.

    Raises:
        ImpossibleEntry: one of the heights is impossible.

    Example:
        >>> target_height(165, 180, "male")
        TargetHeight(cm=179.0, low_cm=170.5, high_cm=187.5)
    """
    both = check_height(mother_cm, "mother") + check_height(father_cm, "father")
    cm = (both + (_SEX_DIFFERENCE_CM if sex == "male" else -_SEX_DIFFERENCE_CM)) / 2
    return TargetHeight(cm, cm - _TARGET_RANGE_CM, cm + _TARGET_RANGE_CM)


def _outside(bone_age_months: float, sex: str, group: str) -> OutsideTable:
    ages = height_column(sex, group).ages
    return OutsideTable(
        f"The Bayley-Pinneau tables have {CHILDREN[sex]} of the {group} group with a bone age from "
        f"{age_in_words(ages[0])} to {age_in_words(ages[-1])}. This bone age is "
        f"{'lower' if bone_age_months < ages[0] else 'higher'}, so no adult height is predicted."
    )
