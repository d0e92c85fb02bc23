"""`train` killed, or out of disk space, at random moments."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from faults import ROUNDS, Processes, RandomMoments, SmallDisk, stopwatch
from short_networks import shorten

from boneage import artifacts
from boneage.datasets.cache import open_cache
from boneage.training.checkpoint import CHECKPOINT
from boneage.training.fit import TrainingError, train
from boneage.training.presets import find_preset

MODEL = "tiny_resnet_cbam"
PRESET = dataclasses.replace(find_preset("smoke"), epochs=2, images_per_epoch=8)
OLD = b"of an earlier training"


def train_elsewhere(started, cache_folder, out, free=None):
    """Writes what it was told, or how many bytes it took, into a file beside `out`."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)  # to compile would take longer than to train
    cache = open_cache(cache_folder)
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        disk = SmallDisk(2**40 if free is None else free, patch)
        started.set()
        try:
            train(MODEL, PRESET, cache, out, resume=(out / CHECKPOINT).exists())
        except TrainingError as error:
            told = str(error)
        else:
            told = disk.written
    out.with_suffix(".json").write_text(json.dumps(told))


def told(out):
    return json.loads(out.with_suffix(".json").read_text())


@pytest.fixture(scope="module")
def processes():
    return Processes()


@pytest.fixture(scope="module")
def undisturbed(processes, phantom_cache, tmp_path_factory):
    """The artifact of a training nothing happened to, and how long that took in seconds."""
    out = tmp_path_factory.mktemp("undisturbed") / MODEL
    return out, stopwatch(processes.run, train_elsewhere, phantom_cache.folder, out)


def assert_same(out, expected):
    assert artifacts.read_facts(out).weights_sha256 == artifacts.read_facts(expected).weights_sha256
    for name in (artifacts.WEIGHTS, artifacts.PREDICTIONS, artifacts.METRICS):
        assert (out / name).read_bytes() == (expected / name).read_bytes()
    histories = [
        artifacts.read_history(folder).drop(columns="seconds") for folder in (out, expected)
    ]
    pd.testing.assert_frame_equal(*histories)
    assert sorted(path.name for path in out.iterdir()) == sorted(artifacts.FILES)


def with_an_earlier_artifact(out):
    out.mkdir()
    for name in artifacts.FILES:
        (out / name).write_bytes(OLD)
    return out


def epochs_kept(out):
    if not (out / CHECKPOINT).exists():
        return 0
    with np.load(out / CHECKPOINT) as arrays:
        return len(json.loads(str(arrays["notes"]))["history"])


def test_killed_at_random_moments_it_goes_on_where_it_was(
    processes, undisturbed, phantom_cache, tmp_path
):
    expected, seconds = undisturbed
    moments, kept = RandomMoments(processes, seconds, seed=4), 0
    while moments.kills < (ROUNDS or 2):
        out = tmp_path / f"training{moments.ends}"
        if not out.exists():
            with_an_earlier_artifact(out)
        if moments.run(train_elsewhere, phantom_cache.folder, out):
            assert_same(out, expected)
            kept = 0
            continue
        # An epoch that was finished stays so, and the earlier artifact is whole or gone.
        assert epochs_kept(out) >= kept
        kept = epochs_kept(out)
        if (out / artifacts.FACTS).exists():
            found = {(out / name).read_bytes() == OLD for name in artifacts.FILES}
            assert len(found) == 1
    processes.run(train_elsewhere, phantom_cache.folder, out)
    assert_same(out, expected)
    print("train", moments)


def test_on_a_full_disk_it_says_so_and_goes_on_once_there_is_space(
    processes, undisturbed, phantom_cache, tmp_path
):
    expected, _ = undisturbed
    needed = told(expected)
    for number, free in enumerate(np.random.default_rng(5).integers(needed, size=ROUNDS or 1)):
        out = with_an_earlier_artifact(tmp_path / f"training{number}")
        processes.run(train_elsewhere, phantom_cache.folder, out, int(free))
        again = "with --resume to go on" if epochs_kept(out) else "again"
        remedy = f"(No space left on device): free some disk space and run the same command {again}"
        assert remedy in told(out)
        assert (out / artifacts.PREDICTIONS).read_bytes() == OLD
        processes.run(train_elsewhere, phantom_cache.folder, out)
        assert_same(out, expected)
    print(f"train ran out of disk space {number + 1} times")


def test_a_folder_that_cannot_be_written_is_told_before_training(phantom_cache, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match=r"unfinished cannot be written \(Not a directory\)"):
        train(MODEL, PRESET, phantom_cache, tmp_path / "file" / "out")
