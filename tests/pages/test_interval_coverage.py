"""The part of the error analysis that checks the prediction intervals."""

import shutil

import pytest
from apps import run, started, texts
from plain import plain

from boneage import artifacts
from boneage.cli import main
from boneage.formatting import covered

SECTION, SENTENCE = "Interval coverage", "The 90% prediction interval covers"


@pytest.fixture(scope="module")
def root(calibrated_artifacts, tmp_path_factory):
    """Both tiny models, another recipe of each, and the coverage measured on them."""
    root = shutil.copytree(calibrated_artifacts, tmp_path_factory.mktemp("covered") / "artifacts")
    for name in ("tiny_densenet", "tiny_resnet_cbam"):
        folder = root / "models" / name
        (folder / "paper").mkdir()
        for file in (artifacts.FACTS, artifacts.HISTORY, artifacts.PREDICTIONS, artifacts.METRICS):
            shutil.copy(folder / file, folder / "paper")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BONEAGE_ARTIFACTS", str(root))
        assert main(["coverage"]) == 0
    return root


@pytest.fixture
def page(root, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(root))
    return started("pages/error_analysis.py", section=SECTION)


def choose(page, key, value):
    page.segmented_control(key=key).set_value(value)
    return run(page)


def stated(model) -> list[str]:
    """What the 90% intervals of a model cover of the test set and of the validation set."""
    table = artifacts.read_coverage()
    rows = table[(table["model"] == model) & (table["level"] == 0.9) & (table["group"] == "all")]
    return [covered(row.n, row.coverage, row.low, row.high) for row in rows.itertuples()]


def test_the_coverage_of_the_model_chosen_is_told(page):
    assert SENTENCE in texts(page)
    assert len(page.get("plotly_chart")) == 2
    for model in ("ensemble", "tiny_densenet"):
        choose(page, "model", model)
        test, validation = stated(model)
        assert f"{plain(validation)} validation radiographs and {plain(test)} test" in texts(page)
        assert page.dataframe[0].value["test"].tolist()[0] == test
        assert validation.endswith(" of 400")


def test_how_coverage_is_measured_is_told(page):
    said = texts(page)
    assert "95% CIs" in said
    assert "blocks are inferred" in said
    assert "a single clinical reading" in said
    assert "the mean of six readings" in said
    assert "ensemble weight were chosen on the same validation" in said


def test_coverage_of_other_models_is_not_shown(root, tmp_path, monkeypatch):
    copy = shutil.copytree(root, tmp_path / "artifacts")
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(copy))
    page = started("pages/error_analysis.py", section=SECTION)
    assert SENTENCE in texts(page)
    table = artifacts.read_coverage()
    artifacts.write_coverage(table.assign(model_sha256="0" * 64))
    run(page)
    assert "has not been measured for these models: run `python -m boneage" in texts(page)
    assert SENTENCE not in texts(page)
    (copy / artifacts.COVERAGE).unlink()
    run(page)
    assert "has not been measured for these models" in texts(page)


def test_coverage_does_not_depend_on_the_radiographs_chosen(page):
    before = page.dataframe[0].value
    choose(page, "of_sex", "female")
    choose(page, "split", "validation")
    assert page.dataframe[0].value.equals(before)


def test_only_published_weights_have_intervals(page):
    choose(page, "recipe", "paper")
    assert "computed for the published models only" in texts(page)
    assert SENTENCE not in texts(page)
    choose(page, "recipe", "best")
    rows = "\n".join(f"c{i};{40 + i};F;{47 + i}" for i in range(60))
    content = f"id;reference_months;sex;prediction_months\n{rows}\n".encode()
    page.file_uploader[0].set_value([("mine.csv", content, "text/csv")])
    run(page)
    assert SENTENCE not in texts(page)
