import numpy as np
import pytest

from boneage.datasets.challenge import MEAN_AGE
from boneage.explain.gradcam import gradcam, telling_direction


@pytest.fixture
def features():
    """(2, 2, 3): the first channel is bright in cell (0, 2), the second in (1, 0)."""
    features = np.zeros((2, 2, 3), np.float32)
    features[0, 0, 2] = 4
    features[1, 1, 0] = 2
    return features


# Six cells: the mean of the gradient over them is a sixth of that at the pooled features.
@pytest.mark.parametrize(
    ("direction", "cell", "value"), [("raises", (0, 2), 4 * 3 / 6), ("lowers", (1, 0), 2 * 9 / 6)]
)
def test_the_map_is_where_the_age_comes_from_in_one_direction(features, direction, cell, value):
    expected = np.zeros((2, 3), np.float32)
    expected[cell] = value
    found = gradcam(features, np.array([3.0, -9.0]), direction)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


def test_channels_are_summed_before_the_negative_is_cut_off():
    features = np.array([[[1.0, 2.0]], [[3.0, 1.0]]])
    gradient = np.array([4.0, -2.0])
    np.testing.assert_array_equal(gradcam(features, gradient, "raises"), [[0, 3]])
    np.testing.assert_array_equal(gradcam(features, gradient, "lowers"), [[1, 0]])


@pytest.mark.parametrize("direction", ["raises", "lowers"])
def test_the_map_is_all_zero_where_nothing_moves_the_age(features, direction):
    assert not gradcam(features, np.zeros(2), direction).any()
    sign = {"raises": -1, "lowers": 1}[direction]
    assert not gradcam(features, np.full(2, sign), direction).any()


def test_a_hand_younger_than_average_is_explained_by_what_lowers_its_age():
    assert telling_direction(MEAN_AGE - 1) == "lowers"
    assert telling_direction(MEAN_AGE + 1) == "raises"


def test_an_unknown_direction_is_refused(features):
    with pytest.raises(ValueError, match=r"direction is 'both'; pass \"raises\" or \"lowers\""):
        gradcam(features, np.ones(2), "both")
