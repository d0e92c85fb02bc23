import cv2
import numpy as np
import pytest
from made_up_atlas import write_atlas

from boneage.atlas import standards
from boneage.atlas.change import difference, displacement
from boneage.atlas.registration import hand_mask
from boneage.atlas.standards import Standard
from boneage.atlas.warping import sample

CELL = 8


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """The same girl's hand, drawn at 4 and at 10 years."""
    root = write_atlas(tmp_path_factory.mktemp("atlas"), ages=(48, 120))
    return standards.standard("female", 48, root), standards.standard("female", 120, root)


def moved(standard: Standard, matrix: np.ndarray) -> Standard:
    """The standard after an affine map (2, 3)."""
    image = cv2.warpAffine(standard.image, matrix, standard.image.shape[::-1])
    landmarks = (standard.landmarks @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    return Standard(standard.sex, 60, 30, 60.0, 1.0, image, standard.spread, landmarks)


def test_the_field_leads_from_places_of_one_standard_to_the_same_places_on_the_other(pair):
    younger, _ = pair
    matrix = np.array([[1.04, 0.0, -6.0], [0.0, 1.02, 4.0]])
    older = moved(younger, matrix)
    field = displacement(younger, older, CELL)
    assert field.shape == (80, 64, 2)
    assert field.dtype == np.float32
    # Halfway from p on the younger to its place on the older, the field is the way between them.
    places = younger.landmarks
    way = places @ matrix[:, :2].T + matrix[:, 2] - places
    column, row = ((places + way / 2 + 0.5) / CELL - 0.5).astype(np.float32).T
    found = cv2.remap(field, column[None], row[None], cv2.INTER_LINEAR)[0]
    assert np.linalg.norm(found - way, axis=1).max() < 2
    assert np.linalg.norm(way, axis=1).max() > 10


def test_both_standards_bent_halfway_lie_on_each_other(pair):
    younger, older = pair
    field = cv2.resize(displacement(younger, older, CELL), (512, 640))
    y, x = np.mgrid[:640, :512].astype(np.float32)
    grid = np.dstack([x, y])
    halves = [sample(younger.image, grid - field / 2), sample(older.image, grid + field / 2)]
    inside = hand_mask(younger.image) > 0.5

    def unlike(a, b):
        return np.abs(a.astype(float) - b)[inside].mean()

    assert unlike(*halves) < 0.6 * unlike(younger.image, older.image)


def test_no_difference_between_a_standard_and_itself_moved(pair):
    younger, _ = pair
    change = difference(younger, moved(younger, np.array([[1.05, 0, -9.0], [0, 1.05, -12.0]])))
    assert np.abs(change).mean() < 0.01
    assert np.percentile(np.abs(change), 99) < 0.1


def test_new_carpal_bones_are_brighter_and_nothing_beside_the_hand_is(pair):
    younger, older = pair
    change = difference(younger, older)
    assert change.shape == older.image.shape
    assert np.abs(change).max() <= 1
    wrist, knuckle = older.landmarks[0], older.landmarks[9]
    # Between wrist and knuckles, where seven bones come in these years.
    x, y = np.rint(wrist + 0.22 * (knuckle - wrist)).astype(int)
    carpals = change[y - 40 : y + 40, x - 40 : x + 40]
    assert (carpals > 0.1).mean() > 3 * (carpals < -0.1).mean()
    assert (carpals > 0.1).sum() > 300
    assert np.abs(change[hand_mask(older.image) == 0]).max(initial=0) == 0
