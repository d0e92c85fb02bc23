"""The pixels of a DICOM file, and the sex and age that its header states."""

import logging
import re
import struct
from contextlib import suppress
from datetime import datetime
from io import BytesIO

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_fragments
from pydicom.filereader import read_dataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.tag import BaseTag, Tag
from pydicom.uid import (
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    RLELossless,
    UID_dictionary,
)
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from boneage.radiographs.contrast import map_values, negative
from boneage.radiographs.limits import (
    MAX_COSTLY_PIXELS,
    MAX_PIXELS,
    RationedFile,
    UnreadableRadiograph,
    check_size,
    damaged,
)
from boneage.radiographs.raster import check_jpeg

# pydicom quotes names and dates of birth in its messages: they must not reach a log. Importing it
# sets the level, hence here.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)

# What can be decoded with limits; pydicom would inflate a deflated file whole, whatever its size.
_NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
_JPEG_2000 = (JPEG2000Lossless, JPEG2000)
_COMPRESSED = (JPEGBaseline8Bit, JPEGExtended12Bit, *_JPEG_2000, RLELossless)

# Nothing else of a header is kept, so nothing else can leak.
_KEPT: list[BaseTag | int] = [
    Tag(keyword)
    for keyword in (
        "PatientSex", "PatientAge", "PatientBirthDate", "StudyDate", "NumberOfFrames",
        "SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns",
        "BitsAllocated", "BitsStored", "PixelRepresentation",
        "ModalityLUTSequence", "RescaleSlope", "RescaleIntercept",
        "VOILUTSequence", "VOILUTFunction", "WindowCenter", "WindowWidth",
    )
]  # fmt: skip
_PIXEL_DATA = Tag("PixelData")
# Eight look-up tables of full length; most other elements are skipped and do not count.
_MAX_HEADER_BYTES = 2**20
_DAYS_PER_MONTH = 365.25 / 12


def read_dicom(data: bytes) -> tuple[np.ndarray, str | None, float | None]:
    """Read the pixels of a DICOM file, and the sex and age that its header states.

    Args:
        data: a file with a preamble of 128 bytes, which may hold anything, and "DICM".

    Returns:
        (H, W) pixels with bones bright, sex, and age in months; of the header nothing else is kept.

    Raises:
        UnreadableRadiograph: the file cannot be used. pydicom and the decoders may raise anything
            else on a damaged file.
    """
    file = RationedFile(data, _MAX_HEADER_BYTES)
    file.seek(132)
    syntax = _read_transfer_syntax(file)
    header, pixel_data = _read_header(file, syntax)
    size = _check_header(header)
    if syntax in _COMPRESSED:
        _decompress(header, syntax, size, RationedFile(pixel_data))
    else:
        _attach(header, syntax, pixel_data)
    shown = _displayed(header.pixel_array, header)
    if header.PhotometricInterpretation == "MONOCHROME1":
        shown = negative(shown)
    return shown, _sex(header), _age_months(header)


# The header -------------------------------------------------------------------------------------


def _read_transfer_syntax(file: RationedFile) -> UID:
    """Read the file meta group, always explicit VR little endian (DICOM PS3.10, section 7.1)."""
    meta = read_dataset(file, False, True, stop_when=lambda tag, vr, length: tag.group != 2)
    syntax = meta.TransferSyntaxUID
    if syntax == DeflatedExplicitVRLittleEndian:
        raise UnreadableRadiograph(
            "The DICOM file is stored in deflated form; please save it uncompressed."
        )
    if syntax not in (*_NATIVE, *_COMPRESSED):
        way = f"as {UID_dictionary[syntax][0]}" if syntax in UID_dictionary else "in an unknown way"
        raise UnreadableRadiograph(
            f"The DICOM file is compressed {way}, which cannot be decoded here; "
            "please save it uncompressed."
        )
    return syntax


def _read_header(file: RationedFile, syntax: UID) -> tuple[Dataset, bytes]:
    """The elements that matter, and what follows where the pixel data begin."""
    found = []

    def reaches_pixels(tag: BaseTag, vr: str | None, length: int) -> bool:
        if tag == _PIXEL_DATA:
            found.append((12 if vr in EXPLICIT_VR_LENGTH_32 else 8, length))
        return tag >= _PIXEL_DATA

    header = read_dataset(
        file,
        syntax.is_implicit_VR,
        syntax.is_little_endian,
        stop_when=reaches_pixels,
        specific_tags=_KEPT,
    )
    if not found or "Rows" not in header or "Columns" not in header:
        raise UnreadableRadiograph(
            "The DICOM file holds no image; please export the radiograph itself."
        )
    ((before, length),) = found
    start = file.tell() + before
    return header, file.getvalue()[start : start + length]


def _check_header(header: Dataset) -> tuple[int, int]:
    """Refuse what is not one greyscale image, before any pixel is decoded; its width and height."""
    if int(header.get("NumberOfFrames") or 1) > 1:
        raise UnreadableRadiograph(
            "The DICOM file holds several frames; please export a single radiograph of the hand."
        )
    kind = header.get("PhotometricInterpretation")
    if header.get("SamplesPerPixel", 1) != 1 or kind not in ("MONOCHROME1", "MONOCHROME2"):
        raise UnreadableRadiograph(
            "The DICOM file holds a color image; please export the original grayscale radiograph."
        )
    if header.BitsAllocated not in (8, 16):
        raise UnreadableRadiograph(
            "The DICOM file does not store 8 or 16 bits a pixel, as radiographs do; "
            "please export the original radiograph."
        )
    width, height = int(header.Columns), int(header.Rows)
    check_size(width, height)
    return width, height


# Pixels -----------------------------------------------------------------------------------------


def _attach(header: Dataset, syntax: UID, pixel_data: bytes) -> None:
    """Put pixel data in a form that pydicom decodes into a header."""
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = syntax
    header.add_new(_PIXEL_DATA, "OB" if header.BitsAllocated == 8 else "OW", pixel_data)


def _decompress(header: Dataset, syntax: UID, size: tuple[int, int], file: RationedFile) -> None:
    """Attach the one image of encapsulated pixel data.

    The table of offsets before it is left out, and an image whose own size is not the header's is
    refused: both can make a decoder fill the memory.
    """
    _, *fragments = generate_fragments(file)
    if not file.getvalue().startswith(b"\xfe\xff\xdd\xe0", file.tell() - 4):
        raise damaged("DICOM")  # cut off before the end mark
    image = b"".join(fragments)
    if syntax == RLELossless:
        _attach(header, ExplicitVRLittleEndian, _unpack_rle(image, size, header.BitsAllocated // 8))
        return
    check_size(*size, MAX_COSTLY_PIXELS if syntax in _JPEG_2000 else MAX_PIXELS)
    if image.startswith(b"\xff\xd8"):
        check_jpeg(image)
    with Image.open(BytesIO(image), formats=["JPEG", "JPEG2000"]) as picture:
        if picture.size != size or len(picture.getbands()) > 1:
            raise damaged("DICOM")
    _attach(header, syntax, encapsulate([image]))


def _unpack_rle(image: bytes, size: tuple[int, int], bytes_a_pixel: int) -> bytes:
    """Little-endian pixels of a run-length encoded image (DICOM PS3.5, annex G).

    The encoding is PackBits, one segment for each byte of a pixel, the highest first. Pillow stops
    where the image is full; pydicom would unpack a segment whole, 64 times its length.
    """
    count, *starts = struct.unpack_from("<16I", image)
    if count != bytes_a_pixel:
        raise damaged("DICOM")
    ends = [*starts[1:count], len(image)]
    planes = [
        np.asarray(Image.frombytes("L", (size[0] * size[1], 1), image[a:b], "packbits", "L"))
        for a, b in zip(starts, ends, strict=False)
    ]
    return np.stack(planes[::-1], axis=-1).tobytes()


def _displayed(stored: np.ndarray, header: Dataset) -> np.ndarray:
    """The pixels as their rescaling and then their window or look-up table show them.

    What is broken or shows nothing is left out: it must not hide a sound image.
    """

    def rescaled(values: np.ndarray) -> np.ndarray:
        return _as_levels(apply_modality_lut(values, header))

    def windowed(values: np.ndarray) -> np.ndarray:
        return _as_levels(apply_voi_lut(apply_modality_lut(values, header), header, index=0))

    for change in (windowed, rescaled):
        with suppress(Exception):
            shown = map_values(change, stored)
            if shown.min() < shown.max():
                return shown
    return stored


def _as_levels(values: np.ndarray) -> np.ndarray:
    """Values of any dtype as at most 16 bits; of those, 8 will be shown."""
    if values.dtype.itemsize <= 2:
        return values
    values = np.nan_to_num(values)
    low, high = values.min(), values.max()
    return np.rint((values - low) * (65535 / ((high - low) or 1))).astype(np.uint16)


# The child --------------------------------------------------------------------------------------


def _sex(header: Dataset) -> str | None:
    return {"F": "female", "M": "male"}.get(str(header.get("PatientSex") or "").strip().upper())


def _age_months(header: Dataset) -> float | None:
    """Chronological age from PatientAge and from the dates of birth and study.

    PatientAge is a whole number of days, weeks, months or years ("010Y"). Where the dates agree
    with it they are taken, being exact; where they do not, an anonymiser has probably changed them.
    """
    by_dates = _age_between(header.get("PatientBirthDate"), header.get("StudyDate"))
    stated = re.fullmatch(r"(\d{1,3})([DWMY])", str(header.get("PatientAge") or "").strip())
    if not stated:
        return by_dates
    days = {"D": 1, "W": 7, "M": _DAYS_PER_MONTH, "Y": 12 * _DAYS_PER_MONTH}[stated[2]]
    unit = days / _DAYS_PER_MONTH
    age = int(stated[1]) * unit
    # A day or two of leap years may part two exact ages.
    if by_dates is not None and age - 0.1 <= by_dates < age + unit + 0.1:
        return by_dates
    return age


def _age_between(birth: object, study: object) -> float | None:
    try:
        days = (_date(study) - _date(birth)).days
    except ValueError:
        return None
    return days / _DAYS_PER_MONTH if days >= 0 else None


def _date(value: object) -> datetime:
    return datetime.strptime(str(value or "").replace(".", ""), "%Y%m%d")
