"""A file in, one 8-bit grayscale radiograph out: DICOM, and the images in `raster.FORMATS`.

The type is read from the bytes, the size from the header, and only then is anything decoded. What
cannot be read is refused with one sentence. Nothing here warns or logs, and nothing prints but
libtiff and libpng, a line of their own about some broken files; it quotes nothing of the patient.
"""

import logging
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
from PIL import Image

from boneage.radiographs.borders import find_film
from boneage.radiographs.contrast import (
    as_finite,
    count_gray_levels,
    looks_black_on_white,
    spread_contrast,
)
from boneage.radiographs.file_info import Decoded, FileInfo
from boneage.radiographs.limits import (
    MAX_BYTES,
    UnreadableRadiograph,
    damaged,
    too_many_pixels,
)
from boneage.radiographs.raster import ACCEPTED_TYPES, FORMATS, read_image

# Pillow quotes what files say of a patient: it must not reach a log, whatever level that is at.
logging.getLogger("PIL").setLevel(logging.CRITICAL)

# warnings.catch_warnings changes the whole process, so only one thread may be inside at a time.
_decoder_lock = threading.Lock()


@dataclass(frozen=True, eq=False)
class Radiograph:
    """One radiograph, upright as its file says, with bones bright.

    Attributes:
        pixels: (H, W) uint8, contrast spread over 0 to 255, without a frame round the film.
        file_type: "DICOM" or a name in `raster.FORMATS`.
        sex: "female", "male" or None; only a DICOM header can tell.
        age_months: chronological age or None; only a DICOM header can tell.
        inverted: True when the image looked black on white and has been inverted. A DICOM file
            that declares MONOCHROME1 is shown bones bright as the standard asks; that alone is not
            counted.
        color: share of the image, 0 to 1, that has a color of its own; a single tint is none.
        gray_levels: different values of the file's pixels, the 0.5% at either end left out.
        info: how the file stores it; None of a radiograph that was not read from a file.
        study_date: when it was taken, or None; only a DICOM header can tell.
    """

    pixels: np.ndarray
    file_type: str
    sex: str | None = None
    age_months: float | None = None
    inverted: bool = False
    color: float = 0.0
    gray_levels: int = 256
    info: FileInfo | None = None
    study_date: date | None = None


def read_radiograph(source: bytes | str | Path) -> Radiograph:
    """Read a radiograph from the bytes of a file, or from a path.

    The type is told by the content, never by the name of the file. Contrast is kept as
    `spread_contrast` says, with one exception: Pillow reduces 16 bits a channel to 8 in color TIFF
    and in PNG with transparency. A white or gray frame round the film is cut off.

    Args:
        source: a file's content or its path; DICOM or one of `raster.FORMATS`.

    Returns:
        The radiograph, upright and with bones bright: pixels (H, W) uint8, and of a DICOM header
        the sex, the chronological age in months, and the study date.

    Raises:
        UnreadableRadiograph: the file is missing, too large, too small, damaged, or of another
            type.

    Example:
        >>> from boneage.datasets.phantoms import write_phantoms
        >>> folder = write_phantoms("phantoms", n_train=1, n_test=0)
        >>> radiograph = read_radiograph(folder / "boneage-training-dataset" / "1001.png")
        >>> radiograph.file_type, radiograph.pixels.shape, radiograph.pixels.dtype
        ('PNG', (400, 300), dtype('uint8'))
    """
    data = _bytes_of(source)
    file_type = _file_type(data)
    with _quiet_decoder():
        try:
            decoded = _decode(data, file_type)
            pixels = as_finite(decoded.pixels)
            height, width = pixels.shape
            left, top, right, bottom = find_film(pixels)
            pixels = pixels[top:bottom, left:right]
            gray_levels = count_gray_levels(pixels)
            pixels = spread_contrast(pixels)
        except UnreadableRadiograph:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise too_many_pixels() from None
        except MemoryError:
            raise UnreadableRadiograph(
                f"The {file_type} file needs more memory than there is; please reduce its size."
            ) from None
        except Exception:
            # Decoders raise almost anything on a broken file: OSError, SyntaxError, struct.error,
            # zlib.error, KeyError, RecursionError.
            raise damaged(file_type) from None
    inverted = looks_black_on_white(pixels)
    if inverted:
        pixels = 255 - pixels
    info = replace(
        decoded.info,
        width=width,
        height=height,
        borders=(left, top, width - right, height - bottom),
        polarity="black on white, inverted" if inverted else decoded.info.polarity,
    )
    return Radiograph(
        pixels,
        file_type,
        decoded.sex,
        decoded.age_months,
        inverted,
        decoded.color,
        gray_levels,
        info,
        decoded.study_date,
    )


def _decode(data: bytes, file_type: str) -> Decoded:
    if file_type != "DICOM":
        return read_image(data, file_type)
    # Imported here because pydicom is slow to import, and needed for few files.
    from boneage.radiographs.dicom import read_dicom

    return read_dicom(data)


@contextmanager
def _quiet_decoder() -> Iterator[None]:
    with _decoder_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


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
    for name, kind in FORMATS.items():
        if re.match(kind.starts, data, re.DOTALL) and data[128:132] != b"DICM":
            return name
    if data[128:132] == b"DICM" or FIRST_DICOM_ELEMENT.match(data):
        return "DICOM"
    raise UnreadableRadiograph(_other_type(data))


# A DICOM file without preamble begins with an element of group 2 or 8, with an explicit VR or the
# length of a short value.
FIRST_DICOM_ELEMENT = re.compile(rb"[\x02\x08]\0..(?:[A-Z]{2}|.[\0\1]\0\0)", re.DOTALL)

_OTHER_TYPES = (
    (b"II+\0", "a BigTIFF image"),
    (b"MM\0+", "a BigTIFF image"),
    (b"%PDF", "a PDF document"),
    (b"8BPS", "a Photoshop document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
)


def _other_type(data: bytes) -> str:
    """The sentence for a file of a type that is not accepted."""
    if not data:
        return f"The file is empty; please choose a {ACCEPTED_TYPES} file."
    seems = next((name for magic, name in _OTHER_TYPES if data.startswith(magic)), None)
    if seems is None and data[4:8] == b"ftyp":
        seems = "a video"
    if seems is None:
        seems = "text" if _is_text(data[:1024]) else "of an unknown type"
    return f"The file seems to be {seems}, not a radiograph; please save it as {ACCEPTED_TYPES}."


def _is_text(start: bytes) -> bool:
    # A character may be cut in two at the end, hence "ignore"; control characters are not text.
    text = start.decode("utf-8", errors="ignore")
    complete = len(text.encode()) > len(start) - 4
    return complete and all(c.isprintable() or c.isspace() for c in text.lstrip("\ufeff"))
