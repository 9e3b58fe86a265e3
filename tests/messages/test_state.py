"""A mistake, an exception or Ctrl-C leaves everything as it was before, or as the last finished step left it."""

from __future__ import annotations

import signal
import traceback
import warnings
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import hornbill as keras
from hornbill import callbacks, layers
from hornbill.engine.errors import ArgumentError, DataError, HornbillError, ShapeError
from tests.messages.mistakes import classifier, regressor

X = np.linspace(-1, 1, 64, dtype="float32").reshape(16, 4)
Y = X.sum(axis=1, keepdims=True)


def _state(model: Any) -> list[np.ndarray]:
    return [np.array(v.value) for v in (*model.variables, *model.optimizer.variables)]


def _same(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    return len(first) == len(second) and all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def _deterministic(seed: int = 1) -> Any:
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="tanh"), layers.Dense(1)])
    model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    return model


@pytest.mark.parametrize(
    "bad",
    [
        {"x": X[:, :3], "y": Y},
        {"x": X, "y": Y[:7]},
        {"x": X, "y": np.zeros((16, 5, 5))},
        {"x": X, "y": Y, "epochs": -1},
        {"x": X, "y": Y, "validation_data": (X[:, :3], Y)},
        {"x": X, "y": Y, "validation_data": (X, Y[:3])},
        {"x": np.array([["a"] * 4] * 16), "y": Y},
        {"x": X[:0], "y": Y[:0]},
    ],
)
def test_a_refused_fit_changes_nothing(bad: dict[str, Any]) -> None:
    model = _deterministic()
    model.fit(X, Y, epochs=1, verbose=0)
    before, history = _state(model), model.history
    with pytest.raises(HornbillError):
        model.fit(**bad, verbose=0)
    assert _same(before, _state(model))
    assert model.compiled
    assert model.history is history
    model.fit(X, Y, epochs=1, verbose=0)


def test_labels_are_refused_before_the_optimizer_is_touched() -> None:
    model = classifier()
    before = [np.array(w) for w in model.get_weights()]
    with pytest.raises(ArgumentError):
        model.fit(X, np.arange(16) % 7, verbose=0)
    assert _same(before, model.get_weights())
    assert int(model.optimizer.iterations.value) == 0


def test_an_unbuilt_model_stays_unbuilt() -> None:
    model = keras.Sequential([layers.Dense(4), layers.Conv2D(2, 3)])
    model.compile(loss="mse")
    with pytest.raises(ShapeError):
        model.fit(X, Y, verbose=0)
    assert not model.built
    assert not model.layers[0].built
    assert not model.layers[0].weights
    good = keras.Sequential([layers.Dense(4), layers.Dense(1)])
    good.compile(loss="mse")
    with pytest.raises(ShapeError):
        good.fit(X[:, :3], np.zeros((16, 2, 2)), verbose=0)


def test_a_subclassed_model_takes_the_right_data_after_the_wrong() -> None:
    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = layers.Dense(4), layers.Dense(1)

        def call(self, inputs: Any) -> Any:
            if inputs.shape[-1] == 3:
                return layers.Conv2D(1, 3)(self.first(inputs))
            return self.second(self.first(inputs))

    model = Net()
    model.compile(loss="mse")
    with pytest.raises(ShapeError):
        model.fit(X[:, :3], Y, verbose=0)
    assert not model.built
    assert not model.first.built
    model.fit(X, Y, verbose=0)
    assert model.first.kernel.shape == (4, 4)


def test_a_build_that_fails_leaves_no_weights() -> None:
    class Half(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.one = self.add_weight((input_shape[-1],), "ones", name="one")
            if input_shape[-1] == 3:
                raise ArgumentError("no three")

        def call(self, inputs: Any) -> Any:
            return inputs * self.one

    layer = Half()
    with pytest.raises(ArgumentError):
        layer(X[:, :3])
    assert not layer.built
    assert not layer.weights
    assert layer(X).shape == (16, 4)
    assert [w.shape for w in layer.weights] == [(4,)]


def test_set_weights_is_all_or_nothing() -> None:
    model = _deterministic()
    before = model.get_weights()
    changed = [w + 1 for w in before[:-1]] + [np.zeros(9)]
    with pytest.raises(ShapeError):
        model.set_weights(changed)
    assert _same(before, model.get_weights())


def test_a_refused_compile_keeps_the_earlier_one() -> None:
    model = regressor()
    optimizer = model.optimizer
    for wrong in (
        {"loss": "msee"},
        {"loss": "mse", "metrics": ["acuracy"]},
        {"optimizer": "addam", "loss": "mse"},
    ):
        with pytest.raises(ArgumentError):
            model.compile(**wrong)
    assert model.optimizer is optimizer
    assert model.loss == "mse"
    model.fit(X, Y, verbose=0)


def test_a_layer_that_does_not_fit_is_not_added() -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    with pytest.raises(ShapeError):
        model.add(layers.Conv2D(2, 3))
    assert [layer.name for layer in model.layers] == ["dense"]
    model.add(layers.Dense(2))
    assert model.output_shape == (None, 2)


class _At(callbacks.Callback):
    """Does something after a given batch."""

    def __init__(self, batch: int, action: Any) -> None:
        super().__init__()
        self.batch, self.action = batch, action
        self.weights: list[np.ndarray] | None = None

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch == self.batch and self.weights is None:
            self.weights = self.model.get_weights()
            self.action()


def _weights_after(steps: int) -> list[np.ndarray]:
    model = _deterministic()
    model.fit(X[: 4 * steps], Y[: 4 * steps], batch_size=4, shuffle=False, verbose=0)
    return model.get_weights()


def test_an_interrupt_keeps_the_last_finished_step() -> None:
    model = _deterministic()
    stop = _At(1, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=4, shuffle=False, verbose=0, callbacks=[stop])
    assert int(model.optimizer.iterations.value) == 2
    for found, wanted in zip(model.get_weights(), _weights_after(2), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-6)
    assert np.isfinite(model.predict(X, verbose=0)).all()
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=[])
    assert int(model.optimizer.iterations.value) == 10
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_in_evaluate_and_predict_leaves_the_model_usable() -> None:
    model = _deterministic()
    before = model.get_weights()

    class Stop(callbacks.Callback):
        def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
            signal.raise_signal(signal.SIGINT)

        def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
            signal.raise_signal(signal.SIGINT)

    for method in (lambda: model.evaluate(X, Y, verbose=0, callbacks=[Stop()]),
                   lambda: model.predict(X, verbose=0, callbacks=[Stop()])):  # fmt: skip
        with pytest.raises(KeyboardInterrupt):
            method()
    assert _same(before, model.get_weights())
    model.fit(X, Y, verbose=0)


def test_an_exception_in_a_callback_keeps_the_last_finished_step() -> None:
    def fail() -> None:
        raise OSError("disk full")

    model = _deterministic()
    stop = _At(1, fail)
    with pytest.raises(OSError, match="disk full"):
        model.fit(X, Y, batch_size=4, shuffle=False, verbose=0, callbacks=[stop])
    assert stop.weights is not None
    assert _same(stop.weights, model.get_weights())
    model.fit(X, Y, verbose=0)


def test_an_exception_in_a_generator_keeps_the_last_finished_step() -> None:
    def batches() -> Any:
        yield X[:4], Y[:4]
        yield X[4:8], Y[4:8]
        raise OSError("network gone")

    model = _deterministic()
    with pytest.raises(OSError, match="network gone"):
        model.fit(batches(), steps_per_epoch=4, verbose=0)
    for weight in model.get_weights():
        assert np.isfinite(weight).all()
    model.fit(X, Y, verbose=0)


def test_the_parts_of_a_message_are_fields() -> None:
    with pytest.raises(ShapeError) as caught:
        keras.Sequential([keras.Input((28, 28)), layers.Conv2D(32, 3)])
    error = caught.value
    assert error.asked == "Conv2D 'conv2d' wants (batch, height, width, channels)."
    assert error.got == "(None, 28, 28), which has no channels axis."
    assert error.fixes[0] == "For grey images: Input((28, 28, 1)) and x[..., None]."
    assert str(error).splitlines()[0] == error.asked


class _Project(layers.Layer):
    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight((8, 4), "ones", name="kernel")

    def call(self, inputs: Any) -> Any:
        return jnp.dot(inputs, self.kernel.value)  # the user's line


def test_the_users_own_line_is_shown_and_ours_are_not() -> None:
    model = keras.Sequential([_Project(name="project")])
    model.compile(loss="mse")
    with pytest.raises(ShapeError, match="Project 'project'") as caught:
        model.fit(X, Y, verbose=0)
    cause = caught.value.__cause__
    assert isinstance(cause, TypeError)
    shown = "".join(traceback.format_exception(caught.value))
    assert "# the user's line" in shown
    assert shown.count("hornbill/") <= 1
    assert "jax/_src" not in shown
    assert "JAX has removed" not in shown


def test_all_frames_can_be_shown() -> None:
    keras.config.disable_traceback_filtering()
    try:
        with pytest.raises(ShapeError) as caught:
            regressor().fit(X[:, :3], Y, verbose=0)
    finally:
        keras.config.enable_traceback_filtering()
    assert "hornbill/training" in "".join(traceback.format_exception(caught.value))


def test_an_error_of_the_users_own_keeps_its_class_and_is_noted_once() -> None:
    class Inner(layers.Layer):
        def call(self, inputs: Any) -> Any:
            raise KeyError("mine")

    class Outer(layers.Layer):
        def __init__(self) -> None:
            super().__init__(name="outer")
            self.inner = Inner(name="inner")

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

    with pytest.raises(KeyError) as caught:
        Outer()(X)
    assert caught.value.__notes__ == ["Raised in Inner 'inner', given inputs (batch 16, features 4)."]


@pytest.mark.parametrize("bad_row", [0, 5, 15])
def test_nan_names_the_step(bad_row: int) -> None:
    x = X.copy()
    x[bad_row] = np.nan
    with pytest.warns(UserWarning, match=rf"nan in epoch 1, step {bad_row // 2 + 1}:") as caught:
        _deterministic().fit(x, Y, batch_size=2, shuffle=False, epochs=2, verbose=0)
    assert len(caught) == 1
    assert "1 of 16 rows" in str(caught[0].message)


def test_nan_names_the_step_in_a_long_epoch_without_a_warning_before() -> None:
    def batches() -> Any:
        for step in range(1100):
            yield X[:1] * (np.nan if step == 700 else 1), Y[:1]

    with pytest.warns(UserWarning, match="nan in epoch 1, step 701:"):
        _deterministic().fit(batches(), verbose=0)


def test_nan_is_left_to_terminate_on_nan(capsys: pytest.CaptureFixture[str]) -> None:
    x = X.copy()
    x[5] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _deterministic().fit(
            x, Y, batch_size=2, shuffle=False, verbose=0, callbacks=[callbacks.TerminateOnNaN()]
        )
    assert "Batch 2" in capsys.readouterr().out


def test_empty_generators_are_data_errors() -> None:
    with pytest.raises(DataError):
        _deterministic().fit(iter(()), verbose=0)
