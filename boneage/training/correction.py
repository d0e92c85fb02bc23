"""A line that undoes regression to the mean.

A model trained briefly predicts too near the mean age: overestimated for young, underestimated for
old. The line is fitted on the training images and becomes part of the model's output scaling, so
that nothing downstream knows of it.
"""

import dataclasses

import numpy as np
from sklearn.linear_model import HuberRegressor

from boneage.artifacts import Facts


def correction_line(age: np.ndarray, prediction: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of the line from prediction to age, (n,) months each, little moved by
    outliers (P. J. Huber, Annals of Mathematical Statistics 1964;35:73-101).
    """
    line = HuberRegressor(alpha=0).fit(prediction[:, np.newaxis], age)
    return float(line.coef_[0]), float(line.intercept_)


def with_line(facts: Facts, slope: float, intercept: float) -> Facts:
    """The facts of the same weights, whose output months becomes slope * months + intercept."""
    scale, offset = (facts.build[f"output_{name}"] for name in ("scale", "offset"))
    scaling = {"output_scale": slope * scale, "output_offset": slope * offset + intercept}
    return dataclasses.replace(facts, build=facts.build | scaling)
