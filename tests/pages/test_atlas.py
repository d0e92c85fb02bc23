import json
import shutil

import pandas as pd
import pytest
import streamlit as st
from apps import alts, run, started, texts
from made_up_atlas import write_atlas

PAGE = "pages/atlas.py"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return write_atlas(tmp_path_factory.mktemp("drawn"))


@pytest.fixture
def atlas(drawn, tmp_path, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path))
    return shutil.copytree(drawn, tmp_path / "atlas")


def test_without_an_atlas_the_page_says_how_to_make_one(tmp_path, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path))
    assert "python -m boneage atlas --cache" in texts(started(PAGE))


def test_the_page_says_what_the_standards_are_and_where_they_come_from(atlas):
    said = texts(started(PAGE))
    assert "computed from 300 radiographs" in said  # ten drawn standards, said to be of 30 each
    assert "RSNA Pediatric Bone Age Challenge" in said
    assert "not a standard for diagnosis" in said
    assert "The age of a standard is the mean bone age of its radiographs" in said


def test_the_difference_of_two_ages_and_the_spread_can_be_shown(atlas):
    app = started(PAGE)
    slider = next(one for one in app.slider if one.key == "change")
    slider.set_value((5.0, 5.0))
    assert "Choose two different bone ages" in texts(run(app))
    next(one for one in app.slider if one.key == "change").set_value((4.0, 12.0))
    next(one for one in app.toggle if one.key == "spread").set_value(True)
    assert "Interquartile range" in texts(run(app))


def test_hands_of_one_sex_can_be_shown_alone(atlas):
    app = started(PAGE)
    assert [one.label for one in app.get("download_button")] == ["Girls, 8 years", "Boys, 8 years"]
    app.segmented_control(key="hands").set_value("male")
    run(app)
    assert [one.label for one in app.get("download_button")] == ["Boys, 8 years"]
    app.toggle(key="spread").set_value(True)
    run(app)
    colored = "Boys, 8 years: the average hand, colored where children differ most"
    assert [alt for alt in alts(app) if "colored where children" in alt] == [colored]


def downloads(app) -> list[str]:
    return [one.label for one in app.get("download_button")]


@pytest.mark.parametrize(
    ("age", "months", "words"),
    [
        ("54", 54, "4 years 6 months"),
        ("", 96, "8 years"),
        ("old", 96, "8 years"),
        ("12.5", 96, "8 years"),
        ("999", 181, "15 years 1 month"),  # the oldest
        ("99999", 181, "15 years 1 month"),
        ("-5", 37, "3 years 1 month"),  # the youngest
    ],
)
def test_the_address_holds_the_age_that_is_shown_whatever_was_asked_for(atlas, age, months, words):
    app = started(PAGE, age=age)
    assert downloads(app) == [f"Girls, {words}", f"Boys, {words}"]
    assert app.session_state["atlas_start"] == months
    assert app.query_params["age"] in (str(months), [str(months)])


@pytest.fixture
def girls_to_9(atlas):
    """The atlas without girls' standards past 9 years 1 month."""
    table = pd.read_csv(atlas / "standards.csv", dtype={"build": str})
    table = table[(table["sex"] == "male") | (table["months"] <= 108)]
    table.to_csv(atlas / "standards.csv", index=False)


def test_past_its_oldest_standard_a_sex_keeps_the_age_of_that(girls_to_9, monkeypatch):
    files = []
    offer = st.download_button

    def offered(label, data, file_name, *args, **kwargs):
        files.append(file_name)
        return offer(label, data, file_name, *args, **kwargs)

    monkeypatch.setattr(st, "download_button", offered)
    app = started(PAGE, age="150", spread="true")
    assert downloads(app) == ["Girls, 9 years 1 month", "Boys, 12 years 6 months"]
    assert files == ["average_hand_girls_109_months.png", "average_hand_boys_150_months.png"]
    assert [alt for alt in alts(app) if "colored where children" in alt] == [
        "Girls, 9 years 1 month: the average hand, colored where children differ most",
        "Boys, 12 years 6 months: the average hand, colored where children differ most",
    ]
    app.segmented_control(key="hands").set_value("female")
    run(app)  # the range ends with the girls' standards, and the address says so
    assert downloads(app) == ["Girls, 9 years 1 month"]
    assert app.query_params["age"] in ("109", ["109"])


def test_a_presentation_steps_by_half_years_and_hides_the_age_at_first(atlas):
    def on_the_wall(app) -> dict:
        steps = [
            c.proto for c in app.get("bidi_component") if c.proto.component_name == "atlas_step"
        ]
        return json.loads(steps[0].json)

    app = started(PAGE, present="1", age="71", hands="Boys")
    assert not app.title
    assert app.segmented_control(key="hands").value == "male"
    assert on_the_wall(app) == {"months": 71, "is_hidden": True}
    app.button(key="key-Right").click()
    assert on_the_wall(run(app)) == {"months": 72, "is_hidden": True}
    app.button(key="key-Space").click()
    assert on_the_wall(run(app)) == {"months": 72, "is_hidden": False}
    app.button(key="key-Right").click()
    assert on_the_wall(run(app)) == {"months": 78, "is_hidden": False}
    assert app.query_params["age"] in ("78", ["78"])
    app.button(key="key-Esc").click()
    assert downloads(run(app)) == ["Boys, 6 years 6 months"]


def test_changes_are_offered_between_ages_that_there_are_standards_of(girls_to_9):
    app = started(PAGE)
    slider = app.slider(key="change")
    assert (slider.min, slider.max) == (3.5, 9.0)
    app.segmented_control(key="of_sex").set_value("male")
    slider = run(app).slider(key="change")
    assert (slider.min, slider.max) == (3.5, 15.0)
    slider.set_value((12.0, 15.0))
    assert "Boys, 15 years" in " ".join(alts(run(app)))
    app.segmented_control(key="of_sex").set_value("female")  # girls have neither
    assert "Average hand: Girls, 9 years" in alts(run(app))


def test_two_ages_of_girls_or_boys_stand_beside_what_changed(atlas):
    app = started(PAGE)
    app.segmented_control(key="of_sex").set_value("male")
    run(app)
    assert alts(app) == [
        "Average hand: Boys, 6 years",
        "Boys, 9 years: colored where it differs from 6 years",
        "Average hand: Boys, 9 years",
    ]
    app.slider(key="change").set_value((5.0, 12.5))
    said = texts(run(app))
    assert "Brighter at 12 years 6 months" in said
    assert alts(app)[1] == "Boys, 12 years 6 months: colored where it differs from 5 years"


def test_all_events_stand_in_a_table_with_sources_that_are_given_in_full(atlas):
    app = started(PAGE)
    table = app.dataframe[0].value
    assert table["No."].tolist() == list(range(1, 25))
    radius = table[table["Event"] == "Distal radius"].iloc[0]
    assert radius["Girls, bone age"] == radius["Girls, published"] == "15 to 17 years"
    assert radius["Boys, bone age"] == "17 to 19 years"
    ulna = table[table["Event"] == "Epiphysis of the distal ulna"].iloc[0]
    assert ulna["Girls, published"] == "5 years 4 months"
    assert ulna["Girls, bone age"] == "5 years 10 months"
    assert table[""].tolist() == ["appears"] * 19 + ["fuses"] * 5
    assert table["Published as"].tolist() == ["Chronological age"] * 19 + ["Bone age"] * 5
    assert table["Girls, bone age"][0] == "2 months"
    said = texts(app)
    assert "All ages are bone ages" in said
    assert "Brush Foundation" in said
    for source in {one for cell in table["Source"] for one in cell.split("; ")}:
        assert f"- {source}: " in said
    assert "after Gilsanz & Ratib 2012" in said


def test_a_damaged_atlas_is_said_in_a_sentence(atlas):
    (atlas / "standards.csv").write_text("sex,months\n")
    app = started(PAGE)
    assert app.error
