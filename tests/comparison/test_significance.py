import numpy as np
import pytest
from scipy import stats

from boneage.comparison.significance import holm, paired_t, sign_test, spearman, wald_p


def test_the_paired_t_test_and_its_interval_are_those_of_scipy():
    rng = np.random.default_rng(0)
    first, second = rng.normal(8, 3, 40), rng.normal(7, 3, 40)
    expected = stats.ttest_rel(first, second)
    low, high, p = paired_t(first - second)
    assert p == pytest.approx(expected.pvalue)
    assert (low, high) == pytest.approx(tuple(expected.confidence_interval()))


def test_differences_without_spread_are_certain():
    assert paired_t(np.zeros(30)) == (0, 0, 1)
    low, high, p = paired_t(np.full(30, 0.1) + 1e-15 * np.arange(30))
    assert (low, high) == pytest.approx((0.1, 0.1))
    assert p == 0


def test_one_difference_says_nothing():
    assert np.isnan(paired_t([3.0])).all()


def test_an_estimate_is_judged_by_its_standard_error():
    assert wald_p(2.0, 1.0, 10_000) == pytest.approx(0.0455, abs=1e-4)
    assert wald_p(-2.0, 1.0, 5) == pytest.approx(2 * stats.t.sf(2, 4))


def test_the_sign_test_is_exact():
    assert sign_test(4, 0) == 2 / 2**4
    assert sign_test(0, 0) == 1


def test_holm_multiplies_the_smallest_p_by_the_number_of_tests():
    # Worked by hand: 4 x 0.01, 3 x 0.02 but no less than the one before, 2 x 0.04, 1 x 0.5.
    assert holm([0.04, 0.5, 0.01, 0.02]).tolist() == pytest.approx([0.08, 0.5, 0.04, 0.06])
    assert holm([0.04, 0.03]).tolist() == pytest.approx([0.06, 0.06])
    assert holm([0.7, 0.8]).tolist() == [1, 1]


def test_what_is_not_tested_does_not_count():
    adjusted = holm([np.nan, 0.03, 0.2])
    assert np.isnan(adjusted[0])
    assert adjusted[1:].tolist() == pytest.approx([0.06, 0.2])
    assert np.isnan(holm([np.nan])).all()


def test_the_rank_correlation_is_that_of_scipy_with_an_interval_around_it():
    rng = np.random.default_rng(1)
    x = rng.normal(size=400)
    y = x + rng.normal(size=400)
    rho, low, high = spearman(x, y)
    assert rho == pytest.approx(stats.spearmanr(x, y).statistic)
    boot = stats.bootstrap(
        (x, y),
        lambda a, b: stats.spearmanr(a, b).statistic,
        paired=True, vectorized=False, n_resamples=400, rng=np.random.default_rng(2),
    ).confidence_interval  # fmt: skip
    assert (low, high) == pytest.approx(tuple(boot), abs=0.02)


def test_there_is_no_rank_correlation_of_few_cases_or_without_spread():
    assert spearman(np.arange(19), np.arange(19)) is None
    assert spearman(np.arange(30), np.ones(30)) is None
    assert spearman(np.arange(30), np.arange(30))[0] == pytest.approx(1)
