"""Thin-plate splines: an image bent so that its landmarks come to lie on others."""

import cv2
import numpy as np

from boneage.atlas.landmarks import control_points

# The spline is smooth, so it is worked out on a coarse grid and interpolated in between.
_STEP = 8
# How much the spline may miss its points by, against bending (Wahba 1990): landmarks are a few
# pixels off, which must not dent the image.
_SMOOTHING = 1.0


def warp_map(
    landmarks: np.ndarray, source_landmarks: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """Where each pixel of a warped image comes from.

    A thin-plate spline (Bookstein 1989) through the hands' control points, see
    `boneage.atlas.landmarks.control_points`.

    Args:
        landmarks: (21, 2) where the landmarks shall lie on the warped image.
        source_landmarks: (21, 2) where they lie on the image to be warped.
        shape: (height, width) of the warped image.

    Returns:
        (H, W, 2) float32 of x, y on the image to be warped.
    """
    from scipy.interpolate import RBFInterpolator  # half a second, where something is warped

    height, width = shape
    spline = RBFInterpolator(
        control_points(landmarks),
        control_points(source_landmarks),
        kernel="thin_plate_spline",
        smoothing=_SMOOTHING,
    )
    # Cell centers, one more all around, so that the enlarged grid needs no extrapolation.
    rows, columns = (-(-side // _STEP) + 2 for side in shape)
    y, x = np.mgrid[:rows, :columns] * float(_STEP) - (_STEP + 1) / 2
    coarse = spline(np.stack([x.ravel(), y.ravel()], axis=1)).reshape(rows, columns, 2)
    fine = cv2.resize(
        coarse.astype(np.float32), (columns * _STEP, rows * _STEP), interpolation=cv2.INTER_LINEAR
    )  # OpenCV's cubic would put ripples on a slope
    return fine[_STEP : _STEP + height, _STEP : _STEP + width]


def sample(
    image: np.ndarray, where: np.ndarray, interpolation: int = cv2.INTER_CUBIC
) -> np.ndarray:
    """The values of an image at given places; beyond it those at its edge.

    Args:
        image: (h, w) or (h, w, channels).
        where: (H, W, 2) float32, x, y.
        interpolation: of OpenCV.

    Returns:
        (H, W) or (H, W, channels), the type of `image`.
    """
    return cv2.remap(
        image,
        where,
        None,  # type: ignore[call-overload]  # OpenCV's types lack None for the second map
        interpolation,
        borderMode=cv2.BORDER_REPLICATE,
    )


def warp(
    image: np.ndarray,
    source_landmarks: np.ndarray,
    landmarks: np.ndarray,
    shape: tuple[int, int],
) -> np.ndarray:
    """`image` with its `source_landmarks` brought to `landmarks` on an image of `shape`."""
    return sample(image, warp_map(landmarks, source_landmarks, shape))
