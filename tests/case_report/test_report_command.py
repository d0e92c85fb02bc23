import contextlib

import cv2
import numpy as np
import pydicom
import pytest
from pypdf import PdfReader

from boneage.cli import main
from boneage.datasets.phantoms import draw_phantom


@pytest.fixture
def files(tmp_path, monkeypatch, dicom):
    """A folder to work in, with a DICOM file, a PNG file and one that the quality check refuses."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hand.dcm").write_bytes(dicom)
    cv2.imwrite("hand.png", draw_phantom(100, "female", 2))
    cv2.imwrite("beach.png", np.stack([draw_phantom(100, "female", n) for n in (2, 3, 4)], axis=2))
    return tmp_path


def words(path) -> str:
    return " ".join(PdfReader(path).pages[0].extract_text().split())


def test_a_report_of_a_dicom_file_needs_nothing_else(files, capsys):
    assert main(["report-case", "hand.dcm", "--dicom-sr", "sr.dcm"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "The report is in hand-bone-age.pdf.",
        "The structured report is in sr.dcm.",
    ]
    printed = words("hand-bone-age.pdf")
    assert "Sex Male" in printed and "Chronological age 12 years" in printed
    assert str(pydicom.dcmread("sr.dcm").PatientName) == "Müller^Jörg"


def test_all_options_are_printed(files):
    options = ["--sex", "female", "--birth-date", "2008-01-01", "--study-date", "2018-01-01"]
    options += ["--height", "140", "--mother", "165", "--father", "180", "--label", "Case 7"]
    options += ["--sd-table", "greulich_pyle", "--model", "tiny_densenet", "--out", "new/out.pdf"]
    assert main(["report-case", "hand.png", *options]) == 0
    printed = words(files / "new" / "out.pdf")
    for part in ("Case 7", "Chronological age 10 years", "Greulich-Pyle", "Target height: 166.0"):
        assert part in printed
    assert "Ensemble" not in printed


def test_a_box_that_the_user_gives_is_named(files):
    options = ["--sex", "female", "--box", "0,0,300,400", "--rotate", "0", "--force"]
    main(["report-case", "hand.png", *options])
    assert "Hand detection Manual" in words("hand-bone-age.pdf")


def test_a_refused_radiograph_gets_a_report_that_says_so(files, capsys):
    assert main(["report-case", "beach.png", "--sex", "female"]) == 1
    assert "No bone age: refused by the image quality check." in words("beach-bone-age.pdf")
    assert "in color" in capsys.readouterr().err
    assert main(["report-case", "beach.png", "--sex", "female", "--force"]) == 1
    assert "the bone age is not reliable" in words("beach-bone-age.pdf")
    assert "Bone age (skeletal age)" in words("beach-bone-age.pdf")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["hand.png"], "does not state the sex"),
        (["hand.png", "--sex", "male", "--age", "40"], "enter an age from 0 to 25 years"),
        (["hand.png", "--sex", "male", "--age", "nan"], "is not an age"),
        (["hand.png", "--sex", "male", "--height", "1700"], "in centimeters"),
        (["hand.png", "--sex", "male", "--mother", "165"], "both --mother and --father"),
        (["hand.png", "--sex", "male", "--birth-date", "2010-01-01"], "--study-date"),
        (["hand.png", "--sex", "male", "--study-date", "2010-01-01"], "needs the date of birth"),
        (["hand.dcm", "--birth-date", "2019-01-01"], "before the date of birth"),
        (["hand.png", "--sex", "male", "--rotate", "90"], "--rotate needs --box"),
        (["hand.png", "--sex", "male", "--box", "0,0,9999,99"], "reaches beyond the film"),
        (["hand.png", "--sex", "male", "--dicom-sr", "sr.dcm"], "this file is a PNG image"),
    ],
)
def test_what_cannot_be_gets_a_sentence_and_no_file(options, sentence, files, capsys):
    with contextlib.suppress(SystemExit):  # argparse's, of one option alone
        assert main(["report-case", *options]) == 2
    assert sentence in capsys.readouterr().err
    assert not list(files.glob("*.pdf")) and not (files / "sr.dcm").exists()


def test_an_unreadable_file_gets_a_sentence(files, capsys):
    assert main(["report-case", "nowhere.png", "--sex", "male"]) == 1
    assert capsys.readouterr().err == (
        "There is no file 'nowhere.png'; please check its name and folder.\n"
    )


@pytest.mark.parametrize("wrong", ["31.01.2010", "2010-13-01"])
def test_a_wrong_date_gets_a_sentence(wrong, capsys):
    with pytest.raises(SystemExit, match="^2$"):
        main(["report-case", "hand.png", "--birth-date", wrong])
    assert "is not a date: write year, month and day" in capsys.readouterr().err
