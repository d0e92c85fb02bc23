"""Writing files so that a crash leaves nothing half written, and a full disk is told in words."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from boneage.errors import BoneAgeError

_REMEDIES = {
    errno.ENOSPC: "free some disk space",
    errno.EDQUOT: "free some of your disk space",
    errno.EROFS: "choose a folder that can be written to",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
}


class NotWrittenError(BoneAgeError, OSError):
    """A file cannot be written; `str(error)` is one sentence, with what to do.

    Attributes:
        fault: what is wrong, in words.
        remedy: what to do before trying again, in words.
    """

    def __init__(self, path: Path, cause: OSError):
        super().__init__(cause.errno, cause.strerror or str(cause), str(path))
        self.fault = f"{path} cannot be written ({self.strerror})"
        self.remedy = _REMEDIES.get(cause.errno or 0, "check the disk")

    def __str__(self) -> str:
        return f"{self.fault}: {self.remedy} and run the same command again."


@contextmanager
def replacing(path: Path, writer: str = "") -> Iterator[BinaryIO]:
    """A new file, open for writing, that takes the place of another at the end of the block.

    A reader, or a crash at any moment, meets the old file or the new one, each whole. What a crash
    leaves beside it is written over the next time. Only one process may write a path at a time,
    unless each has a name.

    Args:
        path: of the file to replace; its folder is made where it does not exist.
        writer: name of this writer; what a crash leaves of it is ".<file>.<writer>.new".

    Yields:
        The new file.

    Raises:
        NotWrittenError: it cannot be written; the old file is then as it was.
    """
    new = path.with_name(f".{path.name}.{writer}.new" if writer else f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with new.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise NotWrittenError(path, error) from error


def replace_file(path: Path, content: bytes, writer: str = "") -> None:
    """Write a whole file in one step, see `replacing`.

    Args:
        path: of the file.
        content: of the file.
        writer: see `replacing`.

    Raises:
        NotWrittenError: it cannot be written; the old file is then as it was.
    """
    with replacing(path, writer) as file:
        file.write(content)
