"""Drawing a hand from the model of its group."""

import cv2
import numpy as np

from boneage.atlas.registration import hand_mask
from boneage.atlas.warping import sample
from boneage.synthetic.model import WRIST, HandModel, enlarged

# Room around the canvas, in its pixels, for hands that are spread wider or longer than the mean.
_SIDE, _TOP = 96, 64
# A shorter forearm, in lengths of the hand, is cut off for the image quality check.
_MIN_FOREARM, _ATTEMPTS = 0.24, 20
_MARGIN = 64  # pixels of the radiograph left around the hand
_SIZE = 2  # the radiograph is so many times as large as the canvas
_MAX_SCORE = 2.0  # standard deviations
CELL = 20  # pixels over which the mixing of the detail changes
_ROUNDS = 20  # of inverting the displacement; each leaves a fraction of the error


def draw(model: HandModel, seed: int) -> np.ndarray:
    """Draw a hand at random.

    Args:
        model: of its group.
        seed: the same seed draws the same hand.

    Returns:
        (H, W) uint8, a left hand with fingers up, bones bright, cropped to the hand; it ends where
        the forearm does.
    """
    rng = np.random.default_rng(seed)
    texture = draw_texture(model, rng)
    texture[0] = texture[:, 0] = texture[:, -1] = 0  # what lies beyond the canvas is black
    mask = hand_mask(model.mean)
    for _ in range(_ATTEMPTS):
        where = _bent(model, rng)
        hand = sample(mask, where, cv2.INTER_LINEAR) > 0.5
        top, wrist, bottom = _rows(where, hand)
        if bottom - wrist >= _MIN_FOREARM * (wrist - top):
            break
    columns = np.flatnonzero(hand[:bottom].any(axis=0))
    left, right = max(0, columns[0] - _MARGIN), columns[-1] + 1 + _MARGIN
    image = sample(texture, where)[max(0, top - _MARGIN) : bottom, left:right]
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def _bent(model: HandModel, rng: np.random.Generator) -> np.ndarray:
    """(H, W, 2) float32 of x, y: where each pixel of a radiograph lies on the canvas."""
    displacement = np.tensordot(_scores(rng, len(model.shape)), model.shape, 1)
    where = _inverse(displacement.astype(np.float32), model.mean.shape)
    return cv2.resize(where, None, fx=_SIZE, fy=_SIZE, interpolation=cv2.INTER_LINEAR)


def _rows(where: np.ndarray, hand: np.ndarray) -> tuple[int, int, int]:
    """The rows of the fingertips, the wrist and the end of the forearm, as nothing is known beyond
    the canvas."""
    canvas = where.shape[0] / _SIZE - _TOP

    def first(rows: np.ndarray) -> int:
        return int(rows.argmax()) if rows.any() else len(rows)

    top, wrist, bottom = (
        first(((where[..., 1] > row) & hand).any(axis=1))
        for row in (-np.inf, WRIST * canvas, canvas - 1)
    )
    return top, wrist, bottom


def draw_texture(model: HandModel, rng: np.random.Generator) -> np.ndarray:
    """The gray levels of a hand before it is bent.

    Args:
        model: of its group.
        rng: draws it.

    Returns:
        (H, W) float32 on the canvas of the model.
    """
    tone = np.tensordot(_scores(rng, len(model.tone)), model.tone, 1).astype(np.float32)
    detail = (_mixing(rng, model.mixtures.shape) * model.mixtures).sum(axis=0)
    return model.mean + enlarged(tone, model.mean.shape) + detail


def _scores(rng: np.random.Generator, count: int) -> np.ndarray:
    return np.clip(rng.standard_normal(count), -_MAX_SCORE, _MAX_SCORE)


def _mixing(rng: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    """(M, H, W) smooth random weights; their squares add up to 1 everywhere, so that the sum of
    the mixtures varies as much as one hand."""
    count, height, width = shape
    coarse = rng.standard_normal((count, height // CELL + 2, width // CELL + 2))
    fields = np.stack(
        [cv2.resize(each.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
         for each in coarse]
    )  # fmt: skip
    return fields / np.sqrt((fields**2).sum(axis=0) + 1e-6)


def _inverse(displacement: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """(H + 64, W + 192, 2) float32 of x, y: where each place of the image lies on the canvas.

    Found by fixed-point iteration (Chen et al., Medical Physics 2008;35:81), in half steps, which
    also settle between fingers that are far apart.
    """
    height, width = shape
    field = cv2.resize(displacement, (width, height), interpolation=cv2.INTER_LINEAR)
    x, y = np.meshgrid(np.arange(-_SIDE, width + _SIDE), np.arange(-_TOP, height))
    image = np.dstack([x, y]).astype(np.float32)
    where = image.copy()
    for _ in range(_ROUNDS):
        where = (where + image - sample(field, where, cv2.INTER_LINEAR)) / 2
    return where
