from boneage.atlas.stages import stage


def test_girls_are_a_stage_ahead_of_boys_and_the_last_has_no_end():
    assert stage("female", 90).title == "early and mid-puberty"
    assert stage("male", 90).title == "before puberty"
    assert stage("female", 9).title == stage("male", 13).title == "infancy"
    assert stage("female", 300) == stage("male", 240)
    assert "ulna and radius" in stage("female", 180).look_at
