from boneage.atlas.ossification import separating_events
from boneage.quiz.text import standard_for, what_separates


def test_what_separates_two_ages_is_told_from_the_younger_to_the_older():
    events = separating_events("male", 75, 90)
    said = (
        "What separates 6 years 3 months from 7 years 6 months in boys: appearance of trapezoid "
        "(16) and epiphysis of the distal ulna (17)."
    )
    assert what_separates("male", 90, 75, events) == said
    assert what_separates("male", 75, 90, events) == said
    said = what_separates("female", 150, 168, separating_events("female", 150, 168))
    assert said.endswith(
        "appearance of pisiform (18); fusion of distal phalanges (20), metacarpals (21) and "
        "proximal and middle phalanges (22)."
    )


def test_ages_that_no_event_separates_are_told_with_what_to_do():
    said = what_separates("female", 80, 100, separating_events("female", 80, 100))
    assert said.startswith("Between 6 years 8 months and 8 years 4 months, no ossification center")
    assert "in most girls. Compare" in said


def test_a_standard_that_is_not_of_the_age_asked_for_says_so():
    assert standard_for("Reference", 96, 96.4) == "Reference: 8 years"
    assert standard_for("Your estimate", 240, 216.0) == (
        "Your estimate: 20 years (oldest average hand: 18 years)"
    )
    assert standard_for("Your estimate", 12, 24.0).endswith("(youngest average hand: 2 years)")
