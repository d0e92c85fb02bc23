import pytest

from boneage.figures import palette
from boneage.figures.age_line import age_line

MONTHS = {"densenet121": 96.0, "resnet34_cbam": 104.0}
INTERVALS = {
    "densenet121": (80.0, 112.0),
    "resnet34_cbam": (84.0, 124.0),
    "ensemble": (86.0, 114.0),
}


def marks(figure):
    return {trace.name: trace.x[0] for trace in figure.data if trace.mode == "markers"}


def bars(figure):
    return {trace.name: trace.x for trace in figure.data if trace.mode == "lines"}


def words(figure):
    return [annotation.text for annotation in figure.layout.annotations]


def test_every_age_is_marked_where_it_lies():
    figure = age_line(MONTHS, 100.0, 90.0)
    assert marks(figure) == {
        "DenseNet121": 96.0,
        "ResNet34+CBAM": 104.0,
        "Ensemble": 100.0,
        "Chronological age": 90.0,
    }
    assert words(figure) == [
        "Ensemble: <b>8 y 4 m</b>",
        "DenseNet121: <b>8 y</b>",
        "ResNet34+CBAM: <b>8 y 8 m</b>",
        "Chronological age: <b>7 y 6 m</b>",
    ]
    colors = {trace.name: trace.marker.color for trace in figure.data}
    assert colors["DenseNet121"] == palette.MODELS["densenet121"]


def test_every_interval_is_a_bar_on_the_row_of_its_model():
    figure = age_line(MONTHS, 100.0, 90.0, INTERVALS)
    assert bars(figure) == {
        "DenseNet121, prediction interval": (80.0, 112.0),
        "ResNet34+CBAM, prediction interval": (84.0, 124.0),
        "Ensemble, prediction interval": (86.0, 114.0),
    }
    rows = {trace.name: set(trace.y) for trace in figure.data}
    for name in ("DenseNet121", "ResNet34+CBAM", "Ensemble"):
        assert rows[name] == rows[f"{name}, prediction interval"]
    assert rows["Chronological age"] == {0, 1, 2}


def test_without_intervals_there_are_no_bars():
    assert not bars(age_line(MONTHS, 100.0, 90.0))


def test_the_line_reaches_to_the_ends_of_the_intervals():
    figure = age_line({"densenet121": 220.0}, 220.0, None, {"densenet121": (190.0, 260.0)})
    low, high = figure.layout.xaxis.range
    assert low < 0
    assert high > 260


def test_without_a_chronological_age_there_is_no_mark_for_it():
    assert "Chronological age" not in marks(age_line(MONTHS, 100.0))


def test_one_model_needs_no_mean():
    assert marks(age_line({"densenet121": 96.0}, 96.0)) == {"DenseNet121": 96.0}


@pytest.mark.parametrize("age", [-40.0, 300.0])
def test_an_age_beyond_childhood_is_still_on_the_line(age):
    figure = age_line({"densenet121": age, "resnet34_cbam": 100.0}, (age + 100) / 2)
    low, high = figure.layout.xaxis.range
    assert low < age < high
    ticks = dict(zip(figure.layout.xaxis.tickvals, figure.layout.xaxis.ticktext, strict=True))
    assert ticks[120] == "10 y"
