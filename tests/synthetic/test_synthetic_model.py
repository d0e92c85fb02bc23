"""Fitting and drawing synthetic hands, on made-up images: fast, and their variation is known."""

import cv2
import numpy as np
import pytest

from boneage.synthetic import model as hand_model
from boneage.synthetic.drawing import draw, draw_texture
from boneage.synthetic.evaluation import RADIOGRAPH, SYNTHETIC, distance_summary, nearest_radiograph
from boneage.synthetic.files import read_model, write_model
from boneage.synthetic.model import MAX_LEVERAGE, MIN_HANDS, TooFewHands, components, fit_model

N, SHAPE = 48, (160, 128)
PATTERN_SD = 15  # gray levels


@pytest.fixture(scope="module")
def views():
    """N bright discs on black, each with its own pattern, brighter on one side or the other."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    disc = np.clip((50 - np.hypot(x - 64, y - 90)) / 4, 0, 1)
    patterns = [cv2.GaussianBlur(rng.normal(0, 1, SHAPE), (0, 0), 0.8) for _ in range(N)]
    patterns = [PATTERN_SD * each / each.std() for each in patterns]
    slopes = [rng.normal(0, 0.3) * (x - 64) for _ in range(N)]
    views = [disc * (150 + p + s) for p, s in zip(patterns, slopes, strict=True)]
    return np.clip(np.stack(views), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def displacements():
    """Each disc moved to the right by its own amount."""
    moved = np.zeros((N, SHAPE[0] // 8, SHAPE[1] // 8, 2), np.float32)
    moved[..., 0] = np.random.default_rng(4).normal(0, 3, N)[:, None, None]
    return moved


@pytest.fixture(scope="module")
def model(views, displacements):
    return fit_model(views, displacements)


def test_a_component_that_one_case_carries_is_left_out():
    rng = np.random.default_rng(0)
    values = np.outer(rng.normal(0, 2, 50), np.eye(30)[0]) + rng.normal(0, 0.1, (50, 30))
    values[7] += 100 * np.eye(30)[1]  # one case like no other, and most of the variance
    values -= values.mean(axis=0)
    scores, found = components(values, 3)
    assert (scores**2).max() / len(values) <= MAX_LEVERAGE
    assert len(found) == 3
    assert abs(found[0] @ np.eye(30)[0]) == pytest.approx(2, abs=0.5)
    assert np.abs(found[:, 1]).max() < 3  # the odd case alone had 100 there
    assert scores.var(axis=0) == pytest.approx(np.ones(3), abs=0.01)


def test_the_model_is_of_many_hands(views, displacements):
    with pytest.raises(TooFewHands, match="at least 40 hands, not 39"):
        fit_model(views[: MIN_HANDS - 1], displacements[: MIN_HANDS - 1])


def test_the_model_finds_what_varies(model):
    assert model.mean.max() <= 255
    assert np.median(model.mean[:10]) == 0
    within = model.shape[:, 8:14, 5:11]
    assert within[0, ..., 0].mean() ** 2 == pytest.approx(9, rel=0.4)  # SD of 3 pixels
    assert np.abs(within[..., 1]).max() < 0.1  # nothing moved up or down
    left, right = model.tone[0, 22, 8:12].mean(), model.tone[0, 22, 20:24].mean()
    assert left * right < 0  # the main component of tones is the slope


def test_drawn_textures_vary_as_much_as_the_views(model, views):
    drawn = np.stack([draw_texture(model, np.random.default_rng(seed)) for seed in range(N)])
    inside = np.hypot(*np.mgrid[-90:70, -64:64]) < 40
    deviations = [stack[:, inside] - stack[:, inside].mean(axis=0) for stack in (drawn, views)]
    drawn_sd, views_sd = (np.sqrt((each**2).mean()) for each in deviations)
    gain = model.mean[inside].mean() / views[:, inside].mean()
    assert drawn_sd == pytest.approx(gain * views_sd, rel=0.2)


def test_a_seed_draws_one_image(model):
    first = draw(model, 1)
    assert first.dtype == np.uint8
    assert np.array_equal(first, draw(model, 1))
    other = draw(model, 2)
    rows, columns = np.minimum(first.shape, other.shape)
    assert np.abs(first[:rows, :columns].astype(int) - other[:rows, :columns]).mean() > 3


def test_no_view_can_be_put_together_from_the_model(model, views):
    """The best combination of all parts leaves out most of the fine detail of every view."""
    inside = model.mean > 60
    parts = [np.ones(inside.sum()), model.mean[inside]]
    parts += [hand_model.enlarged(tone, SHAPE)[inside] for tone in model.tone]
    parts += [mixture[inside] for mixture in model.mixtures]
    basis = np.stack(parts, axis=1)
    for view in views[:, inside].astype(np.float32):
        fitted, *_ = np.linalg.lstsq(basis, view, rcond=None)
        assert (view - basis @ fitted).var() > 0.7 * PATTERN_SD**2


def test_distances_tell_a_copy_from_a_new_hand(model, views, monkeypatch):
    table = nearest_radiograph(views, model).assign(sex="female", months=60)
    assert (table["kind"].value_counts() == N).all()
    summary = distance_summary(table)
    medians = summary.loc["gray_levels", [f"{SYNTHETIC}_median", f"{RADIOGRAPH}_median"]]
    assert medians.iloc[0] == pytest.approx(medians.iloc[1], rel=0.2)
    assert summary.loc["pattern", "too_close"] == 0
    # A model that gives back what it was made of is found out.
    copies = iter(views.astype(np.float32))
    monkeypatch.setattr("boneage.synthetic.evaluation.draw_texture", lambda *_: next(copies))
    table = nearest_radiograph(views, model).assign(sex="female", months=60)
    assert distance_summary(table)["too_close"].tolist() == [1, 1]
    assert set(table["kind"]) == {RADIOGRAPH, SYNTHETIC}


def test_a_model_is_stored_to_less_than_can_be_seen(model, tmp_path):
    write_model(tmp_path / "model.npz", model)
    stored = read_model(tmp_path / "model.npz")
    for name, step in (("mean", 1), ("shape", 1 / 8), ("tone", 1), ("mixtures", 4)):
        difference = np.abs(getattr(stored, name) - getattr(model, name))
        assert difference.max() <= step / 2 + 1e-4
