"""Standards of drawn hands by the way that makes the published ones."""

from functools import partial

import cv2
import numpy as np
import pandas as pd
import pytest

from boneage.atlas import building, files, standards
from boneage.atlas.building import Settings, build_atlas, find_groups
from boneage.atlas.landmarks import landmarks_on
from boneage.datasets.cache import CacheError, build_cache, open_cache
from boneage.datasets.phantoms import draw_phantom
from boneage.errors import BoneAgeError
from boneage.radiographs.preprocessing import Preprocessing, prepare

AGES = (48, 132)
N = 25  # a few more than a standard needs, as some are dropped


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Drawn girls' hands of three ages, prepared as for an atlas."""
    root = tmp_path_factory.mktemp("drawn")
    rows = []
    for age in AGES:
        for number in range(N):
            path = root / f"{age}-{number}.png"
            pixels = draw_phantom(age, "female", seed=1000 * age + number, height=640)
            cv2.imwrite(str(path), pixels)
            rows.append((path.stem, "train", "female", float(age), path))
    cases = pd.DataFrame(rows, columns=["id", "split", "sex", "reference_months", "path"])
    build_cache(cases, root / "cache", Preprocessing(size=640), workers=1, progress=False)
    return root / "cache"


@pytest.fixture(scope="module")
def averages(cache):
    """What `_averaged` yields for this cache, with two workers."""
    source = open_cache(cache)
    each = partial(building._on_processes, 2)
    return list(building._averaged(source, find_groups(source.manifest, Settings()), each))


@pytest.fixture(scope="module")
def atlas(cache, averages, tmp_path_factory):
    folder = tmp_path_factory.mktemp("built") / "atlas"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "_averaged", lambda *_: iter(averages))
        build_atlas(cache, folder, progress=False)
    return folder


def test_there_is_a_standard_of_every_age_and_it_says_what_it_is_made_of(atlas):
    table = standards.table(atlas)
    assert list(table["months"]) == list(AGES)
    assert list(table["mean_age_months"]) == list(AGES)
    assert (table["n"] + table["dropped"] == N).all()
    assert (table["n"] >= 20).all()
    assert (table["sharpness"] > 1.5 * table["sharpness_before"]).all()
    standard = standards.standard("female", AGES[0], atlas)
    assert standard.image.shape == (640, 512)
    assert standard.spread.shape == (320, 256)
    assert f"Average of {standard.n} radiographs" in standard.caption
    readme = (atlas / files.README).read_text()
    assert "lists 2 standards" in readme
    assert "RSNA Pediatric Bone Age Challenge" in readme


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize("seed", (1, 2))
def test_a_standard_of_one_age_predicts_that_ages_drawing(atlas, age, seed):
    """A drawing that no standard is made of looks most like the standard of its age."""
    hand = prepare(draw_phantom(age, "female", seed, height=640), Preprocessing(size=512))
    comparison = standards.compare("female", hand.image, landmarks_on(hand), atlas)
    assert comparison["months"].iloc[0] == age
    assert comparison["similarity"].iloc[0] > comparison["similarity"].iloc[1] + 0.01
    assert standards.similarity_estimate(comparison) == pytest.approx(age, abs=6)


@pytest.mark.slow
def test_a_stopped_build_goes_on_and_ends_with_the_same_standards(
    atlas, averages, cache, tmp_path, monkeypatch
):
    folder = tmp_path / "atlas"
    write, averaged, made = files.write_tables, building._averaged, []

    def stop_after_the_first(*args):
        write(*args)
        raise KeyboardInterrupt

    def counted(source, todo, each):
        made.extend(todo)
        return averaged(source, todo, each)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(building, "_averaged", lambda *_: iter(averages))
        patch.setattr(files, "write_tables", stop_after_the_first)
        build_atlas(cache, folder, progress=False)
    assert list(files.read_standards(folder)["months"]) == [48]
    (folder / "female-012.webp").write_bytes(b"of an older atlas")

    # One worker computes the rest, to the same as two did for `atlas`.
    monkeypatch.setattr(building, "_averaged", counted)
    table = build_atlas(cache, folder, workers=1, progress=False)
    assert made == [("female", 132)]
    pd.testing.assert_frame_equal(table, standards.table(atlas))
    names = {file.name for file in atlas.iterdir()}
    assert {file.name for file in folder.iterdir()} == names
    assert all((folder / name).read_bytes() == (atlas / name).read_bytes() for name in names)


def test_a_standard_is_of_half_a_year_without_test_images_and_hands_found_by_no_landmarks():
    manifest = pd.DataFrame(
        {
            "id": [str(number) for number in range(100)],
            "split": ["train"] * 80 + ["test"] * 20,
            "sex": "male",
            "reference_months": [62.9] * 30 + [63.0] * 50 + [60.0] * 20,
            "crop_method": ["mediapipe"] * 70 + ["segmentation"] * 10 + ["mediapipe"] * 20,
            "contrast": np.arange(100.0),
        }
    )
    groups = find_groups(manifest, Settings(per_standard=25))
    assert {key: len(rows) for key, rows in groups.items()} == {("male", 60): 25, ("male", 66): 25}
    assert groups["male", 60].max() < 30
    assert groups["male", 66].min() >= 30
    assert groups["male", 66].max() < 70
    # Those of the lowest contrast are left out, where enough remain.
    assert groups["male", 66].min() >= 40
    assert list(find_groups(manifest[:49], Settings())) == [("male", 60)]  # 19 are too few


def test_too_few_radiographs_a_standard_are_refused_before_any_work(cache, tmp_path):
    with pytest.raises(
        BoneAgeError, match="at least 20 radiographs, so 5 per standard are too few"
    ):
        build_atlas(cache, tmp_path / "atlas", Settings(per_standard=5))


def test_a_cache_too_small_or_with_too_few_hands_is_refused_in_a_sentence(cache, tmp_path):
    manifest = open_cache(cache).manifest
    few = manifest[manifest["reference_months"] == AGES[0]].head(3)
    images = [cache.parent / f"{name}.png" for name in few["id"]]
    cases = few[["id", "split", "sex", "reference_months"]].assign(path=images)
    for size, said in ((256, "256 px, too small.*--size 640"), (640, "No sex and half year.* 20 ")):
        build_cache(cases, tmp_path / str(size), Preprocessing(size=size), 1, progress=False)
        with pytest.raises(CacheError, match=said):
            build_atlas(tmp_path / str(size), tmp_path / "atlas", workers=1, progress=False)
    with pytest.raises(CacheError, match="does not exist; run"):
        build_atlas(tmp_path / "none", tmp_path / "atlas", workers=1, progress=False)
    assert not (tmp_path / "atlas").exists()
