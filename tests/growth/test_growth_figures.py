import numpy as np
import pytest

from boneage.growth.deviation import deviation
from boneage.growth.figures import growth_chart
from boneage.growth.follow_up import Reading
from boneage.growth.reference import BRUSH_FOUNDATION, GREULICH_PYLE

ONE = [Reading(144, 165, (158, 174), 0.9)]


def traces(figure) -> dict:
    return {trace.name: trace for trace in figure.data}


def test_the_bands_agree_with_the_sd_that_is_printed():
    drawn = traces(growth_chart(ONE, "male", BRUSH_FOUNDATION))
    for k, name in ((1, "± 1 SD"), (2, "± 1 and 2 SD")):
        band = drawn[f"{name} (Brush Foundation)"]
        at_144 = np.sort(np.array(band.y)[np.array(band.x) == 144])
        assert at_144 == pytest.approx([144 - k * 10.38, 144 + k * 10.38])
    found = deviation(165, None, 144, "male")
    assert (at_144[1] < 165) == (found.status == "advanced")
    line = drawn["Bone age = chronological age"]
    assert tuple(line.x) == tuple(line.y)


def test_the_outer_edges_are_labeled():
    labels = growth_chart(ONE, "male", BRUSH_FOUNDATION).layout.annotations
    # At 14 years, where the chart ends, 1 SD is 10.72 months.
    assert {label.text: round(label.y, 2) for label in labels} == {"+2 SD": 189.44, "−2 SD": 146.56}
    assert {label.x for label in labels} == {168}


def test_a_reading_has_its_interval_as_error_bars():
    drawn = traces(growth_chart(ONE, "male", BRUSH_FOUNDATION))
    points = drawn["Bone age with 90% prediction interval"]
    assert (tuple(points.x), tuple(points.y)) == ((144,), (165,))
    assert (points.error_y.array[0], points.error_y.arrayminus[0]) == (9, 7)
    assert points.mode == "markers"
    assert "Bone age 13 y 9 m" in points.text[0]


def test_readings_are_joined_in_the_order_of_age():
    readings = [Reading(150, 160), *ONE]
    points = growth_chart(readings, "male", GREULICH_PYLE).data[-1]
    assert tuple(points.x) == (144, 150) and points.mode == "lines+markers"
    assert tuple(points.error_y.array) == (9, 0)


def test_bands_end_where_the_table_ends():
    drawn = traces(growth_chart([Reading(190, 190)], "female", BRUSH_FOUNDATION))
    assert max(drawn["± 1 SD (Brush Foundation)"].x) == 192
    beyond = growth_chart([Reading(240, 220)], "female", GREULICH_PYLE)
    assert len(beyond.data) == 2 and not beyond.layout.annotations  # no bands


@pytest.mark.parametrize("age", [0.0, 3.0, 150.0, 300.0])
def test_everything_lies_on_the_axes(age):
    figure = growth_chart([Reading(age, 228, (0, 260), 0.9)], "male", BRUSH_FOUNDATION)
    low, high = figure.layout.yaxis.range
    assert low < 0 and high > 260
    start, end = figure.layout.xaxis.range
    assert start <= age < end
    ticks = dict(zip(figure.layout.xaxis.tickvals, figure.layout.xaxis.ticktext, strict=True))
    assert all(start <= tick <= end for tick in ticks)
    assert all(text == f"{tick // 12} y" for tick, text in ticks.items())
