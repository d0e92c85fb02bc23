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


def test_a_damaged_atlas_is_said_in_a_sentence(atlas):
    (atlas / "plates.csv").write_text("sex,months\n")
    app = started(PAGE)
    assert app.error
