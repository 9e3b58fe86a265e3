"""A callback made of plain functions.

Not for: callbacks with a state of their own; subclass `Callback` for these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbill.callbacks.callback import Callback
from hornbill.engine.errors import ArgumentTypeError, did_you_mean

__all__ = ["LambdaCallback"]

_MOMENTS = tuple(name for name in vars(Callback) if name.startswith("on_"))


class LambdaCallback(Callback):
    """Calls the given functions at their moments.

    Args:
        on_epoch_begin: Called with (epoch, logs).
        on_epoch_end: Called with (epoch, logs).
        on_train_begin: Called with (logs).
        on_train_end: Called with (logs).
        on_train_batch_begin: Called with (batch, logs).
        on_train_batch_end: Called with (batch, logs).
        **kwargs: Functions for any other method of `Callback`, by its name.

    Example:
        >>> callback = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs))
        >>> callback.on_epoch_end(1, {"loss": 0.5})
        1 {'loss': 0.5}
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        for name, function in given.items():
            if name not in _MOMENTS:
                raise ArgumentTypeError(
                    f"Callback has no method {name!r}.{did_you_mean(name, _MOMENTS)}",
                    got=f"LambdaCallback({name}=...).",
                )
            if function is None:
                continue
            if not callable(function):
                raise ArgumentTypeError(
                    f"LambdaCallback: {name} must be a function.",
                    got=f"{type(function).__name__} {function!r}.",
                )
            setattr(self, name, function)
