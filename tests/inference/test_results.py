from io import BytesIO

import numpy as np
import pandas as pd
import pytest

from boneage.figures.cards import age_cards
from boneage.formatting import age_in_short, age_in_words
from boneage.inference import results
from boneage.inference.results import GIVEN, HEADER, OK, REFUSED, WAITING, FileResult
from boneage.radiographs.hand import FULL_FRAME, MANUAL
from boneage.radiographs.manual_frame import ManualFrame

MODELS = ["a", "b"]


@pytest.fixture
def table():
    intervals = {"a": (80.0, 112.04), "b": (84.0, 116.0), "ensemble": (86.0, 110.0)}
    months = {"a": 96.04, "b": 100.0, "ensemble": 98.02}
    return results.results_table(
        [
            FileResult("x.png", OK, None, "female", GIVEN, None, months, FULL_FRAME, intervals),
            FileResult("=cmd()", REFUSED, "Not an image."),
            FileResult("y.png", WAITING),
            FileResult(
                "z.png",
                OK,
                None,
                "male",
                HEADER,
                96.0,
                months,
                FULL_FRAME,
                hand="left",
                position="right",
            ),
        ],
        MODELS,
        0.9,
    )


def test_the_table_has_a_row_a_file(table):
    assert list(table) == [
        "file", "hand", "position", "status", "reason", "sex", "chronological_age_months",
        "a_months", "a_low_months", "a_high_months", "b_months", "b_low_months", "b_high_months",
        "ensemble_months", "ensemble_low_months", "ensemble_high_months", "interval_level", "crop",
    ]  # fmt: skip
    assert list(table["status"]) == ["ok", "refused", "sex missing", "ok"]
    assert table.loc[0, "a_months"] == 96.04
    assert table.loc[[1, 2], "ensemble_months"].isna().all()


def test_intervals_stand_behind_the_age_they_belong_to(table):
    limits = ["a_low_months", "a_high_months", "ensemble_low_months", "ensemble_high_months"]
    assert table.loc[0, limits].tolist() == [80.0, 112.04, 86.0, 110.0]
    assert table.loc[0, "interval_level"] == 0.9
    assert table.loc[1:, [*limits, "interval_level"]].isna().all(axis=None)


def test_no_file_still_makes_a_table():
    assert results.results_table([], MODELS, 0.9).empty


def test_csv_comes_back_and_holds_no_formula(table):
    content = results.to_csv(table)
    back = pd.read_csv(BytesIO(content), encoding="utf-8-sig")
    assert list(back["file"]) == ["x.png", "'=cmd()", "y.png", "z.png"]
    assert back.loc[1, "reason"] == "Not an image."
    assert back.loc[0, "ensemble_months"] == 98.0
    assert back.loc[3, ["hand", "position"]].tolist() == ["left", "right"]
    assert back.loc[:2, ["hand", "position"]].isna().all(axis=None)
    assert np.isnan(back.loc[2, "a_months"])


def test_people_read_years_and_words(table):
    shown = results.as_people_read(table)
    columns = ["a_months", "ensemble_months", "ensemble_low_months", "crop"]
    assert list(shown.loc[0, columns]) == ["8 y", "8 y 2 m", "7 y 2 m", "not found"]
    assert shown.loc[[1, 2], columns].isna().all(axis=None)
    assert shown.loc[3, "hand"] == "left hand (probable)" and shown.loc[:2, "hand"].isna().all()


def test_a_manual_frame_is_stated_where_there_is_one():
    months, frame = {"ensemble": 98.0}, ManualFrame((10, 20, 310.5, 420), -15)
    framed = FileResult("f.png", OK, months=months, crop=MANUAL, frame=frame)
    found = FileResult("x.png", OK, months=months, crop=FULL_FRAME)
    answer = results.as_json(framed, "ensemble")
    assert answer["crop"] == "manual"
    assert (answer["box"], answer["rotation"]) == ([10, 20, 310.5, 420], -15)
    assert not {"box", "rotation"} & set(results.as_json(found, "ensemble"))
    table = results.results_table([found, framed], [], 0.9)
    assert table.loc[1, ["crop", "box", "rotation"]].tolist() == ["manual", "10,20,310.5,420", -15]
    assert table.loc[0, ["box", "rotation"]].isna().all()
    assert results.as_people_read(table).loc[1, "crop"] == "manual"
    assert "box" not in results.results_table([found], [], 0.9)


@pytest.mark.parametrize("months", [149.46, 149.5, 95.94, 5.49])
def test_the_table_and_the_card_show_one_age(months):
    result = FileResult("x.png", OK, None, "male", GIVEN, None, {"ensemble": months}, FULL_FRAME)
    shown = results.as_people_read(results.results_table([result], [], 0.9))
    assert shown.loc[0, "ensemble_months"] == age_in_short(months)
    assert f">{age_in_words(months)}<" in age_cards({"densenet121": 1, "resnet34_cbam": 2}, months)


def test_the_stated_bias_is_that_of_the_test_radiographs():
    metrics = pd.DataFrame(
        {
            "split": ["validation", "test", "test", "test"],
            "group": ["all", "all", "female", "5-10 years"],
            "bias": [9.0, 1.45, 2.17, 4.3],
            "bias_low": 0.65,
            "bias_high": 2.26,
        }
    )
    assert results.stated_bias(metrics) == {"all": (1.45, 0.65, 2.26), "female": (2.17, 0.65, 2.26)}
    assert results.stated_bias(metrics[:1]) == {}


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
