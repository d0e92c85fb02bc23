"""Parts of an archive: a fixed number of files, predicted by one task into one Parquet file.

A part's file name holds its key, the hash of all that its rows depend on. A file appears whole or
not at all, so that the names of the files alone tell what is done.
"""

import hashlib
import io
import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from boneage.archive.settings import Settings
from boneage.archive.sources import Listing, address
from boneage.archive.stores import Store
from boneage.errors import BoneAgeError

PARTS = "parts"
# The fields of `boneage predict`, then what an archive adds.
ROWS = pa.schema(
    [
        *((name, pa.string()) for name in ("file", "hand", "position", "status", "reason")),
        *((name, pa.string()) for name in ("model", "sex", "sex_source")),
        ("chronological_age_months", pa.float64()),
        ("chronological_age_source", pa.string()),
        ("bone_age_months", pa.float64()),
        ("interval_months", pa.list_(pa.float64())),
        ("crop", pa.string()),
        ("sd_score", pa.float64()),
        ("sd_interval", pa.list_(pa.float64())),
        *((name, pa.string()) for name in ("assessment", "sd_table", "growth_note")),
        ("content_sha256", pa.string()),
        ("local_calibration", pa.string()),  # missing without one
        ("local_change_months", pa.float64()),
    ]
)
Row = dict[str, Any]


class Entry(NamedTuple):
    """One file of a part.

    Attributes:
        file: its name, as results have it; bytes that are no UTF-8 as `os.fsdecode` gives them.
        address: path or URL to open.
        sex: "female" or "male", where a manifest states it.
        chronological_age_months: where a manifest states it.
    """

    file: str
    address: str
    sex: str | None = None
    chronological_age_months: float | None = None


@dataclass(frozen=True)
class Part:
    """Files that one task predicts.

    Attributes:
        number: of the part, from 0.
        key: hash of the settings and of what the listing says of the files.
        entries: the files; not in the representation, which Dask writes into logs.
    """

    number: int
    key: str
    entries: tuple[Entry, ...] = field(repr=False)

    @property
    def name(self) -> str:
        """Of its file."""
        return f"part-{self.number:06d}-{self.key}.parquet"


class Outcome(NamedTuple):
    """What a task tells of its part; the rows are in the file.

    Attributes:
        number: of the part.
        statuses: status -> rows.
        fault: why no other part would succeed either, a sentence; None where all went well.
    """

    number: int
    statuses: dict[str, int]
    fault: str | None = None


Loaded = TypeVar("Loaded")
# Makes of some files their rows, those of one file in a list.
Reader = Callable[[Sequence[Entry]], Iterable[list[Row]]]
ReaderMaker = Callable[[Settings], Reader]


_lock = threading.Lock()
_loaded: tuple[Any, str, Any] | None = None  # what this process holds


def parts_of(listing: Listing, settings: Settings) -> Iterator[Part]:
    """Cut a listing into parts, the same ones each time.

    Args:
        listing: the files.
        settings: of the run.

    Yields:
        The parts, in the order of the files.
    """
    digest = settings.digest
    for number, start in enumerate(range(0, len(listing), settings.part_size)):
        rows = listing.files.slice(start, settings.part_size).to_pylist()
        names = [os.fsdecode(row["file"]) for row in rows]
        known = [
            [name, row["sex"], row["chronological_age_months"], row["stamp"]]
            for name, row in zip(names, rows, strict=True)
        ]
        text = json.dumps([digest, number, known])  # escapes what is no text
        entries = (
            Entry(name, address(listing.base, name), row["sex"], row["chronological_age_months"])
            for name, row in zip(names, rows, strict=True)
        )
        yield Part(number, hashlib.sha256(text.encode()).hexdigest()[:16], tuple(entries))


def predict_part(part: Part, settings: Settings, store: Store, make_reader: ReaderMaker) -> Outcome:
    """Predict the files of a part and write their rows; runs on a worker.

    Args:
        part: the part.
        settings: of the run.
        store: where the rows go.
        make_reader: called once in a process, see `boneage.archive.reading.reader`.

    Returns:
        What became of the part. An error that all parts would meet, such as a full disk, is a
        fault; any other is raised, for Dask to try again.
    """
    try:
        read = once(make_reader, settings)
        rows = [row for of_file in read(part.entries) for row in of_file]
        write_part(part, rows, store)
    except BoneAgeError as error:
        return Outcome(part.number, {}, " ".join(str(error).split()))
    return Outcome(part.number, dict(Counter(row["status"] for row in rows)))


def read_files(entries: Sequence[Entry], settings: Settings, make_reader: ReaderMaker) -> list[Row]:
    """The rows of some files, sent back instead of written; runs on a worker."""
    return [row for of_file in once(make_reader, settings)(entries) for row in of_file]


def once(make: Callable[[Settings], Loaded], settings: Settings) -> Loaded:
    """What the first task of a run made in this process, such as its reader."""
    global _loaded
    with _lock:
        if _loaded is None or _loaded[:2] != (make, settings.digest):
            _loaded = None  # before the next takes as much memory
            _loaded = make, settings.digest, make(settings)
        return _loaded[2]


def write_part(part: Part, rows: Sequence[Row], store: Store) -> None:
    """Write the rows of a part.

    Args:
        part: the part.
        rows: of its files, columns of `ROWS`.
        store: where the file goes.

    Raises:
        NotWrittenError: the folder cannot be written to, or the disk is full.
    """
    content = io.BytesIO()
    rows = [row | {"file": as_text(row["file"])} for row in rows]
    pq.write_table(pa.Table.from_pylist(rows, schema=ROWS), content, compression="zstd")
    store.write(f"{PARTS}/{part.name}", content.getvalue())


def as_text(file: str) -> str:
    """A file name as text; bytes that are none are written as in "\\xff"."""
    return os.fsencode(file).decode("utf-8", "backslashreplace")
