"""One radiograph and its sex, as the models take them."""

from __future__ import annotations

import numpy as np

from boneage.radiographs.preprocessing import sex_to_model_input


def one_case(image: np.ndarray, sex: str) -> list[np.ndarray]:
    """The two model inputs of one case.

    Args:
        image: prepared radiograph, (S, S, 1) float32 in [0, 1].
        sex: "female" or "male".

    Returns:
        float32 arrays of shape (1, S, S, 1) and (1, 1).

    Raises:
        ValueError: the image is not (S, S, 1) floating point, or the sex is neither of the two.
    """
    if image.ndim != 3 or image.shape[2] != 1 or not np.issubdtype(image.dtype, np.floating):
        raise ValueError(
            f"The image is {image.dtype} of shape {image.shape}; "
            "pass floating point of shape (S, S, 1) in [0, 1]."
        )
    return [image[None].astype(np.float32), sex_to_model_input([sex])]
