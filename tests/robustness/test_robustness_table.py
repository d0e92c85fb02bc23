import numpy as np
import pandas as pd
import pytest

from boneage.evaluation.metrics import summarize
from boneage.robustness.table import robustness_table


def predictions(**months) -> pd.DataFrame:
    """Three children of 100 months; months: perturbation -> predictions by the one model."""
    parts = [
        pd.DataFrame({"perturbation": name, "id": ["a", "b", "c"][: len(values)], "m": values})
        for name, values in months.items()
    ]
    return pd.concat(parts, ignore_index=True).assign(reference_months=100.0)


def row(table, perturbation):
    return table.set_index("perturbation").loc[perturbation]


def test_error_change_and_ratio():
    table = robustness_table(predictions(clean=[102, 98, 104], mirrored=[108, 104, 92]))
    clean, mirrored = row(table, "clean"), row(table, "mirrored")
    assert (clean["n"], clean["change"], clean["ratio"]) == (3, 0, 1)
    assert (clean["ratio_low"], clean["ratio_high"]) == (1, 1)
    assert clean["mae"] == pytest.approx(8 / 3)
    assert mirrored["mae"] == pytest.approx(20 / 3)
    assert mirrored["change"] == pytest.approx(4)
    assert mirrored["ratio"] == pytest.approx(2.5)


def test_intervals_are_paired():
    """Every error is 3 months larger, however different the errors are."""
    table = robustness_table(predictions(clean=[101, 140, 180], mirrored=[104, 143, 183]))
    mirrored = row(table, "mirrored")
    assert mirrored["change_low"] == pytest.approx(3)
    assert mirrored["change_high"] == pytest.approx(3)
    assert mirrored["mae_high"] - mirrored["mae_low"] > 40


def test_the_interval_of_the_error_is_that_of_the_other_tables():
    rng = np.random.default_rng(1)
    age = rng.uniform(20, 200, 40)
    cases = pd.DataFrame(
        {"id": range(40), "reference_months": age, "m": age + rng.normal(0, 9, 40)}
    )
    found = robustness_table(cases.assign(perturbation="clean")).iloc[0]
    known = summarize(cases.rename(columns={"m": "prediction_months"})).iloc[0]
    for name in ("mae", "mae_low", "mae_high"):
        assert found[name] == pytest.approx(known[name])


def test_a_image_that_could_not_be_read_is_left_out_on_both_sides():
    table = robustness_table(predictions(clean=[102, 104, 190], cut=[104, 108]))
    cut = row(table, "cut")
    assert cut["n"] == 2
    assert cut["ratio"] == pytest.approx(2)
    assert row(table, "clean")["n"] == 3
