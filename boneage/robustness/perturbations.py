"""Other images of the same hand: another size, file, pose, exposure or framing.

Each keeps the bone age, so what it does to a prediction is the reader's fault. All work on
`Radiograph.pixels`, (H, W) uint8 with bones bright, and what they uncover is black.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

CLEAN = "clean"  # in tables: the file as it is
_FAST_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 0]  # read back at once
_NOISE_SEED = 2017


@dataclass(frozen=True)
class Perturbation:
    """One way to change an image.

    Attributes:
        title: the name people read.
        change: (H, W) uint8 -> (H', W') uint8, without side effects.
        jpeg_quality: of the file, 1 to 100; None for a lossless one (PNG).
    """

    title: str
    change: Callable[[np.ndarray], np.ndarray] = np.copy
    jpeg_quality: int | None = None

    def file(self, pixels: np.ndarray) -> bytes:
        """The bytes of a file that holds the changed image."""
        changed = self.change(pixels)
        if self.jpeg_quality is None:
            return cv2.imencode(".png", changed, _FAST_PNG)[1].tobytes()
        quality = [cv2.IMWRITE_JPEG_QUALITY, self.jpeg_quality]
        return cv2.imencode(".jpg", changed, quality)[1].tobytes()


def to_width(pixels: np.ndarray, width: int) -> np.ndarray:
    """The image `width` pixels wide, its shape kept, averaged down or interpolated."""
    scale = width / pixels.shape[1]
    size = (width, max(1, round(pixels.shape[0] * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def enlarge(pixels: np.ndarray, factor: int) -> np.ndarray:
    """`factor` times as many pixels along each side: larger, and no sharper."""
    return to_width(pixels, factor * pixels.shape[1])


def turn(pixels: np.ndarray, degrees: float) -> np.ndarray:
    """Turned counter-clockwise about the middle of a frame that stays, so corners are lost."""
    height, width = pixels.shape
    middle = ((width - 1) / 2, (height - 1) / 2)
    rotation = cv2.getRotationMatrix2D(middle, degrees, 1)
    return cv2.warpAffine(pixels, rotation, (width, height), flags=cv2.INTER_LINEAR)


def gamma(pixels: np.ndarray, exponent: float) -> np.ndarray:
    """Gray levels from 0 to 1 raised to a power: below 1 brighter, above 1 darker."""
    levels = 255 * (np.arange(256) / 255) ** exponent
    return cv2.LUT(pixels, np.rint(levels).astype(np.uint8))


def contrast(pixels: np.ndarray, factor: float) -> np.ndarray:
    """Differences from the mean gray level times a factor, cut off at black and white."""
    mean = float(pixels.mean())
    levels = mean + factor * (np.arange(256) - mean)
    return cv2.LUT(pixels, np.rint(levels).clip(0, 255).astype(np.uint8))


def blur(pixels: np.ndarray, share: float) -> np.ndarray:
    """Blurred by a Gaussian whose SD is this share of the width."""
    return cv2.GaussianBlur(pixels, (0, 0), share * pixels.shape[1])


def add_noise(pixels: np.ndarray, sd: float) -> np.ndarray:
    """With Gaussian noise of this SD in gray levels, the same each time, in every pixel."""
    noise = np.random.default_rng(_NOISE_SEED).standard_normal(pixels.shape, np.float32)
    return cv2.add(pixels, sd * noise, dtype=cv2.CV_8U)


def mirror(pixels: np.ndarray) -> np.ndarray:
    """Left and right exchanged: the other hand."""
    return np.ascontiguousarray(pixels[:, ::-1])


def cut(pixels: np.ndarray, share: float) -> np.ndarray:
    """Without this share of the height at the top and bottom and of the width at the sides."""
    rows, columns = (round(share * side) for side in pixels.shape)
    height, width = pixels.shape
    return pixels[rows : height - rows, columns : width - columns].copy()


PERTURBATIONS: dict[str, Perturbation] = {
    "width_128": Perturbation("128 pixels wide", partial(to_width, width=128)),
    "enlarged_4": Perturbation("Enlarged 4 times", partial(enlarge, factor=4)),
    "jpeg_30": Perturbation("JPEG, quality 30", jpeg_quality=30),
    "turned_left_15": Perturbation("Rotated left by 15°", partial(turn, degrees=15)),
    "turned_right_15": Perturbation("Rotated right by 15°", partial(turn, degrees=-15)),
    "gamma_0.6": Perturbation("Brighter, gamma 0.6", partial(gamma, exponent=0.6)),
    "gamma_1.6": Perturbation("Darker, gamma 1.6", partial(gamma, exponent=1.6)),
    "mirrored": Perturbation("Mirrored", mirror),
    # "15% of the border" is read both ways: of each side length in all, and at each edge.
    "cut_7.5": Perturbation("7.5% cropped at each edge", partial(cut, share=0.075)),
    "cut_15": Perturbation("15% cropped at each edge", partial(cut, share=0.15)),
}
