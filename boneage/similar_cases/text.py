"""Similar cases in sentences."""

import pandas as pd

from boneage.formatting import CHILDREN, CI_95, age_in_short, metric_interval, metric_value
from boneage.similar_cases.similar import SimilarCases


def similar_in_words(found: SimilarCases) -> str:
    """What similar cases are and how large their errors are, in two sentences."""
    children, ages = CHILDREN[found.sex], found.cases["prediction_months"]
    n = int(found.of_sex["n"])
    return (
        f"The {len(found.cases):,} validation radiographs of {children} predicted most like this "
        f"one ({age_in_short(ages.min())} to {age_in_short(ages.max())}): "
        f"{_metric('mae', found.metrics)}, {_metric('bias', found.metrics)}. All validation "
        f"radiographs of {children} (n = {n:,}): {_metric('mae', found.of_sex)}."
    )


def about_correlation(correlation: tuple[float, float, float]) -> str:
    """How far the error of similar cases tells that of one radiograph, in a sentence.

    Args:
        correlation: of `error_correlation`.
    """
    rho, low, high = (f"{value:.2f}".replace("-", "−") for value in correlation)
    return (
        "The error of similar cases says little about that of one radiograph: rank correlation "
        f"{rho} ({CI_95} {low} to {high}) on validation."
    )


def _metric(name: str, metrics: pd.Series) -> str:
    low, high = metrics[f"{name}_low"], metrics[f"{name}_high"]
    title = {"mae": "MAE", "bias": "bias"}[name]
    return (
        f"{title} {metric_value(name, metrics[name])} ({CI_95} {metric_interval(name, low, high)})"
    )
