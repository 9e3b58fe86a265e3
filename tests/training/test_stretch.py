"""Short steps run in one compiled loop: the same numbers as step by step, decided by the arithmetic of the step alone."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.numerics import assert_close

import hornbill
from hornbill import layers
from hornbill.ops import native
from hornbill.training import accelerator, predictions, stretch
from hornbill.training.step import Steps
from hornbill.training.stretch import stretch_pays
from hornbill.training.workload import Workload, workload_of

rng = np.random.default_rng(5)
X = rng.normal(size=(22, 4)).astype("float32")
Y = rng.normal(size=(22, 1)).astype("float32")


class EveryBatch(hornbill.callbacks.Callback):
    """Asks for every batch, so that steps run one by one."""

    def on_train_batch_end(self, batch, logs=None):
        pass

    def on_test_batch_end(self, batch, logs=None):
        pass


def dense():
    hornbill.utils.set_random_seed(0)
    model = hornbill.Sequential(
        [hornbill.Input((4,)), layers.Dense(3, "tanh"), layers.Dropout(0.2), layers.Dense(1)]
    )
    model.compile("adam", "mse", metrics=["mae"])
    return model


def normalised():
    hornbill.utils.set_random_seed(0)
    model = hornbill.Sequential([hornbill.Input((4,)), layers.BatchNormalization(), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def wide_convolution():
    model = hornbill.Sequential(
        [hornbill.Input((28, 28, 1)), layers.Conv2D(32, 3), layers.Flatten(), layers.Dense(10)]
    )
    model.compile("sgd", "mse")
    return model


def test_workload_of_products():
    def loss(w, v, x):
        return jnp.sum(jnp.maximum(x @ w, 0) @ v)

    shapes = [jax.ShapeDtypeStruct(s, "float32") for s in ((7, 5), (5, 3), (2, 7))]
    forward = 2 * 7 * 5 + 2 * 5 * 3
    assert workload_of(jax.make_jaxpr(loss)(*shapes).jaxpr) == Workload(products=forward)
    # backward: each weight's gradient costs what its product cost, and so does the hidden layer's
    backward = 2 * 7 * 5 + 2 * 5 * 3 + 2 * 5 * 3
    both = workload_of(jax.make_jaxpr(jax.value_and_grad(loss, (0, 1)))(*shapes).jaxpr)
    assert both == Workload(products=forward + backward)


@pytest.mark.parametrize("groups", [1, 2])
def test_workload_of_a_convolution_in_a_loop(groups):
    x, kernel = jnp.zeros((2, 6, 5, 4)), jnp.zeros((3, 2, 4 // groups, 8))

    def convolve(x):
        return jax.lax.conv_general_dilated(
            x, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=groups
        )

    def three_times(x):
        return jax.lax.scan(lambda c, _: (c + convolve(x).sum(), None), 0.0, None, length=3)

    once = 2 * 4 * 4 * 8 * (3 * 2 * 4 // groups)  # batch, height, width, filters, window
    assert workload_of(jax.make_jaxpr(three_times)(x).jaxpr) == Workload(convolutions=3 * once)


@pytest.mark.parametrize("make", [dense, normalised])
@pytest.mark.parametrize("rows", [22, 20, 3])
def test_equals_steps_one_by_one(make, rows):
    results = []
    for callbacks in ([], [EveryBatch()]):
        model = make()
        history = model.fit(
            X[:rows], Y[:rows], batch_size=4, epochs=3, verbose=0, callbacks=callbacks,
            sample_weight=np.arange(1.0, rows + 1),
        ).history  # fmt: skip
        evaluated = model.evaluate(X[:rows], Y[:rows], batch_size=4, verbose=0, callbacks=callbacks)
        results.append(
            (list(history.values()), model.get_weights(), model.optimizer.iterations.numpy(), evaluated)
        )
    assert_close(*results)


def test_epochs_of_fewer_steps_go_on_where_the_last_ended():
    results = []
    for callbacks in ([], [EveryBatch()]):
        model = dense()
        model.fit(X, Y, batch_size=4, epochs=4, steps_per_epoch=3, verbose=0, callbacks=callbacks)
        results.append(model.get_weights())
    assert_close(*results)


def test_is_used_for_small_models_and_compiles_once_for_data_of_similar_size(monkeypatch):
    singles, compiled = [], []
    run = Steps.run
    monkeypatch.setattr(
        Steps, "run", lambda self, kind, batch: singles.append(kind) or run(self, kind, batch)
    )
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, *_, **__: compiled.append(event) if event.endswith("backend_compile_duration") else None
    )
    model = dense()
    model.fit(X, Y, batch_size=4, verbose=0)
    model.fit(X, Y, batch_size=4, verbose=0, validation_data=(X, Y))  # runs epoch by epoch
    first = len(compiled)
    assert first >= 1
    kept = [variable.value for variable in model.variables]
    for rows in (22, 21):
        model.evaluate(X[:rows], Y[:rows], batch_size=4, verbose=0)
        assert not any(value.is_deleted() for value in kept)  # evaluate takes nobody's weights away
        model.fit(X[:rows], Y[:rows], batch_size=4, epochs=2, verbose=0, validation_data=(X, Y))
        model.fit(X[:rows], Y[:rows], batch_size=4, epochs=rows, verbose=0)
    assert not singles
    assert len(compiled) == first


def test_wide_convolutions_run_step_by_step_without_kernels_of_their_own():
    batch = (np.zeros((4, 28, 28, 1), "float32"), np.zeros((4, 10), "float32"), None, None)
    model = wide_convolution()
    model._prepare("train", batch[:3])
    with native.without():
        assert not stretch_pays(model._steps, "train", batch)
    model = wide_convolution()
    model._prepare("train", batch[:3])
    assert stretch_pays(model._steps, "train", batch) == (native.package() is not None)
    model = dense()
    batch = (X[:4], Y[:4], None, None)
    model._prepare("train", batch[:3])
    assert stretch_pays(model._steps, "train", batch)


def test_accelerators_run_every_step_in_the_loop_with_all_data_on_the_device(monkeypatch):
    x, y = rng.normal(size=(12, 28, 28, 1)).astype("float32"), rng.integers(0, 10, 12)

    def losses_and_predictions(callbacks):
        hornbill.utils.set_random_seed(0)
        model = wide_convolution()
        history = model.fit(x, y[:, None] * np.ones(10), 2, epochs=3, verbose=0, callbacks=callbacks)
        return history.history["loss"], model.predict(x, 2, verbose=0), model

    expected = losses_and_predictions([EveryBatch()])
    monkeypatch.setattr(stretch, "on_accelerator", lambda: True)
    *found, model = losses_and_predictions(None)
    assert_close(found[0], expected[0], 1e-4)
    assert_close(found[1], expected[1], 1e-4)
    assert {"epochs", "predict"} <= set(model._steps._loops)
    assert expected[2]._steps._loops == {}


@pytest.mark.parametrize("callbacks", [None, [EveryBatch()]])
def test_loops_may_be_compiled_with_options(monkeypatch, callbacks):
    """JAX takes them for whole programs only, never for a part of a loop."""
    for module in (stretch, predictions):
        monkeypatch.setattr(module, "compiler_options", lambda: {"xla_cpu_enable_fast_math": False})
    model = dense()
    model.fit(X, Y, 4, epochs=3, verbose=0, callbacks=callbacks)
    model.evaluate(X, Y, 4, verbose=0, callbacks=callbacks)
    assert model.predict(X, 4, verbose=0).shape == (22, 1)


def test_options_of_a_gpu_are_left_out_where_this_xla_or_the_user_has_others(monkeypatch):
    assert accelerator.compiler_options() is None  # a CPU
    monkeypatch.setattr(accelerator.jax, "default_backend", lambda: "gpu")
    accelerator.compiler_options.cache_clear()
    assert accelerator.compiler_options() == accelerator._OPTIONS
    for kinds in ({"xla_of_the_future": 1}, {"xla_gpu_enable_command_buffer": "NO_SUCH_KIND"}):
        monkeypatch.setattr(accelerator, "_OPTIONS", kinds)
        accelerator.compiler_options.cache_clear()
        assert accelerator.compiler_options() is None
    monkeypatch.undo()
    monkeypatch.setattr(accelerator.jax, "default_backend", lambda: "gpu")
    monkeypatch.setenv("XLA_FLAGS", "--xla_gpu_enable_command_buffer=FUSION")
    accelerator.compiler_options.cache_clear()
    assert accelerator.compiler_options() is None
    monkeypatch.undo()
    accelerator.compiler_options.cache_clear()


@pytest.mark.parametrize("source", ["arrays", "generator"])
@pytest.mark.parametrize("kind", ["train", "test"])
def test_callbacks_hear_of_every_steps_per_execution_batches(source, kind):
    """The first and the last batch of each call; Keras names batches that do not exist where the last call is short."""
    heard = []

    class Listener(hornbill.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            heard.append(batch)

        on_train_batch_end = on_test_batch_begin = on_test_batch_end = on_train_batch_begin

    results = []
    for group in (3, 1):
        model = dense()
        model.compile("adam", "mse", steps_per_execution=group)
        run = model.fit if kind == "train" else model.evaluate
        parts = (((X[i : i + 4], Y[i : i + 4])) for i in range(0, 20, 4))
        data = {"x": X[:20], "y": Y[:20], "batch_size": 4} if source == "arrays" else {"x": parts}
        shuffle = {"shuffle": False} if kind == "train" and source == "arrays" else {}
        run(**data, **shuffle, verbose=0, callbacks=[Listener()])
        results.append(model.get_weights())
    assert heard == [0, 2, 3, 4, *np.repeat(np.arange(5), 2)]
    assert_close(*results)


@pytest.mark.parametrize("make", [dense, normalised])
@pytest.mark.parametrize("rows", [22, 20, 3])
def test_data_that_does_not_lie_on_the_device_is_fed_in_pieces(monkeypatch, make, rows):
    """Steps whose data is too large: the rows of a few steps go to the loop, whose program knows nothing of their number."""
    results, compiled = [], []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, *_, **__: compiled.append(event) if event.endswith("backend_compile_duration") else None
    )
    for most in (2**29, 0):
        monkeypatch.setattr(stretch, "_RESIDENT_BYTES", most)
        monkeypatch.setattr(stretch, "_FIRST_CHUNK", 2)
        model = make()
        first = model.fit(X[:rows], Y[:rows], batch_size=4, epochs=5, verbose=0, validation_data=(X, Y))
        again = model.fit(X[:rows], Y[:rows], batch_size=4, epochs=3, initial_epoch=1, verbose=0)
        histories = dict(first.history), dict(again.history)
        results.append((histories, model.evaluate(X, Y, verbose=0), model.get_weights()))
    assert_close(*results)
    before = len(compiled)
    model.fit(X[: rows - rows % 4 + 4][:20], Y[: rows - rows % 4 + 4][:20], batch_size=4, verbose=0)
    model.fit(np.tile(X[:20], (50, 1)), np.tile(Y[:20], (50, 1)), batch_size=4, verbose=0)
    model.fit(np.tile(X[:20], (7, 1)), np.tile(Y[:20], (7, 1)), batch_size=4, verbose=0)
    assert len(compiled) <= before + 1  # with all batches full, if it was not compiled for that


class EveryEpoch(hornbill.callbacks.Callback):
    """Asks for every epoch, so that each is a call of its own."""

    def on_epoch_end(self, epoch, logs=None):
        pass


@pytest.mark.parametrize("make", [dense, normalised])
@pytest.mark.parametrize("rows", [20, 3])
def test_several_epochs_in_one_call_equal_one_by_one(make, rows):
    results = []
    for callbacks in ([], [EveryEpoch()]):
        model = make()
        first = model.fit(X[:rows], Y[:rows], batch_size=4, epochs=40, verbose=0, callbacks=callbacks)
        again = model.fit(
            X[:rows], Y[:rows], batch_size=4, initial_epoch=3, epochs=7, verbose=0, callbacks=callbacks
        )
        assert again.epoch == [3, 4, 5, 6]
        results.append(
            (
                dict(first.history),
                dict(again.history),
                model.get_weights(),
                [v.numpy() for m in model.metrics for v in m.variables],
            )
        )
    assert_close(*results)
    assert len(results[0][0]["loss"]) == 40


def test_a_loss_that_is_no_number_is_found_in_a_stretch_of_epochs():
    model = dense()
    model.optimizer.learning_rate = 1e38
    with pytest.warns(UserWarning, match=r"inf or nan in epoch \d+, step \d+"):
        model.fit(X[:20] * 1e10, Y[:20] * 1e18, batch_size=4, epochs=30, verbose=0)


def test_stopping_ends_the_stretch():
    class Stop(hornbill.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    assert len(dense().fit(X, Y, epochs=9, batch_size=4, verbose=0, callbacks=[Stop()]).history["loss"]) == 2
