"""Whole sequences by a kernel: against steps in float64, under JAX's transformations, and when they are used."""

from __future__ import annotations

import json

import jax
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hornbill
from hornbill.ops import native, native_recurrent
from tests.ops.test_native import floats, needs_kernels

TINY = np.finfo(np.float32).tiny  # what is smaller may become 0


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def drawn(kind, steps, rows, units):
    """Returns what `lstm` or `gru` takes; the recurrent kernel is small, so that rounding errors do not grow."""
    if kind is native_recurrent.lstm:
        shapes = [(steps, rows, 4 * units), (rows, units), (rows, units), (units, 4 * units)]
    else:
        shapes = [(steps, rows, 3 * units), (rows, units), (units, 3 * units), (3 * units,)]
    arrays = [floats(*shape) for shape in shapes]
    arrays[3 if kind is native_recurrent.lstm else 2] *= np.float32(0.5 / np.sqrt(units))
    return arrays


def lstm_in_float64(projected, h, c, recurrent, by_h, by_c):
    """Returns the outputs, the last cell state and all gradients, from the equations, step by step."""
    projected, h, c, recurrent = (np.asarray(x, np.float64) for x in (projected, h, c, recurrent))
    held, outputs = [], []
    for share in projected:
        i, f, g, o = np.split(share + h @ recurrent, 4, axis=-1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        before, c = (h, c), f * c + i * g
        h = o * np.tanh(c)
        held.append((*before, i, f, g, o, c))
        outputs.append(h)
    by_x, by_r, dh, dc = [], np.zeros(recurrent.shape), np.zeros(h.shape), np.asarray(by_c, np.float64)
    for (h0, c0, i, f, g, o, c1), by in zip(held[::-1], by_h[::-1], strict=True):
        dh, t = dh + by, np.tanh(c1)
        dc = dc + dh * o * (1 - t**2)
        parts = [dc * g * i * (1 - i), dc * c0 * f * (1 - f), dc * i * (1 - g**2), dh * t * o * (1 - o)]
        gates = np.concatenate(parts, axis=-1)
        by_x.append(gates)
        by_r += h0.T @ gates
        dh, dc = gates @ recurrent.T, dc * f
    return np.stack(outputs), c, np.stack(by_x[::-1]), dh, dc, by_r


def gru_in_float64(projected, h, recurrent, bias, by_h):
    """Returns the outputs and all gradients, from the equations, step by step."""
    projected, h, recurrent, bias = (np.asarray(x, np.float64) for x in (projected, h, recurrent, bias))
    held, outputs = [], []
    for share in projected:
        x, y = np.split(share, 3, axis=-1), np.split(h @ recurrent + bias, 3, axis=-1)
        z, r = sigmoid(x[0] + y[0]), sigmoid(x[1] + y[1])
        g = np.tanh(x[2] + r * y[2])
        held.append((h, z, r, y[2], g))
        h = z * h + (1 - z) * g
        outputs.append(h)
    by_x, by_r, by_bias, dh = [], np.zeros(recurrent.shape), np.zeros(bias.shape), np.zeros(h.shape)
    for (h0, z, r, y, g), by in zip(held[::-1], by_h[::-1], strict=True):
        dh = dh + by
        dz, dg = dh * (h0 - g) * z * (1 - z), dh * (1 - z) * (1 - g**2)
        dr = dg * y * r * (1 - r)
        by_x.append(np.concatenate([dz, dr, dg], axis=-1))
        product = np.concatenate([dz, dr, dg * r], axis=-1)
        by_r, by_bias = by_r + h0.T @ product, by_bias + product.sum(0)
        dh = dh * z + product @ recurrent.T
    return np.stack(outputs), np.stack(by_x[::-1]), dh, by_r, by_bias


KINDS = [native_recurrent.lstm, native_recurrent.gru]
both = pytest.mark.parametrize("kind", KINDS, ids=["lstm", "gru"])


@needs_kernels
@both
@settings(max_examples=20, deadline=None)
@given(
    steps=st.integers(1, 7), rows=st.sampled_from([1, 3, 8, 40]), units=st.sampled_from([1, 5, 16, 33, 64])
)
def test_outputs_and_gradients(kind, steps, rows, units):
    arguments = drawn(kind, steps, rows, units)
    found, back = jax.vjp(kind, *arguments)
    by = jax.tree.map(lambda value: floats(*value.shape), found)
    in_float64 = lstm_in_float64 if kind is native_recurrent.lstm else gru_in_float64
    wanted = in_float64(*arguments, *jax.tree.leaves(by))
    for mine, theirs in zip((*jax.tree.leaves(found), *back(by)), wanted, strict=True):
        assert mine.shape == theirs.shape
        scale = max(np.abs(theirs).max(), 1)
        np.testing.assert_allclose(np.asarray(mine) / scale, theirs / scale, rtol=0, atol=3e-6)


@needs_kernels
def test_activations_over_their_whole_range():
    values = np.concatenate([np.linspace(-100, 100, 4001), np.logspace(-30, 0, 200), [0.0]]).astype(
        np.float32
    )
    units = len(values)
    shares = np.zeros((1, 1, 4 * units), np.float32)
    shares[..., units : 2 * units] = 200.0  # a forget gate of 1 lets the cell state through
    shares[..., 2 * units : 3 * units] = -200.0
    shares[..., :units] = -200.0  # an input gate of 0
    shares[..., 3 * units :] = values
    zero, cell = np.zeros((1, units), np.float32), np.full((1, units), 0.5, np.float32)
    outputs, last = native_recurrent.lstm(shares, zero, cell, np.zeros((units, 4 * units), np.float32))
    np.testing.assert_array_equal(last, cell)
    gate = 1 / (1 + np.exp(-values.astype(np.float64)))
    np.testing.assert_allclose(outputs[0, 0], gate * np.tanh(0.5), rtol=3e-6, atol=TINY)
    shares[..., 3 * units :] = 200.0
    outputs, _ = native_recurrent.lstm(shares, zero, values[None], np.zeros((units, 4 * units), np.float32))
    np.testing.assert_allclose(outputs[0, 0], np.tanh(values.astype(np.float64)), rtol=1e-6, atol=0)


@needs_kernels
def test_an_update_gate_of_one_keeps_the_state_of_a_gru():
    units = 19
    shares = np.zeros((2, 3, 3 * units), np.float32)
    shares[..., :units] = 200.0
    h, recurrent, bias = floats(3, units), floats(units, 3 * units), floats(3 * units)
    outputs, back = jax.vjp(native_recurrent.gru, shares, h, recurrent, bias)
    np.testing.assert_array_equal(outputs, [h, h])
    by_shares, by_h, *others = back(np.ones_like(outputs))
    np.testing.assert_array_equal(by_h, np.full_like(h, 2))
    for by in (by_shares, *others):
        np.testing.assert_array_equal(by, np.zeros_like(by))


@needs_kernels
@both
def test_what_is_no_number_stays_none(kind):
    arguments = drawn(kind, 2, 4, 8)
    arguments[0][1, 2, 3] = np.nan
    outputs = jax.tree.leaves(kind(*arguments))[0]
    assert np.isnan(outputs[1, 2, 3])
    assert np.isfinite(outputs[1, [0, 1, 3]]).all()


@needs_kernels
@both
def test_second_derivatives(kind):
    arguments = drawn(kind, 3, 2, 4)

    def twice(sequence):
        def slope(*x):
            outputs = jax.grad(lambda *x: (jax.tree.leaves(sequence(*x))[0] ** 2).sum(), (0, 1, 2, 3))(*x)
            return sum((g**2).sum() for g in outputs)

        return jax.grad(slope, (0, 1, 2, 3))(*arguments)

    steps = native_recurrent._lstm_steps if kind is native_recurrent.lstm else native_recurrent._gru_steps
    for mine, theirs in zip(twice(kind), twice(lambda *x: steps(*x)[0]), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)


@needs_kernels
@both
def test_mapping_runs_the_other_path(kind):
    several = [np.stack([x, 2 * x]) for x in drawn(kind, 3, 2, 4)]
    found, back = jax.vjp(jax.vmap(kind), *several)
    gradients = back(found)
    for i in range(2):
        one, one_back = jax.vjp(kind, *(x[i] for x in several))
        wanted = jax.tree.leaves((one, one_back(one)))
        for mine, theirs in zip(jax.tree.leaves((found, gradients)), wanted, strict=True):
            np.testing.assert_allclose(mine[i], theirs, atol=1e-5)


def uses_kernel(layer, x, **arguments):
    layer(x)
    weights = [variable.value for variable in layer.trainable_variables]
    others = [variable.value for variable in layer.non_trainable_variables]
    call = jax.jit(lambda w, o, x: layer.stateless_call(w, o, x, **arguments)[0])
    text = call.lower(weights, others, x).as_text()
    return "hornbill_lstm" in text or "hornbill_gru" in text


@needs_kernels
def test_which_layers_take_it():
    x = floats(2, 5, 3)
    layers = hornbill.layers
    assert uses_kernel(layers.LSTM(4), x)
    assert uses_kernel(
        layers.LSTM(4, return_sequences=True, go_backwards=True, dropout=0.5), x, training=True
    )
    assert uses_kernel(layers.Bidirectional(layers.LSTM(4)), x)
    assert not uses_kernel(layers.LSTM(4, activation="relu"), x)
    assert not uses_kernel(layers.LSTM(4, recurrent_dropout=0.5), x, training=True)
    assert not uses_kernel(layers.LSTM(4, unroll=True), x)
    assert not uses_kernel(layers.LSTM(4, dtype="bfloat16"), x)
    assert not uses_kernel(layers.LSTM(4), x, mask=np.ones((2, 5), bool))
    assert uses_kernel(layers.GRU(4), x)
    assert uses_kernel(layers.Bidirectional(layers.GRU(4, dropout=0.5)), x, training=True)
    assert not uses_kernel(layers.GRU(4, reset_after=False), x)
    assert not uses_kernel(layers.GRU(4, recurrent_activation="hard_sigmoid"), x)
    with native.without():
        assert not uses_kernel(layers.LSTM(4), x)
        assert not uses_kernel(layers.GRU(4), x)


@needs_kernels
@pytest.mark.parametrize("name", ["LSTM", "GRU"])
@pytest.mark.parametrize(
    "settings",
    [{}, {"return_sequences": True, "go_backwards": True}, {"return_state": True, "use_bias": False}],
)
def test_layers_give_what_keras_gives(name, settings):
    x = floats(3, 6, 5)
    own, theirs = (getattr(of.layers, name)(7, **settings) for of in (hornbill, keras))
    assert uses_kernel(own, x)
    theirs(x)
    own.set_weights([floats(*weight.shape) for weight in own.get_weights()])
    theirs.set_weights([np.asarray(weight) for weight in own.get_weights()])
    for given_states in (None, [floats(3, 7) for _ in range(2 if name == "LSTM" else 1)]):
        found, wanted = own(x, initial_state=given_states), theirs(x, initial_state=given_states)
        for mine, their in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
            np.testing.assert_allclose(mine, np.asarray(their), atol=2e-6)


@needs_kernels
def test_explanations_see_the_steps():
    inputs = hornbill.Input((5, 3))
    model = hornbill.Model(inputs, hornbill.layers.LSTM(4)(inputs))
    told = json.loads(model.explain(to="json"))["layers"]
    with native.without():
        assert told == json.loads(model.explain(to="json"))["layers"]
