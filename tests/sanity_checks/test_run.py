"""Both checks from a folder of radiographs to the tables, with the tiny models on phantoms."""

import shutil
from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
import pytest

from boneage import artifacts
from boneage.cli import main
from boneage.datasets.phantoms import draw_phantom
from boneage.errors import BoneAgeError
from boneage.inference.predictor import Predictor
from boneage.radiographs import preprocessing
from boneage.radiographs.preprocessing import to_model_input
from boneage.radiographs.reading import read_radiograph
from boneage.sanity_checks.occlusion import occlude
from boneage.sanity_checks.randomization import Randomization
from boneage.sanity_checks.regions import REGIONS, bone_regions
from boneage.sanity_checks.run import check_saliency
from boneage.training.export import export_artifact

MODELS = ["tiny_densenet", "tiny_resnet_cbam"]


@pytest.fixture
def images(tmp_path):
    """Phantoms for the validation cases of the tiny artifacts: ids 4 to 7."""
    for number in range(4, 8):
        age = 40 + 20 * number
        sex = ("female", "male")[number % 2]
        cv2.imwrite(str(tmp_path / f"{number}.png"), draw_phantom(age, sex, seed=2))
    return tmp_path


@pytest.fixture
def facts(tiny_artifacts):
    yield {name: artifacts.read_facts(artifacts.model_folder(name)) for name in MODELS}
    for file in (artifacts.OCCLUSION, artifacts.RANDOMIZATION):
        (tiny_artifacts / file).unlink(missing_ok=True)


def test_the_verb_writes_both_tables_of_these_models(images, facts, capsys, monkeypatch):
    # At 32 pixels a map of the tiny models is one cell.
    rng = np.random.default_rng(0)
    monkeypatch.setattr(Randomization, "_gradcam", lambda *_: rng.random((3, 3)))
    assert main(["saliency", "--images", str(images)]) == 0
    assert "occlusion.csv" in capsys.readouterr().out
    occlusion = artifacts.read_saliency(artifacts.OCCLUSION, facts)
    everyone = occlusion[occlusion["group"] == "all"]
    assert everyone["model"].tolist() == [name for name in MODELS for _ in range(4)]
    assert everyone["region"].tolist() == [*REGIONS] * 2
    assert (everyone["n"] == 4).all()
    randomization = artifacts.read_saliency(artifacts.RANDOMIZATION, facts)
    assert randomization["model"].tolist() == [name for name in MODELS for _ in range(6)]
    assert (randomization["n"] == 4).all()
    assert randomization["similarity"].between(-1, 1).all()


def test_a_model_whose_maps_show_nothing_gets_one_sentence(images, facts, capsys, monkeypatch):
    monkeypatch.setattr(Randomization, "_gradcam", lambda *_: np.zeros((3, 3)))
    assert main(["saliency", "--images", str(images)]) == 2
    assert "is even on these radiographs" in capsys.readouterr().err
    assert artifacts.read_saliency(artifacts.OCCLUSION, facts).empty


def test_both_checks_are_of_the_answer_that_is_shown(images, facts, tmp_path, monkeypatch):
    """The mean over the mirror image, in the direction that the page shows for all models."""
    name, region = "tiny_resnet_cbam", "phalanges"
    root = shutil.copytree(artifacts.artifacts_root(), tmp_path / "artifacts")
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(root))
    folder = artifacts.model_folder(name)
    artifacts.write_facts(folder, replace(facts[name], mirrored=True))
    export_artifact(folder)
    seen, rng = [], np.random.default_rng(0)

    def gradcam(self, image, sex, direction):
        seen.append((self._model.name, self._mirrored, direction))
        return rng.random((3, 3))

    monkeypatch.setattr(Randomization, "_gradcam", gradcam)
    occlusion, _ = check_saliency(images)
    predictor = Predictor()
    model, _ = artifacts.load_model(folder)
    changes, directions = [], []
    for number in range(4, 8):
        sex = ("female", "male")[number % 2]
        hands = predictor.prepare(read_radiograph(images / f"{number}.png"))
        means = predictor.predict_prepared([hands], [sex])
        directions.append("raises" if np.mean(list(means.values())) >= 127 else "lowers")
        hidden = occlude(hands[name].image, bone_regions(hands[name])[region])
        each = to_model_input(np.stack([hands[name].image, hidden]), 32)
        male = np.full((4, 1), sex == "male", np.float32)
        readings = np.concatenate([each, each[:, :, ::-1]])
        months = np.asarray(model.predict_on_batch([readings, male])).reshape(2, 2).mean(axis=0)
        changes.append(abs(months[1] - months[0]))
    row = occlusion.query("group == 'all' and model == @name and region == @region")
    assert row["change"].item() == pytest.approx(np.mean(changes), abs=1e-3)
    assert {(model, mirrored) for model, mirrored, _ in seen} == {
        ("tiny_densenet", False),
        (name, True),
    }
    assert {direction for *_, direction in seen} == set(directions)


@pytest.mark.parametrize(
    "change", [{"weights_sha256": "0" * 64}, {"build": {"output_scale": 45.0}}]
)
def test_results_on_another_model_are_left_out(facts, change):
    digests = artifacts.fingerprints(facts)
    table = pd.DataFrame({"model": MODELS, "model_sha256": map(digests.get, MODELS), "n": 1})
    artifacts.write_saliency(artifacts.OCCLUSION, table)
    same = facts | {MODELS[0]: replace(facts[MODELS[0]], training_note="Another.")}
    assert artifacts.read_saliency(artifacts.OCCLUSION, same)["model"].tolist() == MODELS
    newer = facts | {MODELS[0]: replace(facts[MODELS[0]], **change)}
    assert artifacts.read_saliency(artifacts.OCCLUSION, newer)["model"].tolist() == MODELS[1:]
    assert artifacts.read_saliency(artifacts.RANDOMIZATION, facts).empty


def test_results_on_images_prepared_otherwise_are_left_out(facts, monkeypatch):
    digests = artifacts.fingerprints(facts)
    table = pd.DataFrame({"model": MODELS, "model_sha256": map(digests.get, MODELS), "n": 1})
    artifacts.write_saliency(artifacts.OCCLUSION, table)
    version = preprocessing.PREPROCESSING_VERSION
    monkeypatch.setattr(preprocessing, "PREPROCESSING_VERSION", version + 1)
    assert artifacts.read_saliency(artifacts.OCCLUSION, facts).empty


def test_a_damaged_file_is_left_out_and_named(images, facts, monkeypatch, caplog):
    rng = np.random.default_rng(0)
    monkeypatch.setattr(Randomization, "_gradcam", lambda *_: rng.random((3, 3)))
    (images / "5.png").write_bytes(b"not an image")
    occlusion, randomization = check_saliency(images, progress=False)
    assert set(randomization["n"]) == set(occlusion.query("group == 'all'")["n"]) == {3}
    assert [said[:32] for said in caplog.messages] == ["1 of 4 radiographs left out: 5 ("]
    for number in range(4, 8):
        (images / f"{number}.png").write_bytes(b"not an image")
    with pytest.raises(BoneAgeError, match="can be read"):
        check_saliency(images, progress=False)


def test_a_folder_without_validation_images_gets_one_sentence(tmp_path, facts, capsys):
    assert main(["saliency", "--images", str(tmp_path)]) == 2
    assert "none of the models' validation radiographs" in capsys.readouterr().err
