"""Readers without models, imported by name in the processes that tests start; and their rows."""

import hashlib
import multiprocessing
import os
import time
from pathlib import Path

import pyarrow.parquet as pq
from distributed import Client

from boneage.archive.settings import ArchiveError
from boneage.archive.stores import Store


def row(entry, status="ok", **more):
    """What a reader says of a file, a function of its name alone."""
    digest = hashlib.sha256(entry.file.encode()).hexdigest()
    months = int(digest[:4], 16) / 300
    return {"file": entry.file, "status": status, "bone_age_months": months} | more


def stub(settings):
    """Has a row for every file; those named broken are unreadable."""

    def read(entries):
        for entry in entries:
            if "broken" in entry.file:
                yield [row(entry, "unreadable", reason="damaged", bone_age_months=None)]
            else:
                yield [row(entry)]

    return read


def slow(settings):
    """The same, so slow that a process can be killed meanwhile."""
    read = stub(settings)

    def slowly(entries):
        for rows in read(entries):
            time.sleep(0.002)
            yield rows

    return slowly


def hostile(settings):
    """Ends the process that reads a file named hostile."""
    read = stub(settings)

    def deadly(entries):
        for entry, rows in zip(entries, read(entries), strict=True):
            if "hostile" in entry.file and multiprocessing.parent_process():
                os._exit(1)
            yield rows

    return deadly


def failing(settings):
    """Fails as a network does, on files named far."""
    read = stub(settings)

    def fail(entries):
        if any("far" in entry.file for entry in entries):
            raise ConnectionError("no route")
        return read(entries)

    return fail


def flaky(settings):
    """Fails once, the first time that a file named once is read."""
    read = stub(settings)

    def fail(entries):
        for entry in entries:
            mark = Path(f"{entry.address}.tried")
            if "once" in entry.file and not mark.exists():
                mark.touch()
                raise ConnectionError("no route")
        return read(entries)

    return fail


def without_models(settings):
    """Does not load."""
    raise ArchiveError("The models are missing.")


def in_this_process() -> Client:
    """A Dask cluster in this process, without its dashboard, which takes seconds to import."""
    return Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None)


def parts_in(store: Store) -> list[Path]:
    """The files of all parts, in their order."""
    folder = Path(store.url, "parts")
    return sorted(folder.glob("part-*.parquet")) if folder.exists() else []


def rows_in(store: Store) -> list[dict]:
    """The rows of all parts, in their order."""
    return [row for part in parts_in(store) for row in pq.ParquetFile(part).read().to_pylist()]
