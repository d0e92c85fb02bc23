import re
from importlib.metadata import version

import pytest

from boneage import __version__
from boneage.evaluation import citations
from boneage.evaluation.intervals import NORMAL_FROM


def test_a_text_is_cited_once_each_in_its_order():
    text, bibtex = citations.cited("A [@holm1979; @efron1993], B [@efron1993] and C [@weerts2023].")
    assert text == (
        "A (Holm 1979; Efron and Tibshirani 1993), B (Efron and Tibshirani 1993) and "
        "C (Weerts et al. 2023)."
    )
    assert re.findall(r"@\w+{(\w+),", bibtex) == ["holm1979", "efron1993", "weerts2023"]
    with pytest.raises(KeyError):
        citations.cited("[@nobody1900]")


def test_the_software_is_cited_with_all_versions():
    text, bibtex = citations.cited(citations.versions_in_words())
    for library in ("numpy", "pandas", "scipy", "scikit-learn"):
        assert version(library) in text
    assert f"boneage {__version__} (The boneage authors 2026)" in text
    assert f"version = {{{__version__}}}" in bibtex
    assert "[@" not in text


def test_intervals_of_very_many_cases_are_called_what_they_are():
    assert "(1,000 resamples)" in citations.bootstrap_in_words(200, 1000)
    assert "normal limit" in citations.bootstrap_in_words(NORMAL_FROM, 1000)


def test_every_entry_is_whole():
    for key, entry in citations._entries().items():
        assert entry.count("{") == entry.count("}"), key
        for field in ("author", "title", "year"):
            assert re.search(rf"^  {field}\s*= {{.+}},?$", entry, re.M), (key, field)
        assert citations.cited(f"[@{key}]")[0].count("(") == 1
