import math

import numpy as np
import pytest

from boneage.evaluation.intervals import bootstrap
from boneage.evaluation.readers import icc_agreement, interval_of_mean, within_case_sd

# Shrout and Fleiss 1979, table 2: six subjects, four judges.
SHROUT_FLEISS = [
    [9, 2, 5, 8],
    [6, 1, 3, 2],
    [8, 4, 6, 8],
    [7, 1, 2, 6],
    [10, 5, 6, 9],
    [6, 2, 4, 7],
]


def test_the_icc_of_the_table_of_shrout_and_fleiss():
    found = icc_agreement(SHROUT_FLEISS)
    assert found.value == pytest.approx(0.29, abs=0.005)  # their table 4
    # As the R package psych 2.x prints for the same table.
    assert (found.low, found.high) == pytest.approx((0.019, 0.76), abs=0.005)


def test_a_reader_who_differs_by_a_constant_disagrees():
    cases = np.array([20.0, 60, 100, 140])
    assert icc_agreement(np.stack([cases, cases], 1)).value == 1
    shifted = icc_agreement(np.stack([cases, cases + 40], 1))
    # Variance between cases 8000 / 3, between readers 800: the readers have no other error.
    assert shifted.value == pytest.approx((8000 / 3) / (8000 / 3 + 800))
    assert shifted.low < shifted.value < shifted.high


@pytest.mark.parametrize(
    ("ratings", "value"),
    [
        ([[5, 5], [5, 5]], math.nan),
        ([[5, 7], [5, 7]], 0),
        ([[1, 1], [9, 9]], 1),
        ([[5, 7], [7, 5]], math.nan),
    ],
)
def test_without_some_variance_there_is_no_interval(ratings, value):
    found = icc_agreement(ratings)
    assert found == pytest.approx((value, math.nan, math.nan), nan_ok=True)


def test_ratings_with_gaps_or_of_one_reader_are_refused():
    with pytest.raises(ValueError, match="at least 2 cases and 2 readers, not 2 and 1"):
        icc_agreement([[1], [2]])
    with pytest.raises(ValueError, match="one finite rating for every case"):
        within_case_sd([[1, np.nan]])


def test_the_within_case_sd_is_pooled_over_cases():
    assert within_case_sd([[1, 3], [10, 16]]) == pytest.approx(((2 + 18) / 2) ** 0.5)
    assert math.isnan(within_case_sd([[1], [2]]))


def test_the_interval_of_a_mean_is_that_of_the_cases_and_wider_where_readers_differ():
    rng = np.random.default_rng(1)
    errors = rng.normal(0, 8, 20)
    one = interval_of_mean(errors[:, None])
    assert one == pytest.approx(bootstrap(np.full(20, 100.0), 100 + errors)["bias"])
    readers = rng.normal(0, 8, 6)
    readers -= readers.mean()
    low, high = interval_of_mean(errors[:, None] + readers)
    assert low < one[0] < one[1] < high
    assert interval_of_mean(errors[:, None] + readers) == (low, high)  # of the same seed
