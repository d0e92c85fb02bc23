"""What every model has in common: the inputs, the sex features, the heads and the output."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers, ops

# Wide enough for an offset per bone-age pattern, small beside the 512 to 1024 image features.
_SEX_UNITS = (32, 64)


def image_and_sex_inputs(size: int) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Inputs ``image`` (batch, size, size, 1) and ``sex`` (batch, 1), both float32."""
    return keras.Input((size, size, 1), name="image"), keras.Input((1,), name="sex")


def bone_age_model(
    name: str,
    image: keras.KerasTensor,
    sex: keras.KerasTensor,
    features: keras.KerasTensor,
    hidden_units: Sequence[int],
    dropout: float,
    output_scale: float,
    output_offset: float,
) -> keras.Model:
    """Put the regression head on a body.

    Pooled image features and sex features are concatenated; then come `hidden_units` dense
    layers, dropout before each of them and before the linear output, and the scaling to months.

    Args:
        name: name of the model.
        image: of `image_and_sex_inputs`.
        sex: of `image_and_sex_inputs`.
        features: the body's last feature map, (batch, h, w, channels). It is passed through a
            layer called ``last_feature_map``.
        hidden_units: widths of the hidden layers; empty for a linear head.
        dropout: dropout rate in [0, 1).
        output_scale: months per unit of the last layer.
        output_offset: months = output * output_scale + output_offset.

    Returns:
        The model; its output ``bone_age`` is float32 (batch, 1) in months.
    """
    features = layers.Activation("linear", name="last_feature_map")(features)
    pooled = layers.GlobalAveragePooling2D(name="pooled_features")(features)
    x = layers.Concatenate(name="image_and_sex_features")([pooled, _sex_features(sex)])
    for number, units in enumerate(hidden_units, start=1):
        x = layers.Dropout(dropout, name=f"head{number}_dropout")(x)
        x = layers.Dense(
            units, activation="relu", kernel_initializer="he_normal", name=f"head{number}"
        )(x)
    x = layers.Dropout(dropout, name="output_dropout")(x)
    # float32: bfloat16 has 8 significant bits, which is a step of one month at 12 to 21 years.
    x = layers.Dense(1, dtype="float32", name="output")(x)
    months = layers.Rescaling(output_scale, output_offset, dtype="float32", name="bone_age")(x)
    return keras.Model([image, sex], months, name=name)


def inference_model(model: keras.Model, mirrored: bool) -> keras.Model:
    """The model that predicts with given weights, layers shared, while it is trained.

    What is published predicts by the exported graph, `boneage.training.export`, which is the same.

    Args:
        model: from the registry.
        mirrored: read each image and its mirror image, at twice the cost.

    Returns:
        A model of the same inputs and output; with `mirrored` its bone age is the mean of both.
    """
    if not mirrored:
        return model
    image, sex = model.inputs
    mirror_image = model([ops.flip(image, axis=2), sex])
    return keras.Model(model.inputs, layers.average([model.output, mirror_image]))


def with_l2(model: keras.Model, factor: float) -> keras.Model:
    """Copy a model, with fresh weights and an L2 penalty on its convolution and dense kernels.

    Copying after the fact regularizes any model, without an option in every layer's builder.

    Args:
        model: to copy.
        factor: of the penalty.

    Returns:
        The copy.
    """

    def copy(layer: keras.Layer) -> keras.Layer:
        config = layer.get_config()
        if "kernel_regularizer" in config:
            config["kernel_regularizer"] = keras.regularizers.L2(factor)
        return layer.__class__.from_config(config)

    return keras.models.clone_model(model, clone_function=copy)


def _sex_features(sex: keras.KerasTensor) -> keras.KerasTensor:
    x = sex
    for number, units in enumerate(_SEX_UNITS, start=1):
        x = layers.Dense(units, activation="relu", name=f"sex_features{number}")(x)
    return x
