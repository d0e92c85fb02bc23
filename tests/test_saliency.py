"""Both checks from a folder of radiographs to the tables, with the tiny models on phantoms."""

from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
import pytest

from boneage import artifacts
from boneage.cli import main
from boneage.datasets.phantoms import draw_phantom
from boneage.explain.gradcam import GradCam
from boneage.explain.occlusion import CONTROL
from boneage.explain.regions import REGIONS

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
    for file in (artifacts.OCCLUSION, artifacts.RANDOMISATION):
        (tiny_artifacts / file).unlink(missing_ok=True)


def test_the_verb_writes_both_tables_of_these_models(images, facts, capsys, monkeypatch):
    # At 32 pixels a map of the tiny models is one cell.
    rng = np.random.default_rng(0)
    monkeypatch.setattr(GradCam, "__call__", lambda *_: rng.random((3, 3)))
    assert main(["saliency", "--images", str(images)]) == 0
    assert "occlusion.csv" in capsys.readouterr().out
    occlusion = artifacts.read_saliency(artifacts.OCCLUSION, facts)
    everyone = occlusion[occlusion["group"] == "all"]
    assert everyone["model"].tolist() == [name for name in MODELS for _ in range(5)]
    assert everyone["region"].tolist() == [*REGIONS, CONTROL] * 2
    assert (everyone["n"] == 4).all()
    randomisation = artifacts.read_saliency(artifacts.RANDOMISATION, facts)
    assert randomisation["model"].tolist() == [name for name in MODELS for _ in range(6)]
    assert (randomisation["n"] == 4).all()
    assert randomisation["similarity"].between(-1, 1).all()


def test_a_model_whose_maps_show_nothing_gets_one_sentence(images, facts, capsys, monkeypatch):
    monkeypatch.setattr(GradCam, "__call__", lambda *_: np.zeros((3, 3)))
    assert main(["saliency", "--images", str(images)]) == 2
    assert "is even on these radiographs" in capsys.readouterr().err
    assert artifacts.read_saliency(artifacts.OCCLUSION, facts).empty


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
    assert artifacts.read_saliency(artifacts.RANDOMISATION, facts).empty


def test_a_folder_without_validation_images_gets_one_sentence(tmp_path, facts, capsys):
    assert main(["saliency", "--images", str(tmp_path)]) == 2
    assert "none of the models' validation radiographs" in capsys.readouterr().err
