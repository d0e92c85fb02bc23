"""A file in, one 8-bit greyscale radiograph out: PNG, JPEG, WebP, TIFF or DICOM.

The type is read from the bytes, the size from the header, and only then is anything decoded. What
cannot be read is refused with one sentence. Nothing here prints, warns or logs.
"""

import logging
import re
import threading
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

# Films digitised at 50 um and the largest flat-panel detectors stay below 30 million pixels;
# 50 million as 32-bit numbers are 200 MB, which a small server can still decode.
MAX_PIXELS = 50_000_000
# 32 bits for each of those pixels, and room for a header.
MAX_BYTES = 256 * 2**20
# On fewer pixels no growth plate can be seen.
MIN_SIDE = 64
# A longer strip holds no hand; the limit also keeps every side below OpenCV's 32,767.
MAX_ASPECT = 10

_ACCEPTED = "PNG, JPEG, WebP, TIFF or DICOM"
_DAMAGED = "The {} file is damaged or incomplete; please export or copy it again."
_DAYS_PER_MONTH = 365.25 / 12

# pydicom quotes header values (names, dates of birth) in its messages: they must not reach a log.
logging.getLogger("pydicom").propagate = False

# warnings.catch_warnings changes the whole process, so only one thread may be inside at a time.
_decoder_lock = threading.Lock()


class UnreadableRadiograph(ValueError):
    """The file cannot be used; str() is one sentence for people."""


@dataclass(frozen=True, eq=False)
class Radiograph:
    """One radiograph, upright as its file says, with bones bright.

    pixels: (H, W) uint8, contrast spread over 0 to 255.
    file_type: "PNG", "JPEG", "WebP", "TIFF" or "DICOM".
    sex: "female", "male" or None; only a DICOM header can tell.
    age_months: chronological age or None; only a DICOM header can tell.
    inverted: True when the picture looked black on white and has been inverted. A DICOM file that
        declares MONOCHROME1 is shown bones bright as the standard asks; that alone is not counted.
    """

    pixels: np.ndarray
    file_type: str
    sex: str | None = None
    age_months: float | None = None
    inverted: bool = False


def read_radiograph(source: bytes | str | Path) -> Radiograph:
    """Read a radiograph from the bytes of a file, or from a path.

    The file's name is never looked at. Contrast is kept as spread_contrast says, with one
    exception: Pillow reduces 16 bits a channel to 8 in colour TIFF and in PNG with transparency.

    Raises:
        UnreadableRadiograph: missing, too large, too small, damaged, or of another type.
    """
    data = _bytes_of(source)
    file_type = _file_type(data)
    with _quiet_decoder():
        try:
            if file_type == "DICOM":
                pixels, sex, age_months = _read_dicom(data)
            else:
                pixels, sex, age_months = _read_picture(data, file_type), None, None
            pixels = spread_contrast(pixels)
        except UnreadableRadiograph:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise UnreadableRadiograph(_too_many_pixels()) from None
        except MemoryError:
            raise UnreadableRadiograph(
                f"The {file_type} file needs more memory than there is; please reduce its size."
            ) from None
        except Exception:
            # Decoders raise almost anything on a broken file: OSError, SyntaxError, struct.error,
            # zlib.error, KeyError, RecursionError.
            raise UnreadableRadiograph(_DAMAGED.format(file_type)) from None
    inverted = looks_black_on_white(pixels)
    if inverted:
        pixels = 255 - pixels
    return Radiograph(pixels, file_type, sex, age_months, inverted)


# Contrast ---------------------------------------------------------------------------------------


def spread_contrast(pixels: np.ndarray) -> np.ndarray:
    """Spread the grey levels that are used over 0 to 255.

    The window runs from the 0.5th to the 99.5th percentile, so that a bright marker does not set
    it. A value at either end that fills an area (black background, white frame) is left out of the
    percentiles, so that a small hand on it keeps its contrast; when it lies close to the other
    values it becomes the end of the window, so that no grey level is lost.

    Args:
        pixels: (H, W) of any integer or float dtype.

    Returns:
        (H, W) uint8.

    Raises:
        UnreadableRadiograph: all pixels are equal.
    """
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        pixels = np.nan_to_num(pixels, nan=_finite_minimum(pixels))
    low, high = _window(pixels)
    if low == high:
        raise UnreadableRadiograph(
            "The image is one even shade of grey; please choose a file that shows a hand."
        )
    if pixels.dtype == np.uint8:
        return _scale(np.arange(256, dtype=np.float32), low, high)[pixels]
    return _scale(pixels.astype(_float_type(pixels)), low, high)


def _window(pixels: np.ndarray) -> tuple[float, float]:
    """The grey values that become 0 and 255."""
    # A million pixels tell the percentiles; sorting fifty million takes seconds.
    step = max(1, int(np.sqrt(pixels.size / 1e6)))
    # "stable" is a radix sort for 8 and 16 bits, several times faster.
    values = np.sort(pixels[::step, ::step], axis=None, kind="stable")
    first = np.searchsorted(values, values[0], side="right")
    last = np.searchsorted(values, values[-1], side="left")
    area = 0.01 * values.size
    rest = values[first if first > area else 0 : last if values.size - last > area else None]
    low, high = (float(rest[int(at * rest.size)]) for at in (0.005, 0.995)) if rest.size else (0, 0)
    if low == high:
        return float(pixels.min()), float(pixels.max())
    darkest, brightest, span = float(values[0]), float(values[-1]), high - low
    if first > area and low - darkest <= span:
        low = darkest
    if values.size - last > area and brightest - high <= span:
        high = brightest
    return low, high


def _scale(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """uint8 of the same shape; changes `values`, to spare memory."""
    values -= low
    values *= 255 / (high - low)
    np.clip(values, 0, 255, out=values)
    return np.rint(values, out=values).astype(np.uint8)


def _float_type(pixels: np.ndarray) -> type:
    """float32 holds 16-bit integers exactly, but not wider ones."""
    return np.float32 if pixels.dtype.itemsize <= 2 else np.float64


def _finite_minimum(pixels: np.ndarray) -> float:
    finite = pixels[np.isfinite(pixels)]
    return float(finite.min()) if finite.size else 0.0


# Polarity ---------------------------------------------------------------------------------------

# Each cue is divided by its median size on RSNA radiographs and clipped to [-1, 1] before the mean
# is taken. Tuned on the 12,200 radiographs of the training and test sets, all of which show bright
# bones: the lowest mean among them is -0.33, so none is inverted.
_CUE_SIZES = np.array([0.452, 0.221])
_INVERT_BELOW = -0.4


def looks_black_on_white(pixels: np.ndarray) -> bool:
    """Whether bones are dark on a bright background.

    Bright frames and collimator borders make overall brightness useless, so two cues that change
    sign with the picture are averaged: the middle is brighter than the surroundings, and narrow
    bright structures (bones, fingers) outweigh narrow dark ones. When they disagree, the answer
    is no: of the RSNA radiographs turned black on white, about 99 % are recognised.

    Args:
        pixels: (H, W) uint8 with contrast spread.
    """
    cues = np.clip(_polarity_cues(pixels) / _CUE_SIZES, -1, 1)
    return bool(cues.mean() < _INVERT_BELOW)


def _polarity_cues(pixels: np.ndarray) -> np.ndarray:
    """(2,) float in [-1, 1]: central brightness, and bright ridges against dark valleys."""
    small = cv2.resize(pixels, (128, 128), interpolation=cv2.INTER_AREA).astype(np.float32) / 255

    middle = small[8:-8, 8:-8] - small[8:-8, 8:-8].mean()
    axis = np.linspace(-1, 1, len(middle), dtype=np.float32)
    nearness = -(axis[:, None] ** 2 + axis[None, :] ** 2)
    nearness -= nearness.mean()
    spread = np.sqrt((middle**2).sum() * (nearness**2).sum()) + 1e-9
    centrality = (middle * nearness).sum() / spread

    inner = slice(12, -12)  # markers and film edges lie outside
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    ridges = cv2.morphologyEx(small, cv2.MORPH_TOPHAT, disk)[inner, inner].mean()
    valleys = cv2.morphologyEx(small, cv2.MORPH_BLACKHAT, disk)[inner, inner].mean()
    return np.array([centrality, (ridges - valleys) / (ridges + valleys + 1e-6)])


# What kind of file ------------------------------------------------------------------------------


def _bytes_of(source: bytes | str | Path) -> bytes:
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
        size = len(data)
    else:
        path = Path(source)
        try:
            if not path.is_file():
                raise UnreadableRadiograph(
                    f"There is no file {_name(path)}; please check its name and folder."
                )
            size = path.stat().st_size
            data = path.read_bytes() if size <= MAX_BYTES else b""
        except OSError:
            raise UnreadableRadiograph(
                f"The file {_name(path)} cannot be opened; please check that you may read it."
            ) from None
    if size > MAX_BYTES:
        raise UnreadableRadiograph(
            f"The file is larger than {MAX_BYTES // 2**20} MB, the most that is accepted; "
            "please export the radiograph at a smaller size."
        )
    return data


def _name(path: Path) -> str:
    """The file's name on one line, whatever characters it holds."""
    return ascii(path.name) if not path.name.isprintable() else f"'{path.name}'"


def _file_type(data: bytes) -> str:
    """One of the accepted types, from the first bytes."""
    if data[128:132] == b"DICM":
        return "DICOM"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WebP"
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "TIFF"
    raise UnreadableRadiograph(_other_type(data))


_OTHER_TYPES = (
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"%PDF", "a PDF document"),
    (b"8BPS", "a Photoshop document"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
    (b"\x08\0\x05\0", "a DICOM file without its opening bytes"),
    (b"\x08\0\0\0", "a DICOM file without its opening bytes"),
    (b"\x02\0\0\0", "a DICOM file without its opening bytes"),
)


def _other_type(data: bytes) -> str:
    """The sentence for a file of a type that is not accepted."""
    if not data:
        return f"The file is empty; please choose a {_ACCEPTED} file."
    seems = next((name for magic, name in _OTHER_TYPES if data.startswith(magic)), None)
    if seems is None and data[4:8] == b"ftyp":
        photo = data[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"avif")
        seems = "a HEIC or AVIF photo" if photo else "a video"
    if seems is None:
        seems = "text" if _is_text(data[:1024]) else "of an unknown type"
    return f"The file seems to be {seems}, not a radiograph; please save it as {_ACCEPTED}."


def _is_text(start: bytes) -> bool:
    # A character may be cut in two at the end, hence "ignore"; control characters are not text.
    text = start.decode("utf-8", errors="ignore")
    complete = len(text.encode()) > len(start) - 4
    return complete and all(c.isprintable() or c.isspace() for c in text.lstrip("\ufeff"))


# Limits -----------------------------------------------------------------------------------------


def _check_size(width: int, height: int) -> None:
    """Refuse a size that is too large to decode or too small to show a hand."""
    if width * height > MAX_PIXELS:
        raise UnreadableRadiograph(_too_many_pixels(f" ({width} x {height})"))
    if min(width, height) < MIN_SIDE:
        raise UnreadableRadiograph(
            f"The image is too small ({width} x {height} pixels): its shorter side needs at least "
            f"{MIN_SIDE} pixels."
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise UnreadableRadiograph(
            f"The image is too narrow a strip ({width} x {height} pixels) to show a whole hand; "
            "please crop or export it differently."
        )


def _too_many_pixels(size: str = "") -> str:
    return (
        f"The image has too many pixels{size}: at most {MAX_PIXELS // 1_000_000} million are "
        "accepted, so please reduce its size."
    )


@contextmanager
def _quiet_decoder():
    with _decoder_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


# PNG, JPEG, WebP, TIFF --------------------------------------------------------------------------


def _read_picture(data: bytes, file_type: str) -> np.ndarray:
    """(H, W) of the file's own depth, turned as its EXIF orientation says."""
    with Image.open(BytesIO(data), formats=[file_type.upper()]) as image:
        _check_size(*image.size)
        if file_type != "JPEG":  # phones add previews to a JPEG; its first picture is the picture
            _refuse_several_pictures(image, file_type)
        # Before loading: Pillow turns a TIFF itself while loading it and then forgets.
        turn = 1 if file_type == "TIFF" else _orientation(image)
        # Read while the header is at hand: Pillow inverts bilevel and 8-bit TIFF but no deeper one.
        white_is_zero = file_type == "TIFF" and image.tag_v2.get(262) == 0
        pixels = _grey(image)
        if white_is_zero and pixels.dtype != np.uint8:
            pixels = _negative(pixels)
    if _is_deep_colour_png(data, file_type):
        # Pillow keeps 8 of the 16 bits; it has decoded the file without complaint, so OpenCV can.
        flags = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
        deep = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        pixels = pixels if deep is None else deep
    return np.ascontiguousarray(_TURNS[turn](pixels))


def _refuse_several_pictures(image: Image.Image, file_type: str) -> None:
    if file_type == "TIFF":
        # n_frames walks through every page; one step is enough to know.
        try:
            image.seek(1)
        except EOFError:
            image.seek(0)
            return
        raise UnreadableRadiograph(
            "The TIFF file has several pages; please save the page with the hand as its own file."
        )
    if getattr(image, "is_animated", False):
        raise UnreadableRadiograph(
            f"The {file_type} file is an animation; please save one still image of the hand."
        )


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1 to 8; 1 where the entry is missing or nonsense."""
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


def _grey(image: Image.Image) -> np.ndarray:
    """(H, W) array; transparent parts become black, like the background of a radiograph."""
    mode = image.mode
    if mode == "1":
        return np.asarray(image.convert("L"))
    if mode == "L" and "transparency" not in image.info:
        return np.asarray(image)
    if mode == "F" or mode.startswith("I"):
        return np.asarray(image)
    if mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        grey = image.convert("RGBA").convert("LA")
        levels, alpha = (np.asarray(band) for band in grey.split())
        return levels * (alpha / np.float32(255))
    return np.asarray(image.convert("L"))


def _is_deep_colour_png(data: bytes, file_type: str) -> bool:
    # IHDR holds the bit depth and the colour type: 2 is RGB, 4 grey and alpha, 6 RGBA. Those with
    # alpha stay with Pillow, whose transparency is handled above.
    return file_type == "PNG" and data[24:26] == b"\x10\x02"


def _negative(pixels: np.ndarray) -> np.ndarray:
    return pixels.max() - pixels.astype(_float_type(pixels))


# DICOM ------------------------------------------------------------------------------------------

_DEFLATED = "1.2.840.10008.1.2.1.99"
_PIXEL_TAGS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def _read_dicom(data: bytes) -> tuple[np.ndarray, str | None, float | None]:
    """(H, W) pixels with bones bright, sex, age in months; of the header nothing else is kept."""
    import pydicom  # slow to import, and needed for few files
    from pydicom.pixels import apply_modality_lut, apply_voi_lut

    # pydicom inflates a deflated file whole on opening, so its size cannot be limited.
    syntax = _transfer_syntax(data)
    if not syntax:
        raise UnreadableRadiograph(_DAMAGED.format("DICOM"))
    if syntax == _DEFLATED:
        raise UnreadableRadiograph(
            "The DICOM file is stored in deflated form; please save it uncompressed."
        )
    header = pydicom.dcmread(BytesIO(data))
    _check_dicom(header)
    stored = header.pixel_array
    _check_size(*stored.shape[::-1])  # a compressed image may disagree with the header
    values = apply_modality_lut(stored, header)
    shown = _apply_window(apply_voi_lut, values, header)
    if header.PhotometricInterpretation == "MONOCHROME1":
        shown = _negative(shown)
    return shown, _sex(header), _age_months(header)


def _transfer_syntax(data: bytes) -> str:
    """The transfer syntax of a DICOM file, without reading further than the file meta group.

    That group is always explicit VR little endian (DICOM PS3.10, section 7.1). The last entry
    counts, as it does for pydicom.
    """
    from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

    at, syntax = 132, b""
    while data[at : at + 2] == b"\x02\0":
        element, vr = data[at + 2 : at + 4], data[at + 4 : at + 6].decode("latin-1")
        start = at + (12 if vr in EXPLICIT_VR_LENGTH_32 else 8)
        end = start + int.from_bytes(data[at + 8 if start == at + 12 else at + 6 : start], "little")
        if element == b"\x10\0":
            syntax = data[start:end]
        at = end
    return syntax.rstrip(b"\0 ").decode("ascii", errors="replace")


def _check_dicom(header) -> None:
    """Refuse what is not one greyscale image, before any pixel is decoded."""
    if "Rows" not in header or "Columns" not in header or not _has_pixels(header):
        raise UnreadableRadiograph(
            "The DICOM file holds no image; please export the radiograph itself."
        )
    if int(header.get("NumberOfFrames") or 1) > 1:
        raise UnreadableRadiograph(
            "The DICOM file holds several frames; please export a single radiograph of the hand."
        )
    kind = str(header.get("PhotometricInterpretation", ""))
    if int(header.get("SamplesPerPixel", 1)) != 1 or kind not in ("MONOCHROME1", "MONOCHROME2"):
        raise UnreadableRadiograph(
            "The DICOM file holds a colour image; please export the original greyscale radiograph."
        )
    rows, columns = int(header.Rows), int(header.Columns)
    _check_size(columns, rows)
    syntax = header.file_meta.TransferSyntaxUID
    if not syntax.is_compressed:
        stored = max(len(header.get(tag) or b"") for tag in _PIXEL_TAGS)
        if stored < (rows * columns * int(header.BitsAllocated) + 7) // 8:
            raise UnreadableRadiograph(_DAMAGED.format("DICOM"))
    elif not _can_decode(syntax):
        raise UnreadableRadiograph(
            f"The DICOM file is compressed as {syntax.name}, which cannot be decoded here; "
            "please save it uncompressed."
        )


def _has_pixels(header) -> bool:
    return any(header.get(tag) for tag in _PIXEL_TAGS)


def _can_decode(syntax) -> bool:
    from pydicom.pixels import get_decoder

    try:
        return get_decoder(syntax).is_available
    except NotImplementedError:
        return False


def _apply_window(apply_voi_lut, values: np.ndarray, header) -> np.ndarray:
    """The values as their window or look-up table shows them, unless that shows nothing."""
    try:
        shown = apply_voi_lut(values, header, index=0)
    except Exception:  # a broken window must not hide a sound image
        return values
    return shown if shown.min() < shown.max() else values


def _sex(header) -> str | None:
    return {"F": "female", "M": "male"}.get(str(header.get("PatientSex") or "").strip().upper())


def _age_months(header) -> float | None:
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


def _age_between(birth, study) -> float | None:
    try:
        days = (_date(study) - _date(birth)).days
    except ValueError:
        return None
    return days / _DAYS_PER_MONTH if days >= 0 else None


def _date(value) -> datetime:
    return datetime.strptime(str(value or "").replace(".", ""), "%Y%m%d")
