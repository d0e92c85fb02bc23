"""Occlusion: what hiding a region of the hand does to the predicted age. No Keras.

Source: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014,
section 4.2; over anatomical regions instead of a sliding square. A region is not painted over, as
there, but strongly blurred: a black or gray shape is like no hand that the models have met, so the
answer would tell of the shape. The blur keeps brightness and outline, and takes bones and growth
standards away. What blurring does by itself is told by a control: on the same radiograph, as many
pixels beside the bones, blurred alike.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import pandas as pd

from boneage.radiographs.preprocessing import PreparedHand
from boneage.sanity_checks.regions import REGIONS, beside_the_bones, bone_regions

# Standard deviations as fractions of the image's side; a carpal bone of a schoolchild is 1/20.
_BLUR = 1 / 16
_SOFT_EDGE = 1 / 128  # a sharp seam would be a feature of its own


def occlude(image: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Blur a region away.

    Args:
        image: (S, S) uint8.
        region: (S, S) bool.

    Returns:
        (S, S) uint8.

    Example:
        >>> image = np.zeros((64, 64), np.uint8)
        >>> image[24:40, 24:40] = 255
        >>> hidden = occlude(image, image > 0)
        >>> int(image.max()), bool(hidden.max() < 255)
        (255, True)
    """
    size = len(image)
    blurred = cv2.GaussianBlur(image.astype(np.float32), (0, 0), _BLUR * size)
    cover = cv2.GaussianBlur(region.astype(np.float32), (0, 0), _SOFT_EDGE * size)
    return np.round(image + cover * (blurred - image)).astype(np.uint8)


def occlusion_shifts(
    hands: Mapping[str, PreparedHand],
    predict: Callable[[Sequence[Mapping[str, PreparedHand]]], Mapping[str, np.ndarray]],
) -> pd.DataFrame:
    """How far hiding each region moves every model's answer to one radiograph.

    Args:
        hands: model name -> the hand as that model sees it, found by its landmarks.
        predict: from N such mappings to model name -> (N,) months, for the child's sex.

    Returns:
        Columns model, region (of REGIONS), area (share of the image, 0 to 1), shift_months (answer
        with the region hidden minus answer without) and control_shift_months (the same for the
        region's control, see `beside_the_bones`).

    Raises:
        ValueError: a hand has no landmarks.

    Example:
        >>> from boneage.datasets.phantoms import draw_phantom
        >>> from boneage.radiographs.preprocessing import prepare
        >>> hand = prepare(draw_phantom(120, "female"))
        >>> def brightness(variants):
        ...     return {"mean gray": np.array([v["mean gray"].image.mean() for v in variants])}
        >>> shifts = occlusion_shifts({"mean gray": hand}, brightness)
        >>> shifts["region"].tolist()
        ['phalanges', 'metacarpals', 'carpals', 'distal_radius_ulna']
    """
    regions = {model: bone_regions(hand) for model, hand in hands.items()}
    controls = {model: beside_the_bones(regions[model]) for model in hands}
    hidden = [
        {
            model: dataclasses.replace(hand, image=occlude(hand.image, masks[model][region]))
            for model, hand in hands.items()
        }
        for masks in (regions, controls)
        for region in REGIONS
    ]
    months = predict([hands, *hidden])
    tables = []
    for model in hands:
        shifts, control_shifts = np.split(months[model][1:] - months[model][0], 2)
        areas = [regions[model][region].mean() for region in REGIONS]
        columns: dict[str, Any] = {"model": model, "region": REGIONS, "area": areas}
        columns |= {"shift_months": shifts, "control_shift_months": control_shifts}
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)
