import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from boneage.evaluation import intervals
from boneage.evaluation.intervals import (
    METRICS,
    bootstrap,
    percentile_interval,
    resample_counts,
    resample_means,
    resample_metrics,
)


def cases(n, seed=0):
    rng = np.random.default_rng(seed)
    age = rng.uniform(5, 220, n)
    return age, age + rng.normal(1, 9, n)


def test_each_resample_draws_as_many_cases_as_there_are():
    counts = np.concatenate(list(resample_counts(7, 50)))
    assert counts.shape == (50, 7)
    assert (counts.sum(axis=1) == 7).all()
    assert len(np.unique(counts, axis=0)) > 40


def test_chunks_add_up_to_all_resamples(monkeypatch):
    monkeypatch.setattr(intervals, "_CHUNK_ENTRIES", 64)
    chunks = list(resample_counts(10, 50))
    assert [len(chunk) for chunk in chunks] == [6] * 8 + [2]
    assert max(chunk.size for chunk in chunks) <= 64


@pytest.mark.parametrize("n", [40, 41])
def test_figures_of_a_resample_are_those_of_its_repeated_cases(n):
    age, prediction = np.round(cases(n))
    prediction[:3] = age[:3] + [6, 12, 24]  # the limits themselves count as within
    counts = np.concatenate(list(resample_counts(n, 20, seed=3)))
    found = resample_metrics(age, prediction, 20, seed=3)
    for row, count in enumerate(counts):
        a, p = np.repeat(age, count), np.repeat(prediction, count)
        expected = {
            "mae": mean_absolute_error(a, p),
            "rmse": root_mean_squared_error(a, p),
            "r2": r2_score(a, p),
            "bias": np.mean(p - a),
            "median_ae": np.median(np.abs(p - a)),
            "within_6": np.mean(np.abs(p - a) <= 6),
            "within_12": np.mean(np.abs(p - a) <= 12),
            "within_24": np.mean(np.abs(p - a) <= 24),
        }
        assert {name: values[row] for name, values in found.items()} == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "statistic"),
    [
        ("mae", mean_absolute_error),
        ("rmse", root_mean_squared_error),
        ("r2", r2_score),
        ("bias", lambda a, p: np.mean(p - a)),
        ("median_ae", lambda a, p: np.median(np.abs(p - a))),
        ("within_6", lambda a, p: np.mean(np.abs(p - a) <= 6)),
    ],
)
def test_intervals_agree_with_scipy(name, statistic):
    age, prediction = cases(200)
    expected = stats.bootstrap(
        (age, prediction),
        statistic,
        paired=True,
        vectorized=False,
        n_resamples=2000,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    low, high = bootstrap(age, prediction)[name]
    # Two sets of 2,000 resamples differ by a few hundredths of the width at each end.
    tolerance = 0.12 * (expected.high - expected.low)
    assert low == pytest.approx(expected.low, abs=tolerance)
    assert high == pytest.approx(expected.high, abs=tolerance)


def test_the_level_sets_the_quantiles():
    age, prediction = cases(60)
    values = resample_metrics(age, prediction, 400)["mae"]
    expected = np.quantile(values, [0.1, 0.9])
    assert bootstrap(age, prediction, level=0.8, n_resamples=400)["mae"] == pytest.approx(expected)
    with pytest.raises(ValueError, match="level 95"):
        bootstrap(age, prediction, level=95)


def test_an_interval_leaves_out_what_is_undefined():
    values = np.append(np.arange(101.0), [np.nan, np.nan])
    assert percentile_interval(values, n=9) == pytest.approx((2.5, 97.5))
    assert percentile_interval(values, n=9, level=0.5) == pytest.approx((25, 75))
    assert np.isnan(percentile_interval(values[-2:], n=9)).all()


def test_the_seed_decides():
    age, prediction = cases(60)
    first = bootstrap(age, prediction, n_resamples=200, seed=1)
    assert first == bootstrap(age, prediction, n_resamples=200, seed=1)
    assert first != bootstrap(age, prediction, n_resamples=200, seed=2)


def test_columns_are_resampled_together():
    column = np.random.default_rng(0).normal(size=30)
    means = resample_means(np.column_stack([column, column + 5]), 100)
    assert means.shape == (100, 2)
    np.testing.assert_allclose(means[:, 1] - means[:, 0], 5)
    assert means[:, 0].std() > 0


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_cases_have_no_interval(n):
    result = bootstrap([100.0] * n, [103.0] * n)
    assert set(result) == set(METRICS)
    assert np.isnan(list(result.values())).all()


def test_r2_has_no_interval_when_all_ages_are_the_same():
    # 0.1 cannot be written exactly in binary: rounding must not pass for variance.
    result = bootstrap([120.1] * 5, [118.0, 121.0, 125.0, 119.0, 130.0], n_resamples=200)
    assert np.isnan(result["r2"]).all()
    assert np.isfinite([limits for name, limits in result.items() if name != "r2"]).all()


def test_resamples_without_r2_are_left_out_of_its_interval():
    values = resample_metrics([60.0, 120.0], [66.0, 126.0], 200)["r2"]
    # Drawing both cases gives 1 - 72 / 1800; drawing one twice leaves R2 undefined.
    assert 50 < np.isnan(values).sum() < 150
    assert bootstrap([60.0, 120.0], [66.0, 126.0], n_resamples=200)["r2"] == pytest.approx(
        (0.96, 0.96)
    )


@pytest.mark.parametrize(
    ("age", "prediction", "message"),
    [
        ([1.0, 2.0], [1.0], "do not match"),
        ([1.0, 2.0], [1.0, np.nan], "not numbers"),
        ([1.0, np.inf], [1.0, 2.0], "not numbers"),
        ([[1.0]], [[1.0]], "do not match"),
    ],
)
def test_unusable_input_is_refused(age, prediction, message):
    with pytest.raises(ValueError, match=message):
        bootstrap(age, prediction)


def test_of_very_many_cases_the_limit_of_resampling_is_taken(monkeypatch):
    age, prediction = cases(4000)
    prediction[::50] += 40  # a long tail
    drawn = resample_metrics(age, prediction, 2000)
    monkeypatch.setattr(intervals, "NORMAL_FROM", 1000)
    limit = resample_metrics(age, prediction, 2000)
    assert list(limit) == list(drawn)
    for name in drawn:
        assert (limit[name] != drawn[name]).mean() > 0.9
        low, high = percentile_interval(drawn[name], 4000)
        # 2,000 resamples leave ends uncertain by about 3% of the width.
        assert percentile_interval(limit[name], 4000) == pytest.approx(
            (low, high), abs=0.1 * (high - low)
        ), name


def test_means_of_very_many_cases_are_paired_and_within_the_values(monkeypatch):
    monkeypatch.setattr(intervals, "NORMAL_FROM", 100)
    age, _ = cases(1000)
    means = resample_means(np.column_stack([age, age + 3, age > 219]), 500)
    assert means[:, 1] - means[:, 0] == pytest.approx(3)
    assert means[:, 2].min() >= 0
    assert resample_means(np.empty((1000, 0)), 500).shape == (500, 0)
