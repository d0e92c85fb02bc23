"""Faults made to order: processes that are killed, disks that fill up."""

import errno
import io
import multiprocessing
import os
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

# Set to 20 for a thorough run; a training takes seconds, so few are interrupted by default.
ROUNDS = int(os.environ.get("BONEAGE_FAULTS") or 0)


class SmallDisk:
    """Files opened for writing with `Path.open` share `free` bytes; then the disk is full.

    As on a real disk, the write that does not fit is cut, and the next one fails.
    """

    def __init__(self, free: int, monkeypatch):
        self.free, self.written = free, 0
        open_path = Path.open

        def open_on_disk(path, mode="r", *arguments, **options):
            if mode not in ("wb", "r+b"):
                return open_path(path, mode, *arguments, **options)
            raw = _Raw(path, mode)
            raw.disk = self
            return io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)

        monkeypatch.setattr(Path, "open", open_on_disk)


class _Raw(io.FileIO):
    def write(self, data) -> int:
        if not self.disk.free and len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = super().write(bytes(data)[: self.disk.free])
        self.disk.free -= written
        self.disk.written += written
        return written


class Processes:
    """Processes forked from one that has imported what would take each of them long.

    Python has one such server, whose imports are settled when it starts: those of all tests.
    """

    def __init__(self):
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["boneage.datasets.cache", "boneage.training.fit"])

    def run(self, target, *arguments, seconds: float | None = None) -> bool:
        """Run `target` to its end, or kill it (SIGKILL) after so long; whether it came to its end.

        The time counts from when the target sets the event it gets as its first argument.
        """
        started = self._context.Event()
        process = self._context.Process(target=target, args=(started, *arguments))
        # After AppTest, __main__ is a page, which the process would run before its target.
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, "__main__", ModuleType("__main__"))
            process.start()
        while not started.wait(0.05):
            assert process.is_alive(), process.exitcode
        process.join(seconds)
        killed = process.is_alive()
        process.kill()
        process.join()
        assert killed or process.exitcode == 0
        return not killed


def stopwatch(run, *arguments) -> float:
    started = time.monotonic()
    run(*arguments)
    return time.monotonic() - started


class RandomMoments:
    """Runs of something that takes about so many seconds, each killed at a random moment of it.

    On a machine that is less busy than before, most runs would end before they are killed; so each
    that does says how long they take now.
    """

    def __init__(self, processes: Processes, seconds: float, seed: int):
        self._processes, self._seconds = processes, seconds
        self._rng = np.random.default_rng(seed)
        self.kills = self.ends = 0

    def run(self, target, *arguments) -> bool:
        """Whether the run came to its end; see `Processes.run`."""
        moment, started = self._rng.uniform(0, self._seconds), time.monotonic()
        ended = self._processes.run(target, *arguments, seconds=moment)
        if ended:
            self._seconds = min(self._seconds, time.monotonic() - started)
        self.kills += not ended
        self.ends += ended
        return ended

    def __str__(self) -> str:
        return f"killed {self.kills} times, came to its end {self.ends} times in between"


def contents(folder: Path) -> dict[str, bytes]:
    """Name -> bytes of the files in a folder."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
