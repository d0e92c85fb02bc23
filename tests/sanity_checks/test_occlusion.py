import cv2
import numpy as np
import pandas as pd
import pytest
from phantom_hands import prepared_phantom

from boneage.datasets.phantoms import make_phantom
from boneage.sanity_checks.occlusion import occlude, occlusion_shifts
from boneage.sanity_checks.regions import CARPALS, REGIONS, beside_the_bones, bone_regions


@pytest.fixture(scope="module")
def hand():
    return prepared_phantom(make_phantom(110, "female", seed=2))


def test_blur_takes_detail_and_leaves_brightness_and_the_rest():
    rng = np.random.default_rng(0)
    image = rng.integers(60, 180, (128, 128), dtype=np.uint8)
    region = np.zeros((128, 128), bool)
    region[40:90, 30:100] = True
    hidden = occlude(image, region)
    assert hidden.dtype == np.uint8
    inside, far = np.s_[44:86, 34:96], np.s_[100:, :]
    assert hidden[inside].std() < 0.1 * image[inside].std()
    assert hidden[inside].mean() == pytest.approx(image[inside].mean(), abs=3)
    np.testing.assert_array_equal(hidden[far], image[far])


def test_hiding_moves_a_model_only_where_it_looks(hand):
    """One made-up model looks at the texture of the carpals only, the other at nothing."""
    carpals = bone_regions(hand)[CARPALS]
    core = carpals & ~_grown(~carpals, 6)

    def predict(variants):
        return {
            "carpal": np.array([100 + v["carpal"].image[core].std() for v in variants]),
            "blind": np.full(len(variants), 50.0),
        }

    shifts = occlusion_shifts({"carpal": hand, "blind": hand}, predict)
    shifts = shifts.set_index(["model", "region"])
    assert list(shifts.loc["carpal"].index) == list(REGIONS)
    moved = shifts.loc["carpal", "shift_months"]
    assert moved[CARPALS] < -5  # no texture, younger
    assert (moved.drop(CARPALS).abs() < 0.01).all()
    assert (shifts.loc["carpal", "control_shift_months"].abs() < 0.01).all()
    assert (shifts.loc["blind", ["shift_months", "control_shift_months"]] == 0).all(axis=None)
    assert shifts.loc[("carpal", CARPALS), "area"] == pytest.approx(carpals.mean())
    pd.testing.assert_series_equal(shifts.loc["carpal", "area"], shifts.loc["blind", "area"])


def test_each_region_is_compared_with_a_blur_of_as_many_pixels_beside_the_bones(hand):
    """A made-up model counts the pixels that are not as they were."""

    def predict(variants):
        original = variants[0]["m"].image
        return {"m": np.array([(v["m"].image != original).sum() for v in variants], float)}

    shifts = occlusion_shifts({"m": hand}, predict).set_index("region")
    controls = beside_the_bones(bone_regions(hand))
    for region in REGIONS:
        hidden = occlude(hand.image, controls[region])
        expected = (hidden != hand.image).sum()
        assert shifts.loc[region, "control_shift_months"] == expected
        assert shifts.loc[region, "area"] == pytest.approx(controls[region].mean())


def _grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * pixels + 1,) * 2)).astype(bool)
