from statistics import NormalDist

import pytest

from boneage.evaluation.intervals import Z_95
from boneage.growth.entries import ImpossibleEntry
from boneage.growth.follow_up import NoCourse, Reading, in_order, maturation_rate, without_repeats

Z_90 = NormalDist().inv_cdf(0.95)  # 90% of a normal distribution lie within so many SDs


def reading(age, bone_age, half=10.0):
    return Reading(age, bone_age, (bone_age - half, bone_age + half), 0.9)


def test_two_readings_by_hand():
    """36 months of bone age in 24 months; both errors have an SD of 10 / 1.645 months."""
    rate = maturation_rate([reading(120, 126), reading(96, 90)])
    margin = Z_95 * (10 / Z_90) * 2**0.5 / 24
    assert rate.years_per_year == pytest.approx(1.5)
    assert (rate.low, rate.high) == pytest.approx((1.5 - margin, 1.5 + margin))
    assert (rate.n, rate.span_months) == (2, 24)


def test_the_ci_is_wide_for_a_short_gap():
    short, long = (maturation_rate([reading(96, 90), reading(96 + gap, 92)]) for gap in (3, 36))
    assert short.high - short.low == pytest.approx(12 * (long.high - long.low))
    assert short.low < 0 < 1 < short.high


def test_three_readings_by_hand():
    """The slope of 0, 10, 26 at 0, 12, 24 is 26 / 24; its variance is SD² / (12² + 12²)."""
    rate = maturation_rate([reading(96, 90), reading(108, 100), reading(120, 116)])
    assert rate.years_per_year == pytest.approx(26 / 24)
    assert rate.high - rate.years_per_year == pytest.approx(Z_95 * (10 / Z_90) / 288**0.5)


def test_a_reading_with_a_wide_interval_counts_less():
    sure = [reading(96, 96), reading(108, 108)]
    astray = maturation_rate([*sure, reading(120, 150, half=1000)])
    assert astray.years_per_year == pytest.approx(1, abs=0.02)
    assert maturation_rate([*sure, reading(120, 150)]).years_per_year == pytest.approx(54 / 24)


def test_readings_on_a_line_of_any_weights_give_its_slope():
    rate = maturation_rate([reading(96, 90, 8), reading(100, 96, 20), reading(130, 141, 5)])
    assert rate.years_per_year == pytest.approx(1.5)


def test_without_all_intervals_there_is_no_ci():
    rate = maturation_rate([Reading(96, 90), reading(108, 100), reading(120, 116)])
    assert rate.years_per_year == pytest.approx(26 / 24)
    assert rate.low is rate.high is None


def test_an_interval_cut_off_at_birth_counts_as_whole():
    assert Reading(3, 4, (0, 14), 0.9).sd_months == pytest.approx(10 / Z_90)
    assert Reading(3, 4).sd_months is None


@pytest.mark.parametrize("ages", [[], [96], [96, 96]])
def test_one_age_is_no_course(ages):
    with pytest.raises(NoCourse, match="needs radiographs at two or more ages"):
        maturation_rate([reading(age, age) for age in ages])


def test_readings_are_ordered_by_age_and_impossible_ones_refused():
    assert [r.chronological_age_months for r in in_order([reading(9, 1), reading(3, 2)])] == [3, 9]
    with pytest.raises(ImpossibleEntry):
        maturation_rate([reading(96, 90), reading(301, 220)])


def test_a_radiograph_that_is_uploaded_again_does_not_count_twice():
    earlier = [Reading(96.2, 90, name="a"), Reading(108, 99, name="a"), Reading(96, 91)]
    new = [Reading(96.0, 92, name="a"), Reading(96, 91)]
    assert without_repeats(earlier, new) == earlier[1:]
