"""The maps of a model for the answer it gives, on the pixels of the radiograph. No Keras.

A model that predicts the mean over an image and its mirror image is explained by both: the maps of
the mirror image are mirrored back and averaged with those of the image. The gradient of a mean is
the mean of the gradients, so Grad-CAM is averaged first and scaled to its maximum once. Maps are
mirrored as pixels: the centers of feature cells do not lie symmetrically.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from boneage.explain.gradcam import Direction, gradcam
from boneage.explain.overlay import upsample
from boneage.models.registry import FeatureGrid, ModelEntry


@dataclass(frozen=True, eq=False)
class Explanation:
    """Where one model looked; every map is (S, S) float32 in [0, 1] on its prepared image.

    Attributes:
        gradcam: the regions that move the predicted bone age in this direction most; maximum 1, or
            all zero where nothing moves it that way.
        direction: "raises" for a hand predicted to be older than the average training hand, else
            "lowers".
        spatial: CBAM stage -> spatial attention of the stage's last block; empty without CBAM.
        channel: CBAM stage -> (C,) channel attention in [0, 1].
    """

    gradcam: np.ndarray
    direction: Direction
    spatial: dict[int, np.ndarray]
    channel: dict[int, np.ndarray]


def outputs_to_explain(entry: ModelEntry) -> list[str]:
    """The outputs of an exported model that `explain` needs.

    Args:
        entry: the model's registry entry.
    """
    attention = [
        f"stage{stage}_{kind}_attention"
        for stage in entry.attention_grids
        for kind in ("spatial", "channel")
    ]
    return ["last_feature_map", "pooled_gradient", *attention]


def explain(
    outputs: Mapping[str, np.ndarray],
    entry: ModelEntry,
    direction: Direction,
    input_size: int,
    size: int | None = None,
) -> Explanation:
    """Explain the answer to one image by what the model put out for it.

    Args:
        outputs: of `boneage.inference.runtime.Runtime` for this image, at least
            `outputs_to_explain`.
        entry: the model's registry entry.
        direction: of Grad-CAM, see `boneage.explain.gradcam.gradcam`.
        input_size: side in pixels of the image that the model took.
        size: side of the maps in pixels; None for `input_size`.

    Returns:
        The maps, and the channel attention.

    Raises:
        ValueError: unknown direction.
    """
    size = size or input_size

    def on_pixels(cells: Iterable[np.ndarray], grid: FeatureGrid) -> np.ndarray:
        """(size, size): mean of the maps of all readings, (h, w) each."""
        image, *mirror = (upsample(each, grid.scaled(size / input_size), size) for each in cells)
        return np.mean([image, *(pixels[:, ::-1] for pixels in mirror)], axis=0)

    features, gradients = (outputs[name][:, 0] for name in ("last_feature_map", "pooled_gradient"))
    readings = zip(features, gradients, strict=True)
    heat = on_pixels([gradcam(*reading, direction) for reading in readings], entry.last_grid)
    peak = heat.max()
    return Explanation(
        heat / peak if peak > 0 else heat,
        direction,
        spatial={
            stage: on_pixels(outputs[f"stage{stage}_spatial_attention"][:, 0], grid)
            for stage, grid in entry.attention_grids.items()
        },
        channel={
            stage: outputs[f"stage{stage}_channel_attention"][:, 0].mean(axis=0)
            for stage in entry.attention_grids
        },
    )
