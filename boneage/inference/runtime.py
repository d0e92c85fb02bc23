"""Exported models, run by ONNX Runtime: no TensorFlow, no Keras."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import onnxruntime

from boneage import artifacts
from boneage.radiographs.preprocessing import sex_to_model_input, to_model_input

_ERROR = 3  # of ONNX Runtime's levels of messages; those below concern no user
# Threads of a model wait in a loop for their next part of an image, which is fast. Without this
# they go on for a while after its last, and keep a core from the other model and from other work.
_STOP_WAITING = ("session.force_spinning_stop", "1")
_IMAGES_FIRST = ("bone_age", "pooled_features")  # the other outputs have the readings first


class Runtime:
    """One exported model; safe to share between threads.

    Attributes:
        size: side in pixels of the images it takes.
        outputs: names of what it returns, see `boneage.training.export.export_model`.

    Example:
        >>> runtime = Runtime.load(artifacts.model_folder("densenet121"))
        >>> images = np.zeros((2, 256, 256), np.uint8)
        >>> outputs = runtime(images, ["female", "male"], ["bone_age", "last_feature_map"])
        >>> {name: values.shape for name, values in outputs.items()}
        {'bone_age': (2,), 'last_feature_map': (1, 2, 1024, 8, 8)}
    """

    def __init__(self, graph: bytes | Path, threads: int | None = None):
        """Load a graph.

        Args:
            graph: ONNX file of `boneage.training.export.export_model`, its content or its path.
            threads: to run one image on; by default one for each core.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or cores()
        options.add_session_config_entry(*_STOP_WAITING)
        options.log_severity_level = _ERROR
        self._session = onnxruntime.InferenceSession(graph, options, ["CPUExecutionProvider"])
        _return_freed_memory()
        self.size: int = self._session.get_inputs()[0].shape[1]
        self.outputs: list[str] = [output.name for output in self._session.get_outputs()]

    @classmethod
    def load(cls, folder: str | Path, threads: int | None = None) -> Runtime:
        """Load the exported model of an artifact.

        Args:
            folder: of the artifact.
            threads: to run one image on; by default one for each core.

        Returns:
            The model.

        Raises:
            ArtifactError: a file is missing, altered or does not fit.
        """
        path = artifacts.graph_file(folder)
        try:
            return cls(path, threads)
        except Exception as error:  # ONNX Runtime's have no base class of their own
            raise artifacts.unusable(path, "does not load", artifacts.EXPORT) from error

    def __call__(
        self, images: np.ndarray, sexes: Sequence[str], outputs: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Run the model on one image after the other: a batch takes longer for each of its images.

        Args:
            images: (N, S, S) uint8, prepared; of another size than the model's, they are resized.
            sexes: "female" or "male" of each.
            outputs: names of what to return.

        Returns:
            Output name -> float32, see `boneage.training.export.export_model` for the shapes.
        """
        image, sex = to_model_input(images, self.size), sex_to_model_input(sexes)
        parts = [
            self._session.run(
                list(outputs), {"image": image[row : row + 1], "sex": sex[row : row + 1]}
            )
            for row in range(len(image))
        ]
        return {
            name: np.concatenate(values, axis=0 if name in _IMAGES_FIRST else 1)
            for name, values in zip(outputs, zip(*parts, strict=True), strict=True)
        }


def cores() -> int:
    """How many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _return_freed_memory() -> None:
    """Give the system back what loading a model has freed: more than the loaded model takes.

    The C library of Linux would keep it for later; others have no such function.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
