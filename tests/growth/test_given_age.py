from datetime import date

import pytest

from boneage.growth.entries import ImpossibleEntry
from boneage.growth.given_age import GivenAge

BIRTH = date(2014, 5, 31)


def test_an_age_that_was_given_counts():
    assert GivenAge(144).age_on(date(2020, 1, 1)) == 144
    assert GivenAge().age_on(date(2020, 1, 1)) is None


def test_dates_give_the_age_and_the_date_given_counts_before_that_of_the_file():
    assert GivenAge(birth=BIRTH).age_on(date(2026, 5, 31)) == pytest.approx(144, abs=0.1)
    child = GivenAge(birth=BIRTH, study=date(2020, 5, 31))
    assert child.age_on(date(2026, 5, 31)) == pytest.approx(72, abs=0.1)


def test_a_birth_without_a_date_of_the_radiograph_gets_a_sentence():
    with pytest.raises(ImpossibleEntry, match="does not state when the radiograph was taken"):
        GivenAge(birth=BIRTH).age_on(None)


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ({"age_months": 144, "birth": BIRTH}, "not both"),
        ({"study": BIRTH}, "needs the date of birth"),
        ({"birth": BIRTH, "study": date(2014, 5, 30)}, "taken before the date of birth"),
        ({"birth": date(1970, 1, 1), "study": BIRTH}, "age from 0 to 25 years"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_read(entries, sentence):
    with pytest.raises(ImpossibleEntry, match=sentence):
        GivenAge(**entries)
