"""The loops: fit, evaluate, predict, and their one-batch forms. Small enough to read in a sitting.

A loop takes batches, runs a compiled step on each, and tells the callbacks. Results stay on the device until something
reads them. Everything clever stands elsewhere: `data` makes the batches, `step` the steps, `stretch` runs short steps
together.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import jax
import numpy as np

from hornbill.callbacks.callback_list import CallbackList
from hornbill.callbacks.history import History
from hornbill.callbacks.terminate_on_nan import TerminateOnNaN
from hornbill.engine import settings
from hornbill.engine.errors import ArgumentError, DataError, HornbillError
from hornbill.training.data import (
    ArrayBatches,
    Batches,
    make_batches,
    pad_batch,
    split_validation,
    unpack_validation,
)
from hornbill.training.data.batches import batch_rows
from hornbill.training.interrupt import InterruptGuard
from hornbill.training.logs import Logs
from hornbill.training.nan_watch import NanWatch
from hornbill.training.predictions import predictions
from hornbill.training.stretch import Stretch, open_stretch
from hornbill.training.value_checks import check_values

__all__ = ["evaluate", "fit", "on_batch", "predict"]


def _verbosity(verbose: Any) -> int:
    if verbose not in ("auto", True, False, 0, 1, 2):
        raise ArgumentError(
            "verbose is 0 (silent), 1 (progress bar), 2 (a line per epoch) or 'auto'.",
            got=f"{verbose!r}.",
            fixes="verbose=2",
        )
    return 1 if verbose == "auto" else int(verbose)


def _capped(count: int | None) -> int | None:
    cap = settings.max_steps_per_epoch()
    return count if cap is None else cap if count is None else min(count, cap)


def fit(
    model: Any, x: Any, y: Any, batch_size: Any, epochs: int, verbose: Any, callbacks: Any, validation_split: float,
    validation_data: Any, shuffle: Any, class_weight: Any, sample_weight: Any, initial_epoch: int,
    steps_per_epoch: Any, validation_steps: Any, validation_batch_size: Any, validation_freq: Any,
) -> Any:  # fmt: skip
    """Trains; see `Trainer.fit`."""
    verbose = _verbosity(verbose)
    _check_epochs(epochs, initial_epoch)
    if settings.max_epochs() is not None:
        epochs = min(epochs, settings.max_epochs() or 0)
    if validation_split and validation_data is None:
        (x, y, sample_weight), validation_data = split_validation(x, y, sample_weight, validation_split)
    batches = make_batches(
        x,
        y,
        sample_weight,
        batch_size,
        steps=_capped(steps_per_epoch),
        shuffle=shuffle,
        class_weight=class_weight,
    )
    model._prepare("train", batches.spec)
    check_values(model, batches)
    validation = _Validation(
        model,
        validation_data,
        validation_batch_size or batch_size,
        _capped(validation_steps),
        validation_freq,
    )
    callback_list = callbacks if isinstance(callbacks, CallbackList) else CallbackList(
        callbacks, add_history=True, add_progbar=verbose != 0, model=model, verbose=verbose, epochs=epochs,
        steps=batches.num_batches,
    )  # fmt: skip
    model.stop_training = False
    model._initial_epoch, model._initial_batch = initial_epoch, 0
    try:
        _run_epochs(model, batches, epochs, validation, callback_list)
    finally:
        model._batches_state = None
    return model.history


def _run_epochs(
    model: Any, batches: Batches, epochs: int, validation: _Validation, callbacks: CallbackList
) -> None:
    callbacks.on_train_begin()
    if model._batches_state is not None and (model._initial_epoch or model._initial_batch):
        batches.restore(model._batches_state)
    model._batches_state = batches.state()
    runner = _EpochRunner(model, batches, callbacks)
    logs: dict[str, Any] = {}
    first = model._initial_epoch
    if not validation.wanted and runner.can_run_epochs:
        first, logs = runner.run_epochs(first, epochs)
    for epoch in range(first, epochs):
        if model.stop_training:
            break
        start = model._initial_batch if epoch == model._initial_epoch else 0
        if not start:
            _reset_metrics(model)
        callbacks.on_epoch_begin(epoch)
        logs = runner.run(epoch, start)
        logs.update(validation.run(epoch, callbacks))
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
        if batches.exhausted and epoch + 1 < epochs:
            _warn_exhausted(epoch, epochs)
            break
    if epochs > 0 and hasattr(model.optimizer, "finalize_variable_values"):
        model.optimizer.finalize_variable_values(model.trainable_weights)
    callbacks.on_train_end(logs)


class _Validation:
    """The evaluation after an epoch; arrays are checked before training, a data set is opened when it is needed."""

    def __init__(self, model: Any, data: Any, batch_size: Any, steps: int | None, frequency: Any) -> None:
        self._model, self._data, self._steps, self._frequency = model, data, steps, frequency
        self._batches = _early_validation(model, data, batch_size, steps)

    @property
    def wanted(self) -> bool:
        """Whether there is validation data."""
        return self._data is not None

    def run(self, epoch: int, callbacks: CallbackList) -> dict[str, Any]:
        """Returns the results under their `val_` names; nothing if this epoch has no evaluation."""
        if self._data is None or not _validates(self._frequency, epoch):
            return {}
        if self._batches is None:
            self._batches = make_batches(self._data, steps=self._steps, steps_name="validation_steps")
        results = _run_evaluation(self._model, self._batches, callbacks)
        return {f"val_{name}": value for name, value in results.items()}


def _early_validation(model: Any, data: Any, batch_size: Any, steps: int | None) -> Batches | None:
    """Makes the batches of validation arrays before training, so that a mistake in them shows at once.

    Returns:
        The batches; None for no validation, or for a data set, which is opened when it is needed.
    """
    if data is None:
        return None
    x, y, sample_weight = unpack_validation(data)
    if not (isinstance(x, (np.ndarray, jax.Array, list, tuple, dict)) or y is not None):
        return None
    try:
        batches = make_batches(x, y, sample_weight, batch_size, steps=steps, steps_name="validation_steps")
        model._prepare("test", batches.spec)
        check_values(model, batches)
    except HornbillError as error:
        error.set_where("validation_data.")
        raise
    return batches


def _check_epochs(epochs: Any, initial_epoch: Any) -> None:
    for name, value in (("epochs", epochs), ("initial_epoch", initial_epoch)):
        if isinstance(value, bool) or not hasattr(value, "__index__") or value < 0:
            raise ArgumentError(
                f"fit: {name} is a whole number, not negative.", got=f"{name}={value!r}.", fixes="epochs=10"
            )


def _reset_metrics(model: Any) -> None:
    for metric in model._steps.metric_objects:
        metric.reset_state()


def _warn_exhausted(epoch: int, epochs: int) -> None:
    warnings.warn(
        f"The data ended in epoch {epoch + 1} of {epochs}; training stops here. A generator must go on for "
        "steps_per_epoch * epochs batches: let it loop with while True.",
        stacklevel=4,
    )


def _validates(frequency: Any, epoch: int) -> bool:
    if isinstance(frequency, int):
        return (epoch + 1) % max(frequency, 1) == 0
    return epoch + 1 in frequency


class _Padding:
    """Fills a short last batch up to the size of the others and masks the added rows, so that one program serves all.

    Args:
        model: The model, which knows whether masking rows gives exactly the result of the short batch.
        kind: "train" or "test".
        batches: The data.
    """

    def __init__(self, model: Any, kind: str, batches: Batches) -> None:
        rows, self.size = batches.rows or 0, batches.batch_size
        short = self.size is not None and rows > self.size and rows % self.size != 0
        self.mask = np.ones(self.size, np.float32) if short and self.size and model._can_pad(kind) else None

    def fill(self, batch: Any) -> Any:
        """Returns `(x, y, sample_weight, rows)`."""
        if self.mask is None or self.size is None:
            return (*batch, None)
        batch, mask = pad_batch(batch, self.size)
        return (*batch, self.mask if mask is None else mask)


class _EpochRunner:
    """Runs the steps of an epoch, one by one or in stretches."""

    def __init__(self, model: Any, batches: Batches, callbacks: CallbackList) -> None:
        self.model, self.batches, self.callbacks = model, batches, callbacks
        self.padding = _Padding(model, "train", batches)
        self.stretch = open_stretch(model, "train", batches, self.padding.mask, callbacks.wants_train_batches)
        stops = any(isinstance(one, TerminateOnNaN) for one in callbacks.callbacks)
        self.watch = NanWatch(
            batches.arrays if isinstance(batches, ArrayBatches) else None, enabled=not stops
        )

    @property
    def can_run_epochs(self) -> bool:
        """Whether nobody looks between the epochs, so that one call may run several."""
        alone = all(type(callback) is History for callback in self.callbacks.callbacks)
        whole = self.stretch is not None and self.stretch.takes_whole_epochs
        return alone and whole and not self.model._initial_batch and self.model._steps.resets_are_pure

    def run_epochs(self, first: int, end: int) -> tuple[int, dict[str, Any]]:
        """Runs epochs in stretches of several; returns the next epoch and the last logs."""
        stretch: Any = self.stretch
        logs: dict[str, Any] = {}
        with InterruptGuard() as guard:
            while first < end and not self.model.stop_training:
                for found, no_number in zip(*stretch.run_epochs(first, end), strict=True):
                    logs = dict(Logs(found))
                    self.callbacks.on_epoch_begin(first)
                    self.watch.note(first, no_number, logs)
                    self.watch.end_epoch(logs.get("loss"))
                    self.callbacks.on_epoch_end(first, logs)
                    first += 1
                guard.check()
        return first, logs

    def run(self, epoch: int, start: int) -> dict[str, Any]:
        """Runs one epoch from batch `start` and returns its logs."""
        step, logs = start, None
        with InterruptGuard() as guard:
            if self.stretch is not None:
                step, logs = self._run_stretches(self.stretch, epoch, step, guard)
            if not (logs is not None and (self.model.stop_training or self._is_over(epoch, step))):
                logs = self._run_singly(epoch, step, guard, logs)
        if logs is None:
            raise DataError(
                "The data gave no batch in this epoch.", fixes="Check steps_per_epoch and the generator."
            )
        logs = dict(Logs(logs))
        self.watch.end_epoch(logs.get("loss"))
        return logs

    def _is_over(self, epoch: int, step: int) -> bool:
        count = self.batches.steps_in(epoch)
        return count is not None and step >= count

    def _run_singly(self, epoch: int, first: int, guard: InterruptGuard, logs: Any) -> Any:
        """Runs the batches of an epoch from `first` on one by one; callbacks hear of every `steps_per_execution`."""
        group, told, step = self.model.steps_per_execution, True, first
        for step, batch in enumerate(self.batches.epoch(epoch, first), first):
            if told:
                self.callbacks.on_train_batch_begin(step)
            logs = self.model._steps.run("train", self.padding.fill(batch))
            self.watch.note(epoch, step, logs)
            told = (step + 1) % group == 0
            if told:
                self.callbacks.on_train_batch_end(step, Logs(logs))
            guard.check()
            if self.model.stop_training:
                break
        if not told:
            self.callbacks.on_train_batch_end(step, Logs(logs))
        return logs

    def _run_stretches(
        self, stretch: Stretch, epoch: int, step: int, guard: InterruptGuard
    ) -> tuple[int, Any]:
        """Runs the batches of an epoch from `step` on in stretches; returns the next step and the logs."""
        lines, rows, end = stretch.lines(epoch)
        logs = None
        while step < end and not self.model.stop_training:
            self.callbacks.on_train_batch_begin(step)
            count, logs, no_number = stretch.run(lines, rows, step, end)
            step += count
            self.watch.note(epoch, no_number, logs)
            self.callbacks.on_train_batch_end(step - 1, Logs(logs))
            guard.check()
        return step, logs


def evaluate(
    model: Any, x: Any, y: Any, batch_size: Any, verbose: Any, sample_weight: Any, steps: Any, callbacks: Any,
    return_dict: bool,
) -> Any:  # fmt: skip
    """Evaluates; see `Trainer.evaluate`."""
    verbose = _verbosity(verbose)
    batches = make_batches(x, y, sample_weight, batch_size, steps=_capped(steps), steps_name="steps")
    callback_list = callbacks if isinstance(callbacks, CallbackList) else CallbackList(
        callbacks, add_progbar=verbose != 0, model=model, verbose=verbose, epochs=1, steps=batches.num_batches
    )  # fmt: skip
    results = _run_evaluation(model, batches, callback_list)
    return _as_asked(model, results, return_dict)


def _as_asked(model: Any, results: dict[str, Any], return_dict: bool) -> Any:
    """Returns the results as a dict, or as Keras lists them: the loss, those of the outputs, the metrics as given."""
    if return_dict:
        return results
    known = ["loss", *(m.name for m in getattr(model._compile_loss, "trackers", ()))]
    if len(getattr(model._compile_loss, "names", ())) < 2:  # those of several outputs come by name
        known += [key for key, *_ in getattr(model._compile_metrics, "entries", ())]
    order = dict.fromkeys([*(name for name in known if name in results), *sorted(results)])
    values = [results[name] for name in order]
    return values[0] if len(values) == 1 else values


def _run_evaluation(model: Any, batches: Batches, callbacks: CallbackList) -> dict[str, Any]:
    model._prepare("test", batches.spec)
    check_values(model, batches)
    _reset_metrics(model)
    model.stop_evaluating = False
    callbacks.on_test_begin()
    logs: Any = None
    padding, first = _Padding(model, "test", batches), 0
    stretch = open_stretch(model, "test", batches, padding.mask, callbacks.wants_test_batches)
    with InterruptGuard() as guard:
        if stretch is not None:
            lines, rows, end = stretch.lines(0)
            while first < end and not model.stop_evaluating:
                callbacks.on_test_batch_begin(first)
                count, logs, _ = stretch.run(lines, rows, first, end)
                first += count
                callbacks.on_test_batch_end(first - 1, Logs(logs))
                guard.check()
        group, told, step = model.steps_per_execution, True, first
        for step, batch in enumerate(batches.epoch(0, first), first):
            if model.stop_evaluating:
                break
            if told:
                callbacks.on_test_batch_begin(step)
            logs = model._steps.run("test", padding.fill(batch))
            told = (step + 1) % group == 0
            if told:
                callbacks.on_test_batch_end(step, Logs(logs))
            guard.check()
        if not told:
            callbacks.on_test_batch_end(step, Logs(logs))
    if logs is None:
        raise DataError("The data gave no batch to evaluate.", fixes="Check steps and the generator.")
    results = dict(Logs(logs))
    callbacks.on_test_end(results)
    return results


def predict(model: Any, x: Any, batch_size: Any, verbose: Any, steps: Any, callbacks: Any) -> Any:
    """Predicts; see `Trainer.predict`."""
    verbose = _verbosity(verbose)
    if _is_one_batch(x, batch_size or 32) and not (verbose or callbacks or steps) and model.built:
        outputs = model._steps.run("predict", (x, None, None, None))
        return jax.tree_util.tree_map(np.asarray, outputs)
    batches = make_batches(x, None, None, batch_size, steps=_capped(steps), steps_name="steps")
    model._prepare("predict", batches.spec)
    check_values(model, batches, targets=False)
    callback_list = callbacks if isinstance(callbacks, CallbackList) else CallbackList(
        callbacks, add_progbar=verbose != 0, model=model, verbose=verbose, epochs=1, steps=batches.num_batches
    )  # fmt: skip
    callback_list.on_predict_begin()
    collected: list[Any] = []
    with InterruptGuard() as guard:
        for last, outputs in predictions(model, batches, callback_list):
            collected.append(outputs)
            callback_list.on_predict_batch_end(last, {"outputs": outputs})
            guard.check()
    callback_list.on_predict_end()
    if not collected:
        raise DataError("The data gave no batch to predict.", fixes="Check steps and the generator.")
    host = jax.device_get(collected)
    if len(host) == 1:
        return jax.tree_util.tree_map(np.asarray, host[0])
    return jax.tree_util.tree_map(lambda *parts: np.concatenate(parts), *host)


def _is_one_batch(x: Any, batch_size: int) -> bool:
    """Whether `x` is one array of numbers with no more rows than a batch: nothing to cut, fill up or report."""
    return (
        isinstance(x, (np.ndarray, jax.Array))
        and x.ndim > 0
        and 0 < x.shape[0] <= batch_size
        and x.dtype.kind in "fiub"
    )


def on_batch(
    model: Any,
    kind: str,
    x: Any,
    y: Any,
    sample_weight: Any,
    class_weight: Any,
    return_dict: bool,
    reset: bool,
) -> Any:
    """Runs one step on one batch."""
    if x is None:
        raise DataError(f"{kind}_on_batch needs x.", got="None.")
    size = batch_rows(x)
    batches = make_batches(x, y, sample_weight, max(size, 1), class_weight=class_weight)
    batch = next(iter(batches.epoch(0)))
    model._prepare(kind, batch)
    check_values(model, batches, targets=kind != "predict")
    if reset:
        _reset_metrics(model)
    with InterruptGuard():
        result = model._steps.run(kind, (*batch, None))
    if kind == "predict":
        return jax.tree_util.tree_map(np.asarray, jax.device_get(result))
    logs = dict(Logs(result))
    if any(math.isnan(value) for value in logs.values() if isinstance(value, float)) and kind == "train":
        warnings.warn(f"The loss of this batch is not a number: {logs}.", stacklevel=3)
    return _as_asked(model, logs, return_dict)
