import io
import json
import shutil

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from apps import heavy_imports, made_up_cases, run, started, texts

from boneage import artifacts
from boneage.datasets import labels
from boneage.error_analysis import analysis
from boneage.evaluation.metrics import error_metrics, metrics_table

CHARTS = {"Residuals": 3, "Calibration": 1, "Agreement": 4}


@pytest.fixture(scope="module")
def folder(_tiny_artifacts_folder, tmp_path_factory):
    """Both tiny models with 240 cases; the DenseNet is known to be 20 months off in its paper."""
    root = tmp_path_factory.mktemp("analyzed") / "artifacts"
    shutil.copytree(_tiny_artifacts_folder, root)
    rng = np.random.default_rng(3)
    n = 240
    cases = made_up_cases(rng, n)
    cases["id"] = [str(5651 + number) for number in range(n)]  # of two acquisition blocks
    cases["contrast"] = rng.uniform(20, 80, n).round(2)
    age = cases["reference_months"]
    for name, spread in (("tiny_densenet", 9), ("tiny_resnet_cbam", 12)):
        predicted = cases.assign(prediction_months=age + rng.normal(0, spread, n))
        write(root / "models" / name, predicted)
        paper = root / "models" / name / "paper"
        paper.mkdir()
        shutil.copy(root / "models" / name / artifacts.FACTS, paper)
        shutil.copy(root / "models" / name / artifacts.HISTORY, paper)
        write(paper, cases.assign(prediction_months=age + 20))
    return root


def write(folder, predictions):
    artifacts.write_predictions(folder, predictions)
    table = artifacts.read_predictions(folder)
    artifacts.write_metrics(folder, metrics_table(table, n_resamples=20))


@pytest.fixture
def page(folder, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(folder))
    monkeypatch.delenv("BONEAGE_RSNA", raising=False)
    return opened()


def opened(**query):
    return started("pages/error_analysis.py", **query)


def choose(page, key, value):
    page.segmented_control(key=key).set_value(value)
    return run(page)


def opened_section(page, name):
    page.session_state["section"] = name
    return run(page)


def shown_mae(page) -> str:
    tiles = next(h.proto.body for h in page.html if "Median absolute error" in h.proto.body)
    return tiles.split("MAE</div>")[1].split(">")[1].split("<")[0]


def titles(page) -> list[str]:
    """Of all charts."""
    charts = [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]
    return [chart["layout"]["title"]["text"].replace("<br>", " ") for chart in charts]


def stated_mae(folder, name, query) -> str:
    cases = artifacts.read_predictions(folder / "models" / name).query(query)
    return (
        f"{error_metrics(cases['reference_months'], cases['prediction_months'])['mae']:.1f} months"
    )


def headings(page):
    return [header.value for header in page.header]


def test_the_page_opens_on_the_mean_of_both_models_and_the_test_set(page):
    assert page.title[0].value == "Error analysis"
    assert headings(page) == ["Ensemble: 80 radiographs"]
    assert "mean of six readings" in texts(page)
    assert [tab.label for tab in page.tabs] == [
        "Residuals",
        "Calibration",
        "Agreement",
        "Interval coverage",
        "Subgroups",
        "Published results",
        "Export",
    ]
    assert len(page.get("plotly_chart")) == CHARTS["Residuals"]


@pytest.mark.parametrize("section", CHARTS)
def test_only_the_open_section_is_drawn(page, section):
    assert len(opened_section(page, section).get("plotly_chart")) == CHARTS[section]
    linked = opened(section=section)
    assert len(linked.get("plotly_chart")) == CHARTS[section]
    assert titles(linked) == titles(page)


def test_every_choice_changes_the_figures(page, folder):
    choose(page, "model", "tiny_densenet")
    assert shown_mae(page) == stated_mae(folder, "tiny_densenet", "split == 'test'")
    choose(page, "split", "validation")
    assert shown_mae(page) == stated_mae(folder, "tiny_densenet", "split == 'validation'")
    assert "one clinical reading" in texts(page)
    choose(page, "of_sex", "female")
    query = "split == 'validation' and sex == 'female'"
    assert shown_mae(page) == stated_mae(folder, "tiny_densenet", query)
    assert "unlike your selection" in texts(opened_section(page, "Published results"))
    page.slider(key="years").set_value((5, 15))
    run(page)
    query += " and 60 <= reference_months <= 180"
    assert shown_mae(page) == stated_mae(folder, "tiny_densenet", query)


def test_a_recipe_other_than_the_published_one_can_be_seen(page):
    choose(page, "recipe", "paper")
    assert shown_mae(page) == "20.0 months"


def test_published_results_stand_beside_their_own_yardstick_only(page):
    assert "16 Bit" in texts(opened_section(page, "Published results"))
    choose(page, "split", "train")
    assert "16 Bit" not in texts(page)
    assert "Results are published on test and validation radiographs" in texts(page)
    choose(page, "split", "validation")
    bars = next(h.proto.body for h in page.html if "16 Bit" in h.proto.body)
    assert "6.8" in bars
    assert "Deeplasia" not in bars


def test_a_link_opens_the_same_view(page, folder):
    linked = opened(model="Tiny DenseNet (tests)", split="Training", of_sex="Boys")
    query = "split == 'train' and sex == 'male'"
    assert shown_mae(linked) == stated_mae(folder, "tiny_densenet", query)


def test_an_empty_choice_is_told(page):
    page.slider(key="years").set_value((0, 0))
    run(page)
    assert "No radiograph matches" in texts(page)
    assert not page.get("plotly_chart")


def test_ones_user_predictions_get_the_same_analysis(page):
    rows = "\n".join(f"c{i};{40 + i};{'F' if i % 2 else 'M'};{47 + i}" for i in range(60))
    content = f"id;reference_months;sex;prediction_months\n{rows}\n".encode()
    upload(page, content)
    assert headings(page)[0] == "Your predictions: 60 radiographs"
    assert shown_mae(page) == "7.0 months"
    for section, n in CHARTS.items():
        assert len(opened_section(page, section).get("plotly_chart")) == n


def test_ones_user_predictions_are_told_of_no_column_that_they_lack(page):
    rng = np.random.default_rng(0)
    rows = "\n".join(
        f"{i},{age},{'FM'[i % 2]},{age + rng.normal(0, 30 if age > 90 else 2):.1f}"
        for i, age in enumerate(rng.integers(24, 180, 400))
    )
    content = f"id,reference_months,sex,prediction_months\n{rows}\n".encode()
    page.file_uploader[0].set_value([("mine.csv", content, "text/csv")])
    opened_section(page, "Subgroups")
    assert "can split on sex and age (" in texts(page)
    for absent in ("contrast", "hand detection method", "acquisition block"):
        assert absent not in texts(page)


def test_residuals_are_shown_by_reference_or_by_predicted_age(page):
    assert titles(page) == [
        "Residuals by reference bone age",
        "Residuals by reference bone age and sex",
        "Mean absolute error by reference bone age and sex",
    ]
    assert "bands are of reference bone age" in texts(opened_section(page, "Subgroups"))
    choose(page, "by", "prediction_months")
    assert "bands are of predicted bone age" in texts(page)
    assert titles(opened_section(page, "Residuals")) == [
        "Residuals by predicted bone age",
        "Residuals by predicted bone age and sex",
        "Mean absolute error by predicted bone age and sex",
    ]
    linked = opened(by="Predicted bone age")
    assert titles(linked)[0] == "Residuals by predicted bone age"


def test_links_with_the_words_of_earlier_versions_still_work(page):
    linked = opened(by="Predicted age", model="Mean of both models", recipe="Reference recipe")
    assert titles(linked)[0] == "Residuals by predicted bone age"
    assert headings(linked)[0] == "Ensemble: 80 radiographs"
    assert linked.segmented_control(key="recipe").value == "paper"
    choose(linked, "by", "reference_months")
    assert titles(linked)[0] == "Residuals by reference bone age"


def test_calibration_has_its_slope_and_tells_of_regression_to_the_mean(page):
    opened_section(page, "Calibration")
    assert "Reference against predicted bone age" in titles(page)
    assert "Calibration slope" in texts(page)
    assert "Regression to the mean: residuals slope downwards with the reference bone age" in texts(
        page
    )


def test_acquisition_blocks_are_inferred_and_the_test_set_has_none(page):
    heading = "By inferred acquisition block"
    opened_section(page, "Subgroups")
    assert heading not in [s.value for s in page.subheader]
    choose(page, "split", "validation")
    assert heading in [s.value for s in page.subheader]
    assert "Blocks are inferred from abrupt changes" in texts(page)
    assert "Ids 4560-5770" in texts(page)


def test_noise_has_no_subgroups(page):
    """Errors of the made-up cases do not depend on anything."""
    opened_section(page, "Subgroups")
    assert "None of" in texts(page)
    assert "No subgroup found by a decision tree has a different error" in texts(page)


def test_a_single_radiograph_is_one(page, folder):
    cases = artifacts.read_predictions(folder / "models" / "tiny_densenet")
    ages = cases.loc[cases["split"] == "test", "reference_months"].sort_values()
    alone = next(y for y in range(18) if ages.between(12 * y, 12 * y + 12).sum() == 1)
    page.slider(key="years").set_value((alone, alone + 1))
    run(page)
    assert headings(page)[0].endswith(": 1 radiograph")
    assert "1 radiographs" not in texts(page)


def test_a_control_with_one_option_is_hidden(page, tiny_artifacts, monkeypatch):
    keys = {control.key for control in page.segmented_control}
    assert {"model", "recipe", "split", "of_sex", "by"} <= keys
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tiny_artifacts))  # with one recipe
    keys = {control.key for control in opened().segmented_control}
    assert "recipe" not in keys
    assert "model" in keys


def upload(page, content: bytes, name: str = "mine.csv"):
    page.file_uploader[0].set_value([(name, content, "text/csv")])
    return run(page)


def two_ages(header: str) -> bytes:
    """A table of 60 cases: the bone age is 7 months below the prediction, the age is equal."""
    rows = "\n".join(
        f"c{i};{47 + i};{40 + i};{'girl' if i % 2 else 'boy'};{47 + i}" for i in range(60)
    )
    return f"{header}\n{rows}\n".encode()


def test_a_named_bone_age_is_the_reference_and_the_page_says_what_was_read(page):
    upload(page, two_ages("id;age;boneage;sex;prediction"))
    assert shown_mae(page) == "7.0 months"
    assert (
        "Read from `mine.csv`: id from `id`, reference bone age from `boneage`, sex from `sex`, "
        "predicted bone age from `prediction`. Not used: `age`."
    ) in texts(page)
    assert not [box for box in page.selectbox if box.label.startswith("Which column")]
    assert not page.warning


def test_a_large_parquet_file_is_read_once_and_its_charts_show_a_sample(page, monkeypatch):
    monkeypatch.setattr(analysis, "MOST_POINTS", 50)
    reads, read = [], labels.read_parquet_cells
    monkeypatch.setattr(
        labels, "read_parquet_cells", lambda *given: reads.append(given) or read(*given)
    )
    table = pd.read_csv(io.BytesIO(two_ages("id;age;boneage;sex;prediction")), sep=";")
    upload(page, table.to_parquet(), "mine.parquet")
    assert shown_mae(page) == "7.0 months"
    assert "Read from `mine.parquet`" in texts(page)
    assert "a random sample of 50 of the 60 radiographs" in texts(page)
    page.segmented_control(key="of_sex").set_value("female")
    run(page)
    assert headings(page)[0] == "Your predictions: 30 radiographs"
    assert "a random sample" not in texts(page)
    assert len(reads) == 1


def test_where_the_reference_cannot_be_known_the_page_asks(page):
    upload(page, two_ages("id;age;reading;sex;prediction"))
    (question,) = page.selectbox
    assert question.label == "Which column holds the reference bone age?"
    assert question.options == ["age", "reading"]
    assert question.value is None
    assert not headings(page)
    assert not page.error
    question.select("reading")
    run(page)
    assert shown_mae(page) == "7.0 months"
    assert "reference bone age from `reading`" in texts(page)
    page.selectbox[0].select("age")
    run(page)
    assert shown_mae(page) == "0.0 months"
    upload(page, two_ages("id;boneage;reference;sex;guess"), "other.csv")
    assert page.selectbox[0].options == ["boneage", "reference"]
    page.selectbox[0].select("reference")
    run(page)
    assert page.selectbox[1].label == "Which column holds the predicted bone age?"
    page.selectbox[1].select("guess")
    run(page)
    assert shown_mae(page) == "7.0 months"


def test_rows_left_out_of_a_file_are_counted_and_named(page):
    content = two_ages("id;age;boneage;sex;prediction").replace(b"boy;53", b"boy;")
    upload(page, content)
    assert headings(page)[0] == "Your predictions: 59 radiographs"
    warning = page.warning[0].value.replace("\\", "")
    assert warning == '1 of 60 rows left out: row 8 (id "c6"): no predicted bone age.'


def test_a_file_that_cannot_be_used_gets_one_sentence_and_the_page_goes_on(page):
    upload(page, b"id,age\n1,100\n")
    assert len(page.error) == 1
    assert "prediction" in page.error[0].value
    page.file_uploader[0].set_value([])
    run(page)
    assert not page.error
    assert len(page.get("plotly_chart")) == CHARTS["Residuals"]


def test_without_a_model_the_page_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path))
    assert "no trained model" in texts(opened())


def test_a_damaged_table_is_one_sentence(folder, tmp_path, monkeypatch):
    copy = shutil.copytree(folder, tmp_path / "artifacts")
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(copy))
    path = copy / "models" / "tiny_densenet" / artifacts.PREDICTIONS
    path.write_bytes(path.read_bytes()[:-20])
    st.cache_resource.clear()
    page = opened()
    assert len(page.error) == 1
    assert "predictions" in page.error[0].value


def test_the_analysis_pages_open_without_tensorflow(folder):
    script = (
        "from streamlit.testing.v1 import AppTest\n"
        "for page in ('error_analysis', 'head_to_head'):\n"
        "    app = AppTest.from_file(f'pages/{page}.py', default_timeout=60).run()\n"
        "    assert not app.exception and not app.error, (app.exception, app.error)\n"
    )
    assert heavy_imports(script, timeout=120, BONEAGE_ARTIFACTS=str(folder)) == "[]"


def test_the_disparity_between_groups_is_shown_where_they_are_large_enough(page):
    opened_section(page, "Subgroups")
    (table,) = [h.proto.body for h in page.html if ">Lowest<" in h.proto.body]
    assert "Girls, n = " in table and "Boys, n = " in table
    choose(page, "within", "age_band")  # about ten radiographs of each band and sex
    assert not [h for h in page.html if ">Lowest<" in h.proto.body]
    assert "Fewer than two groups have 20 radiographs" in texts(page)
