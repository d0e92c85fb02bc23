"""The record of each run over an archive: when, with what, and how it ended."""

import json
import platform
import socket
import uuid
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from boneage.archive.run import Progress
from boneage.archive.settings import Settings
from boneage.archive.stores import Store

RUNS = "runs"
_LIBRARIES = (
    *("dask", "distributed", "pyarrow", "fsspec", "onnxruntime", "numpy", "opencv-python"),
    *("mediapipe", "pydicom", "imagecodecs"),
)


class Record:
    """A file of its own for each run, in the folder `RUNS`; a run that was killed has no end.

    Args:
        store: where it is written.
        settings: of the run.
        scheduler: address of the Dask scheduler, or None for this machine.
        workers: threads of all workers at the start.

    Raises:
        NotWrittenError: the folder cannot be written to.
    """

    def __init__(self, store: Store, settings: Settings, scheduler: str | None, workers: int):
        started = datetime.now(UTC)
        self._store = store
        self._name = f"{RUNS}/{started:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}.json"
        self._facts: dict[str, Any] = {
            "started": started.isoformat(timespec="milliseconds"),
            "ended": None,
            "outcome": None,
            "machine": socket.gethostname(),
            "scheduler": scheduler,
            "workers": workers,
            "settings": asdict(settings),
            "versions": {"python": platform.python_version()}
            | {name: version(name) for name in _LIBRARIES},
        }
        self._write()

    def end(self, outcome: str, progress: Progress | None) -> None:
        """Write how the run ended.

        Args:
            outcome: "complete", "incomplete" or why it stopped, a sentence.
            progress: what was done; None where nothing was.
        """
        self._facts["ended"] = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._facts["outcome"] = outcome
        if progress:
            self._facts |= {
                "files_kept": progress.kept,
                "files_done": progress.done,
                "rows": progress.statuses,
                "failed_parts": progress.failed,
            }
        self._write()

    def _write(self) -> None:
        self._store.write(self._name, f"{json.dumps(self._facts, indent=2)}\n".encode())
