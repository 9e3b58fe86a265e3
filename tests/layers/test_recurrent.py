"""Recurrent layers and cells against Keras, and what has no twin: user cells, state in compiled calls, errors."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hornbill
from hornbill import layers, ops
from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.engine.masking import get_mask, set_mask
from hornbill.engine.random import SeedGenerator, draw_seed
from tests.cases.layers_b import CONVOLUTIONAL, MASK, RECURRENT
from tests.layers import twins

CASES = [*RECURRENT, *CONVOLUTIONAL]
EACH_ONCE = list({case.public_name: case for case in CASES if not case.call.get("states")}.values())
X = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")


@pytest.mark.long
@pytest.mark.parametrize("case", CASES, ids=str)
def test_outputs_and_states_agree(case):
    twins.check_outputs(case)


@pytest.mark.long
@pytest.mark.parametrize("case", EACH_ONCE, ids=str)
def test_gradients_agree(case):
    twins.check_gradients(case)


@pytest.mark.parametrize("case", [c for c in CASES if c.variable], ids=str)
def test_static_shapes_agree(case):
    twins.check_static_shapes(case)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_configuration_agrees(case):
    twins.check_config(case)


class Noisy(layers.Layer):
    """A cell that assigns to a counter and draws random numbers at each step."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units
        self.generator = SeedGenerator(1)

    def build(self, input_shape):
        self.count = self.add_weight((), "zeros", trainable=False, name="count", axes=())

    def call(self, inputs, states, training=False):
        self.count.assign_add(1.0)
        noise = jax.random.normal(draw_seed(self.generator), (self.units,))
        return ops.add(states[0], noise), [ops.add(states[0], 1.0)]


@pytest.mark.parametrize("unroll", [False, True])
def test_a_cell_may_assign_variables_inside_the_loop(unroll):
    layer = layers.RNN(Noisy(3), return_sequences=True, unroll=unroll)
    first = np.asarray(layer(X))
    assert float(layer.cell.count.value) == 5
    assert layer.cell.generator.state.numpy().tolist() == [1, 5]
    assert len({round(float(v), 5) for v in first[0, :, 0] - np.arange(5)}) == 5
    call = jax.jit(lambda frozen, x: layer.stateless_call([], frozen, x))
    _, state = call([v.value for v in layer.non_trainable_variables], X)
    assert sorted(np.ravel(state[0]).tolist() + np.ravel(state[1]).tolist()) == [1, 10, 10]
    assert layer(hornbill.KerasTensor((None, None, 4))).shape == (None, None, 3)


class Sum:
    state_size = [2, (1, 2)]

    def call(self, inputs, states):
        return inputs[:, :1], [states[0] + 1, states[1] + 2]


def test_a_cell_without_layer_and_with_states_of_several_shapes():
    output, first, second = layers.RNN(Sum(), return_state=True)(X, mask=MASK)
    assert np.asarray(first).tolist() == [[3, 3], [2, 2]]
    assert np.asarray(second)[0].tolist() == [[6, 6]]
    np.testing.assert_allclose(output[:, 0], [X[0, 2, 0], X[1, 3, 0]])


def test_stateful_layers_keep_their_state_in_compiled_calls():
    layer = layers.GRU(3, stateful=True)
    once = np.asarray(layer(X))
    layer.reset_state()
    call = jax.jit(lambda a, b, x: layer.stateless_call(a, b, x))
    trainable = [v.value for v in layer.trainable_variables]
    frozen = [v.value for v in layer.non_trainable_variables]
    output, frozen = call(trainable, frozen, X)
    np.testing.assert_allclose(output, once, rtol=1e-6)
    again, _ = call(trainable, frozen, X)
    assert np.abs(np.asarray(again) - once).max() > 1e-3
    assert [v.path for v in layer.weights] == [v.path for v in layer.trainable_weights]


def test_masks_pass_on():
    x = jnp.asarray(X)
    set_mask(x, jnp.asarray(MASK))
    assert get_mask(layers.LSTM(3, return_sequences=True)(x)) is not None
    assert get_mask(layers.LSTM(3)(x)) is None
    output, *states = layers.LSTM(3, return_sequences=True, return_state=True)(x)
    assert get_mask(output) is not None
    assert all(get_mask(state) is None for state in states)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: layers.LSTM(0), ArgumentError, "units"),
        (lambda: layers.LSTM(3, time_major=True), TypeError, "time_major"),
        (lambda: layers.LSTM(3, use_cudnn=True), ArgumentError, "cuDNN"),
        (lambda: layers.LSTM(3)(X[0]), ShapeError, "batch, steps, features"),
        (lambda: layers.LSTM(3)(X, initial_state=np.zeros((2, 3))), ShapeError, "2 initial"),
        (lambda: layers.LSTM(3)(X[:, :0]), ShapeError, "at least one time step"),
        (lambda: layers.RNN(3), ArgumentError, "no call method"),
        (lambda: layers.LSTM(3, stateful=True)(hornbill.KerasTensor((None, 5, 4))), ShapeError, "batch size"),
        (lambda: layers.ConvLSTM2D(3, 2)(hornbill.KerasTensor((2, 3, None, 4, 1))), ShapeError, "spatial"),
        (lambda: layers.ConvLSTM2D(3, 2, strides=2, dilation_rate=2), ArgumentError, "exclude"),
    ],
)
def test_errors(make, error, text):
    with pytest.raises(error, match=text):
        make()
