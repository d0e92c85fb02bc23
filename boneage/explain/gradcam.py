"""Grad-CAM: which regions of the hand move the predicted age.

Source: Selvaraju et al., "Grad-CAM", ICCV 2017, section 3. Behind the last feature map come its
mean over all cells and a small head, so the paper's weights (the mean of the gradient over cells)
are the gradient at the pooled features divided by the number of cells; exported models work it out
exactly. `boneage.explain.reference` has the same maps by tf-keras-vis.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from boneage.datasets.challenge import MEAN_AGE

Direction = Literal["raises", "lowers"]


def telling_direction(months: float) -> Direction:
    """The direction whose map tells most of a predicted age.

    A model predicts a hand to be older or younger than the average hand. What still raises the
    prediction for a small child is next to nothing, and scaled to its own maximum it would be
    noise.
    """
    return "raises" if months >= MEAN_AGE else "lowers"


def gradcam(features: np.ndarray, gradient: np.ndarray, direction: Direction) -> np.ndarray:
    """Map how much each region moves the predicted age in one direction.

    For a regressor the score is the predicted age in months, of which Grad-CAM keeps only what
    pushes it up: "raises" shows the regions that make the hand look older, "lowers" (the score
    negated) those that make it look younger.

    Args:
        features: last feature map, (C, h, w).
        gradient: derivative of the months by the pooled features, (C,).
        direction: "raises" or "lowers".

    Returns:
        (h, w) float32, 0 or more, not scaled, so that maps of several images can be averaged; all
        zero where nothing moves the age that way.

    Raises:
        ValueError: unknown direction.

    Example:
        >>> features = np.array([[[0.0, 2.0]], [[1.0, 0.0]]])
        >>> gradcam(features, np.array([3.0, -5.0]), "raises").tolist()
        [[0.0, 3.0]]
    """
    if direction not in ("raises", "lowers"):
        raise ValueError(f'The direction is {direction!r}; pass "raises" or "lowers".')
    sign = 1 if direction == "raises" else -1
    weights = sign * gradient / features[0].size
    return np.maximum(np.tensordot(weights, features, axes=1), 0).astype(np.float32)
