import numpy as np

from boneage.figures.channels import channel_bars


def test_channels_stand_sorted_under_their_own_numbers():
    weights = {1: np.array([0.2, 0.9, 0.5]), 2: np.array([0.4, 0.3]), 3: np.array([0.7])}
    figure = channel_bars(weights, "#D9731A")
    first, second, third = figure.data
    assert list(first.y) == [0.9, 0.5, 0.2]
    assert list(first.customdata) == [1, 2, 0]
    assert list(second.y) == [0.4, 0.3]
    assert first.marker.color == "#D9731A"
    titles = [note.text for note in figure.layout.annotations]
    assert titles == ["Stage 1: 3 channels", "Stage 2: 2 channels", "Stage 3: 1 channels"]
    assert figure.layout.yaxis.range == (0, 1)
    assert third.xaxis != first.xaxis
