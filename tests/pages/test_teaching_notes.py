"""Teaching notes on every page, and a lesson plan that is right about the app."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from apps import started

from boneage.atlas.ossification import STAGES
from boneage.growth.deviation import NORMAL, deviation
from boneage.growth.reference import SD_TABLES
from boneage.quiz.class_file import COLUMNS
from boneage.teaching_notes import NOTES

REPOSITORY = Path(__file__).resolve().parents[2]
LESSON = (REPOSITORY / "docs" / "lesson.md").read_text()
LINKS = sorted(set(re.findall(r"http://localhost:8501[^)>`\s]*", LESSON)))


def sources_of(page: str) -> str:
    """The source of a page and of its sections."""
    pages = REPOSITORY / "pages"
    files = [pages / f"{page}.py", *(pages / f"{page}_sections").glob("*.py")]
    return "\n".join(file.read_text() for file in files)


def test_every_page_has_notes():
    navigation = (REPOSITORY / "pages" / "navigation.py").read_text()
    pages = re.findall(r'st\.Page\("(\w+)\.py"', navigation)
    assert list(NOTES) == ["", *pages[1:]]
    assert all("*Often misunderstood:*" in note for note in NOTES.values())


def test_a_page_ends_with_its_notes_unless_it_is_presented():
    app = started()
    assert app.expander[-1].label == "Teaching notes"
    assert app.expander[-1].markdown[0].value.strip() == NOTES[""].strip()
    assert "Teaching notes" not in [one.label for one in started(present="1").expander]


@pytest.mark.parametrize("link", LINKS)
def test_the_links_of_the_lesson_name_a_page_and_what_it_reads(link):
    address = urlsplit(link)
    source = sources_of(address.path.strip("/") or "predict")
    for key in parse_qs(address.query, strict_parsing=bool(address.query)):
        assert f'"{key}"' in source


def test_the_lesson_says_what_the_package_says():
    for column, what in COLUMNS.items():
        assert f"| `{column}` | {what} |" in LESSON
    ages = {0: "birth", 10: "10 months", 14: "14 months"}
    for stage in STAGES:
        girls, boys = (
            ages.get(months, f"{months // 12} years") for months in stage.starts.values()
        )
        assert f"| {stage.title} | {girls} | {boys} |" in LESSON
    for table in SD_TABLES:  # "Is a bone age of 9 in a boy of 10 delayed? No."
        assert deviation(108, None, 120, "male", table).status == NORMAL
