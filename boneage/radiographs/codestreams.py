"""One compressed image of the JPEG family: its size from its header, then its samples.

JPEG (baseline, extended with 12 bits, progressive, lossless), JPEG-LS, JPEG 2000 and its
high-throughput form. Which of them it is, its bytes say.
"""

import re
import struct
from typing import NamedTuple

import imagecodecs
import numpy as np

from boneage.radiographs.limits import (
    MAX_COSTLY_PIXELS,
    MAX_PIXELS,
    UnreadableRadiograph,
    check_size,
)

_JPEG, _JPEG_2000 = b"\xff\xd8", b"\xff\x4f\xff\x51"
# Start of frame. Not among them are tables (C4, CC) and a reserved one (C8).
_LOSSLESS, _JPEG_LS = 0xC3, 0xF7
ORDINARY_FRAMES = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
_FRAMES = {*ORDINARY_FRAMES, _LOSSLESS, _JPEG_LS}
# Every tile costs memory before its first pixel.
_MAX_TILES = 4096
_MAX_PADDING = 64  # after the end of a JPEG


class CodestreamHeader(NamedTuple):
    """What a compressed image says of itself.

    Attributes:
        width: in pixels.
        height: in pixels.
        samples: of each pixel, 1 or 3.
        bits: of each sample.
        frame: marker of a JPEG's frame; None of JPEG 2000.
    """

    width: int
    height: int
    samples: int
    bits: int
    frame: int | None = None


def read_header(image: bytes) -> CodestreamHeader:
    """What a compressed image says of itself, without decoding it.

    Raises:
        UnreadableRadiograph: a JPEG 2000 says that it is too large or too small.
        ValueError: the image says nothing.
    """
    return _jpeg_header(image) if image.startswith(_JPEG) else _jpeg_2000_header(image)


def decode(image: bytes) -> np.ndarray:
    """Decode an image of 1 or 3 samples a pixel, after its own header has been checked.

    Args:
        image: JPEG, JPEG-LS or JPEG 2000, the last also in a JP2 file.

    Returns:
        (H, W) or (H, W, 3) of 8 or 16 bits, the samples as they are stored: a color space is not
        converted, but for that of JPEG 2000, where it is part of the compression.

    Raises:
        UnreadableRadiograph: too many pieces or pixels. imagecodecs and the parsing here may raise
            anything else on a damaged image.
    """
    header = read_header(image)
    costly = header.frame is None or header.samples > 1
    check_size(header.width, header.height, MAX_COSTLY_PIXELS if costly else MAX_PIXELS)
    if header.samples not in (1, 3) or not 2 <= header.bits <= 16:
        raise ValueError("no image of gray levels or colors")
    if header.frame is None:
        # Not what comes before: it could hold another image than the one that was checked.
        pixels = imagecodecs.jpeg2k_decode(image[image.index(_JPEG_2000) :], numthreads=1)
    else:
        check_jpeg(image)
        if b"\xff\xd9" not in image[-_MAX_PADDING:]:
            raise ValueError("cut off, which libjpeg overlooks")
        # A Huffman code has at least a bit, and there is one for each pixel or block of 8 x 8.
        coded = header.width * header.height // (1 if header.frame == _LOSSLESS else 64)
        if header.frame != _JPEG_LS and 8 * len(image) < coded:
            raise ValueError("not all pixels, which libjpeg overlooks, too")
        if header.frame == _JPEG_LS:
            pixels = imagecodecs.jpegls_decode(image)
        else:
            space = {1: "GRAYSCALE", 3: "RGB"}[header.samples]
            pixels = imagecodecs.jpeg8_decode(image, colorspace=space, outcolorspace=space)
    stated = (header.height, header.width) + ((3,) if header.samples == 3 else ())
    if pixels.shape != stated or pixels.dtype.itemsize > 2:
        raise ValueError("another image than its header says")
    return pixels


def _jpeg_header(image: bytes) -> CodestreamHeader:
    at = len(_JPEG)
    while marker := _ANY_MARKER.search(image, at):
        at = marker.end()
        kind = image[at - 1]
        if kind in _FRAMES:
            bits, height, width, samples = struct.unpack_from(">BHHB", image, at + 2)
            return CodestreamHeader(width, height, samples, bits, kind)
        at += int.from_bytes(image[at : at + 2])
    raise ValueError("no frame")


def _jpeg_2000_header(image: bytes) -> CodestreamHeader:
    fields = struct.unpack_from(">8IHB", image, image.index(_JPEG_2000) + 8)
    right, bottom, left, top, tile_width, tile_height, tile_left, tile_top, samples, depth = fields
    check_size(right - left, bottom - top, MAX_COSTLY_PIXELS)  # before the tiles: it says more
    tiles = -(-(right - tile_left) // tile_width) * -(-(bottom - tile_top) // tile_height)
    if tiles > _MAX_TILES:
        raise ValueError("too many tiles")
    return CodestreamHeader(right - left, bottom - top, samples, (depth & 0x7F) + 1)


# JPEG files made to keep a decoder busy ---------------------------------------------------------

# Fill bytes, then a marker with a length; neither a restart nor the image's start.
_ANY_MARKER = re.compile(rb"\xff+[\xc0-\xcf\xda-\xfe]")
# Progressive JPEG takes about ten scans, and each runs over the whole image.
_MAX_SCANS = 50
_MAX_SEGMENTS = 10_000
# Segments that Pillow skips or reads by their length, and the end of the image.
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
