"""What callbacks share that watch one loss or metric: better or worse, minimum or maximum.

The direction comes from the metric itself where it knows one, then from its name. A name that is not in the
logs gives one warning that lists the names that are.

Not for: what to do about it (`early_stopping`, `checkpoint`, `learning_rate`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbill.callbacks.callback import Callback
from hornbill.engine.errors import ArgumentError, did_you_mean

__all__ = ["MonitorCallback"]

_FALLS = (
    "loss",
    "error",
    "mse",
    "mae",
    "mape",
    "msle",
    "rmse",
    "divergence",
    "perplexity",
    "hinge",
    "crossentropy",
)
_RISES = (
    "acc", "accuracy", "auc", "precision", "recall", "f1", "fbeta", "fmeasure", "iou", "dice", "r2", "bleu",
    "specificity", "sensitivity", "similarity", "positives", "negatives",
)  # fmt: skip
_FALSE = ("false_positives", "false_negatives")


def _by_name(name: str) -> str | None:
    """Returns "min" or "max" where the words of a metric's name say so."""
    words = set(name.lower().split("_"))
    if any(false in name.lower() for false in _FALSE) or words & set(_FALLS):
        return "min"
    return "max" if words & set(_RISES) else None


def _metrics_of(model: Any) -> list[Any]:
    found: list[Any] = []
    for metric in getattr(model, "metrics", None) or []:
        found.append(metric)
        found.extend(getattr(metric, "metrics", None) or [])
    return found


class MonitorCallback(Callback):
    """Base of callbacks that compare one value of the logs with the best so far.

    Args:
        monitor: Name of the value, such as "val_loss".
        mode: "min", "max" or "auto", which asks the metric and then its name.
        baseline_value: Value to beat from the start, or None.
        min_delta: Smallest change that counts.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        baseline_value: float | None = None,
        min_delta: float = 0,
    ) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f"{type(self).__name__}: mode must be 'auto', 'min' or 'max', not {mode!r}; 'auto' is used."
                f"{did_you_mean(mode, ('auto', 'min', 'max'))}",
                stacklevel=3,
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline_value
        self.min_delta = abs(min_delta)
        self.monitor_op: Callable[..., Any] | None = None
        self._warned_names: set[str] = set()

    def _set_monitor_op(self) -> None:
        """Fixes what "better" means; called when the monitored value is first seen."""
        if self.monitor_op is not None:
            return
        direction = self.mode if self.mode != "auto" else self._direction()
        self.monitor_op = np.less if direction == "min" else np.greater
        if direction == "min":
            self.min_delta = -abs(self.min_delta)

    def _direction(self) -> str:
        name = self.monitor.removeprefix("val_")
        if name == "loss":
            return "min"
        for metric in _metrics_of(self.model):
            if getattr(metric, "name", None) == name and getattr(metric, "_direction", None) in (
                "up",
                "down",
            ):
                return "max" if metric._direction == "up" else "min"
        direction = _by_name(name)
        if direction is None:
            raise ArgumentError(
                f"{type(self).__name__} cannot tell whether {self.monitor!r} should rise or fall.",
                got="mode='auto'.",
                why="Neither the metric nor its name says which way is better.",
                fixes=(
                    f"{type(self).__name__}(monitor={self.monitor!r}, mode='max')",
                    f"{type(self).__name__}(monitor={self.monitor!r}, mode='min')",
                ),
            )
        return direction

    def _is_improvement(self, value: Any, reference: Any) -> bool:
        """Whether `value` is better than `reference` by more than `min_delta`; anything beats None."""
        if reference is None:
            return True
        self._set_monitor_op()
        better = self.monitor_op or np.less
        return bool(better(value - self.min_delta, reference))

    def _monitored(self, logs: dict[str, Any] | None, consequence: str) -> Any:
        """Returns the monitored value, or None after one warning where the logs do not have it."""
        logs = {} if logs is None else logs
        value = logs.get(self.monitor)
        if value is None and self.monitor.removeprefix("val_") in ("acc", "accuracy"):
            prefix = "val_" if self.monitor.startswith("val_") else ""
            other = {"acc": "accuracy", "accuracy": "acc"}[self.monitor.removeprefix("val_")]
            value = logs.get(prefix + other)
        if value is None:
            self._warn_missing(list(logs), consequence)
            return None
        self._set_monitor_op()
        return value

    def _warn_missing(self, available: list[str], consequence: str) -> None:
        if self.monitor in self._warned_names:
            return
        self._warned_names.add(self.monitor)
        hint = did_you_mean(self.monitor, available)
        if self.monitor.startswith("val_") and not any(name.startswith("val_") for name in available):
            hint = " There is no validation: give fit validation_data= or validation_split=."
        warnings.warn(
            f"{type(self).__name__} watches {self.monitor!r}, which the logs do not have, {consequence}. "
            f"They have: {', '.join(available) or 'nothing'}.{hint}",
            stacklevel=4,
        )
