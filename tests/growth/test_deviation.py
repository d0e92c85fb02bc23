"""SDs worked by hand from the tables in `boneage/growth/tables/`."""

import pytest

from boneage.growth.deviation import ADVANCED, DELAYED, NORMAL, deviation, status_of
from boneage.growth.entries import ImpossibleEntry
from boneage.growth.reference import BRUSH_FOUNDATION, GREULICH_PYLE, OutsideTable, sd_at


def test_a_boy_of_12_years_with_a_bone_age_of_13_years_9_months():
    found = deviation(165, (158, 174), 144, "male")
    assert found.z == pytest.approx(21 / 10.38)
    assert round(found.z, 1) == 2.0
    assert found.interval_z == pytest.approx((14 / 10.38, 30 / 10.38))
    assert found.status == ADVANCED
    assert found.not_excluded == (NORMAL,)


def test_the_other_table_gives_another_sd():
    found = deviation(165, None, 144, "male", GREULICH_PYLE)
    assert found.z == pytest.approx(21 / 10.4)
    assert found.interval_z is None and found.not_excluded == ()


@pytest.mark.parametrize(
    ("table", "sex", "age", "sd"),
    [
        (BRUSH_FOUNDATION, "male", 144, 10.38),
        (BRUSH_FOUNDATION, "male", 150, (10.38 + 10.44) / 2),
        (BRUSH_FOUNDATION, "male", 147, 0.75 * 10.38 + 0.25 * 10.44),
        (BRUSH_FOUNDATION, "male", 3, 0.69),
        (BRUSH_FOUNDATION, "male", 204, 13.05),
        (BRUSH_FOUNDATION, "female", 192, 7.31),
        (BRUSH_FOUNDATION, "female", 60, 11.65),
        (GREULICH_PYLE, "male", 12, 2.1),
        (GREULICH_PYLE, "male", 204, 15.4),
        (GREULICH_PYLE, "female", 180, 11.2),
        (GREULICH_PYLE, "female", 75, (3 * 9.0 + 8.3) / 4),
    ],
)
def test_the_sd_is_that_of_the_table_or_between_two_rows(table, sex, age, sd):
    assert sd_at(table, sex, age) == pytest.approx(sd)


@pytest.mark.parametrize(
    ("table", "sex", "age", "child", "ends"),
    [
        (BRUSH_FOUNDATION, "male", 2.9, "younger", "boys from 3 months to 17 years"),
        (BRUSH_FOUNDATION, "male", 204.1, "older", "boys from 3 months to 17 years"),
        (BRUSH_FOUNDATION, "female", 192.1, "older", "girls from 3 months to 16 years"),
        (GREULICH_PYLE, "male", 11.9, "younger", "boys from 1 year to 17 years"),
        (GREULICH_PYLE, "female", 180.1, "older", "girls from 1 year to 15 years"),
    ],
)
def test_past_the_ends_of_a_table_there_is_no_sd(table, sex, age, child, ends):
    with pytest.raises(OutsideTable, match=f"{ends} of age. This child is {child}, so no SD"):
        deviation(100, None, age, sex, table)


def test_the_table_that_covers_the_age_is_named():
    with pytest.raises(OutsideTable, match="; the Brush Foundation table covers this age.$"):
        sd_at(GREULICH_PYLE, "female", 186)
    with pytest.raises(OutsideTable, match="so no SD is given.$"):
        sd_at(GREULICH_PYLE, "female", 200)


def test_an_impossible_age_is_no_matter_of_the_table():
    with pytest.raises(ImpossibleEntry):
        deviation(165, None, 400, "male")


@pytest.mark.parametrize(
    ("z", "status"),
    [(2, NORMAL), (-2, NORMAL), (2.0001, ADVANCED), (-2.0001, DELAYED), (0, NORMAL)],
)
def test_two_sd_are_normal_and_more_is_not(z, status):
    assert status_of(z) == status


@pytest.mark.parametrize(
    ("interval", "bone_age", "left_open"),
    [
        ((140, 150), 144, ()),
        ((140, 165), 150, (ADVANCED,)),
        ((120, 150), 130, (DELAYED,)),
        ((120, 170), 144, (DELAYED, ADVANCED)),
        ((166, 190), 180, ()),
        ((120, 190), 180, (DELAYED, NORMAL)),
    ],
)
def test_what_the_interval_leaves_open(interval, bone_age, left_open):
    """Normal are 123.24 to 164.76 months."""
    assert deviation(bone_age, interval, 144, "male").not_excluded == left_open
