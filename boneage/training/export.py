"""From a Keras model to an ONNX graph, which predicts and explains without TensorFlow.

Every layer type of the models has one function here. No general converter is used, for three
reasons: tf2onnx folds batch normalization into the kernels, which float16 then no longer holds
exactly (LiteRT files made in that way moved bone ages by up to 0.06 months; here each weight is
stored as its artifact holds it); it took about a hundred times as long on the published models; and
it needs TensorFlow, where models may be trained on another backend.

Layout: Keras keeps channels last, ONNX first. `boneage.inference.runtime` runs the graphs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
from keras import layers
from onnx import helper, numpy_helper

from boneage import artifacts
from boneage.errors import BoneAgeError
from boneage.models.cbam import ChannelMeanAndMax

_OPSET, _IR_VERSION = 18, 10  # what ONNX Runtime 1.18 (2024) and later read
_ATTENTION_LAYER = re.compile(
    r"(?P<stage>stage\d+)_block(?P<block>\d+)_(?P<kind>channel|spatial)_attention"
)


class ExportError(BoneAgeError):
    """A model has a layer that cannot be exported; the message is one sentence for people."""


def export_artifact(folder: str | Path) -> artifacts.Facts:
    """Export the model of an artifact and record the graph's hash in its facts.

    Args:
        folder: of the artifact; its weights and facts are there already.

    Returns:
        The facts with the hash.

    Raises:
        ArtifactError: a file of the artifact is missing, altered or does not fit.
        ExportError: a layer of the model cannot be exported.
    """
    model, facts = artifacts.load_model(folder)
    return artifacts.write_graph(folder, facts, export_model(model, facts.mirrored))


def export_model(model: keras.Model, mirrored: bool) -> bytes:
    """Export a model for inference.

    Inputs of the graph are those of the model: ``image`` float32 (N, S, S, 1) in [0, 1] and ``sex``
    float32 (N, 1). Its outputs, all float32, with R = 2 for a mirrored model (the image, its mirror
    image) and 1 otherwise:
        bone_age (N,): months, the mean over the R readings.
        pooled_features (N, C): of the image as it is.
        pooled_gradient (R, N, C): derivative of a reading's months by its pooled features, exact.
        last_feature_map (R, N, C, h, w).
        stageK_channel_attention (R, N, channels) and stageK_spatial_attention (R, N, h, w): of the
            last block of each stage; of models with CBAM only.

    Args:
        model: from the registry, with its weights.
        mirrored: read each image and its mirror image, at twice the cost.

    Returns:
        An ONNX file. Weights that float16 holds exactly are stored as such.

    Raises:
        ExportError: a layer of the model cannot be exported.

    Example:
        >>> from boneage.models.registry import build_model
        >>> content = export_model(build_model("tiny_densenet", input_size=64), mirrored=True)
        >>> [output.name for output in onnx.load_from_string(content).graph.output]
        ['bone_age', 'pooled_features', 'pooled_gradient', 'last_feature_map']
    """
    graph = _Graph()
    size = model.inputs[0].shape[1]
    image, sex = graph.reshape("image", (-1, 1, size, size)), "sex"
    if mirrored:
        reverse = [graph.integers([value]) for value in (-1, -size - 1, 3, -1)]  # of axis 3, all
        image = graph.add("Concat", image, graph.add("Slice", image, *reverse), axis=0)
        sex = graph.add("Concat", sex, sex, axis=0)
    values = _convert_layers(graph, model, {"image": image, "sex": sex})
    n_readings = 2 if mirrored else 1

    def readings(value: str, *shape: int) -> str:
        """(R N, ...) -> (R, N, ...)."""
        return graph.reshape(value, (n_readings, -1, *shape))

    months = readings(values["bone_age"])
    graph.output("bone_age", graph.add("ReduceMean", months, graph.integers([0]), keepdims=0), 1)
    _, height, width, channels = model.get_layer("last_feature_map").output.shape
    pooled = readings(values["pooled_features"], channels)
    graph.output("pooled_features", graph.add("Gather", pooled, graph.integers(0), axis=0), 2)
    gradient = _pooled_gradient(graph, model, values)
    graph.output("pooled_gradient", readings(gradient, channels), 3)
    features = readings(values["last_feature_map"], channels, height, width)
    graph.output("last_feature_map", features, 5)
    for name, layer in _last_attention_layers(model).items():
        _, height, width, channels = layer.output.shape
        shape = (height, width) if "spatial" in name else (channels,)
        graph.output(name, readings(values[layer.name], *shape), 2 + len(shape))
    return graph.file(model.name, {"image": (None, size, size, 1), "sex": (None, 1)})


def _last_attention_layers(model: keras.Model) -> dict[str, keras.Layer]:
    """Output name -> the attention layer in the last block of each stage."""
    matches = [(_ATTENTION_LAYER.fullmatch(layer.name), layer) for layer in model.layers]
    found = sorted(
        (match["stage"], match["kind"], int(match["block"]), layer.name)
        for match, layer in matches
        if match
    )
    return {f"{stage}_{kind}_attention": model.get_layer(name) for stage, kind, _, name in found}


def _pooled_gradient(graph: _Graph, model: keras.Model, values: dict[str, str]) -> str:
    """Derivative of the months by the pooled features, (R N, C).

    The head (`boneage.models.heads`) is linear between the zeros of its ReLUs: backwards from the
    months, each hidden layer multiplies by its kernel and by 1 or 0 where its units are on or off.
    """
    hidden = [layer for layer in model.layers if re.fullmatch(r"head\d+", layer.name)]
    scale = model.get_layer("bone_age").scale
    kernel = model.get_layer("output").kernel
    one = helper.make_tensor("one", onnx.TensorProto.FLOAT, [1], [1.0])
    ones = graph.add("ConstantOfShape", graph.add("Shape", values["bone_age"]), value=one)
    gradient = graph.add("MatMul", ones, graph.numbers("months/kernel", kernel.numpy().T * scale))
    for layer in reversed(hidden):
        active = graph.add("Sign", values[layer.name])
        gradient = graph.add("Mul", active, gradient)
        kernel = graph.add("Transpose", graph.weight(layer.kernel), perm=(1, 0))
        gradient = graph.add("MatMul", gradient, kernel)
    channels = model.get_layer("pooled_features").output.shape[-1]
    return graph.add("Slice", gradient, *(graph.integers([value]) for value in (0, channels, 1)))


class _Graph:
    """Nodes, constants and outputs of an ONNX graph under construction."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._outputs: list[onnx.ValueInfoProto] = []

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        name = f"{operator}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [name], name, **attributes))
        return name

    def reshape(self, value: str, shape: Sequence[int]) -> str:
        return self.add("Reshape", value, self.integers(shape))

    def integers(self, values: int | Sequence[int]) -> str:
        """A constant of int64."""
        name = f"integers/{values}"
        self._constants[name] = numpy_helper.from_array(np.array(values, np.int64), name)
        return name

    def weight(self, variable: keras.Variable, *axes: int) -> str:
        """The numbers of a variable as float32, with permuted axes if they are given."""
        values = variable.numpy()
        return self.numbers(variable.path, values.transpose(axes) if axes else values)

    def numbers(self, name: str, values: np.ndarray) -> str:
        """A constant of float32, stored once, as float16 where that loses nothing."""
        if name not in self._constants:
            values = np.asarray(values, np.float32)
            with np.errstate(over="ignore"):
                half = values.astype(np.float16)
            exact = np.array_equal(half.astype(np.float32), values)
            self._constants[name] = numpy_helper.from_array(half if exact else values, name)
        if self._constants[name].data_type == onnx.TensorProto.FLOAT:
            return name
        return self.add("Cast", name, to=onnx.TensorProto.FLOAT)

    def output(self, name: str, value: str, rank: int) -> None:
        """Give a value to the caller of the graph."""
        self._nodes.append(helper.make_node("Identity", [value], [name], name))
        info = helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None] * rank)
        self._outputs.append(info)

    def file(self, name: str, inputs: dict[str, tuple[int | None, ...]]) -> bytes:
        """The graph as an ONNX file, checked."""
        infos = [
            helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
            for name, shape in inputs.items()
        ]
        constants = list(self._constants.values())
        model = helper.make_model(
            helper.make_graph(self._nodes, name, infos, self._outputs, constants),
            producer_name="boneage",
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR_VERSION,
        )
        onnx.checker.check_model(model)
        return model.SerializeToString()


def _convert_layers(graph: _Graph, model: keras.Model, inputs: dict[str, str]) -> dict[str, str]:
    """Layer name -> its value in the graph; of a layer that is used twice, the last one.

    How layers are connected is told by the configuration that Keras saves with a model.
    """
    values = {(name, 0): value for name, value in inputs.items()}
    waiting = [
        (config["name"], number, list(_tensors(node["args"])))
        for config in model.get_config()["layers"]
        for number, node in enumerate(config["inbound_nodes"])
    ]
    while waiting:
        name, number, tensors = waiting.pop(0)
        sources = [tuple(tensor["keras_history"][:2]) for tensor in tensors]
        if all(source in values for source in sources):
            arguments = [values[source] for source in sources]
            layer, rank = model.get_layer(name), len(tensors[0]["shape"])
            values[name, number] = _convert(graph, layer, rank, arguments)
        else:  # a shared layer is listed once, where it is used first
            waiting.append((name, number, tensors))
    return {name: value for (name, _), value in values.items()}


def _tensors(arguments: object) -> Iterator[dict]:
    """The configurations of all tensors among the arguments of a layer."""
    if isinstance(arguments, dict):
        yield arguments["config"]
    elif isinstance(arguments, list | tuple):
        for argument in arguments:
            yield from _tensors(argument)


def _convert(graph: _Graph, layer: keras.Layer, rank: int, inputs: list[str]) -> str:
    """The value of a layer; `rank` is that of its first input, 4 for maps and 2 for vectors."""
    for kind, convert in _CONVERTERS.items():
        if isinstance(layer, kind):
            return convert(graph, layer, rank, *inputs)
    raise _unknown(layer, f"is of type {type(layer).__name__}")


def _unknown(layer: keras.Layer, fault: str) -> ExportError:
    return ExportError(
        f"The layer {layer.name} {fault}, which boneage/training/export.py does not export; add "
        "it there."
    )


def _convolution(graph: _Graph, layer: layers.Conv2D, rank: int, x: str) -> str:
    if max(layer.dilation_rate) > 1 or layer.groups > 1:
        raise _unknown(layer, "is dilated or grouped")
    same = layer.padding == "same"
    if same and (max(layer.strides) > 1 or not all(side % 2 for side in layer.kernel_size)):
        raise _unknown(layer, 'has padding "same" with strides or an even kernel')
    pads = [side // 2 if same else 0 for side in layer.kernel_size] * 2
    weights = [graph.weight(layer.kernel, 3, 2, 0, 1)]
    if layer.use_bias:
        weights.append(graph.weight(layer.bias))
    x = graph.add("Conv", x, *weights, strides=layer.strides, pads=pads)
    return _activation(graph, layer, rank, x)


def _dense(graph: _Graph, layer: layers.Dense, rank: int, x: str) -> str:
    bias = graph.weight(layer.bias)
    if rank == 2:
        x = graph.add("Gemm", x, graph.weight(layer.kernel), bias)
    else:  # on the channels of a map, that is a convolution with one pixel
        kernel = layer.kernel.numpy().T[:, :, np.newaxis, np.newaxis]
        x = graph.add("Conv", x, graph.numbers(layer.kernel.path, kernel), bias)
    return _activation(graph, layer, rank, x)


def _activation(graph: _Graph, layer: keras.Layer, rank: int, x: str) -> str:
    name = layer.activation.__name__
    if name == "linear":
        return x
    if name not in ("relu", "sigmoid"):
        raise _unknown(layer, f"has the activation {name}")
    return graph.add(name.capitalize(), x)


def _batch_normalization(graph: _Graph, layer: layers.BatchNormalization, rank: int, x: str) -> str:
    numbers = (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance)
    weights = [graph.weight(variable) for variable in numbers]
    return graph.add("BatchNormalization", x, *weights, epsilon=layer.epsilon)


def _zero_padding(graph: _Graph, layer: layers.ZeroPadding2D, rank: int, x: str) -> str:
    (top, bottom), (left, right) = layer.padding
    return graph.add("Pad", x, graph.integers([0, 0, top, left, 0, 0, bottom, right]))


def _pooling(operator: str) -> Callable[..., str]:
    def convert(graph: _Graph, layer: keras.Layer, rank: int, x: str) -> str:
        if layer.padding != "valid":
            raise _unknown(layer, f'has padding "{layer.padding}"')
        return graph.add(operator, x, kernel_shape=layer.pool_size, strides=layer.strides)

    return convert


def _global_pooling(operator: str) -> Callable[..., str]:
    def convert(graph: _Graph, layer: keras.Layer, rank: int, x: str) -> str:
        x = graph.add(operator, x)
        return x if layer.keepdims else graph.add("Flatten", x)

    return convert


def _elementwise(operator: str) -> Callable[..., str]:
    def convert(graph: _Graph, layer: keras.Layer, rank: int, x: str, y: str) -> str:
        return graph.add(operator, x, y)

    return convert


def _concatenate(graph: _Graph, layer: layers.Concatenate, rank: int, *inputs: str) -> str:
    return graph.add("Concat", *inputs, axis=1)


def _channel_mean_and_max(graph: _Graph, layer: ChannelMeanAndMax, rank: int, x: str) -> str:
    channels = graph.integers([1])
    mean, maximum = (graph.add(name, x, channels) for name in ("ReduceMean", "ReduceMax"))
    return graph.add("Concat", mean, maximum, axis=1)


def _rescaling(graph: _Graph, layer: layers.Rescaling, rank: int, x: str) -> str:
    scale = graph.numbers(f"{layer.name}/scale", np.array(layer.scale))
    offset = graph.numbers(f"{layer.name}/offset", np.array(layer.offset))
    return graph.add("Add", graph.add("Mul", x, scale), offset)


def _dropout(graph: _Graph, layer: layers.Dropout, rank: int, x: str) -> str:
    return x


_CONVERTERS: dict[type[keras.Layer], Callable[..., str]] = {
    layers.Activation: _activation,
    layers.Add: _elementwise("Add"),
    layers.AveragePooling2D: _pooling("AveragePool"),
    layers.BatchNormalization: _batch_normalization,
    layers.Concatenate: _concatenate,
    layers.Conv2D: _convolution,
    layers.Dense: _dense,
    layers.Dropout: _dropout,
    layers.GlobalAveragePooling2D: _global_pooling("GlobalAveragePool"),
    layers.GlobalMaxPooling2D: _global_pooling("GlobalMaxPool"),
    layers.MaxPooling2D: _pooling("MaxPool"),
    layers.Multiply: _elementwise("Mul"),
    layers.Rescaling: _rescaling,
    layers.ZeroPadding2D: _zero_padding,
    ChannelMeanAndMax: _channel_mean_and_max,
}
