"""What a group of hands has in common and how they vary: the model that hands are drawn from.

A statistical model of shape and appearance (Cootes, Edwards and Taylor, Active Appearance Models,
IEEE TPAMI 2001;23:681): principal components of how the hands are bent onto their mean and of their
gray levels there, at low resolution. The fine detail, trabeculae and edges, is kept as a few
mixtures of the detail of all hands. Mixed anew at every place, they have the local contrast and
grain of a radiograph and the pattern of none.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from boneage.atlas.registration import hand_mask, same_exposure, trimmed_mean

MIN_HANDS = 40  # a component of fewer would say too much about each
MAX_LEVERAGE = 0.2  # of one hand in a component
SHAPE_COMPONENTS, TONE_COMPONENTS, MIXTURES = 10, 16, 4
WRIST = 0.8  # its row on the canvas, a share of the height, see `boneage.atlas.registration`
_SKIN = (30.0, 90.0)  # gray levels of the mean, from the skin to soft tissue well within the hand
_TONE_STEP = 4  # tones are smooth: a quarter of the resolution holds them
_TONE_BLUR = 1.2  # pixels at that resolution
_MAX_DEVIATION = 2.0  # robust standard deviations at each place; more is a marker, not a hand


class TooFewHands(ValueError):
    """A group is too small to make a model of."""


@dataclass(frozen=True, eq=False)
class HandModel:
    """The mean of a group of hands and how they vary, on one canvas (H, W).

    A component is scaled so that its coefficient has an SD of 1 among the hands.

    Attributes:
        mean: (H, W) float32, gray levels, background 0 and the brightest bone 255.
        shape: (K, H / 8, W / 8, 2) float32 of x, y: components of displacement in pixels.
        tone: (L, H / 4, W / 4) float32: components of gray levels.
        mixtures: (M, H, W) float32: each the sum of the fine detail of all hands, each with the
            weight 1 / sqrt(N) and a sign drawn at random.
    """

    mean: np.ndarray
    shape: np.ndarray
    tone: np.ndarray
    mixtures: np.ndarray


def fit_model(views: np.ndarray, displacements: np.ndarray, seed: int = 2017) -> HandModel:
    """Fit the model to registered hands.

    Args:
        views: (N, H, W) uint8, hands on a common canvas, H and W multiples of 8.
        displacements: (N, H / 8, W / 8, 2) float32 of x, y: from each place of the canvas to where
            it lies on the hand, in pixels.
        seed: of the signs of the mixtures.

    Returns:
        The model.

    Raises:
        TooFewHands: there are fewer than `MIN_HANDS`.
    """
    if len(views) < MIN_HANDS:
        raise TooFewHands(f"A model needs at least {MIN_HANDS} hands, not {len(views)}.")
    height, width = views.shape[1:]
    mask = hand_mask(trimmed_mean(views))
    even = same_exposure(views, mask)
    mean = trimmed_mean(even)
    black, white = np.median(mean[mask < 0.05]), np.percentile(mean[mask > 0.5], 99.9)
    gain = 255 / (white - black)
    mean = np.clip(gain * (mean - black), 0, 255) * mask
    deviations = _winsorized(gain * (even - black) * mask - mean)
    deviations -= deviations.mean(axis=0)

    tones = np.stack([_tone(each) for each in deviations])
    scores, tone = components(tones, TONE_COMPONENTS)
    for each, its_scores in zip(deviations, scores, strict=True):
        each -= enlarged(np.tensordot(its_scores, tone, 1), (height, width))
    # Edges of the skin, which lie elsewhere in each hand, would make a ragged outline.
    deviations *= _rising(cv2.GaussianBlur(mean, (0, 0), 1.5), *_SKIN)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (MIXTURES, len(views)))
    mixtures = np.tensordot(signs / np.sqrt(len(views)), deviations, 1)

    within = cv2.resize(mask, displacements.shape[2:0:-1], interpolation=cv2.INTER_AREA)
    smooth = np.stack(
        [_filled(with_straight_forearm(each, within), within) for each in displacements]
    )
    _, shape = components(smooth - smooth.mean(axis=0), SHAPE_COMPONENTS, within[..., np.newaxis])
    return HandModel(*(part.astype(np.float32) for part in (mean, shape, tone, mixtures)))


def components(
    values: np.ndarray, count: int, weight: np.ndarray | float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Principal components that no single case carries.

    The leverage of a case in a component is its share of the component's variance. Components in
    which one case has more than `MAX_LEVERAGE` are left out and the next ones take their place.

    Args:
        values: (N, ...) of N cases, their mean 0.
        count: how many components.
        weight: of each place in finding them; broadcasts to the shape of a case.

    Returns:
        (N, K) scores with variance 1, and (K, ...) components; K is `count` or fewer.
    """
    weighted = (values * weight).reshape(len(values), -1)
    variance, cases = np.linalg.eigh(weighted @ weighted.T)
    cases = cases[:, np.argsort(-variance)][:, : len(values) - 1]
    shared = np.flatnonzero((cases**2).max(axis=0) <= MAX_LEVERAGE)[:count]
    scores = cases[:, shared] * np.sqrt(len(values))
    return scores, np.tensordot(scores.T, values, 1) / len(values)


def enlarged(tone: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """(H, W) of a smooth image at a lower resolution; shape: (H, W)."""
    return cv2.resize(tone, shape[::-1], interpolation=cv2.INTER_CUBIC)


def with_straight_forearm(displacement: np.ndarray, within: np.ndarray) -> np.ndarray:
    """A displacement that is affine below the wrist.

    No landmark lies there, and optical flow alone bends the bones.

    Args:
        displacement: (h, w, 2) float32.
        within: (h, w) float32, 1 in the hand and 0 outside.

    Returns:
        (h, w, 2) float64.
    """
    height, width = within.shape
    y, x = np.mgrid[:height, :width]
    terms = np.dstack([np.ones_like(x), x, y])
    forearm = (y >= WRIST * height) & (within > 0.5)
    affine, *_ = np.linalg.lstsq(terms[forearm], displacement[forearm], rcond=None)
    share = _rising(y[..., np.newaxis] / height, WRIST - 0.05, WRIST + 0.05)
    return (1 - share) * displacement + share * (terms @ affine)


def _rising(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 up to `low` and 1 from `high` on, smooth between."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return share**2 * (3 - 2 * share)


def _winsorized(deviations: np.ndarray) -> np.ndarray:
    usual = 1.4826 * np.median(np.abs(deviations), axis=0)
    limit = _MAX_DEVIATION * cv2.GaussianBlur(usual, (0, 0), 2) + 1
    return np.clip(deviations, -limit, limit)


def _tone(deviation: np.ndarray) -> np.ndarray:
    height, width = deviation.shape
    size = (width // _TONE_STEP, height // _TONE_STEP)
    small = cv2.resize(deviation, size, interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), _TONE_BLUR)


def _filled(displacement: np.ndarray, within: np.ndarray) -> np.ndarray:
    """The displacement in the hand, continued smoothly around it, where nothing was registered."""
    within = within[..., np.newaxis]
    total = cv2.GaussianBlur(displacement * within, (0, 0), 2.5)
    share = cv2.GaussianBlur(within, (0, 0), 2.5)[..., np.newaxis]
    far = (displacement * within).sum(axis=(0, 1)) / within.sum()
    around = (total + 0.01 * far) / (share + 0.01)
    return within * displacement + (1 - within) * around
