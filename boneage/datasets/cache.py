"""Prepared radiographs on disk: a few gigabytes once, instead of minutes before every training.

A cache folder holds `images.npy` (uint8, N x S x S), `manifest.csv` (row i describes image i),
`skipped.csv` (cases without a usable image) and `cache.json` (parameters and fingerprint; written
last, so a folder with it is complete). While it is being built it holds instead `plan.json`,
`images.partial.npy` and `journal.jsonl`, from which an interrupted build goes on.
"""

import contextlib
import dataclasses
import errno
import hashlib
import io
import json
import logging
import math
import multiprocessing
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from boneage.atomic import replace_file
from boneage.datasets.labeled_images import InOrder, on_pool
from boneage.errors import BoneAgeError
from boneage.radiographs import preprocessing
from boneage.radiographs.hand import HandModelError
from boneage.radiographs.preprocessing import Preprocessing, prepare
from boneage.radiographs.reading import UnreadableRadiograph, read_radiograph

if sys.platform != "win32":
    import fcntl

logger = logging.getLogger(__name__)

FORMAT = 2
IMAGES, MANIFEST, SKIPPED, FACTS = "images.npy", "manifest.csv", "skipped.csv", "cache.json"
_PARTIAL, _JOURNAL, _PLAN = "images.partial.npy", "journal.jsonl", "plan.json"
_LOCK = "build.lock"
_UNSTATED_VERSION = 1  # of the preprocessing, in caches of earlier versions
_LABEL = "reference_months"
# The column's name in earlier versions. Identities are computed with it, so that their caches can
# be opened and continued and the same data keep the same fingerprint.
_FORMER_LABEL = "age_months"
_CASE_COLUMNS = ["id", "split", "sex", _LABEL]
# Images given to the workers ahead of the next one to be written; what an interruption loses.
_AHEAD_PER_WORKER = 4

_Result = tuple[np.ndarray | None, dict[str, Any]]  # of `_prepare_one`


class CacheError(BoneAgeError):
    """A cache cannot be built or used; `str(error)` is one sentence for people."""


@dataclass(frozen=True, eq=False)
class Cache:
    """A complete cache, open for reading.

    Attributes:
        folder: where it lies.
        images: (N, S, S) uint8 memory map, read-only; pixels stay on disk until they are used.
        manifest: columns id (str), split, sex, reference_months (float64), crop_method and contrast
            (float64, see `PreparedHand`); row i <-> images[i].
        parameters: how the radiographs were prepared.
        fingerprint: sha256 (hex) over parameters, manifest and pixels.
    """

    folder: Path
    images: np.memmap = field(repr=False)
    manifest: pd.DataFrame = field(repr=False)
    parameters: Preprocessing
    fingerprint: str

    def split(self, name: str) -> np.ndarray:
        """Row numbers (int64, ascending) of a split; none where the cache has no such split."""
        return np.flatnonzero(self.manifest["split"] == name)

    @property
    def skipped(self) -> pd.DataFrame:
        """Cases that are not in the cache: columns id, split, reason."""
        return pd.read_csv(self.folder / SKIPPED, dtype=str, keep_default_na=False)


def build_cache(
    cases: pd.DataFrame,
    folder: str | Path,
    parameters: Preprocessing | None = None,
    workers: int | None = None,
    progress: bool = True,
    each: InOrder | None = None,
) -> Cache:
    """Prepare every case's radiograph, in parallel, into a cache folder.

    Interrupted at any moment, it goes on where it stopped when called again with the same cases and
    parameters; a complete cache is opened at once. Cases without a readable image are skipped and
    listed in `skipped.csv`. The result does not depend on the number of workers.

    Args:
        cases: columns id, split, sex, reference_months and path (None where there is no image);
            (split, id) must be unique. `boneage.datasets.rsna.cases` composes such a table.
        folder: where the cache is, or will be.
        parameters: of the preparation; those of `Preprocessing()` by default.
        workers: processes, by default one per CPU; with 1 the work is done in this process.
        progress: whether to show a progress bar.
        each: what works through the paths in order, such as a cluster; by default these processes.

    Returns:
        The cache, open for reading.

    Raises:
        CacheError: the folder holds a cache of other cases or parameters, another build is at work
            in it, the disk is full, or no case has a readable image.
        HandModelError: MediaPipe or its landmark model does not load.

    Example:
        >>> from boneage.datasets.phantoms import write_phantoms
        >>> from boneage.datasets.rsna import cases
        >>> folder = write_phantoms("phantoms", n_train=2, n_test=0)
        >>> table = cases(
        ...     folder / "boneage-training-dataset", folder / "boneage-training-dataset.csv"
        ... )
        >>> cache = build_cache(table, "cache", Preprocessing(size=64), workers=1, progress=False)
        >>> cache.images.shape, cache.images.dtype
        ((2, 64, 64), dtype('uint8'))
    """
    folder, parameters = Path(folder), parameters or Preprocessing()
    _check_cases(cases)
    plan = {
        "format": FORMAT,
        "preprocessing_version": preprocessing.PREPROCESSING_VERSION,
        "parameters": _as_json(parameters),
        "n_cases": len(cases),
        "cases": _digest(cases),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _only_build(folder):
            if (folder / FACTS).exists():
                _refuse_other_plan(folder, FACTS, plan)
                return open_cache(folder, parameters)
            if (folder / _PLAN).exists():
                _refuse_other_plan(folder, _PLAN, plan)
            else:
                replace_file(folder / _PLAN, json.dumps(plan, indent=2).encode())
            each = each or partial(_on_processes, workers or os.cpu_count() or 1)
            _prepare_all(folder, cases, parameters, each, progress)
            _finish(folder, cases, plan)
    except FileExistsError:
        raise CacheError(f"{folder} is a file; name a folder for the cache.") from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _disk_full(folder) from error
        raise CacheError(
            f"The cache in {folder} cannot be written ({error.strerror or error}); see that you "
            "may write there, or choose another folder."
        ) from error
    return open_cache(folder, parameters)


def open_cache(folder: str | Path, parameters: Preprocessing | None = None) -> Cache:
    """Open a complete cache.

    Args:
        folder: of `build_cache`.
        parameters: that it must have been prepared with; None for any.

    Returns:
        The cache, open for reading; its pixels stay on disk until they are used.

    Raises:
        CacheError: there is none, it is damaged, or it was prepared with other parameters.

    Example:
        >>> open_cache("nowhere")
        Traceback (most recent call last):
        boneage.datasets.cache.CacheError: The cache in nowhere does not exist; run ...
    """
    folder = Path(folder)
    if not (folder / FACTS).is_file():
        state = "is not finished" if (folder / _PLAN).exists() else "does not exist"
        raise CacheError(f"The cache in {folder} {state}; run `python -m boneage prepare` first.")
    facts = _read_facts(folder / FACTS)
    if parameters is not None:
        _refuse_other_parameters(folder, facts["parameters"], _as_json(parameters))
    try:
        manifest = pd.read_csv(
            folder / MANIFEST,
            dtype=str,
            keep_default_na=False,
        )
        manifest = manifest.rename(columns={_FORMER_LABEL: _LABEL})
        manifest = manifest.astype({_LABEL: float, "contrast": float})
        images = np.load(folder / IMAGES, mmap_mode="r")
        own_parameters = _parameters_from_json(facts["parameters"])
        whole = facts["n"] == len(images) == len(manifest)
    except (OSError, EOFError, ValueError, TypeError, KeyError) as error:
        raise CacheError(f"The cache in {folder} is damaged; build it again: {error}.") from error
    if not whole:
        raise CacheError(
            f"The cache in {folder} is damaged: it should hold {facts['n']} images, but has "
            f"{len(images)} with {len(manifest)} rows in its manifest; build it again."
        )
    return Cache(folder, images, manifest, own_parameters, facts["fingerprint"])


# Building


def _prepare_all(
    folder: Path, cases: pd.DataFrame, parameters: Preprocessing, each: InOrder, progress: bool
) -> None:
    """Append images and journal lines, in the order of cases, from where the journal ends."""
    size, n = parameters.size, len(cases)
    done, kept = _resume_point(folder, size)
    needed = (n - done) * size * size
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise _disk_full(folder, needed - free)

    paths = [None if pd.isna(path) else str(path) for path in cases["path"].iloc[done:]]
    results = each(paths, partial(_prepare_one, parameters))
    with (
        (folder / _PARTIAL).open("r+b") as images,
        (folder / _JOURNAL).open("r+b") as journal,
        tqdm(total=n, initial=done, unit="image", disable=not progress, desc="prepare") as bar,
        contextlib.closing(results),
    ):
        images.seek(_header_length(size) + kept * size * size)
        images.truncate()
        journal.seek(0, os.SEEK_END)
        for pixels, facts in results:
            # The image reaches the file before the journal says so: a kill in between costs one.
            if pixels is not None:
                images.write(pixels.tobytes())
                images.flush()
            journal.write(json.dumps(facts).encode() + b"\n")
            journal.flush()
            bar.update()


def _resume_point(folder: Path, size: int) -> tuple[int, int]:
    """(cases done, images kept) of an interrupted build; creates the files of a new one.

    The journal is cut after its last whole line whose image is whole, too.
    """
    partial, journal = folder / _PARTIAL, folder / _JOURNAL
    if not partial.exists() and (folder / IMAGES).exists():  # killed within _finish
        (folder / IMAGES).rename(partial)
    if not partial.exists():  # after the journal, so that where it exists, both do
        journal.write_bytes(b"")
        partial.write_bytes(_header(0, size))
    available = (partial.stat().st_size - _header_length(size)) // (size * size)
    done = kept = length = 0
    for line in journal.read_bytes().splitlines(keepends=True):
        try:
            is_image = "skipped" not in json.loads(line)
        except ValueError:
            break
        if not line.endswith(b"\n") or kept + is_image > available:
            break
        done, kept, length = done + 1, kept + is_image, length + len(line)
    os.truncate(journal, length)
    return done, kept


def _on_processes(
    workers: int, paths: Sequence[str | None], work: Callable[[str | None], _Result]
) -> Generator[_Result, None, None]:
    """Work on paths, in order; memory does not grow with their number."""
    workers = min(workers, max(1, len(paths)))
    if workers == 1:
        yield from map(work, paths)
        return
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), initializer=start_worker
    )
    try:
        yield from on_pool(pool, paths, work, workers * _AHEAD_PER_WORKER)
    except BrokenProcessPool as error:
        raise CacheError(
            "A process preparing radiographs ended unexpectedly, most often for lack of memory; "
            "run the same command again to go on, with fewer workers if it happens again."
        ) from error


def start_worker() -> None:
    """Make a fresh process a good worker of a pool: one thread, stopped by its parent alone."""
    # One process per CPU already; OpenCV's own threads would only compete.
    cv2.setNumThreads(1)
    # Ctrl-C reaches the whole group of processes; the parent alone decides how to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A killed parent cannot tell its workers to stop; without this they would wait for ever.
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _prepare_one(parameters: Preprocessing, path: str | None) -> _Result:
    """(image (S, S) uint8, its columns of the manifest), or (None, why there is no image)."""
    if path is None:
        return None, {"skipped": "no image file"}
    try:
        prepared = prepare(read_radiograph(path).pixels, parameters)
    except UnreadableRadiograph as error:
        return None, {"skipped": str(error)}
    except HandModelError:  # would be so for every other image, too
        raise
    except Exception as error:  # one bad file of thousands must not stop the rest
        return None, {"skipped": f"{type(error).__name__}: {error}"}
    contrast = round(prepared.contrast, 2)
    return prepared.image, {"crop_method": prepared.hand.method, "contrast": contrast}


def _finish(folder: Path, cases: pd.DataFrame, plan: dict) -> None:
    lines = [json.loads(line) for line in (folder / _JOURNAL).read_text().splitlines()]
    usable = np.array(["skipped" not in line for line in lines])
    skipped = cases[["id", "split"]].reset_index(drop=True)[~usable]
    skipped = skipped.assign(reason=[line["skipped"] for line in lines if "skipped" in line])
    if not usable.any():
        # The journal would only repeat the refusals after their cause has been mended.
        for name in (_PARTIAL, _JOURNAL, _PLAN):
            (folder / name).unlink()
        raise CacheError(
            f"None of the {len(cases)} cases has a readable image; the first, "
            f"{skipped['id'].iloc[0]}: {skipped['reason'].iloc[0]}"
        )

    manifest = cases[_CASE_COLUMNS].reset_index(drop=True).astype({_LABEL: float})[usable]
    facts = pd.DataFrame([line for line in lines if "skipped" not in line], index=manifest.index)
    manifest = manifest.join(facts)
    replace_file(folder / MANIFEST, manifest.to_csv(index=False, lineterminator="\n").encode())
    skipped_text = skipped.to_csv(index=False, lineterminator="\n")
    replace_file(folder / SKIPPED, skipped_text.encode())
    n, size = int(usable.sum()), plan["parameters"]["size"]
    with (folder / _PARTIAL).open("r+b") as images:
        images.write(_header(n, size))
        images.flush()
        os.fsync(images.fileno())
    fingerprint = _fingerprint(plan["parameters"], _identity(manifest), folder / _PARTIAL)
    facts = plan | {"n": n, "n_skipped": len(skipped), "fingerprint": fingerprint}
    (folder / _PARTIAL).replace(folder / IMAGES)
    replace_file(folder / FACTS, json.dumps(facts, indent=2).encode())
    for name in (_JOURNAL, _PLAN):
        (folder / name).unlink()
    if len(skipped):
        logger.warning(
            "%d of %d cases skipped; %s lists why.", len(skipped), len(cases), folder / SKIPPED
        )


# Files


def _header_length(size: int) -> int:
    return len(_header(0, size))


def _header(n: int, size: int) -> bytes:
    """Header of an .npy file; numpy pads it so that its length does not depend on n."""
    header = io.BytesIO()
    facts = {"descr": "|u1", "fortran_order": False, "shape": (n, size, size)}
    np.lib.format.write_array_header_1_0(header, facts)
    return header.getvalue()


def _fingerprint(parameters: dict, manifest: bytes, images: Path) -> str:
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode())
    digest.update(manifest)
    with images.open("rb") as file:
        file.seek(_header_length(parameters["size"]))
        while chunk := file.read(1 << 22):
            digest.update(chunk)
    return digest.hexdigest()


def _read_facts(path: Path) -> dict:
    """What `path`, the plan or the facts of a cache, says."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        version = facts["format"]
        prepared_by = facts.get("preprocessing_version", _UNSTATED_VERSION)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CacheError(
            f"{path} is damaged; delete the folder and prepare it again, or choose another."
        ) from error
    if version != FORMAT:
        raise CacheError(
            f"The cache in {path.parent} was written by another version of this program; choose "
            "another folder."
        )
    if prepared_by != preprocessing.PREPROCESSING_VERSION:
        raise CacheError(
            f"The cache in {path.parent} holds images prepared by another version of this program; "
            "delete the folder and prepare it again, or choose another."
        )
    return facts


@contextlib.contextmanager
def _only_build(folder: Path) -> Iterator[None]:
    """Two builds appending to the same files would mix up images; the lock dies with its owner."""
    if sys.platform == "win32":
        yield
        return
    with (folder / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CacheError(
                f"Another process is building the cache in {folder}; wait for it to end."
            ) from None
        yield


def _disk_full(folder: Path, lacking: int | None = None) -> CacheError:
    megabytes = f": {math.ceil(lacking / 1e6):,} MB are lacking" if lacking else ""
    return CacheError(
        f"There is not enough disk space for the cache in {folder}{megabytes}; free some and run "
        "the same command again to go on."
    )


# What a cache was made from


def _check_cases(cases: pd.DataFrame) -> None:
    lacking = [name for name in (*_CASE_COLUMNS, "path") if name not in cases]
    if lacking:
        raise CacheError(f"The table of cases lacks the column {', '.join(lacking)}.")
    if cases.empty:
        raise CacheError("The table of cases is empty; there is nothing to prepare.")
    twice = cases[cases.duplicated(["split", "id"])]
    if len(twice):
        split, id_ = twice["split"].iloc[0], twice["id"].iloc[0]
        raise CacheError(f"Case {id_} occurs more than once in the split {split!r}.")


def _digest(cases: pd.DataFrame) -> str:
    """Identity of a table of cases; folders do not count, so that a data set may be moved."""
    files = ["" if pd.isna(path) else Path(path).name for path in cases["path"]]
    table = cases[_CASE_COLUMNS].astype({_LABEL: float}).assign(file=files)
    return hashlib.sha256(_identity(table)).hexdigest()


def _identity(table: pd.DataFrame) -> bytes:
    """What tells a table of cases from any other."""
    text = table.rename(columns={_LABEL: _FORMER_LABEL}).to_csv(index=False, lineterminator="\n")
    return text.encode()


def _as_json(parameters: Preprocessing) -> dict:
    """Parameters as they come back from a JSON file, so that the two can be compared."""
    return json.loads(json.dumps(dataclasses.asdict(parameters)))


def _parameters_from_json(fields: dict) -> Preprocessing:
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
    return Preprocessing(**values)


def _refuse_other_plan(folder: Path, name: str, plan: dict) -> None:
    other = _read_facts(folder / name)
    _refuse_other_parameters(folder, other["parameters"], plan["parameters"])
    if other["cases"] != plan["cases"]:
        raise CacheError(
            f"The cache in {folder} was built from another table of {other['n_cases']} cases (this "
            f"one has {plan['n_cases']}); choose another folder."
        )


def _refuse_other_parameters(folder: Path, theirs: dict, ours: dict) -> None:
    differences = [
        f"{name} {theirs.get(name)} instead of {ours.get(name)}"
        for name in sorted(theirs.keys() | ours.keys())
        if theirs.get(name) != ours.get(name)
    ]
    if differences:
        raise CacheError(
            f"The cache in {folder} was prepared with {', '.join(differences)}; choose another "
            "folder."
        )
