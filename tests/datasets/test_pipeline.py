from pathlib import Path

import cv2
import keras
import numpy as np
import pandas as pd
import pytest

from boneage.datasets.cache import Cache
from boneage.datasets.pipeline import TrainingBatches, evaluation_batches, gather
from boneage.errors import BoneAgeError
from boneage.radiographs.preprocessing import Preprocessing

SIZE = 16


def make_cache(n: int = 22) -> Cache:
    """Image, sex and age of case i can each be told from i: gray level i, male if odd, i months."""
    images = np.repeat(np.arange(n, dtype=np.uint8), SIZE * SIZE).reshape(n, SIZE, SIZE)
    manifest = pd.DataFrame(
        {
            "id": [str(i) for i in range(n)],
            "split": "train",
            "sex": ["male" if i % 2 else "female" for i in range(n)],
            "reference_months": np.arange(n, dtype=float),
            "crop_method": "full_frame",
        }
    )
    return Cache(Path("cache"), images, manifest, Preprocessing(size=SIZE), "fingerprint")


@pytest.fixture(params=["tensorflow", "jax"])
def backend(request, monkeypatch):
    """The pipeline asks Keras which backend it feeds; both kinds of batches can be read here."""
    if request.param == "tensorflow":
        pytest.importorskip("tensorflow")
    monkeypatch.setattr(keras.backend, "backend", lambda: request.param)
    return request.param


def to_numpy(batch) -> tuple:
    (images, male), age = batch
    return np.asarray(images), np.asarray(male), np.asarray(age)


def ages_of(batches, n: int) -> list[list[int]]:
    """Ages of the first n batches, which are also the numbers of the cases."""
    stream = iter(batches) if hasattr(batches, "take") else (batches[i] for i in range(n))
    return [to_numpy(next(stream))[2][:, 0].astype(int).tolist() for _ in range(n)]


def assert_aligned(batch) -> None:
    images, male, age = to_numpy(batch)
    n = len(age)
    assert images.shape == (n, SIZE, SIZE, 1)
    assert male.shape == age.shape == (n, 1)
    assert images.dtype == male.dtype == age.dtype == np.float32
    np.testing.assert_array_equal(np.rint(images.max((1, 2)) * 255), age)
    np.testing.assert_array_equal(images.min((1, 2)), images.max((1, 2)))
    np.testing.assert_array_equal(male, age % 2)


def test_gather_keeps_the_order_of_rows():
    images, male, age = gather(make_cache(), np.array([7, 2, 19]), SIZE)
    assert age[:, 0].tolist() == [7, 2, 19]
    assert male[:, 0].tolist() == [1, 0, 1]
    np.testing.assert_array_equal(images[:, 0, 0, 0], np.float32([7, 2, 19]) / 255)


def test_gather_averages_images_down():
    cache = make_cache(1)
    cache.images[0] = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE))
    image = gather(cache, np.array([0]), 4)[0][0, :, :, 0]
    expected = cv2.resize(cache.images[0], (4, 4), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(image, expected.astype(np.float32) / 255)


def test_image_sex_and_age_stay_together(backend):
    batches = TrainingBatches(make_cache(), np.arange(22), 4, image_size=SIZE, seed=1)
    stream = batches.fit_arguments()["x"]
    stream = stream.take(7) if backend == "tensorflow" else [stream[i] for i in range(7)]
    for batch in stream:
        assert_aligned(batch)
    for batch in evaluation_batches(make_cache(), np.arange(22), 4, SIZE):
        assert_aligned(batch)


def test_the_stream_is_one_epoch_after_the_other(backend):
    batches = TrainingBatches(make_cache(), np.arange(22), 4, image_size=SIZE, seed=1)
    arguments = batches.fit_arguments(first_epoch=3)
    assert arguments["steps_per_epoch"] == 5
    expected = [rows.tolist() for epoch in (3, 4, 5) for rows in batches.order(epoch)]
    assert ages_of(arguments["x"], 15) == expected


def test_a_stream_begins_anew_for_every_reader(backend):
    """Keras draws a batch to build a model, and must not thereby take it from the training."""
    stream = TrainingBatches(make_cache(), np.arange(22), 4, image_size=SIZE).fit_arguments()["x"]
    assert ages_of(stream, 3) == ages_of(stream, 3)


def test_random_access_in_any_order(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    batches = TrainingBatches(make_cache(), np.arange(22), 4, image_size=SIZE, seed=1)
    stream = batches.fit_arguments()["x"]
    for number in (9, 0, 1, 1, 30, 2):
        epoch, step = divmod(number, 5)
        assert to_numpy(stream[number])[2][:, 0].tolist() == batches.order(epoch)[step].tolist()


def test_every_backend_sees_the_same_batches(monkeypatch):
    pytest.importorskip("tensorflow")
    streams = {}
    for backend in ("tensorflow", "jax"):
        monkeypatch.setattr(keras.backend, "backend", lambda backend=backend: backend)
        batches = TrainingBatches(make_cache(), np.arange(22), 4, image_size=8, seed=1)
        streams[backend] = (
            batches.fit_arguments()["x"],
            evaluation_batches(make_cache(), np.arange(22), 4, 8),
        )
    training = zip(streams["tensorflow"][0].take(12), range(12), strict=True)
    pairs = [(batch, streams["jax"][0][i]) for batch, i in training]
    pairs += list(zip(streams["tensorflow"][1], streams["jax"][1], strict=True))
    assert len(pairs) == 12 + 6
    for one, other in pairs:
        for a, b in zip(to_numpy(one), to_numpy(other), strict=True):
            np.testing.assert_array_equal(a, b)


def test_fit_trains_on_each_batch_once_and_in_order():
    """Through Keras itself, on the backend at hand: what reaches the training step."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the recording train_step is written for TensorFlow")
    seen = []

    class Recorder(keras.Model):
        def train_step(self, data):
            seen.append(data[1].numpy()[:, 0].astype(int).tolist())
            return {"loss": 0.0}

    image, sex = keras.Input((SIZE, SIZE, 1)), keras.Input((1,))
    model = Recorder([image, sex], keras.layers.Dense(1)(sex))
    model.compile("sgd", "mse", run_eagerly=True)
    batches = TrainingBatches(make_cache(), np.arange(22), 4, image_size=SIZE, seed=1)
    model.fit(**batches.fit_arguments(first_epoch=2), initial_epoch=2, epochs=5, verbose=0)
    assert seen == [rows.tolist() for epoch in (2, 3, 4) for rows in batches.order(epoch)]


def test_the_order_is_a_function_of_seed_and_epoch():
    def order(seed, epoch):
        batches = TrainingBatches(make_cache(), np.arange(5, 21), 4, image_size=SIZE, seed=seed)
        return batches.order(epoch)

    np.testing.assert_array_equal(order(1, 7), order(1, 7))
    assert sorted(order(1, 7).ravel()) == list(range(5, 21))  # each row once
    assert (order(1, 7) != order(1, 8)).any()
    assert (order(1, 7) != order(2, 7)).any()


def test_an_epoch_may_be_a_fresh_sample():
    batches = TrainingBatches(make_cache(), np.arange(22), 4, images_per_epoch=8, image_size=SIZE)
    assert batches.steps_per_epoch == 2
    samples = [set(batches.order(epoch).ravel()) for epoch in range(6)]
    assert all(len(sample) == 8 for sample in samples)
    assert len(set().union(*samples)) > 8


@pytest.mark.parametrize(
    ("n", "batch_size", "steps", "size"), [(22, 4, 5, 4), (8, 4, 2, 4), (3, 4, 1, 3)]
)
def test_a_partial_batch_is_left_out_unless_it_is_all_there_is(n, batch_size, steps, size):
    batches = TrainingBatches(make_cache(), np.arange(n), batch_size, image_size=SIZE)
    assert batches.order(0).shape == (steps, size)


def test_training_shapes_are_constant_for_the_compiler():
    pytest.importorskip("tensorflow")
    batches = TrainingBatches(make_cache(), np.arange(22), 4, image_size=SIZE)
    (image, sex), age = batches.fit_arguments()["x"].element_spec
    assert [tuple(spec.shape) for spec in (image, sex, age)] == [(4, SIZE, SIZE, 1), (4, 1), (4, 1)]


def test_evaluation_keeps_every_row_in_order(backend):
    rows = np.array([9, 3, 4, 21, 0, 1, 2])
    batches = evaluation_batches(make_cache(), rows, batch_size=3, image_size=SIZE)
    ages = [to_numpy(batch)[2][:, 0].tolist() for batch in batches]
    assert ages == [[9, 3, 4], [21, 0, 1], [2]]


def test_training_on_nothing_is_refused():
    with pytest.raises(BoneAgeError, match="no images to train on"):
        TrainingBatches(make_cache(), np.array([], int))
