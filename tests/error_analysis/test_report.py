import pytest

from boneage import artifacts
from boneage.cli import main
from boneage.datasets.blocks import acquisition_block
from boneage.error_analysis.report import report_html

MODEL = ("Tiny DenseNet (tests)", "#2F7FD6")


def test_a_report_is_one_file_that_needs_nothing_else(tiny_artifacts, tmp_path, capsys):
    out = tmp_path / "report.html"
    assert main(["report", "--model", "tiny_densenet", "--split", "test", "--out", str(out)]) == 0
    html = out.read_text(encoding="utf-8")
    assert str(out) in capsys.readouterr().out
    assert "Error analysis: Tiny DenseNet (tests)" in html
    assert "Untrained, for tests." in html
    assert "9.0 months" in html  # every prediction is 9 months too high
    assert "16 Bit" in html
    assert html.count("plotly-graph-div") == 11
    for words in (
        "Residuals by reference bone age",
        "Residuals by predicted bone age",
        "Calibration slope",
        "Regression to the mean",
        "Worst-performing subgroups",
        "Subgroups found by a decision tree",
    ):
        assert words in html
    assert "By inferred acquisition block" not in html  # the test set has none
    for remote in ("<script src", "<link", "<img"):
        assert remote not in html


def test_the_report_has_the_acquisition_blocks_of_rsna_cases(tiny_artifacts):
    cases = artifacts.read_predictions(artifacts.model_folder("tiny_densenet"))
    cases = cases[cases["split"] == "train"].assign(id=["1377", "4559", "4560", "5770"])
    blocks = cases.assign(block=acquisition_block(cases))
    html = report_html(*MODEL, "train", blocks, [])
    assert "By inferred acquisition block" in html
    assert "Ids 1377-4359" in html
    assert "Ids 4560-5770" in html
    assert "4 radiographs." in html
    assert "By inferred" not in report_html(*MODEL, "train", cases, [])
    assert "set, 1 radiograph." in report_html(*MODEL, "train", cases[:1], [])


def test_by_default_the_mean_of_all_models_is_reported(tiny_artifacts, tmp_path):
    out = tmp_path / "report.html"
    assert main(["report", "--split", "train", "--out", str(out)]) == 0
    html = out.read_text(encoding="utf-8")
    assert "Ensemble" in html
    assert "16 Bit" not in html


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--model", "densenet121"], "no trained densenet121"),
        (["--model", "tiny_densenet", "--recipe", "paper"], "choose one of: best"),
    ],
)
def test_what_is_not_there_is_one_sentence(tiny_artifacts, tmp_path, capsys, arguments, sentence):
    assert main(["report", *arguments, "--out", str(tmp_path / "report.html")]) == 2
    message = capsys.readouterr().err
    assert sentence in message
    assert message.count("\n") == 1


def test_words_from_files_cannot_become_markup(tiny_artifacts):
    cases = artifacts.read_predictions(artifacts.model_folder("tiny_densenet"))
    html = report_html(*MODEL, "test", cases, ["<script>alert(1)</script>"])
    assert "<script>alert" not in html
