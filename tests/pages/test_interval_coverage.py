"""The part of the error analysis that checks the prediction intervals."""

import shutil

import pytest
from apps import run, started, texts
from plain import plain

from boneage import artifacts
from boneage.evaluation.conformal import coverage_table
from boneage.wording import covered

HEADING = "How sure is it, and rightly so?"


@pytest.fixture
def page(calibrated_artifacts, tmp_path, monkeypatch):
    root = shutil.copytree(calibrated_artifacts, tmp_path / "artifacts")
    for name in ("tiny_densenet", "tiny_resnet_cbam"):
        folder = root / "models" / name
        (folder / "paper").mkdir()
        for file in (artifacts.FACTS, artifacts.HISTORY, artifacts.PREDICTIONS, artifacts.METRICS):
            shutil.copy(folder / file, folder / "paper")
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(root))
    return started("pages/error_analysis.py")


def choose(page, key, value):
    page.segmented_control(key=key).set_value(value)
    return run(page)


def headings(page):
    return [header.value for header in page.header]


def stated(folder, model) -> list[str]:
    """What the 90 % intervals of a model hold of the validation half and of the test set."""
    names = artifacts.available_models(folder)
    table = coverage_table(
        {name: artifacts.read_predictions(folder / "models" / name) for name in names}
    )
    rows = table[(table["model"] == model) & (table["level"] == 0.9) & (table["group"] == "all")]
    return [covered(row.n, row.coverage, row.low, row.high) for row in rows.itertuples()]


def test_the_intervals_of_the_model_chosen_are_checked(page, calibrated_artifacts):
    assert HEADING in headings(page)
    assert len(page.get("plotly_chart")) == 10
    for model in ("ensemble", "tiny_densenet"):
        choose(page, "model", model)
        for words in stated(calibrated_artifacts, model):
            assert plain(words) in texts(page)
        assert stated(calibrated_artifacts, model)[0] in page.dataframe[0].value["test"].tolist()


def test_the_check_does_not_depend_on_the_radiographs_chosen(page):
    before = page.dataframe[0].value
    choose(page, "of_sex", "female")
    choose(page, "split", "validation")
    assert page.dataframe[0].value.equals(before)


def test_only_published_weights_have_intervals(page):
    choose(page, "recipe", "paper")
    assert HEADING not in headings(page)
    choose(page, "recipe", "best")
    rows = "\n".join(f"c{i};{40 + i};F;{47 + i}" for i in range(60))
    content = f"id;age_months;sex;prediction_months\n{rows}\n".encode()
    page.file_uploader[0].set_value([("mine.csv", content, "text/csv")])
    run(page)
    assert HEADING not in headings(page)
