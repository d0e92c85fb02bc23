"""Grad-CAM: which regions of the hand move the predicted age.

Source: Selvaraju et al., "Grad-CAM", ICCV 2017, section 3; computed by tf-keras-vis, so this
module needs TensorFlow.
"""

from __future__ import annotations

from typing import Literal

import keras
import numpy as np
from tf_keras_vis.gradcam import Gradcam

from boneage.datasets.challenge import MEAN_AGE
from boneage.explain.inputs import one_case

Direction = Literal["raises", "lowers"]


def telling_direction(months: float) -> Direction:
    """The direction whose map tells most of a predicted age.

    A model reads a hand as older or younger than the average hand. What still raises the answer
    for a small child is next to nothing, and scaled to its own maximum it would be noise.
    """
    return "raises" if months >= MEAN_AGE else "lowers"


class GradCam:
    """Grad-CAM maps of one model reading one image; `Explainer` makes those of its answer of them.

    Keep the object: the first map takes seconds, later ones less.

    Grad-CAM needs gradients down to the last feature map only. So the model is split there: the
    body runs once, compiled, and tf-keras-vis sees just the small head. The maps are those of the
    whole model, about ten times as fast.

    Example:
        >>> from boneage.models.registry import build_model
        >>> gradcam = GradCam(build_model("tiny_densenet", input_size=64))
        >>> image = np.random.default_rng(0).random((64, 64, 1), np.float32)
        >>> higher = gradcam(image, "female", "raises")
        >>> higher.shape, higher.dtype, bool(higher.min() >= 0)
        ((2, 2), dtype('float32'), True)
    """

    def __init__(self, model: keras.Model):
        """Split `model` at its layer ``last_feature_map``; the layers are shared, not copied.

        Args:
            model: from the registry.
        """
        image, sex = model.inputs
        features = model.get_layer("last_feature_map").output
        self._body = keras.Model([image], features)
        self._head = keras.Model([features, sex], model.output)
        entrance = self._head.inputs[0]
        self._features = next(layer for layer in self._head.layers if layer.output is entrance)
        self._gradcam = Gradcam(self._head)

    def __call__(self, image: np.ndarray, sex: str, direction: Direction) -> np.ndarray:
        """Map how much each region moves the predicted age in one direction.

        For a regressor the score is the predicted age in months, of which Grad-CAM keeps only
        what pushes it up: "raises" shows the regions that make the hand look older, "lowers" (the
        score negated) those that make it look younger.

        Args:
            image: prepared radiograph, (S, S, 1) float32 in [0, 1].
            sex: "female" or "male".
            direction: "raises" or "lowers".

        Returns:
            (h, w) float32, 0 or more, on the grid of the last feature map, not scaled, so that maps
            of several images can be averaged; all zero where nothing moves the age that way.

        Raises:
            ValueError: unknown direction, or an input of the wrong shape, type or value.
        """
        if direction not in ("raises", "lowers"):
            raise ValueError(f'The direction is {direction!r}; pass "raises" or "lowers".')
        sign = 1.0 if direction == "raises" else -1.0
        image_batch, sex_batch = one_case(image, sex)
        features = np.asarray(self._body.predict_on_batch([image_batch]), np.float32)
        cam = self._gradcam(
            lambda months: sign * months[:, 0],
            [features, sex_batch],
            penultimate_layer=self._features,
            seek_penultimate_conv_layer=False,
            expand_cam=False,
            # Their normalisation stretches the minimum to 0, which hides an even map.
            normalize_cam=False,
        )
        return np.asarray(cam, np.float32)[0]
