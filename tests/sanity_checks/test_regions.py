import cv2
import numpy as np
import pytest
from phantom_hands import on_image, prepared_phantom

from boneage.datasets.phantoms import make_phantom
from boneage.radiographs.hand import full_frame
from boneage.radiographs.preprocessing import PreparedHand
from boneage.sanity_checks.regions import (
    CARPALS,
    DISTAL_RADIUS_ULNA,
    METACARPALS,
    PHALANGES,
    REGIONS,
    beside_the_bones,
    bone_regions,
)

KNUCKLES = (5, 9, 13, 17)


@pytest.mark.parametrize("size", [128, 256])
@pytest.mark.parametrize(("degrees", "mirrored"), [(0, False), (0, True), (40, False)])
def test_regions_lie_on_the_bones_of_a_phantom(degrees, mirrored, size):
    phantom = make_phantom(110, "female", seed=2)
    hand = prepared_phantom(phantom, size, degrees, mirrored)
    regions = bone_regions(hand)
    joints, (_, growth_plate) = phantom.landmarks, phantom.radius_axis
    wrist = joints[0]
    middles = {
        PHALANGES: [
            (joints[k] + joints[k + 1]) / 2
            for k in range(2, 20)
            if k not in (4, *(knuckle - 1 for knuckle in KNUCKLES))
        ],
        METACARPALS: [
            (joints[1] + joints[2]) / 2,
            *(wrist + 0.7 * (joints[k] - wrist) for k in KNUCKLES),
        ],
        CARPALS: [wrist + 0.1 * (joints[9] - wrist), wrist + 0.25 * (joints[9] - wrist)],
        DISTAL_RADIUS_ULNA: [growth_plate],
    }
    for region, points in middles.items():
        assert regions[region][on_image(hand, points)].all(), region


def test_regions_do_not_overlap():
    regions = bone_regions(prepared_phantom(make_phantom(80, "male", seed=1)))
    assert tuple(regions) == REGIONS
    assert np.sum(list(regions.values()), axis=0).max() == 1


def test_each_region_has_a_control_of_its_own_area_right_beside_the_bones():
    regions = bone_regions(prepared_phantom(make_phantom(80, "male", seed=1)))
    bones = np.any(list(regions.values()), axis=0)
    away = cv2.distanceTransform((~bones).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    controls = beside_the_bones(regions)
    assert tuple(controls) == REGIONS
    for name, control in controls.items():
        assert control.sum() == regions[name].sum()
        assert not (control & bones).any()
        assert away[control].max() <= away[~bones & ~control].min()


def test_where_bones_leave_too_little_room_the_control_is_all_there_is():
    region = np.ones((8, 8), bool)
    region[:2] = False
    control = beside_the_bones({"carpals": region})["carpals"]
    np.testing.assert_array_equal(control, ~region)


def test_a_hand_without_landmarks_has_no_regions():
    pixels = np.zeros((64, 64), np.uint8)
    hand = PreparedHand(pixels, full_frame(pixels), 0.0, np.eye(2, 3))
    with pytest.raises(ValueError, match="without landmarks"):
        bone_regions(hand)
