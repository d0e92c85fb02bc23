import dataclasses
import math
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from short_networks import FROM_COMMAND_LINE

from boneage import artifacts
from boneage.datasets.pipeline import gather
from boneage.evaluation.metrics import error_metrics
from boneage.models.registry import build_model
from boneage.training import callbacks, fit
from boneage.training.checkpoint import CHECKPOINT, CheckpointError
from boneage.training.fit import TrainingError, train
from boneage.training.presets import find_preset

SMOKE = dataclasses.replace(find_preset("smoke"), epochs=3)
SHORT = dataclasses.replace(SMOKE, images_per_epoch=8)  # one step an epoch
MODEL = "tiny_resnet_cbam"
TESTS = Path(__file__).resolve().parents[1]
PATHS = [str(TESTS.parent), str(TESTS)]  # of the package and of what the tests share
EAGER = pytest.mark.usefixtures("run_eagerly")
pytestmark = pytest.mark.usefixtures("short_networks")


@pytest.fixture(scope="module")
def trained(phantom_cache, short_networks, tmp_path_factory):
    return train(MODEL, SMOKE, phantom_cache, tmp_path_factory.mktemp("runs") / MODEL, note="Tiny.")


def _interrupt_after(monkeypatch, epoch):
    """As if killed right after the checkpoint of that epoch."""
    save = callbacks.save_checkpoint

    def save_and_stop(*arguments):
        save(*arguments)
        if len(arguments[-1].history) == epoch:
            raise KeyboardInterrupt

    monkeypatch.setattr(callbacks, "save_checkpoint", save_and_stop)


@pytest.mark.slow
def test_the_jax_backend_trains_from_the_same_cache(phantom_cache, tmp_path, trained):
    pytest.importorskip("jax", reason="JAX is not installed")
    command = [sys.executable, "-c", FROM_COMMAND_LINE, "train", "--model", MODEL]
    command += ["--preset", "smoke", "--cache", phantom_cache.folder, "--out", tmp_path / "jax"]
    environment = os.environ | {"KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(PATHS)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    assert artifacts.read_facts(tmp_path / "jax").versions["backend"] == "jax"
    loss = artifacts.read_history(tmp_path / "jax")["loss"]
    assert all(map(math.isfinite, loss))
    # Other random numbers, same data and model: the first epochs cost much the same.
    assert loss.iloc[0] == pytest.approx(artifacts.read_history(trained)["loss"].iloc[0], rel=0.5)
    # The weights load under this process' backend and give what JAX stored.
    model, facts = artifacts.load_model(tmp_path / "jax")
    months = fit.predict_rows(model, facts, phantom_cache, phantom_cache.split("test"))
    stored = artifacts.read_predictions(tmp_path / "jax").query("split == 'test'")
    np.testing.assert_allclose(months, stored["prediction_months"], atol=0.02)


def test_the_artifact_is_whole_and_says_what_it_is(trained, phantom_cache):
    facts = artifacts.read_facts(trained)
    assert facts.name == MODEL
    assert facts.preset["name"] == "smoke"
    assert facts.preprocessing == dataclasses.asdict(phantom_cache.parameters)
    assert facts.data_fingerprint == phantom_cache.fingerprint
    assert facts.training_note == "Tiny."
    seconds = artifacts.read_history(trained)["seconds"].sum()
    assert facts.training_seconds == pytest.approx(seconds, abs=0.2)
    model, _ = artifacts.load_model(trained)
    assert model.count_params() == facts.parameters
    assert not (trained / CHECKPOINT).exists()


def test_history_has_a_row_an_epoch_and_decays_to_zero(trained):
    history = artifacts.read_history(trained)
    assert history["epoch"].tolist() == [1, 2, 3]
    assert history["learning_rate"].iloc[-1] == pytest.approx(0, abs=1e-9)
    assert (history["val_mae"] > 0).all()


def test_every_image_is_predicted_and_the_metrics_follow(trained, phantom_cache):
    predictions = artifacts.read_predictions(trained)
    pd.testing.assert_frame_equal(
        predictions[["id", "split", "sex", "crop_method", "contrast"]],
        phantom_cache.manifest[["id", "split", "sex", "crop_method", "contrast"]],
    )
    metrics = artifacts.read_metrics(trained).set_index(["split", "group"])
    test = predictions[predictions["split"] == "test"]
    expected = error_metrics(test["reference_months"], test["prediction_months"])["mae"]
    assert metrics.loc[("test", "all"), "mae"] == pytest.approx(expected, abs=1e-3)


@EAGER
def test_validation_mae_is_that_of_the_weights_kept(phantom_cache, tmp_path):
    """History is written while training, predictions from the stored half-precision weights."""
    plain = dataclasses.replace(SHORT, ema_momentum=None)
    train(MODEL, plain, phantom_cache, tmp_path)
    best = artifacts.read_history(tmp_path)["val_mae"].min()
    predictions = artifacts.read_predictions(tmp_path)
    kept = predictions[predictions["split"] == "validation"]
    mae = (kept["prediction_months"] - kept["reference_months"]).abs().mean()
    assert mae == pytest.approx(best, abs=0.3)


@EAGER
def test_batch_statistics_settle_on_those_of_the_training_images(phantom_cache):
    body = build_model("tiny_densenet", dropout=0.0)
    normalization = next(x for x in body.layers if isinstance(x, keras.layers.BatchNormalization))
    momentum = normalization.momentum
    fit.update_batch_norm_statistics(body, phantom_cache, SMOKE)
    images, sex, _ = gather(phantom_cache, phantom_cache.split("train"), 32)
    incoming = keras.Model(body.inputs, normalization.input)([images, sex])
    mean, variance = (np.asarray(f(incoming, axis=(0, 1, 2))) for f in (np.mean, np.var))
    np.testing.assert_allclose(np.asarray(normalization.moving_mean), mean, rtol=0.05, atol=0.02)
    np.testing.assert_allclose(np.asarray(normalization.moving_variance), variance, rtol=0.3)
    assert normalization.momentum == momentum


@pytest.mark.slow
def test_a_resumed_training_ends_bit_for_bit_the_same(
    trained, phantom_cache, tmp_path, monkeypatch
):
    """Killed after an epoch, and again between the last one and publishing."""
    for epoch in (2, 3):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            _interrupt_after(patch, epoch)
            train(MODEL, SMOKE, phantom_cache, tmp_path, resume=epoch == 3)
        assert len(artifacts.read_history(tmp_path / artifacts.UNFINISHED)) <= epoch
    assert not (tmp_path / artifacts.WEIGHTS).exists()
    train(MODEL, SMOKE, phantom_cache, tmp_path, resume=True)
    for folder in (trained, tmp_path):
        assert (folder / artifacts.WEIGHTS).exists()
    whole, resumed = (artifacts.read_facts(folder) for folder in (trained, tmp_path))
    assert resumed.weights_sha256 == whole.weights_sha256
    columns = ["epoch", "loss", "val_mae", "learning_rate"]
    pd.testing.assert_frame_equal(
        artifacts.read_history(tmp_path)[columns], artifacts.read_history(trained)[columns]
    )


@EAGER
def test_checkpoints_are_guarded(phantom_cache, tmp_path, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        _interrupt_after(patch, epoch=1)
        train(MODEL, SHORT, phantom_cache, tmp_path)
    with pytest.raises(TrainingError, match="--resume"):
        train(MODEL, SHORT, phantom_cache, tmp_path)
    other = dataclasses.replace(SHORT, learning_rate=1e-4)
    with pytest.raises(CheckpointError, match="different preset"):
        train(MODEL, other, phantom_cache, tmp_path, resume=True)
    content = (tmp_path / CHECKPOINT).read_bytes()
    (tmp_path / CHECKPOINT).write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointError, match="delete it"):
        train(MODEL, SHORT, phantom_cache, tmp_path, resume=True)


def test_resuming_nothing_is_refused(phantom_cache, tmp_path):
    with pytest.raises(TrainingError, match="no checkpoint"):
        train(MODEL, SMOKE, phantom_cache, tmp_path, resume=True)


@EAGER
def test_a_diverging_training_stops_with_a_sentence(phantom_cache, tmp_path):
    wild = dataclasses.replace(SHORT, learning_rate=1e30, warmup_epochs=0)
    with pytest.raises(TrainingError, match=r"in epoch 1: lower the preset's learning rate"):
        train(MODEL, wild, phantom_cache, tmp_path)
    assert not (tmp_path / artifacts.WEIGHTS).exists()


@EAGER
def test_early_stopping_waits_for_its_patience(phantom_cache, tmp_path):
    still = dataclasses.replace(SHORT, epochs=6, patience=2)
    still = dataclasses.replace(still, learning_rate=0.0, warmup_epochs=0, ema_momentum=None)
    train("tiny_densenet", still, phantom_cache, tmp_path)
    # Nothing is learned, only the batch statistics settle, so some epoch is the last better one.
    history = artifacts.read_history(tmp_path)
    best = int(history["val_mae"].idxmin())
    assert len(history) == min(6, best + 1 + 2)


@EAGER
def test_warm_start_takes_weights_trained_at_another_size(trained, phantom_cache, tmp_path):
    frozen = dataclasses.replace(
        SHORT, image_size=64, epochs=1, learning_rate=0.0, warmup_epochs=0, weight_decay=0.0
    )
    out = train(MODEL, frozen, phantom_cache, tmp_path / "warm", warm_start=trained)
    before, earlier = artifacts.load_model(trained)
    after, facts = artifacts.load_model(out)
    seconds = artifacts.read_history(out)["seconds"].sum()
    assert facts.training_seconds == pytest.approx(earlier.training_seconds + seconds, abs=0.2)
    assert facts.warm_start == {
        "weights_sha256": earlier.weights_sha256,
        "preset": "smoke",
        "trained_on": earlier.trained_on,
    }
    assert earlier.warm_start == {}
    for old, new in zip(before.trainable_variables, after.trainable_variables, strict=True):
        np.testing.assert_array_equal(np.asarray(old), np.asarray(new))


def test_warm_start_from_another_model_is_refused(trained, phantom_cache, tmp_path):
    with pytest.raises(TrainingError, match="weights of tiny_resnet_cbam, not of tiny_densenet"):
        train("tiny_densenet", SMOKE, phantom_cache, tmp_path, warm_start=trained)


@EAGER
def test_with_the_mirror_image_an_answer_is_the_mean_of_both(trained, phantom_cache):
    model, facts = artifacts.load_model(trained)
    rows = phantom_cache.split("validation")
    mirror = dataclasses.replace(phantom_cache, images=phantom_cache.images[:, :, ::-1])
    each = [fit.predict_rows(model, facts, cache, rows) for cache in (phantom_cache, mirror)]
    assert np.ptp(each, axis=0).max() > 0.1
    facts = dataclasses.replace(facts, mirrored=True)
    both = fit.predict_rows(model, facts, phantom_cache, rows)
    np.testing.assert_allclose(both, np.mean(each, axis=0), atol=1e-3)


@EAGER
def test_the_mirror_image_is_read_where_it_pays(trained, phantom_cache, tmp_path, monkeypatch):
    model, facts = artifacts.load_model(trained)
    monkeypatch.setattr(fit, "_MIRRORING_PAYS", 0.5)
    assert not fit._mirroring_pays(model, facts, phantom_cache)
    monkeypatch.setattr(fit, "_MIRRORING_PAYS", 2.0)
    recipe = dataclasses.replace(SHORT, epochs=1, mirroring=True)
    out = train(MODEL, recipe, phantom_cache, tmp_path, warm_start=trained)
    model, facts = artifacts.load_model(out)
    assert facts.mirrored
    stored = artifacts.read_predictions(out)["prediction_months"]
    months = fit.predict_rows(model, facts, phantom_cache, np.arange(len(stored)))
    np.testing.assert_allclose(stored, months, atol=0.01)
