import pandas as pd
import pytest

from boneage.figures import palette
from boneage.robustness.figure import error_ratios


@pytest.fixture
def table():
    """Two changes and two models; every clean error is 8 months."""
    rows = [
        ("clean", "densenet121", 1.0), ("clean", "ensemble", 1.0),
        ("mirrored", "densenet121", 0.9), ("mirrored", "ensemble", 1.1),
        ("cut_15", "densenet121", 1.5), ("cut_15", "ensemble", 2.0),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["perturbation", "model", "ratio"])
    table["mae"], table["change"] = 8 * table["ratio"], 8 * table["ratio"] - 8
    for name, width in (("ratio", 0.2), ("change", 1.6)):
        table[f"{name}_low"], table[f"{name}_high"] = table[name] - width, table[name] + 2 * width
    return table


def test_every_model_has_its_points_bars_and_color(table):
    figure = error_ratios(table)
    dense = next(trace for trace in figure.data if trace.name == "DenseNet121")
    assert list(dense.x) == [0.9, 1.5]
    assert list(dense.error_x.array) == pytest.approx([0.4, 0.4])
    assert list(dense.error_x.arrayminus) == pytest.approx([0.2, 0.2])
    assert dense.marker.color == palette.model_color("densenet121")
    assert list(dense.customdata[1]) == [12.0, "+4.0", "+2.4", "+7.2"]
    assert list(figure.layout.yaxis.ticktext) == ["Mirrored", "15% cropped at each edge"]


def test_clean_images_are_the_line_and_not_a_row(table):
    figure = error_ratios(table)
    lines = {trace.name: set(trace.x) for trace in figure.data if trace.mode == "lines"}
    assert lines == {"Unchanged": {1}, "MAE doubled": {2}}


def test_the_title_is_the_finding(table):
    def title():
        return error_ratios(table).layout.title.text.replace("<br>", " ")

    assert title() == "MAE ratio by image change: none above 2"
    table.loc[5, "ratio"] = 2.1
    assert title() == "MAE ratio by image change: 1 of 2 above 2"
    table.loc[2, "ratio"] = 2.1
    assert title() == "MAE ratio by image change: 2 of 2 above 2"
