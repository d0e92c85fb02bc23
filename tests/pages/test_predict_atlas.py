"""Predict's average hands: the samples, and the part beside them."""

import shutil
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from apps import run, started, texts
from made_up_atlas import write_atlas
from PIL import Image
from streamlit.testing.v1 import AppTest

from boneage import artifacts
from boneage.atlas import evaluation as answers
from boneage.atlas import standards
from boneage.datasets.phantoms import draw_phantom
from boneage.formatting import age_in_words
from boneage.synthetic.hands import synthetic_hand
from pages.samples import average_hands, samples

AGES = range(48, 181, 12)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return write_atlas(tmp_path_factory.mktemp("drawn"), ages=AGES)


@pytest.fixture
def root(_tiny_artifacts_folder, drawn, tmp_path, monkeypatch):
    """Artifacts with an atlas; both models read it right, but girls of 10 as 140 months."""
    root = shutil.copytree(_tiny_artifacts_folder, tmp_path / "artifacts")
    shutil.copytree(drawn, root / "atlas")
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(root))
    st.cache_data.clear()
    st.cache_resource.clear()
    names = artifacts.available_models()
    facts = {name: artifacts.read_facts(artifacts.model_folder(name)) for name in names}
    cases = answers.as_cases()[["sex", "months", "build"]]
    misread = (cases["sex"] == "female") & (cases["months"] == 120)
    cases = cases.assign(prediction_months=cases["months"] + 20 * misread, refused=False)
    tables = [
        cases.assign(model=model, model_sha256=digest)
        for model, digest in artifacts.fingerprints(facts).items()
    ]
    answers.write(answers.PREDICTIONS, pd.concat(tables))
    return root


def offered(app: AppTest) -> list[str]:
    return [one.label for one in app.button if (one.key or "").startswith("sample-")]


def alts(app: AppTest) -> list[str]:
    return [image.alt for element in app.image for image in element.proto.imgs]


def captions(app: AppTest) -> list[str]:
    return [image.caption for element in app.image for image in element.proto.imgs]


def take(app: AppTest, name: str) -> AppTest:
    app.button(key=f"sample-{name}").click()
    return run(app)


def upload_of_a_girl(name: str, content: bytes) -> AppTest:
    """The page with the answer to an upload, looked at even where it is refused."""
    app = started()
    app.file_uploader[0].set_value([(name, content, "")])
    run(app)
    app.segmented_control(key="sex").set_value("female")
    run(app)
    if anyway := [one for one in app.button if (one.key or "").startswith("anyway-")]:
        anyway[0].click()
        run(app)
    return app


def png(pixels: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_samples_are_average_hands_that_the_models_read_and_the_others_are_named(root):
    app = started()
    assert offered(app) == [
        "Girl, 5 years 1 month",  # the mean bone age, a month more than the nominal age
        "Boy, 6 years 1 month",
        "Boy, 10 years 1 month",
        "Girl, 13 years 1 month",
        "Boy, 15 years 1 month",
    ]  # no girl of 10
    assert "Average hand: boy, 6 years 1 month" in alts(app)
    said = texts(app)
    assert "not a single child" in said
    assert "within 12 months of the mean bone age for 23 of the 24 average hands" in said
    (about,) = [caption for caption in app.caption if "within 12 months" in caption.value]
    assert about.help == (
        "Errors of more than 12 months: girls, 10 years 1 month (overestimated by 19.0 months)."
    )


def test_standards_that_the_quality_check_refused_are_no_samples(root):
    path = root / "atlas" / answers.PREDICTIONS
    table = pd.read_csv(path)
    refused = (table["sex"] == "male") & (table["months"] == 72)
    table.assign(refused=refused).to_csv(path, index=False)
    app = started()
    assert "Boy, 6 years 1 month" not in offered(app)
    assert "Boy, 10 years 1 month" in offered(app)
    (about,) = [caption for caption in app.caption if "within 12 months" in caption.value]
    assert "for 22 of the 23 average hands" in texts(app)
    assert "refused the average hands of boys, 6 years 1 month" in about.help


def test_published_samples_are_synthetic_hands_called_by_their_bone_age():
    assert list(samples()) == [
        "Girl, 5 years",
        "Boy, 8 years",
        "Girl, 10 years",
        "Boy, 11 years",
        "Girl, 13 years",
        "Boy, 17 years",
    ]
    for name, sample in samples().items():
        assert sample.is_synthetic
        hand = synthetic_hand(sample.sex, sample.months, sample.seed)
        assert name.endswith(f", {age_in_words(hand.bone_age_months)}")


def test_average_hands_are_called_by_their_mean_bone_age():
    for name, sample in average_hands().items():
        standard = standards.standard(sample.sex, sample.months)
        assert name.endswith(f", {age_in_words(standard.mean_age_months)}")


def test_what_is_said_of_a_samples_error_holds_for_every_sample(root):
    """Half of the average hands are read worse than new radiographs are in the mean."""
    said = texts(take(started(), "Boy, 6 years 1 month"))
    assert "do not show their accuracy on new radiographs" in said
    assert "error on it is less" not in said


def test_samples_of_other_weights_say_nothing_of_what_the_models_read(root):
    path = root / "atlas" / answers.PREDICTIONS
    pd.read_csv(path).assign(model_sha256="0").to_csv(path, index=False)
    app = started()
    assert "Girl, 10 years 1 month" in offered(app)
    assert "within 12 months" not in texts(app)


def test_a_damaged_atlas_leaves_drawings_to_try(root):
    (root / "atlas" / "standards.csv").write_text("sex\n")
    app = started()
    assert offered(app) == ["Girl, 5 years", "Boy, 9 years", "Girl, 13 years"]
    assert "Synthetic phantoms" in texts(app)


def test_a_sample_stands_beside_the_standards_of_about_its_age_and_says_what_it_is(root):
    app = take(started(), "Boy, 6 years 1 month")
    said = texts(app)
    assert "This hand is an average of 30 radiographs of boys" in said
    assert "Compare with the atlas" in said
    choice = next(one for one in app.segmented_control if one.label == "Average hand")
    assert choice.value == "nearest"
    shown = [alt for alt in alts(app) if alt.startswith("Average hand: Boys")]
    assert len(shown) == 3
    # The real ages, under the images and on the buttons.
    ages = [alt.removeprefix("Average hand: Boys, ") for alt in shown]
    assert [option.partition(" (")[0] for option in choice.options] == ages
    assert choice.options[0].endswith(" younger)")
    assert choice.options[2].endswith(" older)")
    assert [caption for caption in captions(app) if caption in choice.options] == choice.options
    assert all(age.endswith("1 month") for age in ages)
    assert "Averages of 30, 30 and 30 radiographs, with the mean bone age" in said
    assert "The most similar are those of 6 years 1 month and" in said
    assert "Image-similarity estimate" in said
    assert "error has not been measured for this atlas" in said


def test_the_wipe_and_the_standard_can_be_changed(root):
    app = take(started(), "Boy, 6 years 1 month")
    wiped = next(alt for alt in alts(app) if alt.startswith("The radiograph; from 50%"))
    app.slider(key="wipe").set_value(20)
    run(app)
    assert wiped.replace("50%", "20%") in alts(app)
    next(one for one in app.segmented_control if one.label == "Average hand").set_value("older")
    run(app)
    now = next(alt for alt in alts(app) if alt.startswith("The radiograph; from 20%"))
    assert now != wiped.replace("50%", "20%")


def test_without_landmarks_the_standards_are_shown_all_the_same(root):
    noise = np.random.default_rng(1).integers(0, 255, (300, 300), np.uint8)
    app = upload_of_a_girl("noise.png", png(noise))
    assert "No joint landmarks were found in this hand" in texts(app)
    assert sum(alt.startswith("Average hand: Girls") for alt in alts(app)) >= 2
    assert not any(one.key == "wipe" for one in app.slider)


def test_a_drawing_uploaded_is_compared_with_the_standards_of_its_sex(root):
    app = upload_of_a_girl("hand.png", png(draw_phantom(84, "female", 5, height=640)))
    assert "The most similar are those of 7 years 1 month and" in texts(app)
