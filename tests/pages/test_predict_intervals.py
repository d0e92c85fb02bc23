"""The Predict page with models that have enough validation cases for prediction intervals."""

import re
from io import BytesIO

import pytest
import streamlit as st
from apps import run, started, texts
from PIL import Image
from plain import plain

from boneage.datasets.phantoms import draw_phantom
from boneage.formatting import age_in_short
from boneage.inference import results
from boneage.inference.conformal import LEVELS
from boneage.inference.predictor import Prediction


@pytest.fixture
def app(calibrated_artifacts, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(calibrated_artifacts))
    # The weights are those of other tests, whose predictors have no intervals.
    st.cache_data.clear()
    st.cache_resource.clear()
    yield started()
    st.cache_data.clear()
    st.cache_resource.clear()


def take_sample(app, name="Girl, 13 years"):
    app.button(key=f"sample-{name}").click()
    return run(app)


def choose_level(app, level):
    app.segmented_control(key="level").set_value(level)
    return run(app)


def cards(app) -> str:
    return next(h.proto.body for h in app.html if "Ensemble" in h.proto.body)


def shown_intervals(app) -> list[str]:
    words = plain(re.sub("<span[^>]*>", "", cards(app)))
    return re.findall(r"(\d+% interval: [^<]+)<", words)


def set_age(app, years, months=0):
    app.number_input(key="age_years").set_value(years)
    app.number_input(key="age_months").set_value(months)
    return run(app)


def test_every_card_has_an_interval_of_the_level_chosen(app):
    take_sample(app)
    assert app.segmented_control(key="level").value == 0.9
    at_90 = shown_intervals(app)
    assert len(at_90) == 3
    assert all(words.startswith("90% interval: ") for words in at_90)
    assert "about 90% of reference bone ages fall in the 90% prediction interval" in texts(app)
    assert "covers a single clinical reading" in texts(app)
    choose_level(app, 0.8)
    at_80 = shown_intervals(app)
    assert all(words.startswith("80% interval: ") for words in at_80)
    assert at_80[0].split(":")[1] != at_90[0].split(":")[1]
    assert "about 80% of reference bone ages fall in the 80% prediction interval" in texts(app)


def test_a_disagreement_beyond_the_calibration_is_told(app, monkeypatch):
    take_sample(app)
    assert not app.warning
    monkeypatch.setattr(Prediction, "is_beyond_calibration", True)
    run(app)
    assert "prediction intervals may not be valid" in app.warning[0].value


def test_adults_and_infants_are_told_to_be_strange_to_the_models(app):
    set_age(take_sample(app), 10)
    assert not app.warning
    set_age(app, 19)
    assert "growth plates" in app.warning[0].value
    set_age(app, 0, 8)
    assert "infants" in app.warning[0].value


def test_table_and_csv_of_several_files_have_limits_of_the_level_chosen(app, monkeypatch):
    downloads, to_csv = [], results.to_csv
    monkeypatch.setattr(results, "to_csv", lambda table: downloads.append(table) or to_csv(table))
    app.segmented_control(key="sex").set_value("female")
    app.file_uploader[0].set_value([("a.png", png(), ""), ("notes.txt", b"no image", "")])
    run(app)
    widths = []
    for level in LEVELS:
        choose_level(app, level)
        row = downloads[-1].iloc[0]
        low, age, high = row[["ensemble_low_months", "ensemble_months", "ensemble_high_months"]]
        assert low < age < high
        assert row["interval_level"] == level
        widths.append(high - low)
        shown = app.data_editor[0].value
        assert shown["ensemble_low_months"].tolist()[0] == age_in_short(low)
        assert shown["ensemble_low_months"].isna().tolist() == [False, True]
    assert widths == sorted(set(widths))
    assert [control.key for control in app.segmented_control].count("level") == 1


def png() -> bytes:
    file = BytesIO()
    Image.fromarray(draw_phantom(96, "female", 1)).save(file, "PNG")
    return file.getvalue()
