import shutil

import numpy as np
import pytest
from made_up_atlas import AGES, write_atlas

from boneage.artifacts import ArtifactError
from boneage.atlas import plates
from boneage.atlas.landmarks import landmarks_on, mirrored
from boneage.datasets.phantoms import draw_phantom
from boneage.radiographs.preprocessing import Preprocessing, prepare


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    return write_atlas(tmp_path_factory.mktemp("atlas"))


def test_plates_are_found_by_nominal_age_and_by_mean_age(atlas):
    assert plates.available(atlas)
    assert plates.ages("male", atlas) == list(AGES)
    assert plates.plate("male", 72, atlas).title == "Boys, 6 years"
    # Mean ages are 37, 73, 109, ...
    assert plates.nearest_plate("male", 54, atlas).months == 36
    assert plates.nearest_plate("male", 56, atlas).months == 72
    assert plates.nearest_plate("male", 500, atlas).months == AGES[-1]


def test_a_plate_between_two_is_neither_and_lies_between_them(atlas):
    young, old = (plates.plate("female", months, atlas) for months in (72, 108))
    mid = plates.between("female", 91, atlas)  # halfway from 73 to 109
    assert mid.parents == (young, old)
    assert mid.caption == "Blended from the average hands of 6 years and 9 years."
    assert (mid.months, mid.mean_age_months, mid.n) == (91, 91, 0)
    np.testing.assert_allclose(mid.landmarks, (young.landmarks + old.landmarks) / 2, atol=1e-4)
    near = plates.between("female", 74, atlas)

    def unlike(a, b):
        return np.abs(a.image.astype(float) - b.image).mean()

    assert unlike(near, young) < unlike(mid, young) < unlike(old, young)
    assert unlike(mid, old) < unlike(near, old)


def test_beyond_the_plates_the_last_one_stands(atlas):
    assert plates.between("female", 3, atlas).months == AGES[0]
    assert plates.between("female", 230, atlas).months == AGES[-1]
    assert plates.between("female", 3, atlas).parents == ()


def test_a_plate_laid_over_a_hand_has_its_joints_there_left_or_right(atlas):
    """Laid over another drawing and back, the plate is what it was."""
    plate = plates.plate("female", 108, atlas)
    hand = prepare(draw_phantom(108, "female", 7, height=640), Preprocessing(size=512))
    landmarks = landmarks_on(hand)
    over = plates.align(plate, landmarks, 512)
    assert over.shape == (512, 512)
    assert np.corrcoef(over.ravel(), hand.image.ravel())[0, 1] > 0.8
    right = plates.align(plate, mirrored(landmarks, 512), 512)
    assert np.abs(right[:, ::-1].astype(float) - over).mean() < 2


def test_likeness_finds_the_age_of_a_drawing(atlas):
    hand = prepare(draw_phantom(108, "female", 7, height=640), Preprocessing(size=512))
    comparison = plates.compare("female", hand.image, landmarks_on(hand), atlas)
    assert comparison["months"].iloc[0] == 108
    assert comparison["similarity"].is_monotonic_decreasing
    assert plates.second_opinion(comparison) == pytest.approx(109, abs=9)


def test_a_missing_or_damaged_atlas_is_said_in_a_sentence(atlas, tmp_path):
    assert not plates.available(tmp_path)
    with pytest.raises(ArtifactError, match="plates.csv is missing"):
        plates.table(tmp_path)
    with pytest.raises(ArtifactError, match="no plate of girls of 3 years 1 month"):
        plates.plate("female", 37, atlas)
    copy = shutil.copytree(atlas, tmp_path / "atlas")
    (copy / "female-072.webp").write_bytes(b"RIFF")
    with pytest.raises(ArtifactError, match=r"female-072\.webp is missing or damaged; restore it"):
        plates.plate("female", 72, copy)


def test_an_atlas_written_anew_is_read_anew(tmp_path):
    write_atlas(tmp_path, ages=(60, 96))
    assert plates.ages("female", tmp_path) == [60, 96]
    write_atlas(tmp_path, ages=(60, 96, 132))
    assert plates.ages("female", tmp_path) == [60, 96, 132]
