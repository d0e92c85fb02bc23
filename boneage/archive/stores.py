"""Folders and object stores under one interface, fsspec: read files, write whole ones."""

import uuid
from pathlib import Path
from typing import Any

import fsspec

from boneage.atomic import replace_file
from boneage.errors import BoneAgeError

# A file appears in these whole or not at all, as the write of an object is one request.
OBJECT_STORES = ("s3", "s3a", "gs", "gcs", "az", "abfs")
_PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs"}
_PACKAGES |= {"az": "adlfs", "abfs": "adlfs"}


class StoreError(BoneAgeError):
    """A folder or URL cannot be used; `str(error)` is one sentence for people."""


def protocol_of(url: str) -> str | None:
    """The protocol of a URL such as "s3://bucket/folder"; None of a path."""
    protocol, colon, _ = url.partition("://")
    return protocol if colon else None


def file_system(url: str) -> tuple[Any, str]:
    """The file system of a URL or path.

    Args:
        url: such as "s3://bucket/folder". Credentials and the address of the store are taken from
            the environment, as its package documents.

    Returns:
        An `fsspec.AbstractFileSystem`, and the path in it.

    Raises:
        StoreError: the protocol is unknown, or its package is not installed.
    """
    protocol = protocol_of(url)
    try:
        # What lists a store later must not be told what was there before.
        options = {} if protocol is None else {"use_listings_cache": False}
        return fsspec.core.url_to_fs(url, **options)
    except ImportError as error:
        package = _PACKAGES.get(protocol or "", f"the package that fsspec names ({error})")
        raise StoreError(f"{url} needs {package}: pip install {package}.") from error
    except ValueError as error:
        raise StoreError(
            f"{url} cannot be used ({error}); give a folder or an s3:// URL."
        ) from error


class Store:
    """Where results are written: a folder, or a prefix of an object store.

    Args:
        url: path of the folder, or a URL of `OBJECT_STORES`.

    Raises:
        StoreError: it is a URL of another protocol, or a package is missing.
    """

    def __init__(self, url: str):
        protocol = protocol_of(url)
        if protocol not in (None, *OBJECT_STORES):
            raise StoreError(
                f"Results cannot be written to {protocol}://, which has no atomic writes; give a "
                "folder or an object store such as s3://bucket/folder."
            )
        self.url = url.rstrip("/") if len(url) > 1 else url
        self._is_local = protocol is None

    def write(self, name: str, content: bytes) -> None:
        """Write a whole file; readers meet the old one or the new one.

        Args:
            name: of the file, with folders separated by slashes.
            content: of the file.

        Raises:
            NotWrittenError: a folder cannot be written to, or the disk is full.
            OSError: the object store does not take it.
        """
        if self._is_local:
            # A task that Dask believes lost may still be writing the same file.
            replace_file(Path(self.url, name), content, writer=uuid.uuid4().hex[:8])
            return
        files, path = self._at(name)
        files.pipe_file(path, content)

    def read(self, name: str) -> bytes | None:
        """The content of a file; None where there is none."""
        files, path = self._at(name)
        try:
            return files.cat_file(path)
        except FileNotFoundError:
            return None

    def names(self, folder: str) -> list[str]:
        """Names of the files in a folder, sorted, those left by a crash included."""
        files, path = self._at(folder)
        try:
            found = files.ls(path, detail=False)
        except FileNotFoundError:
            return []
        return sorted(each.rstrip("/").rsplit("/", 1)[-1] for each in found)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        files, path = self._at(name)
        try:
            files.rm_file(path)
        except FileNotFoundError:
            return

    def data_set(self, folder: str) -> tuple[str, Any]:
        """Path and file system of a folder, as `pyarrow.dataset` takes them."""
        files, path = self._at(folder)
        return path, files

    def _at(self, name: str) -> tuple[Any, str]:
        files, root = file_system(self.url)
        return files, f"{root.rstrip('/')}/{name}"
