"""What several tests share: tiny models, and the real radiographs where this machine has them."""

import dataclasses
import os
import shutil
from pathlib import Path

# Each of the test processes (pyproject.toml) and what it starts computes on one core. The libraries
# read this when they are first imported.
os.environ |= dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "OPENCV_FOR_THREADS_NUM",
        "TF_NUM_INTEROP_THREADS",
        "TF_NUM_INTRAOP_THREADS",
    ),
    "1",
)

import numpy as np
import pandas as pd
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: at the end, one process would wait for another's long test."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def rsna() -> Path:
    """The folder of real radiographs; the test is skipped where there is none."""
    from boneage.datasets.challenge import radiographs_folder

    folder = radiographs_folder() or REPOSITORY.parent / "shared" / "rsna"
    if not (folder / "boneage-training-dataset").is_dir():
        pytest.skip("no real radiographs here: set BONEAGE_RSNA to a folder that holds them")
    return folder


@pytest.fixture(scope="module")
def tiny_artifacts(_tiny_artifacts_folder):
    """An artifacts folder with both tiny models, untrained; BONEAGE_ARTIFACTS names it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BONEAGE_ARTIFACTS", str(_tiny_artifacts_folder))
        yield _tiny_artifacts_folder


@pytest.fixture
def phantom_shapes(monkeypatch) -> None:
    """A quality check that knows the shape of a phantom's hand, and so finds a second one."""
    from boneage.datasets.phantoms import make_phantom
    from boneage.inference import predictor
    from boneage.quality.checks import SHAPE
    from boneage.quality.density import DensityModel
    from boneage.quality.quality_check import QualityCheck
    from boneage.quality.shapes import aligned

    rng = np.random.default_rng(0)
    # As noisy as what MediaPipe finds on phantoms.
    shapes = [
        aligned(make_phantom(12 + 2 * n, "male", n).landmarks + rng.normal(0, 4, (21, 2)))
        for n in range(60)
    ]
    quality_check = QualityCheck({SHAPE: 20.0}, DensityModel.fit(np.stack(shapes), 4))
    monkeypatch.setattr(predictor, "load_quality_check", lambda models: quality_check)


@pytest.fixture
def run_eagerly():
    """TensorFlow's functions as they are written: a short training ends before they are compiled.

    A training is compiled in tests/training/test_fit.py, where it is resumed bit for bit.
    """
    tf = pytest.importorskip("tensorflow")
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def calibrated_artifacts(_tiny_artifacts_folder, tmp_path_factory) -> Path:
    """The same with 400 validation cases, enough for prediction intervals, and 40 test cases."""
    from boneage import artifacts
    from boneage.evaluation.metrics import metrics_table

    root = tmp_path_factory.mktemp("calibrated") / "artifacts"
    shutil.copytree(_tiny_artifacts_folder, root)
    rng = np.random.default_rng(3)
    n = 440
    age = rng.uniform(10, 220, n).round(1)
    cases = pd.DataFrame(
        {
            "id": [str(number) for number in range(n)],
            "split": ["validation"] * 400 + ["test"] * 40,
            "sex": ["female", "male"] * (n // 2),
            "reference_months": age,
            "contrast": 55.0,
            "crop_method": "mediapipe",
        }
    )
    for name, spread in (("tiny_densenet", 9), ("tiny_resnet_cbam", 12)):
        folder = root / "models" / name
        predicted = (age + rng.normal(0, spread, n)).clip(0)
        artifacts.write_predictions(folder, cases.assign(prediction_months=predicted))
        table = artifacts.read_predictions(folder)
        artifacts.write_metrics(folder, metrics_table(table, n_resamples=20))
    return root


@pytest.fixture(scope="session")
def _tiny_artifacts_folder(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("artifacts")
    for name in ("tiny_densenet", "tiny_resnet_cbam"):
        _write_untrained(root / "models" / name, name)
    return root


def _write_untrained(folder: Path, name: str) -> None:
    import keras

    from boneage import artifacts
    from boneage.evaluation.metrics import metrics_table
    from boneage.models.registry import build_model, find_model
    from boneage.radiographs.preprocessing import Preprocessing
    from boneage.training.export import export_artifact
    from boneage.training.presets import PRESETS

    keras.utils.set_random_seed(7)
    options = {"input_size": 32, "output_scale": 41.0, "output_offset": 127.0}
    options |= {"dropout": 0.0, "l2": 0.0}
    model = build_model(name, **options)
    entry = find_model(name)
    facts = artifacts.Facts(
        name=name,
        title=entry.title,
        architecture=entry.architecture,
        preset=dataclasses.asdict(PRESETS["smoke"]),
        preprocessing=dataclasses.asdict(Preprocessing()),
        build=options,
        mirrored=False,
        data_fingerprint="phantoms",
        n_train=30,
        parameters=model.count_params(),
        versions={"keras": keras.__version__},
        weights_sha256=artifacts.write_weights(folder, model),
        trained_on="2025-01-31",
        training_seconds=60.0,
        training_note="Untrained, for tests.",
    )
    artifacts.write_facts(folder, facts)
    export_artifact(folder)
    artifacts.write_history(folder, pd.DataFrame({"epoch": [1], "loss": [2.0], "val_mae": [9.0]}))
    age = np.linspace(24, 200, 12)
    artifacts.write_predictions(
        folder,
        pd.DataFrame(
            {
                "id": [str(number) for number in range(12)],
                "split": ["train"] * 4 + ["validation"] * 4 + ["test"] * 4,
                "sex": ["female", "male"] * 6,
                "reference_months": age,
                "prediction_months": age + 9,
                "crop_method": "mediapipe",
                "contrast": 55.0,
            }
        ),
    )
    table = artifacts.read_predictions(folder)
    artifacts.write_metrics(folder, metrics_table(table, n_resamples=20))
