"""Several batches predicted in one compiled call: the same as the model called on the rows, batch by batch."""

from __future__ import annotations

import numpy as np
import pytest
from tests.numerics import assert_close

import hornbill
from hornbill import layers
from hornbill.training.step import Steps

ROWS = np.random.default_rng(0).normal(size=(70, 6)).astype("float32")


@pytest.fixture
def singles(monkeypatch):
    """Counts the batches that are predicted in a call of their own."""
    counted = []
    run = Steps.run
    monkeypatch.setattr(
        Steps, "run", lambda self, kind, batch: counted.append(kind) or run(self, kind, batch)
    )
    return counted


def several_outputs():
    inputs = hornbill.Input((6,))
    x = layers.BatchNormalization()(layers.Dense(5, "tanh")(inputs))
    return hornbill.Model(inputs, {"sum": layers.Dense(1)(x), "wide": layers.Reshape((5, 1))(x)})


@pytest.mark.parametrize("rows", [70, 64, 29])
@pytest.mark.parametrize("size", [4, 7])
def test_equals_the_model_on_all_rows(singles, rows, size):
    model = several_outputs()
    got = model.predict(ROWS[:rows], batch_size=size, verbose=0)
    assert not singles
    wanted = model(ROWS[:rows])
    assert_close(got["sum"], np.asarray(wanted["sum"]))
    assert_close(got["wide"], np.asarray(wanted["wide"]))


def test_fewer_batches_and_callbacks_for_each_have_calls_of_their_own(singles):
    model = several_outputs()
    heard = []

    class Listener(hornbill.callbacks.Callback):
        def on_predict_batch_end(self, batch, logs=None):
            heard.append((batch, logs["outputs"]["sum"].shape))

    model.predict(ROWS[:21], batch_size=7, verbose=0)
    assert len(singles) == 3
    got = model.predict(ROWS[:30], batch_size=7, verbose=0, callbacks=[Listener()])
    assert heard == [(0, (7, 1)), (1, (7, 1)), (2, (7, 1)), (3, (7, 1)), (4, (2, 1))]
    assert_close(got["sum"], np.asarray(model(ROWS[:30])["sum"]))


def test_state_goes_on_from_batch_to_batch(singles):
    """A stateful layer remembers the batch before, within a call and from one call to the next."""
    model = hornbill.Sequential(
        [hornbill.Input(batch_shape=(2, 3, 6)), layers.SimpleRNN(4, stateful=True), layers.Dense(1)]
    )
    x = np.random.default_rng(1).normal(size=(72, 3, 6)).astype("float32")  # 36 batches: three calls
    got = model.predict(x, batch_size=2, verbose=0)
    assert not singles
    cell, dense = model.layers[0].cell, model.layers[1]
    kernel, recurrent, bias = map(
        np.asarray, (cell.kernel.value, cell.recurrent_kernel.value, cell.bias.value)
    )
    state, wanted = np.zeros((2, 4)), []
    for batch in x.reshape(36, 2, 3, 6):
        for step in range(3):
            state = np.tanh(batch[:, step] @ kernel + bias + state @ recurrent)
        wanted.append(state @ np.asarray(dense.kernel.value) + np.asarray(dense.bias.value))
    assert_close(got, np.concatenate(wanted))


def test_rows_that_do_not_map_to_rows_are_not_looped(singles):
    """A model whose output has no row per row of input is left to single calls."""
    inputs = hornbill.Input(batch_shape=(5, 6))
    model = hornbill.Model(inputs, hornbill.ops.sum(inputs, axis=0, keepdims=True))
    got = model.predict(ROWS[:40], batch_size=5, verbose=0)
    assert len(singles) == 8
    assert_close(got, ROWS[:40].reshape(8, 5, 6).sum(1))
