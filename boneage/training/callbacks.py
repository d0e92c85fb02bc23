"""What happens around each epoch of a training."""

import math
import time
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from boneage import artifacts
from boneage.training.checkpoint import CHECKPOINT, Progress, save_checkpoint
from boneage.training.presets import Preset


class EpochSeed(keras.callbacks.Callback):
    """Makes dropout and augmentation a function of seed and epoch: resuming repeats them."""

    def __init__(self, seed: int):
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        states = [v for v in self.model.variables if "seed_generator" in v.path]
        for number, state in enumerate(states):
            words = np.random.SeedSequence((self.seed, epoch, number)).generate_state(2)
            state.assign(words.astype(state.dtype))


class TrainingMonitor(keras.callbacks.Callback):
    """After each epoch: history, best weights, checkpoint, early stop, and a line for people."""

    def __init__(
        self,
        run: dict,
        preset: Preset,
        out: Path,
        progress: Progress,
        averaged: keras.callbacks.SwapEMAWeights | None,
    ):
        super().__init__()
        self.run, self.preset, self.out = run, preset, out
        self.progress, self.averaged = progress, averaged
        self.diverged_in: int | None = None
        self.epoch_started = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.epoch_started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        if not all(map(math.isfinite, logs.values())):
            self.diverged_in = epoch + 1
            self.model.stop_training = True
            return
        row = {
            "epoch": epoch + 1,
            "loss": logs["loss"],
            "mae": logs["mae"],
            "val_loss": logs["val_loss"],
            "val_mae": logs["val_mae"],
            "learning_rate": float(np.asarray(self.model.optimizer.learning_rate)),
            "seconds": time.monotonic() - self.epoch_started,
        }
        history = self.progress.history
        history.append(row)
        if row["val_mae"] == min(earlier["val_mae"] for earlier in history):
            self.progress.best_epoch = epoch + 1
            self.progress.best_weights = self._weights_to_keep()
        save_checkpoint(
            self.out / CHECKPOINT, self.run, self.model, self.model.optimizer, self.progress
        )
        artifacts.write_history(self.out / artifacts.UNFINISHED, pd.DataFrame(history))
        self.model.stop_training = self.finished(epoch + 1)
        self._report(row)

    def finished(self, epochs_done: int) -> bool:
        stale = epochs_done - self.progress.best_epoch
        return epochs_done >= self.preset.epochs or stale >= self.preset.patience

    def _weights_to_keep(self) -> list[np.ndarray]:
        body = self.model.layers[-1]
        if not self.averaged:
            return body.get_weights()
        self.averaged.on_test_begin()
        weights = body.get_weights()
        self.averaged.on_test_end()
        return weights

    def _report(self, row: dict) -> None:
        left = self.preset.epochs - row["epoch"]
        minutes = left * row["seconds"] / 60
        print(
            f"epoch {row['epoch']}/{self.preset.epochs}: loss {row['loss']:.2f}, validation MAE "
            f"{row['val_mae']:.2f} months (best {self._best():.2f} in epoch "
            f"{self.progress.best_epoch}), about {minutes:.0f} min left at most",
            flush=True,
        )

    def _best(self) -> float:
        return self.progress.history[self.progress.best_epoch - 1]["val_mae"]
