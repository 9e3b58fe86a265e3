"""The same logs given to Keras' callbacks and to ours: same prints, same state, same calls to the model."""

from __future__ import annotations

import warnings
from pathlib import Path

import keras
import numpy as np
import pytest

import hornbill.callbacks as ours


class Optimizer:
    def __init__(self):
        self._rate = keras.Variable(0.1)

    @property
    def learning_rate(self):
        return self._rate

    @learning_rate.setter
    def learning_rate(self, value):
        self._rate.assign(value)


class Model:
    """What callbacks ask of a model, and a record of what they did."""

    metrics = ()

    def __init__(self):
        self.stop_training = False
        self.weights = 0
        self.optimizer = Optimizer()
        self.calls = []

    def get_weights(self):
        return [np.array(self.weights)]

    def set_weights(self, weights):
        self.calls.append(("set", int(weights[0])))

    def save(self, path, overwrite=True):
        self.calls.append(("save", Path(path).name))

    def save_weights(self, path, overwrite=True):
        self.calls.append(("save_weights", Path(path).name))


def drive(family, make, values, monitor="val_loss", batches=0):
    callback, model, seen = make(family), Model(), []
    callback.set_model(model)
    callback.set_params({"epochs": len(values), "steps": batches, "verbose": 0})
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch)
        for batch in range(batches):
            callback.on_train_batch_begin(batch)
            callback.on_train_batch_end(batch, {"loss": value + batch})
            if model.stop_training:
                break
        model.weights = epoch + 1
        logs = {monitor: value}
        callback.on_epoch_end(epoch, logs)
        seen.append((round(float(model.optimizer.learning_rate.value), 6), sorted(logs)))
        if model.stop_training:
            break
    callback.on_train_end()
    names = ("wait", "stopped_epoch", "best", "best_epoch", "cooldown_counter", "min_delta")
    return seen, model.calls, {name: getattr(callback, name, None) for name in names}


CASES = {
    "early": (
        lambda c: c.EarlyStopping(patience=2, verbose=1, restore_best_weights=True),
        [3, 2, 1, 1, 1, 1],
        {},
    ),
    "early_0": (lambda c: c.EarlyStopping(verbose=1), [3, 2, 2, 1], {}),
    "early_baseline": (
        lambda c: c.EarlyStopping(patience=2, verbose=1, baseline=0.5, restore_best_weights=True),
        [3, 2, 1, 1, 1],
        {},
    ),
    "early_start": (
        lambda c: c.EarlyStopping(patience=1, verbose=1, start_from_epoch=2, restore_best_weights=True),
        [1, 2, 3, 2.5, 4, 1],
        {},
    ),
    "early_delta": (
        lambda c: c.EarlyStopping("val_accuracy", 0.5, 1, 1, mode="max", restore_best_weights=True),
        [1, 1.6, 1.7, 1.8, 1],
        {"monitor": "val_accuracy"},
    ),
    "early_negative_delta": (lambda c: c.EarlyStopping(patience=1, min_delta=-0.5), [1, 1.4, 1.8], {}),
    "early_unstopped": (
        lambda c: c.EarlyStopping(patience=5, verbose=1, restore_best_weights=True),
        [3, 2, 4],
        {},
    ),
    "early_nan": (lambda c: c.EarlyStopping(patience=1, restore_best_weights=True), [float("nan"), 2, 1], {}),
    "plateau": (lambda c: c.ReduceLROnPlateau(patience=1, verbose=1, cooldown=1, min_lr=0.002), [1] * 9, {}),
    "plateau_2": (
        lambda c: c.ReduceLROnPlateau(patience=2, verbose=1, factor=0.5, cooldown=2),
        [1, 1, 1, 1, 0.5, 1, 1, 1, 1, 1],
        {},
    ),
    "plateau_max": (
        lambda c: c.ReduceLROnPlateau("a", 0.5, 0, 1, "max"),
        [1, 1, 2, 2.00001, 2.1],
        {"monitor": "a"},
    ),
    "scheduler": (lambda c: c.LearningRateScheduler(lambda epoch, lr: lr * 0.5, verbose=1), [1, 1], {}),
    "scheduler_epoch": (lambda c: c.LearningRateScheduler(lambda epoch: 0.25, verbose=1), [1, 1], {}),
    "checkpoint": (lambda c: c.ModelCheckpoint("m{epoch:02d}-{val_loss:.2f}.keras", verbose=1), [1, 2], {}),
    "checkpoint_best": (
        lambda c: c.ModelCheckpoint("m.weights.h5", verbose=1, save_best_only=True, save_weights_only=True),
        [2, 1, 1.5, 0.5],
        {},
    ),
    "checkpoint_batches": (
        lambda c: c.ModelCheckpoint("m{epoch}-{batch}.keras", "loss", 1, True, save_freq=2),
        [2, 1],
        {"batches": 3},
    ),
    "checkpoint_threshold": (
        lambda c: c.ModelCheckpoint("m.h5", verbose=1, save_best_only=True, initial_value_threshold=0.9),
        [2, 1, 0.8],
        {},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_same_as_keras(name, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make, values, options = CASES[name]
    results = []
    for family in (keras.callbacks, ours):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            results.append((drive(family, make, values, **options), capsys.readouterr().out))
    (expected, expected_text), (got, text) = results
    np.testing.assert_equal(got[:2], expected[:2])
    np.testing.assert_equal(got[2], expected[2])
    assert text == expected_text


@pytest.mark.parametrize("append", [False, True])
def test_csv_logger(append, tmp_path):
    texts = []
    for family in (keras.callbacks, ours):
        path = tmp_path / f"{family.__name__}.csv"
        for _ in range(2):
            callback = family.CSVLogger(str(path), separator=";", append=append)
            callback.set_model(Model())
            callback.on_train_begin()
            callback.on_epoch_end(0, {"loss": 0.5, "vector": np.array([1, 2]), "b": np.float32(0.25)})
            callback.on_epoch_end(1, {"loss": 0.25, "val_loss": 1.5, "vector": np.array([1, 2]), "b": 1.0})
            callback.on_train_end()
        texts.append(path.read_text())
    assert texts[0] == texts[1]


def test_names_and_signatures():
    import inspect

    for name in dir(keras.callbacks):
        if name.startswith("_") or not isinstance(getattr(keras.callbacks, name), type):
            continue
        theirs, mine = getattr(keras.callbacks, name), getattr(ours, name)
        assert list(inspect.signature(mine).parameters) == list(inspect.signature(theirs).parameters), name
        hooks = {method for method in dir(theirs) if method.startswith(("on_", "set_"))}
        assert hooks <= set(dir(mine)), name


class Recorder:
    def record(self):
        moments = [name for name in dir(ours.Callback) if name.startswith("on_")]
        self.calls = []
        for name in moments:
            setattr(self, name, lambda *given, _name=name, **more: self.calls.append((_name, len(given))))
        return self


def test_callback_list_calls_as_keras():
    calls = []
    for family in (keras.callbacks, ours):
        callback = type("Recording", (Recorder, family.Callback), {})().record()
        together = family.CallbackList([callback], epochs=2)
        together.on_train_begin()
        together.on_epoch_begin(0)
        together.on_train_batch_begin(0)
        together.on_train_batch_end(0, {"loss": 1.0})
        together.on_test_begin()
        together.on_test_batch_begin(0)
        together.on_test_batch_end(0)
        together.on_test_end({"loss": 1.0})
        together.on_epoch_end(0, {"loss": 1.0})
        together.on_train_end()
        calls.append([name for name, _ in callback.calls])
        assert callback.params == {"epochs": 2}
    assert calls[0] == calls[1]
    for family in (keras.callbacks, ours):
        names = [
            type(one).__name__
            for one in family.CallbackList([], add_history=True, add_progbar=True).callbacks
        ]
        assert names == ["History", "ProgbarLogger"]
