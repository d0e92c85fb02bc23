import numpy as np
import pandas as pd
import pytest

from boneage.growth.columns import growth_json, in_words, with_sd
from boneage.growth.reference import GREULICH_PYLE
from boneage.inference.results import OK, REFUSED, FileResult, results_table, to_csv

# A boy of 12 years with a bone age of 13 years 9 months: 21 / 10.38 SD by the Brush table.
BOY = FileResult(
    "a.png",
    OK,
    sex="male",
    chronological_age_months=144,
    months={"ensemble": 165.0},
    intervals={"ensemble": (154.0, 176.0)},
)
INFANT = FileResult("b.png", OK, sex="male", chronological_age_months=2, months={"ensemble": 6.0})
NO_AGE = FileResult("c.png", OK, sex="female", months={"ensemble": 100.0})
NO_BONE_AGE = FileResult("d.png", REFUSED, "No hand.", "female", chronological_age_months=90)


def test_json_fields_of_a_boy():
    assert growth_json(BOY, "ensemble") == {
        "sd_score": 2.02,
        "sd_interval": [0.96, 3.08],  # 10 and 32 months ahead
        "assessment": "advanced",
        "sd_table": "brush_foundation",
        "growth_note": None,
    }


def test_another_table_gives_another_score():
    fields = growth_json(BOY, "ensemble", GREULICH_PYLE)
    assert (fields["sd_score"], fields["sd_table"]) == (2.02, GREULICH_PYLE)  # 21 / 10.4
    later = FileResult("e.png", OK, sex="male", chronological_age_months=168, months={"x": 180})
    assert growth_json(later, "x", GREULICH_PYLE)["sd_score"] == 1.0  # 12 / 12.0


def test_adult_height_only_where_the_height_is_given():
    boy = FileResult("a.png", OK, sex="male", chronological_age_months=126, months={"x": 126.0})
    fields = growth_json(boy, "x", height_cm=140)
    assert (fields["adult_height_cm"], fields["adult_height_group"]) == (176.1, "average")
    assert fields["adult_height_interval_cm"] is None
    assert "adult_height_cm" not in growth_json(boy, "x")


def test_what_no_table_covers_is_a_note_and_nothing_is_made_up():
    fields = growth_json(INFANT, "ensemble", height_cm=60)
    assert fields["sd_score"] is fields["assessment"] is fields["adult_height_cm"] is None
    assert "Brush Foundation table covers boys" in fields["growth_note"]
    assert "Bayley-Pinneau" in fields["growth_note"]


@pytest.mark.parametrize("result", [NO_AGE, NO_BONE_AGE])
def test_without_both_ages_there_is_nothing(result):
    assert set(growth_json(result, "ensemble", height_cm=120).values()) == {None}


def test_columns_of_a_table():
    table = with_sd(results_table([BOY, INFANT, NO_AGE, NO_BONE_AGE], [], 0.9))
    assert table["sd_score"].round(3).tolist()[0] == 2.023
    assert table.loc[0, ["sd_low", "sd_high"]].astype(float).round(2).tolist() == [0.96, 3.08]
    assert table["assessment"].fillna("").tolist() == ["advanced", "", "", ""]
    assert table.loc[1:, ["sd_score", "sd_low", "sd_high"]].isna().all(axis=None)
    assert table["growth_note"].notna().tolist() == [False, True, False, False]
    assert table["sd_score"].dtype == np.float64
    csv = pd.read_csv(pd.io.common.BytesIO(to_csv(table)))
    assert csv.loc[0, "sd_score"] == 2.02 and csv.loc[0, "chronological_age_months"] == 144


def test_a_table_as_people_read_it():
    shown = in_words(with_sd(results_table([BOY, NO_AGE], [], 0.9)))
    assert shown.loc[0, ["sd_score", "assessment"]].tolist() == ["+2.02", "Advanced"]
    assert shown["years"].isna().tolist() == [False, True]
    assert (shown.loc[0, "years"], shown.loc[0, "months"]) == (12, 0)
