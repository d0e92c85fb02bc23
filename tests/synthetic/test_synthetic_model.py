"""Fitting and drawing synthetic hands, on made-up images: fast, and their variation is known."""

import numpy as np
import pytest
from made_up_hands import PATTERN_SD, N, made_up_displacements, made_up_views

from boneage.synthetic.drawing import draw, draw_texture
from boneage.synthetic.files import read_model, write_model
from boneage.synthetic.model import (
    MAX_LEVERAGE,
    MIN_HANDS,
    TooFewHands,
    components,
    fit_model,
    with_straight_forearm,
)


@pytest.fixture(scope="module")
def views():
    return made_up_views()


@pytest.fixture(scope="module")
def displacements():
    return made_up_displacements()


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


def test_the_outline_has_no_detail_of_its_own(model):
    outline = (model.mean > 0) & (model.mean < 20)
    assert model.mixtures[:, outline].std() < 0.2
    assert model.mixtures[:, model.mean > 120].std() > PATTERN_SD / 2


def test_the_forearm_stays_straight():
    rows = np.arange(40)[:, np.newaxis]
    displacement = np.zeros((40, 16, 2))
    displacement[..., 0] = 0.1 * (rows - 32) ** 2  # bends from the wrist, row 32, down
    displacement[..., 1] = 0.2 * rows
    straight = with_straight_forearm(displacement, np.ones((40, 16)))
    assert np.abs(np.diff(straight[34:, :, 0], n=2, axis=0)).max() < 1e-6
    assert straight[34:, :, 0].mean() == pytest.approx(displacement[34:, :, 0].mean(), rel=0.2)
    assert straight[..., 1] == pytest.approx(displacement[..., 1])
    assert straight[:30] == pytest.approx(displacement[:30])


@pytest.mark.parametrize("grain", [0.8, 5])
def test_drawn_textures_vary_as_much_as_the_views(grain, displacements):
    """Also where more than `TONE_COMPONENTS` components vary slowly."""
    views = made_up_views(grain=grain)
    model = fit_model(views, displacements)
    drawn = np.stack([draw_texture(model, np.random.default_rng(seed)) for seed in range(N)])
    inside = np.hypot(*np.mgrid[-90:70, -64:64]) < 40
    deviations = [stack[:, inside] - stack[:, inside].mean(axis=0) for stack in (drawn, views)]
    drawn_sd, views_sd = (np.sqrt((each**2).mean()) for each in deviations)
    gain = model.mean[inside].mean() / views[:, inside].mean()
    assert drawn_sd == pytest.approx(gain * views_sd, rel=0.25)


def test_a_seed_draws_one_image(model):
    first = draw(model, 1)
    assert first.dtype == np.uint8
    assert np.array_equal(first, draw(model, 1))
    other = draw(model, 2)
    rows, columns = np.minimum(first.shape, other.shape)
    assert np.abs(first[:rows, :columns].astype(int) - other[:rows, :columns]).mean() > 3


def test_a_model_is_stored_to_less_than_can_be_seen(model, tmp_path):
    write_model(tmp_path / "model.npz", model)
    stored = read_model(tmp_path / "model.npz")
    for name, step in (("mean", 1), ("shape", 1 / 8), ("tone", 1), ("mixtures", 4)):
        difference = np.abs(getattr(stored, name) - getattr(model, name))
        assert difference.max() <= step / 2 + 1e-4
