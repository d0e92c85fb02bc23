"""DenseNet for bone age.

Source: Huang et al., "Densely Connected Convolutional Networks", CVPR 2017, section 3 and table 1
(the variant with bottlenecks and compression, DenseNet-BC).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from boneage.models.heads import bone_age_model, image_and_sex_inputs

_DEFAULT_DROPOUT = 0.3


def densenet121(
    input_size: int, output_scale: float, output_offset: float, dropout: float | None
) -> keras.Model:
    """DenseNet121 (dense blocks of 6, 12, 24, 16 layers, growth 32) with a linear head.

    Arguments and result are those of `boneage.models.registry.build_model`.
    """
    image, sex = image_and_sex_inputs(input_size)
    return bone_age_model(
        "densenet121",
        image,
        sex,
        _body(image, layers_per_block=(6, 12, 24, 16), growth_rate=32),
        hidden_units=(32,),
        dropout=_DEFAULT_DROPOUT if dropout is None else dropout,
        output_scale=output_scale,
        output_offset=output_offset,
    )


def tiny_densenet(
    input_size: int, output_scale: float, output_offset: float, dropout: float | None
) -> keras.Model:
    """The same network with one narrow layer a block, for tests."""
    image, sex = image_and_sex_inputs(input_size)
    return bone_age_model(
        "tiny_densenet",
        image,
        sex,
        _body(image, layers_per_block=(1, 1, 1, 1), growth_rate=8),
        hidden_units=(8,),
        dropout=_DEFAULT_DROPOUT if dropout is None else dropout,
        output_scale=output_scale,
        output_offset=output_offset,
    )


def _body(
    image: keras.KerasTensor, layers_per_block: Sequence[int], growth_rate: int
) -> keras.KerasTensor:
    x = layers.ZeroPadding2D(3, name="stem_pad")(image)
    x = _convolution(x, 2 * growth_rate, kernel=7, strides=2, name="stem_conv")
    x = _normalize_and_relu(x, name="stem")
    x = layers.ZeroPadding2D(1, name="stem_pool_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="stem_pool")(x)
    for block, depth in enumerate(layers_per_block, start=1):
        if block > 1:
            x = _transition(x, name=f"transition{block - 1}")
        for layer in range(1, depth + 1):
            x = _dense_layer(x, growth_rate, name=f"block{block}_layer{layer}")
    return _normalize_and_relu(x, name="last")


def _dense_layer(x: keras.KerasTensor, growth_rate: int, name: str) -> keras.KerasTensor:
    """Bottleneck of 4 k channels, then k new channels beside all the earlier ones."""
    new = _normalize_and_relu(x, name=f"{name}_1")
    new = _convolution(new, 4 * growth_rate, kernel=1, name=f"{name}_1_conv")
    new = _normalize_and_relu(new, name=f"{name}_2")
    new = _convolution(new, growth_rate, kernel=3, padding="same", name=f"{name}_2_conv")
    return layers.Concatenate(name=f"{name}_concat")([x, new])


def _transition(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Half the channels at half the resolution."""
    x = _normalize_and_relu(x, name=name)
    x = _convolution(x, x.shape[-1] // 2, kernel=1, name=f"{name}_conv")
    return layers.AveragePooling2D(2, name=f"{name}_pool")(x)


def _normalize_and_relu(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    x = layers.BatchNormalization(epsilon=1e-5, name=f"{name}_bn")(x)
    return layers.Activation("relu", name=f"{name}_relu")(x)


def _convolution(
    x: keras.KerasTensor, filters: int, kernel: int, name: str, **options: Any
) -> keras.KerasTensor:
    return layers.Conv2D(
        filters, kernel, use_bias=False, kernel_initializer="he_normal", name=name, **options
    )(x)
