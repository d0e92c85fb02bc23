import numpy as np
import pytest

from boneage.datasets.phantoms import make_phantom
from boneage.quality.shapes import aligned
from boneage.radiographs.hand import upright_axes


def test_place_size_turn_and_side_make_no_difference():
    landmarks = make_phantom(100, "female", 1).landmarks
    shape = aligned(landmarks)
    turned = landmarks @ upright_axes(130) * 2.5 + (40, -900)
    mirrored = landmarks * (-1, 1)
    for same in (turned, mirrored):
        assert aligned(same) == pytest.approx(shape, abs=1e-5)
    assert np.linalg.norm(shape) == pytest.approx(1)


def test_another_posture_is_another_shape():
    landmarks = make_phantom(100, "female", 1).landmarks
    fist = landmarks.copy()
    fist[[8, 12, 16, 20]] = landmarks[0]
    assert np.abs(aligned(fist) - aligned(landmarks)).max() > 0.1
