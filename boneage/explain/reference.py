"""Grad-CAM by tf-keras-vis on the Keras model: the reference for `boneage.explain.gradcam`.

Needs TensorFlow. Source: Selvaraju et al., "Grad-CAM", ICCV 2017, section 3.
"""

from __future__ import annotations

import keras
import numpy as np
from tf_keras_vis.gradcam import Gradcam

from boneage.explain.gradcam import Direction
from boneage.radiographs.preprocessing import sex_to_model_input


class ReferenceGradCam:
    """Grad-CAM maps of one Keras model; keep the object for the next image.

    Example:
        >>> from boneage.models.registry import build_model
        >>> reference = ReferenceGradCam(build_model("tiny_densenet", input_size=64))
        >>> image = np.random.default_rng(0).random((64, 64, 1), np.float32)
        >>> reference(image, "female", "raises").shape
        (2, 2)
    """

    def __init__(self, model: keras.Model):
        """Explain a model.

        Args:
            model: from the registry.
        """
        self._gradcam = Gradcam(model)

    def __call__(self, image: np.ndarray, sex: str, direction: Direction) -> np.ndarray:
        """Map how much each region moves the predicted age in one direction.

        Args:
            image: as the model takes it, (S, S, 1) float32 in [0, 1].
            sex: "female" or "male".
            direction: "raises" or "lowers", see `boneage.explain.gradcam.gradcam`.

        Returns:
            (h, w) float32, 0 or more, on the grid of the last feature map, not scaled.
        """
        sign = 1.0 if direction == "raises" else -1.0
        cam = self._gradcam(
            lambda months: sign * months[:, 0],
            [image[np.newaxis], sex_to_model_input([sex])],
            penultimate_layer="last_feature_map",
            seek_penultimate_conv_layer=False,
            expand_cam=False,  # fails for a model of two inputs
            normalize_cam=False,  # would stretch the minimum to 0, which hides an even map
        )
        return np.asarray(cam, np.float32)[0]
