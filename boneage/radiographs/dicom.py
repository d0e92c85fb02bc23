"""The radiograph in a DICOM file, and the sex, age and study date that its header states."""

import logging
import re
import zlib
from contextlib import suppress
from datetime import date, datetime

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.filewriter import correct_ambiguous_vr
from pydicom.tag import BaseTag, Tag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    UID_dictionary,
)
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from boneage.radiographs.dicom_pixels import (
    COLOR,
    DECODED,
    GRAY,
    PALETTE,
    display,
    is_inverse,
    stored_pixels,
)
from boneage.radiographs.file_info import Decoded, FileInfo
from boneage.radiographs.limits import (
    MAX_COSTLY_PIXELS,
    MAX_PIXELS,
    RationedFile,
    UnreadableRadiograph,
    check_size,
    damaged,
)

# pydicom quotes names and dates of birth in its messages: they must not reach a log. Importing it
# sets the level, hence here.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)

# Nothing else of a header is kept, so nothing else can leak.
_KEPT: list[BaseTag | int] = [
    Tag(keyword)
    for keyword in (
        "PatientSex", "PatientAge", "PatientBirthDate", "StudyDate", "NumberOfFrames",
        "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "Rows", "Columns",
        "BitsAllocated", "BitsStored", "PixelRepresentation", "PixelPaddingValue",
        "PixelPaddingRangeLimit", "PresentationLUTShape",
        "ModalityLUTSequence", "RescaleSlope", "RescaleIntercept",
        "VOILUTSequence", "VOILUTFunction", "WindowCenter", "WindowWidth",
        "RedPaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData",
        "GreenPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableData",
        "BluePaletteColorLookupTableDescriptor", "BluePaletteColorLookupTableData",
    )
]  # fmt: skip
# Where overlays lie in unused bits of the pixels.
_KEPT += [Tag(group, 0x0102) for group in range(0x6000, 0x6020, 2)]
_PIXEL_DATA = Tag("PixelData")
# Eight look-up tables of full length; most other elements are skipped and do not count.
_MAX_HEADER_BYTES = 2**20
# The most pixels of 16 bits, and a header.
_MAX_INFLATED_BYTES = 2 * MAX_PIXELS + 8 * _MAX_HEADER_BYTES
_DAYS_PER_MONTH = 365.25 / 12

_PREAMBLE = 128  # bytes, which may hold anything, before "DICM"


def read_dicom(data: bytes) -> Decoded:
    """Read the pixels of a DICOM file, and the sex, age and study date that its header states.

    Args:
        data: a file with or without preamble and file meta information.

    Returns:
        (H, W) pixels with bones bright, how they are stored, sex, age in months, and study date;
        of the header nothing else is kept.

    Raises:
        UnreadableRadiograph: the file cannot be used. pydicom and the decoders may raise anything
            else on a damaged file.
    """
    file = RationedFile(data, _MAX_HEADER_BYTES)
    file.seek(_PREAMBLE + 4 if data[_PREAMBLE : _PREAMBLE + 4] == b"DICM" else 0)
    syntax = _read_transfer_syntax(file, data)
    if syntax == DeflatedExplicitVRLittleEndian:
        data = _inflate(memoryview(data)[file.tell() :])
        file = RationedFile(data, _MAX_HEADER_BYTES)
    header, pixel_data = _read_header(file, syntax, memoryview(data))
    _check_header(header)
    pixels, color = display(stored_pixels(header, syntax, pixel_data), header)
    info = FileInfo(
        "DICOM",
        compression=syntax.name,
        bits=int(header.BitsStored),
        polarity="dark bones by its header, shown bright" if is_inverse(header) else "bright bones",
    )
    return Decoded(pixels, info, color, _sex(header), _age_months(header), _study_date(header))


# The header -------------------------------------------------------------------------------------


def _read_transfer_syntax(file: RationedFile, data: bytes) -> UID:
    """Read the file meta group, always explicit VR little endian (DICOM PS3.10, section 7.1).

    Where it is missing, the first element shows whether VRs are explicit.
    """
    meta = read_dataset(file, False, True, stop_when=lambda tag, vr, length: tag.group != 2)
    if "TransferSyntaxUID" not in meta:
        vr = data[file.tell() + 4 : file.tell() + 6]
        return ExplicitVRLittleEndian if vr.isalpha() else ImplicitVRLittleEndian
    syntax = meta.TransferSyntaxUID
    if syntax not in DECODED:
        way = f"as {UID_dictionary[syntax][0]}" if syntax in UID_dictionary else "in an unknown way"
        raise UnreadableRadiograph(
            f"The DICOM file is compressed {way}, which cannot be decoded here; "
            "please save it uncompressed."
        )
    return syntax


def _inflate(deflated: memoryview) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    data = inflater.decompress(deflated, _MAX_INFLATED_BYTES)
    if inflater.unconsumed_tail:
        raise UnreadableRadiograph(
            "The deflated DICOM file holds more than one radiograph of the largest size; please "
            "save it uncompressed."
        )
    return data


def _read_header(file: RationedFile, syntax: UID, data: memoryview) -> tuple[Dataset, memoryview]:
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
    return header, data[start : start + length]


def _check_header(header: Dataset) -> None:
    """Refuse what is not one image, before any pixel is decoded; add what old files lack."""
    if int(header.get("NumberOfFrames") or 1) > 1:
        raise UnreadableRadiograph(
            "The DICOM file holds several frames; please export a single radiograph of the hand."
        )
    usual = {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "PixelRepresentation": 0,
        "PlanarConfiguration": 0,
        "BitsStored": header.BitsAllocated,
    }
    for keyword, value in usual.items():
        if header.get(keyword) is None:
            setattr(header, keyword, value)
    with suppress(Exception):  # a broken look-up table must not hide a sound image
        correct_ambiguous_vr(header, True)  # of implicit VR, which is little endian
    kind = header.PhotometricInterpretation
    if header.SamplesPerPixel != (3 if kind in COLOR else 1) or kind not in (
        *GRAY, PALETTE, *COLOR
    ):  # fmt: skip
        raise UnreadableRadiograph(
            "The DICOM file holds a color image of an unknown kind; please export the original "
            "grayscale radiograph."
        )
    if header.BitsAllocated not in (8, 16):
        raise UnreadableRadiograph(
            "The DICOM file does not store 8 or 16 bits a pixel, as radiographs do; "
            "please export the original radiograph."
        )
    if not 0 < header.BitsStored <= header.BitsAllocated or header.PixelRepresentation not in (
        0,
        1,
    ):
        raise damaged("DICOM")
    check_size(
        int(header.Columns), int(header.Rows), MAX_COSTLY_PIXELS if kind in COLOR else MAX_PIXELS
    )


# The child --------------------------------------------------------------------------------------


def _sex(header: Dataset) -> str | None:
    return {"F": "female", "M": "male"}.get(str(header.get("PatientSex") or "").strip().upper())


def _age_months(header: Dataset) -> float | None:
    """Chronological age from PatientAge and from the dates of birth and study.

    PatientAge is a whole number of days, weeks, months or years ("010Y"). Where the dates agree
    with it they are taken, being exact; where they do not, an anonymizer has probably changed them.
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


def _study_date(header: Dataset) -> date | None:
    with suppress(ValueError):
        return _date(header.get("StudyDate")).date()
    return None


def _date(value: object) -> datetime:
    return datetime.strptime(str(value or "").replace(".", ""), "%Y%m%d")
