"""Callbacks that change the learning rate: by a function of the epoch, or when a value no longer improves.

Not for: schedules by step (`hornbill.optimizers.schedules`), which run inside the compiled step.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from hornbill.callbacks.callback import Callback
from hornbill.callbacks.monitor import MonitorCallback
from hornbill.engine.errors import ArgumentError, ArgumentTypeError, StateError, did_you_mean

__all__ = ["LearningRateScheduler", "ReduceLROnPlateau"]


def _optimizer_of(callback: Callback) -> Any:
    optimizer = getattr(callback.model, "optimizer", None)
    if optimizer is None or not hasattr(optimizer, "learning_rate"):
        raise StateError(
            f"{type(callback).__name__} needs a model compiled with an optimizer that has a learning rate.",
            got="no optimizer." if optimizer is None else f"{type(optimizer).__name__}.",
            fixes="model.compile(optimizer='sgd', loss=...)",
        )
    return optimizer


def _rate_of(optimizer: Any) -> float:
    rate = optimizer.learning_rate
    return float(np.asarray(rate.value if hasattr(rate, "value") else rate))


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of each epoch.

    Args:
        schedule: A function of the epoch (from 0) and the present learning rate, or of the epoch alone, that
            returns the new learning rate.
        verbose: 1 prints each new learning rate.

    Example:
        >>> LearningRateScheduler(lambda epoch, lr: lr * 0.9).verbose
        0
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        super().__init__()
        if not callable(schedule):
            raise ArgumentTypeError(
                "LearningRateScheduler: schedule must be a function of (epoch, lr).",
                got=f"{type(schedule).__name__}.",
                fixes="LearningRateScheduler(lambda epoch, lr: lr * 0.9)",
            )
        self.schedule = schedule
        self.verbose = verbose

    def _call(self, epoch: int, rate: float) -> Any:
        try:
            inspect.signature(self.schedule).bind(epoch, rate)
        except TypeError:
            return self.schedule(epoch)
        except ValueError:
            return self.schedule(epoch, rate)
        return self.schedule(epoch, rate)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Sets the learning rate that the schedule gives for this epoch."""
        optimizer = _optimizer_of(self)
        rate = self._call(epoch, _rate_of(optimizer))
        number = isinstance(rate, int | float | np.generic | np.ndarray | jax.Array) and not isinstance(
            rate, bool
        )
        if not number or np.ndim(rate) != 0:
            raise ArgumentError(
                "LearningRateScheduler: schedule must return one number, the learning rate.",
                got=f"{rate!r} for epoch {epoch}.",
                fixes="Return a float from the function.",
            )
        optimizer.learning_rate = float(rate)
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {float(rate)}.")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds "learning_rate" to the logs."""
        if logs is not None:
            logs["learning_rate"] = _rate_of(_optimizer_of(self))


class ReduceLROnPlateau(MonitorCallback):
    """Lowers the learning rate when a value no longer improves.

    Args:
        monitor: Name of the value to watch.
        factor: The learning rate is multiplied by this; below 1.
        patience: Epochs without improvement to wait for.
        verbose: 1 prints each change.
        mode: "min", "max" or "auto".
        min_delta: A change smaller than this is no improvement.
        cooldown: Epochs to pause after a change.
        min_lr: The learning rate does not go below this.
        **kwargs: `epsilon` is the old spelling of `min_delta`.

    Example:
        >>> ReduceLROnPlateau(factor=0.5, patience=3).factor
        0.5
    """

    _state_names = ("wait", "cooldown_counter", "best")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        min_delta = kwargs.pop("epsilon", min_delta)
        if kwargs:
            unknown = next(iter(kwargs))
            names = ("monitor", "factor", "patience", "verbose", "mode", "min_delta", "cooldown", "min_lr")
            raise ArgumentTypeError(
                f"ReduceLROnPlateau has no argument {unknown!r}.{did_you_mean(unknown, names)}"
            )
        if factor >= 1.0:
            raise ArgumentError(
                "ReduceLROnPlateau: factor must be below 1.0.",
                got=f"factor={factor}.",
                why="The new learning rate is the old one times factor.",
                fixes="factor=0.1",
            )
        super().__init__(monitor, mode, min_delta=min_delta)
        self.factor = factor
        self.min_lr = min_lr
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self._begin()

    def _begin(self) -> None:
        self.cooldown_counter = 0
        self.wait = 0
        self.best = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forgets an earlier run."""
        self._begin()

    def in_cooldown(self) -> bool:
        """Whether the pause after a change is still on."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Compares the value of this epoch with the best one, and adds "learning_rate" to the logs."""
        logs = {} if logs is None else logs
        optimizer = _optimizer_of(self)
        current = self._monitored(logs, "so it never changes the learning rate")
        logs["learning_rate"] = _rate_of(optimizer)
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch, optimizer)

    def _reduce(self, epoch: int, optimizer: Any) -> None:
        old = _rate_of(optimizer)
        if old <= np.float32(self.min_lr):
            return
        new = max(old * self.factor, self.min_lr)
        optimizer.learning_rate = new
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")
        self.cooldown_counter = self.cooldown
        self.wait = 0
