"""The maps of a model for the answer it gives, on the pixels of the radiograph.

A model that predicts the mean over an image and its mirror image
(`models.heads.inference_model`) is explained by both: the maps of the mirror image are mirrored
back and averaged with those of the image. The gradient of a mean is the mean of the gradients, so
Grad-CAM is averaged first and scaled
to its maximum once. Maps are mirrored as pixels: the centres of feature cells do not lie
symmetrically.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from boneage.explain.attention import Attention, CbamAttention
from boneage.explain.gradcam import Direction, GradCam
from boneage.explain.overlay import upsample
from boneage.models.registry import FeatureGrid, ModelEntry


class Explainer:
    """Grad-CAM and attention of one model as it answers; keep the object for the next image.

    Example:
        >>> from boneage.models.registry import build_model, find_model
        >>> name = "tiny_resnet_cbam"
        >>> explainer = Explainer(build_model(name, input_size=64), find_model(name), mirrored=True)
        >>> image = np.random.default_rng(0).random((64, 64, 1), np.float32)
        >>> explainer.gradcam(image, "female", "raises").shape
        (64, 64)
        >>> sorted(explainer.attention(image).spatial)
        [1, 2, 3, 4]
    """

    def __init__(self, model: keras.Model, entry: ModelEntry, mirrored: bool):
        """Explain `model`, built by `entry`.

        Args:
            model: from the registry; its layers are shared, so later weights are explained too.
            entry: the model's registry entry.
            mirrored: whether its answer is the mean over the image and its mirror image.
        """
        self.model = model
        self._entry = entry
        self._mirrored = mirrored
        self._gradcam = GradCam(model)
        self._cbam = CbamAttention(model) if entry.attention_grids else None

    def gradcam(
        self, image: np.ndarray, sex: str, direction: Direction, size: int | None = None
    ) -> np.ndarray:
        """Map how much each place moves the answer in one direction.

        Args:
            image: as the model takes it, (S, S, 1) float32 in [0, 1].
            sex: "female" or "male".
            direction: "raises" or "lowers", see `GradCam`.
            size: side of the result in pixels; None for S.

        Returns:
            (size, size) float32 in [0, 1] with maximum 1; all zero where nothing moves the answer
            that way.

        Raises:
            ValueError: unknown direction, or an input of the wrong shape, type or value.
        """
        cells = [self._gradcam(reading, sex, direction) for reading in self._readings(image)]
        heat = self._on_pixels(cells, self._entry.last_grid, len(image), size)
        peak = heat.max()
        return heat / peak if peak > 0 else heat

    def attention(self, image: np.ndarray, size: int | None = None) -> Attention:
        """CBAM attention behind the answer; empty for a model without CBAM.

        Args:
            image: as the model takes it, (S, S, 1) float32 in [0, 1].
            size: side of the spatial maps in pixels; None for S.

        Returns:
            The weights of the last block of each stage, spatial ones as (size, size).

        Raises:
            ValueError: the image has the wrong shape or type.
        """
        if self._cbam is None:
            return Attention({}, {})
        each = [self._cbam(reading) for reading in self._readings(image)]
        return Attention(
            spatial={
                stage: self._on_pixels([a.spatial[stage] for a in each], grid, len(image), size)
                for stage, grid in self._entry.attention_grids.items()
            },
            channel={
                stage: np.mean([a.channel[stage] for a in each], axis=0)
                for stage in each[0].channel
            },
        )

    def _readings(self, image: np.ndarray) -> list[np.ndarray]:
        """What the model reads for one answer: the image, and its mirror image where it does."""
        return [image, image[:, ::-1]] if self._mirrored else [image]

    @staticmethod
    def _on_pixels(
        cells: Sequence[np.ndarray], grid: FeatureGrid, input_size: int, size: int | None
    ) -> np.ndarray:
        """(size, size): mean over the `_readings` of a map on feature cells, (h, w) each."""
        size = size or input_size
        grid = grid.scaled(size / input_size)
        image, *mirror_image = (upsample(reading, grid, size) for reading in cells)
        return np.mean([image, *(pixels[:, ::-1] for pixels in mirror_image)], axis=0)
