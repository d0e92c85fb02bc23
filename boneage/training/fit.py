"""Training: a model, a preset and a cache of prepared hands in; an artifact folder out."""

import dataclasses
import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from tqdm import tqdm

from boneage import artifacts
from boneage.atomic import NotWrittenError
from boneage.datasets import pipeline
from boneage.datasets.cache import Cache
from boneage.datasets.labeled_images import BATCH
from boneage.errors import BoneAgeError
from boneage.evaluation.metrics import metrics_table
from boneage.models.heads import inference_model
from boneage.models.registry import build_model, find_model
from boneage.training.augmentation import augmentation_layers
from boneage.training.callbacks import EpochSeed, TrainingMonitor
from boneage.training.checkpoint import CHECKPOINT, Progress, load_checkpoint
from boneage.training.correction import correction_line, with_line
from boneage.training.presets import Preset

# Share of the validation MAE that must be left for an answer to take twice the time.
_MIRRORING_PAYS = 0.99

_PACKAGES = ("keras", "tensorflow", "jax", "numpy", "opencv-python", "mediapipe")


class TrainingError(BoneAgeError):
    """Training cannot begin or go on; the message says why and what to do."""


def train(
    model_name: str,
    preset: Preset,
    cache: Cache,
    out: str | Path,
    resume: bool = False,
    warm_start: str | Path | None = None,
    note: str | None = None,
) -> Path:
    """Train a model of the registry and write its artifact folder.

    Args:
        model_name: a key of the registry.
        preset: the settings, see `boneage.training.presets`.
        cache: with images in the splits "train" and "validation"; every further split is predicted
            too, none but these two is looked at for training.
        out: the artifact folder. A checkpoint lies there until training is finished; an artifact
            that is there already stays as it is until then.
        resume: go on from that checkpoint, bit for bit as if nothing had interrupted.
        warm_start: artifact folder of the same model, trained at any image size, to start from.
        note: a sentence for people about these weights, kept in the facts.

    Returns:
        `out`.

    Raises:
        TrainingError: the cache lacks a split, `out` holds another training, the loss diverged, or
            a file cannot be written.
        CheckpointError: the checkpoint is damaged or belongs to another training.
        ArtifactError: the artifact to start from cannot be used.

    Example:
        >>> from boneage.datasets.cache import open_cache
        >>> from boneage.training.presets import find_preset
        >>> preset = find_preset("smoke")
        >>> train("densenet121", preset, open_cache("cache"), "trained")  # doctest: +SKIP
        PosixPath('trained')
    """
    out = Path(out)
    find_model(model_name)
    with _told_how_to_go_on(out):
        _check(cache, out, resume)
    start = _start_facts(warm_start, model_name)
    run = {
        "model": model_name,
        "preset": dataclasses.asdict(preset),
        "data": cache.fingerprint,
        "warm_start": start.weights_sha256 if start else None,
        "backend": _backend(),
    }
    with _told_how_to_go_on(out), _dtype_policy(preset.precision):
        keras.utils.set_random_seed(preset.seed)
        body = build_model(model_name, **_build_options(preset))
        if warm_start:
            artifacts.load_weights(Path(warm_start), body)
        progress = _fit(body, run, preset, cache, out, resume)
        body.set_weights(progress.best_weights)
        if preset.ema_momentum is not None:
            update_batch_norm_statistics(body, cache, preset)
    seconds = sum(row["seconds"] for row in progress.history)
    seconds += start.training_seconds if start else 0.0
    with _told_how_to_go_on(out):
        _write_artifact(
            body, preset, cache, out / artifacts.UNFINISHED, progress, seconds, start, note
        )
        artifacts.publish(out)
    (out / CHECKPOINT).unlink()
    shutil.rmtree(out / artifacts.UNFINISHED)
    return out


def predict_rows(
    model: keras.Model, facts: artifacts.Facts, cache: Cache, rows: np.ndarray
) -> np.ndarray:
    """Bone age of cached images.

    Args:
        model: as from `artifacts.load_model`.
        facts: of the model.
        cache: of prepared radiographs.
        rows: (n,), row numbers.

    Returns:
        (n,) float32, months, in the order of `rows`.
    """
    size = facts.build["input_size"]
    batches = pipeline.evaluation_batches(cache, rows, batch_size=BATCH, image_size=size)
    read = inference_model(model, facts.mirrored).predict_on_batch
    months = [
        np.asarray(read(inputs))[:, 0]
        for inputs, _ in tqdm(
            batches, total=math.ceil(len(rows) / BATCH), desc="predicting", unit="batch"
        )
    ]
    return np.concatenate(months)


def _mirroring_pays(model: keras.Model, facts: artifacts.Facts, cache: Cache) -> bool:
    """Whether the mirror image lowers the validation MAE enough for twice the time."""
    rows = cache.split("validation")
    age = cache.manifest["reference_months"].to_numpy()[rows]
    alone, both = (
        np.abs(
            predict_rows(model, dataclasses.replace(facts, mirrored=mirrored), cache, rows) - age
        ).mean()
        for mirrored in (False, True)
    )
    return both < _MIRRORING_PAYS * alone


def _backend() -> str:
    return keras.backend.backend()


def _versions() -> dict[str, str]:
    """What the numbers depend on and is installed here; a training machine needs no MediaPipe."""
    versions = {"backend": _backend()}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return versions


def update_batch_norm_statistics(
    body: keras.Model, cache: Cache, preset: Preset, n_images: int = 1024
) -> None:
    """Measure the means and variances of BatchNorm anew, on training images, for averaged weights.

    Those gathered in training belong to the weights of single steps. After a short training the
    difference is a bias of months. Source: Izmailov et al., "Averaging Weights Leads to Wider
    Optima and Better Generalization", UAI 2018, section 3.2.
    """
    rows = np.random.default_rng(preset.seed).permutation(cache.split("train"))[:n_images]
    normalizations = [x for x in body.layers if isinstance(x, keras.layers.BatchNormalization)]
    momenta = [layer.momentum for layer in normalizations]
    batches = pipeline.evaluation_batches(cache, rows, preset.batch_size, preset.image_size)
    for number, (inputs, _) in enumerate(batches):
        for layer in normalizations:
            layer.momentum = number / (number + 1)  # the plain mean over all batches
        body(inputs, training=True)
    for layer, momentum in zip(normalizations, momenta, strict=True):
        layer.momentum = momentum


def _check(cache: Cache, out: Path, resume: bool) -> None:
    for split in ("train", "validation"):
        if not len(cache.split(split)):
            raise TrainingError(
                f"The cache {cache.folder} holds no {split} images: prepare the training set first."
            )
    exists = (out / CHECKPOINT).exists()
    if exists and not resume:
        raise TrainingError(
            f"{out} holds an unfinished training: add --resume to continue it, or choose another "
            "output folder."
        )
    if resume and not exists:
        raise TrainingError(f"There is no checkpoint in {out} to resume: leave --resume away.")
    unfinished = out / artifacts.UNFINISHED
    try:  # now, not after the first epoch
        unfinished.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotWrittenError(unfinished, error) from error


def _start_facts(folder: str | Path | None, model_name: str) -> artifacts.Facts | None:
    if folder is None:
        return None
    facts = artifacts.read_facts(Path(folder))
    if facts.name != model_name:
        raise TrainingError(f"{folder} holds weights of {facts.name}, not of {model_name}.")
    return facts


def _origin(start: artifacts.Facts) -> dict:
    """What the facts say of the weights that training started from."""
    return {
        "weights_sha256": start.weights_sha256,
        "preset": start.preset["name"],
        "trained_on": start.trained_on,
    }


def _build_options(preset: Preset) -> dict:
    """What `build_model` needs besides the name, as stored in the facts."""
    return {
        "input_size": preset.image_size,
        "output_scale": preset.output_scale,
        "output_offset": preset.output_offset,
        "dropout": preset.dropout,
        "l2": preset.l2,
    }


@contextmanager
def _told_how_to_go_on(out: Path) -> Iterator[None]:
    try:
        yield
    except NotWrittenError as error:
        again = "with --resume to go on" if (out / CHECKPOINT).exists() else "again"
        raise TrainingError(
            f"{error.fault}: {error.remedy} and run the same command {again}."
        ) from error


@contextmanager
def _dtype_policy(name: str) -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _fit(
    body: keras.Model, run: dict, preset: Preset, cache: Cache, out: Path, resume: bool
) -> Progress:
    """Train `body` in place, from the checkpoint if `resume`."""
    batches = pipeline.TrainingBatches(
        cache,
        cache.split("train"),
        batch_size=preset.batch_size,
        images_per_epoch=preset.images_per_epoch,
        image_size=preset.image_size,
        seed=preset.seed,
    )
    model = _with_augmentation(body, preset)
    optimizer = _optimizer(preset, batches.steps_per_epoch)
    model.compile(
        optimizer,
        keras.losses.Huber(delta=preset.huber_delta),
        metrics=[keras.metrics.MeanAbsoluteError(name="mae")],
        # XLA on the CPU of TensorFlow lacks the image transform of the augmentation.
        jit_compile=_backend() == "jax",
    )
    # Left to the first step, TensorFlow would trace that step twice.
    optimizer.build(model.trainable_variables)
    progress = load_checkpoint(out / CHECKPOINT, run, model, optimizer) if resume else Progress()
    monitor = TrainingMonitor(run, preset, out, progress, averaged=_average(model, preset))
    callbacks = [EpochSeed(preset.seed), monitor]
    if monitor.averaged:
        callbacks.append(monitor.averaged)
    done = len(progress.history)
    if not monitor.finished(done):
        model.fit(
            **batches.fit_arguments(first_epoch=done),
            initial_epoch=done,
            epochs=preset.epochs,
            validation_data=pipeline.evaluation_batches(
                cache, cache.split("validation"), preset.batch_size, preset.image_size
            ),
            callbacks=callbacks,
        )
    if monitor.diverged_in:
        raise TrainingError(
            f"The loss became infinite or not a number in epoch {monitor.diverged_in}: lower the "
            "preset's learning rate, or check the labels for absurd ages. The checkpoint of the "
            "epoch before is kept."
        )
    return progress


def _with_augmentation(body: keras.Model, preset: Preset) -> keras.Model:
    image, sex = (keras.Input(tensor.shape[1:], name=tensor.name) for tensor in body.inputs)
    augmented = image
    for layer in augmentation_layers(preset.augmentation):
        augmented = layer(augmented)
    return keras.Model([image, sex], body([augmented, sex]))


def _optimizer(preset: Preset, steps_per_epoch: int) -> keras.Optimizer:
    warmup = round(preset.warmup_epochs * steps_per_epoch)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else preset.learning_rate,
        decay_steps=max(1, preset.epochs * steps_per_epoch - warmup),
        warmup_target=preset.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    return keras.optimizers.AdamW(
        schedule,
        weight_decay=preset.weight_decay,
        use_ema=preset.ema_momentum is not None,
        ema_momentum=preset.ema_momentum or 0.99,
    )


def _average(model: keras.Model, preset: Preset) -> keras.callbacks.SwapEMAWeights | None:
    """The callback that puts the averaged weights in for validation."""
    if preset.ema_momentum is None:
        return None
    swap = keras.callbacks.SwapEMAWeights()
    swap.set_model(model)
    return swap


def _write_artifact(
    body: keras.Model,
    preset: Preset,
    cache: Cache,
    folder: Path,
    progress: Progress,
    training_seconds: float,
    start: artifacts.Facts | None,
    note: str | None,
) -> None:
    """Write weights, facts, history, predictions and metrics.

    The metrics are those of the weights as written, in half precision, not as trained.
    """
    entry = find_model(body.name)
    weights_sha256 = artifacts.write_weights(folder, body)
    facts = artifacts.Facts(
        name=body.name,
        title=entry.title,
        architecture=entry.architecture,
        preset=dataclasses.asdict(preset),
        preprocessing=dataclasses.asdict(cache.parameters),
        build=_build_options(preset),
        mirrored=False,
        data_fingerprint=cache.fingerprint,
        n_train=len(cache.split("train")),
        parameters=body.count_params(),
        versions=_versions(),
        weights_sha256=weights_sha256,
        trained_on=date.today().isoformat(),
        training_seconds=round(training_seconds, 1),
        training_note=note or f"Trained with the preset {preset.name}.",
        warm_start=_origin(start) if start else {},
    )
    artifacts.write_facts(folder, facts)
    artifacts.write_history(folder, pd.DataFrame(progress.history))
    model, _ = artifacts.load_model(folder)
    if preset.mirroring and _mirroring_pays(model, facts, cache):
        facts = dataclasses.replace(facts, mirrored=True)
    predictions = cache.manifest.copy()
    rows = np.arange(len(predictions))
    months = predict_rows(model, facts, cache, rows).astype(float)
    if preset.linear_correction:
        train = cache.split("train")
        slope, intercept = correction_line(
            predictions["reference_months"].to_numpy()[train], months[train]
        )
        months = slope * months + intercept
        facts = with_line(facts, slope, intercept)
    artifacts.write_facts(folder, facts)
    from boneage.training.export import export_artifact  # a machine that trains may lack ONNX

    export_artifact(folder)
    predictions["prediction_months"] = months
    artifacts.write_predictions(folder, predictions)
    artifacts.write_metrics(folder, metrics_table(artifacts.read_predictions(folder)))
