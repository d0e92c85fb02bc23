from boneage.atlas.ossification import separating_events
from boneage.quiz.text import events_between, standard_for, what_separates


def test_the_two_ages_that_events_separate_are_named_from_the_younger_to_the_older():
    said = "What separates 6 years from 7 years 3 months in boys:"
    assert what_separates("male", 87, 72, 1) == what_separates("male", 72, 87, 1) == said
    none = what_separates("female", 80, 100, 0)
    assert none.startswith("Between 6 years 8 months and 8 years 4 months, no ossification center")
    assert "in most girls" in none


def test_events_between_two_ages_are_named_with_their_change():
    assert events_between(separating_events("male", 75, 90)) == (
        "Between the two ages: Trapezoid (appearance), Epiphysis of the distal ulna (appearance)."
    )
    assert "Distal radius (fusion)" in events_between(separating_events("female", 182, 190))
    assert events_between([]) == ""


def test_a_standard_that_is_not_of_the_age_asked_for_says_so():
    assert standard_for("Reference", 96, 96.4) == "Reference: 8 years"
    assert standard_for("Your estimate", 240, 216.0) == (
        "Your estimate: 20 years (oldest average hand: 18 years)"
    )
    assert standard_for("Your estimate", 12, 24.0).endswith("(youngest average hand: 2 years)")
