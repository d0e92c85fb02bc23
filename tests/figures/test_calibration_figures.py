import pandas as pd
import pytest

from boneage.evaluation.conformal import CHECK_HALF
from boneage.figures.calibration import group_title, held_by_group, promised_against_held


@pytest.fixture
def coverage():
    """Two levels; the test set has 19 girls, who are too few to be drawn."""
    rows = [
        (level, cases, group, n, level + 0.01)
        for level in (0.8, 0.9)
        for cases, sizes in ((CHECK_HALF, (90, 40, 50)), ("test", (59, 40, 19)))
        for group, n in zip(("all", "male, 5-10 years", "female"), sizes, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["level", "cases", "group", "n", "coverage"])
    return table.assign(low=table["coverage"] - 0.05, high=table["coverage"] + 0.04)


def shares(figure):
    return {trace.name: trace for trace in figure.data if trace.mode == "markers"}


def test_every_level_is_drawn_with_its_interval(coverage):
    figure = promised_against_held(coverage, "#123456")
    check, test = shares(figure).values()
    assert list(check.y) == pytest.approx([81, 91])
    assert list(check.error_y.array) == pytest.approx([4, 4])
    assert list(check.error_y.arrayminus) == pytest.approx([5, 5])
    assert list(check.x) == pytest.approx([80, 90], abs=0.5)
    assert test.marker.color == "#123456" != check.marker.color
    line = figure.data[0]
    assert list(line.x) == list(line.y)


def test_groups_stand_in_order_and_small_ones_are_left_out(coverage):
    figure = held_by_group(coverage, 0.9, "#123456")
    assert list(figure.layout.yaxis.ticktext) == ["All", "Girls", "Boys, 5-10 years"]
    check, test = shares(figure).values()
    assert sorted(round(place) for place in check.y) == [0, 1, 2]
    assert sorted(round(place) for place in test.y) == [0, 2]
    assert list(check.x) == pytest.approx([91] * 3)


@pytest.mark.parametrize(
    ("group", "title"),
    [("all", "All"), ("male", "Boys"), ("female, 0-5 years", "Girls, 0-5 years")],
)
def test_groups_have_titles(group, title):
    assert group_title(group) == title
