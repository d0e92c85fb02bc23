"""CBAM, the convolutional block attention module.

Source: Woo et al., "CBAM: Convolutional Block Attention Module", ECCV 2018, section 3.
"""

from __future__ import annotations

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="boneage")
class ChannelMeanAndMax(layers.Layer):
    """Mean and maximum over the channels: (batch, h, w, channels) -> (batch, h, w, 2)."""

    def call(self, features: keras.KerasTensor) -> keras.KerasTensor:
        mean = ops.mean(features, axis=-1, keepdims=True)
        maximum = ops.max(features, axis=-1, keepdims=True)
        return ops.concatenate([mean, maximum], axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], 2)


def cbam(features: keras.KerasTensor, prefix: str, reduction: int = 16) -> keras.KerasTensor:
    """Weigh a feature map by channel attention, then by spatial attention.

    Args:
        features: (batch, h, w, channels).
        prefix: start of the layers' names. ``{prefix}_channel_attention`` puts out
            (batch, 1, 1, channels) and ``{prefix}_spatial_attention`` (batch, h, w, 1), both in
            (0, 1).
        reduction: how much narrower than `channels` the shared MLP is (the paper's r).

    Returns:
        The weighted features, same shape.
    """
    weights = _channel_attention(features, prefix, reduction)
    features = layers.Multiply(name=f"{prefix}_channel_weighted")([features, weights])
    weights = _spatial_attention(features, prefix)
    return layers.Multiply(name=f"{prefix}_spatial_weighted")([features, weights])


def _channel_attention(
    features: keras.KerasTensor, prefix: str, reduction: int
) -> keras.KerasTensor:
    """Equation 2 of the paper: sigmoid(MLP(average pool) + MLP(max pool)), one MLP for both."""
    channels = features.shape[-1]
    squeeze = layers.Dense(
        max(1, channels // reduction),
        activation="relu",
        kernel_initializer="he_normal",
        name=f"{prefix}_channel_squeeze",
    )
    excite = layers.Dense(channels, name=f"{prefix}_channel_excite")
    mean = layers.GlobalAveragePooling2D(keepdims=True, name=f"{prefix}_channel_mean")(features)
    maximum = layers.GlobalMaxPooling2D(keepdims=True, name=f"{prefix}_channel_max")(features)
    both = layers.Add(name=f"{prefix}_channel_sum")(
        [excite(squeeze(mean)), excite(squeeze(maximum))]
    )
    return layers.Activation("sigmoid", name=f"{prefix}_channel_attention")(both)


def _spatial_attention(features: keras.KerasTensor, prefix: str) -> keras.KerasTensor:
    """Equation 3 of the paper: sigmoid of a 7x7 convolution of the channels' mean and maximum."""
    pooled = ChannelMeanAndMax(name=f"{prefix}_spatial_mean_max")(features)
    return layers.Conv2D(
        1, 7, padding="same", activation="sigmoid", name=f"{prefix}_spatial_attention"
    )(pooled)
