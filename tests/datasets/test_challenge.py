import re
from pathlib import Path

import pytest

from boneage.datasets.challenge import CITATION, RADIOGRAPHS, radiographs_folder

ROOT = Path(__file__).resolve().parents[2]


def test_the_citation_is_that_of_the_issue_of_the_journal():
    assert CITATION.endswith("Radiology 2019;290(2):498-503.")


def test_the_readme_of_the_atlas_cites_it():
    assert CITATION in (ROOT / "artifacts/atlas/README.md").read_text()


@pytest.mark.parametrize("folder", ["boneage", "pages", "artifacts"])
def test_no_other_form_of_it_is_anywhere(folder):
    for path in (ROOT / folder).rglob("*"):
        if path.suffix in (".py", ".csv", ".md"):
            found = re.findall(r"Radiology \d{4};\s?290\S*", path.read_text(encoding="utf-8"))
            assert all(one.startswith("Radiology 2019;290(2):498-503") for one in found), path


def test_the_folder_of_the_radiographs_is_that_of_the_environment_variable(monkeypatch, tmp_path):
    monkeypatch.setenv(RADIOGRAPHS, str(tmp_path))
    assert radiographs_folder() == tmp_path
    for nothing in (
        lambda: monkeypatch.setenv(RADIOGRAPHS, ""),
        lambda: monkeypatch.delenv(RADIOGRAPHS),
    ):
        nothing()
        assert radiographs_folder() is None
