"""Images that the quality check should refuse, to measure how many it does.

Nothing is downloaded: the images come with scikit-image, scikit-learn and pydicom, are drawn
here, or are made of real radiographs in memory. Photographs of hands and chest films come with
none of these packages, so they are imitated: a radiograph's silhouette is filled with even skin,
and a chest is drawn from ellipses.
"""

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from boneage.datasets.phantoms import draw_phantom
from boneage.errors import BoneAgeError

# HANDS are whole hands that the preparation may well correct: measured, not to be refused.
from boneage.quality.checks import HANDS, NEARLY, UNLIKE
from boneage.sexes import SEXES

_PHOTOGRAPHS = {
    "skimage": ("astronaut.png", "camera.png", "chelsea.png", "coffee.png", "motorcycle_left.png",
                "rocket.jpg"),
    "sklearn": ("china.jpg", "flower.jpg"),
}  # fmt: skip
_OBJECTS = {
    "skimage": ("brick.png", "cell.png", "clock_motion.png", "coins.png", "grass.png", "gravel.png",
                "hubble_deep_field.jpg", "ihc.png", "moon.png", "retina.jpg"),
}  # fmt: skip
_PAGES = {"skimage": ("page.png", "text.png")}
# CT, MR, ultrasound and a bone scan of the whole body.
_SCANS = ("693_J2KI.dcm", "CT_small.dcm", "J2K_pixelrep_mismatch.dcm", "JPEG2000.dcm",
          "MR_small.dcm", "examples_overlay.dcm", "examples_palette.dcm",
          "examples_rgb_color.dcm", "examples_jpeg2k.dcm")  # fmt: skip
_FOLDERS = {"skimage": "data", "sklearn": "datasets/images", "pydicom": "data/test_files"}

_SKIN = np.array((224, 172, 140)) / 224
_TABLE = np.array((96, 110, 128))

Negative = tuple[str, str, str, bytes]  # group, kind, source, the file
Sourced = Iterator[tuple[str, np.ndarray]]  # source, image


def negatives(radiographs: Sequence[np.ndarray], seed: int = 0) -> Iterator[Negative]:
    """All negatives, drawn ones the same for the same seed.

    Images of one source are pieces, turns or changes of one image, and so are not independent.

    Args:
        radiographs: (H, W) uint8 each, bones bright; every kind of near miss is made of each.
        seed: of what is drawn.

    Yields:
        Group, kind, source and content of a file.

    Raises:
        BoneAgeError: scikit-image is missing.
    """
    rng = np.random.default_rng(seed)
    for kind, images in (
        ("photographs in color", _pieces(_PHOTOGRAPHS, gray=False)),
        ("photographs in grayscale", _pieces(_PHOTOGRAPHS, gray=True)),
        ("surfaces, objects, tissue", _pieces(_OBJECTS, gray=True)),
        ("pages of text", _pages(rng)),
        ("scans of other body parts", _scans()),
        ("drawn chests", _drawn("chest", (_chest(rng) for _ in range(24)))),
        ("noise", _drawn("noise", (_noise(rng, blur) for blur in np.geomspace(0.5, 40, 24)))),
        (
            "blank",
            _drawn(
                "blank", (rng.integers(level, level + 3, (400, 300)) for level in range(0, 240, 20))
            ),
        ),
    ):
        for source, image in images:
            yield UNLIKE, kind, source, _png(image)
    for number in range(24):
        image = draw_phantom(12 + 8 * number, SEXES[number % 2], number)
        yield NEARLY, "drawn hands (phantoms)", f"phantom {number}", _png(image)
    for group, changes in ((NEARLY, _NEAR_MISSES), (HANDS, _CHANGED_HANDS)):
        for kind, change in changes.items():
            for number, pixels in enumerate(radiographs):
                image = change(pixels, radiographs[number - 1], rng)
                yield group, kind, f"radiograph {number}", _png(image)


def _png(image: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(image.astype(np.uint8)).save(file, "PNG", compress_level=1)
    return file.getvalue()


# Unlike hands -----------------------------------------------------------------------------------


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise BoneAgeError(
            f"Measuring the quality check needs images of the package {package}: "
            "pip install -r tests/requirements.txt."
        )
    return Path(spec.origin).parent / _FOLDERS[package]


def _drawn(title: str, images: Iterator[np.ndarray]) -> Sourced:
    return ((f"{title} {number}", image) for number, image in enumerate(images))


def _pieces(names: Mapping[str, Sequence[str]], gray: bool) -> Sourced:
    """Every image as a whole, and its four quarters."""
    for package, files in names.items():
        for name in files:
            with Image.open(_folder(package) / name) as image:
                array = np.asarray(image.convert("RGB").convert("L" if gray else "RGB"))
            middle = (array.shape[0] // 2, array.shape[1] // 2)
            yield name, array
            for rows in (slice(None, middle[0]), slice(middle[0], None)):
                for columns in (slice(None, middle[1]), slice(middle[1], None)):
                    yield name, array[rows, columns]


def _pages(rng: np.random.Generator) -> Sourced:
    yield from _pieces(_PAGES, gray=True)
    words = ("bone", "age", "of", "the", "left", "hand", "and", "wrist", "in", "years", "months")
    for size in range(10, 34):
        page = Image.new("L", (600, 800), 250)
        lines = [" ".join(rng.choice(words, 900 // (9 * size))) for _ in range(620 // size)]
        font = ImageFont.load_default(size)
        ImageDraw.Draw(page).multiline_text((50, 50), "\n".join(lines), 20, font)
        yield f"page {size}", np.asarray(page)


def _scans() -> Sourced:
    """The middle frame of each scan in gray, in its four turns."""
    from pydicom import dcmread

    for name in _SCANS:
        pixels = dcmread(_folder("pydicom") / name).pixel_array.astype(float)
        pixels = pixels.mean(axis=-1) if pixels.ndim == 3 else pixels
        low, high = np.percentile(pixels, (1, 99.5))
        shown = np.clip((pixels - low) / (high - low), 0, 1) * 255
        yield from ((name, np.rot90(shown, turns)) for turns in range(4))


def _chest(rng: np.random.Generator) -> np.ndarray:
    """(400, 400): two dark lungs in bright tissue, ribs, spine and heart."""
    image = np.full((400, 400), 20.0, np.float32)

    def ellipse(
        x: float,
        y: float,
        width: float,
        height: float,
        angle: float,
        value: float,
        thickness: int = -1,
        first: float = 0,
        last: float = 360,
    ) -> None:
        layer = np.zeros_like(image)
        at, axes = (round(x), round(y)), (round(width), round(height))
        cv2.ellipse(layer, at, axes, angle, first, last, 1.0, thickness)
        np.add(image, value * cv2.GaussianBlur(layer, (0, 0), 2), out=image)

    wide = rng.uniform(0.85, 1.1)
    ellipse(200, 230, 175 * wide, 210, 0, 130)
    for side in (-1, 1):
        ellipse(200 + side * 78 * wide, 210, 58 * wide, 130, side * 6, -85)
        for y in np.arange(90, 330, rng.uniform(24, 32)):
            ellipse(200 + side * 75 * wide, y + 40, 85 * wide, 40, side * 15, 26, 7, 185, 355)
        ellipse(200 + side * 80 * wide, 75, 75 * wide, 12, side * -12, 45, 9)
    ellipse(200, 220, 17, 190, 0, 50)
    ellipse(222, 265, 55 * wide, 62, 30, 55)
    image += rng.normal(0, rng.uniform(2, 6), image.shape)
    return np.clip(image, 0, 255)


def _noise(rng: np.random.Generator, blur: float) -> np.ndarray:
    smooth = cv2.GaussianBlur(rng.normal(size=(400, 300)), (0, 0), blur)
    return cv2.normalize(smooth, smooth, 0, 255, cv2.NORM_MINMAX)


# Nearly hands -----------------------------------------------------------------------------------

Change = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]


def _part(top: float, bottom: float, left: float = 0, right: float = 1) -> Change:
    """The piece of a radiograph between fractions of its height and width."""

    def cut(pixels: np.ndarray, _other: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
        height, width = pixels.shape
        rows = slice(int(top * height), int(bottom * height))
        return pixels[rows, int(left * width) : int(right * width)]

    return cut


def _blurred(
    pixels: np.ndarray, _other: np.ndarray, _rng: np.random.Generator, share: float
) -> np.ndarray:
    return cv2.GaussianBlur(pixels, (0, 0), share * min(pixels.shape))


def _side_by_side(pixels: np.ndarray, other: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    height = pixels.shape[0]
    width = round(other.shape[1] * height / other.shape[0])
    return np.hstack([pixels, cv2.resize(other, (width, height))[:, ::-1]])


def _small(pixels: np.ndarray, _other: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    scale = 72 / min(pixels.shape)
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _grainy(pixels: np.ndarray, _other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.clip(pixels + rng.normal(0, 80, pixels.shape), 0, 255)


def _photographed(
    pixels: np.ndarray, _other: np.ndarray, rng: np.random.Generator, in_color: bool
) -> np.ndarray:
    """The hand's outline with the shading of a skin that lets no bone through."""
    smooth = cv2.GaussianBlur(pixels, (0, 0), 0.01 * min(pixels.shape))
    _, inside = cv2.threshold(smooth, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_TRIANGLE)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5) / (0.06 * min(pixels.shape))
    skin = 130 + 70 * np.minimum(depth, 1) + rng.normal(0, 4, pixels.shape)
    skin = cv2.GaussianBlur(skin, (0, 0), 1)
    edge = cv2.GaussianBlur(inside.astype(float), (0, 0), 1)[..., np.newaxis]
    table = _TABLE + rng.normal(0, 4, (*pixels.shape, 1))
    image = edge * skin[..., np.newaxis] * _SKIN + (1 - edge) * table
    image = np.clip(image, 0, 255).astype(np.uint8)
    return image if in_color else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


_NEAR_MISSES: dict[str, Change] = {
    "photographs of hands in color (simulated)": partial(_photographed, in_color=True),
    "photographs of hands in grayscale (simulated)": partial(_photographed, in_color=False),
    "cropped to the fingers": _part(0, 0.45),
    "without the fingertips": _part(0.3, 1),
    "without the wrist": _part(0, 0.6),
    "half of the hand": _part(0, 1, 0, 0.5),
    "wrist and forearm": _part(0.65, 1),
    "blurred": partial(_blurred, share=0.03),
    "grainy": _grainy,
    "too small": _small,
    "two hands side by side": _side_by_side,
    "nearly black": lambda pixels, _other, _rng: pixels // 52,
}
_CHANGED_HANDS: dict[str, Change] = {
    "upside down": lambda pixels, _other, _rng: np.rot90(pixels, 2),
    "black on white": lambda pixels, _other, _rng: 255 - pixels,
}
