"""Batches from the cache: tf.data on the TensorFlow backend, a PyDataset on the others.

Both number the batches and look up number i with the same functions, so a training sees the same
batches on every backend. Only the rows of a batch are read from the memory-mapped cache; its pages
stay in the operating system's memory as long as there is room, which is all the caching needed.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import keras
import numpy as np

from boneage.datasets.cache import Cache
from boneage.errors import BoneAgeError
from boneage.radiographs.preprocessing import sex_to_model_input, to_model_input

if TYPE_CHECKING:
    import tensorflow as tf

BATCH_SIZE = 64
_WORKERS = 2
_AHEAD = 4


def gather(cache: Cache, rows: np.ndarray, image_size: int = 256) -> tuple:
    """Some cases of a cache as arrays.

    Args:
        cache: of prepared radiographs.
        rows: (N,), row numbers.
        image_size: side S in pixels of the images.

    Returns:
        Images (N, S, S, 1) float32 in [0, 1], male (N, 1) float32 (1 for male, 0 for female) and
        age (N, 1) float32 in months.
    """
    images = to_model_input(np.asarray(cache.images[rows]), image_size)
    cases = cache.manifest.iloc[rows]
    age = cases["reference_months"].to_numpy(np.float32)
    return images, sex_to_model_input(cases["sex"]), age[:, np.newaxis]


class TrainingBatches:
    """The endless stream of shuffled training batches.

    The order of an epoch is a function of seed and epoch alone, so that a resumed training sees
    what it would have seen. Batches are full: the rest of an epoch is left out unless there is
    nothing else, which keeps shapes constant for compiled steps.

    Args:
        cache: of prepared radiographs.
        rows: row numbers of the training cases.
        batch_size: number of images a batch.
        images_per_epoch: size of a fresh random sample each epoch; None for all rows.
        image_size: side in pixels of the images yielded.
        seed: of the order.

    Raises:
        BoneAgeError: there are no rows.
    """

    def __init__(
        self,
        cache: Cache,
        rows: np.ndarray,
        batch_size: int = BATCH_SIZE,
        images_per_epoch: int | None = None,
        image_size: int = 256,
        seed: int = 0,
    ):
        if not len(rows):
            raise BoneAgeError(f"The cache in {cache.folder} has no images to train on.")
        self.cache, self.rows, self.seed = cache, np.asarray(rows), seed
        self.image_size = image_size
        self.n_images = min(images_per_epoch or len(rows), len(rows))
        self.batch_size = min(batch_size, self.n_images)
        self.steps_per_epoch = self.n_images // self.batch_size

    def order(self, epoch: int) -> np.ndarray:
        """Rows of the cache, (steps_per_epoch, batch_size), as seen in an epoch."""
        shuffled = np.random.default_rng((self.seed, epoch)).permutation(self.rows)
        used = shuffled[: self.steps_per_epoch * self.batch_size]
        return used.reshape(self.steps_per_epoch, self.batch_size)

    def fit_arguments(self, first_epoch: int = 0) -> dict:
        """What `model.fit` needs to see the batches from `first_epoch` on.

        Keras makes and drops iterators as it likes; the stream therefore holds no state that
        would advance with them, only the number of the batch.
        """

        def batch(number: int) -> np.ndarray:
            epoch, step = divmod(number, self.steps_per_epoch)
            return self.order(first_epoch + epoch)[step]

        if keras.backend.backend() == "tensorflow":
            stream = _tf_dataset(self.cache, batch, self.image_size, None, self.batch_size)
        else:
            stream = _Batches(self.cache, batch, self.image_size, None)
        # Keras shuffles by default, and warns where it cannot.
        return {"x": stream, "steps_per_epoch": self.steps_per_epoch, "shuffle": False}


def evaluation_batches(
    cache: Cache, rows: np.ndarray, batch_size: int = BATCH_SIZE, image_size: int = 256
) -> "tf.data.Dataset | keras.utils.PyDataset":
    """Batches of some cases in their order, the last one smaller where it must be.

    Args:
        cache: of prepared radiographs.
        rows: row numbers of the cases.
        batch_size: number of images a batch.
        image_size: side in pixels of the images yielded.

    Returns:
        A tf.data.Dataset or a keras.utils.PyDataset of ((images, male), age), as from `gather`.
    """
    rows = np.asarray(rows)
    n_batches = -(-len(rows) // batch_size)

    def batch(number: int) -> np.ndarray:
        return rows[number * batch_size : (number + 1) * batch_size]

    if keras.backend.backend() == "tensorflow":
        return _tf_dataset(cache, batch, image_size, n_batches)
    return _Batches(cache, batch, image_size, n_batches)


def _tf_dataset(
    cache: Cache,
    batch: Callable[[int], np.ndarray],
    image_size: int,
    n_batches: int | None,
    batch_size: int | None = None,
) -> "tf.data.Dataset":
    """Batches 0, 1, 2, ... of the rows `batch(i)`; endless when `n_batches` is None."""
    import tensorflow as tf

    def load(number: "tf.Tensor") -> "tuple[tuple[tf.Tensor, tf.Tensor], tf.Tensor]":
        images, male, age = tf.numpy_function(
            lambda number: gather(cache, batch(int(number)), image_size), [number], [tf.float32] * 3
        )
        images.set_shape((batch_size, image_size, image_size, 1))
        male.set_shape((batch_size, 1))
        age.set_shape((batch_size, 1))
        return (images, male), age

    numbers = tf.data.Dataset
    numbers = numbers.counter() if n_batches is None else numbers.range(n_batches)
    loaded = numbers.map(load, num_parallel_calls=_WORKERS, deterministic=True)
    return loaded.prefetch(tf.data.AUTOTUNE)


class _Batches(keras.utils.PyDataset):
    """The same as `_tf_dataset` for the other backends.

    Keras's own workers throw away at the end of an epoch what they have loaded of an endless
    dataset, so the loading ahead is done here.
    """

    def __init__(
        self,
        cache: Cache,
        batch: Callable[[int], np.ndarray],
        image_size: int,
        n_batches: int | None,
    ):
        super().__init__(workers=1)
        self.cache, self.batch, self.image_size, self.n = cache, batch, image_size, n_batches
        self.pool = ThreadPoolExecutor(_WORKERS)
        self.loading: dict[int, Future[tuple]] = {}

    @property
    def num_batches(self) -> int | None:
        return self.n

    def __getitem__(self, index: int) -> tuple:
        end = index + 1 + _AHEAD if self.n is None else min(index + 1 + _AHEAD, self.n)
        for ahead in range(index, end):
            if ahead not in self.loading:
                self.loading[ahead] = self.pool.submit(self._load, ahead)
        result = self.loading[index].result()
        self.loading = {i: future for i, future in self.loading.items() if index < i < end}
        return result

    def _load(self, number: int) -> tuple:
        images, male, age = gather(self.cache, self.batch(number), self.image_size)
        return (images, male), age
