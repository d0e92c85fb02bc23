"""Predict's case report: its downloads, made when a button is clicked."""

from io import BytesIO

import pydicom
import pytest
from apps import run, started
from bad_files import dicom_bytes
from pypdf import PdfReader
from streamlit.testing.v1 import AppTest

from boneage.case_report import pdf
from boneage.datasets.phantoms import draw_phantom

UIDS = {"StudyInstanceUID": "1.2.3.5", "SeriesInstanceUID": "1.2.3.6"}


@pytest.fixture
def made(monkeypatch) -> dict:
    """Buttons of the page and what they would download: label -> function that makes the file."""
    import streamlit as st

    made = {}

    def offer(label, data, **options):
        made[label] = data

    monkeypatch.setattr(st, "download_button", offer)
    return made


def opened(content: bytes, name: str) -> AppTest:
    app = started()
    app.file_uploader[0].set_value([(name, content, "")])
    run(app)
    app.segmented_control(key="sex").set_value("female")
    return run(app)


def words(content: bytes) -> str:
    return " ".join(PdfReader(BytesIO(content)).pages[0].extract_text().split())


def test_a_dicom_file_gets_both_reports(tiny_artifacts, made, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        pdf, "as_pdf", lambda report, make=pdf.as_pdf: drawn.append(1) or make(report)
    )
    header = {"PatientName": "Roe^R", "PatientSex": "F", "PatientAge": "120M", **UIDS}
    app = opened(dicom_bytes(draw_phantom(120, "female", 1), **header), "a hand.dcm")
    assert "Case report" in [header.value for header in app.header]
    assert not drawn  # so that the page stays quick
    label = next(one for one in app.text_input if one.label == "Label (optional)")
    label.set_value("Case 3")
    app.number_input(
        key=next(n.key for n in app.number_input if "child" in (n.key or ""))
    ).set_value(140.0)
    run(app)
    printed = words(made["PDF to print"]())
    for part in ("Case 3", "a hand.dcm", "Chronological age 10 years", "adult height"):
        assert part in printed
    assert "Roe" not in printed
    document = pydicom.dcmread(BytesIO(made["DICOM structured report"]()))
    assert str(document.PatientName) == "Roe^R"


def test_an_image_gets_the_pdf_only(tiny_artifacts, made):
    from bad_files import image_file

    app = opened(image_file("PNG", draw_phantom(120, "female", 1)), "hand.png")
    assert "PDF to print" in made and "DICOM structured report" not in made
    assert "Chronological age Not stated" in words(made["PDF to print"]())
    assert not app.exception


def test_a_dicom_file_without_uids_says_why_there_is_no_structured_report(tiny_artifacts, made):
    app = opened(dicom_bytes(draw_phantom(120, "female", 1)), "hand.dcm")
    assert "DICOM structured report" not in made
    assert any("no valid Study Instance UID" in caption.value for caption in app.caption)
