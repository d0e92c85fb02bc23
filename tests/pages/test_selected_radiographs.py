"""Radiographs of selected cases on Error analysis, which the quality check is asked about."""

from io import BytesIO

import numpy as np
import pytest
import streamlit as st
from apps import run, started
from PIL import Image

from boneage import artifacts
from boneage.datasets.phantoms import draw_phantom
from boneage.error_analysis import figures as errors


def png(*seeds: int) -> bytes:
    file = BytesIO()
    hands = [draw_phantom(96, "female", seed, height=200) for seed in seeds]
    Image.fromarray(np.stack(hands, axis=2)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def page(tiny_artifacts, tmp_path, monkeypatch):
    """The page with all test cases selected, the first of which is a file in color."""
    cases = artifacts.read_predictions(tiny_artifacts / "models" / "tiny_densenet")
    images = tmp_path / "boneage-test-dataset"
    images.mkdir()
    for number, case in enumerate(cases["id"][cases["split"] == "test"]):
        (images / f"{case}.png").write_bytes(png(1, 2, 3) if number == 0 else png(1, 1, 1))
    monkeypatch.setenv("BONEAGE_RSNA", str(tmp_path))
    monkeypatch.setattr(errors, "selected_cases", lambda cases, points: cases)
    st.cache_data.clear()
    st.cache_resource.clear()
    return started("pages/error_analysis.py")


def captions(page) -> list[str]:
    return [image.caption for element in page.image for image in element.proto.imgs]


def test_a_radiograph_that_the_quality_check_refuses_is_marked(page):
    refused = "Refused by the quality check (in color): prediction not reliable"
    assert len(captions(page)) == 4
    assert [caption.endswith(refused) for caption in captions(page)].count(True) == 1
    page.segmented_control(key="map_of").set_value("tiny_densenet")
    run(page)
    assert [caption.endswith(refused) for caption in captions(page)].count(True) == 1
