"""How far a case lies from those of the training set, in some space of features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class DensityModel:
    """A normal distribution of D features, whose spread is one number beside K main axes.

    That is probabilistic PCA: Tipping & Bishop, "Probabilistic principal component analysis",
    J R Stat Soc B 1999;61:611-622, section 3.2. A full covariance matrix of a thousand features
    could not be told from a few thousand cases, and would be larger than some of the models.

    Attributes:
        mean: (D,) float32.
        axes: (K, D) float16, orthonormal rows.
        spread: (K,) float32, standard deviation along each axis.
        rest: (1,) float32, that along every other direction.
    """

    mean: np.ndarray
    axes: np.ndarray
    spread: np.ndarray
    rest: np.ndarray

    @classmethod
    def fit(cls, samples: np.ndarray, n_axes: int) -> DensityModel:
        """Fit the distribution.

        Args:
            samples: (N, D) of the training set; N and D must be greater than `n_axes`.
            n_axes: number K of main axes.

        Returns:
            The distribution.
        """
        from sklearn.decomposition import PCA

        pca = PCA(n_axes, svd_solver="full").fit(samples)
        return cls(
            pca.mean_.astype(np.float32),
            pca.components_.astype(np.float16),
            np.sqrt(pca.explained_variance_).astype(np.float32),
            np.sqrt([pca.noise_variance_]).astype(np.float32),
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> DensityModel:
        """From its four arrays by name; raises TypeError for others."""
        return cls(**arrays)

    def to_arrays(self) -> dict[str, np.ndarray]:
        return vars(self).copy()

    def distance(self, samples: np.ndarray) -> np.ndarray:
        """Mahalanobis distance of samples over sqrt(D).

        Args:
            samples: (N, D).

        Returns:
            (N,), about 1 for training cases.
        """
        offset = samples - self.mean
        along = offset @ self.axes.T.astype(np.float32)
        beside = np.maximum((offset**2).sum(axis=1) - (along**2).sum(axis=1), 0)
        squared = ((along / self.spread) ** 2).sum(axis=1) + beside / self.rest**2
        return np.sqrt(squared / samples.shape[1])
