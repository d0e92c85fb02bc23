import contextlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from bad_files import dicom_bytes, image_file, some_bad_files
from PIL import Image

from boneage import artifacts, cli
from boneage.cli import main
from boneage.datasets.phantoms import draw_phantom, write_phantoms

REPOSITORY = Path(__file__).resolve().parents[1]
MODEL = "tiny_resnet_cbam"


@pytest.fixture
def phantom_file(tmp_path):
    path = tmp_path / "hand.png"
    cv2.imwrite(str(path), draw_phantom(100, "female", seed=2))
    return path


def _json_lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.slow
def test_train_evaluate_predict_on_phantoms(tmp_path, monkeypatch, capsys, run_eagerly):
    """The whole way as the README walks it, with a tiny model."""
    data, cache = tmp_path / "phantoms", tmp_path / "cache"
    assert main(["phantoms", "--out", str(data), "--train", "16", "--test", "3"]) == 0
    training, test = data / "boneage-training-dataset", data / "boneage-test-dataset"
    test_data = [str(test), str(test.with_suffix(".csv"))]
    prepare = ["prepare", "--images", str(training), "--labels", str(training.with_suffix(".csv"))]
    prepare += ["--test-images", test_data[0], "--test-labels", test_data[1]]
    assert main([*prepare, "--cache", str(cache), "--workers", "1"]) == 0

    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path / "artifacts"))
    out = tmp_path / "artifacts" / "models" / MODEL
    train = ["train", "--model", MODEL, "--preset", "smoke", "--epochs", "1"]
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
    assert main(["predict", *files, "--sex", "female"]) == 1
    answers = _json_lines(capsys.readouterr().out)
    assert [answer["file"] for answer in answers] == files
    assert [answer["status"] for answer in answers] == ["unreadable", "ok", "unreadable"]
    assert set(answers[1]) == {
        "file", "hand", "position", "status", "reason", "model", "sex", "sex_source",
        "chronological_age_months", "chronological_age_source", "bone_age_months",
        "interval_months", "crop", "sd_score", "sd_interval", "assessment", "sd_table",
        "growth_note",
    }  # fmt: skip
    assert (answers[1]["sex"], answers[1]["sex_source"]) == ("female", "given")
    assert answers[1]["chronological_age_months"] is None
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
def color_file(tmp_path):
    path = tmp_path / "beach.png"
    hands = [draw_phantom(100, "female", seed=seed) for seed in (2, 3, 4)]
    cv2.imwrite(str(path), np.stack(hands, axis=2))
    return path


def test_a_image_that_is_no_radiograph_is_refused(tiny_artifacts, phantom_file, color_file, capsys):
    files = [str(color_file), str(phantom_file)]
    assert main(["predict", *files, "--sex", "female"]) == 1
    refused, fine = _json_lines(capsys.readouterr().out)
    assert refused["status"] == "refused"
    assert "in color" in refused["reason"]
    assert refused["bone_age_months"] is None
    assert refused["interval_months"] is None
    assert fine["status"] == "ok"
    assert fine["bone_age_months"]

    for option in ("--force", "--anyway"):  # the second is what it was called before
        assert main(["predict", *files, "--sex", "female", option]) == 1
        forced, still_fine = _json_lines(capsys.readouterr().out)
        assert isinstance(forced.pop("bone_age_months"), float)
        assert forced == {key: refused[key] for key in forced}
        assert still_fine == fine


def test_a_refused_radiograph_has_no_interval_even_when_forced(
    calibrated_artifacts, color_file, monkeypatch, capsys
):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(calibrated_artifacts))
    assert main(["predict", str(color_file), "--sex", "female", "--force"]) == 1
    (forced,) = _json_lines(capsys.readouterr().out)
    assert forced["bone_age_months"] > 0
    assert forced["interval_months"] is None


def test_both_hands_of_a_film_get_a_line_each(
    tiny_artifacts, phantom_shapes, phantom_file, tmp_path, capsys
):
    both = tmp_path / "both.png"
    hand = cv2.imread(str(phantom_file), cv2.IMREAD_GRAYSCALE)
    cv2.imwrite(str(both), np.hstack([hand[:, ::-1], hand]))
    assert main(["predict", str(both), str(phantom_file), "--sex", "female"]) == 0
    first, second, single = _json_lines(capsys.readouterr().out)
    assert first["file"] == second["file"] == str(both)
    assert [answer["position"] for answer in (first, second, single)] == ["left", "right", None]
    assert {first["hand"], second["hand"]} == {"left", "right"} and single["hand"] is None
    assert first["bone_age_months"] and second["bone_age_months"]


def test_a_box_and_a_rotation_replace_the_search_for_the_hand(
    tiny_artifacts, phantom_file, tmp_path, capsys
):
    upright = cv2.imread(str(phantom_file), cv2.IMREAD_GRAYSCALE)
    height, width = upright.shape
    sideways = tmp_path / "sideways.png"
    cv2.imwrite(str(sideways), np.rot90(upright))
    box, months = f"0,0,{width},{height}", []
    for arguments in ([str(phantom_file)], [str(sideways), "--rotate", "90"]):
        assert main(["predict", *arguments, "--box", box, "--sex", "female"]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert (answer["crop"], answer["box"]) == ("manual", [0, 0, width, height])
        months.append(answer["bone_age_months"])
    assert answer["rotation"] == 90
    assert months[0] == pytest.approx(months[1], abs=0.5)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["HAND", "HAND", "--box", "0,0,99,99"], "name a single file"),
        (["FOLDER", "--box", "0,0,99,99"], "name a single file"),
        (["HAND", "--rotate", "90"], "--rotate needs --box"),
        (["HAND", "--box", "0,0,99"], "'0,0,99' is not four numbers, left,top,right,bottom"),
        (["HAND", "--box", "0,0,9999,99"], "reaches beyond the film: it is 300 x 400 pixels"),
        (["HAND", "--box", "9,9,9,9"], "is empty"),
        (["HAND", "--box", "0,0,99,99", "--rotate", "nan"], "finite"),
    ],
)
def test_a_box_that_cannot_be_used_gets_one_sentence(
    arguments, sentence, tiny_artifacts, phantom_file, capsys
):
    names = {"HAND": str(phantom_file), "FOLDER": str(phantom_file.parent)}
    try:
        status = main(["predict", *(names.get(a, a) for a in arguments), "--sex", "female"])
    except SystemExit as ended:  # argparse
        status = ended.code
    assert status == 2
    assert sentence in capsys.readouterr().err


def test_verbose_adds_what_was_read_to_each_line(tiny_artifacts, tmp_path, capsys):
    photograph, broken = tmp_path / "photo.jpg", tmp_path / "broken.png"
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    framed = np.pad(draw_phantom(96, "female", 1), 40, constant_values=255)
    photograph.write_bytes(image_file("JPEG", framed, exif=exif.tobytes(), quality=95))
    broken.write_bytes(b"no image")
    files = [str(photograph), str(broken)]
    assert main(["predict", *files, "--sex", "female", "--verbose"]) == 1
    answer, unreadable = _json_lines(capsys.readouterr().out)
    height, width = framed.shape
    read = answer["read"]
    assert all(abs(border - 40) <= 4 for border in read.pop("borders"))
    assert read == {
        "file_type": "JPEG", "compression": "", "width": width, "height": height, "bits": 8,
        "polarity": "bright bones", "photograph": True,
    }  # fmt: skip
    assert answer["status"] == "ok" and "photograph of a film" in answer["reason"]
    assert unreadable["read"] is None
    main(["predict", *files, "--sex", "female"])
    assert "read" not in _json_lines(capsys.readouterr().out)[0]


@pytest.fixture
def dicom_of_a_girl(tmp_path):
    path = tmp_path / "girl.dcm"
    content = dicom_bytes(draw_phantom(96, "female", 1), PatientSex="F", PatientAge="099M")
    path.write_bytes(content)
    return path


def test_the_sex_is_by_default_that_of_the_dicom_header(
    tiny_artifacts, dicom_of_a_girl, phantom_file, capsys
):
    assert main(["predict", str(dicom_of_a_girl)]) == 0
    (by_header,) = _json_lines(capsys.readouterr().out)
    assert (by_header["sex"], by_header["sex_source"]) == ("female", "header")
    assert by_header["chronological_age_months"] == 99
    assert by_header["reason"] is None

    assert main(["predict", str(dicom_of_a_girl), "--sex", "female"]) == 0
    (given,) = _json_lines(capsys.readouterr().out)
    assert given == by_header | {"sex_source": "given"}

    assert main(["predict", str(phantom_file)]) == 1
    (unknown,) = _json_lines(capsys.readouterr().out)
    assert unknown["status"] == "unreadable"
    assert "does not state the sex" in unknown["reason"]
    assert unknown["bone_age_months"] is None


def test_the_age_is_by_default_that_of_the_dicom_header(
    tiny_artifacts, dicom_of_a_girl, phantom_file, capsys
):
    def answer(*options):
        main(["predict", str(dicom_of_a_girl), *options])
        return json.loads(capsys.readouterr().out)

    by_header = answer()
    assert by_header["chronological_age_source"] == "header"
    ahead = by_header["bone_age_months"] - 99
    assert by_header["sd_score"] == pytest.approx(ahead / by_header_sd(99), abs=0.01)
    given = answer("--age", "10y3m", "--height", "140")
    assert (given["chronological_age_months"], given["chronological_age_source"]) == (123, "given")
    assert "states a chronological age of 8 years 3 months, but 10 years 3" in given["reason"]
    assert {"adult_height_cm", "adult_height_group"} <= set(given)
    other = answer("--sd-table", "greulich_pyle")
    assert other["sd_table"] == "greulich_pyle" and other["sd_score"] != by_header["sd_score"]


def by_header_sd(months):
    from boneage.growth.reference import BRUSH_FOUNDATION, sd_at

    return sd_at(BRUSH_FOUNDATION, "female", months)


def test_a_date_of_birth_without_one_of_the_radiograph_leaves_the_bone_age(
    tiny_artifacts, phantom_file, capsys
):
    options = ["--sex", "male", "--birth-date", "2014-01-01"]
    assert main(["predict", str(phantom_file), *options]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["bone_age_months"] is not None and answer["chronological_age_months"] is None
    assert "does not state when the radiograph was taken" in answer["reason"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--age", "45"), "A chronological age of 45 years is not possible"),
        (("--height", "1700"), "A height of 1,700 cm is not possible"),
        (("--birth-date", "31.5.2014"), "is not a date"),
        (("--birth-date", "2014-05-31", "--study-date", "2013-01-01"), "before the date of birth"),
        (("--age", "9", "--birth-date", "2014-05-31"), "Give the age or the date of birth"),
    ],
)
def test_impossible_entries_get_a_sentence(options, sentence, capsys):
    with contextlib.suppress(SystemExit):  # argparse's, of one option alone
        assert main(["predict", "any.png", "--sex", "male", *options]) == 2
    assert sentence in capsys.readouterr().err


def test_a_sex_that_the_header_contradicts_is_said(tiny_artifacts, dicom_of_a_girl, capsys):
    assert main(["predict", str(dicom_of_a_girl), "--sex", "male"]) == 0
    (answer,) = _json_lines(capsys.readouterr().out)
    assert (answer["status"], answer["sex"], answer["sex_source"]) == ("ok", "male", "given")
    assert "states female, but male was used" in answer["reason"]


def test_folders_are_searched_recursively(tiny_artifacts, phantom_file, tmp_path, capsys):
    archive = tmp_path / "archive"
    places = ["b.png", "2024/a.png", "2024/05/c.png", ".hidden/d.png", "2024/.e.png"]
    for place in places:
        path = archive / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(phantom_file.read_bytes())
    (archive / "2024" / "again").symlink_to(archive)
    assert main(["predict", str(archive), "--sex", "male"]) == 0
    files = [answer["file"] for answer in _json_lines(capsys.readouterr().out)]
    assert files == [str(archive / place) for place in ("2024/05/c.png", "2024/a.png", "b.png")]


# Ctrl-C and errors --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["predict", "hand.png"], "every line printed is complete"),
        (["evaluate", "--images", "a", "--labels", "b"], "from the beginning"),
        (["prepare", "--images", "a", "--labels", "b", "--cache", "c"], "again to continue"),
        (["atlas", "--cache", "c", "--out", "o"], "again to continue"),
        (["synthetic", "--cache", "c", "--out", "o"], "again to continue"),
    ],
)
def test_ctrl_c_says_how_to_go_on(arguments, sentence, monkeypatch, capsys):
    def stopped(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, f"_{arguments[0]}", stopped)
    assert main(arguments) == 130
    assert sentence in capsys.readouterr().err


def test_a_stopped_training_is_resumed_only_from_a_checkpoint(tmp_path, monkeypatch, capsys):
    def stopped(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_train", stopped)
    train = ["train", "--model", MODEL, "--preset", "smoke", "--cache", "c", "--out"]
    main([*train, str(tmp_path)])
    assert "--resume" not in capsys.readouterr().err
    (tmp_path / "checkpoint.npz").touch()
    main([*train, str(tmp_path)])
    assert "the same command with --resume" in capsys.readouterr().err


def test_a_bug_keeps_its_traceback(monkeypatch):
    def faulty(options):
        return [1, 2].index(5)

    monkeypatch.setattr(cli, "_coverage", faulty)
    with pytest.raises(ValueError, match="not in list"):
        main(["coverage"])


@pytest.mark.parametrize("option", ["--train=-3", "--test=many", "--seed=-1"])
def test_numbers_that_make_no_sense_are_refused_at_once(option, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["phantoms", "--out", str(tmp_path), option])
    assert ended.value.code == 2
    assert "is not a whole number of at least" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_gets_one_sentence(tiny_artifacts, tmp_path, capsys):
    (tmp_path / "taken").touch()
    for arguments in (
        ["report", "--out", str(tmp_path / "taken" / "report.html")],
        ["phantoms", "--train", "1", "--test", "0", "--out", str(tmp_path / "taken")],
    ):
        assert main(arguments) == 2
        error = capsys.readouterr().err.strip()
        assert "cannot be written" in error
        assert "\n" not in error


def test_a_prediction_prints_nothing_but_its_line(tiny_artifacts, phantom_file):
    """In a process of its own, as only the first prediction loads TensorFlow and MediaPipe."""
    command = [sys.executable, "-m", "boneage", "predict", str(phantom_file), "--sex", "female"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0
    assert len(_json_lines(done.stdout)) == 1
    (note,) = done.stderr.splitlines()  # the tiny models have no statistics for the quality check
    assert "python -m boneage quality" in note


def test_what_is_not_checked_is_said_once(tiny_artifacts, phantom_file, capsys):
    main(["predict", str(phantom_file), str(phantom_file), "--sex", "female"])
    assert capsys.readouterr().err.count("python -m boneage quality") == 1


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


def test_evaluate_counts_what_the_quality_check_would_refuse(
    tiny_artifacts, tmp_path, color_file, capsys
):
    data = write_phantoms(tmp_path, n_train=4, n_test=3) / "boneage-test-dataset"
    labels = pd.read_csv(data.with_suffix(".csv"))
    (data / f"{labels['id'][1]}.png").write_bytes(color_file.read_bytes())
    arguments = ["evaluate", "--images", str(data), "--labels", str(data.with_suffix(".csv"))]
    assert main([*arguments, "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert (result["n"], result["refused"], result["unreadable"]) == (3, 1, 0)


def test_coverage_is_written_for_these_models(calibrated_artifacts, monkeypatch, capsys):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(calibrated_artifacts))
    assert main(["coverage"]) == 0
    assert str(calibrated_artifacts / "coverage.csv") in capsys.readouterr().out
    table = artifacts.read_coverage()
    assert set(table["model"]) == {"tiny_densenet", "tiny_resnet_cbam", "ensemble"}
    assert set(table["level"]) == {0.8, 0.85, 0.9, 0.95}
    every = table[(table["group"] == "all") & (table["cases"] == "validation")]
    assert set(every["n"]) == {400}
    assert (every["coverage"] - every["level"]).abs().max() < 0.03
    assert every["sd"].between(0, 0.02).all()


def test_coverage_without_enough_cases_says_what_is_needed(tiny_artifacts, capsys):
    assert main(["coverage"]) == 2
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
    for number, (name, content) in enumerate(some_bad_files().values()):
        (folder / f"{number:02}{name[-8:]}").write_bytes(content)
    (folder / "zz.png").write_bytes(phantom_file.read_bytes())
    assert main(["predict", str(folder), "--sex", "female"]) == 1
    captured = capsys.readouterr()
    *bad, good = _json_lines(captured.out)
    assert good["status"] == "ok"
    for answer in bad:
        assert answer["status"] == "unreadable"
        assert answer["reason"].endswith(".")
        assert "\n" not in answer["reason"]
    assert "Traceback" not in captured.err


def test_evaluate_counts_and_names_what_it_cannot_read(tiny_artifacts, tmp_path, capsys, caplog):
    data = write_phantoms(tmp_path, n_train=4, n_test=3) / "boneage-test-dataset"
    labels = pd.read_csv(data.with_suffix(".csv"))
    (data / f"{labels['id'][0]}.png").write_bytes(b"not an image")
    (data / f"{labels['id'][1]}.png").unlink()
    arguments = ["evaluate", "--images", str(data), "--labels", str(data.with_suffix(".csv"))]
    assert main([*arguments, "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert (result["n"], result["refused"], result["unreadable"]) == (1, 0, 2)
    assert result["r2"] is None
    (said,) = caplog.messages
    assert said.startswith(f"2 of 3 radiographs left out: {labels['id'][1]} (no image file); ")
    assert f"; {labels['id'][0]} (" in said


def test_a_reference_column_is_asked_for_and_can_be_named(tiny_artifacts, tmp_path, capsys):
    data = write_phantoms(tmp_path, n_train=4, n_test=3) / "boneage-test-dataset"
    labels = data.with_suffix(".csv")
    text = labels.read_text().replace("boneage", "age")
    labels.write_text(text + "a,,True\nb,100,\n")
    arguments = ["evaluate", "--images", str(data), "--labels", str(labels), "--json"]
    assert main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert error.endswith("(it may be age); name it with --reference-column.")
    assert "\n" not in error
    assert main([*arguments, "--reference-column", "age"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["n"], result["skipped_rows"]) == (3, 2)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["evaluate", "--images", "nowhere", "--labels", "nowhere.csv"], "nowhere.csv"),
        (
            ["train", "--model", MODEL, "--preset", "smoke", "--cache", "no", "--out", "o"],
            "prepare",
        ),
        (["predict", "EMPTY", "--sex", "male"], "holds no files"),
        (["quality", "--data", "EMPTY"], "holds no folder"),
        (["gate", "--data", "EMPTY"], "holds no folder"),  # a name of earlier versions
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
    for arguments in (["predict", "hand.png", "--sex", "male"], ["coverage"]):
        assert main(arguments) == 2
        assert str(tmp_path) in capsys.readouterr().err


def test_help_needs_no_tensorflow():
    code = (
        "import sys; from boneage.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    )
    code += "\nassert not {'tensorflow', 'keras', 'cv2'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
