import dataclasses
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest

from boneage.datasets import cache as cache_module
from boneage.datasets.cache import CacheError, build_cache, open_cache
from boneage.radiographs import preprocessing
from boneage.radiographs.preprocessing import Preprocessing
from boneage.radiographs.reading import UnreadableRadiograph, read_radiograph

REPOSITORY = Path(__file__).parents[2]
SMALL = Preprocessing(size=16)
SPLITS = ["train", "validation", "test"]


def fill_with_mean(pixels, parameters):
    """Stands in for `prepare`: quick, and tells the radiograph apart by its brightness."""
    image = np.full((parameters.size, parameters.size), round(pixels.mean()), np.uint8)
    hand = SimpleNamespace(method="full_frame")
    return SimpleNamespace(image=image, hand=hand, contrast=pixels.std())


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(cache_module, "prepare", fill_with_mean)


def brightness(i: int) -> int:
    """Mean gray level of radiograph i after reading, which spreads its contrast over 0 to 255."""
    return round(255 * (i + 1) * 5 / 128)


def draw(i: int) -> np.ndarray:
    """A bright bar, wider for every i."""
    image = np.full((80, 128), 50, np.uint8)
    image[:, 32 : 32 + 5 * (i + 1)] = 200
    return image


def write_cases(folder: Path, n: int = 12) -> pd.DataFrame:
    """n radiographs whose mean brightness is `brightness(i)` once they have been read."""
    folder.mkdir(exist_ok=True)
    rows = []
    for i in range(n):
        path = folder / f"{i}.png"
        cv2.imwrite(str(path), draw(i))
        sex = "male" if i % 2 else "female"
        rows.append((str(i), SPLITS[i % 3], sex, 10.1 + i, path))
    return pd.DataFrame(rows, columns=["id", "split", "sex", "reference_months", "path"])


def build(cases, folder, **options):
    options = {"parameters": SMALL, "workers": 1, "progress": False} | options
    return build_cache(cases, folder, **options)


def test_row_i_of_the_manifest_describes_image_i(tmp_path, quick):
    cases = write_cases(tmp_path / "radiographs")
    cache = build(cases, tmp_path / "cache")
    assert cache.images.shape == (12, 16, 16)
    assert cache.images.dtype == np.uint8
    assert [int(image[0, 0]) for image in cache.images] == [brightness(i) for i in range(12)]
    expected = cases.drop(columns="path").assign(crop_method="full_frame")
    manifest = cache.manifest.drop(columns="contrast")
    pd.testing.assert_frame_equal(manifest, expected, check_column_type=False)
    contrast = [read_radiograph(path).pixels.std() for path in cases["path"]]
    assert cache.manifest["contrast"].tolist() == pytest.approx(contrast, abs=0.01)
    assert cache.parameters == SMALL
    assert len(cache.skipped) == 0
    assert cache.split("validation").tolist() == [1, 4, 7, 10]
    assert cache.split("holdout").tolist() == []


def test_a_complete_cache_is_opened_without_work(tmp_path, quick, monkeypatch):
    cases = write_cases(tmp_path / "radiographs")
    first = build(cases, tmp_path / "cache")
    monkeypatch.setattr(cache_module, "read_radiograph", None)
    again = build(cases, tmp_path / "cache")
    assert again.fingerprint == first.fingerprint
    assert open_cache(tmp_path / "cache").fingerprint == first.fingerprint


def test_a_cache_of_an_earlier_version_is_opened(tmp_path, quick, monkeypatch):
    cases = write_cases(tmp_path / "radiographs")
    cache = build(cases, tmp_path / "cache")
    path = tmp_path / "cache" / "manifest.csv"
    text = path.read_text().replace("reference_months", "age_months", 1)
    path.write_text(text)
    digest = hashlib.sha256(json.dumps(dataclasses.asdict(SMALL), sort_keys=True).encode())
    digest.update(text.encode() + cache.images.tobytes())
    assert cache.fingerprint == digest.hexdigest()
    monkeypatch.setattr(cache_module, "read_radiograph", None)
    again = build(cases, tmp_path / "cache")
    pd.testing.assert_frame_equal(again.manifest, cache.manifest)


def test_the_fingerprint_follows_pixels_labels_and_parameters(tmp_path, quick):
    cases = write_cases(tmp_path / "radiographs")
    original = build(cases, tmp_path / "a").fingerprint
    assert build(cases, tmp_path / "b").fingerprint == original
    older = cases.assign(reference_months=cases["reference_months"] + 1)
    assert build(older, tmp_path / "c").fingerprint != original
    otherwise = Preprocessing(size=16, margin=0.2)
    assert build(cases, tmp_path / "d", parameters=otherwise).fingerprint != original
    cv2.imwrite(str(cases["path"][3]), draw(11))
    assert build(cases, tmp_path / "e").fingerprint != original


def test_unusable_images_are_skipped_and_listed(tmp_path, quick, caplog):
    cases = write_cases(tmp_path / "radiographs")
    cases["path"] = cases["path"].astype(object)
    cases.loc[2, "path"] = None
    cases["path"][5].write_bytes(b"no image")
    cases["path"][9].unlink()
    cache = build(cases, tmp_path / "cache")
    assert cache.manifest["id"].tolist() == ["0", "1", "3", "4", "6", "7", "8", "10", "11"]
    assert [int(image[0, 0]) for image in cache.images] == [
        brightness(int(id_)) for id_ in cache.manifest["id"]
    ]
    assert cache.skipped["id"].tolist() == ["2", "5", "9"]
    assert cache.skipped["split"].tolist() == ["test", "test", "train"]
    assert cache.skipped["reason"][0] == "no image file"
    assert (cache.skipped["reason"].str.len() > 0).all()
    assert "3 of 12 cases skipped" in caplog.text


def test_a_surprise_in_one_image_does_not_stop_the_rest(tmp_path, monkeypatch):
    def fails_once(pixels, parameters):
        if round(pixels.mean()) == brightness(4):
            raise ZeroDivisionError("a hand of no width")
        return fill_with_mean(pixels, parameters)

    monkeypatch.setattr(cache_module, "prepare", fails_once)
    cache = build(write_cases(tmp_path / "radiographs"), tmp_path / "cache")
    assert cache.skipped["reason"].tolist() == ["ZeroDivisionError: a hand of no width"]


def test_without_any_usable_image_there_is_no_cache(tmp_path, quick):
    cases = write_cases(tmp_path / "radiographs", n=3)
    contents = [path.read_bytes() for path in cases["path"]]
    for path in cases["path"]:
        path.write_bytes(b"no image")
    with pytest.raises(CacheError, match="None of the 3 cases has a readable image; the first, 0"):
        build(cases, tmp_path / "cache")
    for path, content in zip(cases["path"], contents, strict=True):
        path.write_bytes(content)
    assert len(build(cases, tmp_path / "cache").images) == 3


@pytest.mark.parametrize("unreadable", [[], [1, 6]])
@pytest.mark.parametrize("stop_at", [0, 1, 7, 11])
def test_an_interrupted_build_goes_on(tmp_path, monkeypatch, stop_at, unreadable):
    cases = write_cases(tmp_path / "radiographs")
    for i in unreadable:
        cases["path"][i].write_bytes(b"no image")
    monkeypatch.setattr(cache_module, "prepare", fill_with_mean)
    whole = build(cases, tmp_path / "whole")

    read, calls = cache_module.read_radiograph, []

    def interrupted(path):
        if len(calls) == stop_at:
            raise KeyboardInterrupt
        calls.append(path)
        return read(path)

    monkeypatch.setattr(cache_module, "read_radiograph", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build(cases, tmp_path / "cache")
    with pytest.raises(CacheError, match="is not finished"):
        open_cache(tmp_path / "cache")

    def counted(path):
        calls.append(path)
        return read(path)

    monkeypatch.setattr(cache_module, "read_radiograph", counted)
    resumed = build(cases, tmp_path / "cache")
    assert len(calls) == len(cases)  # nothing is prepared twice
    assert resumed.fingerprint == whole.fingerprint
    assert (tmp_path / "cache" / "skipped.csv").read_bytes() == (
        tmp_path / "whole" / "skipped.csv"
    ).read_bytes()


def test_torn_files_of_a_killed_build_are_mended(tmp_path, quick, monkeypatch):
    cases = write_cases(tmp_path / "radiographs")
    cases["reference_months"] = 168.93 / 7  # needs every digit
    whole = build(cases, tmp_path / "whole")
    assert whole.manifest["reference_months"].tolist() == cases["reference_months"].tolist()

    def killed(*_):
        raise KeyboardInterrupt

    folder = tmp_path / "cache"
    monkeypatch.setattr(cache_module, "_finish", killed)
    with pytest.raises(KeyboardInterrupt):
        build(cases, folder)
    monkeypatch.undo()
    monkeypatch.setattr(cache_module, "prepare", fill_with_mean)
    with (folder / "images.partial.npy").open("r+b") as images:
        images.truncate(images.seek(0, os.SEEK_END) - 300)  # the last image, and part of another
    with (folder / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"crop_me')
    assert build(cases, folder).fingerprint == whole.fingerprint


@pytest.mark.parametrize("step", ["_fingerprint", "replace_file"])
def test_a_kill_while_finishing_loses_nothing(tmp_path, quick, monkeypatch, step):
    cases = write_cases(tmp_path / "radiographs")
    original = getattr(cache_module, step)

    def killed(*arguments):
        if step == "_fingerprint" or arguments[0].name == "cache.json":
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(cache_module, step, killed)
    with pytest.raises(KeyboardInterrupt):
        build(cases, tmp_path / "cache")
    monkeypatch.setattr(cache_module, step, original)
    monkeypatch.setattr(cache_module, "read_radiograph", None)  # any new preparation would fail
    assert len(build(cases, tmp_path / "cache").images) == 12


def test_a_killed_process_loses_at_most_the_image_in_work(tmp_path):
    cases = write_cases(tmp_path / "radiographs")
    cases.to_pickle(tmp_path / "cases.pickle")
    script = f"""
import sys, time
import pandas as pd
sys.path.insert(0, {str(REPOSITORY / "tests" / "datasets")!r})
from test_cache import build, cache_module, fill_with_mean

def slow(pixels, parameters):
    time.sleep(0.05)
    return fill_with_mean(pixels, parameters)

cache_module.prepare = slow
build(pd.read_pickle({str(tmp_path / "cases.pickle")!r}), {str(tmp_path / "cache")!r})
"""
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen([sys.executable, "-c", script], env=environment)
    journal = tmp_path / "cache" / "journal.jsonl"
    try:
        deadline = time.monotonic() + 60
        while not journal.exists() or journal.read_bytes().count(b"\n") < 4:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = journal.read_bytes().count(b"\n")
    assert 4 <= done < 12

    calls = []

    def counted(pixels, parameters):
        calls.append(1)
        return fill_with_mean(pixels, parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache_module, "prepare", counted)
        cache = build(cases, tmp_path / "cache")
    assert len(calls) == 12 - done
    assert [int(image[0, 0]) for image in cache.images] == [brightness(i) for i in range(12)]


def prepare_quickly(parameters, path):
    """Stands in for `_prepare_one` in other processes, which a monkeypatched `prepare` does not
    reach; the first cases take longest, so that later ones are ready before them."""
    time.sleep(max(0, 6 - int(Path(path).stem)) * 0.02)
    try:
        pixels = cache_module.read_radiograph(path).pixels
    except UnreadableRadiograph as error:
        return None, {"skipped": str(error)}
    contrast = round(float(pixels.std()), 2)
    image = fill_with_mean(pixels, parameters).image
    return image, {"crop_method": "full_frame", "contrast": contrast}


def test_several_processes_give_the_same_cache_as_one(tmp_path, quick, monkeypatch):
    cases = write_cases(tmp_path / "radiographs")
    cases["path"][3].write_bytes(b"no image")
    alone = build(cases, tmp_path / "alone")
    monkeypatch.setattr(cache_module, "_prepare_one", prepare_quickly)
    together = build(cases, tmp_path / "together", workers=2)
    assert together.fingerprint == alone.fingerprint
    assert together.skipped["id"].tolist() == ["3"]


def end_the_process(parameters, path):
    os._exit(1)


def test_a_process_that_ends_unexpectedly_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(cache_module, "_prepare_one", end_the_process)
    with pytest.raises(CacheError, match="ended unexpectedly.*run the same command again"):
        build(write_cases(tmp_path / "radiographs"), tmp_path / "cache", workers=2)


def test_other_parameters_are_refused_by_name(tmp_path, quick):
    cases = write_cases(tmp_path / "radiographs")
    build(cases, tmp_path / "cache")
    other = Preprocessing(size=32, margin=0.5)
    words = r"prepared with margin 0\.08 instead of 0\.5, size 16 instead of 32; choose another"
    with pytest.raises(CacheError, match=words):
        build(cases, tmp_path / "cache", parameters=other)
    with pytest.raises(CacheError, match=words):
        open_cache(tmp_path / "cache", other)


def test_images_of_another_version_of_the_preprocessing_are_refused(tmp_path, quick, monkeypatch):
    cases = write_cases(tmp_path / "radiographs")
    build(cases, tmp_path / "cache")
    with monkeypatch.context() as patch:
        patch.setattr(preprocessing, "PREPROCESSING_VERSION", 999)
        for use in (open_cache, lambda folder: build(cases, folder)):
            with pytest.raises(CacheError, match="prepared by another version.*prepare it again"):
                use(tmp_path / "cache")
    # Caches of earlier versions do not say; they are of the first.
    path = tmp_path / "cache" / "cache.json"
    facts = json.loads(path.read_text())
    del facts["preprocessing_version"]
    path.write_text(json.dumps(facts))
    assert len(open_cache(tmp_path / "cache").images) == 12
    monkeypatch.setattr(preprocessing, "PREPROCESSING_VERSION", 2)
    with pytest.raises(CacheError, match="another version"):
        open_cache(tmp_path / "cache")


def test_other_cases_are_refused_also_by_an_unfinished_cache(tmp_path, quick, monkeypatch):
    cases = write_cases(tmp_path / "radiographs")
    build(cases, tmp_path / "cache")
    with pytest.raises(CacheError, match=r"another table of 12 cases \(this one has 11\)"):
        build(cases[1:], tmp_path / "cache")

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cache_module, "_finish", killed)
    with pytest.raises(KeyboardInterrupt):
        build(cases, tmp_path / "unfinished")
    with pytest.raises(CacheError, match="another table"):
        build(cases.assign(sex="male"), tmp_path / "unfinished")


def test_the_radiographs_may_have_moved(tmp_path, quick):
    cases = write_cases(tmp_path / "radiographs")
    first = build(cases, tmp_path / "cache")
    moved = cases.assign(path=[Path("elsewhere") / path.name for path in cases["path"]])
    assert build(moved, tmp_path / "cache").fingerprint == first.fingerprint


@pytest.mark.parametrize("change", ["drop a column", "no rows", "twice"])
def test_impossible_tables_are_refused(tmp_path, quick, change):
    cases = write_cases(tmp_path / "radiographs", n=3)
    table, words = {
        "drop a column": (cases.drop(columns="sex"), "lacks the column sex"),
        "no rows": (cases[:0], "is empty"),
        "twice": (pd.concat([cases, cases[:1]]), "Case 0 occurs more than once"),
    }[change]
    with pytest.raises(CacheError, match=words):
        build(table, tmp_path / "cache")


def test_a_full_disk_is_told_before_and_during_the_work(tmp_path, quick, monkeypatch):
    cases = write_cases(tmp_path / "radiographs")
    with monkeypatch.context() as patch:
        patch.setattr(cache_module.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
        with pytest.raises(CacheError, match="not enough disk space .*: 1 MB are lacking"):
            build(cases, tmp_path / "cache")
    with monkeypatch.context() as patch:

        def full(*_):
            raise OSError(28, "No space left on device")

        patch.setattr(cache_module, "_finish", full)
        with pytest.raises(CacheError, match="not enough disk space"):
            build(cases, tmp_path / "cache")
    assert len(build(cases, tmp_path / "cache").images) == 12


def test_two_builds_in_one_folder_are_refused(tmp_path, quick):
    pytest.importorskip("fcntl")
    cases = write_cases(tmp_path / "radiographs")
    (tmp_path / "cache").mkdir()
    with (
        cache_module._only_build(tmp_path / "cache"),
        pytest.raises(CacheError, match="Another process is building"),
    ):
        build(cases, tmp_path / "cache")


def test_missing_and_damaged_caches_are_refused_in_a_sentence(tmp_path, quick):
    with pytest.raises(CacheError, match="does not exist; run"):
        open_cache(tmp_path / "nowhere")
    folder = tmp_path / "cache"
    build(write_cases(tmp_path / "radiographs"), folder)
    np.save(folder / "images.npy", np.zeros((5, 16, 16), np.uint8))
    with pytest.raises(CacheError, match="should hold 12 images, but has 5"):
        open_cache(folder)
    (folder / "images.npy").write_bytes(b"")
    with pytest.raises(CacheError, match="is damaged"):
        open_cache(folder)
    facts = json.loads((folder / "cache.json").read_text())
    assert facts["n"] == 12
    (folder / "cache.json").write_text("{")
    with pytest.raises(CacheError, match="is damaged"):
        open_cache(folder)


def test_a_file_in_place_of_the_folder(tmp_path, quick):
    (tmp_path / "cache").touch()
    with pytest.raises(CacheError, match="is a file; name a folder"):
        build(write_cases(tmp_path / "radiographs"), tmp_path / "cache")
