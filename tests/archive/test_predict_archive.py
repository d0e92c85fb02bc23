"""The command on real files: the same answers as `boneage predict`, with what an archive adds."""

import builtins
import hashlib
import json
from contextlib import nullcontext

import cv2
import pandas as pd
import pytest
from bad_files import dicom_bytes
from local_sites import write_site

from boneage.archive import cluster, command, reading
from boneage.archive.parts import Entry
from boneage.archive.settings import Settings, fingerprints
from boneage.cli import main
from boneage.datasets.phantoms import draw_phantom

LOCAL = ["local_calibration", "local_change_months"]
ADDED = ["content_sha256", *LOCAL]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for number, months in enumerate((60, 120, 180)):
        cv2.imwrite(str(folder / f"{number}.png"), draw_phantom(months, "female", seed=number))
    (folder / "broken.png").write_bytes((folder / "0.png").read_bytes()[:2000])
    (folder / "copy.png").write_bytes((folder / "0.png").read_bytes())
    (folder / "notes.txt").write_text("no radiograph")
    return folder


@pytest.fixture
def here(client, monkeypatch):
    monkeypatch.setattr(command, "connect", lambda scheduler, workers: nullcontext(client))


def test_rows_are_those_of_predict(folder, here, tiny_artifacts, tmp_path, capsys):
    assert main(["predict", str(folder), "--sex", "female"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    out = tmp_path / "out"
    arguments = ["predict-archive", str(folder), "--out", str(out), "--part-size", "4"]
    assert main([*arguments, "--sex", "female"]) == 1
    said = capsys.readouterr()
    assert "6 files, 6 rows: 4 ok, 2 unreadable." in said.out
    assert "1 file with the content of another" in said.out
    assert "dashboard: http://" in said.err
    table = pd.read_parquet(out / "parts")
    rows = json.loads(table.drop(columns=ADDED).to_json(orient="records", double_precision=15))
    assert rows == lines
    digest = hashlib.sha256((folder / "0.png").read_bytes()).hexdigest()
    assert table["content_sha256"][0] == digest
    assert main(arguments) == 2  # without --sex
    assert "--sex was female, now None" in capsys.readouterr().err


def test_a_local_calibration_is_named_in_each_row(folder, here, tiny_artifacts, tmp_path, capsys):
    file, out = tmp_path / "site.json", tmp_path / "out"
    write_site(file, girls=10)
    asked = ["--sex", "female", "--calibration", str(file)]
    assert main(["predict", str(folder / "0.png"), *asked]) == 0
    line = json.loads(capsys.readouterr().out)
    assert line["local_change_months"] == 10
    arguments = ["predict-archive", str(folder), "--out", str(out)]
    assert main([*arguments, *asked]) == 1
    rows = pd.read_parquet(out / "parts").set_index("file")
    assert rows.loc[str(folder / "0.png"), [*LOCAL, "bone_age_months"]].tolist() == [
        line["local_calibration"],
        10,
        line["bone_age_months"],
    ]
    capsys.readouterr()
    write_site(file, girls=11)
    assert main([*arguments, *asked]) == 2
    assert "local calibration has changed" in capsys.readouterr().err
    assert main([*arguments, *asked, "--model", "tiny_densenet"]) == 2
    assert "is for the ensemble, which is not in use" in capsys.readouterr().err


def test_ages_of_a_manifest_win_and_give_the_sd(folder, here, tiny_artifacts, tmp_path):
    hand = draw_phantom(120, "female", seed=4)
    (folder / "a.dcm").write_bytes(dicom_bytes(hand, PatientSex="F", PatientAge="010Y"))
    (folder / "list.csv").write_text("path,sex,age_months\na.dcm,,\n1.png,M,96\n2.png,F,290\n")
    out = tmp_path / "out"
    assert main(["predict-archive", str(folder / "list.csv"), "--out", str(out)]) in (0, 1)
    rows = pd.read_parquet(out / "parts").astype(object).set_index("file")
    assert rows["sex"].tolist() == ["female", "male", "female"]
    assert rows["sex_source"].tolist() == ["header", "given", "given"]
    assert rows["chronological_age_months"].tolist() == [120, 96, 290]
    assert rows["chronological_age_source"].tolist() == ["header", "given", "given"]
    found = rows.loc["1.png"]
    expected = (found["bone_age_months"] - 96) / 9.0
    assert found["sd_score"] == pytest.approx(expected, rel=0.3)
    assert found["assessment"] in ("normal", "advanced", "delayed")
    assert pd.isna(rows.loc["2.png", "sd_score"])  # no table for 24 years


def test_a_fault_of_the_program_is_a_row_that_quotes_nothing(tiny_artifacts, folder, monkeypatch):
    read = reading.reader(Settings("x", models=fingerprints("ensemble")))

    def fail(self, source, frame=None):
        raise ValueError("Roe^Richarda")

    monkeypatch.setattr(reading.Predictor, "open_all", fail)
    ((row,),) = read([Entry("0.png", str(folder / "0.png"), "male")])
    assert row["status"] == "unreadable"
    assert "(ValueError)" in row["reason"] and "Roe" not in row["reason"]


def test_a_worker_with_other_models_is_refused(tiny_artifacts):
    with pytest.raises(reading.OtherInstallation, match="install the same on all"):
        reading.reader(Settings("x", models={"densenet121": "another"}))


def test_a_scheduler_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setattr(cluster, "_CONNECT_SECONDS", 0.2)
    with (
        pytest.raises(command.BoneAgeError, match="no Dask scheduler at tcp://127.0.0.1:1"),
        cluster.connect("tcp://127.0.0.1:1", 1),
    ):
        pass


def test_workers_and_a_scheduler_exclude_each_other(folder, capsys):
    arguments = ["predict-archive", str(folder), "--out", "x", "--workers", "2"]
    assert main([*arguments, "--scheduler", "tcp://127.0.0.1:1"]) == 2
    assert "--workers for this machine, or --scheduler" in capsys.readouterr().err


def test_a_missing_extra_is_named(folder, monkeypatch, capsys):
    def without_dask(name, *arguments, **options):
        if name.startswith("boneage.archive"):
            raise ModuleNotFoundError("No module named 'distributed'", name="distributed")
        return load(name, *arguments, **options)

    load = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", without_dask)
    assert main(["predict-archive", str(folder), "--out", "x"]) == 2
    assert 'pip install "boneage[archive]"' in capsys.readouterr().err
