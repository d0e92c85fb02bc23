"""Synthetic hands on the pages: samples of Predict, cases of Learn."""

import shutil

import pytest
import streamlit as st
from apps import alts, run, started, texts

from boneage import artifacts
from boneage.synthetic import files


@pytest.fixture(autouse=True)
def _synthetic(_tiny_artifacts_folder, tmp_path, monkeypatch):
    """Tiny models beside the published synthetic hands."""
    published = artifacts.artifacts_root() / "synthetic"
    root = shutil.copytree(_tiny_artifacts_folder, tmp_path / "artifacts")
    (root / "synthetic").symlink_to(published)
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(root))
    monkeypatch.delenv("BONEAGE_RSNA", raising=False)
    assert files.synthetic_folder() == root / "synthetic"
    st.cache_data.clear()
    st.cache_resource.clear()


def test_predict_offers_synthetic_hands_and_says_what_they_are():
    app = started()
    assert "Try a synthetic hand" in texts(app)
    assert "Synthetic hand: girl, 5 years" in alts(app)
    said = texts(app)
    assert "It shows no child" in said
    assert "MAE" not in said  # that was measured with other models
    app.button(key="sample-Girl, 5 years").click()
    run(app)
    assert app.header[0].value == "Bone age: Synthetic hand, girl, 5 years"
    assert "drawn at random from a statistical model of 68 radiographs of girls" in texts(app)
    assert app.segmented_control(key="sex").value == "female"


def test_a_quiz_of_synthetic_hands_is_the_same_for_the_same_number():
    def quiz(number: int):
        app = started("pages/learn.py")
        app.segmented_control(key="read").set_value("synthetic")
        app.number_input(key="set").set_value(number)
        return run(app)

    first, again, other = (quiz(number) for number in (3, 3, 4))
    assert alts(first)[0].startswith("Hand 1 of 10, a ")
    assert "It shows no child" in texts(first)
    shown = [app.session_state["quiz"].hands["id"].tolist() for app in (first, again, other)]
    assert shown[0] == shown[1] != shown[2]
