import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from boneage.evaluation.intervals import bootstrap
from boneage.evaluation.metrics import AGE_BANDS, age_band, error_metrics, metrics_table, summarize


@pytest.fixture
def predictions():
    """Six cases worked by hand; residuals +6, -2, 0, +12, -13, +3."""
    return pd.DataFrame(
        {
            "id": list("abcdef"),
            "split": ["validation", "validation", "test", "test", "test", "test"],
            "sex": ["female", "male", "male", "female", "male", "female"],
            "reference_months": [30.0, 100.0, 120.0, 200.0, 240.0, 59.9],
            "prediction_months": [36.0, 98.0, 120.0, 212.0, 227.0, 62.9],
            "crop_method": "mediapipe",
        }
    )


def test_figures_worked_by_hand(predictions):
    result = error_metrics([30, 100, 120, 200], [36, 98, 120, 212])
    assert result == pytest.approx(
        {
            "mae": 5.0,  # (6 + 2 + 0 + 12) / 4
            "rmse": math.sqrt(46),  # (36 + 4 + 0 + 144) / 4
            "r2": 1 - 184 / 14675,  # ages vary by 82.5² + 12.5² + 7.5² + 87.5²
            "bias": 4.0,  # (6 - 2 + 0 + 12) / 4: overestimated
            "median_ae": 4.0,  # between 2 and 6
            "within_6": 0.75,  # 6 months off still counts
            "within_12": 1.0,
            "within_24": 1.0,
            "n": 4,
        }
    )


def test_figures_agree_with_scikit_learn():
    rng = np.random.default_rng(5)
    age = rng.uniform(10, 210, 100)
    prediction = age + rng.normal(-3, 10, 100)
    result = error_metrics(age, prediction)
    assert result["mae"] == pytest.approx(mean_absolute_error(age, prediction))
    assert result["rmse"] == pytest.approx(root_mean_squared_error(age, prediction))
    assert result["r2"] == pytest.approx(r2_score(age, prediction))
    assert result["bias"] == pytest.approx(prediction.mean() - age.mean())
    assert result["median_ae"] == pytest.approx(np.median(np.abs(prediction - age)))


def test_shares_count_errors_up_to_half_a_year_one_year_and_two():
    result = error_metrics([100.0] * 5, [106.0, 87.0, 76.0, 125.0, 112.0])
    assert (result["within_6"], result["within_12"], result["within_24"]) == (0.2, 0.4, 0.8)


@pytest.mark.parametrize("age", [[100.0], [100.0, 100.0]])
def test_r2_is_undefined_without_spread_of_age(age):
    result = error_metrics(age, [103.0] * len(age))
    assert math.isnan(result["r2"])
    assert (result["mae"], result["n"]) == (3.0, len(age))


def test_figures_of_no_cases_are_undefined():
    result = error_metrics([], [])
    assert result.pop("n") == 0
    assert np.isnan(list(result.values())).all()


def test_age_bands_include_their_lower_end_only():
    ages = pd.Series([0, 59.99, 60, 119.99, 120, 179.99, 180, 228, 400], index=range(10, 19))
    bands = age_band(ages)
    first, second, third, last = AGE_BANDS
    assert bands.tolist() == [first] * 2 + [second] * 2 + [third] * 2 + [last] * 3
    assert bands.index.tolist() == ages.index.tolist()
    assert bands.cat.ordered
    assert bands.cat.categories.tolist() == list(AGE_BANDS)
    assert age_band([70]).tolist() == [second]


@pytest.mark.parametrize("age", [-1.0, np.nan])
def test_impossible_ages_have_no_band(age):
    with pytest.raises(ValueError, match="negative or missing"):
        age_band([100.0, age])


def test_summarize_everything_in_one_row(predictions):
    table = summarize(predictions, n_resamples=200)
    assert len(table) == 1
    row = table.iloc[0]
    assert row["n"] == 6
    assert row["mae"] == pytest.approx(36 / 6)
    assert row["bias"] == pytest.approx(6 / 6)
    limits = bootstrap(predictions["reference_months"], predictions["prediction_months"], 0.95, 200)
    for name, (low, high) in limits.items():
        assert (row[f"{name}_low"], row[f"{name}_high"]) == (low, high)
        assert low <= row[name] <= high
    assert table.columns.tolist()[:4] == ["n", "mae", "mae_low", "mae_high"]


def test_summarize_by_sex_and_age_band(predictions):
    by_sex = summarize(predictions, "sex", n_resamples=100).set_index("sex")
    assert by_sex["mae"].to_dict() == pytest.approx({"female": 21 / 3, "male": 15 / 3})
    assert by_sex["n"].to_dict() == {"female": 3, "male": 3}

    both = summarize(predictions, ["sex", "age_band"], n_resamples=100)
    assert both["age_band"].cat.ordered
    counts = {(row.sex, row.age_band): row.n for row in both.itertuples()}
    assert counts == {
        ("female", "0-5 years"): 2,
        ("female", "15-19 years"): 1,
        ("male", "5-10 years"): 1,
        ("male", "10-15 years"): 1,
        ("male", "15-19 years"): 1,
    }


def test_metrics_table_has_a_row_for_each_split_and_group(predictions):
    table = metrics_table(predictions, n_resamples=100)
    assert list(zip(table["split"], table["group"], table["n"], strict=True)) == [
        ("validation", "all", 2),
        ("validation", "female", 1),
        ("validation", "male", 1),
        ("validation", "0-5 years", 1),
        ("validation", "5-10 years", 1),
        ("test", "all", 4),
        ("test", "female", 2),
        ("test", "male", 2),
        ("test", "0-5 years", 1),
        ("test", "10-15 years", 1),
        ("test", "15-19 years", 2),
    ]
    test = table[table["split"] == "test"].set_index("group")
    assert test["mae"].to_dict() == pytest.approx(
        {
            "all": 7,
            "female": 7.5,
            "male": 6.5,
            "0-5 years": 3,
            "10-15 years": 0,
            "15-19 years": 12.5,
        }
    )
    assert test.loc["15-19 years", "within_12"] == 0.5
    assert math.isnan(test.loc["10-15 years", "mae_low"])
    assert table.columns.tolist()[:6] == ["split", "group", "n", "mae", "mae_low", "mae_high"]


def test_metrics_table_of_no_cases_is_empty_with_the_same_columns(predictions):
    empty = metrics_table(predictions.iloc[:0])
    assert len(empty) == 0
    assert empty.columns.tolist() == metrics_table(predictions, 10).columns.tolist()


def test_missing_columns_are_named(predictions):
    with pytest.raises(ValueError, match="no column prediction_months"):
        summarize(predictions.drop(columns="prediction_months"))
    with pytest.raises(ValueError, match="no column hospital"):
        summarize(predictions, "hospital")
    with pytest.raises(ValueError, match="no column split"):
        metrics_table(predictions.drop(columns="split"))
