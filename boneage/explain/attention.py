"""CBAM attention: what the blocks of ResNet+CBAM weigh up and down for one radiograph.

Source: Woo et al., "CBAM", ECCV 2018, section 3. Works on every Keras backend.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import keras
import numpy as np

from boneage.explain.inputs import one_case

_ATTENTION_LAYER = re.compile(r"stage(\d+)_block(\d+)_(channel|spatial)_attention")


@dataclass(frozen=True)
class Attention:
    """Attention weights of the last block of each stage, for one radiograph.

    Attributes:
        spatial: stage -> (h, w) float32 in [0, 1]; of `CbamAttention` on the stage's grid in the
            model's registry entry (`attention_grids`), of `Explainer` on pixels.
        channel: stage -> (channels,) float32 in [0, 1].
    """

    spatial: dict[int, np.ndarray]
    channel: dict[int, np.ndarray]


class CbamAttention:
    """Reads the attention of one model in one forward pass; keep the object for the next image.

    `Explainer` makes of it the attention behind an answer.

    Example:
        >>> from boneage.models.registry import build_model
        >>> attention = CbamAttention(build_model("tiny_resnet_cbam", input_size=64))
        >>> image = np.random.default_rng(0).random((64, 64, 1), np.float32)
        >>> attention(image).spatial[4].shape
        (2, 2)
    """

    def __init__(self, model: keras.Model):
        """Find the attention layers of a model.

        Args:
            model: from the registry.

        Raises:
            ValueError: the model has no CBAM attention.
        """
        layers = _last_attention_layers(model)
        if not layers:
            raise ValueError(
                f"The model {model.name!r} has no CBAM attention; choose one with CBAM blocks."
            )
        self._layers = layers
        outputs = {name: model.get_layer(name).output for name in layers.values()}
        # The attention depends on the image alone: sex joins after the last block.
        self._model = keras.Model([model.inputs[0]], outputs)

    def __call__(self, image: np.ndarray) -> Attention:
        """Read the attention for one radiograph.

        Args:
            image: prepared radiograph, (S, S, 1) float32 in [0, 1].

        Returns:
            The weights of the last block of each stage.

        Raises:
            ValueError: the image has the wrong shape or type.
        """
        image_batch, _ = one_case(image, "female")
        outputs = self._model.predict_on_batch([image_batch])
        weights = {
            key: np.asarray(outputs[name], np.float32)[0] for key, name in self._layers.items()
        }
        return Attention(
            spatial={s: w[:, :, 0] for (s, kind), w in weights.items() if kind == "spatial"},
            channel={s: w[0, 0, :] for (s, kind), w in weights.items() if kind == "channel"},
        )


def _last_attention_layers(model: keras.Model) -> dict[tuple[int, str], str]:
    """(stage, kind) -> name of the attention layer in the last block of the stage."""
    found: dict[tuple[int, str], tuple[int, str]] = {}
    for match in filter(None, (_ATTENTION_LAYER.fullmatch(layer.name) for layer in model.layers)):
        stage, block, kind = int(match[1]), int(match[2]), match[3]
        if block >= found.get((stage, kind), (0, ""))[0]:
            found[stage, kind] = (block, match[0])
    return {key: name for key, (_, name) in sorted(found.items())}
