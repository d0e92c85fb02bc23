"""The average of a group of hands: aligned by landmarks, then by optical flow to their mean.

Landmarks are a few pixels off and say nothing about carpal bones or the forearm; the flow brings
the bones themselves to lie on each other. Each round registers every hand to the mean of the
round before, which gets sharper (groupwise registration, e.g. Joshi et al., NeuroImage 2004;23).
"""

from dataclasses import dataclass

import cv2
import numpy as np

from boneage.atlas.landmarks import is_right_hand, mean_shape, mirrored
from boneage.atlas.warping import sample, warp_map
from boneage.radiographs.hand import MIDDLE_MCP, WRIST

HEIGHT, WIDTH = 640, 512
# The prepared image's own room above the fingertips; below the wrist a little less than it has
# (0.3), since some forearms lie aslant. Shares of the hand's length, wrist to longest fingertip.
_ABOVE, _BELOW = 0.08, 0.27

# Gaussian sigma, in pixels, by which the flow of each round is smoothed. The first brings the
# forearms together, which landmarks do not.
_ROUNDS = (24.0, 14.0, 8.0, 5.0, 4.0)
_JUDGED_AFTER = 8.0  # the round after which hands unlike the others are dropped
_FLOW_STEP = 4  # flows are that smooth that a quarter of the resolution holds them
_DETAIL = 25  # bones are compared by their edges: gray levels relative to those this far around
_OUTLIER = 3.5  # robust standard deviations below the group's median correlation
_TRIMMED = 0.25  # share of the darkest and of the brightest hands left out at each pixel
# Landmarks end at the wrist; these rows of the canvas tell which way the forearm leans.
_FOREARM_ROWS = slice(580, 620)


@dataclass(frozen=True, eq=False)
class Average:
    """The average of a group of hands; left hands, thumb to the right.

    Attributes:
        image: (HEIGHT, WIDTH) uint8, the trimmed mean, over all gray levels.
        spread: (HEIGHT, WIDTH) uint8, interquartile range between the hands in the same gray
            levels.
        landmarks: (21, 2) float32 on `image`.
        kept: (N,) bool, which hands it is made of; the others were unlike the rest.
        correlation: median correlation of a hand's detail with the mean's, 0 to 1.
        sharpness: variance of the Laplacian of the mean, in the gray levels of `image`.
        sharpness_before: the same of the mean of all hands aligned by landmarks alone.
    """

    image: np.ndarray
    spread: np.ndarray
    landmarks: np.ndarray
    kept: np.ndarray
    correlation: float
    sharpness: float
    sharpness_before: float


def average(images: list[np.ndarray], landmarks: np.ndarray) -> Average:
    """Average hands of one sex and age.

    Args:
        images: N prepared images, (S, S) uint8.
        landmarks: (N, 21, 2) on them.

    Returns:
        The average, made of those that are like the rest.
    """
    hands = [_Hand.left(*hand) for hand in zip(images, landmarks, strict=True)]
    shape = _on_canvas(mean_shape([hand.landmarks for hand in hands]))
    for hand in hands:
        hand.place(shape)
    forearms = np.array([_forearm(hand.view()) for hand in hands])
    for hand, forearm in zip(hands, forearms, strict=True):
        hand.flow[..., 0] = _lean(forearm - np.median(forearms), shape[WRIST, 1])

    kept = np.ones(len(hands), bool)
    views = np.stack([hand.view() for hand in hands])
    before = trimmed_mean(views)
    mask = hand_mask(before)
    for smoothing in _ROUNDS:
        group = [hand for hand, is_kept in zip(hands, kept, strict=True) if is_kept]
        details = [detail(view) for view in views]
        mean = trimmed_mean(np.stack(details))
        for hand, its_detail in zip(group, details, strict=True):
            hand.register(its_detail, mean, mask, smoothing)
        center = np.mean([hand.flow for hand in group], axis=0)
        for hand in group:
            hand.flow -= center  # else the mean would drift away from the mean shape
        views = np.stack([hand.view() for hand in group])
        if smoothing == _JUDGED_AFTER:
            is_like = ~_unlike(views, mask, round(shape[WRIST, 1]))
            kept[:] = is_like
            views = views[is_like]

    correlation = np.median(_correlations(views, mask))
    views = same_exposure(views, mask)
    low_quartile, high_quartile = np.percentile(views, (25, 75), axis=0)
    mean = trimmed_mean(views)
    black, white = np.median(mean[mask < 0.05]), np.percentile(mean[mask > 0.5], 99.9)
    gain = 255 / (white - black)
    return Average(
        _to_uint8(gain * (mean - black)),
        _to_uint8(gain * (high_quartile - low_quartile)),
        shape.astype(np.float32),
        kept,
        float(correlation),
        sharpness(gain * mean),
        sharpness(gain * before),
    )


class _Hand:
    """One hand of the group, as a left hand, and how it is bent onto the common canvas."""

    def __init__(self, image: np.ndarray, landmarks: np.ndarray):
        self.landmarks = np.asarray(landmarks, np.float64)
        # The box around the hand without the black beside it, which is no background.
        rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
        self._corner = np.array([columns[0], rows[0]])
        self._box = np.ascontiguousarray(
            image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        )
        self.flow = np.zeros((HEIGHT // _FLOW_STEP, WIDTH // _FLOW_STEP, 2), np.float32)

    @classmethod
    def left(cls, image: np.ndarray, landmarks: np.ndarray) -> "_Hand":
        if is_right_hand(landmarks):
            return cls(image[:, ::-1], mirrored(landmarks, image.shape[1]))
        return cls(image, landmarks)

    def place(self, shape: np.ndarray) -> None:
        """Align by landmarks to `shape` (21, 2) on the canvas."""
        self._where = warp_map(shape, self.landmarks - self._corner, (HEIGHT, WIDTH))

    def view(self) -> np.ndarray:
        """(HEIGHT, WIDTH) uint8, the hand on the canvas, resampled once whatever bent it."""
        flow = cv2.resize(self.flow, (WIDTH, HEIGHT))
        where = sample(self._where, _grid(HEIGHT, WIDTH) + flow, cv2.INTER_LINEAR)
        return sample(self._box, where)

    def register(
        self, its_detail: np.ndarray, mean: np.ndarray, mask: np.ndarray, smoothing: float
    ) -> None:
        """Add to the flow what brings this hand's detail onto the mean's."""
        more = find_flow(_to_uint8(mean), its_detail, mask, smoothing)
        grid = _grid(*more.shape[:2])
        before = sample(self.flow, grid + more / _FLOW_STEP, cv2.INTER_LINEAR)
        self.flow = before + more


def find_flow(
    detail_here: np.ndarray, detail_there: np.ndarray, mask: np.ndarray, smoothing: float
) -> np.ndarray:
    """Where what is here lies there, from optical flow (Kroeger et al., ECCV 2016), smoothed.

    Args:
        detail_here: (H, W) uint8 of one hand, see `detail`; H and W multiples of 4.
        detail_there: the same of a hand aligned to it.
        mask: (H, W) float32, 1 in the hand and 0 far from it.
        smoothing: Gaussian sigma in pixels.

    Returns:
        (H / 4, W / 4, 2) float32 of x, y in pixels of the full image.
    """
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    # OpenCV's types lack None for the flow to start from.
    found = method.calc(detail_here, detail_there, None)  # type: ignore[call-overload]
    height, width = (side // _FLOW_STEP for side in mask.shape)
    weight = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)
    small = cv2.resize(found, (width, height), interpolation=cv2.INTER_AREA)
    # Smoothed among the hand's pixels only: the background has nothing to follow.
    total = cv2.GaussianBlur(small * weight[..., None], (0, 0), smoothing / _FLOW_STEP)
    share = cv2.GaussianBlur(weight, (0, 0), smoothing / _FLOW_STEP)
    return total / np.maximum(share, 0.05)[..., None]


def follow(image: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """(H, W) `image` bent by a flow of `find_flow`: what lies there is brought here."""
    height, width = image.shape
    flow = cv2.resize(flow, (width, height))
    return sample(image, _grid(height, width) + flow)


def _forearm(view: np.ndarray) -> float:
    """x where the forearm leaves the canvas, from its bones, which are brightest there."""
    profile = view[_FOREARM_ROWS].mean(axis=0)
    weight = np.cumsum(np.maximum(profile - 0.6 * profile.max(), 0))
    return float(np.searchsorted(weight, weight[-1] / 2))


def _lean(shift: float, wrist: float) -> np.ndarray:
    """(H / 4,  1) shift of each row of a flow that leans the forearm, from the wrist (y) down."""
    y = (np.arange(HEIGHT // _FLOW_STEP) + 0.5) * _FLOW_STEP
    below = np.maximum(y - wrist, 0) / (_FOREARM_ROWS.start - wrist)
    return (shift * below)[:, np.newaxis]


def _on_canvas(shape: np.ndarray) -> np.ndarray:
    """A mean shape turned upright, moved and scaled to fill the canvas."""
    axis = shape[MIDDLE_MCP] - shape[WRIST]
    right, up = axis / np.linalg.norm(axis) * [1, -1]
    shape = shape @ np.array([[up, -right], [right, up]])
    low, high = shape.min(axis=0), shape.max(axis=0)
    length = shape[0, 1] - low[1]
    scale = HEIGHT / ((1 + _ABOVE + _BELOW) * length)
    middle_top = np.array([(low[0] + high[0]) / 2, low[1] - _ABOVE * length])
    return (shape - middle_top) * scale + [(WIDTH - 1) / 2, -0.5]


def detail(view: np.ndarray) -> np.ndarray:
    """(H, W) uint8: gray levels relative to their surroundings, whatever the exposure."""
    smooth = cv2.GaussianBlur(view, (0, 0), 1.5).astype(np.float32)
    size = (2 * _DETAIL + 1,) * 2
    above = smooth - cv2.blur(smooth, size)
    # Rounding can make a sum of squares negative; the 8 keeps the background flat.
    contrast = np.sqrt(np.maximum(cv2.blur(above * above, size), 0)) + 8
    return _to_uint8(128 + 50 * above / contrast)


def trimmed_mean(stack: np.ndarray) -> np.ndarray:
    """(N, H, W) -> (H, W) float32: mean of the middle values at each pixel."""
    cut = int(_TRIMMED * len(stack))
    if stack.dtype == np.uint8:
        stack = stack.astype(np.int16)  # which NumPy sorts several times faster
    return np.sort(stack, axis=0)[cut : len(stack) - cut].mean(axis=0, dtype=np.float32)


def sharpness(image: np.ndarray) -> float:
    """Variance of the Laplacian of an (H, W) float32 image; noise of single pixels smoothed."""
    smooth = cv2.GaussianBlur(image, (0, 0), 1)
    return float(cv2.Laplacian(smooth, cv2.CV_32F).var())


def hand_mask(mean: np.ndarray) -> np.ndarray:
    """(H, W) float32: 1 in the hand of an average, falling to 0 around it."""
    smooth = _to_uint8(cv2.GaussianBlur(mean.astype(np.float32), (0, 0), 6))
    _, hand = cv2.threshold(smooth, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    hand = cv2.dilate(hand, np.ones((15, 15), np.uint8))
    return cv2.GaussianBlur(hand.astype(np.float32), (0, 0), 8)


def _correlations(views: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(N,) correlation of each hand's detail with the mean's, within the hand."""
    details = np.stack([detail(view)[mask > 0.5] for view in views]).astype(np.float32)
    mean = trimmed_mean(details)
    return np.array([np.corrcoef(each, mean)[0, 1] for each in details])


def _unlike(views: np.ndarray, mask: np.ndarray, wrist: int) -> np.ndarray:
    """(N,) bool: which hands correlate far less than the rest with the mean, above or below row
    `wrist`: a forearm that lies otherwise blurs the standard there and counts little in the
    whole."""
    return _outliers(_correlations(views[:, :wrist], mask[:wrist])) | _outliers(
        _correlations(views[:, wrist:], mask[wrist:])
    )


def _outliers(values: np.ndarray) -> np.ndarray:
    """(N,) bool: far below the median, in robust standard deviations."""
    deviations = values - np.median(values)
    spread = 1.4826 * np.median(np.abs(deviations))
    return deviations < -_OUTLIER * spread


def same_exposure(views: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(N, H, W) float32: every hand with the brightness and contrast that fit it best to the mean
    of all.

    Args:
        views: (N, H, W) uint8, registered.
        mask: (H, W) float32, see `hand_mask`.
    """
    inside = mask > 0.5
    mean = trimmed_mean(views[:, inside])
    fits = [np.polyfit(view[inside], mean, 1) for view in views]
    return np.stack(
        [gain * view.astype(np.float32) + shift
         for view, (gain, shift) in zip(views, fits, strict=True)]
    )  # fmt: skip


def _grid(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.dstack([x, y])


def _to_uint8(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
