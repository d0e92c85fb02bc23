"""Made-up hands, registered: fast to fit a model to, and how they vary is known."""

import cv2
import numpy as np

N, SHAPE = 48, (160, 128)
PATTERN_SD = 15  # gray levels


def made_up_views(n: int = N, seed: int = 3, grain: float = 0.8) -> np.ndarray:
    """n bright discs on black, each with its own pattern, brighter on one side or the other.

    grain: sigma of the pattern, in pixels.
    """
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    disc = np.clip((50 - np.hypot(x - 64, y - 90)) / 4, 0, 1)
    patterns = [cv2.GaussianBlur(rng.normal(0, 1, SHAPE), (0, 0), grain) for _ in range(n)]
    patterns = [PATTERN_SD * each / each.std() for each in patterns]
    slopes = [rng.normal(0, 0.3) * (x - 64) for _ in range(n)]
    views = [disc * (150 + p + s) for p, s in zip(patterns, slopes, strict=True)]
    return np.clip(np.stack(views), 0, 255).astype(np.uint8)


def made_up_displacements() -> np.ndarray:
    """Each disc moved to the right by its own amount."""
    moved = np.zeros((N, SHAPE[0] // 8, SHAPE[1] // 8, 2), np.float32)
    moved[..., 0] = np.random.default_rng(4).normal(0, 3, N)[:, None, None]
    return moved
