"""The pixels of a DICOM image: as they are stored in whatever way, and as they are shown."""

import struct
from contextlib import suppress

import cv2
import numpy as np
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import generate_fragments
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from boneage.radiographs import codestreams
from boneage.radiographs.contrast import map_values, negative, spread_contrast
from boneage.radiographs.limits import MIN_SIDE, RationedFile, damaged
from boneage.radiographs.raster import color_share, gray_and_color

_CODESTREAMS = (
    JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1, JPEGLSLossless,
    JPEGLSNearLossless, JPEG2000Lossless, JPEG2000, HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K,
)  # fmt: skip
# Transfer syntaxes that can be decoded.
DECODED = (
    ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian, RLELossless, *_CODESTREAMS,
)  # fmt: skip

# Photometric interpretations. JPEG 2000 decodes YBR_ICT and YBR_RCT to RGB; the first sample of the
# other kinds of YBR is the brightness.
GRAY, PALETTE = ("MONOCHROME1", "MONOCHROME2"), "PALETTE COLOR"
_LUMINANCE = ("YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420")
COLOR = ("RGB", "YBR_ICT", "YBR_RCT", *_LUMINANCE)

# Of the pixels between dark and bright; a window that saturates more of them clips the hand.
_MAX_CLIPPED = 0.05
_SAMPLE_SIDE = 512  # at least, where there are as many


# Stored -----------------------------------------------------------------------------------------


def stored_pixels(header: Dataset, syntax: UID, pixel_data: memoryview) -> np.ndarray:
    """The pixel values of one image.

    Args:
        header: that was checked.
        syntax: transfer syntax, one of `DECODED`.
        pixel_data: value of the element; more may follow.

    Returns:
        (H, W) or, of a color image, (H, W, 3), 8 or 16 bits in native byte order, without overlays
        in unused bits.

    Raises:
        UnreadableRadiograph: they are damaged or too many. The decoders may raise anything else.
    """
    shape = (int(header.Rows), int(header.Columns), int(header.SamplesPerPixel))
    if syntax in _CODESTREAMS:
        image = _only_fragments(pixel_data)
        stated = codestreams.read_header(image)
        if (stated.height, stated.width, stated.samples) != shape:
            raise damaged("DICOM")
        pixels = codestreams.decode(image)
    elif syntax == RLELossless:
        pixels = _unpack_rle(_only_fragments(pixel_data), shape, header.BitsAllocated // 8)
    else:
        pixels = _native(header, syntax, pixel_data, shape)
    return _without_unused_bits(pixels.reshape(shape[:2] if shape[2] == 1 else shape), header)


def _only_fragments(pixel_data: memoryview) -> bytes:
    """The one image of encapsulated pixel data, without the table of offsets before it."""
    file = RationedFile(pixel_data)
    _, *fragments = generate_fragments(file)
    if not file.getvalue().startswith(b"\xfe\xff\xdd\xe0", file.tell() - 4):
        raise damaged("DICOM")  # cut off before the end mark
    return b"".join(fragments)


def _native(
    header: Dataset, syntax: UID, pixel_data: memoryview, shape: tuple[int, int, int]
) -> np.ndarray:
    height, width, samples = shape
    order = "<" if syntax.is_little_endian else ">"
    dtype = np.dtype(f"{order}u{header.BitsAllocated // 8}")
    if header.PhotometricInterpretation.endswith("_422"):  # two brightnesses, then their color
        pairs = np.frombuffer(pixel_data, dtype, 2 * height * width).reshape(height, -1, 4)
        color = np.repeat(pairs[..., 2:], 2, axis=1)
        return np.concatenate([pairs[..., :2].reshape(height, width, 1), color], axis=2)
    values = np.frombuffer(pixel_data, dtype, height * width * samples)
    values = values.astype(dtype.newbyteorder("="), copy=False)
    if samples > 1 and header.PlanarConfiguration:
        return np.moveaxis(values.reshape(samples, height, width), 0, 2)
    return values.reshape(shape)


def _unpack_rle(image: bytes, shape: tuple[int, int, int], bytes_a_sample: int) -> np.ndarray:
    """Pixels of a run-length encoded image (DICOM PS3.5, annex G).

    The encoding is PackBits, one segment for each byte of a sample, the highest first, sample after
    sample. Pillow stops where the image is full; pydicom would unpack a segment whole, 64 times its
    length.
    """
    height, width, samples = shape
    count, *starts = struct.unpack_from("<16I", image)
    if count != bytes_a_sample * samples:
        raise damaged("DICOM")
    ends = [*starts[1:count], len(image)]
    planes = [
        np.asarray(Image.frombytes("L", (width * height, 1), image[a:b], "packbits", "L")).ravel()
        for a, b in zip(starts, ends, strict=False)
    ]
    order = [
        s * bytes_a_sample + b for s in range(samples) for b in reversed(range(bytes_a_sample))
    ]
    return np.stack([planes[n] for n in order], axis=-1).view(f"<u{bytes_a_sample}")


def _without_unused_bits(pixels: np.ndarray, header: Dataset) -> np.ndarray:
    """Signed or not as the header says, and without overlays above the stored bits."""
    size = pixels.dtype.itemsize
    unused = 8 * size - min(int(header.BitsStored), 8 * size)
    if header.PixelRepresentation:
        return pixels.view(f"i{size}") << unused >> unused
    overlays = [e.value for e in header if e.tag.group >> 8 == 0x60 and e.value]
    pixels = pixels.view(f"u{size}")
    return pixels & (2 ** (8 * size - unused) - 1) if overlays else pixels


# Shown ------------------------------------------------------------------------------------------


def is_inverse(header: Dataset) -> bool:
    """Whether low values are to be shown bright.

    `PresentationLUTShape` INVERSE goes along with MONOCHROME1 and inverts nothing a second time.
    """
    kind, shape = header.PhotometricInterpretation, header.get("PresentationLUTShape")
    return kind == "MONOCHROME1" or (kind == "MONOCHROME2" and shape == "INVERSE")


def display(stored: np.ndarray, header: Dataset) -> tuple[np.ndarray, float]:
    """Gray levels of stored pixels.

    Args:
        stored: (H, W) or (H, W, 3), as `stored_pixels` returns them.
        header: their header.

    Returns:
        (H, W) with bones bright, as rescaling, look-up tables and the window show them; and the
        share of the image, 0 to 1, that has a color of its own.
    """
    kind = header.PhotometricInterpretation
    if kind == PALETTE:
        every_value = np.arange(256**stored.dtype.itemsize).astype(stored.dtype)
        table = apply_color_lut(every_value, header)[..., :3]
        gray, _ = gray_and_color(table[np.newaxis])
        return gray[0][stored], color_share(table[_sample(stored)])
    if kind in _LUMINANCE:
        sample = np.ascontiguousarray(_sample(stored)[..., [0, 2, 1]])  # OpenCV has Cr before Cb
        color = color_share(cv2.cvtColor(sample, cv2.COLOR_YCrCb2RGB))
        return np.ascontiguousarray(stored[..., 0]), color
    if kind in COLOR:
        return gray_and_color(stored)
    shown = _windowed(_without_padding(stored, header), header)
    return negative(shown) if is_inverse(header) else shown, 0.0


def _sample(pixels: np.ndarray) -> np.ndarray:
    step = max(1, min(pixels.shape[:2]) // _SAMPLE_SIDE)
    return pixels[::step, ::step]


def _without_padding(stored: np.ndarray, header: Dataset) -> np.ndarray:
    """Cut lines of padding off; what is left of it becomes as dark as the darkest of the film."""
    value = header.get("PixelPaddingValue")
    if not isinstance(value, int):
        return stored
    limit = header.get("PixelPaddingRangeLimit")
    low, high = sorted((value, limit if isinstance(limit, int) else value))
    film = (stored < low) | (stored > high)
    rows, columns = (np.flatnonzero(film.any(axis=axis)) for axis in (1, 0))
    if not rows.size or min(np.ptp(rows), np.ptp(columns)) + 1 < MIN_SIDE:
        return stored
    inside = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    stored, film = stored[inside], film[inside]
    if film.all():
        return stored
    exposed = stored[film]
    return np.where(film, stored, exposed.max() if is_inverse(header) else exposed.min())


def _windowed(stored: np.ndarray, header: Dataset) -> np.ndarray:
    """Pixels after their rescaling and then their window or look-up table.

    What is broken, shows nothing or clips the hand is left out: it must not hide a sound image.
    """

    def rescaled(values: np.ndarray) -> np.ndarray:
        return _as_levels(apply_modality_lut(values, header))

    def windowed(values: np.ndarray) -> np.ndarray:
        return _as_levels(apply_voi_lut(apply_modality_lut(values, header), header, index=0))

    has_window = "WindowCenter" in header or "VOILUTSequence" in header
    for change in (windowed, rescaled) if has_window else (rescaled,):
        with suppress(Exception):
            shown = map_values(change, stored)
            if shown.min() == shown.max():
                continue
            sample = _sample(stored)
            if change is rescaled or not _clips(_sample(shown), map_values(rescaled, sample)):
                return shown
    return stored


def _clips(shown: np.ndarray, pixels: np.ndarray) -> bool:
    """Whether many pixels that are neither dark nor bright have become one or the other."""
    spread = spread_contrast(pixels)
    between = shown[(spread > 10) & (spread < 245)]
    ends = (between == shown.min()) | (between == shown.max())
    return bool(ends.size and ends.mean() > _MAX_CLIPPED)


def _as_levels(values: np.ndarray) -> np.ndarray:
    """Values of any dtype as at most 16 bits; of those, 8 will be shown."""
    if values.dtype.itemsize <= 2:
        return values
    values = np.nan_to_num(values)
    low, high = values.min(), values.max()
    return np.rint((values - low) * (65535 / ((high - low) or 1))).astype(np.uint16)
