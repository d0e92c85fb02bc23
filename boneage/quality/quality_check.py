"""The quality check before a prediction: is this an image that the models should judge?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from boneage import artifacts, formatting
from boneage.artifacts import ArtifactError
from boneage.models.registry import find_model
from boneage.quality.checks import (
    CHECKS,
    OTHER,
    SEVERAL,
    SHAPE,
    Check,
    QualityMeasures,
    Refusal,
    features_check,
)
from boneage.quality.density import DensityModel
from boneage.quality.shapes import aligned

_SHAPES, _FEATURES = "shapes", "features"


@dataclass(frozen=True, eq=False)
class QualityCheck:
    """The checks with their limits, and density models of the training data.

    Attributes:
        limits: measure -> the largest value that passes, chosen on the validation set.
        shapes: density model of hand shapes, see `boneage.quality.shapes`; None without statistics.
        features: model name -> the density model of its pooled features.
        unchecked: models whose features are not checked, as there are no statistics of them as they
            are now, weights and preparation included.
    """

    limits: dict[str, float] = field(default_factory=dict)
    shapes: DensityModel | None = None
    features: dict[str, DensityModel] = field(default_factory=dict)
    unchecked: tuple[str, ...] = ()

    def measure(
        self, quality: Sequence[QualityMeasures], features: Mapping[str, np.ndarray]
    ) -> list[dict[str, float]]:
        """All measures of N cases: of the image, of its shapes and of the features.

        Args:
            quality: of the N cases.
            features: model name -> (N, D), as `Predictor.read_prepared` returns them.

        Returns:
            N times measure -> value, 0 or more.
        """
        measures = [each.measures | self._shape_measures(each) for each in quality]
        for name, density in self.features.items():
            for known, distance in zip(measures, density.distance(features[name]), strict=True):
                known[features_check(name).measure] = float(distance)
        return measures

    def _shape_measures(self, each: QualityMeasures) -> dict[str, float]:
        if self.shapes is None or each.landmarks is None:
            return {}
        shapes = [aligned(points) for points in (each.landmarks, *each.others)]
        own, *others = self.shapes.distance(np.stack(shapes)).tolist()
        return {SHAPE: own, OTHER: max((1 / distance for distance in others), default=0.0)}

    def judge(
        self, quality: Sequence[QualityMeasures], features: Mapping[str, np.ndarray]
    ) -> list[Refusal | None]:
        """Ask for each of N cases whether it should be refused.

        Args:
            quality: of the N cases.
            features: model name -> (N, D), as `Predictor.read_prepared` returns them.

        Returns:
            N times the reason for refusing the case, or None.

        Example:
            >>> from boneage.datasets.phantoms import draw_phantom
            >>> from boneage.quality.checks import measure_quality
            >>> from boneage.radiographs.preprocessing import prepare
            >>> from boneage.radiographs.reading import Radiograph
            >>> radiograph = Radiograph(draw_phantom(120, "female"), "PNG", color=0.5)
            >>> quality = measure_quality(radiograph, prepare(radiograph.pixels))
            >>> (refusal,) = QualityCheck().judge([quality], {})
            >>> refusal.kind
            'in color'
        """
        return [self.refusal(measures) for measures in self.measure(quality, features)]

    def other_hand(self, quality: QualityMeasures) -> np.ndarray | None:
        """Another hand on the film, where it is the reason for refusing the case.

        Args:
            quality: of the case.

        Returns:
            (21, 2) landmarks of the other find most like a hand, or None.
        """
        refusal = self.refusal(quality.measures | self._shape_measures(quality))
        if refusal is None or refusal.kind != SEVERAL or self.shapes is None:
            return None
        shapes = np.stack([aligned(points) for points in quality.others])
        return quality.others[int(self.shapes.distance(shapes).argmin())]

    def refusal(self, measures: Mapping[str, float]) -> Refusal | None:
        """The first check, in their order, that a case does not pass.

        Args:
            measures: of the case, measure -> value.

        Returns:
            The reason for refusing it, or None.
        """
        failed = (c for c in self.checks if measures.get(c.measure, 0) > self._limit(c))
        return next((check.refusal for check in failed), None)

    def ood_score(self, measures: Mapping[str, float]) -> float:
        """The worst measure of a case as a multiple of its limit.

        Args:
            measures: of the case, measure -> value.

        Returns:
            Above 1 where the case is refused.
        """
        return max(measures.get(c.measure, 0) / max(self._limit(c), 1e-3) for c in self.checks)

    @property
    def checks(self) -> list[Check]:
        """The checks that have a limit."""
        every = [*CHECKS, *map(features_check, self.features)]
        return [check for check in every if check.most is not None or check.measure in self.limits]

    def _limit(self, check: Check) -> float:
        return self.limits[check.measure] if check.most is None else check.most

    @property
    def note(self) -> str | None:
        """A sentence for people on what is not checked."""
        if not self.unchecked:
            return None
        titles = formatting.in_words([find_model(name).title for name in self.unchecked])
        return (
            f"Whether an image is similar to the training data of {titles} is not checked, because "
            "there are no statistics for these weights and this preprocessing yet (create them "
            "with python -m boneage quality)."
        )


def load_quality_check(models: Mapping[str, str]) -> QualityCheck:
    """Load the quality check of some models: with the stored statistics of their very features.

    Args:
        models: model name -> its fingerprint, see `artifacts.fingerprints`.

    Returns:
        The quality check. Models of other fingerprints than those stored are listed as `unchecked`.

    Raises:
        ArtifactError: a file is damaged.

    Example:
        >>> quality_check = load_quality_check({"densenet121": "fingerprint of other weights"})
        >>> quality_check.unchecked
        ('densenet121',)
    """
    stored = artifacts.read_quality_check()
    if stored is None:
        return QualityCheck(unchecked=tuple(models))
    facts, numbers = stored
    try:
        known = {n for n, digest in models.items() if facts["model_sha256"].get(n) == digest}
        limits = {str(name): float(limit) for name, limit in facts["limits"].items()}
        return QualityCheck(
            limits,
            _density_model(numbers, _SHAPES),
            {
                name: _density_model(numbers, f"{_FEATURES}/{name}")
                for name in models
                if name in known
            },
            tuple(name for name in models if name not in known),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArtifactError(
            f"{artifacts.artifacts_root() / artifacts.QUALITY_CHECK_FACTS} lacks a "
            "part; restore it with "
            "git checkout, or delete it and run python -m boneage quality."
        ) from error


def to_arrays(quality_check: QualityCheck) -> dict[str, np.ndarray]:
    """The arrays of a quality check by name, as `load_quality_check` finds them in `artifacts/`.

    Args:
        quality_check: whose statistics to store.

    Returns:
        Name -> float array.
    """
    parts = {} if quality_check.shapes is None else {_SHAPES: quality_check.shapes}
    parts |= {f"{_FEATURES}/{name}": density for name, density in quality_check.features.items()}
    return {
        f"{part}/{name}": value
        for part, density in parts.items()
        for name, value in density.to_arrays().items()
    }


def _density_model(numbers: Mapping[str, np.ndarray], part: str) -> DensityModel:
    start = f"{part}/"
    return DensityModel.from_arrays(
        {name.removeprefix(start): v for name, v in numbers.items() if name.startswith(start)}
    )
