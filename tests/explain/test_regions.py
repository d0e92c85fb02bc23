import cv2
import numpy as np
import pytest
from phantom_hands import on_image, prepared_phantom

from boneage.datasets.phantoms import make_phantom
from boneage.explain.regions import (
    CARPALS,
    METACARPALS,
    PHALANGES,
    REGIONS,
    WRIST,
    beside_the_bones,
    bone_regions,
)
from boneage.radiographs.hand import full_frame
from boneage.radiographs.preprocessing import PreparedHand

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
        WRIST: [growth_plate],
    }
    for region, points in middles.items():
        assert regions[region][on_image(hand, points)].all(), region


def test_regions_do_not_overlap_and_the_control_is_as_large_beside_them():
    regions = bone_regions(prepared_phantom(make_phantom(80, "male", seed=1)))
    assert tuple(regions) == REGIONS
    times = np.sum(list(regions.values()), axis=0)
    assert times.max() == 1
    control = beside_the_bones(regions)
    assert not (control & (times > 0)).any()
    assert control.sum() == times.sum() // len(regions)
    rim = cv2.dilate((times > 0).astype(np.uint8), np.ones((3, 3))).astype(bool) & (times == 0)
    assert control[rim].all()


def test_a_hand_without_landmarks_has_no_regions():
    pixels = np.zeros((64, 64), np.uint8)
    hand = PreparedHand(pixels, full_frame(pixels), 0.0, np.eye(2, 3))
    with pytest.raises(ValueError, match="without landmarks"):
        bone_regions(hand)
