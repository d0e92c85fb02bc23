"""The published synthetic hands: what docs/synthetic_hands.md states about them."""

import time
from pathlib import Path

import numpy as np
import pytest

from boneage.models.registry import ENSEMBLE
from boneage.synthetic import evaluation, files, hands
from boneage.synthetic.model import MIN_HANDS

DOCS = Path(__file__).resolve().parents[2] / "docs" / "synthetic_hands.md"


@pytest.fixture(scope="module")
def groups():
    return hands.groups()


@pytest.fixture(scope="module")
def predictions():
    return evaluation.read_predictions()


@pytest.fixture(scope="module")
def distances():
    return evaluation.read_distances()


def test_every_group_is_of_enough_hands_and_the_years_are_covered(groups):
    assert groups["n"].min() >= MIN_HANDS
    for _, of_sex in groups.groupby("sex"):
        assert of_sex["months"].diff().dropna().eq(12).all()
        assert of_sex["months"].min() == 24
        assert of_sex["months"].max() >= 192
    assert (groups["mean_age_months"] - groups["months"]).abs().max() < 6


def test_the_models_are_a_few_megabytes():
    folder = files.synthetic_folder()
    assert sum(path.stat().st_size for path in folder.iterdir()) < 6e6


def test_a_hand_is_drawn_in_less_than_a_second():
    started = time.process_time()
    hand = hands.synthetic_hand("male", 130, seed=11)
    assert time.process_time() - started < 1
    assert hand.image.dtype == np.uint8
    assert hand.bone_age_months == pytest.approx(132, abs=3)
    assert min(hand.image.shape) > 350
    assert hand.image.max() > 200
    assert np.median(hand.image[:20]) < 10


def test_the_quality_check_accepts_them_and_the_models_agree_with_their_age(predictions, groups):
    ensemble = predictions[predictions["model"] == ENSEMBLE]
    assert len(ensemble) == len(groups) * evaluation.PER_GROUP >= 200
    metrics = evaluation.prediction_metrics(predictions)
    assert metrics["accepted"] > 0.95
    assert metrics["mae"] < 12
    for model in predictions["model"].unique():
        of_model = predictions[predictions["model"] == model]
        residuals = of_model["prediction_months"] - of_model["reference_months"]
        assert residuals.abs().mean() < 12


def test_no_hand_is_as_close_to_a_radiograph_as_two_radiographs_are(distances, groups):
    assert len(distances) == 2 * groups["n"].sum()
    summary = evaluation.distance_summary(distances)
    for measure in ("gray_levels", "pattern"):
        assert summary.loc[measure, "synthetic_low"] > summary.loc[measure, "radiograph_low"]
        assert summary.loc[measure, "too_close"] < 0.01
    assert summary.loc["pattern", "synthetic_median"] > summary.loc["pattern", "radiograph_median"]


def test_the_document_states_what_was_measured(predictions, distances, groups):
    said = " ".join(DOCS.read_text(encoding="utf-8").split())
    metrics = evaluation.prediction_metrics(predictions)
    summary = evaluation.distance_summary(distances)
    assert f"{len(groups)} groups" in said
    assert f"{metrics['accepted']:.1%}" in said
    assert f"{metrics['mae']:.1f} months" in said
    for measure in ("gray_levels", "pattern"):
        digits = 1 if measure == "gray_levels" else 2
        for column in ("radiograph_low", "radiograph_median", "synthetic_low", "synthetic_median"):
            assert f"{summary.loc[measure, column]:.{digits}f}" in said
        assert f"{summary.loc[measure, 'too_close']:.1%}" in said
