"""The section of the Predict page on similar validation radiographs."""

import os

import cv2
from apps import alts, run, started, texts

from boneage.datasets.phantoms import draw_phantom


def test_similar_radiographs_are_shown_with_their_errors(
    calibrated_artifacts, tmp_path, monkeypatch
):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(calibrated_artifacts))
    folder = tmp_path / "boneage-training-dataset"
    folder.mkdir()
    cv2.imwrite(str(folder / "0.png"), draw_phantom(120, "female", 1))
    for number in range(1, 400):
        os.link(folder / "0.png", folder / f"{number}.png")
    app = started()
    app.button(key="sample-Girl, 13 years").click()
    assert "predicted most like this one" not in texts(run(app))
    app.session_state["similar"] = True
    monkeypatch.setenv("BONEAGE_RSNA", str(tmp_path))
    said = texts(run(app))
    assert "The 100 validation radiographs of girls predicted most like this one" in said
    assert "rank correlation" in said
    assert sum(alt.startswith("Radiograph ") for alt in alts(app)) >= 4
    assert len(app.dataframe[0].value) == 10
