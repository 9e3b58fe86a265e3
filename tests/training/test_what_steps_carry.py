"""What a training step takes along: memory that others hold stays theirs, metrics count once, `self` has any name."""

from __future__ import annotations

import jax.numpy as jnp
import keras
import numpy as np
import pytest

import hornbill
from hornbill import layers

X = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")


def _model():
    return hornbill.Sequential([hornbill.Input((4,)), layers.Dense(4), layers.Dense(4)])


def _trained(model):
    model.compile("adam", "mse")
    model.fit(X, X, batch_size=8, verbose=0)
    return model


def test_arrays_that_others_hold_outlive_training():
    model, twin, third = _model(), _model(), _model()
    for mine, theirs in zip(twin.weights, model.weights, strict=True):
        mine.assign(theirs)
    third.set_weights([v.value for v in model.weights])
    held = [v.value for v in model.weights]
    before = model.get_weights()
    _trained(model)
    assert not np.allclose(before[0], model.get_weights()[0])
    for kept in (twin.get_weights(), third.get_weights(), held):
        for a, b in zip(kept, before, strict=True):
            np.testing.assert_array_equal(a, b)


def test_two_variables_may_hold_one_array():
    model = _model()
    model.layers[1].kernel.assign(model.layers[0].kernel)
    _trained(model)
    assert not np.array_equal(*(layer.kernel.numpy() for layer in model.layers))


def test_a_variable_made_of_an_array_leaves_it_to_its_owner():
    array = jnp.ones((4, 4))

    class Own(layers.Layer):
        def __init__(self):
            super().__init__()
            self.w = hornbill.Variable(array)
            self.v = self.add_weight(shape=(4, 4), initializer=lambda shape, dtype: array)

        def call(self, x):
            return x @ self.w + x @ self.v

    _trained(hornbill.Sequential([hornbill.Input((4,)), Own()]))
    assert float(array.sum()) == 16


def test_metric_objects_of_compile_are_listed_and_counted_once():
    for library in (hornbill, keras):
        model = library.Sequential([library.Input((4,)), library.layers.Dense(4)])
        metric = library.metrics.MeanAbsoluteError(name="error")
        model.compile("adam", "mse", metrics=["mae", metric])
        history = model.fit(X, X, batch_size=8, verbose=0).history
        assert [m.name for m in model.metrics] == ["loss", "compile_metrics"]
        assert set(history) == {"loss", "mae", "error"}
        assert history["mae"] == pytest.approx(history["error"])


def test_a_metric_held_by_the_model_too_is_carried_once():
    class Holder(hornbill.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(4)
            self.error = hornbill.metrics.MeanAbsoluteError(name="error")

        def call(self, x):
            return self.dense(x)

    model = Holder()
    model.compile("sgd", "mse", metrics=[model.error])
    assert set(model.fit(X, X, verbose=0).history) == {"loss", "error"}


def _history_of_own_loss(library):
    class Own(library.Model):
        def __init__(self):
            super().__init__()
            self.dense = library.layers.Dense(4, kernel_initializer="ones")
            self.seen = library.metrics.Mean(name="seen")

        def call(self, x):
            return self.dense(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            loss = library.ops.mean(library.ops.square(y - y_pred))
            self.seen.update_state(loss)
            return loss

        @property
        def metrics(self):
            return [self.seen]

    model = Own()
    model.compile(library.optimizers.SGD(0.01), metrics=["mae"])
    history = model.fit(X, X, batch_size=8, shuffle=False, epochs=2, verbose=0).history
    return {**history, "evaluated": model.evaluate(X, X, verbose=0, return_dict=True)["seen"]}


def test_metrics_of_a_subclass_may_leave_out_the_mean_loss():
    found, wanted = _history_of_own_loss(hornbill), _history_of_own_loss(keras)
    assert list(found) == list(wanted) == ["seen", "evaluated"]
    np.testing.assert_allclose(found["seen"], wanted["seen"], rtol=1e-5)
    np.testing.assert_allclose(found["evaluated"], wanted["evaluated"], rtol=1e-5)


def test_the_first_parameter_of_methods_may_have_any_name():
    class Own(layers.Layer):
        def build(this, shape):
            this.w = this.add_weight(shape=(shape[-1], 3), initializer="ones")

        def call(this, x, mask=None):
            return x @ this.w

    class Net(hornbill.Model):
        def __init__(this):
            super().__init__()
            this.own = Own()

        def call(this, x):
            return this.own(x)

    model = Net()
    np.testing.assert_allclose(model(X)[:, 0], X.sum(1), rtol=1e-5)
    model.compile("sgd", "mse")
    model.fit(X, X[:, :3], verbose=0)
    assert model.own.w.shape == (4, 3)


@pytest.mark.parametrize("eager", [False, True])
def test_a_metric_may_give_its_variable_as_the_result(eager):
    class Batches(hornbill.metrics.Metric):
        def __init__(self):
            super().__init__(name="batches")
            self.count = self.add_weight(name="count", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.count.assign_add(1.0)

        def result(self):
            return self.count

    class Holder(hornbill.Model):
        def __init__(self):
            super().__init__()
            self.dense, self.batches = layers.Dense(4), Batches()

        def call(self, x):
            return self.dense(x)

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            self.batches.update_state(y, y_pred)
            return self.get_metrics_result()

    compiled, held = _model(), Holder()
    compiled.compile("sgd", "mse", metrics=[Batches()], run_eagerly=eager)
    held.compile("sgd", "mse", run_eagerly=eager)
    for model in (compiled, held):
        assert model.fit(X, X, batch_size=8, epochs=2, verbose=0).history["batches"] == [5.0, 5.0]
        assert model.evaluate(X, X, batch_size=8, verbose=0, return_dict=True)["batches"] == 5
