"""A local calibration in sentences."""

from typing import TYPE_CHECKING

from boneage.formatting import (
    CHILDREN,
    CI_95,
    age_in_words,
    counted,
    in_words,
    metric_interval,
    metric_value,
)
from boneage.formatting import share as percent
from boneage.inference.conformal import LEVEL
from boneage.inference.local_calibration import Line, LocalCalibration

if TYPE_CHECKING:  # it imports what the pages do not need
    from boneage.local_calibration.fit import LocalFit

NO_CHANGE = (
    "No change: cross-validation shows no significant gain, and the local coverage of the "
    "prediction intervals is compatible with the nominal one. Bone ages and intervals stay as they "
    "are; with more readings, a smaller shift can be found."
)
# A reference standard shifts readings by less; a wrong column or unit by more. Months.
_SUSPICIOUS = 24


def fit_in_words(fit: "LocalFit") -> list[str]:
    """What was fitted and what it gains.

    Args:
        fit: the local calibration as it was fitted.

    Returns:
        Sentences, one a line.
    """
    found = fit.calibration
    counts = in_words([f"{n:,} {CHILDREN[sex]}" for sex, n in fit.n_by_sex.items() if n])
    sentences = [f"{counted(found.n, 'reading')} ({counts})."]
    gain = found.cross_validation
    limits = metric_interval("mae", gain.low, gain.high)
    sentences.append(
        f"MAE {metric_value('mae', gain.mae_before)} before and "
        f"{metric_value('mae', gain.mae_after)} after calibration in 10-fold cross-validation: "
        f"gain {metric_value('mae', gain.gain)} ({CI_95} {limits})."
    )
    if found.is_no_change:
        return [*sentences, f"Warning: {NO_CHANGE}"]
    if found.lines:
        sentences += [_line(sex, line) for sex, line in found.lines.items()]
        sentences += [
            f"No readings of {CHILDREN[sex]}: their bone ages stay as they are."
            for sex, n in fit.n_by_sex.items()
            if not n
        ]
    else:
        sentences.append("Warning: no significant gain, so bone ages stay as they are.")
    if fit.coverage is not None and fit.coverage_ci is not None:
        low, high = map(percent, fit.coverage_ci)
        said = (
            f"The {percent(LEVEL)} prediction intervals covered {percent(fit.coverage)} of the "
            f"readings ({CI_95} {low} to {high})"
        )
        if found.interval_scores:
            said += f"; recalibrated, they are {fit.width_factor:.2f} times as wide"
        sentences.append(f"{said}.")
    if fit.largest_shift > _SUSPICIOUS:
        sentences.append(
            f"Warning: a bone age changes by {metric_value('mae', fit.largest_shift)}; check that "
            "readings and predictions are in the right columns and in months."
        )
    return sentences


def about_calibration(calibration: LocalCalibration) -> str:
    """What a local calibration in use is, for a page."""
    sentences = [
        f"Local calibration {calibration.label} of {calibration.title}, "
        f"made on {calibration.made_on}."
    ]
    if calibration.is_no_change:
        return f"{sentences[0]} {NO_CHANGE}"
    gain = calibration.cross_validation
    sentences += [_line(sex, line) for sex, line in calibration.lines.items()]
    if not calibration.lines:
        sentences.append("Bone ages stay as they are.")
    if calibration.interval_scores:
        sentences.append("Prediction intervals come from the local readings.")
    sentences.append(
        f"Cross-validated gain in MAE: {metric_value('mae', gain.gain)} "
        f"({CI_95} {metric_interval('mae', gain.low, gain.high)})."
    )
    return " ".join(sentences)


def _line(sex: str, line: Line) -> str:
    """Such as "Girls (n = 60): +4.2 months at a predicted bone age of 3 years, ..."."""
    children = CHILDREN[sex].capitalize()
    at_low, at_high = (
        metric_value("bias", float(line(months)) - months, unit=False)
        for months in (line.low_months, line.high_months)
    )
    return (
        f"{children} (n = {line.n:,}): {at_low} months at a predicted bone age of "
        f"{age_in_words(line.low_months)}, {at_high} months at {age_in_words(line.high_months)}."
    )
