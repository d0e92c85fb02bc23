import numpy as np
import pytest

from boneage.atlas import ossification, standards
from boneage.atlas.ossification import (
    APPEARS,
    FUSES,
    SCALES,
    SOURCES,
    STAGES,
    STAGES_SOURCE,
    events,
    separating_events,
    stage,
)
from boneage.atlas.registration import hand_mask
from boneage.radiographs.preprocessing import SEXES

EVENTS = {event.key: event for event in events()}


def test_events_are_numbered_in_the_order_of_the_girls_ages():
    assert [event.number for event in events()] == list(range(1, len(events()) + 1))
    starts = [event.bone_age["female"][0] for event in events()]
    assert starts == sorted(starts)
    assert len(EVENTS) == len(events())


def test_ages_are_ranges_of_a_childs_life_and_girls_come_first():
    for event in events():
        for ages in (event.published, event.bone_age):
            assert all(0 < low <= high <= 21 * 12 for low, high in ages.values())
            assert ages["female"] <= ages["male"]
        assert event.change in (APPEARS, FUSES)


@pytest.mark.parametrize(
    ("key", "girls", "boys"),
    # Garn 1967: capitate, the last carpal but the pisiform, and the sesamoid.
    [("capitate", 2, 3), ("trapezoid", 50, 75), ("ulna_epiphysis", 64, 85), ("sesamoid", 129, 153)],
)
def test_medians_of_garn(key, girls, boys):
    assert EVENTS[key].published == {"female": (girls, girls), "male": (boys, boys)}
    assert EVENTS[key].sources == ("Garn 1967",)


FUSIONS = [event for event in events() if event.change == FUSES]
FINGERS = ("distal_fusion", "metacarpal_fusion", "phalangeal_fusion")


def test_ages_of_fusion_are_bone_ages_of_gilsanz_and_ratib():
    assert SCALES == {APPEARS: "chronological age", FUSES: "bone age"}
    for event in FUSIONS:
        assert "Gilsanz & Ratib 2012" in event.sources
        late = {"female": (156, 180), "male": (168, 192)}  # 13 to 15, 14 to 16 years
        after = {"female": (180, 204), "male": (204, 228)}  # 15 to 17, 17 to 19 years
        assert event.published == (late if event.key in FINGERS else after), event.key
        assert event.bone_age == event.published


def test_ages_of_appearance_are_bone_ages_by_the_brush_foundation():
    """Girls of 64 months: between 66.21 at 60 and 78.50 at 72; boys of 153: 148.82 to 158.39."""
    assert EVENTS["ulna_epiphysis"].bone_age == {"female": (70, 70), "male": (89, 89)}
    assert EVENTS["sesamoid"].bone_age == {"female": (135, 135), "male": (156, 156)}
    # Before the first age of the table.
    assert EVENTS["capitate"].bone_age == EVENTS["capitate"].published


def test_separating_events_are_those_between_two_bone_ages():
    def between(sex, younger, older):
        return [event.key for event in separating_events(sex, younger, older)]

    assert between("male", 60, 84) == ["scaphoid", "trapezium", "trapezoid"]
    assert between("male", 71, 73) == ["trapezium"]  # the scaphoid is there at 71 months
    assert between("female", 80, 100) == between("female", 70, 70) == []
    assert between("male", 71, 72) == []
    assert between("male", 70, 71) == ["scaphoid"]
    # The radius begins to fuse at 180 months.
    assert "radius_fusion" not in between("female", 170, 180)
    assert between("female", 130, 150) == ["pisiform", "sesamoid"]
    fusions = ["distal_fusion", "metacarpal_fusion", "phalangeal_fusion"]
    assert between("female", 170, 190) == [*fusions, "radius_fusion", "ulna_fusion"]


@pytest.mark.parametrize(("sex", "months"), [("female", 204), ("male", 204), ("female", 192)])
def test_past_late_puberty_only_ulna_and_radius_fuse(sex, months):
    """At a bone age of 17 a girl's phalanges have long fused."""
    near = [e.key for e in events() if e.worth_a_look(sex)[0] <= months <= e.worth_a_look(sex)[1]]
    assert near == ["radius_fusion", "ulna_fusion"]


def test_every_event_cites_a_known_source_and_every_source_is_cited():
    cited = {source for event in events() for source in event.sources} | {STAGES_SOURCE}
    assert cited == set(SOURCES)


def test_an_event_is_looked_for_a_year_around_a_median_and_within_a_wide_range():
    assert EVENTS["sesamoid"].worth_a_look("female") == (123, 147)
    assert EVENTS["proximal_epiphyses"].worth_a_look("female") == (0, 24)  # 10 to 14 months
    assert EVENTS["distal_fusion"].worth_a_look("male") == EVENTS["distal_fusion"].bone_age["male"]


@pytest.mark.parametrize("sex", SEXES)
def test_every_event_is_marked_on_the_hand_of_every_standard(sex):
    for months in standards.ages(sex):
        standard = standards.standard(sex, months)
        hand = hand_mask(standard.image) > 0.5
        for event in events():
            x, y = np.rint(event.places(standard.landmarks, months)).astype(int).T
            assert hand[y, x].all(), (event.key, months)


@pytest.mark.parametrize("sex", SEXES)
def test_carpal_centers_are_marked_where_the_standard_is_bright(sex):
    """At 9 years every carpal bone but the pisiform is a bright spot on a gray ground."""
    standard = standards.standard(sex, 108)
    ground = np.median(standard.image[hand_mask(standard.image) > 0.5])
    for key in ("capitate", "hamate", "triquetrum", "lunate", "scaphoid", "trapezoid"):
        ((x, y),) = np.rint(EVENTS[key].places(standard.landmarks, 108)).astype(int)
        assert standard.image[y - 2 : y + 3, x - 2 : x + 3].mean() > 1.1 * ground, key


def test_places_move_with_the_landmarks_and_with_age():
    landmarks = standards.standard("female", 96).landmarks
    for event in events():
        moved = event.places(2 * landmarks + [5, 7], 96)
        np.testing.assert_allclose(moved, 2 * event.places(landmarks, 96) + [5, 7], atol=1e-3)
    capitate = EVENTS["capitate"]
    young, middle, old = (capitate.places(landmarks, months)[0] for months in (36, 108, 180))
    np.testing.assert_allclose(middle, (young + old) / 2)
    assert np.linalg.norm(old - young) > 5
    np.testing.assert_array_equal(capitate.places(landmarks, 0)[0], young)


def test_stages_follow_each_other_and_the_last_has_no_end():
    for sex in SEXES:
        starts = [each.starts[sex] for each in STAGES]
        assert starts == sorted(set(starts))
        assert [stage(sex, start) for start in starts] == list(STAGES)
        assert stage(sex, 300) is STAGES[-1]
        assert stage(sex, -3) is STAGES[0]
    assert stage("female", 90).title == "Early and mid-puberty"
    assert stage("male", 90).title == "Prepubertal"
    assert stage("female", 9.9) is ossification.STAGES[0] is stage("male", 13)
