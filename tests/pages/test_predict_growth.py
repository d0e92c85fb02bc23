"""What a bone age means, on the Predict page."""

import pytest
import streamlit as st
from apps import run, started, texts

from boneage.inference.predictor import Prediction

MEANING = "What the bone age means"


@pytest.fixture
def app(tiny_artifacts, monkeypatch):
    monkeypatch.setattr(Prediction, "ensemble_months", 126.0)
    monkeypatch.setattr(Prediction, "intervals", lambda self, level: {"ensemble": (120.0, 132.0)})
    st.cache_resource.clear()
    app = started()
    app.button(key="sample-Boy, 9 years").click()
    return run(app)


def set_age(app, years, months=0):
    app.number_input(key="age_years").set_value(years)
    app.number_input(key="age_months").set_value(months)
    return run(app)


def inputs(app, label):
    return next(each for each in app.number_input if each.label.startswith(label))


def enter(app, label, value):
    inputs(app, label).set_value(value)
    return run(app)


def test_without_a_chronological_age_there_is_no_meaning(app):
    assert MEANING not in texts(app)
    assert MEANING in texts(set_age(app, 10, 6))


def test_the_sd_comes_first_and_follows_the_table_chosen(app):
    set_age(app, 8)
    said = texts(app)
    assert "**Advanced (+3.3 SD).** Bone age is 2 years 6 months ahead" in said  # 30 / 9.1
    assert "1 SD is 9.1 months for boys of 8 years (Brush Foundation)" in said
    assert "reaches from +2.6 to +4.0 SD, all advanced." in said
    app.segmented_control(key="sd_table").set_value("greulich_pyle")
    assert "**Advanced (+2.8 SD).**" in texts(run(app))  # 30 / 10.8
    assert any("SD" in str(chart.proto.spec) for chart in app.get("plotly_chart"))


def test_past_the_table_a_sentence_says_so(app):
    set_age(app, 17, 1)
    assert "Bone age is 6 years 7 months behind chronological age." in texts(app)
    (info,) = (i.value for i in app.info if "table covers" in i.value)
    assert "This child is older, so no SD is given" in info


def test_adult_height_in_centimeters(app):
    enter(set_age(app, 10, 6), "Height of the child (cm)", 140.0)
    assert "**Predicted adult height: 176.1 cm**, 174.1 to 178.6 cm" in texts(app)
    enter(app, "Mother's height (cm)", 165.0)
    assert "Target height: 179" not in texts(app)
    enter(app, "Father's height (cm)", 180.0)
    assert "**Target height: 179.0 cm** (170.5 to 187.5 cm; Tanner)" in texts(app)
    assert "lies within this range" in texts(app)


def test_adult_height_in_feet_and_inches(app):
    set_age(app, 10, 6)
    app.segmented_control(key="height_unit").set_value("feet")
    run(app)
    inputs(app, "Height of the child (feet)").set_value(4)
    inputs(app, "and inches").set_value(7.0)
    assert "**Predicted adult height: 5 ft 9.2 in**" in texts(run(app))  # 55 / 0.795 inches
    inputs(app, "and inches").set_value(12.0)
    assert "less than 12 inches" in run(app).error[0].value


def test_an_impossible_height_gets_a_sentence(app):
    enter(set_age(app, 10, 6), "Height of the child (cm)", 1700.0)
    assert any("1,700 cm is not possible" in w.value.replace("\\", "") for w in app.warning)
    assert "Predicted adult height" not in texts(app)


def test_a_delayed_boy_past_13_years_has_no_table(app, monkeypatch):
    monkeypatch.setattr(Prediction, "ensemble_months", 160.0)
    enter(set_age(app, 15), "Height of the child (cm)", 150.0)
    said = next(w.value for w in app.warning if "Bayley" in w.value).replace("\\", "")
    assert "boys of the delayed group with a bone age from 6 years to 13 years" in said


def test_heights_do_not_pass_to_the_next_child(app):
    enter(set_age(app, 10, 6), "Height of the child (cm)", 140.0)
    app.button(key="sample-Girl, 5 years").click()
    set_age(run(app), 5)
    assert inputs(app, "Height of the child (cm)").value is None
