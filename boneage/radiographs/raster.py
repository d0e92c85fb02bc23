"""The pixels of a PNG, JPEG, WebP or TIFF file."""

import re
import struct
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image, ImageChops
from PIL.TiffImagePlugin import TiffImageFile

from boneage.radiographs.contrast import negative
from boneage.radiographs.limits import (
    MAX_COSTLY_PIXELS,
    MAX_PIXELS,
    RationedFile,
    UnreadableRadiograph,
    check_size,
    too_many_pixels,
)


def read_picture(data: bytes, file_type: str) -> tuple[np.ndarray, float]:
    """(H, W) of the file's own depth, turned as its EXIF orientation says; and how coloured it is.

    The second is the share of the picture, 0 to 1, that has a colour of its own. Raises
    UnreadableRadiograph, or whatever the decoder raises on a damaged file.
    """
    if file_type in _CHECKS:
        _CHECKS[file_type](data)
    with Image.open(RationedFile(data), formats=[file_type.upper()]) as image:
        _check_kind(image, file_type)
        in_colour = image.mode not in _GREY_MODES
        # Brightness alone, where the file stores it apart from colour: a third of the memory.
        image.draft("L", image.size)
        # Read before the pixels, after which Pillow forgets: it inverts bilevel and 8-bit TIFF but
        # no deeper one.
        white_is_zero = isinstance(image, TiffImageFile) and image.tag_v2.get(262) == 0
        pixels = _grey(image)
        colour = 0.0
        if in_colour:
            colour = _colour(_reopened(data) if image.mode == "L" else image)
        if white_is_zero and pixels.dtype != np.uint8:
            pixels = negative(pixels)
        turn = 1 if file_type == "TIFF" else _orientation(image)  # Pillow turns a TIFF itself
    if _is_deep_colour_png(data, file_type):
        # Pillow keeps 8 of the 16 bits; it has decoded the file without complaint, so OpenCV can.
        flags = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
        deep = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        pixels = pixels if deep is None else deep
    return np.ascontiguousarray(_TURNS[turn](pixels)), colour


def _check_kind(image: Image.Image, file_type: str) -> None:
    """Refuse what is not one picture in shades of grey, before any pixel is decoded."""
    costly = file_type == "WebP" or image.mode in ("I", "F", "CMYK")
    check_size(*image.size, MAX_COSTLY_PIXELS if costly else MAX_PIXELS)
    if image.mode == "1":
        raise UnreadableRadiograph(
            "The image is only black and white; please export the radiograph in grayscale."
        )
    # Phones add previews to a JPEG; its first picture is the picture.
    if file_type != "JPEG" and getattr(image, "is_animated", False):
        raise UnreadableRadiograph(
            "The TIFF file has several pages; please save the page with the hand as its own file."
            if file_type == "TIFF"
            else f"The {file_type} file is an animation; please save one still image of the hand."
        )
    # A tile is decoded whole, even where it reaches far beyond the picture.
    if isinstance(image, TiffImageFile):
        tile = int(image.tag_v2.get(322, 1)) * int(image.tag_v2.get(323, 1))
        if tile > MAX_PIXELS:
            raise too_many_pixels()


def _grey(image: Image.Image) -> np.ndarray:
    """(H, W) array; transparent parts become black, like the background of a radiograph."""
    if image.mode == "F" or image.mode.startswith("I"):
        return np.asarray(image)
    if image.has_transparency_data:
        if image.mode not in ("LA", "RGBA"):
            image = image.convert("RGBA")
        return np.asarray(ImageChops.multiply(image.convert("L"), image.getchannel("A")))
    return np.asarray(image.convert("L"))


_GREY_MODES = ("L", "LA", "I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_COLOUR_SIDE = 128


def _reopened(data: bytes) -> Image.Image:
    """A JPEG of which only the brightness has been decoded, again, small and in colour."""
    image = Image.open(RationedFile(data), formats=["JPEG"])
    image.draft("RGB", (_COLOUR_SIDE, _COLOUR_SIDE))
    return image


def _colour(image: Image.Image) -> float:
    """Share of pixels whose colour brightness does not explain.

    A film that was photographed, or printed on tinted paper, has one tint, which at most changes
    with brightness; only the colours beside it count.
    """
    sample = image.resize((_COLOUR_SIDE, _COLOUR_SIDE), Image.Resampling.NEAREST)
    picture = np.asarray(sample.convert("RGB").convert("YCbCr"), float).reshape(-1, 3)
    brightness, tints = picture[:, 0] / 255, picture[:, 1:]
    powers = np.stack([np.ones_like(brightness), brightness, brightness**2], axis=1)
    beside = tints - powers @ np.linalg.lstsq(powers, tints)[0]
    return float((np.abs(beside).max(axis=1) > _CLEARLY_COLOURED).mean())


# Of 256 levels of Cb or Cr; JPEG and cameras add a few of their own.
_CLEARLY_COLOURED = 10


def _is_deep_colour_png(data: bytes, file_type: str) -> bool:
    # IHDR holds the bit depth and the colour type: 2 is RGB, 4 grey and alpha, 6 RGBA. Those with
    # alpha stay with Pillow, whose transparency is handled above.
    return file_type == "PNG" and data[24:26] == b"\x10\x02"


# Orientation ------------------------------------------------------------------------------------


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1 to 8; 1 where the entry is missing or nonsense."""
    # A JPEG segment, for which EXIF was made, is no longer; what is longer is not worth reading.
    if len(image.info.get("exif", b"")) > 2**16:
        return 1
    try:
        value = image.getexif().get(0x0112, 1)
    except Exception:  # a broken EXIF block says nothing about the picture
        return 1
    return value if value in _TURNS else 1


# EXIF orientation -> the change that makes the picture upright (EXIF 2.3, tag 274).
_TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda p: p,
    2: np.fliplr,
    3: lambda p: np.rot90(p, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda p: np.rot90(p, -1),
    7: lambda p: np.rot90(p, 2).T,
    8: np.rot90,
}


# Files made to keep a decoder busy --------------------------------------------------------------

# Progressive JPEG takes about ten scans, and each runs over the whole picture.
_MAX_SCANS = 50
_MAX_SEGMENTS = 10_000
# Segments that Pillow skips or reads by their length, and the end of the picture.
_JPEG_MARKER = re.compile(rb"\xff[\xc0-\xc7\xc9-\xcf\xd9-\xef\xfe]")


def check_jpeg(data: bytes) -> None:
    """Refuse a JPEG of far more scans, EXIF blocks or other segments than any camera writes."""
    at, scans, blocks = 2, 0, 0
    for _ in range(_MAX_SEGMENTS):
        marker = _JPEG_MARKER.search(data, at)
        if not marker or (marker[0] == b"\xff\xd9" and scans):
            return
        at = marker.end()
        blocks += data.startswith(b"Exif\0\0", at + 2)
        scans += marker[0] == b"\xff\xda"
        if scans > _MAX_SCANS or blocks > 10:
            break
        if marker[0] != b"\xff\xd9":
            at += int.from_bytes(data[at : at + 2])
    raise UnreadableRadiograph(
        "The JPEG file is made of too many pieces; please save it again as an ordinary JPEG."
    )


def _check_webp(data: bytes) -> None:
    """Raises ValueError for more chunks than even an animation has."""
    at = 12
    for _ in range(10_000):
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        at += at % 2
        if at >= len(data):
            return
    raise ValueError("too many chunks")


# Fewer numbers say where every strip of one row, or tile of 64 pixels, of a large picture lies.
_MAX_NUMBERS = 100_000
_NUMBER_TYPES = (3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 16)  # the others are bytes, or not read
_POINTER_TYPES = (4, 13)
_DIRECTORY_TAGS = (34665, 34853, 40965)  # EXIF, GPS, interoperability


def _check_tiff(data: bytes) -> None:
    """Raises ValueError for endless lists of numbers: Pillow makes an object of each number."""
    order = "<" if data.startswith(b"II") else ">"
    directories = list(struct.unpack_from(f"{order}I", data, 4))
    numbers = 0
    for start in directories:  # grows on the way
        if start + 2 > len(data):  # Pillow does without it
            continue
        (entries,) = struct.unpack_from(f"{order}H", data, start)
        complete = min(entries, (len(data) - start - 2) // 12)
        content = memoryview(data)[start + 2 : start + 2 + 12 * complete]
        for tag, kind, count, value in struct.iter_unpack(f"{order}HHII", content):
            numbers += count if kind in _NUMBER_TYPES else 0
            if tag in _DIRECTORY_TAGS and value not in directories:
                directories.append(value)
                if kind not in _POINTER_TYPES or len(directories) > 10:
                    raise ValueError("no directory that EXIF has")
        if numbers > _MAX_NUMBERS:
            raise ValueError("too many numbers")


_CHECKS: dict[str, Callable[[bytes], None]] = {
    "JPEG": check_jpeg,
    "WebP": _check_webp,
    "TIFF": _check_tiff,
}
