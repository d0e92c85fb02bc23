"""What the readings that make up a reference bone age contribute to residuals.

A residual is the model's error minus the error of the reference bone age. The latter is the same
for all models, and its variance is that of one reading divided by the number of readings averaged
(`boneage.datasets.challenge`): readings are taken as independent, with one SD at all ages.
"""

import numpy as np

from boneage.datasets.challenge import N_READINGS, READING_SD
from boneage.datasets.splits import TRAIN


def label_noise_variance(split: str) -> float | None:
    """Variance of the reference bone ages of a split around the true bone age.

    Args:
        split: "train", "validation" or "test".

    Returns:
        Months². None for a split that is not the challenge's, and for the training set: models that
        fit their labels fit part of the noise, so it does not simply add to their residuals.
    """
    if split == TRAIN or split not in N_READINGS:
        return None
    return READING_SD**2 / N_READINGS[split]


def noise_shares(residuals: np.ndarray, noise: float) -> list[float] | None:
    """Label noise as a fraction of the variance of residuals.

    Args:
        residuals: (n, models), months.
        noise: variance of the labels, months².

    Returns:
        Of each model, 0 to 1; None unless every column varies by more than the noise.
    """
    variances = _variances(residuals)
    return (noise / variances).tolist() if variances.min() > noise else None


def corrected_correlation(residuals: np.ndarray, noise: float) -> float | None:
    """Pearson's correlation of two models' errors without the label noise that they share.

    (covariance - noise) / sqrt((variance - noise) (variance - noise)) of the columns: the
    correction for attenuation (C. Spearman, American Journal of Psychology 1904;15:72-101), here of
    noise that both have in common.

    Args:
        residuals: (n, 2), months.
        noise: variance of the labels, months².

    Returns:
        -1 to 1; None where the residuals vary by less than the noise, or the result is no
        correlation.
    """
    variances = _variances(residuals)
    if variances.min() <= noise:
        return None
    covariance = np.cov(residuals.T)[0, 1]
    corrected = float((covariance - noise) / np.sqrt(np.prod(variances - noise)))
    return corrected if abs(corrected) <= 1 else None


def _variances(residuals: np.ndarray) -> np.ndarray:
    return residuals.var(axis=0, ddof=1) if len(residuals) > 1 else np.zeros(residuals.shape[1])
