"""Ends training when a value no longer improves.

Not for: saving the best model to a file (`ModelCheckpoint`).
"""

from __future__ import annotations

from typing import Any

from hornbill.callbacks.monitor import MonitorCallback

__all__ = ["EarlyStopping"]


class EarlyStopping(MonitorCallback):
    """Stops training after `patience` epochs without improvement.

    Args:
        monitor: Name of the value to watch, such as "val_loss".
        min_delta: A change smaller than this is no improvement.
        patience: Epochs without improvement to wait for.
        verbose: 1 prints when training stops.
        mode: "min", "max" or "auto".
        baseline: A value that must be beaten as well for an epoch to count.
        restore_best_weights: Whether the model gets the weights of its best epoch back at the end.
        start_from_epoch: Epochs at the start that are not watched.

    Example:
        >>> callback = EarlyStopping(monitor="loss", patience=3)
        >>> callback.monitor, callback.patience
        ('loss', 3)
    """

    _state_names = ("wait", "stopped_epoch", "best", "best_epoch", "best_weights")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._begin()

    def _begin(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_weights: list[Any] | None = None
        self.best_epoch = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forgets an earlier run."""
        self._begin()

    def get_monitor_value(self, logs: dict[str, Any] | None) -> Any:
        """Returns the watched value, or None (after one warning) where the logs do not have it."""
        return self._monitored(logs, "so it never stops training")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Compares the value of this epoch with the best one."""
        current = None if epoch < self.start_from_epoch else self.get_monitor_value(logs)
        if current is None:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights = self.model.get_weights()
            self.best_epoch = epoch
        self.wait += 1
        if self._is_improvement(current, self.best):
            self.best = current
            self.best_epoch = epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            # The wait begins anew only where the baseline is beaten too.
            if self.baseline is None or self._is_improvement(current, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Says why training stopped and puts the best weights back."""
        if self.stopped_epoch > 0 and self.verbose > 0:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)
