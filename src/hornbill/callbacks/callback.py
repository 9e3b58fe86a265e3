"""The base class of callbacks, with one method for each moment of training.

Besides Keras' methods a callback may say whether it needs a call at every batch (`_needs_batches`), because
short steps run faster in long compiled stretches, and may keep a state that a resumed run takes over.

Not for: calling several callbacks (`callback_list`).
"""

from __future__ import annotations

from typing import Any, Self

from hornbill.engine.config import ConstructorSignature, check_arguments

__all__ = ["Callback"]

_BATCH_HOOKS = {
    "train": ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end"),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}


class Callback:
    """Base class: subclass it and override the methods of the moments you want.

    `logs` holds the losses and metrics so far. Its values are fetched from the device when they are first
    read, so a method that does not read them costs nothing.

    Attributes:
        params: Dict with "epochs", "steps" and "verbose".
        model: The model being trained.

    Example:
        >>> class Shout(Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print("epoch", epoch, "done")
        >>> Shout().on_epoch_end(0)
        epoch 0 done
    """

    _state_names: tuple[str, ...] = ()
    __signature__ = ConstructorSignature()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Checks the arguments before the constructor sees them."""
        check_arguments(cls, args, kwargs)
        return super().__new__(cls)

    def __init__(self) -> None:
        self.params: dict[str, Any] | None = None
        self._model: Any = None

    @property
    def model(self) -> Any:
        """The model that the callback watches, or None before training."""
        return getattr(self, "_model", None)

    def set_params(self, params: dict[str, Any]) -> None:
        """Receives the numbers of the run: "epochs", "steps", "verbose"."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Receives the model."""
        self._model = model

    def _overrides(self, name: str) -> bool:
        return name in self.__dict__ or getattr(type(self), name) is not getattr(Callback, name)

    def _needs_batches(self, stage: str) -> bool:
        """Whether this callback must be called at every batch of "train", "test" or "predict"."""
        return any(self._overrides(name) for name in _BATCH_HOOKS[stage])

    def _state(self) -> dict[str, Any]:
        """What a resumed run needs: numbers, texts and lists of arrays."""
        return {name: getattr(self, name) for name in self._state_names}

    def _restore(self, state: dict[str, Any]) -> None:
        for name in self._state_names:
            if name in state:
                setattr(self, name, state[name])

    def on_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """The older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """The older name of `on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Called when an epoch begins.

        Args:
            epoch: Number of the epoch, from 0.
            logs: Empty.
        """

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Called when an epoch has ended, after validation.

        Args:
            epoch: Number of the epoch, from 0.
            logs: Means over the epoch; values of the validation begin with "val_".
        """

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Called before a training batch.

        Args:
            batch: Number of the batch in this epoch, from 0.
            logs: Empty.
        """
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Called after a training batch.

        Args:
            batch: Number of the batch in this epoch, from 0.
            logs: Means since the epoch began.
        """
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Called before a batch of `evaluate`, or of the validation in `fit`."""

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Called after a batch of `evaluate`, or of the validation in `fit`."""

    def on_predict_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Called before a batch of `predict`."""

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Called after a batch of `predict`; logs["outputs"] holds its outputs."""

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Called when `fit` begins."""

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Called when `fit` ends; `logs` is that of the last epoch."""

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Called when `evaluate`, or the validation in `fit`, begins."""

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Called when `evaluate`, or the validation in `fit`, ends."""

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Called when `predict` begins."""

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        """Called when `predict` ends."""
