import pandas as pd
import pytest

from boneage.comparison import figures as comparison
from boneage.comparison.compared import of_file, of_model
from boneage.figures import palette

NAMES = of_model("densenet121"), of_model("resnet34_cbam")


@pytest.fixture
def pairs():
    """Errors 6 and 2, 0 and 3, 6 and 6."""
    return pd.DataFrame(
        {
            "id": ["a", "b", "c"],
            "sex": ["female", "male", "male"],
            "reference_months": [30.0, 100.0, 120.0],
            "first_months": [36.0, 100.0, 126.0],
            "second_months": [28.0, 97.0, 114.0],
            "first_error": [6.0, 0.0, 6.0],
            "second_error": [2.0, 3.0, 6.0],
            "closer": ["second", "first", "equal"],
        }
    )


@pytest.fixture
def wins():
    return pd.DataFrame(
        {
            "age_band": ["0-5 years", "10-15 years"],
            "sex": ["female", "male"],
            "n": [1204, 10],
            "first": [0.25, 0.5],
            "second": [0.75, 0.4],
            "equal": [0.0, 0.1],
        }
    )


def traces(figure):
    return {trace.name: trace for trace in figure.data}


def test_every_figure_has_a_title_and_says_what_its_axes_measure(pairs, wins):
    for figure in (
        comparison.prediction_against_prediction(pairs, *NAMES),
        comparison.win_shares(wins, *NAMES),
        comparison.error_distributions(pairs, *NAMES),
    ):
        assert figure.layout.title.text
        assert figure.layout.xaxis.title.text
        assert figure.layout.yaxis.title.text


def test_points_have_the_color_of_the_closer_model(pairs):
    figure = comparison.prediction_against_prediction(pairs, *NAMES)
    drawn = traces(figure)
    dense, residual = drawn["DenseNet121 closer"], drawn["ResNet34+CBAM closer"]
    assert (dense.x[0], dense.y[0]) == (100, 97)
    assert (residual.x[0], residual.y[0]) == (36, 28)
    assert dense.marker.color == palette.MODELS["densenet121"]
    assert residual.marker.color == palette.MODELS["resnet34_cbam"]
    assert drawn["Equally close"].marker.color == palette.NEUTRAL
    assert figure.layout.xaxis.title.text == "DenseNet121 (years)"
    assert figure.layout.yaxis.title.text == "ResNet34+CBAM (years)"


def test_a_point_says_its_id_and_its_ages(pairs):
    drawn = traces(comparison.prediction_against_prediction(pairs, *NAMES))
    numbers = drawn["ResNet34+CBAM closer"].customdata[0]
    assert list(numbers) == ["a", 2, 6, 3, 0, 2, 4]


def test_the_line_of_equality_spans_both_models(pairs):
    line = traces(comparison.prediction_against_prediction(pairs, *NAMES))["Equal predictions"]
    assert list(line.x) == list(line.y) == [28, 126]


def test_the_ensemble_and_a_file_can_be_compared(pairs):
    sides = of_model("ensemble"), of_file("my_model (v2).csv", 1)
    drawn = traces(comparison.prediction_against_prediction(pairs, *sides))
    assert drawn["Published ensemble closer"].marker.color == palette.PUBLISHED_ENSEMBLE
    assert drawn["my model v2 (own) closer"].marker.color == palette.OWN[0]


@pytest.mark.parametrize(
    ("file_name", "title"),
    [
        ("a/b/Model-2.1.csv", "Model-2.1 (own)"),
        ("**x** <b>[l](u)$.csv", "x b l u (own)"),
        ("_.csv", "File 2 (own)"),
        (f"{'long ' * 20}.csv", "long long long long long lon (own)"),
    ],
)
def test_the_title_of_a_file_is_no_markup(file_name, title):
    assert of_file(file_name, 2).title == title


def test_bars_hold_the_shares_of_each_group(wins):
    figure = comparison.win_shares(wins, *NAMES)
    dense, equal, residual = figure.data
    assert list(dense.y) == ["0-5 years, girls<br>n = 1,204", "10-15 years, boys<br>n = 10"]
    assert list(dense.x) == [25, 50]
    assert list(equal.x) == [0, 10]
    assert list(residual.x) == [75, 40]
    assert [bar.name for bar in figure.data] == [
        "DenseNet121 closer", "Equally close", "ResNet34+CBAM closer"
    ]  # fmt: skip
    assert figure.layout.barmode == "stack"


def test_groups_of_one_column_are_named_by_it(wins):
    figure = comparison.win_shares(wins.drop(columns="age_band"), *NAMES)
    assert list(figure.data[0].y) == ["Girls<br>n = 1,204", "Boys<br>n = 10"]


def test_each_model_has_an_outline_of_its_errors_that_ends_at_zero(pairs):
    figure = comparison.error_distributions(pairs, *NAMES)
    dense, residual = figure.data
    # Bins from 0, 3, 6 and 9 months; the last is empty.
    assert list(dense.x) == [0, 3, 6, 9]
    assert list(dense.y) == pytest.approx([100 / 3, 0, 200 / 3, 0])
    assert list(residual.y) == pytest.approx([100 / 3, 100 / 3, 100 / 3, 0])
    assert dense.name == "DenseNet121"
    assert residual.line.color == palette.MODELS["resnet34_cbam"]
