"""The benchmarks run, on tiny models; their numbers mean nothing here."""

import re

import pytest

from benchmarks import __main__ as main
from benchmarks import models
from benchmarks.measuring import REPOSITORY, in_short, markdown, run

NUMBER = r"\d+(?:\.\d+)?"


def test_warm_latency_and_memory_make_a_table(tiny_artifacts, monkeypatch):
    monkeypatch.setattr(models, "HEIGHTS", (300,))
    heading, line, row = markdown(models.warm(repeats=1)).splitlines()
    assert heading.startswith("| PNG file | prediction, ms | ")
    assert line == "|" + " --- |" * 6
    times = rf" \| {NUMBER} \({NUMBER}\)" * 3
    found = re.fullmatch(rf"\| 300 rows{times} \| ({NUMBER}) \| ({NUMBER}) \|", row)
    assert found, row
    ratio, megabytes = map(float, found.groups())
    assert ratio > 0
    assert megabytes > 100


def test_a_process_is_timed_and_its_peak_memory_told(tmp_path, monkeypatch):
    (tmp_path / "large.py").write_text("print(len(b'1' * 300_000_000), flush=True)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    large = run("large")
    assert large.lines == ["300000000\n"]
    assert 0 < large.first_line <= large.end
    assert large.megabytes > 300


def test_a_command_that_fails_has_no_time(tmp_path, monkeypatch):
    (tmp_path / "fails.py").write_text("raise SystemExit(2)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="Exit status 2 of .* -m fails"):
        run("fails")


def test_minimum_and_median_in_short():
    assert in_short([3.0, 1.24, 2.0], digits=1) == "1.2 (2.0)"


def test_only_the_section_between_the_markers_is_replaced(tmp_path):
    path = tmp_path / "performance.md"
    path.write_text(f"Method\n{main.START}old\n{main.END}Notes\n")
    main.replace_section(path, "new\n")
    assert path.read_text() == f"Method\n{main.START}\nnew\n\n{main.END}Notes\n"
    path.write_text("Method\n")
    with pytest.raises(SystemExit, match="performance.md lacks the lines"):
        main.replace_section(path, "new\n")


def test_the_document_has_the_section():
    text = (REPOSITORY / "docs" / "performance.md").read_text()
    assert text.count(main.START) == text.count(main.END) == 1
    assert text.index(main.START) < text.index("### Warm latency") < text.index(main.END)
