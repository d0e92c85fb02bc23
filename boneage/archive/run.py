"""Run over an archive: give the parts that are missing to a cluster, a few at a time.

Whatever is killed meanwhile, the same run goes on where it stopped: what is done is told by the
names of the parts alone, and a part is written whole or not at all.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from distributed import Client, Future, KilledWorker, as_completed

from boneage.archive.cluster import threads_of
from boneage.archive.parts import (
    PARTS,
    Outcome,
    Part,
    ReaderMaker,
    Row,
    parts_of,
    predict_part,
    read_files,
    write_part,
)
from boneage.archive.settings import ArchiveError, Settings
from boneage.archive.sources import Listing
from boneage.archive.stores import Store
from boneage.inference import results

# Parts given to the cluster ahead of its threads: more would only fill the scheduler's memory.
_AHEAD_PER_THREAD, _MIN_AHEAD = 3, 16
_RETRIES = 2  # of a part that an error ended, such as one of the network
_MOST_FAILED = 20  # parts; then something is wrong with the store or the cluster
_COUNT_SECONDS = 10  # between looks at how many workers there are
_GO_ON = "What is done is kept: the same command goes on."


@dataclass
class Progress:
    """How far a run is.

    Attributes:
        files: of the archive.
        kept: files in parts that an earlier run has written.
        done: files of parts written by this run.
        statuses: status -> rows written by this run.
        failed: number of a part -> why it is not written.
        workers: threads of all workers.
    """

    files: int
    kept: int = 0
    done: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    failed: dict[int, str] = field(default_factory=dict)
    workers: int = 0

    def add(self, part: Part, statuses: dict[str, int]) -> None:
        """Count a part that was written."""
        self.done += len(part.entries)
        self.statuses.update(statuses)


def run(
    client: Client,
    listing: Listing,
    settings: Settings,
    store: Store,
    make_reader: ReaderMaker,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Predict all parts of an archive that are not there yet.

    Args:
        client: of the cluster.
        listing: the files of the archive.
        settings: of the run.
        store: where the parts go.
        make_reader: see `boneage.archive.reading.reader`; imported by name on the workers.
        report: told of the progress after each part.

    Returns:
        What became of the parts; those in `failed` are missing.

    Raises:
        ArchiveError: no part can succeed as things are, such as with a full disk.
    """
    there = set(store.names(PARTS))
    progress = Progress(len(listing), workers=threads_of(client))
    todo = _missing(listing, settings, there, progress)
    killed: list[Part] = []
    running: dict[Future, Part] = {}
    arrived = as_completed(with_results=True, raise_errors=False)
    looked = time.monotonic()

    def give(n: int) -> None:
        for part in islice(todo, n):
            future = client.submit(
                predict_part, part, settings, store, make_reader, pure=False, retries=_RETRIES
            )
            running[future] = part
            arrived.add(future)

    try:
        give(ahead(progress.workers))
        report(progress)
        for future, outcome in arrived:
            part = running.pop(future)
            if isinstance(outcome, Outcome):
                if outcome.fault:
                    raise ArchiveError(f"{outcome.fault} {_GO_ON}")
                progress.add(part, outcome.statuses)
            elif future.cancelled():
                raise ArchiveError(f"The connection to the Dask scheduler was lost. {_GO_ON}")
            elif isinstance(error := future.exception(), KilledWorker):
                killed.append(part)
            else:
                _fail(progress, part, error)
            if time.monotonic() - looked > _COUNT_SECONDS:
                progress.workers, looked = threads_of(client), time.monotonic()
            give(ahead(progress.workers) - len(running))
            report(progress)
    finally:  # a cluster that runs on must not go on with this
        client.cancel(list(running))
    for part in killed:
        _file_by_file(client, part, settings, store, make_reader, progress)
        report(progress)
    return progress


def tidy(listing: Listing, settings: Settings, store: Store) -> tuple[list[str], int]:
    """Remove files that are no part of this archive as it is listed now.

    Those are parts of files that have changed or gone since, and what a crash has left.

    Args:
        listing: the files of the archive.
        settings: of the run.
        store: where the parts are.

    Returns:
        Names of the parts that are there, in their order, and how many files were removed.
    """
    wanted = {part.name for part in parts_of(listing, settings)}
    names = store.names(PARTS)
    others = [name for name in names if name not in wanted]
    for name in others:
        store.remove(f"{PARTS}/{name}")
    return [name for name in names if name in wanted], len(others)


def _missing(
    listing: Listing, settings: Settings, there: set[str], progress: Progress
) -> Iterator[Part]:
    for part in parts_of(listing, settings):
        if part.name in there:
            progress.kept += len(part.entries)
        else:
            yield part


def ahead(threads: int) -> int:
    """Tasks to give to a cluster of so many threads before the first is done."""
    return max(_MIN_AHEAD, _AHEAD_PER_THREAD * threads)


def _fail(progress: Progress, part: Part, error: BaseException) -> None:
    reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    progress.failed[part.number] = reason
    if len(progress.failed) >= _MOST_FAILED:
        raise ArchiveError(
            f"{_MOST_FAILED} parts could not be done, the last because of {reason}. {_GO_ON}"
        )


def _file_by_file(
    client: Client,
    part: Part,
    settings: Settings,
    store: Store,
    make_reader: ReaderMaker,
    progress: Progress,
) -> None:
    """Find the file that ends every process that reads it, and say so in its row."""
    rows: list[Row] = []
    for entry in part.entries:
        future = client.submit(
            read_files, (entry,), settings, make_reader, pure=False, retries=_RETRIES
        )
        try:
            rows += future.result()
        except KilledWorker:
            reason = (
                "Every process that read the file ended unexpectedly, for lack of memory or "
                "because the file is hostile; please export the radiograph again."
            )
            found = results.FileResult(
                entry.file, results.UNREADABLE, reason, entry.sex or settings.sex
            )
            rows.append(results.as_json(found, settings.model))
        except Exception as error:
            _fail(progress, part, error)
            return
    try:
        write_part(part, rows, store)
    except OSError as error:
        raise ArchiveError(f"{error} {_GO_ON}") from error
    progress.add(part, Counter(row["status"] for row in rows))
