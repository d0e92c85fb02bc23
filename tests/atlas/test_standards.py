import shutil

import numpy as np
import pandas as pd
import pytest
from made_up_atlas import AGES, write_atlas

from boneage.artifacts import ArtifactError
from boneage.atlas import standards
from boneage.atlas.landmarks import landmarks_on, mirrored
from boneage.datasets.phantoms import draw_phantom
from boneage.formatting import children_aged
from boneage.radiographs.preprocessing import SEXES, Preprocessing, prepare


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    return write_atlas(tmp_path_factory.mktemp("atlas"))


def test_standards_are_found_by_nominal_age_and_by_mean_age(atlas):
    assert standards.available(atlas)
    assert standards.ages("male", atlas) == list(AGES)
    # Mean ages are 37, 73, 109, ...; people are told these.
    assert standards.standard("male", 72, atlas).title == "Boys, 6 years 1 month"
    assert standards.nearest_standard("male", 54, atlas).months == 36
    assert standards.nearest_standard("male", 56, atlas).months == 72
    assert standards.nearest_standard("male", 500, atlas).months == AGES[-1]


def test_a_standard_between_two_is_neither_and_lies_between_them(atlas):
    young, old = (standards.standard("female", months, atlas) for months in (72, 108))
    mid = standards.between("female", 91, atlas)  # halfway from 73 to 109
    assert mid.parents == (young, old)
    assert mid.caption == (
        "Interpolated between the average hands of 6 years 1 month and 9 years 1 month."
    )
    assert mid.title == "Girls, 7 years 7 months"
    assert (mid.months, mid.mean_age_months, mid.n) == (91, 91, 0)
    np.testing.assert_allclose(mid.landmarks, (young.landmarks + old.landmarks) / 2, atol=1e-4)
    near = standards.between("female", 74, atlas)

    def unlike(a, b):
        return np.abs(a.image.astype(float) - b.image).mean()

    assert unlike(near, young) < unlike(mid, young) < unlike(old, young)
    assert unlike(mid, old) < unlike(near, old)


def test_beyond_the_standards_the_last_one_stands(atlas):
    assert standards.between("female", 3, atlas).months == AGES[0]
    assert standards.between("female", 230, atlas).months == AGES[-1]
    assert standards.between("female", 3, atlas).parents == ()
    assert standards.between("female", 230, atlas).title == "Girls, 15 years 1 month"


@pytest.fixture
def uneven(tmp_path):
    """Girls' standards of 3, 6 and 7 years 6 months, boys' of these and 15 years."""
    write_atlas(tmp_path, ages=(36, 72, 90, 180))
    table = pd.read_csv(tmp_path / "standards.csv", dtype={"build": str})
    table[(table["sex"] == "male") | (table["months"] < 180)].to_csv(
        tmp_path / "standards.csv", index=False
    )
    return tmp_path


def test_ages_that_can_be_shown_end_with_the_standards_of_a_sex(uneven):
    assert standards.age_span(["female"], uneven) == (37, 91)
    assert standards.age_span(["female", "male"], uneven) == (37, 181)
    assert standards.half_years("female", uneven) == (3.5, 7.5)
    assert standards.half_years("male", uneven) == (3.5, 15.0)
    assert standards.half_year_steps(["female"], uneven) == [37, *range(42, 91, 6), 91]
    for months in (1, 37, 60, 91, 140, 999):
        shown = standards.between("female", months, uneven)
        assert standards.age_shown("female", months, uneven) == shown.mean_age_months
    assert standards.age_shown("female", 140, uneven) == 91
    assert standards.age_shown("male", 140, uneven) == 140


def test_standards_around_an_age_are_spaced_evenly_about_a_year_to_both_sides(uneven):
    def around(sex, months):
        found = standards.around(sex, months, uneven)
        return {which: standard.mean_age_months for which, standard in found.items()}

    assert around("female", 85) == {"younger": 73, "nearest": 91}
    assert around("female", 230) == {"younger": 73, "nearest": 91}
    assert around("female", 20) == {"nearest": 37, "older": 73}
    assert around("female", 70) == {"younger": 37, "nearest": 73, "older": 91}
    assert around("male", 150) == {"younger": 91, "nearest": 181}


@pytest.mark.parametrize("sex", SEXES)
def test_published_standards_around_an_age_lie_a_year_from_it_and_not_from_the_nearest(sex):
    """The prediction is in the middle also where standards are half a year or a year apart."""
    first, *_, last = (standards.standard(sex, m).mean_age_months for m in standards.ages(sex))
    for months in range(36, int(last) - 11):
        found = standards.around(sex, months)
        assert list(found) == ["younger", "nearest", "older"]
        younger, older = (found[w].mean_age_months - months for w in ("younger", "older"))
        assert abs(younger + 12) <= 6.5, months
        assert abs(older - 12) <= 6.5, months


@pytest.mark.parametrize("sex", SEXES)
def test_a_published_standard_is_called_by_its_mean_bone_age(sex):
    for months in standards.ages(sex):
        standard = standards.standard(sex, months)
        assert standard.title == children_aged(sex, standard.mean_age_months)
    assert standards.standard("female", 72).title == "Girls, 5 years 9 months"
    assert standards.between("female", 210).title == "Girls, 16 years"


def test_a_standard_laid_over_a_hand_has_its_joints_there_left_or_right(atlas):
    """Laid over another drawing and back, the standard is what it was."""
    standard = standards.standard("female", 108, atlas)
    hand = prepare(draw_phantom(108, "female", 7, height=640), Preprocessing(size=512))
    landmarks = landmarks_on(hand)
    over = standards.align(standard, landmarks, 512)
    assert over.shape == (512, 512)
    assert np.corrcoef(over.ravel(), hand.image.ravel())[0, 1] > 0.8
    right = standards.align(standard, mirrored(landmarks, 512), 512)
    assert np.abs(right[:, ::-1].astype(float) - over).mean() < 2


def test_similarity_finds_the_age_of_a_drawing(atlas):
    hand = prepare(draw_phantom(108, "female", 7, height=640), Preprocessing(size=512))
    comparison = standards.compare("female", hand.image, landmarks_on(hand), atlas)
    assert comparison["months"].iloc[0] == 108
    assert comparison["similarity"].is_monotonic_decreasing
    assert standards.similarity_estimate(comparison) == pytest.approx(109, abs=9)


def test_a_missing_or_damaged_atlas_is_said_in_a_sentence(atlas, tmp_path):
    assert not standards.available(tmp_path)
    with pytest.raises(ArtifactError, match="standards.csv is missing"):
        standards.table(tmp_path)
    with pytest.raises(ArtifactError, match="no standard of girls of 3 years 1 month"):
        standards.standard("female", 37, atlas)
    copy = shutil.copytree(atlas, tmp_path / "atlas")
    (copy / "female-072.webp").write_bytes(b"RIFF")
    with pytest.raises(ArtifactError, match=r"female-072\.webp is missing or damaged; restore it"):
        standards.standard("female", 72, copy)


def test_an_atlas_written_anew_is_read_anew(tmp_path):
    write_atlas(tmp_path, ages=(60, 96))
    assert standards.ages("female", tmp_path) == [60, 96]
    write_atlas(tmp_path, ages=(60, 96, 132))
    assert standards.ages("female", tmp_path) == [60, 96, 132]
