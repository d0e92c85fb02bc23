"""What is measured of how far synthetic hands are from radiographs, on made-up hands."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from made_up_hands import N, made_up_displacements, made_up_views

from boneage.errors import BoneAgeError
from boneage.synthetic import files, privacy
from boneage.synthetic.model import fit_model
from boneage.synthetic.privacy import (
    EXPLAINED,
    GRAY_LEVELS,
    OTHER,
    PATTERN,
    RADIOGRAPH,
    SYNTHETIC,
    explained_detail,
    nearest_radiograph,
)


@pytest.fixture(scope="module")
def views():
    return made_up_views()


@pytest.fixture(scope="module")
def model(views):
    return fit_model(views, made_up_displacements())


def test_a_copy_is_told_from_a_new_hand(model, views, monkeypatch):
    nearest = nearest_radiograph(views, model)
    gray = [np.median(nearest[GRAY_LEVELS, kind]) for kind in (SYNTHETIC, RADIOGRAPH)]
    assert gray[0] == pytest.approx(gray[1], rel=0.2)
    assert nearest[PATTERN, SYNTHETIC].min() > nearest[PATTERN, RADIOGRAPH].min()
    # A model that gives back what it was made of is found out.
    copies = iter(views.astype(np.float32))
    monkeypatch.setattr(privacy, "draw_texture", lambda *_: next(copies))
    nearest = nearest_radiograph(views, model)
    for measure in (GRAY_LEVELS, PATTERN):
        assert nearest[measure, SYNTHETIC].max() < nearest[measure, RADIOGRAPH].min()


def test_the_mixtures_give_a_hand_little_better_than_one_they_were_not_made_of(model, views):
    """Each has 1 / N of the variance of each of the 4 mixtures, and nothing more is found."""
    own = explained_detail(views, model)
    other = explained_detail(made_up_views(seed=5), model)
    assert own.mean() - other.mean() == pytest.approx(4 / N, abs=0.03)
    assert own.max() < 0.25
    # A mixture that is one hand is found out.
    mixtures = model.mixtures.copy()
    mixtures[0] = 3 * views[7].astype(np.float32)
    leaking = explained_detail(views, dataclasses.replace(model, mixtures=mixtures))
    assert leaking[7] > 0.99
    assert np.delete(leaking, 7).max() < 0.3


def test_groups_are_measured_and_summarized(model, views, monkeypatch, tmp_path):
    row = dict.fromkeys(files.COLUMNS, 1) | dict(sex="female", months=60, n=N, build="b")
    files.write_model(tmp_path / "female-060.npz", model)
    files.write_groups(tmp_path, pd.DataFrame([row | dict(file="female-060.npz")]))
    rows, others = np.arange(N), np.arange(N, N + 20)
    all_views = np.concatenate([views, made_up_views(20, seed=5)])
    group = {("female", 60): rows}
    monkeypatch.setattr(privacy, "open_cache", lambda _: type("Cache", (), {"manifest": None}))
    monkeypatch.setattr(privacy, "find_groups", lambda *_: group)
    monkeypatch.setattr(privacy, "find_others", lambda *_: {("female", 60): others})
    monkeypatch.setattr(privacy, "registered", lambda c, s, r, a: (r, all_views[r], None))
    table = privacy.measure_privacy("cache", tmp_path)
    assert table.columns.tolist() == list(privacy.COLUMNS)
    privacy.write_privacy(table, tmp_path)
    read = privacy.read_privacy(tmp_path).set_index(["measure", "kind"])
    assert read["n"].to_dict() == {
        (GRAY_LEVELS, RADIOGRAPH): N, (GRAY_LEVELS, SYNTHETIC): N, (PATTERN, RADIOGRAPH): N,
        (PATTERN, SYNTHETIC): N, (EXPLAINED, RADIOGRAPH): N, (EXPLAINED, OTHER): 20,
    }  # fmt: skip
    assert (read[["least", "low", "median", "most"]].diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)

    second = table.assign(months=72)
    second.loc[second["kind"] == SYNTHETIC, ["least", "low", "median", "most"]] = 0
    summary = privacy.privacy_summary(pd.concat([table, second]))
    assert summary.loc[(PATTERN, SYNTHETIC), "groups_closer"] == 1
    own = read.loc[(PATTERN, SYNTHETIC)]
    assert summary.loc[(PATTERN, SYNTHETIC), "median"] == pytest.approx(own["median"] / 2, rel=1e-3)
    assert summary.loc[(PATTERN, SYNTHETIC), "most"] == pytest.approx(own["most"], rel=1e-3)
    assert summary.loc[(PATTERN, SYNTHETIC), "n"] == 2 * N

    group["female", 60] = rows[:-1]
    with pytest.raises(BoneAgeError, match="was not built from cache: give the cache"):
        privacy.measure_privacy("cache", tmp_path)
