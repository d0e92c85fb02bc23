import json
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pandas as pd
import pytest
from bad_files import bad_files

from boneage import artifacts
from boneage.cli import main
from boneage.datasets.phantoms import draw_phantom, write_phantoms

MODEL = "tiny_resnet_cbam"


@pytest.fixture
def phantom_file(tmp_path):
    path = tmp_path / "hand.png"
    cv2.imwrite(str(path), draw_phantom(100, "female", seed=2))
    return path


def _json_lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_train_evaluate_predict_on_phantoms(tmp_path, monkeypatch, capsys):
    """The whole way as the README walks it, with a tiny model."""
    data, cache = tmp_path / "phantoms", tmp_path / "cache"
    assert main(["phantoms", "--out", str(data), "--train", "24", "--test", "3"]) == 0
    training, test = data / "boneage-training-dataset", data / "boneage-test-dataset"
    test_data = [str(test), str(test.with_suffix(".csv"))]
    prepare = ["prepare", "--images", str(training), "--labels", str(training.with_suffix(".csv"))]
    prepare += ["--test-images", test_data[0], "--test-labels", test_data[1]]
    assert main([*prepare, "--cache", str(cache), "--workers", "1"]) == 0

    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path / "artifacts"))
    out = tmp_path / "artifacts" / "models" / MODEL
    train = ["train", "--model", MODEL, "--preset", "smoke", "--epochs", "2"]
    assert main([*train, "--cache", str(cache), "--out", str(out)]) == 0

    capsys.readouterr()
    evaluate = ["evaluate", "--images", test_data[0], "--labels", test_data[1], "--model", MODEL]
    assert main([*evaluate, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    metrics = artifacts.read_metrics(out).set_index(["split", "group"]).loc[("test", "all")]
    assert result["n"] == metrics["n"] == 3
    for name in ("mae", "rmse", "bias", "within_6", "within_12"):
        assert result[name] == pytest.approx(metrics[name], abs=0.01)
    assert result["mae_interval"] == pytest.approx([metrics["mae_low"], metrics["mae_high"]], abs=1)
    assert result["refused"] == 0

    assert main(["predict", test_data[0], "--sex", "male", "--model", MODEL, "--json"]) == 0
    answers = _json_lines(capsys.readouterr().out)
    assert [answer["status"] for answer in answers] == ["ok"] * 3
    assert {answer["sex"] for answer in answers} == {"male"}


def test_predict_answers_every_file_in_order(tiny_artifacts, phantom_file, capsys):
    broken = phantom_file.with_name("broken.png")
    broken.write_bytes(phantom_file.read_bytes()[:2000])
    files = [str(broken), str(phantom_file), "nowhere.png"]
    assert main(["predict", *files, "--sex", "female"]) == 2
    answers = _json_lines(capsys.readouterr().out)
    assert [answer["file"] for answer in answers] == files
    assert [answer["status"] for answer in answers] == ["error", "ok", "error"]
    assert set(answers[1]) == {
        "file", "status", "reason", "model", "sex", "bone_age_months", "interval_months", "crop",
    }  # fmt: skip
    assert answers[1]["reason"] is None
    assert answers[1]["model"] == "ensemble"
    assert answers[1]["crop"] == "mediapipe"
    assert isinstance(answers[1]["bone_age_months"], float)
    assert "damaged" in answers[0]["reason"]
    assert answers[0]["bone_age_months"] is None
    # Four validation cases are too few for an interval.
    assert [answer["interval_months"] for answer in answers] == [None] * 3


@pytest.mark.parametrize("model", ["tiny_densenet", "ensemble"])
def test_predict_gives_an_interval_where_there_were_enough_validation_cases(
    model, calibrated_artifacts, phantom_file, monkeypatch, capsys
):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(calibrated_artifacts))
    assert main(["predict", str(phantom_file), "--sex", "male", "--model", model]) == 0
    answer = json.loads(capsys.readouterr().out)
    low, high = answer["interval_months"]
    assert (low, high) == (round(low, 1), round(high, 1))
    assert (low + high) / 2 == pytest.approx(answer["bone_age_months"], abs=0.1)
    assert 10 < high - low < 80


@pytest.fixture
def colour_file(tmp_path):
    path = tmp_path / "beach.png"
    hands = [draw_phantom(100, "female", seed=seed) for seed in (2, 3, 4)]
    cv2.imwrite(str(path), np.stack(hands, axis=2))
    return path


def test_a_picture_that_is_no_radiograph_is_refused(
    tiny_artifacts, phantom_file, colour_file, capsys
):
    files = [str(colour_file), str(phantom_file)]
    assert main(["predict", *files, "--sex", "female"]) == 2
    refused, fine = _json_lines(capsys.readouterr().out)
    assert refused["status"] == "refused"
    assert "in colour" in refused["reason"]
    assert refused["bone_age_months"] is None
    assert refused["interval_months"] is None
    assert fine["status"] == "ok"
    assert fine["bone_age_months"]

    assert main(["predict", *files, "--sex", "female", "--anyway"]) == 2
    anyway, still_fine = _json_lines(capsys.readouterr().out)
    assert isinstance(anyway.pop("bone_age_months"), float)
    assert anyway == {key: refused[key] for key in anyway}
    assert still_fine == fine


def test_what_is_not_checked_is_said_once(tiny_artifacts, phantom_file, capsys):
    main(["predict", str(phantom_file), str(phantom_file), "--sex", "female"])
    assert capsys.readouterr().err.count("python -m boneage gate") == 1


def test_a_model_that_is_not_whole_is_left_out_and_named(
    tiny_artifacts, phantom_file, tmp_path, monkeypatch, capsys
):
    half_copied = shutil.copytree(tiny_artifacts, tmp_path / "artifacts")
    (half_copied / "models" / "tiny_densenet" / "weights.safetensors").unlink()
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(half_copied))
    assert main(["predict", str(phantom_file), "--sex", "male"]) == 0
    said = capsys.readouterr().err
    assert "Tiny DenseNet (tests) is left out, because weights.safetensors is missing in" in said
    assert "Tiny ResNet" not in said.split("is left out")[0]


def test_evaluate_counts_what_the_gate_would_refuse(tiny_artifacts, tmp_path, colour_file, capsys):
    data = write_phantoms(tmp_path, n_train=4, n_test=3) / "boneage-test-dataset"
    labels = pd.read_csv(data.with_suffix(".csv"))
    (data / f"{labels['id'][1]}.png").write_bytes(colour_file.read_bytes())
    arguments = ["evaluate", "--images", str(data), "--labels", str(data.with_suffix(".csv"))]
    assert main([*arguments, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["n"], result["refused"], result["would_refuse"]) == (3, 0, 1)


def test_calibrate_writes_the_coverage_of_these_models(calibrated_artifacts, monkeypatch, capsys):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(calibrated_artifacts))
    assert main(["calibrate"]) == 0
    assert str(calibrated_artifacts / "coverage.csv") in capsys.readouterr().out
    table = artifacts.read_coverage()
    assert set(table["model"]) == {"tiny_densenet", "tiny_resnet_cbam", "ensemble"}
    assert set(table["level"]) == {0.8, 0.85, 0.9, 0.95}
    every = table[(table["group"] == "all") & (table["cases"] == "validation")]
    assert set(every["n"]) == {400}
    assert (every["coverage"] - every["level"]).abs().max() < 0.03
    assert every["sd"].between(0, 0.02).all()


def test_calibrate_without_enough_cases_says_what_is_needed(tiny_artifacts, capsys):
    assert main(["calibrate"]) == 2
    assert "22 girls" in capsys.readouterr().err
    assert not (tiny_artifacts / "coverage.csv").exists()


def test_the_ensemble_is_the_mean_of_the_models(tiny_artifacts, phantom_file, capsys):
    months = {}
    for model in ("tiny_densenet", "tiny_resnet_cbam", "ensemble"):
        main(["predict", str(phantom_file), "--sex", "male", "--model", model])
        months[model] = json.loads(capsys.readouterr().out)["bone_age_months"]
    mean = (months["tiny_densenet"] + months["tiny_resnet_cbam"]) / 2
    assert months["ensemble"] == pytest.approx(mean, abs=0.02)


def test_bad_files_get_a_sentence_each_and_the_rest_goes_on(
    tiny_artifacts, phantom_file, tmp_path, capsys
):
    folder = tmp_path / "files"
    folder.mkdir()
    for number, (name, content) in enumerate(bad_files().values()):
        (folder / f"{number:02}{name[-8:]}").write_bytes(content)
    (folder / "zz.png").write_bytes(phantom_file.read_bytes())
    assert main(["predict", str(folder), "--sex", "female"]) == 2
    captured = capsys.readouterr()
    *bad, good = _json_lines(captured.out)
    assert good["status"] == "ok"
    for answer in bad:
        assert answer["status"] == "error"
        assert answer["reason"].endswith(".")
        assert "\n" not in answer["reason"]
    assert "Traceback" not in captured.err


def test_evaluate_counts_what_it_cannot_read(tiny_artifacts, tmp_path, capsys):
    data = write_phantoms(tmp_path, n_train=4, n_test=3) / "boneage-test-dataset"
    labels = pd.read_csv(data.with_suffix(".csv"))
    (data / f"{labels['id'][0]}.png").write_bytes(b"not an image")
    (data / f"{labels['id'][1]}.png").unlink()
    arguments = ["evaluate", "--images", str(data), "--labels", str(data.with_suffix(".csv"))]
    assert main([*arguments, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["n"], result["refused"], result["r2"]) == (1, 2, None)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["evaluate", "--images", "nowhere", "--labels", "nowhere.csv"], "nowhere.csv"),
        (
            ["train", "--model", MODEL, "--preset", "smoke", "--cache", "no", "--out", "o"],
            "prepare",
        ),
        (["predict", "EMPTY", "--sex", "male"], "holds no files"),
        (["gate", "--data", "EMPTY"], "holds no folder"),
    ],
)
def test_mistakes_get_one_sentence(arguments, sentence, tiny_artifacts, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    arguments = [str(tmp_path / "empty") if a == "EMPTY" else a for a in arguments]
    assert main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert sentence in error
    assert "\n" not in error


def test_without_models_the_sentence_says_where_they_should_be(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path))
    for arguments in (["predict", "hand.png", "--sex", "male"], ["calibrate"]):
        assert main(arguments) == 2
        assert str(tmp_path) in capsys.readouterr().err


def test_help_needs_no_tensorflow():
    code = (
        "import sys; from boneage.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    )
    code += "\nassert not {'tensorflow', 'keras', 'cv2'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
