"""ResNet with CBAM in every block, for bone age.

Sources: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, table 1 (34 layers);
Woo et al., "CBAM", ECCV 2018, figure 3 (attention on the residual branch before the addition).
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from boneage.models.cbam import cbam
from boneage.models.heads import bone_age_model, image_and_sex_inputs

_DEFAULT_DROPOUT = 0.3


def resnet34_cbam(
    input_size: int, output_scale: float, output_offset: float, dropout: float | None
) -> keras.Model:
    """ResNet34 with CBAM and a deep head of 1024 and 512 units.

    Arguments and result are those of `boneage.models.registry.build_model`.
    """
    image, sex = image_and_sex_inputs(input_size)
    return bone_age_model(
        "resnet34_cbam",
        image,
        sex,
        _body(image, blocks_per_stage=(3, 4, 6, 3), stage_filters=(64, 128, 256, 512)),
        hidden_units=(1024, 512),
        dropout=_DEFAULT_DROPOUT if dropout is None else dropout,
        output_scale=output_scale,
        output_offset=output_offset,
    )


def tiny_resnet_cbam(
    input_size: int, output_scale: float, output_offset: float, dropout: float | None
) -> keras.Model:
    """The same network with one narrow block a stage, for tests."""
    image, sex = image_and_sex_inputs(input_size)
    return bone_age_model(
        "tiny_resnet_cbam",
        image,
        sex,
        _body(image, blocks_per_stage=(1, 1, 1, 1), stage_filters=(8, 16, 16, 32)),
        hidden_units=(16, 8),
        dropout=_DEFAULT_DROPOUT if dropout is None else dropout,
        output_scale=output_scale,
        output_offset=output_offset,
    )


def _body(
    image: keras.KerasTensor, blocks_per_stage: Sequence[int], stage_filters: Sequence[int]
) -> keras.KerasTensor:
    x = _convolution(image, stage_filters[0], kernel=7, stride=2, name="stem")
    x = layers.Activation("relu", name="stem_relu")(x)
    x = layers.ZeroPadding2D(1, name="stem_pool_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="stem_pool")(x)
    stages = zip(blocks_per_stage, stage_filters, strict=True)
    for stage, (blocks, filters) in enumerate(stages, start=1):
        for block in range(1, blocks + 1):
            stride = 2 if stage > 1 and block == 1 else 1
            x = _basic_block(x, filters, stride, name=f"stage{stage}_block{block}")
    return x


def _basic_block(x: keras.KerasTensor, filters: int, stride: int, name: str) -> keras.KerasTensor:
    shortcut = x
    if stride > 1 or x.shape[-1] != filters:
        shortcut = _convolution(x, filters, kernel=1, stride=stride, name=f"{name}_shortcut")
    x = _convolution(x, filters, kernel=3, stride=stride, name=f"{name}_1")
    x = layers.Activation("relu", name=f"{name}_1_relu")(x)
    x = _convolution(x, filters, kernel=3, stride=1, name=f"{name}_2")
    x = cbam(x, prefix=name)
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return layers.Activation("relu", name=f"{name}_output")(x)


def _convolution(
    x: keras.KerasTensor, filters: int, kernel: int, stride: int, name: str
) -> keras.KerasTensor:
    """Convolution without bias, then batch normalization.

    The padding is explicit and symmetric as in the original: "same" pads a strided convolution
    on one side only, so that the 3x3 branch would look one pixel beside its 1x1 shortcut.
    """
    if kernel > 1:
        x = layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(x)
    x = layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return layers.BatchNormalization(epsilon=1e-5, name=f"{name}_bn")(x)
