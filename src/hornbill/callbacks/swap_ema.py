"""Evaluates with the moving average of the weights, and trains on with the weights themselves.

Not for: making the average; optimizers with `use_ema=True` do that.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbill.callbacks.callback import Callback
from hornbill.engine.errors import ArgumentError

__all__ = ["SwapEMAWeights"]


class SwapEMAWeights(Callback):
    """Puts the moving averages into the weights before an evaluation, and the weights back after it.

    Args:
        swap_on_epoch: Put the averages in at the end of each epoch, and back at the beginning of the next, so
            that callbacks after this one (such as `ModelCheckpoint`) see the averages.

    Example:
        >>> SwapEMAWeights(swap_on_epoch=True).swap_on_epoch
        True
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._held: list[tuple[Any, Any]] | None = None

    def set_model(self, model: Any) -> None:
        """Receives the model and looks whether its optimizer keeps averages."""
        super().set_model(model)
        self._optimizer()

    def _optimizer(self) -> Any:
        optimizer = getattr(self.model, "optimizer", None)
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        if not getattr(optimizer, "use_ema", False):
            raise ArgumentError(
                "SwapEMAWeights needs an optimizer with use_ema=True.",
                got="no optimizer." if optimizer is None else f"{type(optimizer).__name__} without it.",
                fixes="model.compile(optimizer=keras.optimizers.SGD(use_ema=True), ...)",
            )
        return optimizer

    def _show_averages(self) -> None:
        optimizer = self._optimizer()
        if self._held is not None or not getattr(optimizer, "built", False):
            return
        pairs = list(zip(optimizer._trainable_variables, optimizer._averages, strict=True))
        self._held = [(weight, weight.value) for weight, average in pairs if average is not None]
        for weight, average in pairs:
            if average is not None:
                # A copy: two Variables that share a buffer could not both be donated to a step.
                weight.assign(jnp.array(average.value, copy=True))

    def _show_weights(self) -> None:
        for weight, value in self._held or []:
            weight.assign(value)
        self._held = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Puts the weights back for training, with `swap_on_epoch`."""
        if self.swap_on_epoch:
            self._show_weights()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Puts the averages in, with `swap_on_epoch`."""
        if self.swap_on_epoch:
            self._show_averages()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Leaves the averages in the model, as `use_ema` promises for the end of training."""
        self._held = None

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Puts the averages in."""
        self._show_averages()

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Puts the weights back."""
        self._show_weights()

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Puts the averages in."""
        self._show_averages()

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        """Puts the weights back."""
        self._show_weights()
