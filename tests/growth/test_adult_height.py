"""Heights worked by hand from the Bayley-Pinneau tables."""

import pytest

from boneage.growth.adult_height import maturity_group, predict_adult_height, target_height
from boneage.growth.entries import ImpossibleEntry
from boneage.growth.reference import ACCELERATED, AVERAGE, DELAYED, OutsideTable, height_column


def test_a_boy_of_the_average_group_with_a_bone_age_of_10_years_6_months():
    found = predict_adult_height(140, 126, (120, 132), 126, "male")
    assert found.cm == pytest.approx(140 / 0.795)
    assert round(found.cm, 1) == 176.1
    assert (found.group, found.percent, found.range_is_cut) == (AVERAGE, 79.5, False)
    # 80.4% are reached at 11 years, 78.4% at 10 years.
    assert found.low_cm == pytest.approx(140 / 0.804)
    assert found.high_cm == pytest.approx(140 / 0.784)


@pytest.mark.parametrize(
    ("sex", "bone_age", "age", "group", "percent"),
    [
        ("male", 120, 108, ACCELERATED, 74.7),
        ("male", 120, 132, DELAYED, 81.2),
        ("male", 121, 121, AVERAGE, 78.4 + 0.7 / 3),
        ("female", 120, 108, ACCELERATED, 82.8),
        ("female", 120, 132, DELAYED, 87.4),
        ("female", 80, 80, AVERAGE, (73.8 + 75.1) / 2),  # the girls' rows are uneven
        ("female", 213, 213, AVERAGE, (99.95 + 100) / 2),
        # The first and the last row of each table.
        ("male", 84, 84, AVERAGE, 69.5),
        ("male", 222, 222, AVERAGE, 100.0),
        ("male", 84, 60, ACCELERATED, 67.0),
        ("male", 204, 180, ACCELERATED, 99.0),
        ("male", 72, 96, DELAYED, 68.0),
        ("male", 156, 180, DELAYED, 88.0),
        ("female", 72, 72, AVERAGE, 72.0),
        ("female", 216, 216, AVERAGE, 100.0),
        ("female", 84, 60, ACCELERATED, 71.2),
        ("female", 210, 190, ACCELERATED, 99.95),
        ("female", 72, 96, DELAYED, 73.3),
        ("female", 204, 220, DELAYED, 100.0),
    ],
)
def test_the_height_is_divided_by_the_share_reached(sex, bone_age, age, group, percent):
    found = predict_adult_height(130, bone_age, None, age, sex)
    assert found.group == group
    assert found.percent == pytest.approx(percent)
    assert found.cm == pytest.approx(130 / (percent / 100))
    assert found.low_cm is found.high_cm is None and not found.range_is_cut


@pytest.mark.parametrize(
    ("bone_age", "age", "group"),
    [
        (132, 120, ACCELERATED),
        (131, 120, AVERAGE),
        (131.6, 120, ACCELERATED),  # both are read as a year ahead
        (108, 120, DELAYED),
        (109, 120, AVERAGE),
        (108.4, 120, DELAYED),
    ],
)
def test_the_group_begins_at_12_months_to_either_side(bone_age, age, group):
    assert maturity_group(bone_age, age) == group


@pytest.mark.parametrize(
    ("sex", "bone_age", "age", "ends", "where"),
    [
        (
            "male",
            156.1,
            180,
            "the delayed group with a bone age from 6 years to 13 years",
            "higher",
        ),
        ("male", 71.9, 96, "the delayed group", "lower"),
        ("male", 83.9, 84, "the average group with a bone age from 7 years to 18 years 6", "lower"),
        ("male", 204.1, 180, "the accelerated group", "higher"),
        ("female", 216.1, 216, "girls of the average group", "higher"),
        ("female", 83, 60, "girls of the accelerated group", "lower"),
    ],
)
def test_where_there_is_no_table_a_sentence_says_so(sex, bone_age, age, ends, where):
    with pytest.raises(OutsideTable, match=f"{ends}.*bone age is {where}, so no adult height"):
        predict_adult_height(150, bone_age, None, age, sex)


def test_an_interval_past_the_table_gives_the_range_of_what_is_inside():
    found = predict_adult_height(140, 150, (140, 170), 170, "male")
    assert found.group == DELAYED and found.range_is_cut
    assert found.low_cm == pytest.approx(140 / 0.88)  # the last row, 13 years
    assert found.high_cm == pytest.approx(140 / (0.832 + 2 / 3 * 0.007))


@pytest.mark.parametrize(("height", "age"), [(1700, 126), (1.7, 126), (140, 301), (140, -1)])
def test_impossible_entries_get_a_sentence(height, age):
    with pytest.raises(ImpossibleEntry):
        predict_adult_height(height, 126, None, age, "male")


@pytest.mark.parametrize("sex", ["female", "male"])
@pytest.mark.parametrize("group", [AVERAGE, ACCELERATED, DELAYED])
def test_the_tables_rise_with_age(sex, group):
    column = height_column(sex, group)
    assert list(column.ages) == sorted(set(column.ages))
    assert list(column.values) == sorted(column.values) and column.values[-1] <= 100


def test_the_target_height_is_corrected_for_sex():
    boy, girl = target_height(165, 180, "male"), target_height(165, 180, "female")
    assert (boy.low_cm, boy.cm, boy.high_cm) == (170.5, 179.0, 187.5)
    assert (girl.low_cm, girl.cm, girl.high_cm) == (157.5, 166.0, 174.5)


def test_impossible_heights_of_parents_are_told_apart():
    with pytest.raises(ImpossibleEntry, match="for the mother"):
        target_height(16.5, 180, "male")
    with pytest.raises(ImpossibleEntry, match="for the father"):
        target_height(165, 1800, "male")
