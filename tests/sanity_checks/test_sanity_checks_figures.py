import numpy as np
import pandas as pd
import pytest

from boneage.figures import palette
from boneage.sanity_checks.figures import (
    outlined_regions,
    region_differences,
    region_legend,
    similarity_by_stage,
)
from boneage.sanity_checks.regions import REGIONS

MODELS = ("densenet121", "resnet34_cbam")


@pytest.fixture
def occlusion():
    rows = [
        (model, group, region, 10 * m + n + (group == "all"))
        for m, model in enumerate(MODELS, start=1)
        for group in ("all", "0-5 years")
        for n, region in enumerate(REGIONS)
    ]
    table = pd.DataFrame(rows, columns=["model", "group", "region", "difference"])
    ends = {"difference_low": table["difference"] - 1, "difference_high": table["difference"] + 2}
    return table.assign(
        **ends, n=50, change=9.0, control_change=2.0, shift=-3.0, change_per_area=0.5
    )


def test_every_region_stands_once_for_each_model_with_its_interval(occlusion):
    figure = region_differences(occlusion, "0-5 years")
    first, second = figure.data
    assert list(first.x) == [10, 11, 12, 13]
    assert list(second.x) == [20, 21, 22, 23]
    assert list(first.error_x.array) == [2] * 4
    assert list(first.error_x.arrayminus) == [1] * 4
    assert first.marker.color == palette.model_color("densenet121")
    rows = np.round((np.array(first.y) + np.array(second.y)) / 2)
    titles = [figure.layout.yaxis.ticktext[int(row)] for row in rows]
    assert titles[2:] == ["Carpals", "Distal radius<br>and ulna"]
    assert list(region_differences(occlusion, "all").data[0].x) == [11, 12, 13, 14]


def test_a_line_marks_no_difference_from_the_control(occlusion):
    (line,) = region_differences(occlusion, "all").layout.shapes
    assert (line.x0, line.x1) == (0, 0)


def test_similarity_starts_from_the_own_weights():
    table = pd.DataFrame(
        {
            "model": [MODELS[0]] * 2,
            "step": [2, 1],
            "stage": ["stage 4", "head"],
            "similarity": [0.1, 0.4],
            "similarity_low": [0.0, 0.3],
            "similarity_high": [0.3, 0.5],
            "sd": 0.3,
        }
    )
    figure = similarity_by_stage(table)
    (line,) = figure.data
    assert list(figure.layout.xaxis.tickvals) == list(line.x)
    assert list(figure.layout.xaxis.ticktext) == ["none", "head", "stage<br>4"]
    assert list(line.x) == ["none", "head", "+ stage 4"]
    assert list(line.y) == [1, 0.4, 0.1]
    assert list(line.error_y.array)[1:] == pytest.approx([0.1, 0.2])
    assert list(line.error_y.arrayminus)[1:] == pytest.approx([0.1, 0.1])


def test_outlines_run_along_the_regions():
    regions = {region: np.zeros((40, 40), bool) for region in REGIONS}
    regions["carpals"][10:20, 10:20] = True
    image = outlined_regions(np.full((40, 40), 90, np.uint8), regions)
    assert image.shape == (80, 80, 3)
    colored = np.ptp(image.astype(int), axis=2) > 0
    assert colored[20, 30]  # the upper edge
    assert not colored[30, 30]  # inside
    assert not colored[:15].any()
    assert "Carpals" in region_legend()
