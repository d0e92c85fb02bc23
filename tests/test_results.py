from io import BytesIO

import numpy as np
import pandas as pd
import pytest

from boneage import results
from boneage.radiographs.hand import FULL_FRAME
from boneage.results import OK, REFUSED, WAITING, FileResult

MODELS = ["a", "b"]


@pytest.fixture
def table():
    return results.results_table(
        [
            FileResult("x.png", OK, None, "female", {"a": 96.04, "b": 100.0}, 98.02, FULL_FRAME),
            FileResult("=cmd()", REFUSED, "Not a picture."),
            FileResult("y.png", WAITING),
        ],
        MODELS,
    )


def test_the_table_has_a_row_a_file(table):
    assert list(table) == [
        "file", "status", "reason", "sex", "a_months", "b_months", "mean_months", "crop",
    ]  # fmt: skip
    assert list(table["status"]) == ["ok", "refused", "sex missing"]
    assert table.loc[0, "a_months"] == 96.0
    assert table.loc[1:, "mean_months"].isna().all()


def test_no_file_still_makes_a_table():
    assert results.results_table([], MODELS).empty


def test_csv_comes_back_and_holds_no_formula(table):
    content = results.to_csv(table)
    back = pd.read_csv(BytesIO(content), encoding="utf-8-sig")
    assert list(back["file"]) == ["x.png", "'=cmd()", "y.png"]
    assert back.loc[1, "reason"] == "Not a picture."
    assert back.loc[0, "mean_months"] == 98.0
    assert np.isnan(back.loc[2, "a_months"])


def test_people_read_years_and_words(table):
    shown = results.as_people_read(table)
    assert list(shown.loc[0, ["a_months", "mean_months", "crop"]]) == [
        "8 y",
        "8 y 2 m",
        "not found",
    ]
    assert shown.loc[1:, ["a_months", "crop"]].isna().all(axis=None)


def test_the_stated_error_is_that_of_all_test_radiographs():
    metrics = pd.DataFrame(
        {
            "split": ["validation", "test", "test"],
            "group": ["all", "female", "all"],
            "n": [5, 3, 6],
            "mae": [9.0, 8.0, 7.5],
        }
    )
    assert results.stated_error(metrics) == 7.5
    assert results.stated_error(metrics[:2]) is None
