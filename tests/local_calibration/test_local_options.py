"""The verb calibrate, and the option --calibration of the verbs that predict one radiograph."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from local_sites import write_site

from boneage.cli import main
from boneage.datasets.phantoms import draw_phantom
from boneage.inference.predictor import Predictor


@pytest.fixture(autouse=True)
def root(calibrated_artifacts, tmp_path, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(calibrated_artifacts))
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("hand.png", draw_phantom(120, "female", seed=1))


def write_readings(n: int, shift: float, sd: float) -> None:
    """n readings of both sexes in site.csv, `shift` months above the predictions."""
    rng = np.random.default_rng(2)
    predicted = rng.uniform(30, 190, n)
    read = predicted + shift + rng.normal(0, sd, n)
    rows = [
        f"{number},{'FM'[number % 2]},{age:.1f},{answer:.1f}"
        for number, (age, answer) in enumerate(zip(read, predicted, strict=True))
    ]
    Path("site.csv").write_text("\n".join(["id,sex,boneage,prediction", *rows]))


CALIBRATE = ["calibrate", "site.csv", "--out", "site.json"]


def predict(capsys, *options: str) -> dict:
    assert main(["predict", "hand.png", "--sex", "female", *options]) == 0
    return json.loads(capsys.readouterr().out)


def test_what_calibrate_writes_is_applied_and_named(capsys):
    write_readings(100, shift=8, sd=6)
    assert main(CALIBRATE) == 0
    said = capsys.readouterr().out
    assert "100 readings (50 girls and 50 boys)." in said
    assert "gain" in said and "Warning" not in said
    before, after = predict(capsys), predict(capsys, "--calibration", "site.json")
    assert "local_calibration" not in before
    assert after["local_calibration"].endswith("(n = 100)")
    assert 6 < after["local_change_months"] < 10
    change = after["bone_age_months"] - before["bone_age_months"]
    assert change == pytest.approx(after["local_change_months"], abs=0.02)
    low, high = after["interval_months"]
    assert (low + high) / 2 == pytest.approx(after["bone_age_months"], abs=0.1)


def test_where_nothing_is_to_be_gained_it_warns(capsys):
    write_readings(30, shift=0, sd=1)
    assert main(CALIBRATE) == 0
    assert "Warning: No change" in capsys.readouterr().out
    assert predict(capsys, "--calibration", "site.json")["local_change_months"] == 0
    write_readings(29, shift=8, sd=6)
    assert main(CALIBRATE) == 2
    assert "30 readings or more, and there are 29" in capsys.readouterr().err


def test_readings_without_predictions_are_predicted(capsys, monkeypatch):
    names = [str(number) for number in range(32)]
    for name in names:
        Path(f"{name}.png").write_bytes(Path("hand.png").read_bytes())
    prediction = Predictor().predict(Path("hand.png"), "male")
    monkeypatch.setattr(Predictor, "predict", lambda self, path, sex: prediction)
    rows = ["id,sex,boneage", *(f"{name},M,140" for name in names), "99,M,1"]
    Path("labels.csv").write_text("\n".join(rows))
    assert main(["calibrate", "labels.csv", "--images", ".", "--out", "site.json"]) == 1
    said = capsys.readouterr().out
    assert "Left out: 1 radiograph missing or unreadable." in said
    assert "32 readings (32 boys)." in said


def test_a_file_that_does_not_fit_is_told(capsys):
    write_site("site.json", girls=5)
    asked = ["predict", "hand.png", "--sex", "female", "--calibration"]
    for options, sentence in (
        (["none.json"], "none.json cannot be read"),
        (["hand.png"], "hand.png is no local calibration"),
        (["site.json", "--model", "tiny_densenet"], "is for the ensemble, which is not in use"),
    ):
        assert main([*asked, *options]) == 2
        assert sentence in capsys.readouterr().err


def test_the_case_report_names_it(capsys):
    from pypdf import PdfReader

    write_site("site.json", girls=5, factor=1.5)
    options = ["--sex", "female", "--calibration", "site.json"]
    assert main(["report-case", "hand.png", *options]) == 0
    printed = " ".join(PdfReader("hand-bone-age.pdf").pages[0].extract_text().split())
    assert "Local calibration c5c5c5c5c5c5 (n = 60)" in printed
    assert "bone age changed by +5.0 months" in printed
