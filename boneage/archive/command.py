"""The whole way of `boneage predict-archive`: list, claim the folder, run, tidy up, summarize."""

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tqdm import tqdm

from boneage import artifacts
from boneage.archive.cluster import connect
from boneage.archive.parts import ReaderMaker
from boneage.archive.reading import reader
from boneage.archive.record import Record
from boneage.archive.run import Progress, run, tidy
from boneage.archive.settings import PART_SIZE, Settings, claim, fingerprints
from boneage.archive.sources import list_source
from boneage.archive.stores import Store
from boneage.archive.summary import summarize
from boneage.errors import BoneAgeError
from boneage.formatting import counted
from boneage.inference import results
from boneage.inference.local_calibration import read_local_calibration
from boneage.models.registry import ENSEMBLE

_LOG_SECONDS = 60  # between two lines of progress in a log file


def predict_archive(
    source: str,
    out: str,
    *,
    sex: str | None = None,
    model: str = ENSEMBLE,
    force: bool = False,
    part_size: int = PART_SIZE,
    workers: int = 1,
    scheduler: str | None = None,
    calibration: str | None = None,
    make_reader: ReaderMaker = reader,
    tell: Callable[[str], None] = lambda sentence: print(sentence, file=sys.stderr),
) -> dict[str, Any]:
    """Predict an archive, or go on where an earlier call with the same arguments stopped.

    Args:
        source: see `boneage.archive.sources.list_source`.
        out: folder or URL of an object store for the results.
        sex: "female" or "male" where a manifest states none; None for that of the DICOM header.
        model: name of a model, or "ensemble".
        force: also give a bone age for radiographs that the quality check refuses.
        part_size: files in a part, which is the least that is done again after a crash.
        workers: processes to start on this machine, where no scheduler is given.
        scheduler: see `boneage.archive.cluster.connect`.
        calibration: file of a local calibration of this model.
        make_reader: what reads the files.
        tell: takes sentences for people on what goes on.

    Returns:
        The summary, see `boneage.archive.summary.summarize`.

    Raises:
        BoneAgeError: the run cannot begin or go on; what is done is kept.
    """
    store = Store(out)
    local = None
    if calibration is not None:
        published = artifacts.published_fingerprints()
        asked = {name: published[name] for name in published if name == model}
        local = read_local_calibration(calibration, asked).as_json()
    models = fingerprints(model, local)
    settings = Settings(source, sex, model, force, part_size, models, calibration=local)
    tell(f"Listing {source} ...")
    listing = list_source(source)
    for note in listing.notes:
        tell(note)
    claim(store, settings)
    progress = None
    with connect(scheduler, workers) as client:
        tell(f"{counted(len(listing), 'file')}. Dask's dashboard: {client.dashboard_link}")
        record = Record(store, settings, scheduler, sum(client.nthreads().values()))
        outcome = "stopped"
        try:
            with _Bar(len(listing)) as bar:
                progress = run(client, listing, settings, store, make_reader, bar.show)
            outcome = "incomplete" if progress.failed else "complete"
        except BoneAgeError as error:
            outcome = str(error)
            raise
        finally:
            with suppress(OSError):  # of a full disk more was said already
                record.end(outcome, bar.last)
    names, removed = tidy(listing, settings, store)
    if removed:
        tell(
            f"{counted(removed, 'file')} removed from parts/: results of radiographs that have "
            "changed or gone since, or left by a crash."
        )
    for number, reason in sorted(progress.failed.items()):
        tell(f"Part {number} is missing: {reason}. The same command tries it again.")
    return summarize(store, names, len(listing))


class _Bar:
    """The line that shows how far a run is: redrawn on a terminal, in a log once a minute."""

    def __init__(self, files: int):
        seconds = 0.5 if sys.stderr.isatty() else _LOG_SECONDS
        # Parts arrive many files at a time: a rate of the last ones alone would jump.
        self._bar = tqdm(total=files, unit="file", smoothing=0.02, mininterval=seconds)
        self.last: Progress | None = None

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()

    def show(self, progress: Progress) -> None:
        """Draw the line, with what was not predicted so far."""
        self.last = progress
        self._bar.initial = progress.kept  # so that the rate is that of this run
        faults = {
            name: progress.statuses.get(name, 0) for name in (results.REFUSED, results.UNREADABLE)
        }
        faults["failed parts"] = len(progress.failed)
        told = {"workers": progress.workers} | {name: n for name, n in faults.items() if n}
        self._bar.set_postfix(told, refresh=False)
        self._bar.update(progress.kept + progress.done - self._bar.n)
