"""The files of a folder, in the order in which they are read."""

import os
from collections.abc import Iterator
from pathlib import Path


def files_in(folder: str | Path) -> Iterator[tuple[str, os.DirEntry[str] | None]]:
    """All files of a folder and of those in it, sorted by name, without hidden ones.

    Args:
        folder: its path. A link to a folder that was entered before is not followed.

    Yields:
        Path of a file, and its entry. Of a folder that cannot be read, its own path and None:
        reading that says why.
    """
    yield from _files_in(str(Path(folder)), set())


def _files_in(folder: str, entered: set[str]) -> Iterator[tuple[str, os.DirEntry[str] | None]]:
    real = os.path.realpath(folder)
    if real in entered:
        return
    entered.add(real)
    try:
        with os.scandir(folder) as found:
            entries = sorted((e for e in found if e.name[0] != "."), key=lambda entry: entry.name)
    except OSError:
        yield folder, None
        return
    for entry in entries:
        path = entry.name if folder == "." else entry.path
        if _is_folder(entry):
            yield from _files_in(path, entered)
        else:
            yield path, entry


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
