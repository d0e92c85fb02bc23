"""Predictions and exported models, once they are loaded."""

import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import perf_counter

import cv2
import numpy as np

from benchmarks.measuring import Row, in_short, peak_megabytes
from boneage import artifacts
from boneage.datasets.phantoms import draw_phantom
from boneage.inference.predictor import Predictor
from boneage.inference.runtime import Runtime
from boneage.models.registry import find_model
from boneage.quiet import quiet_libraries
from boneage.radiographs.preprocessing import prepare, sex_to_model_input, to_model_input

SEX = "female"
HEIGHTS = (400, 2000)  # of the phantoms of the other tables, and of a clinical radiograph


def warm(repeats: int) -> list[Row]:
    """A file's content to its age and all maps, and both models alone, in the same loop."""
    predictor = Predictor()

    def predict_and_explain(content: bytes) -> None:
        prediction = predictor.predict(content, SEX)
        for name in predictor.names:
            predictor.explain(prediction, name)

    files = {height: _png(height) for height in HEIGHTS}
    for content in files.values():
        predict_and_explain(content)
    megabytes = peak_megabytes()
    alone = _both_models()  # which loads the models a second time
    rows = []
    for height, content in files.items():
        prediction_ms, all_ms, alone_ms = _milliseconds(
            repeats,
            partial(predictor.predict, content, SEX),
            partial(predict_and_explain, content),
            alone,
        )
        rows.append(
            {
                "PNG file": f"{height} rows",
                "prediction, ms": in_short(prediction_ms),
                "prediction and all maps, ms": in_short(all_ms),
                "both models alone, ms": in_short(alone_ms),
                "ratio of the last two": f"{min(all_ms) / min(alone_ms):.2f}",
                "peak memory, MB": f"{megabytes:.0f}",
            }
        )
    return rows


def forwards(n: int) -> tuple[float, float]:
    """Seconds of n times both models alone, once loaded, and peak memory in MB."""
    (milliseconds,) = _milliseconds(n, _both_models())
    return sum(milliseconds) / 1000, peak_megabytes()


def runtimes(repeats: int, n: int = 8) -> list[Row]:
    """Each exported model: file, loading, latency by threads, and agreement with Keras."""
    rows = []
    for name in artifacts.available_models():
        folder = artifacts.model_folder(name)
        (load_ms,) = _milliseconds(repeats, partial(Runtime.load, folder))
        row = {
            "model": find_model(name).title,
            "file, MB": f"{(folder / artifacts.GRAPH).stat().st_size / 1e6:.1f}",
            "load, ms": in_short(load_ms),
        }
        for threads in (1, 2):
            with _cores(threads):
                one, many = _milliseconds(
                    repeats, *(_forward(Runtime.load(folder), _images(count)) for count in (1, 16))
                )
            row[f"{threads} thread(s), 1 image, ms"] = in_short(one)
            row[f"{threads} thread(s), 16 images, ms an image"] = in_short(
                [each / 16 for each in many]
            )
        row[f"largest difference from Keras, months (n = {n})"] = _keras_difference(name, n)
        rows.append(row)
    return rows


def _keras_difference(name: str, n: int) -> str:
    """Of the bone ages of n phantoms."""
    if importlib.util.find_spec("tensorflow") is None:
        return "TensorFlow is not installed"
    folder, images = artifacts.model_folder(name), _images(n)
    runtime = Runtime.load(folder)
    with quiet_libraries():
        from boneage.models.heads import inference_model

        model, facts = artifacts.load_model(folder)
        inputs = [to_model_input(images, runtime.size), sex_to_model_input([SEX] * n)]
        months = inference_model(model, facts.mirrored).predict(inputs, verbose=0)[:, 0]
    return f"{np.abs(_forward(runtime, images)()['bone_age'] - months).max():.1g}"


@contextmanager
def _cores(count: int) -> Iterator[None]:
    """Let this process use so many cores, and so the models that it loads so many threads."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:count])
    yield
    os.sched_setaffinity(0, allowed)


def _milliseconds(repeats: int, *works: Callable[[], object]) -> list[list[float]]:
    """Milliseconds of each work, all in one loop, after two rounds that do not count."""
    times = np.empty((len(works), 2 + repeats))
    for number in range(2 + repeats):
        for row, work in zip(times, works, strict=True):
            started = perf_counter()
            work()
            row[number] = 1000 * (perf_counter() - started)
    return times[:, 2:].tolist()


def _both_models() -> Callable[[], object]:
    images = _images(1)
    works = [
        _forward(Runtime.load(artifacts.model_folder(name)), images)
        for name in artifacts.available_models()
    ]
    return lambda: [work() for work in works]


def _forward(runtime: Runtime, images: np.ndarray) -> Callable[[], dict[str, np.ndarray]]:
    return lambda: runtime(images, [SEX] * len(images), ["bone_age"])


def _png(height: int) -> bytes:
    return cv2.imencode(".png", draw_phantom(120, SEX, height=height))[1].tobytes()


def _images(n: int) -> np.ndarray:
    """Prepared hands."""
    ages = np.linspace(12, 204, n)
    return np.stack([prepare(draw_phantom(age, SEX, seed)).image for seed, age in enumerate(ages)])
