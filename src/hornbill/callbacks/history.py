"""The record of losses and metrics that `fit` returns.

Not for: drawing them, or keeping them in a file (`CSVLogger`, `TensorBoard`).
"""

from __future__ import annotations

from typing import Any

from hornbill.callbacks.callback import Callback
from hornbill.engine.errors import did_you_mean

__all__ = ["History", "HistoryDict"]

_SPELLINGS = {"acc": "accuracy", "accuracy": "acc", "lr": "learning_rate", "learning_rate": "lr"}


def _other_spelling(name: Any) -> str | None:
    if not isinstance(name, str):
        return None
    prefix = "val_" if name.startswith("val_") else ""
    other = _SPELLINGS.get(name[len(prefix) :])
    return prefix + other if other else None


class HistoryDict(dict):
    """A dict that also answers to the other spelling of "acc", "accuracy", "lr" and "learning_rate".

    Example:
        >>> history = HistoryDict(val_accuracy=[0.5])
        >>> history["val_acc"], "val_acc" in history, list(history)
        ([0.5], True, ['val_accuracy'])
    """

    def __missing__(self, name: Any) -> Any:
        other = _other_spelling(name)
        if other is not None and dict.__contains__(self, other):
            return dict.__getitem__(self, other)
        raise KeyError(f"{name!r} is not in the history; it has {', '.join(self)}.{did_you_mean(name, self)}")

    def __contains__(self, name: object) -> bool:
        return dict.__contains__(self, name) or dict.__contains__(self, _other_spelling(name))

    def get(self, name: Any, default: Any = None) -> Any:
        """Returns the list called `name` in either spelling, or `default`."""
        try:
            return self[name]
        except KeyError:
            return default


class History(Callback):
    """Keeps the losses and metrics of each epoch; `fit` adds one and returns it.

    Attributes:
        history: Dict from name to list of values, one per epoch.
        epoch: Numbers of the epochs, from 0.

    Example:
        >>> history = History()
        >>> history.on_train_begin()
        >>> history.on_epoch_end(0, {"loss": 0.5})
        >>> history.history
        {'loss': [0.5]}
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: HistoryDict = HistoryDict()
        self.epoch: list[int] = []

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begins a new list of epochs; the values of an earlier `fit` stay."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds the values of one epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            dict.setdefault(self.history, name, []).append(value)
        if self.model is not None:
            self.model.history = self
