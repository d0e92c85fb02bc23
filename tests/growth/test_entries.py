from datetime import date

import pytest

from boneage.growth.entries import (
    ImpossibleEntry,
    age_from,
    age_on,
    check_age,
    check_height,
    cm_from_feet,
    feet_from_cm,
)


@pytest.mark.parametrize("months", [0, 144, 300])
def test_an_age_of_a_child_passes(months):
    assert check_age(months) == months


@pytest.mark.parametrize(
    ("months", "given"), [(301, "25 years 1 month"), (-1, "−1 month"), (float("nan"), "age is")]
)
def test_an_impossible_age_gets_a_sentence(months, given):
    with pytest.raises(ImpossibleEntry, match=f"{given}.* enter an age from 0 to 25 years.$"):
        check_age(months)


@pytest.mark.parametrize("cm", [1700, 1.7, 49.9, 250.1, float("nan"), float("inf")])
def test_an_impossible_height_gets_a_sentence(cm):
    with pytest.raises(ImpossibleEntry, match="for the child: enter the height in centimeters"):
        check_height(cm)


def test_the_sentence_names_the_height_and_whose_it_is():
    with pytest.raises(ImpossibleEntry, match=r"^A height of 1,700 cm .* for the mother"):
        check_height(1700, "mother")
    assert check_height(50) == 50 and check_height(250) == 250


def test_feet_and_inches_are_centimeters():
    assert cm_from_feet(5, 9) == pytest.approx(175.26)  # 69 x 2.54
    assert feet_from_cm(175.26) == (5, 9.0)
    assert feet_from_cm(182.87) == (6, 0.0)  # and not 5 ft 12.0 in


@pytest.mark.parametrize(("feet", "inches"), [(5, 12), (-5, 1), (5, -1), (5, float("nan"))])
def test_impossible_feet_and_inches_get_a_sentence(feet, inches):
    with pytest.raises(ImpossibleEntry, match="less than 12 inches"):
        cm_from_feet(feet, inches)


def test_an_age_of_which_a_part_was_entered():
    assert [age_from(8, 3), age_from(8, None), age_from(None, 3)] == [99, 96, 3]
    assert age_from(None, None) is None
    assert age_from(0, 0) == 0


def test_the_age_on_a_day():
    assert age_on(date(2024, 3, 1), date(2012, 3, 1)) == pytest.approx(144)
    assert age_on(date(2024, 3, 1), date(2024, 3, 1)) == 0


def test_a_radiograph_before_birth_or_of_an_adult_gets_a_sentence():
    with pytest.raises(ImpossibleEntry, match="of 2020-01-01 was taken before .*2020-01-02"):
        age_on(date(2020, 1, 1), date(2020, 1, 2))
    with pytest.raises(ImpossibleEntry, match="age on 2024-03-01 of 39 years"):
        age_on(date(2024, 3, 1), date(1985, 3, 1))
