"""Predicting and explaining need neither TensorFlow nor Keras nor ONNX's own package."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from boneage import artifacts
from boneage.datasets.phantoms import draw_phantom
from boneage.inference.predictor import Predictor
from boneage.inference.runtime import Runtime
from boneage.radiographs.hand import _without_unused_packages
from boneage.radiographs.preprocessing import to_model_input
from boneage.radiographs.reading import Radiograph

REPOSITORY = Path(__file__).resolve().parents[2]

# Imported by Python itself before the program. Not an ImportError, which some caller may catch.
_FORBID = """
import sys

class Forbid:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"tensorflow", "keras", "tf_keras_vis", "onnx", "jax"}:
            raise AssertionError(f"{name} was imported")

sys.meta_path.insert(0, Forbid())
"""

_PREDICT_AND_EXPLAIN = """
import sys
import boneage
from boneage.inference.predictor import Predictor

predictor = Predictor()
prediction = predictor.predict(sys.argv[1], "female")
for name in predictor.names:
    explanation = predictor.explain(prediction, name)
    print(name, prediction.months[name], explanation.gradcam.shape, list(explanation.spatial))
"""


@pytest.fixture(scope="module")
def phantom(tmp_path_factory):
    from PIL import Image

    path = tmp_path_factory.mktemp("phantom") / "hand.png"
    Image.fromarray(draw_phantom(96, "female", 1)).save(path)
    return path


def python(arguments, *paths):
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, [*paths, REPOSITORY]))},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def without_training_libraries(tmp_path_factory):
    """Run Python where importing what only training needs is an error."""
    folder = tmp_path_factory.mktemp("forbid")
    (folder / "sitecustomize.py").write_text(_FORBID)
    return lambda *arguments: python(arguments, folder)


@pytest.mark.parametrize("library", ["tensorflow", "keras", "tf_keras_vis", "onnx.helper"])
def test_the_forbidden_imports_fail(without_training_libraries, library):
    done = without_training_libraries("-c", f"import {library}")
    assert f"AssertionError: {library.partition('.')[0]} was imported" in done.stderr


def test_predicting_and_explaining_import_no_training_library(
    tiny_artifacts, phantom, without_training_libraries
):
    done = without_training_libraries("-c", _PREDICT_AND_EXPLAIN, phantom)
    assert done.returncode == 0, done.stderr
    densenet, resnet = done.stdout.splitlines()
    assert densenet.startswith("tiny_densenet") and densenet.endswith("(256, 256) []")
    assert resnet.startswith("tiny_resnet_cbam") and resnet.endswith("(256, 256) [1, 2, 3, 4]")


def test_the_command_line_predicts_without_training_libraries(
    tiny_artifacts, phantom, without_training_libraries
):
    done = without_training_libraries("-m", "boneage", "predict", phantom, "--sex", "female")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["status"] == "ok"
    assert answer["crop"] == "mediapipe"


def test_finding_the_hand_imports_no_tensorflow_and_leaves_all_importable(phantom):
    pytest.importorskip("tensorflow")
    program = """
import sys
from boneage.radiographs.hand import find_hand
from boneage.radiographs.reading import read_radiograph

hand = find_hand(read_radiograph(sys.argv[1]).pixels)
print(hand.method, [name for name in sys.modules if name.partition(".")[0] == "tensorflow"])
import tensorflow, matplotlib.pyplot
print(int(tensorflow.constant(1) + 1), callable(matplotlib.pyplot.plot))
"""
    done = python(["-c", program, phantom])
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["mediapipe []", "2 True"]


def test_pandas_is_left_to_be_imported_beside_the_loading_of_the_models():
    modules = "boneage.cli, boneage.datasets.labeled_images, boneage.inference.predictor"
    done = python(["-c", f"import sys, {modules}; print('pandas' in sys.modules)"])
    assert done.stdout == "False\n", done.stderr


def test_a_tensorflow_that_is_imported_already_stays(monkeypatch):
    imported = ModuleType("tensorflow")
    monkeypatch.setitem(sys.modules, "tensorflow", imported)
    with _without_unused_packages():
        assert sys.modules["tensorflow"] is imported
    assert sys.modules["tensorflow"] is imported


@pytest.fixture(scope="module")
def runtime(tiny_artifacts):
    return Runtime.load(artifacts.model_folder("tiny_resnet_cbam"))


def test_outputs_are_asked_for_by_name_and_hold_every_image(runtime):
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32), np.uint8)
    found = runtime(images, ["female", "male", "male"], runtime.outputs)
    assert list(found) == runtime.outputs
    assert found["bone_age"].shape == (3,)
    assert found["pooled_features"].shape == (3, 32)
    assert found["last_feature_map"].shape == (1, 3, 32, 1, 1)
    assert found["stage1_spatial_attention"].shape == (1, 3, 8, 8)
    assert found["stage1_channel_attention"].shape == (1, 3, 8)
    assert {values.dtype for values in found.values()} == {np.dtype(np.float32)}
    for number, sex in enumerate(["female", "male", "male"]):
        alone = runtime(images[number : number + 1], [sex], ["bone_age"])
        assert list(alone) == ["bone_age"]
        np.testing.assert_array_equal(alone["bone_age"], found["bone_age"][number : number + 1])


def test_larger_images_are_resized_to_those_of_the_model(runtime):
    large = np.random.default_rng(0).integers(0, 256, (1, 96, 96), np.uint8)
    small = (to_model_input(large, runtime.size)[..., 0] * 255).round().astype(np.uint8)
    assert runtime.size == 32 and small.shape == (1, 32, 32)
    found, expected = (runtime(images, ["male"], ["bone_age"]) for images in (large, small))
    np.testing.assert_array_equal(found["bone_age"], expected["bone_age"])


def test_the_facts_of_a_model_are_read_once(tiny_artifacts, monkeypatch):
    read = []
    read_facts = artifacts.read_facts
    monkeypatch.setattr(artifacts, "read_facts", lambda f: read.append(f) or read_facts(f))
    names = Predictor().names
    assert read == [artifacts.model_folder(name) for name in names]


def test_radiographs_side_by_side_share_the_cores_and_get_the_same_ages(
    tiny_artifacts, monkeypatch
):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(6), raising=False)
    threads = []
    load = Runtime.load.__func__
    monkeypatch.setattr(
        Runtime,
        "load",
        classmethod(lambda cls, folder, n, facts: threads.append(n) or load(cls, folder, n, facts)),
    )
    predictors = [Predictor("tiny_densenet", workers=workers) for workers in (0, 1, 4, 200)]
    assert [predictor.workers for predictor in predictors] == [1, 1, 4, 6]
    assert threads == [6, 6, 1, 1]
    radiograph = Radiograph(draw_phantom(100, "female"), "PNG")
    ages = {predictor.predict(radiograph, "female").ensemble_months for predictor in predictors}
    assert max(ages) - min(ages) < 1e-3


def test_an_unknown_sex_is_refused(runtime):
    with pytest.raises(ValueError, match="female or male"):
        runtime(np.zeros((1, 32, 32), np.uint8), ["F"], ["bone_age"])


def test_a_system_that_does_not_tell_the_cores_allowed_is_served_too(runtime, monkeypatch):
    images = np.zeros((1, 32, 32), np.uint8)
    expected = runtime(images, ["male"], ["bone_age"])["bone_age"]
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)  # as on macOS and Windows
    other = Runtime.load(artifacts.model_folder("tiny_resnet_cbam"))
    np.testing.assert_allclose(other(images, ["male"], ["bone_age"])["bone_age"], expected)
