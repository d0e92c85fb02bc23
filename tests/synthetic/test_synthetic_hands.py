"""The published synthetic hands: what docs/synthetic_hands.md states about them."""

import time
from pathlib import Path

import numpy as np
import pytest

from boneage.cli import main
from boneage.models.registry import ENSEMBLE
from boneage.synthetic import evaluation, files, hands, model, privacy
from boneage.synthetic.model import MIN_HANDS
from boneage.synthetic.privacy import (
    EXPLAINED,
    GRAY_LEVELS,
    OTHER,
    PATTERN,
    RADIOGRAPH,
    SYNTHETIC,
)

DOCS = Path(__file__).resolve().parents[2] / "docs" / "synthetic_hands.md"


@pytest.fixture(scope="module")
def groups():
    return hands.groups()


@pytest.fixture(scope="module")
def predictions():
    return evaluation.read_predictions()


@pytest.fixture(scope="module")
def measured():
    return privacy.read_privacy()


@pytest.fixture(scope="module")
def summary(measured):
    return privacy.privacy_summary(measured)


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
    for name in predictions["model"].unique():
        of_model = predictions[predictions["model"] == name]
        residuals = of_model["prediction_months"] - of_model["reference_months"]
        assert residuals.abs().mean() < 12


def test_synthetic_hands_are_farther_from_radiographs_than_these_from_each_other(
    measured, summary, groups
):
    for kind in (RADIOGRAPH, SYNTHETIC):
        assert summary.loc[[(PATTERN, kind), (GRAY_LEVELS, kind)], "n"].eq(groups["n"].sum()).all()
    median = measured.pivot_table("median", ["sex", "months"], ["measure", "kind"])
    low = measured.pivot_table("low", ["sex", "months"], ["measure", "kind"])
    assert len(median) == len(groups)
    for measure in (GRAY_LEVELS, PATTERN):
        assert (low[measure, SYNTHETIC] > low[measure, RADIOGRAPH]).mean() > 0.9
    assert (median[PATTERN, SYNTHETIC] > median[PATTERN, RADIOGRAPH]).all()
    gray = [summary.loc[(GRAY_LEVELS, kind), "median"] for kind in (SYNTHETIC, RADIOGRAPH)]
    assert gray[0] == pytest.approx(gray[1], rel=0.01)
    assert summary.loc[(GRAY_LEVELS, SYNTHETIC), "groups_closer"] == 0


def test_the_models_hold_little_of_the_fine_detail_of_a_radiograph(summary):
    own, other = summary.loc[(EXPLAINED, RADIOGRAPH)], summary.loc[(EXPLAINED, OTHER)]
    assert own["median"] - other["median"] < 0.1
    assert own["most"] < 0.5


def test_the_command_measures_and_says_it(monkeypatch, tmp_path, capsys, predictions, measured):
    monkeypatch.setattr("boneage.inference.predictor.Predictor", object)
    monkeypatch.setattr(evaluation, "predict_hands", lambda _: predictions)
    monkeypatch.setattr(privacy, "measure_privacy", lambda cache: measured)
    monkeypatch.setattr(files, "synthetic_folder", lambda root: tmp_path)
    assert main(["synthetic-evaluate", "--cache", "c"]) == 0
    said = capsys.readouterr().out
    assert "groups_closer" in said
    assert f"n = {evaluation.prediction_metrics(predictions)['n']:.0f}" in said
    assert {path.name for path in tmp_path.iterdir()} == {"predictions.csv", "privacy.csv"}


def test_the_document_states_what_was_measured(predictions, summary, groups):
    said = " ".join(DOCS.read_text(encoding="utf-8").split())
    metrics = evaluation.prediction_metrics(predictions)
    n, mean = groups["n"], files.read_model(files.synthetic_folder() / groups["file"][0]).mean
    stated = [
        f"{len(groups)} groups of {n.min()} to {n.max()} radiographs",
        f"{model.SHAPE_COMPONENTS} principal components of the displacement",
        f"{model.TONE_COMPONENTS} principal components of the gray levels",
        f"as {model.MIXTURES} mixtures",
        f"at least {MIN_HANDS} hands",
        f"more than {model.MAX_LEVERAGE:.0%} of the variance",
        f"Of {len(groups) * evaluation.PER_GROUP} hands, {evaluation.PER_GROUP} of each group",
        "accepts all" if metrics["accepted"] == 1 else f"accepts {metrics['accepted']:.1%}",
        f"canvas of {mean.shape[1]} × {mean.shape[0]} px",
        f"MAE of {metrics['mae']:.1f} months",
        f"SD of up to {groups['sd_age_months'].max():.0f} months",
    ]
    for measure, digits in ((GRAY_LEVELS, 1), (PATTERN, 2)):
        numbers = [
            f"{summary.loc[(measure, kind), column]:.{digits}f}"
            for kind in (RADIOGRAPH, SYNTHETIC)
            for column in ("low", "median")
        ]
        closer = summary.loc[(measure, SYNTHETIC), "groups_closer"]
        stated.append(f"| {' | '.join(numbers)} | {closer:.0f} of {len(groups)} |")
    for kind in (RADIOGRAPH, OTHER):
        row = summary.loc[(EXPLAINED, kind)]
        stated.append(f"| {row['n']:,.0f} | {row['median']:.0%} | {row['most']:.0%} |")
    assert [each for each in stated if each not in said] == []
