"""The error analysis in sentences, for the page and for the report."""

import math
from collections.abc import Sequence

from boneage.error_analysis.calibration import AgeCalibration
from boneage.error_analysis.subgroups import Subgroups
from boneage.evaluation.limits import LARGE_ERROR
from boneage.formatting import CI_95, counted, in_words, share

AGREEMENT = "Agreement with the reference"
CALIBRATION = "Calibration"
RESIDUALS = "Residuals by age and sex"
WORST = "Worst-performing subgroups"
TREE = "Subgroups found by a decision tree"
BLOCKS = "By inferred acquisition block"
PUBLISHED = "Published results"

ABOUT_BLOCKS = (
    "Blocks are inferred from abrupt changes of contrast, labels and errors along the ids; the "
    "data set does not document the sources of its radiographs."
)
ABOUT_SMALL_GROUPS = "Interpret small subgroups with caution."
_HELD_OUT = (
    "The error of a subgroup that was selected for its error is biased upward, so held-out MAE and "
    f"errors > {LARGE_ERROR} months are estimated on radiographs not used for the selection "
    "(repeated halves); in-sample MAE is that of all its radiographs."
)
_FACTORS = {
    "sex": "sex",
    "age": "age",
    "crop_method": "hand detection method",
    "block": "inferred acquisition block",
    "contrast": "contrast",
}


def about_sample(drawn: int, n: int) -> str | None:
    """That charts of points show a sample of n cases; None where they show all."""
    if drawn == n:
        return None
    return (
        f"Points: a random sample of {drawn:,} of the {n:,} radiographs. Lines, bars, tables and "
        "metrics are of all."
    )


def calibration_slope(found: AgeCalibration) -> str:
    """The calibration slope and how to read it, in two sentences."""
    if math.isnan(found.slope):
        return "There is no calibration slope: it needs radiographs of different ages."
    low, high = found.slope_interval
    return (
        f"Calibration slope {found.slope:.2f} ({CI_95} {low:.2f} to {high:.2f}, n = {found.n:,}). "
        "A calibrated model has a slope of 1; below 1 its predictions are too extreme, above 1 "
        "too close to their mean."
    )


def regression_to_the_mean(found: AgeCalibration) -> str:
    """Why residuals against the reference age do not show calibration, in one sentence."""
    numbers = ""
    if not math.isnan(found.residual_slope):
        low, high = found.residual_slope_interval
        numbers = (
            f" (here {_signed(found.expected_residual_slope)} months per month would be expected, "
            f"and {_signed(found.residual_slope)}, {CI_95} {_signed(low)} to {_signed(high)}, is "
            "found)"
        )
    return (
        "Regression to the mean: residuals slope downwards with the reference bone age even for a "
        f"perfectly calibrated model{numbers}, because no model explains all variation of the "
        "reference bone ages. Use the predicted bone age to judge calibration."
    )


def worst_subgroups(found: Subgroups, age: str) -> str:
    """What the table of the worst subgroups shows, or why there is none.

    Args:
        found: The subgroups of one model.
        age: What bands are of, such as "reference age".
    """
    if not found.n_tested:
        return "No subgroup of at least 20 radiographs can be formed."
    if found.worst.empty:
        return (
            f"None of {counted(found.n_tested, 'subgroup')} tested (bands are of {age}) has a "
            "larger error than the rest, after adjustment for their number (family-wise error "
            f"{share(0.05)})."
        )
    return (
        f"Subgroups with a larger MAE than the rest, of {found.n_tested} tested, after adjustment "
        f"for their number (family-wise error {share(0.05)}); bands are of {age}, and subgroups "
        f"overlap. {_HELD_OUT}"
    )


def tree_subgroups(found: Subgroups, age: str) -> str:
    """What the subgroups found by the decision tree show, or why there are none.

    Args:
        found: The subgroups of one model.
        age: The age that the tree splits on, such as "reference age".
    """
    if math.isnan(found.tree_r2):
        return (
            "No decision tree can be grown: there are too few radiographs, or their errors do not "
            "differ."
        )
    low, high = found.tree_r2_interval
    r2 = f"out-of-sample R² {_signed(found.tree_r2)}, {CI_95} {_signed(low)} to {_signed(high)}"
    if found.tree.empty:
        return (
            "No subgroup found by a decision tree has a different error on held-out radiographs "
            f"({r2})."
        )
    return (
        "A regression tree of the absolute error, which can split on "
        f"{factors(found.tree_factors)} ({r2}); ages are {age}s."
        f"{f' {_HELD_OUT}' if found.worst.empty else ''}"  # once is enough
    )


def about_reader_band(low: float, high: float) -> str:
    """One sentence on the shaded range of single human readers, from low to high in months."""
    return (
        f"Shaded: estimated range of single human readers on the 200 test radiographs, {low:.1f} "
        f"to {high:.1f} months."
    )


def factors(names: Sequence[str]) -> str:
    """What a tree can split on: "sex, age and contrast"."""
    return in_words([_FACTORS[name] for name in names])


def _signed(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")
