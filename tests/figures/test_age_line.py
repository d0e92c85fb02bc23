import pytest

from boneage.figures import palette
from boneage.figures.age_line import age_line

MONTHS = {"densenet121": 96.0, "resnet34_cbam": 104.0}


def marks(figure):
    return {trace.name: trace.x[0] for trace in figure.data}


def test_every_age_is_marked_where_it_lies():
    figure = age_line(MONTHS, 100.0, 90.0)
    assert marks(figure) == {
        "DenseNet121": 96.0,
        "ResNet34+CBAM": 104.0,
        "Mean": 100.0,
        "Chronological age": 90.0,
    }
    assert figure.layout.annotations[0].text == "<b>8 y 4 m</b>"
    colours = {trace.name: trace.marker.color for trace in figure.data}
    assert colours["DenseNet121"] == palette.MODELS["densenet121"]


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
