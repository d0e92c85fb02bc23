import numpy as np
import pandas as pd
import pytest

from boneage import artifacts
from boneage.errors import BoneAgeError
from boneage.inference.ensemble import ensemble_table, ensemble_weights, with_ensemble


def table(predictions, ages, ids=None, split="validation", **columns):
    ids = [str(number) for number in range(len(ages))] if ids is None else list(ids)
    cases = {"id": ids, "split": split, "reference_months": ages, "prediction_months": predictions}
    return pd.DataFrame(cases | columns)


@pytest.fixture
def three():
    """Three models on 400 validation cases, with errors of 6, 9 and 30 months."""
    rng = np.random.default_rng(4)
    age = rng.uniform(10, 220, 400)
    errors = {"a": 6, "b": 9, "c": 30}
    return {name: table(age + rng.normal(0, sd, 400), age) for name, sd in errors.items()}


def mae(tables, weights):
    ages = next(iter(tables.values()))["reference_months"]
    months = {name: t["prediction_months"] for name, t in tables.items()}
    return (with_ensemble(months, weights)["ensemble"] - ages).abs().mean()


def test_the_mean_of_one_hand_or_of_many():
    weights = {"a": 0.25, "b": 0.75}
    assert with_ensemble({"a": 90.0, "b": 100.0}, weights)["ensemble"] == 97.5
    many = with_ensemble({"a": np.array([90.0, 30.0]), "b": np.array([100.0, 50.0])}, weights)
    assert list(many) == ["a", "b", "ensemble"]
    assert many["ensemble"].tolist() == [97.5, 45.0]


def test_no_weights_in_whole_percent_beat_those_chosen(three):
    two = {name: three[name] for name in "ab"}
    weights = ensemble_weights(two)
    tried = [mae(two, {"a": part / 100, "b": 1 - part / 100}) for part in range(101)]
    assert mae(two, weights) == pytest.approx(min(tried), abs=1e-9)
    assert mae(two, weights) < min(mae(two, {"a": 1, "b": 0}), mae(two, {"a": 0.5, "b": 0.5}))


def test_weights_are_whole_percent_and_a_poor_model_counts_next_to_nothing(three):
    weights = ensemble_weights(three)
    assert sum(weights.values()) == pytest.approx(1)
    assert all(100 * weight == pytest.approx(round(100 * weight)) for weight in weights.values())
    assert weights["a"] > weights["b"] > weights["c"]
    assert 0 <= weights["c"] < 0.05


def test_only_validation_cases_weigh_the_models(three):
    other = pd.concat([three["c"], three["c"].assign(split="test", prediction_months=0.0)])
    assert ensemble_weights(three | {"c": other}) == ensemble_weights(three)
    unseen = {name: cases.assign(split="test") for name, cases in three.items()}
    assert set(ensemble_weights(unseen).values()) == {1 / 3}


def test_the_weights_that_the_version_stands_for():
    """Where other code weighs these predictions otherwise, raise `ENSEMBLE_VERSION`."""
    age = np.linspace(10, 220, 400)
    two = {
        "a": table(age + 6 * np.sin(np.arange(400)), age),
        "b": table(age + 9 * np.cos(np.arange(400)) + 1, age),
    }
    assert (ensemble_weights(two), artifacts.ENSEMBLE_VERSION) == ({"a": 0.7, "b": 0.3}, 1)


def test_one_model_weighs_all():
    assert ensemble_weights({"a": table([1.0] * 200, [2.0] * 200)}) == {"a": 1}


def test_the_ensemble_has_the_cases_all_models_have():
    ages = [30.0, 100.0, 120.0, 200.0]
    first = table([30.0, 101.0, 120.0, 200.0], ages, "abcd", contrast=[0.1, 0.2, 0.3, 0.4])
    second = table([98.0, 103.0, 36.0, 1.0], [120.0, 100.0, 30.0, 7.0], "cbaz")
    found = ensemble_table({"a": first, "b": second})
    assert found["id"].tolist() == ["a", "b", "c"]
    assert found["prediction_months"].tolist() == [33, 102, 109]
    assert found["contrast"].tolist() == [0.1, 0.2, 0.3]
    assert list(found) == list(first)


def test_the_ensemble_is_weighted(three):
    weights = ensemble_weights(three)
    months = {name: t["prediction_months"].to_numpy() for name, t in three.items()}
    expected = with_ensemble(months, weights)["ensemble"]
    np.testing.assert_allclose(ensemble_table(three)["prediction_months"], expected)
    given = ensemble_table(three, dict.fromkeys(three, 1 / 3))["prediction_months"]
    np.testing.assert_allclose(given, np.mean(list(months.values()), axis=0))


def test_the_ensemble_of_one_model_is_that_model():
    only = table([30.0, 101.0], [40.0, 100.0])
    pd.testing.assert_frame_equal(ensemble_table({"a": only}), only)


def test_the_same_id_in_another_split_is_another_case():
    ages = [30.0, 100.0]
    first, second = table([1.0] * 2, ages), table([3.0] * 2, ages, split=["train", "validation"])
    assert ensemble_table({"a": first, "b": second})["id"].tolist() == ["1"]


def test_tables_without_a_common_case_are_refused():
    first, second = table([1.0], [1.0], "a"), table([1.0], [1.0], "b")
    with pytest.raises(BoneAgeError, match="share no case"):
        ensemble_table({"a": first, "b": second})
