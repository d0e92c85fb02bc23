"""Random changes to training images, as Keras layers inside the training graph."""

from typing import Any

import keras
from keras import layers, ops

from boneage.training.presets import Augmentation

# Share of the image that a rectangle blackens: about a marker at least, a few carpals at most.
_ERASED_AREA = (0.01, 0.08)


@keras.saving.register_keras_serializable("boneage")
class RandomAffine(layers.Layer):
    """Flip, rotate, shift and scale in one resampling.

    Keras' own layers do one change each and would blur the image once per change. Input and output
    are float32 (batch, size, size, channels); what comes from outside is black. Does nothing
    outside training.

    Args:
        flip: see `Augmentation`.
        rotation: see `Augmentation`.
        shift: see `Augmentation`.
        scale: see `Augmentation`.
        aspect: see `Augmentation`.
        seed: of the changes.
        **kwargs: of `keras.Layer`.
    """

    def __init__(
        self,
        flip: bool = True,
        rotation: float = 0.0,
        shift: float = 0.0,
        scale: float = 0.0,
        aspect: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.flip, self.rotation, self.shift = flip, rotation, shift
        self.scale, self.aspect, self.seed = scale, aspect, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, images: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        if not training:
            return images
        batch, height, width = ops.shape(images)[0], images.shape[1], images.shape[2]
        transform = self._transform(batch, height, width)
        return ops.image.affine_transform(images, transform, interpolation="bilinear")

    def _transform(self, batch: int, height: int, width: int) -> keras.KerasTensor:
        """(batch, 8): from output to input pixels, in Keras' order, about the image's center."""
        angle = self._uniform(batch, self.rotation * 3.141592653589793 / 180)
        zoom = self._uniform(batch, self.scale)
        aspect = self._uniform(batch, self.aspect) / 2
        scale_x, scale_y = ops.exp(zoom - aspect), ops.exp(zoom + aspect)
        if self.flip:
            scale_x *= ops.sign(self._uniform(batch, 1.0))
        cos, sin = ops.cos(angle), ops.sin(angle)
        a0, a1, b0, b1 = cos * scale_x, -sin * scale_y, sin * scale_x, cos * scale_y
        center_x, center_y = (width - 1) / 2, (height - 1) / 2
        a2 = center_x - a0 * center_x - a1 * center_y + self._uniform(batch, self.shift * width)
        b2 = center_y - b0 * center_x - b1 * center_y + self._uniform(batch, self.shift * height)
        zero = ops.zeros_like(a0)
        return ops.stack([a0, a1, a2, b0, b1, b2, zero, zero], axis=1)

    def _uniform(self, batch: int, limit: float) -> keras.KerasTensor:
        return keras.random.uniform((batch,), -limit, limit, seed=self.seed_generator)

    def get_config(self) -> dict[str, Any]:
        names = ("flip", "rotation", "shift", "scale", "aspect", "seed")
        return super().get_config() | {name: getattr(self, name) for name in names}


@keras.saving.register_keras_serializable("boneage")
class RandomGamma(layers.Layer):
    """Raise each image in [0, 1] to a random power, as films and detectors differ in it.

    Input and output are float32 (batch, size, size, channels). Does nothing outside training.

    Args:
        limit: largest absolute logarithm of the power.
        seed: of the powers.
        **kwargs: of `keras.Layer`.
    """

    def __init__(self, limit: float = 0.0, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.limit, self.seed = limit, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, images: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        if not training:
            return images
        shape = (ops.shape(images)[0], 1, 1, 1)
        power = keras.random.uniform(shape, -self.limit, self.limit, seed=self.seed_generator)
        return ops.power(images, ops.exp(power))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"limit": self.limit, "seed": self.seed}


def augmentation_layers(settings: Augmentation) -> list[layers.Layer]:
    """The layers of a recipe, to be applied in order to images in [0, 1].

    They compute in float32 under every precision policy: bfloat16 cannot tell neighboring pixel
    positions apart.
    """
    stack = [
        RandomAffine(
            settings.flip,
            settings.rotation,
            settings.shift,
            settings.scale,
            settings.aspect,
            dtype="float32",
            name="random_affine",
        )
    ]
    if settings.contrast:
        stack.append(
            layers.RandomContrast(
                settings.contrast, value_range=(0, 1), dtype="float32", name="random_contrast"
            )
        )
    if settings.brightness:
        stack.append(
            layers.RandomBrightness(
                settings.brightness, value_range=(0, 1), dtype="float32", name="random_brightness"
            )
        )
    if settings.gamma:
        stack.append(RandomGamma(settings.gamma, dtype="float32", name="random_gamma"))
    if settings.erasing:
        stack.append(
            layers.RandomErasing(
                (settings.erasing, settings.erasing),
                _ERASED_AREA,
                fill_value=0.0,
                value_range=(0, 1),
                dtype="float32",
                name="random_erasing",
            )
        )
    return stack
