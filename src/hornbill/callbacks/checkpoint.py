"""Saves the model, or its weights, after epochs or after a number of batches.

Not for: going on with an interrupted run (`BackupAndRestore` keeps the whole state).
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from hornbill.callbacks.monitor import MonitorCallback
from hornbill.engine.errors import ArgumentError, did_you_mean

__all__ = ["BatchCounter", "ModelCheckpoint"]


class BatchCounter:
    """Says when `every` batches have passed since the last time, also where batches are not all shown.

    Args:
        every: Number of batches.

    Example:
        >>> counter = BatchCounter(2)
        >>> [counter.due(batch) for batch in (0, 1, 2, 0)]
        [False, True, False, True]
    """

    def __init__(self, every: int) -> None:
        self.every = every
        self.seen = 0
        self.last: int | None = None

    def due(self, batch: int) -> bool:
        """Counts on to `batch`, the number within its epoch, and returns whether the time has come."""
        new_epoch = self.last is None or batch <= self.last
        self.seen += batch + 1 if new_epoch else batch - self.last  # type: ignore[operator]
        self.last = batch
        if self.seen < self.every:
            return False
        self.seen = 0
        return True


class ModelCheckpoint(MonitorCallback):
    """Saves the model or its weights at some frequency.

    Args:
        filepath: Path of the file; may hold fields for `epoch`, `batch` and the names in the logs, such as
            "{epoch:02d}-{val_loss:.2f}.keras". Ends in ".keras" or ".h5", or in ".weights.h5" for weights
            only.
        monitor: Name of the value that decides with `save_best_only`.
        verbose: 1 prints each save.
        save_best_only: Whether to save only when the value has improved.
        save_weights_only: Whether to save weights and not the whole model.
        mode: "min", "max" or "auto".
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: Value to beat from the start, with `save_best_only`.

    Example:
        >>> ModelCheckpoint("{epoch:02d}.keras", save_best_only=True).monitor
        'val_loss'
    """

    _state_names = ("best",)

    def __init__(
        self,
        filepath: str | os.PathLike,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        self.verbose = verbose
        self.filepath = os.fspath(filepath)
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._check()
        self._counter = BatchCounter(save_freq) if isinstance(save_freq, int) else None
        self._current_epoch = 0

    def _check(self) -> None:
        valid = (
            isinstance(self.save_freq, int) and not isinstance(self.save_freq, bool) and self.save_freq > 0
        )
        if self.save_freq != "epoch" and not valid:
            raise ArgumentError(
                "ModelCheckpoint: save_freq must be 'epoch' or a positive number of batches.",
                got=f"save_freq={self.save_freq!r}.",
                fixes=("save_freq='epoch'", "save_freq=1000"),
            )
        wanted = (".weights.h5", ".h5", ".hdf5") if self.save_weights_only else (".keras", ".h5", ".hdf5")
        if not self.filepath.endswith(wanted):
            stem = self.filepath.removesuffix(".h5").removesuffix(".hdf5").removesuffix(".tf")
            raise ArgumentError(
                f"ModelCheckpoint: filepath must end in {' or '.join(map(repr, wanted[:2]))}"
                f"{' when save_weights_only=True' if self.save_weights_only else ''}.",
                got=f"filepath={self.filepath!r}.",
                fixes=f"filepath={stem + wanted[0]!r}",
            )

    def _needs_batches(self, stage: str) -> bool:
        return stage == "train" and self._counter is not None

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves every `save_freq` batches."""
        if self._counter is not None and self._counter.due(batch):
            self._save(self._current_epoch, batch, logs)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Remembers the epoch for the name of the file."""
        self._current_epoch = epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves after the epoch."""
        if self.save_freq == "epoch":
            self._save(epoch, None, logs)

    def _path(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> str:
        fields = {"epoch": epoch + 1, **({} if batch is None else {"batch": batch + 1}), **logs}
        try:
            return self.filepath.format(**fields)
        except KeyError as error:
            name = error.args[0]
            raise ArgumentError(
                f"ModelCheckpoint: filepath has a field {{{name}}} that the logs do not have."
                f"{did_you_mean(name, fields)}",
                got=f"filepath={self.filepath!r}; the logs have {', '.join(fields)}.",
            ) from None

    def _should_save(self, epoch: int, path: str, logs: dict[str, Any]) -> bool:
        """Whether the monitored value allows a save; prints why."""
        if not self.save_best_only:
            return True
        current = self._monitored(logs, "so save_best_only cannot choose and every model is saved")
        if current is None:
            return True
        if np.ndim(current) > 0 and np.size(current) > 1:
            warnings.warn(
                f"ModelCheckpoint: {self.monitor!r} is no single number but {current}; every model is saved.",
                stacklevel=5,
            )
            return True
        best = self.best
        if not self._is_improvement(current, best):
            if self.verbose > 0:
                print(f"\nEpoch {epoch + 1}: {self.monitor} did not improve from {best:.5f}")
            return False
        self.best = current
        if self.verbose > 0:
            before = "None" if best is None else f"{best:.5f}"
            print(
                f"\nEpoch {epoch + 1}: {self.monitor} improved from {before} to {current:.5f}, "
                f"saving model to {path}"
            )
        return True

    def _save(self, epoch: int, batch: int | None, logs: dict[str, Any] | None) -> None:
        logs = {} if logs is None else logs
        path = self._path(epoch, batch, dict(logs))
        if not self._should_save(epoch, path, logs):
            return
        if self.verbose > 0 and not self.save_best_only:
            print(f"\nEpoch {epoch + 1}: saving model to {path}")
        if Path(path).is_dir():
            raise ArgumentError(
                f"ModelCheckpoint: {path!r} is a folder, so no file of that name can be written."
            )
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: finished saving model to {path}")
