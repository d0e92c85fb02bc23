import pandas as pd
import pytest
from plain import plain

from boneage.error_analysis.coverage_figures import (
    coverage_by_group,
    coverage_by_level,
    coverage_rows,
    group_title,
)


@pytest.fixture
def coverage():
    """Two levels; the test set has 19 girls, who are too few to be drawn, and no block."""
    parts = {
        "validation": {"all": 90, "ids from 5771": 60, "male, 5-10 years": 40, "female": 50},
        "test": {"all": 59, "male, 5-10 years": 40, "female": 19},
    }
    rows = [
        (level, cases, group, n, level + 0.01, 10 * n)
        for level in (0.8, 0.9)
        for cases, sizes in parts.items()
        for group, n in sizes.items()
    ]
    columns = ["level", "cases", "group", "n", "coverage", "median_width"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(low=table["coverage"] - 0.05, high=table["coverage"] + 0.04)


def shares(figure):
    return {trace.name: trace for trace in figure.data if trace.mode == "markers"}


def test_every_level_is_drawn_with_its_ci(coverage):
    figure = coverage_by_level(coverage, "#123456")
    validation, test = shares(figure).values()
    assert list(validation.y) == pytest.approx([81, 91])
    assert list(validation.error_y.array) == pytest.approx([4, 4])
    assert list(validation.error_y.arrayminus) == pytest.approx([5, 5])
    assert list(validation.x) == pytest.approx([80, 90], abs=0.5)
    assert test.marker.color == "#123456" != validation.marker.color
    line = figure.data[0]
    assert list(line.x) == list(line.y)


def test_charts_speak_of_nominal_and_empirical_coverage(coverage):
    by_level = coverage_by_level(coverage, "#123456").layout
    assert by_level.xaxis.title.text == "Nominal coverage (%)"
    assert by_level.yaxis.title.text == "Empirical coverage (%)"
    by_group = coverage_by_group(coverage, 0.9, "#123456").layout
    assert plain(by_group.xaxis.title.text) == "Empirical coverage of 90% intervals (%)"


def test_groups_stand_in_order_and_small_ones_are_left_out(coverage):
    figure = coverage_by_group(coverage, 0.9, "#123456")
    assert list(figure.layout.yaxis.ticktext) == [
        "All", "Girls", "Boys, 5-10 years", "Ids from 5771 (inferred)"
    ]  # fmt: skip
    validation, test = shares(figure).values()
    assert sorted(round(place) for place in validation.y) == [0, 1, 2, 3]
    assert sorted(round(place) for place in test.y) == [0, 2]
    assert list(validation.x) == pytest.approx([91] * 4)


def test_rows_have_each_group_with_its_coverage_and_width(coverage):
    rows = coverage_rows(coverage, 0.8)
    assert list(rows) == ["group", "validation", "test", "width"]
    assert rows["group"].tolist() == [
        "All",
        "Girls",
        "Boys, 5-10 years",
        "Ids from 5771 (inferred)",
    ]
    assert rows["width"].tolist() == [900, 500, 400, 600]
    assert plain(rows["validation"][0]) == "81.0% (76.0 to 85.0) of 90"
    assert plain(rows["test"][1]) == "81.0% (76.0 to 85.0) of 19"
    assert rows["test"].isna().tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("group", "title"),
    [
        ("all", "All"),
        ("male", "Boys"),
        ("female, 0-5 years", "Girls, 0-5 years"),
        ("ids 4560-5770", "Ids 4560-5770 (inferred)"),
    ],
)
def test_groups_have_titles(group, title):
    assert group_title(group) == title
