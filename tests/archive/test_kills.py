"""Processes killed at random moments: the next run goes on, and loses and doubles nothing."""

import multiprocessing
import os
import random
import signal
import sys
import time
from pathlib import Path

import dask
import pytest
from stub_readers import hostile, in_this_process, parts_in, rows_in, slow, stub

from boneage.archive.cluster import connect
from boneage.archive.run import run, tidy
from boneage.archive.settings import Settings
from boneage.archive.sources import list_source
from boneage.archive.stores import Store

KILLS = 20
FILES = 1000
LONGEST = 0.03  # seconds from the first part that a run writes until it is killed


def run_alone(source: str, out: str) -> None:
    """A whole run, with scheduler and worker in one process."""
    listing, settings = list_source(source), Settings(source, part_size=4)
    with in_this_process() as client:
        run(client, listing, settings, Store(out), slow)


@pytest.mark.slow
def test_after_20_kills_at_random_moments_the_rows_are_those_of_an_undisturbed_run(
    client, archive, tmp_path, monkeypatch
):
    for number in range(FILES - 50):
        (archive / f"more{number:03}.png").touch()
    listing, settings = list_source(str(archive)), Settings(str(archive), part_size=4)
    undisturbed, store = Store(str(tmp_path / "undisturbed")), Store(str(tmp_path / "out"))
    run(client, listing, settings, undisturbed, stub)
    # Each process is forked from one that has imported everything, from the same places as here.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["test_kills"])
    moments = random.Random(5)  # noqa: S311
    reached = [0]
    for _ in range(KILLS):
        process = processes.Process(target=run_alone, args=(str(archive), store.url))
        process.start()
        # Killed at a random moment after the first new part, so that the runs get on.
        deadline = time.monotonic() + 60
        while len(parts_in(store)) == reached[-1] and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(moments.uniform(0, LONGEST))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        reached.append(len(parts_in(store)))
    assert reached == sorted(set(reached))
    assert reached[-1] < FILES / 4  # killed in the midst of the work
    progress = run(client, listing, settings, store, stub)
    assert progress.kept == 4 * reached[-1]
    tidy(listing, settings, store)
    assert rows_in(store) == rows_in(undisturbed)
    assert len(rows_in(store)) == len(listing) == FILES


def test_killed_workers_are_replaced_and_a_file_that_kills_them_is_named(archive, tmp_path):
    (archive / "10.png").rename(archive / "10-hostile.png")
    listing, settings = list_source(str(archive)), Settings(str(archive), part_size=4)
    store = Store(str(tmp_path / "out"))
    killed = []
    # Processes that start at once, and few of them for the hostile file.
    quickly = {
        "distributed.worker.multiprocessing-method": "forkserver",
        "distributed.scheduler.allowed-failures": 0,
    }
    with dask.config.set(quickly), connect(None, workers=2) as client:
        assert client.dashboard_link.startswith("http://127.0.0.1:")
        assert client.scheduler.address.startswith("tls://127.0.0.1:")

        def kill_one(progress):
            if progress.done and not killed:
                for pid in list(client.run(os.getpid).values())[:1]:
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

        progress = run(client, listing, settings, store, hostile, kill_one)
    assert killed
    assert progress.failed == {}
    tidy(listing, settings, store)
    rows = {Path(row["file"]).name: row for row in rows_in(store)}
    assert len(rows) == len(rows_in(store)) == 50
    assert rows["10-hostile.png"]["status"] == "unreadable"
    assert "ended unexpectedly" in rows["10-hostile.png"]["reason"]
    assert [name for name, row in rows.items() if row["status"] != "ok"] == [
        "10-hostile.png",
        "broken.png",
    ]
