"""Other verbs on a cluster: what they write is what one process writes."""

import json
import os
import shutil

import dask
import pandas as pd
import pytest
from distributed import LocalCluster

from boneage import artifacts
from boneage.archive.settings import ArchiveError
from boneage.archive.side_by_side import in_order_on
from boneage.atlas import building
from boneage.cli import main
from boneage.datasets.cache import open_cache
from boneage.datasets.phantoms import write_phantoms
from boneage.radiographs.reading import UnreadableRadiograph


@pytest.fixture(scope="module")
def scheduler(tiny_artifacts):
    """Address of a cluster of one process, which finds the tiny models."""
    quickly = {
        "distributed.worker.multiprocessing-method": "forkserver",
        "distributed.scheduler.allowed-failures": 0,
    }
    with (
        dask.config.set(quickly),
        LocalCluster(
            n_workers=1,
            threads_per_worker=2,
            dashboard_address=None,
            silence_logs=50,
            env={"BONEAGE_ARTIFACTS": str(tiny_artifacts)},
        ) as cluster,
    ):
        yield cluster.scheduler_address


@pytest.fixture(scope="module")
def labeled(tmp_path_factory):
    """Arguments that name four phantoms, one of which cannot be read."""
    images = write_phantoms(tmp_path_factory.mktemp("data"), n_train=4, n_test=0)
    images /= "boneage-training-dataset"
    sorted(images.iterdir())[0].write_bytes(b"not an image")
    return ["--images", str(images), "--labels", str(images.with_suffix(".csv"))]


def end_at_two(number):
    if number == 2:
        os._exit(1)
    return number


def refuse(number):
    raise UnreadableRadiograph(f"number {number}")


def test_many_sources_come_in_order_and_few_wait(scheduler):
    taken = []
    with in_order_on(scheduler, 1) as each:
        found = each((taken.append(n) or n for n in range(200)), str)
        assert [next(found) for _ in range(50)] == [str(n) for n in range(50)]
        assert len(taken) < 80
        found.close()
        with pytest.raises(UnreadableRadiograph, match="number 7"):
            next(each([7], refuse))


def test_a_worker_that_ends_is_told_in_a_sentence(scheduler):
    with in_order_on(scheduler, 1) as each, pytest.raises(ArchiveError, match="fewer workers"):
        list(each([2], end_at_two))


def test_evaluate(scheduler, labeled, capsys):
    told = []
    for more in ([], ["--scheduler", scheduler]):
        assert main(["evaluate", *labeled, "--json", *more]) == 1  # one is unreadable
        told.append(json.loads(capsys.readouterr().out))
    assert told[0] == told[1]
    assert told[0]["n"] == 3


def test_robustness(scheduler, labeled, tiny_artifacts, tmp_path, monkeypatch):
    shutil.copytree(tiny_artifacts, tmp_path / "artifacts")
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path / "artifacts"))
    tables = []
    for more in ([], ["--scheduler", scheduler]):
        assert main(["robustness", *labeled, *more]) == 0
        tables.append(artifacts.read_robustness())
    pd.testing.assert_frame_equal(*tables)


def test_prepare(scheduler, labeled, tmp_path):
    for name, more in (("alone", ["--workers", "1"]), ("there", ["--scheduler", scheduler])):
        assert main(["prepare", *labeled, "--cache", str(tmp_path / name), *more]) == 0
    alone, there = open_cache(tmp_path / "alone"), open_cache(tmp_path / "there")
    assert there.fingerprint == alone.fingerprint
    assert there.skipped.equals(alone.skipped)


def test_atlas(scheduler, monkeypatch, tmp_path):
    """That its standards do not depend on what computes them is tested in tests/atlas."""

    def build(cache, folder, settings, workers, each):
        return pd.DataFrame({"n": list(each([1, 2], abs))})

    monkeypatch.setattr(building, "build_atlas", build)
    arguments = ["atlas", "--cache", "cache", "--out", str(tmp_path)]
    assert main([*arguments, "--scheduler", scheduler]) == 0


def test_other_models_on_the_workers_are_refused(scheduler, labeled, monkeypatch, capsys):
    monkeypatch.setattr("boneage.archive.side_by_side.fingerprints", lambda model: {"x": "other"})
    assert main(["evaluate", *labeled, "--scheduler", scheduler]) == 2
    assert "another version of boneage or other models" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["evaluate", "robustness"])
def test_a_cluster_and_processes_here_are_not_both_asked_for(verb, labeled, tiny_artifacts, capsys):
    assert main([verb, *labeled, "--workers", "2", "--scheduler", "tcp://127.0.0.1:1"]) == 2
    assert "--workers for this machine, or --scheduler" in capsys.readouterr().err
