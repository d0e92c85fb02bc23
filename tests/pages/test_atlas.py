import pytest
from apps import run, started, texts
from made_up_atlas import write_atlas

PAGE = "pages/atlas.py"


@pytest.fixture
def atlas(tmp_path, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path))
    return write_atlas(tmp_path / "atlas")


def test_without_an_atlas_the_page_says_how_to_make_one(tmp_path, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path))
    assert "python -m boneage atlas --cache" in texts(started(PAGE))


def test_the_page_says_what_the_plates_are_and_where_they_come_from(atlas):
    said = texts(started(PAGE))
    assert "computed from 300 radiographs" in said  # ten drawn plates, said to be of 30 each
    assert "RSNA Pediatric Bone Age Challenge" in said
    assert "not a standard for diagnosis" in said


def test_the_difference_of_two_ages_and_the_spread_can_be_shown(atlas):
    app = started(PAGE)
    slider = next(one for one in app.slider if one.key == "change")
    slider.set_value((5.0, 5.0))
    assert "Choose two different ages" in texts(run(app))
    next(one for one in app.slider if one.key == "change").set_value((4.0, 12.0))
    next(one for one in app.toggle if one.key == "spread").set_value(True)
    assert "interquartile range" in texts(run(app))


def alts(app) -> list[str]:
    return [picture.alt for element in app.image for picture in element.proto.imgs]


def test_hands_of_one_sex_can_be_shown_alone(atlas):
    app = started(PAGE)
    assert [one.label for one in app.get("download_button")] == ["Girls, 8 years", "Boys, 8 years"]
    app.segmented_control(key="hands").set_value("male")
    run(app)
    assert [one.label for one in app.get("download_button")] == ["Boys, 8 years"]
    app.toggle(key="spread").set_value(True)
    run(app)
    coloured = "Boys, 8 years: the average hand, coloured where children differ"
    assert [alt for alt in alts(app) if "coloured where children" in alt] == [coloured]


@pytest.mark.parametrize(("age", "months"), [("54", 54), ("", 96), ("old", 96), ("99999", 96)])
def test_the_address_holds_the_age_and_nonsense_in_it_does_no_harm(atlas, age, months):
    assert started(PAGE, age=age).session_state["atlas_months"] == months


def test_two_ages_of_girls_or_boys_stand_beside_what_changed(atlas):
    app = started(PAGE)
    app.segmented_control(key="of_sex").set_value("male")
    run(app)
    assert alts(app) == [
        "Average hand: Boys, 6 years",
        "Boys, 9 years: coloured where it differs from 6 years",
        "Average hand: Boys, 9 years",
    ]
    app.slider(key="change").set_value((5.0, 12.5))
    said = texts(run(app))
    assert "Brighter at 12 years 6 months" in said
    assert alts(app)[1] == "Boys, 12 years 6 months: coloured where it differs from 5 years"


def test_all_events_stand_in_a_table_with_sources_that_are_given_in_full(atlas):
    app = started(PAGE)
    table = app.dataframe[0].value
    assert table["No."].tolist() == list(range(1, 25))
    radius = table[table["Event"] == "Distal radius"].iloc[0]
    assert radius["Girls"] == "15 to 20 years"
    assert radius["Boys"] == "15 to 21 years"
    assert table[""].tolist() == ["appears"] * 19 + ["closes"] * 5
    assert table["Girls"][0] == "2 months"
    said = texts(app)
    for source in {one for cell in table["Source"] for one in cell.split("; ")}:
        assert f"- {source}: " in said
    assert "after Gilsanz & Ratib 2012" in said


def test_a_damaged_atlas_is_said_in_a_sentence(atlas):
    (atlas / "plates.csv").write_text("sex,months\n")
    app = started(PAGE)
    assert app.error
