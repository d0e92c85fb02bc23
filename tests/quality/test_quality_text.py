from plain import plain

from boneage.quality import text


def test_the_quality_check_is_told_with_the_number_of_its_sources():
    said = plain(text.quality_check_measured(260, 113, 1.0, 0.967, 1.0))
    assert "refused 100% (95% CI 97% to 100%) of 260 images" in said
    assert "from 113 photographs and drawings" in said
