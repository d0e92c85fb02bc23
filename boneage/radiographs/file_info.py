"""What was found in a file and what was done to it, for people to check."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True)
class FileInfo:
    """How a radiograph is stored in its file, and what reading it changed.

    Attributes:
        file_type: "PNG", "JPEG", "DICOM" and so on, as `read_radiograph` lists them.
        compression: of a DICOM file its transfer syntax, of a TIFF file its method; "" of others.
        width: of the decoded image in pixels, frames included, upright.
        height: the same.
        bits: stored for each gray level.
        polarity: "bright bones", or how dark bones were told.
        borders: (left, top, right, bottom) pixels of frames that were removed.
        photograph: whether a camera or phone took it.

    Example:
        >>> FileInfo("PNG", width=300, height=400).rows[:2]
        [('File type', 'PNG'), ('Size', '300 x 400 pixels, 8 bits')]
    """

    file_type: str
    compression: str = ""
    width: int = 0
    height: int = 0
    bits: int = 8
    polarity: str = "bright bones"
    borders: tuple[int, int, int, int] = (0, 0, 0, 0)
    photograph: bool = False

    @property
    def warning(self) -> str | None:
        """A sentence for people on what may change the prediction; None where nothing does."""
        if not self.photograph:
            return None
        return (
            "The image seems to be a photograph of a film; use the original radiograph where there "
            "is one, as uneven light and perspective can change the prediction."
        )

    @property
    def rows(self) -> list[tuple[str, str]]:
        """(label, value) of everything, for a table."""
        sides = zip(("left", "top", "right", "bottom"), self.borders, strict=True)
        removed = ", ".join(f"{side} {width}" for side, width in sides if width)
        rows = [
            ("File type", self.file_type + (" (photograph)" if self.photograph else "")),
            ("Compression", self.compression),
            ("Size", f"{self.width} x {self.height} pixels, {self.bits} bits"),
            ("Polarity", self.polarity),
            ("Frame removed", f"{removed} pixels" if removed else "none"),
        ]
        return [(label, value) for label, value in rows if value]


class Decoded(NamedTuple):
    """What a decoder hands on.

    Attributes:
        pixels: (H, W) of any integer or float dtype.
        info: how they are stored.
        color: share of the image, 0 to 1, that has a color of its own.
        sex: "female", "male" or None.
        age_months: chronological age or None.
        study_date: when the radiograph was taken, or None.
    """

    pixels: np.ndarray
    info: FileInfo
    color: float = 0.0
    sex: str | None = None
    age_months: float | None = None
    study_date: date | None = None
