import pytest
from apps import run, started, texts

from boneage.formatting import as_plain_markdown
from pages.predict_sections.kept import KeptFile, within_limit


@pytest.fixture
def app(tiny_artifacts):
    return started


def test_a_link_opens_a_sample_with_its_options(app):
    opened = app(sample="Girl, 5 years", sex="Male", opacity="20")
    assert opened.header[0].value == "Bone age: Girl, 5 years"
    assert opened.segmented_control(key="sex").value == "male"
    assert opened.slider(key="opacity").value == 20
    opened.button(key="sample-Boy, 9 years").click()
    run(opened)
    assert opened.query_params["sample"] in ("Boy, 9 years", ["Boy, 9 years"])
    assert opened.segmented_control(key="sex").value == "male"
    next(one for one in opened.button if one.label == "Clear").click()
    run(opened)
    assert "sample" not in opened.query_params
    assert not opened.header


def test_a_link_of_the_browsers_history_says_which_sex(app):
    opened = app(sample="Girl, 5 years")
    assert opened.segmented_control(key="sex").value == "female"
    opened.query_params.update(sample="Boy, 9 years", sex="Female")
    run(opened)
    assert opened.header[0].value == "Bone age: Boy, 9 years"
    assert opened.segmented_control(key="sex").value == "female"
    opened.button(key="sample-Girl, 5 years").click()
    run(opened)
    opened.button(key="sample-Boy, 9 years").click()
    assert run(opened).segmented_control(key="sex").value == "male"


def test_a_link_to_a_sample_that_there_is_not_says_so(app):
    opened = app(sample="Girl, 99 years")
    assert as_plain_markdown("Girl, 99 years") in opened.warning[0].value
    assert "Ensemble" not in texts(opened)


def test_the_bone_age_of_a_presented_sample_is_hidden_until_it_is_asked_for(app):
    opened = app(present="1", sample="Girl, 5 years")
    assert opened.title[0].value == "Girl"
    assert "5 years" not in texts(opened) and "Ensemble" not in texts(opened)
    opened.button(key="key-Space").click()
    assert "Ensemble" in texts(run(opened))
    opened.button(key="key-Right").click()
    assert "Ensemble" not in texts(run(opened))
    assert opened.query_params["sample"] in ("Boy, 9 years", ["Boy, 9 years"])
    opened.button(key="key-Esc").click()
    run(opened)
    assert "present" not in opened.query_params
    assert opened.header[0].value == "Bone age: Boy, 9 years"


def test_files_are_kept_up_to_a_limit():
    files = [KeptFile(str(n), f"{n}.png", bytes(2**20)) for n in range(3)]
    assert within_limit(files, megabytes=2) == files[:2]
