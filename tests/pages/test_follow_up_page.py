"""The Follow-up page."""

from io import BytesIO

import pytest
import streamlit as st
from apps import run, started, texts
from bad_files import dicom_bytes
from PIL import Image

from boneage.datasets.phantoms import draw_phantom
from boneage.growth.course_file import read_course, write_course
from boneage.growth.follow_up import Reading
from boneage.inference.predictor import Prediction
from pages.follow_up_sections import course

EARLIER = Reading(84.0, 80.0, (70.0, 90.0), 0.9, "first.png", model="other")


@pytest.fixture
def app(tiny_artifacts, monkeypatch):
    monkeypatch.setattr(Prediction, "ensemble_months", 126.0)
    monkeypatch.setattr(Prediction, "intervals", lambda self, level: {"ensemble": (116.0, 136.0)})
    st.cache_data.clear()
    st.cache_resource.clear()
    app = started()
    app.switch_page("follow_up.py")
    return run(app)


@pytest.fixture
def downloads(monkeypatch):
    """What was offered as CSV."""
    written = []

    def kept(readings, sex):
        written.append(write_course(readings, sex))
        return written[-1]

    monkeypatch.setattr(course, "write_course", kept)
    return written


def png(seed=1) -> bytes:
    file = BytesIO()
    Image.fromarray(draw_phantom(96, "female", seed)).save(file, "PNG")
    return file.getvalue()


def dicom(**header) -> bytes:
    return dicom_bytes(draw_phantom(96, "male", 1), PatientSex="M", **header)


def upload(app, *files):
    app.file_uploader(key="course-radiographs").set_value([(*file, "") for file in files])
    return run(app)


def upload_course(app, content: bytes):
    app.file_uploader(key="course-csv").set_value(("course.csv", content, "text/csv"))
    return run(app)


def table(app):
    return app.data_editor[0].value


def test_the_page_is_in_the_menu_and_says_that_nothing_is_stored(app):
    assert app.title[0].value == "Follow-up of one child"
    assert "Nothing is stored" in texts(app) and "For teaching and research" in texts(app)
    assert not app.data_editor and not app.error


def test_dicom_dates_make_a_course(app, downloads):
    first = dicom(PatientBirthDate="20120301", StudyDate="20200301")
    second = dicom(PatientBirthDate="20120301", StudyDate="20220301")
    upload(app, ("a.dcm", first), ("b.dcm", second))
    assert app.segmented_control(key="course-sex").value == "male"
    shown = table(app)
    assert list(shown["years"]) == [8, 10] and list(shown["months"]) == [0, 0]
    assert [str(day)[:10] for day in shown["date"]] == ["2020-03-01", "2022-03-01"]
    assert list(shown["sd"]) == ["+3.3", "+0.6"]  # 30 / 9.1 and 6 / 9.79
    said = texts(app)
    assert "**Rate of maturation: 0.00 years of bone age per year**" in said
    assert "Last radiograph: **Normal (+0.6 SD).**" in said
    readings, sex = read_course(downloads[-1], "course.csv")
    assert sex == "male" and [r.name for r in readings] == ["a.dcm", "b.dcm"]
    assert readings[1].chronological_age_months == pytest.approx(120, abs=0.05)


def test_images_wait_for_the_sex_and_an_age(app):
    upload(app, ("a.png", png()))
    assert "Choose the sex" in app.info[0].value
    app.segmented_control(key="course-sex").set_value("female")
    run(app)
    assert "Enter the age or the date of birth" in app.info[0].value
    assert "Enter the age" in table(app)["note"][0]
    (key,) = app.session_state["course-files"]
    app.session_state["course-edits"] = {key: {"entered_age_months": 110.0}}
    run(app)
    assert (table(app)["years"][0], table(app)["months"][0]) == (9, 2)
    assert "needs radiographs at two or more ages" in app.info[0].value
    assert "Last radiograph: **Normal" in texts(app)


def test_a_course_is_continued_from_its_csv_file(app, downloads):
    upload_course(app, write_course([EARLIER], "male"))
    assert app.segmented_control(key="course-sex").value == "male"
    upload(app, ("b.dcm", dicom(PatientAge="010Y")))
    assert list(table(app)["radiograph"]) == ["first.png", "b.dcm"]
    assert "from 2 radiographs over 3 years" in texts(app)
    assert "1.28 years of bone age per year" in texts(app)  # 46 / 36
    assert "different models or versions" in app.warning[0].value
    assert read_course(downloads[-1], "course.csv")[0][0] == EARLIER


def test_a_radiograph_in_both_files_counts_once(app):
    again = Reading(120.0, 100.0, (90.0, 110.0), 0.9, "b.dcm")
    upload_course(app, write_course([EARLIER, again], "male"))
    upload(app, ("b.dcm", dicom(PatientAge="010Y")))
    assert list(table(app)["bone_age"]) == ["6 y 8 m", "10 y 6 m"]


def test_files_of_different_sexes_are_warned_about(app):
    upload_course(app, write_course([EARLIER], "female"))
    upload(app, ("b.dcm", dicom(PatientAge="010Y")))
    assert "different sexes" in app.warning[0].value


def test_one_childs_sex_does_not_pass_to_the_next(app):
    upload_course(app, write_course([EARLIER], "female"))
    app.file_uploader(key="course-csv").clear()
    run(app)
    assert app.segmented_control(key="course-sex").value is None


def test_bad_files_get_a_sentence_and_the_others_count(app):
    upload_course(app, b"id,boneage\n1,2\n")
    assert "no column sex" in app.error[0].value.replace("\\", "")
    app.file_uploader(key="course-csv").clear()
    upload(app, ("notes.txt", b"no image"), ("b.dcm", dicom(PatientAge="010Y")))
    assert "seems to be text" in table(app)["note"][0]
    assert table(app)["sd"][1] == "+0.6"
    assert not app.error


def test_the_example_is_one_course(app):
    app.toggle(key="course-example").set_value(True)
    run(app)
    assert list(table(app)["years"]) == [5, 13]
    assert "as if they were of one child" in app.info[0].value
    assert len(app.get("plotly_chart")) == 1
