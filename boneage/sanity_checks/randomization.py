"""Weight randomization: does Grad-CAM change when weights are randomized?

Source: Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018, section 4.1, cascading
randomization: from the head down, stage by stage, weights are set back to random initial values. A
map that stays the same shows the image, not the model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import keras
import numpy as np
import pandas as pd
from scipy import stats

from boneage.explain.explanation import explain, outputs_to_explain
from boneage.explain.gradcam import Direction
from boneage.inference.runtime import Runtime
from boneage.models.registry import find_model
from boneage.training.export import export_model

HEAD, STEM = "head", "stem"

_STAGE = re.compile(r"(stage|block|transition)(\d+)")


class Randomization:
    """The check of one model; between calls the model has its own weights.

    Similarity is Spearman's rank correlation of the pixels of the maps as they are shown, the mean
    over the mirror image included; the paper's first measure. Its other ones, structural similarity
    and that of gradient histograms, need more than the few dozen cells behind a map.

    Example:
        >>> from boneage.models.registry import build_model
        >>> check = Randomization(build_model("tiny_densenet", input_size=64), mirrored=False)
        >>> image = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
        >>> table = check(image, "female", "raises")
        >>> list(check.stages), list(table.columns)
        (['head', ..., 'stem'], ['step', 'stage', 'similarity'])
    """

    def __init__(self, model: keras.Model, mirrored: bool, seed: int = 2017):
        """Find the stages of a model.

        Args:
            model: from the registry; it is changed during a call and restored after.
            mirrored: whether its answer is the mean over the image and its mirror image.
            seed: of the random weights.
        """
        self.stages = randomizable_stages(model)
        self._model = model
        self._mirrored = mirrored
        self._rng = np.random.default_rng(seed)

    def __call__(self, image: np.ndarray, sex: str, direction: Direction) -> pd.DataFrame:
        """Randomize for one radiograph, with random weights of its own.

        Each radiograph has its own draw, so that the spread over radiographs holds the spread
        over draws.

        Args:
            image: prepared radiograph, (S, S) uint8.
            sex: "female" or "male".
            direction: "raises" or "lowers": of the map that is shown for this radiograph.

        Returns:
            Columns step (1, 2, ...), stage (what was randomized in this step, beside all before)
            and similarity (-1 to 1; 0 for a map that has become even, as it has nothing in common
            with the original). No row where the original map is even, which has no order to lose.
        """
        original = self._gradcam(image, sex, direction)
        rows = []
        steps = enumerate(self.stages.items(), start=1) if np.ptp(original) else ()
        learned = self._model.get_weights()
        try:
            for step, (stage, layers) in steps:
                _reinitialize(layers, self._rng)
                changed = self._gradcam(image, sex, direction)
                rows.append((step, stage, similarity(original, changed)))
        finally:
            self._model.set_weights(learned)
        return pd.DataFrame(rows, columns=["step", "stage", "similarity"])

    def _gradcam(self, image: np.ndarray, sex: str, direction: Direction) -> np.ndarray:
        """The map that the app would show with the weights as they are."""
        runtime = Runtime(export_model(self._model, self._mirrored))
        entry = find_model(self._model.name)
        outputs = runtime(image[np.newaxis], [sex], outputs_to_explain(entry))
        return explain(outputs, entry, direction, runtime.size, len(image)).gradcam


def similarity(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's rank correlation of two maps, ties at their mean rank.

    Args:
        first: (h, w).
        second: (h, w).

    Returns:
        -1 to 1; 0 if one is even.
    """
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(stats.spearmanr(first, second, axis=None).statistic)


def randomizable_stages(model: keras.Model) -> dict[str, list[keras.Layer]]:
    """The layers with weights, from the output down: "head", "stage 4", ..., "stage 1", "stem".

    The head is all that comes after ``last_feature_map``, with the sex features. In the body the
    names tell: what is called neither stage, block nor transition belongs to what is before it.
    """
    body = keras.Model(model.inputs[0], model.get_layer("last_feature_map").output)
    names = [layer.name for layer in body.layers]
    stages: dict[str, list[keras.Layer]] = {}
    stage = STEM
    for layer in body.layers:
        if match := _STAGE.match(layer.name):
            stage = f"stage {match[2]}"
        stages.setdefault(stage, []).append(layer)
    stages[HEAD] = [layer for layer in model.layers if layer.name not in names]
    with_weights = {
        stage: [layer for layer in layers if layer.weights] for stage, layers in stages.items()
    }
    return {stage: layers for stage, layers in reversed(with_weights.items()) if layers}


def _reinitialize(layers: Iterable[keras.Layer], rng: np.random.Generator) -> None:
    for layer in layers:
        for weight in layer.weights:
            initializer = getattr(layer, f"{weight.name}_initializer")
            config = initializer.get_config()
            if "seed" in config:  # otherwise it would draw the same numbers each time
                config["seed"] = int(rng.integers(2**31))
            fresh = initializer.__class__.from_config(config)
            weight.assign(fresh(weight.shape, weight.dtype))
