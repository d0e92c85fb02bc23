"""The case report of one radiograph, to download; it is made when a button is clicked."""

from functools import partial
from pathlib import PurePath

import streamlit as st

from boneage.case_report.content import Case, CaseReport, Child, case_report
from boneage.errors import BoneAgeError
from boneage.formatting import as_plain_markdown
from boneage.inference.predictor import Prediction
from pages.radiographs import Source, Weights, load_predictor, opened
from pages.shared import show_error


@st.fragment  # a label redraws this part, and nothing else of the page
def show_report(
    weights: Weights, source: Source, prediction: Prediction, child: Child, level: float
) -> None:
    st.header("Case report", anchor=False)
    label = st.text_input(
        "Label (optional)",
        key=f"label-{source.key}",
        persist_state="session",
        max_chars=100,
        width=420,
        help="Printed above the file name. The PDF names no patient unless you do.",
    )
    known = opened(weights, source.digest, source.content, source.hand, source.frame)
    facts = load_predictor(weights).facts
    case = Case(
        prediction, facts, known.shown, source.name, label, source.which, tuple(known.others)
    )
    try:
        report = case_report(case, child, level=level, force=True)
    except BoneAgeError as error:
        show_error(error)
        return
    stem = PurePath(source.name).stem
    with st.container(horizontal=True):
        st.download_button(
            "PDF to print",
            partial(make_pdf, report),
            file_name=f"{stem}-bone-age.pdf",
            mime="application/pdf",
            icon=":material/print:",
            on_click="ignore",
            help="One page, A4 or US letter.",
        )
        if prediction.source.info and prediction.source.info.file_type == "DICOM":
            offer_structured_report(report, source, stem)


def offer_structured_report(report: CaseReport, source: Source, stem: str) -> None:
    from boneage.case_report.source_image import read_source_image  # and pydicom

    try:
        image = read_source_image(source.content, "DICOM")
    except BoneAgeError as error:
        st.caption(as_plain_markdown(str(error)))
        return
    st.download_button(
        "DICOM structured report",
        partial(make_structured_report, report, image),
        file_name=f"{stem}-bone-age-sr.dcm",
        mime="application/dicom",
        icon=":material/download:",
        on_click="ignore",
        help="It repeats name, identifiers and dates of the patient and the study from the file, "
        "to which it belongs.",
    )


# Imported when asked for: ReportLab and highdicom take seconds.
def make_pdf(report: CaseReport) -> bytes:
    from boneage.case_report.pdf import as_pdf

    return as_pdf(report)


def make_structured_report(report: CaseReport, image) -> bytes:
    from boneage.case_report.structured_report import as_structured_report

    return as_structured_report(report, image)
