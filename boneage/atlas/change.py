"""From one standard to an older one: how its places move, and where it gets brighter or darker."""

import cv2
import numpy as np

from boneage.atlas.landmarks import scaled
from boneage.atlas.registration import detail, find_flow, follow, hand_mask
from boneage.atlas.standards import Standard
from boneage.atlas.warping import sample, warp, warp_map

# Sigma in pixels of the flow between standards: as in `boneage.atlas.standards.between`, and so
# large that it moves the forearm as a whole, which has no landmarks, and no growing bone.
_FINE, _COARSE = 8.0, 24.0
_BLUR = 1.5  # pixels; edges that are not quite on each other are no change


def displacement(younger: Standard, older: Standard, step: int) -> np.ndarray:
    """Where places of the younger standard lie on the older, as pixels to add.

    Args:
        younger: a standard.
        older: a standard of the same sex.
        step: side in pixels, even, of the cells that the field is averaged over.

    Returns:
        V, (H // step, W // step, 2) float32 of x, y. A hand at `share` (0 to 1) of the way from one
        to the other has at p what the younger has at p - share * V(p) and the older at
        p + (1 - share) * V(p).
    """
    # The field is smooth: half the resolution finds it as well, four times faster.
    views = [cv2.resize(one.image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
             for one in (younger, older)]  # fmt: skip
    points = [scaled(one.landmarks, 0.5) for one in (younger, older)]
    middle = (points[0] + points[1]) / 2
    maps = [warp_map(middle, its_points, views[0].shape) for its_points in points]
    views = [sample(view, where) for view, where in zip(views, maps, strict=True)]
    flow = find_flow(detail(views[0]), detail(views[1]), hand_mask(views[0]), _FINE / 2)
    height, width = younger.image.shape
    size = (width // step, height // step)
    fields = [cv2.resize(field, size, interpolation=cv2.INTER_AREA)
              for field in (maps[1] - maps[0], flow)]  # fmt: skip
    return 2 * (fields[0] + fields[1])


def difference(younger: Standard, older: Standard) -> np.ndarray:
    """How much brighter the older standard is than the younger, brought to its joints and forearm.

    (H, W) float32 in [-1, 1]: positive where there is bone that the younger lacks. Both standards
    span the same gray levels, so a change of exposure does not show, and a change of size does
    not either. 0 beside the hand.
    """
    before = warp(younger.image, younger.landmarks, older.landmarks, older.image.shape)
    hand = hand_mask(older.image)
    flow = find_flow(detail(older.image), detail(before), hand, _COARSE)
    change = (older.image.astype(np.float32) - follow(before, flow)) / 255
    return hand * cv2.GaussianBlur(change, (0, 0), _BLUR)
