"""The models by name: what they are called, where they are built and how their maps lie.

This module imports no Keras, so that pages and the command line can list the models at once;
a model's own file is imported when the model is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


# In place of a model's name: the mean of all published models.
ENSEMBLE = "ensemble"


@dataclass(frozen=True)
class FeatureGrid:
    """Where the cells of a feature map lie on the model's input.

    The receptive field of cell ``i`` is centered at ``first_center + stride * i`` input pixels,
    in x and in y alike; pixel centers are at integers.
    """

    stride: float
    first_center: float

    def scaled(self, factor: float) -> FeatureGrid:
        """The grid on an image with `factor` times as many pixels along each side."""
        return FeatureGrid(self.stride * factor, (self.first_center + 0.5) * factor - 0.5)


@dataclass(frozen=True)
class ModelEntry:
    """One model of the registry.

    Attributes:
        name: the name used in code, on the command line and in artifact folders.
        title: the name people read.
        architecture: one sentence on the network.
        builder: ``"module:function"`` inside ``boneage.models``. The function takes
            ``(input_size, output_scale, output_offset, dropout)``, where a ``dropout`` of None
            means the model's own default, and returns the model.
        gflops: floating-point operations of one prediction at `input_size`, in billions; they grow
            with the number of pixels.
        last_grid: geometry of the layer ``last_feature_map``.
        attention_grids: stage number -> geometry of the CBAM attention maps of that stage;
            empty for a model without CBAM.
        input_size: side of the square input in pixels, unless the caller asks for another.
        hidden: True for the tiny models of the test-suite, which no list shows to users.
    """

    name: str
    title: str
    architecture: str
    builder: str
    gflops: float
    last_grid: FeatureGrid
    attention_grids: Mapping[int, FeatureGrid] = field(default_factory=dict)
    input_size: int = 256
    hidden: bool = False

    def build(
        self,
        input_size: int | None = None,
        output_scale: float = 1.0,
        output_offset: float = 0.0,
        dropout: float | None = None,
    ) -> keras.Model:
        """Build the model with fresh weights; see `build_model` for the meaning of the options."""
        module, function = self.builder.split(":")
        builder = getattr(import_module(f"boneage.models.{module}"), function)
        return builder(input_size or self.input_size, output_scale, output_offset, dropout)


# Both bodies halve the image five times. DenseNet's transitions average 2x2 cells, which moves
# the centers by half a cell each time (0, 0, 2, 6, 14); the ResNet's padded strides leave the
# first center on pixel 0. tests/models/test_feature_grids.py measures these numbers.
_DENSENET_GRID = FeatureGrid(stride=32, first_center=14)
_RESNET_GRIDS = {stage: FeatureGrid(2 ** (stage + 1), first_center=0) for stage in (1, 2, 3, 4)}

_ENTRIES = (
    ModelEntry(
        "densenet121",
        "DenseNet121",
        "Dense blocks of 6, 12, 24 and 16 layers with growth 32; a linear head on image and sex.",
        "densenet:densenet121",
        7.24,
        _DENSENET_GRID,
    ),
    ModelEntry(
        "resnet34_cbam",
        "ResNet34+CBAM",
        "Stages of 3, 4, 6 and 3 basic blocks, each with channel and spatial attention (CBAM); "
        "a deep head on image and sex.",
        "resnet:resnet34_cbam",
        9.39,
        _RESNET_GRIDS[4],
        _RESNET_GRIDS,
    ),
    ModelEntry(
        "tiny_densenet",
        "Tiny DenseNet (tests)",
        "A few layers of the DenseNet.",
        "densenet:tiny_densenet",
        0.00096,
        _DENSENET_GRID,
        input_size=32,
        hidden=True,
    ),
    ModelEntry(
        "tiny_resnet_cbam",
        "Tiny ResNet+CBAM (tests)",
        "A few layers of the ResNet with CBAM.",
        "resnet:tiny_resnet_cbam",
        0.00057,
        _RESNET_GRIDS[4],
        _RESNET_GRIDS,
        input_size=32,
        hidden=True,
    ),
)

MODELS: dict[str, ModelEntry] = {entry.name: entry for entry in _ENTRIES}


def find_model(name: str) -> ModelEntry:
    """Find a model by its name.

    Args:
        name: a key of `MODELS`.

    Returns:
        The registry entry called `name`.

    Raises:
        ValueError: there is no such model; the message lists the names there are.

    Example:
        >>> find_model("resnet34_cbam").title
        'ResNet34+CBAM'
    """
    if name not in MODELS:
        shown = ", ".join(entry.name for entry in MODELS.values() if not entry.hidden)
        raise ValueError(f"There is no model called {name!r}; choose one of: {shown}.")
    return MODELS[name]


def build_model(
    name: str,
    input_size: int | None = None,
    output_scale: float = 1.0,
    output_offset: float = 0.0,
    dropout: float | None = None,
    l2: float = 0.0,
) -> keras.Model:
    """Build a model of the registry with fresh weights.

    The weights do not depend on the input size (the features are averaged over the whole image),
    so weights trained at one size load into a model built at another.

    Args:
        name: a key of `MODELS`.
        input_size: side of the square input in pixels, at least 32; None for the model's own.
        output_scale: months per unit of the last dense layer. With the standard deviation and
            `output_offset` the mean of the training ages, training starts at the mean age.
        output_offset: months added after scaling.
        dropout: rate of every dropout of the head, in [0, 1); None for the model's own.
        l2: factor of the L2 penalty on all convolution and dense kernels; 0 for none.

    Returns:
        A functional model without nesting. Inputs: ``image`` float32 (batch, size, size, 1) in
        [0, 1] and ``sex`` float32 (batch, 1), 1 for male and 0 for female. Output: ``bone_age``
        float32 (batch, 1) in months, also under a mixed precision policy.

    Raises:
        ValueError: unknown name, or an option out of range.

    Example:
        >>> model = build_model("tiny_densenet", input_size=64)
        >>> model.input_shape
        [(None, 64, 64, 1), (None, 1)]
    """
    entry = find_model(name)
    _check_options(input_size, dropout, l2)
    model = entry.build(input_size, output_scale, output_offset, dropout)
    if l2 > 0:
        from boneage.models.heads import with_l2

        model = with_l2(model, l2)
    return model


def _check_options(input_size: int | None, dropout: float | None, l2: float) -> None:
    if input_size is not None and input_size < 32:
        raise ValueError(
            f"The input size is {input_size} px, but both bodies halve the image five times; "
            "use 32 or more."
        )
    if dropout is not None and not 0 <= dropout < 1:
        raise ValueError(f"The dropout rate is {dropout}; use a number from 0 up to below 1.")
    if l2 < 0:
        raise ValueError(f"The L2 factor is {l2}; use 0 for none or a positive number.")
