"""The state of a training between two epochs, in one file.

Everything that the next epoch depends on is in it: weights, optimizer, best weights so far and
the history. Random numbers are not: they are a function of the preset's seed and the epoch.
One file, replaced atomically, so that a killed training never finds halves that do not match.
"""

import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from boneage.atomic import replacing
from boneage.errors import BoneAgeError

CHECKPOINT = "checkpoint.npz"


class CheckpointError(BoneAgeError):
    """A checkpoint that cannot be continued; the message says why and what to do."""


@dataclass
class Progress:
    """How far a training has come.

    Attributes:
        history: one row per finished epoch.
        best_epoch: the one with the lowest validation MAE.
        best_weights: of that epoch.
    """

    history: list[dict] = field(default_factory=list)
    best_epoch: int = 0
    best_weights: list[np.ndarray] = field(default_factory=list)


def save_checkpoint(
    path: Path, run: dict, model: keras.Model, optimizer: keras.Optimizer, progress: Progress
) -> None:
    """Replace the checkpoint.

    Args:
        path: of the file.
        run: describes the training it belongs to.
        model: in training.
        optimizer: of the model.
        progress: so far.

    Raises:
        NotWrittenError: it cannot be written; the checkpoint before is then kept.
    """
    notes = {"run": run, "history": progress.history, "best_epoch": progress.best_epoch}
    arrays: dict[str, Any] = {"notes": np.array(json.dumps(notes))}
    arrays |= {f"model{i}": np.asarray(v) for i, v in enumerate(model.variables)}
    arrays |= {f"optimizer{i}": np.asarray(v) for i, v in enumerate(optimizer.variables)}
    arrays |= {f"best{i}": value for i, value in enumerate(progress.best_weights)}
    with replacing(path) as file:
        np.savez(file, **arrays)


def load_checkpoint(
    path: Path, run: dict, model: keras.Model, optimizer: keras.Optimizer
) -> Progress:
    """Restore model and optimizer from a checkpoint.

    Args:
        path: of the file.
        run: describes the training it must belong to.
        model: to restore.
        optimizer: to restore, which is built.

    Returns:
        The progress of the training.

    Raises:
        CheckpointError: the file is unreadable or belongs to another training.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            stored = {name: arrays[name] for name in arrays.files}
        notes = json.loads(str(stored["notes"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise CheckpointError(
            f"The checkpoint {path} cannot be read ({error}): delete it to train from the start."
        ) from error
    differing = sorted(key for key in run if notes["run"].get(key) != run[key])
    if differing:
        raise CheckpointError(
            f"The checkpoint {path} belongs to another training (different "
            f"{', '.join(differing)}): choose another output folder, or repeat the first command."
        )
    for prefix, variables in (("model", model.variables), ("optimizer", optimizer.variables)):
        for i, variable in enumerate(variables):
            variable.assign(stored[f"{prefix}{i}"])
    best = [stored[f"best{i}"] for i in range(sum(name.startswith("best") for name in stored))]
    return Progress(notes["history"], notes["best_epoch"], best)
