"""Several callbacks as one, in the order in which they were given.

Knows in advance which callbacks listen to which moment, so that a moment nobody listens to costs nothing, and
says whether anyone needs a call at every batch.

Not for: deciding when a moment has come (the training loop does that).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hornbill.callbacks.callback import Callback
from hornbill.callbacks.history import History
from hornbill.callbacks.progbar_logger import ProgbarLogger
from hornbill.engine.errors import ArgumentTypeError
from hornbill.training.logs import Logs

__all__ = ["CallbackList"]


def _flatten(callbacks: Any) -> list[Any]:
    if callbacks is None:
        return []
    if isinstance(callbacks, Iterable) and not isinstance(callbacks, str | bytes | dict):
        return [one for item in callbacks for one in _flatten(item)]
    if isinstance(callbacks, type):
        raise ArgumentTypeError(
            "callbacks must be instances of Callback.",
            got=f"the class {callbacks.__name__}.",
            fixes=f"callbacks=[{callbacks.__name__}()]",
        )
    if not hasattr(callbacks, "set_model") or not hasattr(callbacks, "on_epoch_end"):
        raise ArgumentTypeError(
            "callbacks must be instances of Callback.",
            got=f"{type(callbacks).__name__} {callbacks!r}.",
            fixes=("Make a class that inherits from Callback.", "LambdaCallback(on_epoch_end=function)"),
        )
    return [callbacks]


class CallbackList:
    """Calls each of its callbacks at each moment.

    Args:
        callbacks: A callback, or a (nested) list of them.
        add_history: Add a `History` if there is none.
        add_progbar: Add a `ProgbarLogger` if there is none.
        model: The model to give to each.
        params: Numbers of the run to give to each: epochs, steps, verbose.

    Attributes:
        callbacks: The callbacks in order; `History` and the progress bar that were added come last.
        wants_train_batches: Whether some callback needs a call at every training batch.
        wants_test_batches: The same for evaluation.
        wants_predict_batches: The same for prediction.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        self.callbacks = _flatten(callbacks)
        self._model: Any = None
        self.params: dict[str, Any] = {}
        self._pending_state: list[dict[str, Any]] | None = None
        self._add_defaults(add_history, add_progbar)
        self._listen()
        if model is not None:
            self.set_model(model)
        if params:
            self.set_params(params)

    def _add_defaults(self, add_history: bool, add_progbar: bool) -> None:
        self._history = next((one for one in self.callbacks if isinstance(one, History)), None)
        if self._history is None and add_history:
            self._history = History()
            self.callbacks.append(self._history)
        self._progbar = next((one for one in self.callbacks if isinstance(one, ProgbarLogger)), None)
        if self._progbar is None and add_progbar:
            self._progbar = ProgbarLogger()
            self.callbacks.append(self._progbar)

    def _listen(self) -> None:
        self._listeners = {
            name: [one for one in self.callbacks if _listens(one, name)] for name in _BATCH_MOMENTS
        }
        # A backup holds the state of all others, so it is made after them.
        self._in_turn = sorted(self.callbacks, key=lambda one: getattr(one, "_runs_last", False))
        for name in ("on_train_batch_end", "on_batch_end"):
            self._listeners[name].sort(key=lambda one: getattr(one, "_runs_last", False))
        for stage in ("train", "test", "predict"):
            needed = any(
                one._needs_batches(stage) if isinstance(one, Callback) else True for one in self.callbacks
            )
            setattr(self, f"wants_{stage}_batches", needed)

    wants_train_batches: bool
    wants_test_batches: bool
    wants_predict_batches: bool

    @property
    def model(self) -> Any:
        """The model that the callbacks watch."""
        return self._model

    def append(self, callback: Callback) -> None:
        """Adds a callback at the end."""
        self.callbacks.extend(_flatten(callback))
        if self._model is not None:
            callback.set_model(self._model)
        if self.params:
            callback.set_params(self.params)
        self._listen()

    def set_params(self, params: dict[str, Any]) -> None:
        """Gives the numbers of the run to each callback."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Gives the model to each callback, and the history to the model."""
        self._model = model
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    def state(self) -> list[dict[str, Any]]:
        """Returns the state of each callback, for a run that is to be resumed."""
        return [
            {"class": type(one).__name__, "state": one._state() if isinstance(one, Callback) else {}}
            for one in self.callbacks
        ]

    def restore(self, states: list[dict[str, Any]]) -> None:
        """Gives each callback its state back, once all of them have begun."""
        self._pending_state = states

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Calls `on_train_begin` of each callback, and then restores their states if a run is resumed."""
        self._listen()
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            join = getattr(callback, "_join", None)
            if join is not None:
                join(self)
            callback.on_train_begin(logs)
        if self._pending_state is not None:
            for callback, entry in zip(self.callbacks, self._pending_state, strict=False):
                if type(callback).__name__ == entry["class"] and isinstance(callback, Callback):
                    callback._restore(entry["state"])
            self._pending_state = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Calls `on_epoch_begin` of each callback."""
        logs = _shared(logs)
        for callback in self.callbacks:
            callback.on_epoch_begin(epoch, logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Calls `on_epoch_end` of each callback."""
        logs = _shared(logs)
        for callback in self._in_turn:
            callback.on_epoch_end(epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Calls `on_train_batch_begin` of each callback that listens to it."""
        listeners = self._listeners["on_train_batch_begin"]
        if listeners:
            logs = _shared(logs)
            for callback in listeners:
                callback.on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Calls `on_train_batch_end` of each callback that listens to it."""
        listeners = self._listeners["on_train_batch_end"]
        if listeners:
            logs = _shared(logs)
            for callback in listeners:
                callback.on_train_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Calls `on_test_batch_begin` of each callback that listens to it."""
        listeners = self._listeners["on_test_batch_begin"]
        if listeners:
            logs = _shared(logs)
            for callback in listeners:
                callback.on_test_batch_begin(batch, logs)

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Calls `on_test_batch_end` of each callback that listens to it."""
        listeners = self._listeners["on_test_batch_end"]
        if listeners:
            logs = _shared(logs)
            for callback in listeners:
                callback.on_test_batch_end(batch, logs)

    def on_predict_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Calls `on_predict_batch_begin` of each callback that listens to it."""
        listeners = self._listeners["on_predict_batch_begin"]
        if listeners:
            logs = _shared(logs)
            for callback in listeners:
                callback.on_predict_batch_begin(batch, logs)

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Calls `on_predict_batch_end` of each callback that listens to it."""
        listeners = self._listeners["on_predict_batch_end"]
        if listeners:
            logs = _shared(logs)
            for callback in listeners:
                callback.on_predict_batch_end(batch, logs)

    def on_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Calls `on_batch_begin` of each callback that listens to it."""
        listeners = self._listeners["on_batch_begin"]
        if listeners:
            logs = _shared(logs)
            for callback in listeners:
                callback.on_batch_begin(batch, logs)

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Calls `on_batch_end` of each callback that listens to it."""
        listeners = self._listeners["on_batch_end"]
        if listeners:
            logs = _shared(logs)
            for callback in listeners:
                callback.on_batch_end(batch, logs)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Calls `on_train_end` of each callback."""
        logs = _shared(logs)
        for callback in self.callbacks:
            callback.on_train_end(logs)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Calls `on_test_begin` of each callback."""
        logs = _shared(logs)
        for callback in self.callbacks:
            callback.on_test_begin(logs)

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Calls `on_test_end` of each callback."""
        logs = _shared(logs)
        for callback in self.callbacks:
            callback.on_test_end(logs)

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Calls `on_predict_begin` of each callback."""
        logs = _shared(logs)
        for callback in self.callbacks:
            callback.on_predict_begin(logs)

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        """Calls `on_predict_end` of each callback."""
        logs = _shared(logs)
        for callback in self.callbacks:
            callback.on_predict_end(logs)


_BATCH_MOMENTS = (
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_batch_begin",
    "on_test_batch_end",
    "on_predict_batch_begin",
    "on_predict_batch_end",
    "on_batch_begin",
    "on_batch_end",
)


def _listens(callback: Any, name: str) -> bool:
    if not isinstance(callback, Callback):
        return hasattr(callback, name)
    older = name.replace("on_train_", "on_")
    return callback._overrides(name) or (older != name and callback._overrides(older))


def _shared(logs: dict[str, Any] | None) -> dict[str, Any]:
    """Returns the one dict that all callbacks of a moment read and may add to."""
    if logs is None:
        return {}
    return logs if isinstance(logs, Logs) or not logs else Logs(logs)
