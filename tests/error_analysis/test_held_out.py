import numpy as np
import pytest

from boneage.error_analysis.held_out import halves, weighted_means
from boneage.evaluation.intervals import bootstrap


def test_every_case_is_held_out_from_one_half_of_each_partition():
    held_out = halves(101, seed=3)
    assert held_out.shape == (50, 101)
    assert set(held_out.sum(axis=1)) == {50, 51}
    assert (held_out.sum(axis=0) == 25).all()
    assert (held_out == halves(101, seed=3)).all()
    assert (held_out[0] != held_out[1]).any()


def test_many_cases_are_parted_less_often():
    assert [len(halves(n, seed=0)) for n in (2000, 5000, 40_000)] == [50, 20, 10]


def test_weighted_means_worked_by_hand():
    weights = np.array([[1, 0, 0], [1, 3, 0], [0, 1, 0]])
    means, intervals = weighted_means(np.array([2.0, 4.0, 8.0]), weights, 50, seed=0)
    assert means[:2].tolist() == [3, 5]
    assert np.isnan(means[2])
    assert np.isnan(intervals[2]).all()
    each = weighted_means(np.array([[2, 1], [4, 1], [8, 5]]), weights[:, :2], 50, seed=0)[0]
    assert each.tolist() == [3, 2]


def test_the_interval_of_equal_weights_is_that_of_the_mean():
    error = np.abs(np.random.default_rng(0).normal(0, 8, 300))
    _, [interval] = weighted_means(error, np.full((300, 1), 0.2), 2000, seed=5)
    expected = bootstrap(np.zeros(300), error, seed=5)["mae"]
    assert interval == pytest.approx(expected)
