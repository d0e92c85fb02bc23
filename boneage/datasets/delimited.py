"""The cells of a CSV file, as a spreadsheet of any language writes it."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pandas as pd

from boneage.errors import BoneAgeError

_SEPARATORS = (";", "\t", ",")
# Text that is no UTF-8 is taken for Latin-1 as Windows writes it, which has a few characters more.
_ENCODINGS = ("utf-8-sig", "cp1252")
_NOT_IN_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_KINDS = {  # first bytes -> what such a file is
    b"PK\x03\x04": "it is a workbook",
    b"\xd0\xcf\x11\xe0": "it is a workbook",
    b"\xff\xfe": "its encoding is UTF-16",
    b"\xfe\xff": "its encoding is UTF-16",
}


class LabelError(BoneAgeError):
    """A file of labels or predictions, or an image folder, cannot be used."""


def read_cells(content: bytes, title: str) -> pd.DataFrame:
    """Read the cells of a CSV file as text without white space around it.

    The encoding is UTF-8 with or without byte order mark, or Latin-1. The separator is the
    semicolon, tab or comma that gives the first row the most cells. Fields may be quoted. Empty
    rows are left out, and so are columns at the end that have no name.

    Args:
        content: the bytes of the file.
        title: what errors call the file.

    Returns:
        Cells as str, missing ones empty; columns named as in the first row that is not empty, and
        the index holds the number of each row as a spreadsheet shows it.

    Raises:
        LabelError: The file is not text, a quotation has no end, a row has more cells than the
            first, two columns have the same name, or there is no row below the first.
    """
    text = _decode(content, title)
    rows = _read_rows(text, title)
    if len(rows) < 2:
        raise LabelError(
            f"{title} has no rows of data; give column names in the first row and one image in "
            "each row below."
        )
    numbers, cells = list(rows), list(rows.values())
    header = cells[0]
    width = max(i for i, name in enumerate(header, 1) if name)
    for i, row in enumerate(cells):
        if len(row) != width:
            if any(row[width:]):
                raise LabelError(
                    f"Row {numbers[i]} of {title} has more fields than there are column names "
                    f"({width}); where decimals have a comma, separate the fields by semicolons."
                )
            cells[i] = (row + [""] * width)[:width]
    for name, n in Counter(cells[0]).items():
        if name and n > 1:
            raise LabelError(f"{title} has {n} columns named {shortened(name, 40)}; rename them.")
    return pd.DataFrame(cells[1:], index=numbers[1:], columns=cells[0], dtype=str)


def to_numbers(texts: pd.Series) -> pd.Series:
    """Numbers, or text with a decimal point or comma, as float64; NaN for all other text."""
    if not pd.api.types.is_numeric_dtype(texts):
        texts = pd.to_numeric(texts.str.replace(",", "."), errors="coerce")
    numbers = texts.astype(float)
    return numbers.where(np.isfinite(numbers))


def shortened(text: str, most: int) -> str:
    """Text of at most `most` characters, for errors that quote it."""
    return text if len(text) <= most else f"{text[:most]}…"


def _decode(content: bytes, title: str) -> str:
    for encoding in _ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _NOT_IN_TEXT.search(text):
            return text
        break
    kind = next((kind for start, kind in _KINDS.items() if content.startswith(start)), None)
    raise LabelError(
        f"{title} is not a CSV file: {kind or 'it is not text'}; "
        'save the table from the spreadsheet as "CSV UTF-8".'
    )


def _read_rows(text: str, title: str) -> dict[int, list[str]]:
    """Number -> stripped cells of every row that is not empty."""
    separator = max(_SEPARATORS, key=lambda separator: _count_fields(text, separator))
    reader = _reader(text, separator, strict=True)
    rows, number = {}, 0
    try:
        for number, row in enumerate(reader, 1):
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows[number] = cells
    except csv.Error as error:
        raise LabelError(
            f"{title} is not a CSV file: a quotation mark in row {number + 1} is out of place or "
            'has no partner; save the table from the spreadsheet as "CSV UTF-8".'
        ) from error
    return rows


def _count_fields(text: str, separator: str) -> int:
    """Fields in the first row that has one."""
    try:
        return next((len(row) for row in _reader(text, separator) if any(map(str.strip, row))), 0)
    except csv.Error:
        return 0


def _reader(text: str, separator: str, strict: bool = False) -> Iterator[list[str]]:
    # A quoted field may hold line ends, which must reach the parser as they are.
    lines = io.StringIO(text, newline="")
    return csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=strict)
