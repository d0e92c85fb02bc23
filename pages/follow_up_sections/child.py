"""The files of one child, and the sex and date of birth."""

from dataclasses import dataclass
from datetime import date

import streamlit as st

from boneage.growth import text
from boneage.growth.course_file import read_course
from boneage.growth.follow_up import Reading
from boneage.radiographs.preprocessing import SEXES
from boneage.radiographs.raster import ACCEPTED_TYPES
from pages.radiographs import SEX_LABELS, Source, file_source
from pages.samples import sample_source, samples

EXAMPLE_SEX = "female"  # of which there are several samples


@dataclass(frozen=True)
class Files:
    """What was uploaded.

    sources: radiographs. readings: of earlier radiographs, from a CSV file, and their sex. ages: of
    the example, key of a source -> months.
    """

    sources: tuple[Source, ...]
    readings: tuple[Reading, ...]
    readings_sex: str | None
    ages: dict[str, float]

    @property
    def sexes(self) -> set[str]:
        """Every sex that a file states."""
        stated = [source.sex for source in self.sources] + [self.readings_sex]
        return {sex for sex in stated if sex}

    @property
    def keys(self) -> set:
        """What tells these files from others."""
        return {source.key for source in self.sources} | set(self.readings)


def choose_files() -> Files:
    """Radiographs and an earlier course; else the example, where it was asked for. LabelError."""
    left, right = st.columns([3, 2], gap="large")
    uploads = left.file_uploader(
        "Radiographs of one child: image or DICOM files",
        accept_multiple_files=True,
        key="course-radiographs",
        help=f"{ACCEPTED_TYPES}. Kept in memory while this page is open; never stored.",
    )
    earlier = right.file_uploader(
        "Continue a course (CSV file from this page)", type="csv", key="course-csv"
    )
    readings, sex = read_course(earlier.getvalue(), earlier.name) if earlier else ([], None)
    if not uploads and not earlier and st.toggle("Show an example", key="course-example"):
        return example()
    sources = [file_source(upload.file_id, upload.name, upload.getvalue()) for upload in uploads]
    return Files(tuple(sources), tuple(readings), sex, {})


def example() -> Files:
    """Samples of one sex at their own ages, as if they were of one child."""
    st.info(
        "Example: separate hands of girls, shown as if they were of one child.",
        icon=":material/info:",
    )
    chosen = {name: one for name, one in samples().items() if one.sex == EXAMPLE_SEX}
    ages = {name: float(one.months) for name, one in chosen.items()}
    return Files(tuple(map(sample_source, chosen)), (), None, ages)


def ask_about_the_child(files: Files) -> tuple[str | None, date | None]:
    """The sex and the date of birth, either None while unknown."""
    prefill(files)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        sex = st.segmented_control("Sex", SEXES, format_func=SEX_LABELS.get, key="course-sex")
        birth = st.date_input(
            "Date of birth (optional)",
            value=None,
            min_value=date(1900, 1, 1),
            max_value="today",
            format="YYYY-MM-DD",
            key="course-birth",
            width=220,
            help="With the date of each radiograph it gives the chronological ages. It is not "
            "written into the CSV file.",
        )
    if sex and (sentence := text.other_sex(files.sexes, sex)):
        st.warning(sentence, icon=":material/warning:")
    return sex, birth


def prefill(files: Files) -> None:
    """Put in the sex that new files state; one child's sex and birth never pass to the next."""
    state = st.session_state
    before, state["course-files"] = state.get("course-files", set()), files.keys
    if files.keys == before:
        return
    if before and not before & files.keys:
        state["course-sex"] = state["course-birth"] = None
    if len(files.sexes) == 1:
        (state["course-sex"],) = files.sexes
