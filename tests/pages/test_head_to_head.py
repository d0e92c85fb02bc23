import dataclasses
import shutil
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from apps import alts, heavy_imports, made_up_cases, run, started, texts
from bad_files import bad_files, dicom_bytes, image_file
from PIL import Image
from plain import plain

from boneage import artifacts
from boneage.datasets.phantoms import draw_phantom
from boneage.evaluation.metrics import error_metrics
from boneage.figures import palette
from boneage.formatting import age_in_words, as_plain_markdown
from boneage.inference.predictor import Predictor
from boneage.quality.quality_check import QualityCheck

PAGE = "pages/head_to_head.py"
DENSENET, RESNET = "Tiny DenseNet (tests)", "Tiny ResNet+CBAM (tests)"
CHARTS = 4
MAPS = {
    f"Grad-CAM of {DENSENET}",
    f"Grad-CAM of {RESNET}",
    "Difference between the two Grad-CAM maps",
    *(f"Spatial attention of stage {n} of {RESNET}" for n in (1, 2, 3, 4)),
}


@pytest.fixture(scope="module")
def folder(_tiny_artifacts_folder, tmp_path_factory):
    """Both tiny models on 360 cases: the DenseNet is better by far, in its paper as good."""
    root = tmp_path_factory.mktemp("compared") / "artifacts"
    shutil.copytree(_tiny_artifacts_folder, root)
    rng = np.random.default_rng(4)
    n = 360
    cases = made_up_cases(rng, n)
    age = cases["reference_months"]
    for name, spread in (("tiny_densenet", 6), ("tiny_resnet_cbam", 20)):
        model = root / "models" / name
        predicted = cases.assign(prediction_months=age + rng.normal(0, spread, n))
        artifacts.write_predictions(model, predicted)
        history = pd.DataFrame({"epoch": [1, 2], "val_mae": [30.0, 9.0], "seconds": [20.0, 40.0]})
        artifacts.write_history(model, history)
        paper = model / "paper"
        facts = artifacts.read_facts(model)
        facts = dataclasses.replace(facts, training_seconds=7200.0, warm_start={"preset": "smoke"})
        artifacts.write_facts(paper, facts)
        artifacts.write_history(paper, history)
        alike = cases.assign(prediction_months=age + rng.normal(0, 8, n))
        artifacts.write_predictions(paper, alike)
    return root


@pytest.fixture
def page(folder, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(folder))
    return started(PAGE)


def choose(page, key, value):
    page.segmented_control(key=key).set_value(value)
    return run(page)


def mae(folder, split, model="tiny_densenet", **wanted) -> str:
    """The MAE that the table ought to show."""
    cases = artifacts.read_predictions(folder / "models" / model)
    for column, value in {"split": split, **wanted}.items():
        cases = cases[cases[column] == value]
    return f"{error_metrics(cases['reference_months'], cases['prediction_months'])['mae']:.1f}"


def table(page) -> str:
    return next(h.proto.body for h in page.html if "Weights file" in h.proto.body)


def row(page, label: str) -> str:
    return next(row for row in table(page).split("<tr") if f">{label}<" in row)


def images(page) -> set[str]:
    return set(alts(page))


def age_cards(page) -> list[str]:
    return [h.proto.body for h in page.html if "font-size:2.3rem" in h.proto.body]


def upload(page, name: str, content: bytes):
    page.file_uploader[-1].set_value((name, content, ""))
    return run(page)


def png() -> bytes:
    file = BytesIO()
    Image.fromarray(draw_phantom(96, "female", 1)).save(file, "PNG")
    return file.getvalue()


# The comparison -----------------------------------------------------------------------------


def test_the_page_opens_with_a_conclusion_on_the_test_radiographs(page, folder):
    assert page.title[0].value == "Comparison of two models"
    assert page.markdown[1].value.startswith(
        f"**{DENSENET} has the smaller error** on these 120 test radiographs: MAE "
        f"{mae(folder, 'test')} months for {DENSENET} and "
    )
    assert " the ensemble" in page.markdown[2].value
    assert page.markdown[3].value.startswith(
        f"**Bias** (mean residual, + overestimated): {DENSENET}"
    )
    assert page.markdown[3].value.count("girls") == 3
    assert "between these weights, not between the architectures" in page.caption[0].value
    assert "mean of six readings" in page.caption[0].value
    assert len(page.get("plotly_chart")) == CHARTS
    assert not page.error


def test_the_better_model_is_marked_and_the_mean_is_not(page, folder):
    shown = row(page, "MAE")
    assert f"<b>{mae(folder, 'test')}</b>" in shown
    assert shown.count("✓") == 1
    assert mae(folder, "test", "tiny_resnet_cbam") in shown
    assert "✓" not in row(page, "MAE, original report")


def test_every_figure_and_cost_has_its_row(page):
    for label in (
        *("MAE", "RMSE", "R²", "Bias", "Median absolute error", "Within 6 months"),
        *("Within 12 months", "Within 24 months", "Parameters", "Weights file", "Input"),
        *("Compute per image", "Inference time per image", "Training time"),
    ):
        assert row(page, label).count("<td") == 4
    assert "16 Bit (challenge winner)" in texts(page)
    assert "must not be mixed" in texts(page)
    assert "McNemar" in texts(page)
    assert "adjusted by Holm's method" in texts(page)
    assert "label noise, which both models share" in texts(page).lower()


def test_another_split_changes_the_figures_and_the_yardstick(page, folder):
    choose(page, "split", "validation")
    assert "120 validation radiographs" in page.markdown[1].value
    assert "one clinical reading" in page.caption[0].value
    assert mae(folder, "validation") in row(page, "MAE")


def test_one_sex_alone_is_compared_on_its_own(page, folder):
    choose(page, "of_sex", "female")
    assert "test radiographs of girls" in page.markdown[1].value
    assert mae(folder, "test", sex="female") in row(page, "MAE")


def test_another_recipe_has_its_own_conclusion_and_no_weights_to_time(page):
    choose(page, "recipe", "paper")
    assert "difference between" in page.markdown[1].value
    assert row(page, "Weights file").count("–") == 3
    assert "2 h" in row(page, "Training time")
    assert row(page, "MAE, best").count("✓") == 1
    assert not page.button
    assert "Predicted with the published weights" in texts(page)
    assert "the curves show the last stage only" in texts(page)


def test_a_whole_training_is_not_called_the_last_stage(page):
    assert "last stage" not in texts(page)


def test_a_link_opens_the_same_view(folder, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(folder))
    page = started(PAGE, split="Training", of_sex="Boys", recipe="Original report")
    assert "training radiographs of boys" in page.markdown[1].value
    assert page.segmented_control(key="recipe").value == "paper"


def test_new_predictions_are_compared_anew(page, folder, tmp_path, monkeypatch):
    assert "has the smaller error" in page.markdown[1].value
    shutil.copytree(folder, tmp_path / "artifacts")
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path / "artifacts"))
    models = tmp_path / "artifacts" / "models"
    same = artifacts.read_predictions(models / "tiny_densenet")
    artifacts.write_predictions(models / "tiny_resnet_cbam", same)
    run(page)
    assert "0.0 to 0.0; p = 1): equivalent within 1 month" in plain(page.markdown[1].value)


# Time ---------------------------------------------------------------------------------------


def test_the_time_is_measured_on_demand_and_kept(page):
    assert row(page, "Inference time per image").count("–") == 3
    page.button[0].click()
    run(page)
    assert "–" not in row(page, "Inference time per image")
    measured = row(page, "Inference time per image")
    choose(page, "split", "validation")
    assert row(page, "Inference time per image") == measured


def test_a_damaged_model_cannot_be_timed_and_the_page_goes_on(folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path / "artifacts")
    graph = tmp_path / "artifacts" / "models" / "tiny_densenet" / artifacts.GRAPH
    graph.write_bytes(graph.read_bytes()[:1000])
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path / "artifacts"))
    st.cache_resource.clear()
    page = started(PAGE)
    page.button[0].click()
    run(page)
    assert len(page.error) == 1
    assert "truncated" in page.error[0].value
    page.pills(key="sample").set_value("Girl, 5 years")
    run(page)
    assert "truncated" in page.error[-1].value
    assert len(page.get("plotly_chart")) == CHARTS
    st.cache_resource.clear()


# One radiograph -----------------------------------------------------------------------------


def test_a_drawing_goes_through_both_at_one_click(page):
    assert not images(page)
    page.pills(key="sample").set_value("Boy, 9 years")
    run(page)
    assert page.segmented_control(key="sex_of_radiograph").value == "male"
    assert images(page) == MAPS
    said = texts(page)
    assert "Ensemble" in said
    assert "This hand is a drawing" in said
    assert f"{DENSENET} more" in said


def test_the_mean_of_both_is_weighted_as_everywhere(page, monkeypatch):
    ages = {"tiny_densenet": np.array([60.0]), "tiny_resnet_cbam": np.array([160.0])}
    run_model = Predictor._run

    def run_and_replace_the_age(self, name, *arguments):
        return run_model(self, name, *arguments) | {"bone_age": ages[name]}

    monkeypatch.setattr(Predictor, "_run", run_and_replace_the_age)
    monkeypatch.setattr(QualityCheck, "judge", lambda *_: [None])
    st.cache_resource.clear()
    page.pills(key="sample").set_value("Boy, 9 years")
    run(page)
    weights = Predictor().weights
    assert weights["tiny_densenet"] > 0.8  # the plain mean, of 9 y 2 m, would be far off
    mean = 60 * weights["tiny_densenet"] + 160 * weights["tiny_resnet_cbam"]
    assert f">{age_in_words(mean)}<" in texts(page)
    st.cache_resource.clear()


def test_an_upload_waits_for_the_sex(page):
    upload(page, "hand.png", png())
    assert "Choose the sex" in page.info[0].value
    assert not images(page)
    choose(page, "sex_of_radiograph", "female")
    assert images(page) == MAPS
    assert "drawing:" not in texts(page)


def test_the_sex_of_one_radiograph_is_not_that_of_the_next(page):
    page.pills(key="sample").set_value("Boy, 9 years")
    run(page)
    upload(page, "hand.png", png())
    assert page.segmented_control(key="sex_of_radiograph").value is None


def test_a_dicom_file_says_the_sex_itself(page):
    upload(page, "IM0001", dicom_bytes(draw_phantom(96, "male", 1), PatientSex="M"))
    assert page.segmented_control(key="sex_of_radiograph").value == "male"
    assert images(page) == MAPS
    choose(page, "sex_of_radiograph", "female")
    assert "states male, but female was used" in page.warning[0].value


def test_one_of_both_hands_on_a_film_is_chosen(phantom_shapes, page):
    st.cache_resource.clear()
    hand = draw_phantom(96, "female", 1)
    upload(page, "both.png", image_file("PNG", np.hstack([hand, hand[:, ::-1]])))
    choose(page, "sex_of_radiograph", "female")
    (hands,) = [control for control in page.segmented_control if control.label == "Hand"]
    assert set(hands.options) == {
        "Left hand (probable)",
        "Right hand (probable)",
    }
    assert images(page) == MAPS
    maps = [element.value for element in page.image]
    hands.set_value(1)
    run(page)
    assert [element.value for element in page.image] != maps
    st.cache_resource.clear()


def test_a_photograph_of_a_film_is_warned_about(page):
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    hand = draw_phantom(96, "female", 1)
    upload(page, "film.jpg", image_file("JPEG", hand, exif=exif.tobytes(), quality=95))
    choose(page, "sex_of_radiograph", "female")
    assert "photograph of a film" in page.warning[0].value
    assert images(page) == MAPS


def test_upload_or_sample_whichever_came_last_is_shown(page):
    upload(page, "hand.png", png())
    page.pills(key="sample").set_value("Boy, 9 years")
    run(page)
    assert page.segmented_control(key="sex_of_radiograph").value == "male"
    assert "This hand is a drawing" in texts(page)
    upload(page, "hand.png", png())
    assert page.pills(key="sample").value is None
    choose(page, "sex_of_radiograph", "female")
    assert "This hand is a drawing" not in texts(page)
    assert images(page) == MAPS


def test_an_image_that_is_no_radiograph_gets_no_age(page):
    hands = [draw_phantom(96, "female", seed) for seed in (1, 2, 3)]
    file = BytesIO()
    Image.fromarray(np.stack(hands, axis=2)).save(file, "PNG")
    upload(page, "beach.png", file.getvalue())
    choose(page, "sex_of_radiograph", "female")
    assert "No bone age for this image" in page.warning[0].value
    assert "in color" in page.warning[0].value
    assert not age_cards(page)
    assert images(page) == {"The refused image"}
    next(b for b in page.button if b.label == "Show the prediction anyway").click()
    run(page)
    assert "Refused by the quality check" in page.error[0].value
    (cards,) = age_cards(page)
    assert cards.count("Not reliable: refused by the quality check") == 3
    assert palette.model_color("tiny_densenet") not in cards  # gray
    assert "than Tiny" not in texts(page)  # the models are not compared
    assert images(page) == MAPS


@pytest.mark.parametrize("what", ["text", "png bomb", "dicom without pixels"])
def test_a_bad_file_gets_one_sentence_and_the_page_goes_on(page, what):
    name, content = bad_files()[what]
    upload(page, name, content)
    assert len(page.error) == 1
    assert page.error[0].value.startswith(f"**{as_plain_markdown(name)}:**")
    assert len(page.get("plotly_chart")) == CHARTS


def test_an_empty_map_is_said_to_be_empty(page, monkeypatch):
    explain = Predictor.explain

    def nothing_there(self, prediction, name):
        explanation = explain(self, prediction, name)
        return dataclasses.replace(explanation, gradcam=0 * explanation.gradcam)

    monkeypatch.setattr(Predictor, "explain", nothing_there)
    st.cache_resource.clear()
    page.pills(key="sample").set_value("Girl, 13 years")
    run(page)
    assert texts(page).count("This map is empty") == 2
    st.cache_resource.clear()


# Other images ---------------------------------------------------------------------------


def write_robustness(root, model_sha256: str | None = None) -> None:
    """What the verb would write for both models, the ensemble and two of the changes."""
    models = root / "models"
    facts = {folder.name: artifacts.read_facts(folder) for folder in sorted(models.iterdir())}
    rows = [
        {"perturbation": change, "model": model, "n": 120, "model_sha256": model_sha256 or sha256}
        | {
            name + end: ratio
            for name in ("mae", "change", "ratio")
            for end in ("", "_low", "_high")
        }
        for change, ratio in (("clean", 1.0), ("mirrored", 1.1), ("cut_15", 2.5))
        for model, sha256 in artifacts.fingerprints(facts).items()
    ]
    artifacts.write_robustness(pd.DataFrame(rows))


def test_errors_on_other_images_are_shown_where_they_were_measured(folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path / "artifacts")
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path / "artifacts"))
    heading = "Robustness to image changes"
    assert heading not in texts(started(PAGE))

    write_robustness(tmp_path / "artifacts")
    page = started(PAGE)
    assert heading in texts(page)
    assert "on 120 radiographs" in texts(page)
    assert len(page.get("plotly_chart")) == CHARTS + 1
    assert "MAE ratio by image change: 1 of 2" in page.get("plotly_chart")[-1].proto.spec

    write_robustness(tmp_path / "artifacts", model_sha256="0" * 64)  # of models that are gone
    page = started(PAGE)
    assert heading not in texts(page)
    assert len(page.get("plotly_chart")) == CHARTS


# Artifacts that are not as they should be ---------------------------------------------------


def test_a_few_cases_are_shown_without_a_conclusion(tiny_artifacts):
    page = started(PAGE)
    assert page.markdown[1].value.startswith("**No conclusion: 4 radiographs, fewer than 20.**")
    assert len(page.get("plotly_chart")) == CHARTS


def test_one_model_alone_says_which_is_missing_and_how_to_train_it(
    tiny_artifacts, tmp_path, monkeypatch
):
    name = "tiny_densenet"
    shutil.copytree(tiny_artifacts / "models" / name, tmp_path / "models" / name)
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path))
    page = started(PAGE)
    assert "Missing: DenseNet121 and ResNet34+CBAM." in page.info[0].value
    assert "train --model resnet34_cbam" in page.code[1].value
    assert "16 Bit (challenge winner)" in texts(page)
    assert not page.get("plotly_chart")
    assert not page.segmented_control


def test_tables_without_a_common_case_get_one_sentence(folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path / "artifacts")
    model = tmp_path / "artifacts" / "models" / "tiny_densenet"
    cases = artifacts.read_predictions(model)
    artifacts.write_predictions(model, cases[cases["split"] != "test"])
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path / "artifacts"))
    page = started(PAGE)
    assert len(page.error) == 1
    assert "share no case" in page.error[0].value
    assert page.file_uploader
    choose(page, "split", "train")
    assert not page.error


def test_damaged_facts_get_one_sentence(folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path / "artifacts")
    facts = tmp_path / "artifacts" / "models" / "tiny_densenet" / artifacts.FACTS
    facts.write_text("{")
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path / "artifacts"))
    page = started(PAGE)
    assert len(page.error) == 1
    assert "is not valid JSON" in page.error[0].value.replace("\\", "")


def test_comparing_does_not_import_tensorflow(folder):
    script = (
        "from streamlit.testing.v1 import AppTest\n"
        f"app = AppTest.from_file({PAGE!r}, default_timeout=60).run()\n"
        "assert len(app.get('plotly_chart')) == 4 and not app.exception\n"
    )
    assert heavy_imports(script, BONEAGE_ARTIFACTS=str(folder)) == "[]"
