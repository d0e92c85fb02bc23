import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from made_up_atlas import write_atlas
from PIL import Image

from boneage import artifacts
from boneage.artifacts import ArtifactError
from boneage.atlas import evaluation as answers
from boneage.datasets.phantoms import draw_phantom
from boneage.quality.checks import Refusal
from boneage.radiographs import preprocessing

MODELS = ("tiny_densenet", "tiny_resnet_cbam")


class MadeUpPredictor:
    """Reads the first hand as 61 months, the next as 62 and so on; tiny_resnet_cbam adds 2.

    Its quality check refuses the second.
    """

    weights = {"tiny_densenet": 0.25, "tiny_resnet_cbam": 0.75}

    def __init__(self):
        self.facts = {n: artifacts.read_facts(artifacts.model_folder(n)) for n in MODELS}
        self.read = 0

    def predict(self, content: bytes, sex: str):
        assert content[:4] == b"\x89PNG"
        self.read += 1
        age = 60.0 + self.read
        refusal = Refusal("no hand", "There is no hand.") if self.read == 2 else None
        months = {"tiny_densenet": age, "tiny_resnet_cbam": age + 2}
        return SimpleNamespace(months=months, refusal=refusal)


@pytest.fixture(scope="module")
def drawn_atlas(tmp_path_factory):
    return write_atlas(tmp_path_factory.mktemp("atlas"), ages=(48, 60, 72))


@pytest.fixture
def atlas(tiny_artifacts, drawn_atlas, tmp_path):
    return shutil.copytree(drawn_atlas, tmp_path / "atlas")


def change_standards(atlas, change) -> None:
    table = pd.read_csv(atlas / "standards.csv")
    change(table).to_csv(atlas / "standards.csv", index=False)


@pytest.fixture
def written(atlas):
    answers.write(answers.PREDICTIONS, answers.predict_standards(MadeUpPredictor(), atlas), atlas)
    return atlas


def test_every_standard_is_read_by_every_model_and_their_mean(written):
    table = answers.read_standard_predictions(written)
    assert len(table) == 6 * 3
    of_girls = table[(table["sex"] == "female") & (table["months"] == 60)].set_index("model")
    assert of_girls["prediction_months"].to_dict() == {
        "tiny_densenet": 62,
        "tiny_resnet_cbam": 64,
        "ensemble": 63.5,
    }
    assert set(of_girls["id"]) == {"Girls, 5 years 1 month"}
    assert set(of_girls["reference_months"]) == {61}  # the mean of its radiographs
    assert of_girls.loc["ensemble", "residual_months"] == 2.5


def test_more_than_a_year_is_told_by_the_mean_and_the_mean_bone_age(written):
    # The means are 62.5 to 67.5 in the order of the standards: 49, 61 and 73 of girls, then of
    # boys.
    beyond = answers.beyond_a_year(answers.read_standard_predictions(written))
    assert list(beyond["id"]) == ["Girls, 4 years 1 month", "Boys, 4 years 1 month"]
    assert list(beyond["residual_months"]) == [13.5, 16.5]


def test_what_the_quality_check_refused_is_stored_and_used_by_nobody(written):
    predictions = answers.read_standard_predictions(written)
    assert answers.refused_standards(predictions) == ["Girls, 5 years 1 month"]
    assert len(answers.accepted(predictions)) == 5 * 3
    assert "Girls, 5 years 1 month" not in set(answers.accepted(predictions)["id"])
    assert answers.refused_standards(answers.accepted(predictions)) == []
    usable = answers.usable_standards(written)  # nor those that are read more than a year off
    assert list(zip(usable["sex"], usable["months"], strict=True)) == [
        ("female", 72),
        ("male", 60),
        ("male", 72),
    ]
    path = written / answers.PREDICTIONS  # a year off, and refused: that alone is told
    pd.read_csv(path).assign(refused=True).to_csv(path, index=False)
    assert answers.beyond_a_year(answers.read_standard_predictions(written)).empty
    assert answers.usable_standards(written).empty


def test_answers_of_other_weights_and_on_other_standards_are_left_out(written):
    path = written / answers.PREDICTIONS
    digest = artifacts.read_facts(artifacts.model_folder(MODELS[0]))
    digest = artifacts.fingerprints({MODELS[0]: digest})[MODELS[0]]
    path.write_text(path.read_text().replace(digest, "0" * 64))
    assert set(answers.read_standard_predictions(written)["model"]) == {MODELS[1], "ensemble"}
    change_standards(written, lambda table: table.assign(build="anew"))
    assert answers.read_standard_predictions(written).empty


def test_nothing_written_is_no_error_and_a_damaged_file_is_a_sentence(atlas):
    assert answers.read_standard_predictions(atlas).empty
    assert answers.beyond_a_year(answers.read_standard_predictions(atlas)).empty
    assert answers.refused_standards(answers.read_standard_predictions(atlas)) == []
    assert len(answers.usable_standards(atlas)) == 6
    assert answers.similarity_metrics(atlas) is None
    for name, read in (
        (answers.PREDICTIONS, answers.read_standard_predictions),
        (answers.SIMILARITY, answers.similarity_metrics),
    ):
        (atlas / name).write_text("sex\nfemale\n")
        with pytest.raises(ArtifactError, match="has no column"):
            read(atlas)


def test_the_similarity_estimate_reads_drawings_and_leaves_out_what_has_no_hand(
    atlas, tmp_path, caplog
):
    rows = []
    for name, pixels in {
        "hand": draw_phantom(60, "female", 1, height=640),
        "empty": np.zeros((300, 300), np.uint8),
    }.items():
        path = tmp_path / f"{name}.png"
        Image.fromarray(pixels).save(path)
        rows.append((name, "female", 61.0, path))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    rows.append(("broken", "female", 61.0, tmp_path / "broken.png"))
    cases = pd.DataFrame(rows, columns=["id", "sex", "reference_months", "path"])
    table = answers.estimate_by_similarity(cases, atlas)
    assert list(table["id"]) == ["hand"]
    (said,) = caplog.messages
    assert said.startswith("2 of 3 radiographs left out: empty (The image has a single gray level")
    assert "; broken (" in said
    assert table["prediction_months"][0] == pytest.approx(61, abs=6)
    assert set(table["preprocessing_version"]) == {preprocessing.PREPROCESSING_VERSION}


def test_the_error_of_the_similarity_estimate_holds_for_these_standards_and_this_preprocessing_only(
    atlas, monkeypatch
):
    table = pd.DataFrame(
        {
            "id": ["1", "2"],
            "sex": "male",
            "reference_months": [50.0, 70],
            "prediction_months": [53.0, 69],
        }
    )
    version = preprocessing.PREPROCESSING_VERSION
    table = table.assign(atlas=answers.atlas_digest(atlas), preprocessing_version=version)
    answers.write(answers.SIMILARITY, table, atlas)
    figures = answers.similarity_metrics(atlas)
    assert (figures["n"], figures["mae"]) == (2, 2)
    with monkeypatch.context() as patch:
        patch.setattr(preprocessing, "PREPROCESSING_VERSION", version + 1)
        assert answers.similarity_metrics(atlas) is None
    # Written by an earlier version, which did not say.
    answers.write(answers.SIMILARITY, table.drop(columns="preprocessing_version"), atlas)
    assert answers.similarity_metrics(atlas) is None
    answers.write(answers.SIMILARITY, table, atlas)
    change_standards(atlas, lambda table: table[table["months"] < 72])
    assert answers.similarity_metrics(atlas) is None


def test_the_published_estimates_are_of_the_published_atlas():
    published = Path(__file__).resolve().parents[2] / "artifacts" / "atlas"
    assert answers.similarity_metrics(published) is not None
