"""What a bone age means, in sentences of Markdown. Ages are in months, heights in centimeters."""

from collections.abc import Collection, Sequence

from boneage.formatting import (
    CHILDREN,
    CI_95,
    age_in_words,
    counted,
    duration_in_words,
    nearest_month,
    share,
)
from boneage.growth.adult_height import AdultHeight, TargetHeight
from boneage.growth.deviation import ADVANCED, DELAYED, LIMIT, NORMAL, Deviation, deviation
from boneage.growth.entries import feet_from_cm
from boneage.growth.follow_up import Rate, Reading
from boneage.growth.reference import (
    ACCELERATED,
    AVERAGE,
    BAYLEY_PINNEAU_SOURCE,
    SD_TABLES,
    SOURCES,
    OutsideTable,
    height_column,
)

_A = {DELAYED: "a delayed", NORMAL: "a normal", ADVANCED: "an advanced"}
_GROUPS = {
    AVERAGE: "average group, bone age less than 12 months from chronological age",
    ACCELERATED: "accelerated group, bone age 12 months or more ahead of chronological age",
    DELAYED: "delayed group, bone age 12 months or more behind chronological age",
}
_WIDE_RATE = 1.0  # width of a CI in years a year from which on its width is explained

TANNER_SOURCE = "Tanner JM, Goldstein H, Whitehouse RH. Arch Dis Child 1970;45:755-762."
ABOUT_RATE = (
    "Rate: slope of a line through all radiographs, each weighted by 1/SD². The 95% CI assumes "
    "independent normal errors, with the SD that the prediction interval implies. Errors that all "
    "radiographs of a child share cancel out, so that the CI is rather too wide."
)
ABOUT_HEIGHT = (
    "The range covers the uncertainty of the bone age only, not the error of the method. "
    f"Adult height: {BAYLEY_PINNEAU_SOURCE} Target height: {TANNER_SOURCE}"
)


def ahead_or_behind(bone_age: float, chronological_age: float) -> str:
    """One sentence comparing bone age and chronological age."""
    return f"Bone age {_difference(bone_age, chronological_age)}."


def deviation_in_words(found: Deviation, level: float | None = None) -> str:
    """Whether a bone age is normal, in SD, and what its prediction interval leaves open.

    Args:
        found: the comparison.
        level: of the prediction interval, in 0..1; needed where there is one.

    Returns:
        Two or three sentences.
    """
    age = age_in_words(found.chronological_age_months)
    sentences = [
        f"**{found.status.capitalize()} ({sd_in_words(found.z)} SD).** Bone age "
        f"{_difference(found.bone_age_months, found.chronological_age_months)}; 1 SD is "
        f"{found.sd_months:.1f} months for {CHILDREN[found.sex]} of {age} "
        f"({SD_TABLES[found.table]})."
    ]
    if found.interval_z is not None and level is not None:
        low, high = map(sd_in_words, found.interval_z)
        sentences.append(
            f"The {share(level)} prediction interval reaches from {low} to {high} SD"
            f"{_left_open(found)}."
        )
    return " ".join(sentences)


def sd_in_words(z: float) -> str:
    """SDs with a sign and one decimal; more where one would move them across the limit of 2 SD."""
    for digits in range(1, 7):
        text = f"{z:+.{digits}f}"
        if (abs(float(text)) > LIMIT) == (abs(z) > LIMIT):
            break
    return "0.0" if float(text) == 0 else text.replace("-", "−")


def whole_years(chronological_age: float) -> str | None:
    """A sentence on an age in whole years, as DICOM headers often state it; None of any other."""
    if chronological_age % 12:
        return None
    return "Chronological age in whole years: enter months too where known, as they change the SD."


def sd_in_short(reading: Reading, sex: str, table: str) -> str | None:
    """The SD of a reading for tables: "+1.3"; None at an age that the table of SDs lacks."""
    try:
        age = reading.chronological_age_months
        return sd_in_words(deviation(reading.bone_age_months, None, age, sex, table).z)
    except OutsideTable:
        return None


def about_deviation(table: str) -> str:
    """How normal is told, and the source of a table of SDs."""
    return (
        f"Normal: chronological age ± {LIMIT:g} SD, limits included. SDs of healthy children in "
        f"the United States; other populations may differ. Source: {SOURCES[table]}"
    )


def height_in_words(cm: float, feet: bool = False) -> str:
    """A height: "176.1 cm", or "5 ft 9.3 in"."""
    if not feet:
        return f"{cm:.1f} cm"
    whole, inches = feet_from_cm(cm)
    return f"{whole} ft {inches:.1f} in"


def adult_height_in_words(found: AdultHeight, level: float | None, feet: bool = False) -> str:
    """A predicted adult height with its range, table and group.

    Args:
        found: the prediction.
        level: of the prediction interval of the bone age, in 0..1; needed where there is one.
        feet: whether to write heights in feet and inches.

    Returns:
        Two sentences, or three.
    """
    sentence = f"**Predicted adult height: {height_in_words(found.cm, feet)}**"
    if found.low_cm is not None and found.high_cm is not None and level is not None:
        sentence += (
            f", {_range(found.low_cm, found.high_cm, feet)} over the {share(level)} prediction "
            "interval of the bone age"
        )
    sentences = [
        f"{sentence}.",
        f"Bayley-Pinneau, {CHILDREN[found.sex]}, {_GROUPS[found.group]}: "
        f"{found.percent:.1f}% of adult height reached.",
    ]
    if found.range_is_cut:
        ages = height_column(found.sex, found.group).ages
        sentences.append(
            f"The interval reaches past the table ({age_in_words(ages[0])} to "
            f"{age_in_words(ages[-1])}), so the range is that of the part inside it."
        )
    return " ".join(sentences)


def target_height_in_words(
    target: TargetHeight, predicted: AdultHeight | None = None, feet: bool = False
) -> str:
    """The target height, and whether the predicted adult height lies in its range.

    Args:
        target: from the parents' heights.
        predicted: the predicted adult height, where there is one.
        feet: whether to write heights in feet and inches.

    Returns:
        One sentence, or two.
    """
    sentence = (
        f"**Target height: {height_in_words(target.cm, feet)}** "
        f"({_range(target.low_cm, target.high_cm, feet)}; Tanner)."
    )
    if predicted is None:
        return sentence
    where = "within"
    if not target.low_cm <= predicted.cm <= target.high_cm:
        where = "below" if predicted.cm < target.low_cm else "above"
    return f"{sentence} The predicted adult height lies {where} this range."


def rate_in_words(rate: Rate) -> str:
    """How fast the hand matures, with what its CI tells.

    Args:
        rate: of `follow_up.maturation_rate`.

    Returns:
        Two sentences, or three.
    """
    span = f"from {counted(rate.n, 'radiograph')} over {duration_in_words(rate.span_months)}"
    number = _rate(rate.years_per_year)
    head = f"**Rate of maturation: {number} years of bone age per year**"
    if rate.low is None or rate.high is None:
        return f"{head}, {span}. There is no CI, as not every bone age has a prediction interval."
    sentences = [f"{head} ({CI_95} {_rate(rate.low)} to {_rate(rate.high)}), {span}."]
    if rate.low <= 1 <= rate.high:
        sentences.append("No significant difference from 1 year per year.")
    else:
        faster = "faster" if rate.low > 1 else "slower"
        sentences.append(f"Significantly {faster} than 1 year per year.")
    if rate.high - rate.low > _WIDE_RATE:
        sentences.append("The CI is wide; radiographs further apart in time narrow it.")
    return " ".join(sentences)


def different_models(readings: Sequence[Reading]) -> str | None:
    """A sentence on readings of different models, whose differences may be the models'.

    Args:
        readings: of one child.

    Returns:
        The sentence; None where one model predicted all.
    """
    if len({reading.model for reading in readings}) < 2:
        return None
    return (
        "These bone ages come from different models or versions, so that part of a difference may "
        "be that of the models: predict all radiographs again with one version where you can."
    )


def other_sex(stated: Collection[str], used: str) -> str | None:
    """A sentence on files of one child that state another sex than the one used.

    Args:
        stated: the sexes in the files, each "female" or "male".
        used: the sex used for the predictions.

    Returns:
        The sentence; None where no file contradicts.
    """
    if set(stated) <= {used}:
        return None
    if len(set(stated)) > 1:
        return (
            "The files state different sexes, so they may not be of one child: remove the files of "
            "the other child, or check the sex."
        )
    return (
        f"The files state {next(iter(stated))}, but {used} is used: check which is right, as bone "
        "age and SD depend on it."
    )


def _difference(bone_age: float, chronological_age: float) -> str:
    # Of the ages as they are shown, so that the difference agrees with them.
    difference = nearest_month(bone_age) - nearest_month(chronological_age)
    if difference == 0:
        return "equals chronological age, to the nearest month"
    side = "ahead of" if difference > 0 else "behind"
    return f"is {duration_in_words(difference)} {side} chronological age"


def _left_open(found: Deviation) -> str:
    others = [_A[status] for status in found.not_excluded]
    if not others:
        return f", all {'within normal limits' if found.status == NORMAL else found.status}"
    if len(others) == 1:
        return f", so {others[0]} bone age is not excluded"
    return f", so neither {' nor '.join(others)} bone age is excluded"


def _range(low_cm: float, high_cm: float, feet: bool) -> str:
    if feet:
        return f"{height_in_words(low_cm, True)} to {height_in_words(high_cm, True)}"
    return f"{low_cm:.1f} to {high_cm:.1f} cm"


def _rate(years_per_year: float) -> str:
    return f"{years_per_year:.2f}".replace("-", "−")
