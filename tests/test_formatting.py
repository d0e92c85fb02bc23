import pytest
from plain import plain

from boneage import formatting


@pytest.mark.parametrize(
    ("months", "long", "short"),
    [
        (0, "0 months", "0 m"),
        (1, "1 month", "1 m"),
        (12, "1 year", "1 y"),
        (13.4, "1 year 1 month", "1 y 1 m"),
        (23.6, "2 years", "2 y"),
        (99.4, "8 years 3 months", "8 y 3 m"),
        (98.5, "8 years 3 months", "8 y 3 m"),  # halves go up, also before an odd month
        (-3, "−3 months", "−3 m"),
        (-0.2, "0 months", "0 m"),
    ],
)
def test_age(months, long, short):
    assert formatting.age_in_words(months) == long
    assert formatting.age_in_short(months) == short


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("mae", 7.26, "7.3 months"),
        ("bias", -1.24, "−1.2 months"),
        ("bias", 2.0, "+2.0 months"),
        ("bias", -0.04, "0.0 months"),
        ("r2", 0.9414, "0.941"),
        ("within_12", 0.644, "64%"),
        ("within_24", 0.995, "99.5%"),
        ("within_24", 1.0, "100%"),
        ("r2", float("nan"), "not defined"),
    ],
)
def test_figures_are_said_in_their_units(name, value, words):
    assert plain(formatting.metric_value(name, value)) == words


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (1.0, "1"),
        (0.1133, "0.11"),
        (0.0341, "0.034"),
        (0.0496, "0.0496"),  # and not 0.05
        (0.0504, "0.05"),
        (0.001, "0.001"),
        (3e-9, "< 0.001"),
    ],
)
def test_p_values_stay_on_their_side_of_five_percent(p, words):
    assert plain(formatting.p_value(p)) == words


def test_an_interval_is_said_without_its_unit():
    assert formatting.metric_interval("bias", -1.0, 2.5) == "−1.0 to +2.5"
    assert formatting.metric_interval("within_6", 0.21, 0.324) == "21 to 32"
    assert formatting.metric_interval("mae", float("nan"), float("nan")) == "no interval"


@pytest.mark.parametrize(
    ("items", "words"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_in_words(items, words):
    assert formatting.in_words(items) == words


def test_file_names_cannot_become_markup():
    assert formatting.as_plain_markdown("a_b*[x](y):red:.png") == (r"a\_b\*\[x\]\(y\)\:red\:\.png")


def test_an_interval_says_its_level_and_its_limits():
    assert plain(formatting.interval_in_short(0.9, 109.0, 136.2)) == (
        "90% interval: 9 y 1 m to 11 y 4 m"
    )


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (0, "0%"),
        (1 / 10_000, "0.01%"),
        (0.004, "0.4%"),
        (0.006, "1%"),
        (0.9949, "99%"),
        (199 / 200, "99.5%"),
        (9374 / 9375, "99.99%"),
        (1, "100%"),
    ],
)
def test_only_all_is_100_percent_and_only_none_is_0(part, words):
    assert plain(formatting.share(part)) == words


def test_a_share_of_reference_ages_comes_with_its_interval():
    words = plain(formatting.covered(1425, 0.9284, 0.9071, 0.945))
    assert words == "92.8% (90.7 to 94.5) of 1,425"


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 radiographs"), (1, "1 radiograph"), (1425, "1,425 radiographs")]
)
def test_things_are_counted_in_singular_and_plural(number, words):
    assert formatting.counted(number, "radiograph") == words


@pytest.mark.parametrize(
    ("months", "words"),
    [
        (13.2, "overestimated by 13 months"),
        (-30.0, "underestimated by 2 years 6 months"),
        (0.4, "exact to the month"),
    ],
)
def test_a_residual_in_words(months, words):
    assert formatting.residual_in_words(months) == words
