import re

import pandas as pd
import pytest

from boneage.comparison import table as head_to_head
from boneage.comparison.compared import of_model
from boneage.comparison.costs import Cost
from boneage.comparison.table import cost_rows, metric_rows
from boneage.evaluation.published import published_results
from boneage.figures import palette
from boneage.figures.tables import Cell, Row

NAMES = ("densenet121", "resnet34_cbam", "ensemble")
MODELS = [of_model(name) for name in NAMES[:2]]


@pytest.fixture
def figures():
    table = pd.DataFrame({"mae": [12.0, 10.0, 9.5]}, index=["first", "second", "ensemble"])
    return table.assign(mae_low=table["mae"] - 1, mae_high=table["mae"] + 1)


def words(html: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", html).split())


def test_each_figure_has_its_interval_and_only_the_better_model_a_mark(figures):
    differences = pd.DataFrame({"metric": ["mae"], "p": [0.012], "better": ["second"]})
    rows = metric_rows(figures, differences)
    expected = [
        Cell("12.0", "11.0 to 13.0"),
        Cell("10.0", "9.0 to 11.0", better=True),
        Cell("9.5", "8.5 to 10.5"),
        Cell("0.012"),
    ]
    assert rows == [Row("MAE", "months", expected)]


def test_without_a_significant_difference_no_model_is_marked(figures):
    differences = pd.DataFrame({"metric": ["mae"], "p": [float("nan")], "better": [None]})
    rows = metric_rows(figures, differences, ", paper")
    assert rows[0].cells[-1] == Cell("–")
    assert rows[0].label == "MAE, paper"
    assert not any(cell.better for cell in rows[0].cells)


def test_costs_are_told_in_units_people_read():
    costs = [
        Cost(7_068_289, 14.19, 1.81, (128,), 5400.0),
        Cost(22_576_901, None, 9.39, (256,), 59.0),
    ]
    rows = {row.label: [cell.value for cell in row.cells] for row in cost_rows(costs, [41.6, None])}
    assert rows == {
        "Parameters": ["7.07", "22.58", ""],
        "Weights file": ["14.2", "–", ""],
        "Compute per image": ["1.81", "9.39", ""],
        "Input": ["128", "256", ""],
        "Inference time per image": ["42", "–", ""],
        "Training time": ["1 h 30 min", "1 min", ""],
    }


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(1500, "25 min"), (3600, "1 h"), (172_000, "47 h 47 min"), (259_200, "3.0 days")],
)
def test_times_are_told_in_the_unit_that_fits(seconds, expected):
    assert head_to_head.time_in_words(seconds) == expected


def test_the_table_has_a_column_a_model_in_its_color_and_a_mark_beside_color():
    cells = [Cell("12.0"), Cell("10.0", "9 to 11", better=True), Cell("9.5"), Cell("0.012")]
    row = Row("MAE", "months", cells)
    html = head_to_head.model_table(MODELS, {"Error": [row]}).html()
    assert words(html) == (
        "DenseNet121 ResNet34+ CBAM Ensemble p Error MAE months 12.0 10.0 ✓ 9 to 11 9.5 0.012"
    )
    assert all(f"solid {palette.model_color(name)}" in html for name in NAMES)
    assert html.count("<b>") == 1
    assert "<b>10.0</b>" in html


def test_words_of_a_table_cannot_become_markup():
    html = head_to_head.model_table(MODELS, {"<i>": [Row("<b>", "", [Cell("<u>")] * 3)]}).html()
    assert not {"<i>", "<b>", "<u>"} & set(re.findall("<[^>]+>", html))


def test_every_published_result_is_listed_with_its_source():
    html = head_to_head.published_table(published_results()).html()
    text = words(html)
    for system in published_results().itertuples():
        assert system.system in text
        assert " ".join(system.source.split()) in text
    assert "4.265" in text
    assert "4.8 to 7.0" in text
    assert "nan" not in text


def test_the_legend_of_a_difference_runs_from_one_model_to_the_other():
    html = head_to_head.difference_legend(*NAMES[:2])
    assert words(html) == "DenseNet121 more ResNet34+CBAM more"
    first, second = (html.index(palette.model_color(name)) for name in NAMES[:2])
    assert first < second
