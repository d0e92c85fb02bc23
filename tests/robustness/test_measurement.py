import dataclasses
import json
import shutil

import cv2
import pandas as pd
import pytest

from boneage import artifacts
from boneage.cli import main
from boneage.datasets.phantoms import draw_phantom, write_phantoms
from boneage.datasets.rsna import labeled_cases
from boneage.errors import BoneAgeError
from boneage.inference.predictor import Predictor
from boneage.robustness.measurement import measure_robustness
from boneage.robustness.perturbations import CLEAN, PERTURBATIONS

MODELS = {"tiny_densenet", "tiny_resnet_cbam", "ensemble"}


@pytest.fixture(scope="module")
def measured(_tiny_artifacts_folder, tmp_path_factory):
    """The verb on four phantoms, one of which cannot be read: (arguments, the table)."""
    root = tmp_path_factory.mktemp("robustness")
    shutil.copytree(_tiny_artifacts_folder, root / "artifacts")
    images = write_phantoms(root, n_train=0, n_test=4) / "boneage-test-dataset"
    sorted(images.iterdir())[0].write_bytes(b"not an image")
    labels = images.with_suffix(".csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BONEAGE_ARTIFACTS", str(root / "artifacts"))
        arguments = ["--images", str(images), "--labels", str(labels)]
        assert main(["robustness", *arguments]) == 0
        yield arguments, artifacts.read_robustness()


def test_every_model_has_a_row_under_every_perturbation(measured):
    table = measured[1]
    assert set(table["model"]) == MODELS
    assert list(table["perturbation"].unique()) == [CLEAN, *PERTURBATIONS]
    assert len(table) == len(MODELS) * (1 + len(PERTURBATIONS))
    assert (table["n"] == 3).all()
    assert (table["mae_low"] <= table["mae"]).all()


@pytest.mark.parametrize("model", sorted(MODELS))
def test_clean_is_what_evaluate_says(measured, model, capsys):
    arguments, table = measured
    assert main(["evaluate", *arguments, "--model", model, "--json"]) == 1  # one is unreadable
    stated = json.loads(capsys.readouterr().out)["mae"]
    clean = table[(table["perturbation"] == CLEAN) & (table["model"] == model)]
    assert clean["mae"].item() == pytest.approx(stated, rel=1e-3)


def test_a_table_on_another_scale_of_the_output_is_not_read(measured):
    folder = artifacts.model_folder("tiny_densenet")
    facts = artifacts.read_facts(folder)
    changed = dataclasses.replace(facts, build=facts.build | {"output_scale": 45.0})
    try:
        artifacts.write_facts(folder, changed)
        assert artifacts.read_robustness() is None
    finally:
        artifacts.write_facts(folder, facts)
    assert artifacts.read_robustness() is not None


def test_a_table_without_its_models_is_not_read(measured, monkeypatch, tmp_path):
    table = measured[1]
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path))
    assert artifacts.read_robustness() is None
    artifacts.write_robustness(table)
    assert artifacts.read_robustness() is None


def test_a_case_without_an_image_is_named(measured, tmp_path, caplog):
    image = tmp_path / "1.png"
    cv2.imwrite(str(image), draw_phantom(90, "male", seed=1))
    (tmp_path / "labels.csv").write_text("id,boneage,male\n1,99,1\n2,99,1\n")
    cases = labeled_cases(tmp_path, tmp_path / "labels.csv")
    assert set(measure_robustness(Predictor(), cases)["n"]) == {1}
    assert caplog.messages == ["1 of 2 radiographs left out: 2 (no image file)"]


def test_without_a_readable_image_there_is_no_table(measured, tmp_path):
    broken = tmp_path / "1.png"
    broken.write_bytes(b"not an image")
    cases = pd.DataFrame(
        {"id": ["1"], "sex": ["male"], "reference_months": [99.0], "path": [broken]}
    )
    with pytest.raises(BoneAgeError, match="could be read"):
        measure_robustness(Predictor(), cases)
