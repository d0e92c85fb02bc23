"""Occlusion: what hiding a region of the hand does to the predicted age. No Keras.

Source: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014,
section 4.2; over anatomical regions instead of a sliding square. A region is not painted over, as
there, but strongly blurred: a black or grey shape is like no hand that the models have met, so the
answer would tell of the shape. The blur keeps brightness and outline, and takes bones and growth
plates away.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
import pandas as pd

from boneage.explain.regions import beside_the_bones, bone_regions
from boneage.radiographs.preprocessing import PreparedHand

CONTROL = "control"  # no region: as large, beside the bones; what blurring does by itself

# Standard deviations as fractions of the image's side; a carpal bone of a schoolchild is 1/20.
_BLUR = 1 / 16
_SOFT_EDGE = 1 / 128  # a sharp seam would be a feature of its own


def occlude(image: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Blur a region away: (S, S) uint8 and (S, S) bool -> (S, S) uint8."""
    size = len(image)
    blurred = cv2.GaussianBlur(image.astype(np.float32), (0, 0), _BLUR * size)
    cover = cv2.GaussianBlur(region.astype(np.float32), (0, 0), _SOFT_EDGE * size)
    return np.round(image + cover * (blurred - image)).astype(np.uint8)


def occlusion_shifts(
    hands: Mapping[str, PreparedHand],
    predict: Callable[[Sequence[Mapping[str, PreparedHand]]], Mapping[str, np.ndarray]],
) -> pd.DataFrame:
    """How far hiding each region moves every model's answer to one radiograph.

    hands: model name -> the hand as that model sees it, found by its landmarks.
    predict: from N such mappings to model name -> (N,) months, for the child's sex.

    Result columns: model, region (of REGIONS, and CONTROL), area (share of the image, 0 to 1),
    shift_months (answer with the region hidden minus answer without). Raises ValueError for a hand
    without landmarks.
    """
    regions = {name: _regions(hand) for name, hand in hands.items()}
    names = list(next(iter(regions.values())))
    hidden = [
        {
            model: dataclasses.replace(hand, image=occlude(hand.image, regions[model][name]))
            for model, hand in hands.items()
        }
        for name in names
    ]
    months = predict([hands, *hidden])
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "model": model,
                    "region": names,
                    "area": [regions[model][name].mean() for name in names],
                    "shift_months": months[model][1:] - months[model][0],
                }
            )
            for model in hands
        ],
        ignore_index=True,
    )


def _regions(hand: PreparedHand) -> dict[str, np.ndarray]:
    regions = bone_regions(hand)
    return regions | {CONTROL: beside_the_bones(regions)}
