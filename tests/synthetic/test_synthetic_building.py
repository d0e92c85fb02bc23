"""From radiographs to models: which are taken, how they are brought together, what is written."""

import cv2
import numpy as np
import pandas as pd
import pytest
from made_up_atlas import write_atlas

from boneage.artifacts import ArtifactError
from boneage.atlas import standards
from boneage.cli import main
from boneage.datasets.cache import Cache, CacheError
from boneage.datasets.phantoms import make_phantom
from boneage.errors import BoneAgeError
from boneage.radiographs.preprocessing import Preprocessing
from boneage.synthetic import building, evaluation, files, hands
from boneage.synthetic.building import Settings, build_models, find_groups, find_others
from boneage.synthetic.model import HandModel
from boneage.synthetic.registering import SCALE, register


def manifest_of(ages, **changes):
    table = pd.DataFrame({"reference_months": np.asarray(ages, float)})
    table["id"] = [str(number) for number in range(len(table))]
    table["contrast"] = 50.0 + np.arange(len(table)) / 100
    return table.assign(**dict(split="train", sex="female", crop_method="mediapipe") | changes)


def test_a_group_is_of_one_sex_and_year_and_never_of_test_images():
    manifest = pd.concat(
        [
            manifest_of([60] * 30 + [57] * 30 + [65] * 60),
            manifest_of([60] * 60, split="test"),
            manifest_of([60] * 60, crop_method="segmentation"),
            manifest_of([60] * 39, sex="male"),  # too few
            manifest_of([66] * 45),
        ],
        ignore_index=True,
    )
    groups = find_groups(manifest, Settings(per_group=50, least_contrast=0))
    assert set(groups) == {("female", 60), ("female", 72)}
    ages = manifest["reference_months"].to_numpy()[groups["female", 60]]
    assert (ages == 60).sum() == 30
    assert (ages == 57).sum() == 20  # the closest are taken first
    assert groups["female", 60].max() < 120
    assert len(groups["female", 72]) == 45


def test_the_contrast_of_a_group_is_good_where_there_are_enough():
    manifest = manifest_of([60] * 100)
    groups = find_groups(manifest, Settings(per_group=60, least_contrast=0.25))
    assert groups["female", 60].min() >= 25


def test_others_are_of_the_same_year_and_in_no_group():
    manifest = pd.concat(
        [manifest_of([60] * 70), manifest_of([60] * 20, split="test"), manifest_of([72] * 41)],
        ignore_index=True,
    )
    groups, others = (find(manifest, Settings(per_group=50)) for find in (find_groups, find_others))
    assert len(others["female", 60]) == 20
    assert others["female", 60].max() < 70
    assert not set(others["female", 60]) & set(groups["female", 60])
    assert len(others["female", 72]) == 0  # all are in the group


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    return write_atlas(tmp_path_factory.mktemp("atlas"), ages=(120,))


def test_registered_hands_lie_on_the_standard(atlas):
    standard = standards.standard("female", 120, atlas)
    phantoms = [make_phantom(120, "female", seed=seed, height=640) for seed in (2, 3, 4)]
    images = [phantom.pixels for phantom in phantoms]
    points = [phantom.landmarks for phantom in phantoms]
    images.append(np.ascontiguousarray(images[0][:, ::-1]))  # a right hand
    points.append(points[0] * [-1, 1] + [images[0].shape[1] - 1, 0])
    views, displacements, alike = register(images, np.array(points), standard)
    assert views.shape == (4, 320, 256)
    assert displacements.shape == (4, 40, 32, 2)
    assert alike.dtype == bool
    half = cv2.resize(standard.image, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_AREA)
    for view in views:
        assert np.corrcoef(view.ravel(), half.ravel())[0, 1] > 0.9
    assert np.array_equal(views[0], views[3])
    assert np.abs(displacements[:3]).max() > 1  # each is bent in its own way


def a_model():
    rng = np.random.default_rng(0)
    mean = np.zeros((320, 256), np.float32)
    mean[60:, 60:200] = 200
    return HandModel(
        mean,
        rng.normal(0, 0.5, (1, 1, 1, 2)).astype(np.float32) * np.ones((2, 40, 32, 1), np.float32),
        rng.normal(0, 2, (2, 80, 64)).astype(np.float32),
        rng.normal(0, 9, (2, 320, 256)).astype(np.float32),
    )


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """A cache of two groups, and models that are made at once; `.fitted` lists for which groups."""
    manifest = manifest_of([60] * 45 + [72] * 45)
    source = Cache(tmp_path, np.empty(0), manifest, Preprocessing(size=640), "a fingerprint")
    monkeypatch.setattr(building, "open_cache", lambda _: source)
    fitted = []

    def fit(_, todo, workers, atlas):
        for key, rows in todo.items():
            fitted.append(key)
            yield key, rows, (rows[3:], a_model())

    monkeypatch.setattr(building, "_fitted", fit)
    return fitted


def test_a_build_writes_its_groups_and_goes_on(cache, tmp_path, atlas):
    folder = tmp_path / "built"
    groups = build_models("cache", folder, Settings(), progress=False, atlas=atlas)
    assert groups["months"].tolist() == [60, 72]
    assert groups["n"].tolist() == [42, 42]
    assert groups["dropped"].tolist() == [3, 3]
    readme = (folder / files.README).read_text()
    assert "2 groups of 42 to 42 hand radiographs" in readme
    assert "RSNA Pediatric Bone Age Challenge" in readme
    hand = hands.synthetic_hand("female", 70, seed=3, root=folder)
    assert hand.bone_age_months == 72
    assert hand.n == 42

    # Not evaluated yet, all of them are cases.
    assert evaluation.read_predictions(folder).empty
    assert len(evaluation.accepted_cases(folder)) == 2 * evaluation.PER_GROUP

    (folder / "female-072.npz").unlink()
    (folder / "male-024.npz").write_bytes(b"of another build")
    build_models("cache", folder, Settings(), progress=False, atlas=atlas)
    assert cache == [("female", 60), ("female", 72), ("female", 72)]
    assert sorted(path.name for path in folder.glob("*.npz")) == [
        "female-060.npz", "female-072.npz",
    ]  # fmt: skip
    build_models("cache", folder, Settings(seed=1), progress=False, atlas=atlas)
    assert len(cache) == 5  # other settings, another build


def test_the_command_builds(cache, tmp_path, capsys):
    assert main(["synthetic", "--cache", "c", "--out", str(tmp_path / "built")]) == 0
    assert "2 groups of 42 to 42 hands in " in capsys.readouterr().out


def test_a_build_that_cannot_be_says_why(cache, tmp_path, atlas, monkeypatch):
    with pytest.raises(BoneAgeError, match="at least 40 radiographs, so 20 per group are too few"):
        build_models("cache", tmp_path, Settings(per_group=20), atlas=atlas)
    small = Cache(tmp_path, np.empty(0), manifest_of([60]), Preprocessing(size=256), "f")
    monkeypatch.setattr(building, "open_cache", lambda _: small)
    with pytest.raises(CacheError, match="are 256 px, too small for synthetic hands"):
        build_models("cache", tmp_path, atlas=atlas)
    few = Cache(tmp_path, np.empty(0), manifest_of([60] * 39), Preprocessing(size=640), "f")
    monkeypatch.setattr(building, "open_cache", lambda _: few)
    with pytest.raises(CacheError, match="has 40 radiographs: prepare more"):
        build_models("cache", tmp_path, progress=False, atlas=atlas)


def test_damaged_models_are_told(cache, tmp_path, atlas):
    with pytest.raises(ArtifactError, match="groups.csv"):
        hands.groups(tmp_path)
    build_models("cache", tmp_path / "built", progress=False, atlas=atlas)
    with pytest.raises(ArtifactError, match="no models of synthetic hands of boys"):
        hands.synthetic_hand("male", 60, 0, tmp_path / "built")
    (tmp_path / "built" / "female-060.npz").write_bytes(b"nothing")
    with pytest.raises(ArtifactError, match=r"female-060\.npz is missing or damaged"):
        hands.synthetic_hand("female", 60, 0, tmp_path / "built")
