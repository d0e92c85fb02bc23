"""`prepare` killed, or out of disk space, at random moments."""

import time

import numpy as np
import pytest
from faults import ROUNDS, Processes, RandomMoments, SmallDisk, contents, stopwatch
from test_cache import build, fill_with_mean, write_cases

from boneage.datasets import cache as cache_module
from boneage.datasets.cache import CacheError

RESULTS = ("images.npy", "manifest.csv", "skipped.csv", "cache.json")


def prepare_slowly(pixels, parameters):
    time.sleep(0.01)
    return fill_with_mean(pixels, parameters)


def build_elsewhere(started, cases, folder):
    cache_module.prepare = prepare_slowly
    started.set()
    build(cases, folder)


def results(folder):
    found = contents(folder)
    return {name: found[name] for name in RESULTS}


def cases_with_one_unreadable(folder):
    cases = write_cases(folder, n=15)
    cases["path"][4].write_bytes(b"no image")
    return cases


def test_killed_at_random_moments_it_goes_on_where_it_was(tmp_path):
    cases = cases_with_one_unreadable(tmp_path / "radiographs")
    processes = Processes()
    processes.run(build_elsewhere, cases, tmp_path / "first")
    seconds = stopwatch(processes.run, build_elsewhere, cases, tmp_path / "whole")
    moments, done = RandomMoments(processes, seconds, seed=1), 0
    while moments.kills < (ROUNDS or 5):
        folder = tmp_path / f"cache{moments.ends}"
        if moments.run(build_elsewhere, cases, folder):
            assert results(folder) == results(tmp_path / "whole")
            done = 0
            continue
        journal = folder / "journal.jsonl"
        lines = journal.read_bytes().count(b"\n") if journal.exists() else len(cases)
        if (folder / "plan.json").exists() and journal.exists():
            assert lines >= done
            done = lines
    processes.run(build_elsewhere, cases, folder)
    assert results(folder) == results(tmp_path / "whole")
    print("prepare", moments)


def test_on_a_full_disk_it_says_so_and_goes_on_once_there_is_space(tmp_path, monkeypatch):
    monkeypatch.setattr(cache_module, "prepare", fill_with_mean)
    cases = cases_with_one_unreadable(tmp_path / "radiographs")
    with monkeypatch.context() as patch:
        disk = SmallDisk(2**30, patch)
        build(cases, tmp_path / "whole")
    needed = disk.written
    for number, free in enumerate(np.random.default_rng(2).integers(needed, size=ROUNDS or 20)):
        folder = tmp_path / f"cache{number}"
        with monkeypatch.context() as patch, pytest.raises(CacheError) as told:
            SmallDisk(int(free), patch)
            build(cases, folder)
        assert "There is not enough disk space" in str(told.value)
        assert "run the same command again" in str(told.value)
        build(cases, folder)
        assert results(folder) == results(tmp_path / "whole")
        assert not list(folder.glob(".*"))
    print(f"prepare ran out of disk space {number + 1} times")


def test_killed_between_creating_its_two_files_it_begins_again(tmp_path, monkeypatch):
    monkeypatch.setattr(cache_module, "prepare", fill_with_mean)
    cases = cases_with_one_unreadable(tmp_path / "radiographs")
    with monkeypatch.context() as patch:
        patch.setattr(cache_module, "_header", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            build(cases, tmp_path / "cache")
    assert len(build(cases, tmp_path / "cache").images) == 14


@pytest.mark.parametrize("content", [b"{}", b"[]", b'{"format": 1, "n": 3}', b"{"])
@pytest.mark.parametrize("name", ["plan.json", "cache.json"])
def test_a_plan_that_is_damaged_or_of_another_version_is_told(tmp_path, name, content):
    cases = cases_with_one_unreadable(tmp_path / "radiographs")
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / name).write_bytes(content)
    with pytest.raises(CacheError, match="is damaged|another version"):
        build(cases, folder)


def test_a_folder_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    def read_only(path, content):
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr(cache_module, "replace_file", read_only)
    with pytest.raises(CacheError, match=r"cannot be written \(Read-only file system\); see that"):
        build(cases_with_one_unreadable(tmp_path / "radiographs"), tmp_path / "cache")
