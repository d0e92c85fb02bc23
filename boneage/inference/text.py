"""Predictions, their intervals and the errors to expect, in sentences. Ages are in months."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from boneage.formatting import (
    CHILDREN,
    CI_95,
    age_in_words,
    duration_in_words,
    in_words,
    metric_interval,
    metric_value,
    nearest_month,
    share,
)

if TYPE_CHECKING:
    from boneage.inference.local_calibration import LocalCalibration

# Hands of which the training data hold few: infants' and those that have stopped growing. Months.
_INFANT, _MATURE = 12, 228
_HEADER_AGE_TOLERANCE = 12  # months

BEYOND_CALIBRATION = (
    "The models disagree more than on any calibration radiograph; interpret with caution. The "
    "prediction intervals may not be valid."
)


def other_sex_in_header(stated: str, used: str) -> str:
    """One sentence on a DICOM header that states another sex than the one used.

    Args:
        stated: The sex in the header, "female" or "male".
        used: The sex used for the prediction.
    """
    return (
        f"The DICOM header states {stated}, but {used} was used: check which is right, as the "
        "bone age depends on it."
    )


def other_age_in_header(stated: float | None, used: float) -> str | None:
    """One sentence on a DICOM header that states a chronological age a year or more away.

    Args:
        stated: The age in the header in months; None where it states none.
        used: The age used, in months.

    Returns:
        The sentence; None where the ages agree. A header often states whole years only.
    """
    if stated is None or abs(stated - used) < _HEADER_AGE_TOLERANCE:
        return None
    return (
        f"The DICOM header states a chronological age of {age_in_words(stated)}, but "
        f"{age_in_words(used)} was used: check which is right."
    )


def about_interval(level: float) -> str:
    """What an interval of this level (0..1) covers, and for which radiographs it is not valid."""
    return (
        f"For radiographs similar to the training data, about {share(level)} of reference bone "
        f"ages fall in the {share(level)} prediction interval, which covers a single clinical "
        "reading. Not valid for dysplasia, malformation or atypical positioning."
    )


def locally_calibrated(local: "LocalCalibration", sex: str, change: float) -> str:
    """One sentence on what a local calibration changes in a prediction.

    Args:
        local: The calibration.
        sex: "female" or "male".
        change: Months by which the bone age of its model changes.
    """
    said = f"Local calibration {local.label} of {local.title}: "
    if local.is_no_change:
        return f"{said}no change, as the local readings gave no reason for one."
    if not local.lines:
        age = "bone age unchanged"
    elif sex not in local.lines:
        age = f"bone age unchanged, as there were no readings of {CHILDREN[sex]}"
    else:
        age = f"bone age changed by {metric_value('bias', change)}"
    interval = "from the local readings" if local.interval_scores else "as without it"
    return f"{said}{age}; prediction interval {interval}."


def unusual_ages(bone_age: float, chronological_age: float | None) -> list[str]:
    """A sentence for each end of the age range of which the training data hold few hands.

    Args:
        bone_age: The predicted bone age in months.
        chronological_age: In months; None where it is unknown.
    """
    ages = [age for age in (bone_age, chronological_age) if age is not None]
    sentences = []
    if min(ages) < _INFANT:
        sentences.append("Under 1 year: the training data contain few infants.")
    if max(ages) >= _MATURE:
        sentences.append(
            "19 years and older: the growth plates have fused, so the hand no longer changes with "
            "age, and the training data contain few such hands."
        )
    return sentences


def disagreement(months: Mapping[str, float]) -> str | None:
    """One sentence on how far the predictions of models lie apart.

    Args:
        months: Model title -> predicted bone age in months.

    Returns:
        The sentence; None for fewer than two models.
    """
    if len(months) < 2:
        return None
    high, low = max(months, key=months.__getitem__), min(months, key=months.__getitem__)
    apart = nearest_month(months[high]) - nearest_month(months[low])
    if apart == 0:
        return "The models predict the same bone age, to the nearest month."
    return f"{high} predicts a bone age {duration_in_words(apart)} higher than {low}."


def ensemble_weights(shares: Mapping[str, float]) -> str | None:
    """One sentence on the ensemble weights of two or more models.

    Args:
        shares: Model title -> weight in the ensemble, in 0..1.

    Returns:
        The sentence; None for one model.
    """
    if len(shares) < 2:
        return None
    if len(set(shares.values())) == 1:
        return "Ensemble weights: equal."
    heaviest_first = sorted(shares.items(), key=lambda item: -item[1])
    each = ", ".join(f"{title} {share(part)}" for title, part in heaviest_first)
    return f"Ensemble weights: {each} (chosen on validation)."


def typical_errors(months: Mapping[str, float]) -> str | None:
    """One sentence on the mean absolute error of models on test radiographs.

    Args:
        months: Model title -> mean absolute error in months.

    Returns:
        The sentence; None where no error is known.
    """
    if not months:
        return None
    each = in_words([f"{title} {error:.1f} months" for title, error in months.items()])
    return f"Mean absolute error on test radiographs: {each}."


def bias_on_test(groups: Mapping[str, Sequence[float]]) -> str:
    """One sentence on the bias on test radiographs.

    Args:
        groups: Of `boneage.inference.results.stated_bias`: "all", "female" or "male" -> bias and
            the limits of its 95% CI, in months. "all" is required.
    """
    value, low, high = groups["all"]
    each = ", ".join(
        f"{children} {metric_value('bias', groups[sex][0])}"
        for sex, children in CHILDREN.items()
        if sex in groups
    )
    return (
        f"Bias on test radiographs (mean residual): {metric_value('bias', value)} "
        f"({CI_95} {metric_interval('bias', low, high)}{f'; {each}' if each else ''})."
    )
