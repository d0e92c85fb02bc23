"""Which files an archive holds: a folder, a URL, or a manifest in CSV or Parquet."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pyarrow as pa

from boneage.archive.manifests import read_manifest
from boneage.archive.stores import StoreError, file_system, protocol_of
from boneage.radiographs.folders import files_in

MANIFEST_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet")
# File names are bytes, as those of Linux need not be text. The stamp changes with the content.
FILES = pa.schema(
    [
        ("file", pa.large_binary()),
        ("sex", pa.string()),
        ("chronological_age_months", pa.float64()),
        ("stamp", pa.string()),
    ]
)
_CHUNK = 10_000


@dataclass(frozen=True)
class Listing:
    """The files of an archive in a fixed order; a million of them take about 100 MB.

    Attributes:
        files: columns of `FILES`. Sex, "female" or "male", and age are those of a manifest and
            missing where it states none; the stamp is missing where only opening would tell.
        base: folder or URL that relative names start from; empty for the current folder.
        notes: sentences on what was not understood.
    """

    files: pa.Table = field(repr=False)
    base: str = ""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.files)


def list_source(source: str) -> Listing:
    """List the files of an archive.

    Args:
        source: a folder, searched recursively as `boneage predict` does, without hidden files; a
            manifest, see `read_manifest`; or a URL of either, such as "s3://bucket/folder".

    Returns:
        The files; of folders sorted by name, of a manifest in its order.

    Raises:
        StoreError: the source does not exist, holds no files, or needs a package.
        LabelError: the manifest cannot be used.
    """
    if source.lower().endswith(MANIFEST_SUFFIXES):
        return _from_manifest(source)
    if protocol_of(source):
        rows = _files_of_store(source)
    elif Path(source).is_dir():
        rows = _files_of_folder(source)
    else:
        raise StoreError(
            f"There is no folder {source}; give a folder, a URL, or a manifest whose name ends "
            f"with {', '.join(MANIFEST_SUFFIXES)}."
        )
    table = _as_table(rows)
    if not len(table):
        raise StoreError(f"{source} holds no files; name a folder with radiographs.")
    return Listing(table)


def address(base: str, file: str) -> str:
    """Path or URL of a file that a listing names."""
    if not base or protocol_of(file) or Path(file).is_absolute():
        return file
    return f"{base}/{file}"


def _from_manifest(source: str) -> Listing:
    table, notes = read_manifest(source)
    files = pa.table(
        {
            "file": pa.array(map(os.fsencode, table["file"]), pa.large_binary()),
            "sex": pa.array(table["sex"], pa.string(), from_pandas=True),
            "chronological_age_months": pa.array(
                table["chronological_age_months"], pa.float64(), from_pandas=True
            ),
            "stamp": pa.nulls(len(table), pa.string()),
        },
        schema=FILES,
    )
    folder = source.rpartition("/")[0] if protocol_of(source) else str(Path(source).parent)
    return Listing(files, "" if folder == "." else folder, tuple(notes))


def _files_of_folder(folder: str) -> Iterator[tuple[str, str | None]]:
    for path, entry in files_in(folder):
        yield path, entry and _stamp_of_file(entry)


def _stamp_of_file(entry: os.DirEntry[str]) -> str | None:
    try:
        facts = entry.stat()
    except OSError:  # a link that leads nowhere
        return None
    return f"{facts.st_size}-{facts.st_mtime_ns}"


def _files_of_store(url: str) -> Iterator[tuple[str, str | None]]:
    files, root = file_system(url)
    try:
        found = files.find(root, detail=True)
    except OSError as error:
        raise StoreError(
            f"{url} cannot be listed ({error}); check the address and keys."
        ) from error
    for path in sorted(found):
        hidden = any(part.startswith(".") for part in path[len(root) :].split("/"))
        if found[path]["type"] == "file" and not hidden and not path.endswith("/"):
            facts = found[path]
            # The hash that the store knows, else when the object was written.
            version = facts.get("ETag") or facts.get("LastModified") or facts.get("mtime")
            yield files.unstrip_protocol(path), f"{facts['size']}-{version}"


def _as_table(rows: Iterator[tuple[str, str | None]]) -> pa.Table:
    batches = []
    while chunk := list(islice(rows, _CHUNK)):
        names, stamps = zip(*chunk, strict=True)
        columns = {
            "file": pa.array(map(os.fsencode, names), pa.large_binary()),
            "sex": pa.nulls(len(chunk), pa.string()),
            "chronological_age_months": pa.nulls(len(chunk), pa.float64()),
            "stamp": pa.array(stamps, pa.string()),
        }
        batches.append(pa.record_batch(columns, schema=FILES))
    return pa.Table.from_batches(batches, schema=FILES)
