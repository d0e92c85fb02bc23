"""The files of a part, read and predicted on a worker, which loads the models once."""

import errno
import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import cv2

import boneage
from boneage.archive.parts import Entry, Reader, Row
from boneage.archive.settings import Settings, fingerprints
from boneage.archive.stores import file_system, protocol_of
from boneage.datasets.labeled_images import read_in_order
from boneage.errors import BoneAgeError
from boneage.growth.columns import growth_json
from boneage.inference import results
from boneage.inference.files import predict_file
from boneage.inference.predictor import Predictor
from boneage.inference.results import FileResult
from boneage.inference.runtime import cores
from boneage.radiographs.limits import MAX_BYTES
from boneage.radiographs.reading import UnreadableRadiograph

_FETCHERS = 2  # threads that fetch the next files while one is predicted
Fetched = tuple[bytes | Path, str | None]  # what to read, and the SHA-256 of its content


class OtherInstallation(BoneAgeError):
    """A worker would give other answers than the machine that started the run."""

    def __init__(self, *_: object) -> None:  # pickle gives the sentence back
        super().__init__(
            "A worker has another version of boneage or other models than this machine: install "
            "the same on all of them, with the same artifacts, and run the same command again."
        )


def reader(settings: Settings) -> Reader:
    """Load the models, once in a process.

    Args:
        settings: of the run.

    Returns:
        What makes of some files their rows, see `boneage.archive.parts.ROWS`.

    Raises:
        OtherInstallation: the models are others than those of the run.
        ArtifactError: a file of a model is damaged.
    """
    return partial(_read, load(settings), settings)


def load(settings: Settings) -> Predictor:
    """The predictor of this process, which leaves the other cores to others.

    Raises:
        OtherInstallation: the models are others than those of the run.
        ArtifactError: a file of a model is damaged.
    """
    here = fingerprints(settings.model, settings.calibration)
    if settings.version != boneage.__version__ or settings.models != here:
        raise OtherInstallation
    cv2.setNumThreads(1)  # every core has a radiograph of its own
    local = settings.calibration and settings.calibration.encode()
    return Predictor(settings.model, workers=cores(), local=local)


def _read(
    predictor: Predictor, settings: Settings, entries: Sequence[Entry]
) -> Iterator[list[Row]]:
    fetched = read_in_order(entries, _fetch, _FETCHERS)
    for entry, content in zip(entries, fetched, strict=True):
        yield _rows(predictor, settings, entry, content)


def _fetch(entry: Entry) -> Fetched:
    if protocol_of(entry.address) is not None:
        return _fetch_object(entry)
    path = Path(entry.address)
    try:
        if path.is_file() and path.stat().st_size <= MAX_BYTES:
            content = path.read_bytes()
            return content, hashlib.sha256(content).hexdigest()
    except OSError:
        pass
    return path, None  # whose reading says what is wrong


def _fetch_object(entry: Entry) -> Fetched:
    """Any other error than these is raised, for Dask to try again: it may be the network's."""
    files, path = file_system(entry.address)
    try:
        content = files.cat_file(path, start=0, end=MAX_BYTES + 1)
    except FileNotFoundError:
        raise UnreadableRadiograph(
            f"There is no file {entry.file}; please check its name and folder."
        ) from None
    except PermissionError:
        raise UnreadableRadiograph(
            f"The file {entry.file} cannot be opened; please check that you may read it."
        ) from None
    except OSError as error:
        if error.errno != errno.EINVAL or files.size(path) > 0:
            raise
        content = b""  # no range of an empty object can be read
    whole = len(content) <= MAX_BYTES
    return content, hashlib.sha256(content).hexdigest() if whole else None


def _rows(
    predictor: Predictor, settings: Settings, entry: Entry, fetched: Fetched | UnreadableRadiograph
) -> list[Row]:
    sex, digest = entry.sex or settings.sex, None
    try:
        if isinstance(fetched, UnreadableRadiograph):
            raise fetched
        content, digest = fetched
        found = predict_file(
            predictor,
            content,
            entry.file,
            sex,
            settings.force,
            given_age=lambda _: entry.chronological_age_months,
        )
    except UnreadableRadiograph as error:
        found = [FileResult(entry.file, results.UNREADABLE, str(error), sex)]
    except (BoneAgeError, MemoryError):  # would be so for every other file, too
        raise
    except Exception as error:  # one file of a million must not stop the rest
        reason = (
            f"The file cannot be processed ({type(error).__name__}), which is a fault of this "
            "program; please report it."
        )
        found = [FileResult(entry.file, results.UNREADABLE, reason, sex)]
    return [_row(result, settings.model, digest) for result in found]


def _row(result: FileResult, model: str, digest: str | None) -> Row:
    meaning = growth_json(result, model)
    return results.as_json(result, model) | meaning | {"content_sha256": digest}
