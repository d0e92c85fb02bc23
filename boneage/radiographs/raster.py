"""The pixels of an image file: the formats there are, and how each is decoded."""

import struct
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageChops
from PIL.TiffImagePlugin import TiffImageFile

from boneage.radiographs import codestreams
from boneage.radiographs.contrast import negative
from boneage.radiographs.file_info import Decoded, FileInfo
from boneage.radiographs.limits import (
    MAX_COSTLY_PIXELS,
    MAX_PIXELS,
    RationedFile,
    UnreadableRadiograph,
    check_size,
    too_many_pixels,
)


def read_image(data: bytes, file_type: str) -> Decoded:
    """Decode an image file.

    Args:
        data: the file.
        file_type: its name in `FORMATS`.

    Returns:
        (H, W) pixels of the file's own depth, turned as its EXIF orientation says, and how they are
        stored.

    Raises:
        UnreadableRadiograph: the image cannot be used. The decoders may raise anything else on a
            damaged file.
    """
    kind = FORMATS[file_type]
    kind.check(data)
    if file_type == "HEIC":
        _register_heic()
    if file_type == "JPEG" and not _is_ordinary_jpeg(data):
        pixels = codestreams.decode(data)
        pixels, color = gray_and_color(pixels) if pixels.ndim == 3 else (pixels, 0.0)
        return Decoded(pixels, FileInfo(file_type, bits=codestreams.read_header(data).bits), color)
    with Image.open(RationedFile(data), formats=[kind.pillow]) as image:
        _check_kind(image, file_type)
        in_color = image.mode not in _GRAY_MODES
        # Brightness alone, where the file stores it apart from color: a third of the memory.
        image.draft("L", image.size)
        # Read before the pixels, after which Pillow forgets: it inverts bilevel and 8-bit TIFF but
        # no deeper one.
        white_is_zero = isinstance(image, TiffImageFile) and image.tag_v2.get(262) == 0
        compression = str(image.info.get("compression", "")) if file_type == "TIFF" else ""
        pixels = _gray(image)
        color = 0.0
        if in_color:
            color = color_share(_reopened(data) if image.mode == "L" else image)
        if white_is_zero and pixels.dtype != np.uint8:
            pixels = negative(pixels)
        turn = 1 if file_type == "TIFF" else _orientation(image)  # Pillow turns a TIFF itself
        photograph = kind.of_cameras or _has_camera(image)
    if _is_deep_color_png(data, file_type):
        # Pillow keeps 8 of the 16 bits; it has decoded the file without complaint, so OpenCV can.
        flags = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
        deep = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        pixels = pixels if deep is None else deep
    pixels = np.ascontiguousarray(_TURNS[turn](pixels))
    info = FileInfo(file_type, compression, bits=8 * pixels.dtype.itemsize, photograph=photograph)
    return Decoded(pixels, info, color)


def _check_kind(image: Image.Image, file_type: str) -> None:
    """Refuse what is not one image in shades of gray, before any pixel is decoded."""
    costly = FORMATS[file_type].costly or image.mode in ("I", "F", "CMYK")
    check_size(*image.size, MAX_COSTLY_PIXELS if costly else MAX_PIXELS)
    if image.mode == "1":
        raise UnreadableRadiograph(
            "The image is only black and white; please export the radiograph in grayscale."
        )
    # Phones add previews to a JPEG and further images to HEIC; the first is the image.
    if file_type not in ("JPEG", "HEIC") and getattr(image, "is_animated", False):
        raise UnreadableRadiograph(
            "The TIFF file has several pages; please save the page with the hand as its own file."
            if file_type == "TIFF"
            else f"The {file_type} file is an animation; please save one still image of the hand."
        )
    # A tile is decoded whole, even where it reaches far beyond the image.
    if isinstance(image, TiffImageFile):
        tile = int(image.tag_v2.get(322, 1)) * int(image.tag_v2.get(323, 1))
        if tile > MAX_PIXELS:
            raise too_many_pixels()


def _gray(image: Image.Image) -> np.ndarray:
    """(H, W) array; transparent parts become black, like the background of a radiograph."""
    if image.mode == "F" or image.mode.startswith("I"):
        return np.asarray(image)
    if image.has_transparency_data:
        if image.mode not in ("LA", "RGBA"):
            image = image.convert("RGBA")
        return np.asarray(ImageChops.multiply(image.convert("L"), image.getchannel("A")))
    return np.asarray(image.convert("L"))


_GRAY_MODES = ("L", "LA", "I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_COLOR_SIDE = 128


def _reopened(data: bytes) -> Image.Image:
    """A JPEG of which only the brightness has been decoded, again, small and in color."""
    image = Image.open(RationedFile(data), formats=["JPEG"])
    image.draft("RGB", (_COLOR_SIDE, _COLOR_SIDE))
    return image


def gray_and_color(pixels: np.ndarray) -> tuple[np.ndarray, float]:
    """Brightness of RGB, and how colored it is.

    Args:
        pixels: (H, W, 3) uint8 or uint16.

    Returns:
        (H, W) of the same dtype, and what `color_share` says.
    """
    pixels = np.ascontiguousarray(pixels)
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), color_share(pixels)


def color_share(image: Image.Image | np.ndarray) -> float:
    """Share of pixels, 0 to 1, whose color brightness does not explain.

    A film that was photographed, or printed on tinted paper, has one tint, which at most changes
    with brightness; only the colors beside it count.

    Args:
        image: of any mode, or (H, W, 3) uint8 or uint16 RGB.

    Returns:
        0 for gray levels.
    """
    if isinstance(image, np.ndarray):
        step = max(1, min(image.shape[:2]) // 512)
        image = image[::step, ::step]
        if image.dtype != np.uint8:
            image = (image * (255 / max(image.max(), 1))).astype(np.uint8)
        image = Image.fromarray(np.ascontiguousarray(image))
    sample = image.resize((_COLOR_SIDE, _COLOR_SIDE), Image.Resampling.NEAREST)
    ycbcr = np.asarray(sample.convert("RGB").convert("YCbCr"), float).reshape(-1, 3)
    brightness, tints = ycbcr[:, 0] / 255, ycbcr[:, 1:]
    powers = np.stack([np.ones_like(brightness), brightness, brightness**2], axis=1)
    beside = tints - powers @ np.linalg.lstsq(powers, tints)[0]
    return float((np.abs(beside).max(axis=1) > _CLEARLY_COLORED).mean())


# Of 256 levels of Cb or Cr; JPEG and cameras add a few of their own.
_CLEARLY_COLORED = 10


def _is_ordinary_jpeg(data: bytes) -> bool:
    """Whether Pillow can decode it; it cannot where it has 12 bits or is lossless."""
    header = codestreams.read_header(data)
    return header.bits == 8 and header.frame in codestreams.ORDINARY_FRAMES


def _is_deep_color_png(data: bytes, file_type: str) -> bool:
    # IHDR holds the bit depth and the color type: 2 is RGB, 4 gray and alpha, 6 RGBA. Those with
    # alpha stay with Pillow, whose transparency is handled above.
    return file_type == "PNG" and data[24:26] == b"\x10\x02"


# Orientation ------------------------------------------------------------------------------------


def _has_camera(image: Image.Image) -> bool:
    """Whether EXIF names the maker of a camera; scanners and archives name theirs elsewhere."""
    try:
        return bool(image.getexif().get(0x010F)) and not isinstance(image, TiffImageFile)
    except Exception:
        return False


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1 to 8; 1 where the entry is missing or nonsense."""
    # A JPEG segment, for which EXIF was made, is no longer; what is longer is not worth reading.
    if len(image.info.get("exif") or b"") > 2**16:
        return 1
    try:
        value = image.getexif().get(0x0112, 1)
    except Exception:  # a broken EXIF block says nothing about the image
        return 1
    return value if value in _TURNS else 1


# EXIF orientation -> the change that makes the image upright (EXIF 2.3, tag 274).
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


def _check_webp(data: bytes) -> None:
    """Raises ValueError for more chunks than even an animation has."""
    at = 12
    for _ in range(10_000):
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        at += at % 2
        if at >= len(data):
            return
    raise ValueError("too many chunks")


# Fewer numbers say where every strip of one row, or tile of 64 pixels, of a large image lies.
_MAX_NUMBERS = 100_000
_NUMBER_TYPES = (3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 16)  # the others are bytes, or not read
_POINTER_TYPES = (4, 13, 16)
_DIRECTORY_TAGS = (34665, 34853, 40965)  # EXIF, GPS, interoperability


def _check_tiff(data: bytes) -> None:
    """Raises ValueError for endless lists of numbers: Pillow makes an object of each number."""
    order = "<" if data.startswith(b"II") else ">"
    # Where the first directory is, the number of its entries, an entry; longer in BigTIFF.
    first, count_of, entry, at = (
        ("Q", "Q", "HHQQ", 8) if b"+" in data[2:4] else ("I", "H", "HHII", 4)
    )
    directories = list(struct.unpack_from(order + first, data, at))
    counted, size = struct.calcsize(order + count_of), struct.calcsize(order + entry)
    numbers = 0
    for start in directories:  # grows on the way
        if start + counted > len(data):  # Pillow does without it
            continue
        (entries,) = struct.unpack_from(order + count_of, data, start)
        complete = min(entries, (len(data) - start - counted) // size)
        content = memoryview(data)[start + counted : start + counted + size * complete]
        for tag, kind, count, value in struct.iter_unpack(order + entry, content):
            numbers += count if kind in _NUMBER_TYPES else 0
            if tag in _DIRECTORY_TAGS and value not in directories:
                directories.append(value)
                if kind not in _POINTER_TYPES or len(directories) > 10:
                    raise ValueError("no directory that EXIF has")
        if numbers > _MAX_NUMBERS:
            raise ValueError("too many numbers")


def _check_bmp(data: bytes) -> None:
    """Raises UnreadableRadiograph for run lengths, which Pillow unpacks one by one."""
    if data[30:31] in (b"\1", b"\2") and data[14:15] != b"\x0c":
        raise UnreadableRadiograph(
            "The BMP file is run-length compressed; please save it uncompressed or as PNG."
        )


def _check_jpeg_2000(data: bytes) -> None:
    """Raises ValueError for more tiles than an image has."""
    codestreams.read_header(data)


def _no_check(data: bytes) -> None:
    pass


# The formats ------------------------------------------------------------------------------------


def _register_heic() -> None:
    """Make Pillow read HEIC; a decoder of its own license (LGPL) that few files need."""
    import pi_heif

    pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


class Format(NamedTuple):
    """A type of image file.

    Attributes:
        pillow: its name in Pillow.
        suffixes: of file names, in lower case.
        starts: how a file begins, matched as a regular expression.
        check: refuses what would keep the decoder busy.
        costly: whether decoding takes more memory, see `MAX_COSTLY_PIXELS`.
        of_cameras: whether the format is that of cameras and phones.
    """

    pillow: str
    suffixes: tuple[str, ...]
    starts: bytes
    check: Callable[[bytes], None] = _no_check
    costly: bool = False
    of_cameras: bool = False


FORMATS = {
    "PNG": Format("PNG", (".png",), rb"\x89PNG\r\n\x1a\n"),
    "JPEG": Format("JPEG", (".jpg", ".jpeg"), rb"\xff\xd8\xff", codestreams.check_jpeg),
    "WebP": Format("WEBP", (".webp",), rb"RIFF.{4}WEBP", _check_webp, costly=True),
    "TIFF": Format("TIFF", (".tif", ".tiff"), rb"II[*+]\0|MM\0[*+]", _check_tiff),
    "BMP": Format("BMP", (".bmp",), rb"BM.{4}\0{4}", _check_bmp),
    "GIF": Format("GIF", (".gif",), rb"GIF8[79]a"),
    "JPEG 2000": Format(
        "JPEG2000",
        (".jp2", ".j2k", ".jpf", ".jpx"),
        rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51",
        _check_jpeg_2000,
        costly=True,
    ),
    "HEIC": Format(
        "HEIF",
        (".heic", ".heif"),
        rb".{4}ftyp(?:hei[cxms]|mif1(?!.{4,40}avif))",
        costly=True,
        of_cameras=True,
    ),
    "AVIF": Format("AVIF", (".avif",), rb".{4}ftyp(?:avi[fs]|mif1)", costly=True, of_cameras=True),
}

# What errors, help texts and searches in folders name: the images above and DICOM files.
ACCEPTED_TYPES = f"{', '.join(FORMATS)} or DICOM"
IMAGE_SUFFIXES = tuple(suffix for kind in FORMATS.values() for suffix in kind.suffixes) + (".dcm",)
