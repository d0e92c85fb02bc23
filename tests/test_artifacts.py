import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save, save_file

from boneage import artifacts
from boneage.artifacts import ArtifactError, Facts
from boneage.radiographs import preprocessing

REPOSITORY = Path(__file__).resolve().parents[1]


def facts_for(name="tiny_densenet", sha256="0" * 64):
    return Facts(
        name=name,
        title="Tiny",
        architecture="a few blocks",
        preset={"name": "smoke", "batch_size": 4, "learning_rate": 0.001},
        preprocessing={"size": 32},
        build={
            "input_size": 32,
            "output_scale": 40.0,
            "output_offset": 127.0,
            "dropout": 0.1,
            "l2": 0.0001,
        },
        mirrored=False,
        data_fingerprint="abc",
        n_train=10,
        parameters=1234,
        versions={"keras": "3.15.1"},
        weights_sha256=sha256,
        trained_on="2025-01-31",
        training_seconds=60.0,
        training_note="Random weights that only tests use.",
    )


@pytest.fixture
def predictions():
    return pd.DataFrame(
        {
            "id": ["0012", "NA"],
            "split": ["validation", "test"],
            "sex": ["female", "male"],
            "reference_months": [96.0, 150.25],
            "prediction_months": [99.123456, 148.0],
            "contrast": [55.0, 40.25],
            "crop_method": ["mediapipe", "full_frame"],
        }
    )


def write_tables(folder, predictions):
    artifacts.write_history(folder, pd.DataFrame({"epoch": [1], "loss": [2.0]}))
    artifacts.write_metrics(
        folder, pd.DataFrame({"split": ["test"], "group": ["all"], "n": [2], "mae": [1.23456]})
    )
    artifacts.write_predictions(folder, predictions)


def randomized(model):
    """Give every weight, BatchNorm statistics too, its own positive random value."""
    rng = np.random.default_rng(0)
    for variable in model.weights:
        variable.assign(rng.uniform(0.05, 0.5, variable.shape))
    return model


@pytest.fixture(scope="module", params=["tiny_densenet", "tiny_resnet_cbam"])
def saved(request, tmp_path_factory):
    """A model and the folder its weights and facts are in; tests copy it before changing it."""
    from boneage.models.registry import build_model

    folder = tmp_path_factory.mktemp("artifact") / request.param
    facts = facts_for(request.param)
    model = randomized(build_model(request.param, **facts.build))
    sha256 = artifacts.write_weights(folder, model)
    artifacts.write_facts(folder, dataclasses.replace(facts, weights_sha256=sha256))
    return model, folder


@pytest.fixture
def copy(saved, tmp_path):
    return Path(shutil.copytree(saved[1], tmp_path / "copy"))


# Where artifacts are


def test_root_is_the_repository_or_what_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.delenv("BONEAGE_ARTIFACTS", raising=False)
    assert artifacts.artifacts_root() == REPOSITORY / "artifacts"
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path))
    assert artifacts.artifacts_root() == tmp_path
    assert artifacts.model_folder("densenet121") == tmp_path / "models" / "densenet121"


@pytest.mark.parametrize("name", ["../elsewhere", "", "densenet"])
def test_a_folder_needs_a_registered_name(name):
    with pytest.raises(ArtifactError, match="no model called"):
        artifacts.model_folder(name)


def test_available_models_are_complete_and_in_registry_order(tmp_path, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path))
    assert artifacts.available_models(tmp_path) == []
    for name in ("resnet34_cbam", "densenet121", "unregistered"):
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True)
        for file in artifacts.FILES:
            (folder / file).touch()
    assert artifacts.available_models(tmp_path) == ["densenet121", "resnet34_cbam"]
    assert artifacts.incomplete_models() == {}
    (tmp_path / "models" / "densenet121" / "history.csv").unlink()
    assert artifacts.available_models(tmp_path) == ["resnet34_cbam"]
    assert artifacts.incomplete_models() == {"densenet121": ["history.csv"]}


def test_recipes_other_than_the_published_one_lie_inside_its_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path))
    folder = tmp_path / "models" / "densenet121"
    for recipe in ("paper", "half_copied"):
        (folder / recipe).mkdir(parents=True)
    (folder / "paper" / artifacts.PREDICTIONS).touch()
    expected = {"best": folder, "paper": folder / "paper"}
    assert artifacts.recipe_folders("densenet121") == expected


# Weights


def test_a_loaded_model_predicts_as_the_saved_one(saved):
    model, folder = saved
    loaded, facts = artifacts.load_model(folder)
    assert facts.name == folder.name
    rng = np.random.default_rng(1)
    inputs = {
        "image": rng.uniform(size=(3, 32, 32, 1)).astype(np.float32),
        "sex": np.array([[0.0], [1.0], [1.0]], np.float32),
    }
    for before, after in zip(model.weights, loaded.weights, strict=True):
        assert before.path == after.path
        # float16 keeps 11 significant bits.
        np.testing.assert_allclose(after.numpy(), before.numpy(), rtol=2**-11)
    expected = np.asarray(model(inputs, training=False))
    # Nothing but rounding may differ; fresh weights would be off by far more.
    np.testing.assert_allclose(np.asarray(loaded(inputs, training=False)), expected, rtol=0.02)


def test_the_file_holds_float16_by_path_and_no_generator_state(saved):
    model, folder = saved
    tensors = load_file(folder / "weights.safetensors")
    assert set(tensors) == {variable.path for variable in model.weights}
    assert {str(tensor.dtype) for tensor in tensors.values()} == {"float16"}
    assert any(path.endswith("moving_variance") for path in tensors)
    assert len(model.variables) > len(tensors)  # dropout has a generator
    assert not any("seed" in path for path in tensors)


class FakeVariable:
    def __init__(self, path, value):
        self.path, self._value = path, np.asarray(value)

    def numpy(self):
        return self._value


class FakeModel:
    def __init__(self, **weights):
        self.weights = [FakeVariable(path, value) for path, value in weights.items()]


def test_values_beyond_float16_are_kept_as_float32(tmp_path):
    model = FakeModel(moving_variance=[1.0, 70000.0], kernel=[[65504.0, -2.0]])
    sha256 = artifacts.write_weights(tmp_path, model)
    path = tmp_path / "weights.safetensors"
    assert sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    tensors = load_file(path)
    assert tensors["moving_variance"].dtype == np.float32
    assert tensors["moving_variance"].tolist() == [1.0, 70000.0]
    assert tensors["kernel"].dtype == np.float16
    assert tensors["kernel"].tolist() == [[65504.0, -2.0]]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_not_written(tmp_path, value):
    with pytest.raises(ArtifactError, match="kernel holds values that are not finite"):
        artifacts.write_weights(tmp_path, FakeModel(kernel=[1.0, value]))
    assert list(tmp_path.iterdir()) == []


def test_two_weights_of_one_path_are_refused(tmp_path):
    model = FakeModel(kernel=[1.0])
    model.weights *= 2
    with pytest.raises(ArtifactError, match="Two weights are called kernel"):
        artifacts.write_weights(tmp_path, model)


def change_weights(folder, change):
    """Change the tensors and the facts' checksum alike, as a faulty writer would."""
    path = folder / "weights.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    facts = dataclasses.replace(artifacts.read_facts(folder), weights_sha256=sha256)
    artifacts.write_facts(folder, facts)


def refusal(folder, load=artifacts.load_model, remedy="train again"):
    """The message of the error, which must be one sentence that says what to do."""
    with pytest.raises(ArtifactError) as caught:
        load(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(f"; restore it with git checkout or {remedy}.")
    return message


def test_damaged_weights_are_refused_before_parsing(copy, monkeypatch):
    def parse(path, content):
        raise AssertionError("parsed before the checksum was compared")

    monkeypatch.setattr(artifacts, "_parse_weights", parse)
    path = copy / "weights.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    assert "weights.safetensors is truncated, altered" in refusal(copy)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert "weights.safetensors is truncated, altered" in refusal(copy)
    path.unlink()
    assert "weights.safetensors is missing" in refusal(copy)


def test_weights_that_do_not_fit_the_model_are_refused(copy):
    name = sorted(load_file(copy / "weights.safetensors"))[0]

    def reshape(tensors):
        tensors[name] = np.zeros((2, 3, 5), np.float16)

    change_weights(copy, reshape)
    assert f"holds {name} with shape (2, 3, 5) where the model needs" in refusal(copy)
    change_weights(copy, lambda tensors: tensors.pop(name))
    assert f"lacks 1 weights of the model, first {name}" in refusal(copy)
    change_weights(copy, lambda tensors: tensors.update({"z": np.zeros(1), name: np.zeros(1)}))
    assert "holds 1 weights the model lacks, first z" in refusal(copy)


@pytest.mark.parametrize(
    "content", [b"no tensors", b"", save({"a": np.zeros(4)})[:-1], b"\x80\x04K\x01."]
)
def test_a_file_that_is_not_safetensors_is_refused(tmp_path, content):
    (tmp_path / "weights.safetensors").write_bytes(content)
    artifacts.write_facts(tmp_path, facts_for(sha256=hashlib.sha256(content).hexdigest()))
    assert "weights.safetensors is not a safetensors file" in refusal(tmp_path)


@pytest.mark.parametrize(
    "change",
    [{"name": "unheard_of"}, {"build": {"layers": 3}}, {"build": {"input_size": 2}}],
)
def test_facts_of_an_unknown_model_are_refused(copy, change):
    facts = dataclasses.replace(artifacts.read_facts(copy), **change)
    artifacts.write_facts(copy, facts)
    assert "facts.json describes a model that cannot be built" in refusal(copy)


# Exported graph


@pytest.fixture
def exported(copy):
    from boneage.training.export import export_artifact

    export_artifact(copy)
    return copy


def graph_refusal(folder):
    from boneage.inference.runtime import Runtime

    return refusal(folder, Runtime.load, "export the model again (python -m boneage export)")


def test_the_export_is_recorded_in_the_facts_and_changes_nothing_else(copy):
    from boneage.training.export import export_artifact

    before = artifacts.read_facts(copy)
    facts = export_artifact(copy)
    content = (copy / artifacts.GRAPH).read_bytes()
    assert artifacts.graph_file(copy) == copy / artifacts.GRAPH
    assert artifacts.read_facts(copy) == facts
    digest = hashlib.sha256(content).hexdigest()
    assert facts == dataclasses.replace(before, graph_sha256=digest)
    # What was measured on a model holds for its export, too.
    assert artifacts.fingerprints({"m": facts}) == artifacts.fingerprints({"m": before})


def test_a_damaged_graph_is_refused_before_it_is_loaded(exported, monkeypatch):
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "InferenceSession", None)
    path = exported / artifacts.GRAPH
    whole = path.read_bytes()
    for content in (whole[:-100], whole[:-1] + bytes([whole[-1] ^ 1]), b""):
        path.write_bytes(content)
        assert "model.onnx is truncated, altered" in graph_refusal(exported)
    path.unlink()
    assert "model.onnx is missing" in graph_refusal(exported)


def test_a_graph_that_is_none_is_refused(exported):
    for content in (b"", b"no graph", b"\x08\x0a"):
        artifacts.write_graph(exported, artifacts.read_facts(exported), content)
        assert "model.onnx does not load" in graph_refusal(exported)


def test_artifacts_of_before_the_export_say_what_to_do(copy):
    assert artifacts.read_facts(copy).graph_sha256 == ""
    assert "model.onnx is missing" in graph_refusal(copy)
    (copy / artifacts.GRAPH).write_bytes(b"of another model")
    assert "model.onnx is truncated, altered" in graph_refusal(copy)


def test_the_command_line_restores_graphs(exported, tmp_path, capsys):
    from boneage.cli import main
    from boneage.inference.runtime import Runtime

    path = exported / artifacts.GRAPH
    whole, facts = path.read_bytes(), artifacts.read_facts(exported)
    path.write_bytes(whole[:1000])
    other = shutil.copytree(exported, tmp_path / "other")
    (other / artifacts.GRAPH).unlink()
    assert main(["export", str(exported), str(other)]) == 0
    said = capsys.readouterr().out
    for folder in (exported, other):
        assert (folder / artifacts.GRAPH).read_bytes() == whole
        assert artifacts.read_facts(folder) == facts
        assert "bone_age" in Runtime.load(folder).outputs
        assert f"is in {folder}." in said


def test_the_command_line_refuses_to_export_what_is_no_model(copy, tmp_path, capsys):
    from boneage.cli import main

    (copy / artifacts.WEIGHTS).write_bytes(b"")
    for folder, fault in (
        (tmp_path / "nowhere", "facts.json is missing"),
        (copy, "weights.safetensors is truncated"),
    ):
        assert main(["export", str(folder)]) == 2
        assert fault in capsys.readouterr().err
        assert not (folder / artifacts.GRAPH).exists()


# Facts


def test_facts_survive_the_round_trip(tmp_path):
    artifacts.write_facts(tmp_path / "new folder", facts_for())
    assert artifacts.read_facts(tmp_path / "new folder") == facts_for()


@pytest.mark.parametrize(("field", "default"), [("warm_start", {}), ("graph_sha256", "")])
def test_facts_written_before_a_field_was_recorded_are_read(tmp_path, field, default):
    values = dataclasses.asdict(facts_for())
    del values[field]
    (tmp_path / "facts.json").write_text(json.dumps(values))
    assert getattr(artifacts.read_facts(tmp_path), field) == default


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is not valid JSON"),
        (b'{"name": "den', "is not valid JSON"),
        (b"\xff\xfe\x00", "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b"[1]", "is not a JSON object"),
        (b"{}", "it lacks name, title"),
    ],
)
def test_unreadable_facts_are_refused(tmp_path, content, fault):
    (tmp_path / "facts.json").write_bytes(content)
    assert fault in refusal(tmp_path, artifacts.read_facts)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"extra": 1}, "unknown fields extra"),
        ({"n_train": "ten"}, "n_train must be int, not str"),
        ({"build": [1]}, "build must be dict, not list"),
        ({"weights_sha256": "abc"}, "weights_sha256 is not 64"),
        ({"trained_on": "yesterday"}, "trained_on is not a date"),
    ],
)
def test_wrong_facts_are_refused(tmp_path, change, fault):
    values = dataclasses.asdict(facts_for()) | change
    (tmp_path / "facts.json").write_text(json.dumps(values))
    assert fault in refusal(tmp_path, artifacts.read_facts)


def test_facts_that_cannot_be_read_back_are_not_written(tmp_path):
    for change in (
        {"n_train": 1.5},
        {"preset": {"rate": np.float32(1)}},
        {"build": {"l2": np.nan}},
    ):
        with pytest.raises(ArtifactError, match="cannot be written"):
            artifacts.write_facts(tmp_path, dataclasses.replace(facts_for(), **change))
    assert list(tmp_path.iterdir()) == []


def test_missing_facts_are_refused(tmp_path):
    assert "facts.json is missing" in refusal(tmp_path)


def test_a_fingerprint_changes_with_all_that_decides_an_answer(monkeypatch):
    facts = facts_for()
    before = artifacts.fingerprints({"m": facts})
    changed = [
        artifacts.fingerprints({"m": dataclasses.replace(facts, **change)})
        for change in (
            {"weights_sha256": "1" * 64},
            {"build": facts.build | {"output_offset": 128.0}},
            {"mirrored": True},
            {"preprocessing": {"size": 64}},
        )
    ]
    monkeypatch.setattr(preprocessing, "PREPROCESSING_VERSION", 999)  # of the preparation's code
    changed.append(artifacts.fingerprints({"m": facts}))
    assert all(digest != before[name] for after in changed for name, digest in after.items())
    assert len({after["m"] for after in changed}) == len(changed)
    monkeypatch.undo()
    note = dataclasses.replace(facts, training_note="Another.")
    assert artifacts.fingerprints({"m": note}) == before


def test_the_fingerprint_of_the_ensemble_changes_with_what_decides_its_weights(
    tmp_path, predictions, monkeypatch
):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path))
    folder = artifacts.model_folder("tiny_densenet")
    facts = {folder.name: facts_for()}
    artifacts.write_predictions(folder, predictions)
    before = artifacts.fingerprints(facts)
    content = (folder / artifacts.PREDICTIONS).read_bytes()
    (folder / artifacts.PREDICTIONS).write_bytes(content.replace(b"\n", b"\r\n"))  # as Git may
    assert artifacts.fingerprints(facts) == before
    monkeypatch.setattr(artifacts, "ENSEMBLE_VERSION", 999)
    changed = [artifacts.fingerprints(facts)]
    monkeypatch.undo()
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path))
    months = predictions["prediction_months"] + 1
    artifacts.write_predictions(folder, predictions.assign(prediction_months=months))
    changed.append(artifacts.fingerprints(facts))
    assert all(after[folder.name] == before[folder.name] for after in changed)
    assert len({each["ensemble"] for each in [before, *changed]}) == 3


# Tables


def test_tables_survive_the_round_trip(tmp_path, predictions):
    history = pd.DataFrame(
        {"epoch": [1, 2], "learning_rate": [5e-3, 1.25e-7], "val_mae": [30, 9.5]}
    )
    write_tables(tmp_path, predictions.assign(extra=1))
    artifacts.write_history(tmp_path, history)
    pd.testing.assert_frame_equal(artifacts.read_history(tmp_path), history)
    assert artifacts.read_metrics(tmp_path)["mae"].tolist() == [1.2346]
    pd.testing.assert_frame_equal(artifacts.read_predictions(tmp_path), predictions.round(2))


def test_ids_are_texts(tmp_path, predictions):
    artifacts.write_predictions(tmp_path, predictions.assign(id=[7, 12]))
    assert artifacts.read_predictions(tmp_path)["id"].tolist() == ["7", "12"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"prediction_months": [1.0, np.nan]}, "not numbers"),
        ({"sex": ["M", "female"]}, "some sexes"),
        ({"crop_method": ["mediapipe", "guess"]}, "some crop methods"),
        ({"id": ["a", "a"], "split": ["test", "test"]}, "twice"),
        ({"id": ["a", ""]}, "no id"),
    ],
)
def test_unusable_predictions_are_neither_written_nor_read(tmp_path, predictions, change, fault):
    table = predictions.assign(**change)
    with pytest.raises(ArtifactError, match=fault):
        artifacts.write_predictions(tmp_path, table)
    assert list(tmp_path.iterdir()) == []
    table.to_csv(tmp_path / "predictions.csv", index=False)
    assert fault in refusal(tmp_path, artifacts.read_predictions)


def test_missing_columns_are_named(tmp_path, predictions):
    with pytest.raises(ArtifactError, match="no column sex"):
        artifacts.write_predictions(tmp_path, predictions.drop(columns="sex"))
    predictions.drop(columns="sex").to_csv(tmp_path / "predictions.csv", index=False)
    assert "predictions.csv has no column sex" in refusal(tmp_path, artifacts.read_predictions)
    (tmp_path / "metrics.csv").write_text("split,n\ntest,3\n")
    assert "metrics.csv has no column group, mae" in refusal(tmp_path, artifacts.read_metrics)


def test_predictions_of_an_earlier_version_are_read(tmp_path, predictions):
    artifacts.write_predictions(tmp_path, predictions)
    known = artifacts.read_predictions(tmp_path)
    path = tmp_path / "predictions.csv"
    path.write_text(path.read_text().replace("reference_months", "age_months", 1))
    pd.testing.assert_frame_equal(artifacts.read_predictions(tmp_path), known)


def test_predictions_cut_within_a_row_are_refused(tmp_path, predictions):
    artifacts.write_predictions(tmp_path, predictions)
    path = tmp_path / "predictions.csv"
    whole = path.read_bytes()
    last_row = whole.rstrip(b"\n").rfind(b"\n") + 1
    for end in range(last_row + 1, len(whole) - 1):
        path.write_bytes(whole[:end])
        refusal(tmp_path, artifacts.read_predictions)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, "is missing"),
        (b"", "is not a CSV table"),
        (b"\xff\xfe\x00\x01", "is not a CSV table"),
        (b'a,b\n1,2\n"3', "is not a CSV table"),
        (b"epoch,loss\n", "has no rows"),
    ],
)
@pytest.mark.parametrize("table", ["history", "metrics", "predictions"])
def test_broken_tables_are_refused(tmp_path, table, content, fault):
    if content is not None:
        (tmp_path / f"{table}.csv").write_bytes(content)
    message = refusal(tmp_path, getattr(artifacts, f"read_{table}"))
    assert f"{table}.csv {fault}" in message


def test_reading_tables_does_not_import_keras(tmp_path, predictions):
    write_tables(tmp_path, predictions)
    artifacts.write_facts(tmp_path, facts_for())
    script = (
        "import sys; from boneage import artifacts as a; f = sys.argv[1]; "
        "a.read_predictions(f); a.read_metrics(f); a.read_history(f); a.read_facts(f); "
        "a.available_models(f); "
        "print(sorted({'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == "[]"


# Writing in one step


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    artifacts.write_facts(tmp_path, facts_for())

    def fail(descriptor):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space left"):
        artifacts.write_facts(tmp_path, facts_for(name="densenet121"))
    assert artifacts.read_facts(tmp_path) == facts_for()
    assert [path.name for path in tmp_path.iterdir()] == ["facts.json"]
