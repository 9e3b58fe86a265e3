"""Batch normalisation with the sums of `hornbill-native`, against its definition in float64 and XLA's path.

Most of it needs the package `hornbill-native` (`pip install ./native`) and is skipped where that is not installed.
"""

from __future__ import annotations

import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hornbill
from hornbill.engine.context import fresh_context
from hornbill.engine.record import Record
from hornbill.ops import native, native_moments

ROOM = np.random.default_rng(0)
INSTALLED = importlib.util.find_spec("hornbill_native") is not None
needs_kernels = pytest.mark.skipif(
    not INSTALLED or bool(native.reason_inactive()),
    reason="hornbill-native is not installed (pip install ./native)",
)
EPSILON = 1e-3


def floats(*shape):
    return ROOM.standard_normal(shape).astype(np.float32)


def close(got, wanted, least=1.0):
    """Within 1e-5 of the largest number, or of `least` if that is larger: where sums cancel, what they amount to."""
    assert got.shape == wanted.shape
    scale = max(float(np.abs(wanted).max()), least)
    np.testing.assert_allclose(np.asarray(got) / scale, wanted / scale, rtol=0, atol=1e-5)


def plain(x, gamma, beta, g):
    """Returns outputs, mean, variance and, from the gradient `g` of the outputs, those by x, gamma and beta."""
    x, gamma, beta, g = (np.asarray(array, np.float64) for array in (x, gamma, beta, g))
    axes = tuple(range(x.ndim - 1))
    mean, variance = x.mean(axes), x.var(axes)
    deviation = np.sqrt(variance + EPSILON)
    unit = (x - mean) / deviation
    by_unit = g * gamma
    by_x = (by_unit - by_unit.mean(axes) - unit * (by_unit * unit).mean(axes)) / deviation
    return unit * gamma + beta, mean, variance, by_x, (g * unit).sum(axes), g.sum(axes)


@needs_kernels
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_batch_normalisation_and_gradients(data):
    draw = data.draw
    channels = draw(st.sampled_from([16, 19, 32, 70, 300]))
    middle = [draw(st.integers(1, 5)) for _ in range(draw(st.integers(0, 2)))]
    rows = -(-40_000 // (channels * int(np.prod(middle))))
    away = draw(st.sampled_from([0, 3, 30]))
    x = floats(rows, *middle, channels) * floats(channels) + np.float32(away)
    gamma, beta, g = floats(channels), floats(channels), floats(*x.shape)

    def ours(x, gamma, beta):
        return native_moments.batch_normalization(x, gamma, beta, -1, EPSILON)

    (y, mean, variance), back = jax.vjp(ours, x, gamma, beta)
    zeros = np.zeros(channels, np.float32)
    found = (y, mean, variance, *back((g, zeros, zeros)))
    # A mean in float32 is off by its last digit, which the division by a small deviation enlarges.
    names = ("y", "mean", "variance", "by x", "by gamma", "by beta")
    for name, mine, theirs in zip(names, found, plain(x, gamma, beta, g), strict=True):
        if name in ("mean", "variance", "by beta") or away == 0:
            close(mine, theirs)
        else:
            scale = max(float(np.abs(theirs).max()), 1.0)
            np.testing.assert_allclose(np.asarray(mine) / scale, theirs / scale, rtol=0, atol=1e-5 * away)


LARGE = floats(16, 16, 8, 16) * 2 + 1


def layer_with(**arguments):
    layer = hornbill.layers.BatchNormalization(**arguments)
    layer.build(LARGE.shape)
    return layer


def run(layer, weights, moving, x):
    return layer.stateless_call(weights, moving, x, training=True)


def xla(f):
    """The same function by XLA's path."""

    def call(*arguments):
        with native.without():
            return f(*arguments)

    return call


@needs_kernels
@pytest.mark.parametrize("arguments", [{}, {"center": False}, {"scale": False}, {"renorm": True}])
def test_the_layer_agrees_with_the_other_path(arguments):
    layer = layer_with(**arguments)
    weights = [floats(16) for _ in layer.trainable_variables]
    moving = [np.asarray(variable.value) for variable in layer.non_trainable_variables]

    def loss(weights, x):
        outputs, state = run(layer, weights, moving, x)
        return jnp.sum(jnp.tanh(outputs)), (outputs, state)

    step = jax.grad(loss, (0, 1), has_aux=True)
    text = jax.jit(step).lower(weights, LARGE).as_text()
    assert ("hornbill_moments_grad" in text) == ("renorm" not in arguments)
    ours, theirs = step(weights, LARGE), xla(step)(weights, LARGE)
    for mine, yours in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        close(mine, np.asarray(yours))


def loss(x, gamma):
    layer = layer_with(center=False)
    moving = [np.zeros(16, np.float32), np.ones(16, np.float32)]
    outputs, (mean, variance) = run(layer, [gamma], moving, x)
    return jnp.sum(jnp.tanh(outputs)) + jnp.sum(mean * variance)


@needs_kernels
@pytest.mark.parametrize(
    "transformed",
    [
        jax.jit,
        lambda f: jax.jit(jax.grad(f, (0, 1))),
        lambda f: lambda x, w: jax.vmap(f, (None, 0))(x, jnp.stack([w, 2 * w])),
        lambda f: lambda x, w: jax.vmap(jax.grad(f), (0, None))(jnp.stack([x, x * x]), w),
        lambda f: lambda x, w: jax.grad(lambda x: jnp.sum(jax.grad(f)(x, w) ** 2))(x),
        lambda f: lambda x, w: jax.grad(lambda w: jnp.sum(jax.grad(f)(x, w) ** 2))(w),
        lambda f: lambda x, w: jax.grad(lambda x: jnp.sum(jax.grad(f, 1)(x, w) ** 2))(x),
        lambda f: lambda x, w: jax.grad(jax.checkpoint(f))(x, w),
    ],
)
def test_transformations_agree_with_xla(transformed):
    gamma = floats(16)
    ours, theirs = transformed(loss)(LARGE, gamma), xla(transformed(loss))(LARGE, gamma)
    for mine, yours in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        summed = LARGE.size // max(mine.size, 1)  # terms of about 1 and of both signs
        close(mine, np.asarray(yours), max(1.0, float(np.sqrt(summed))))


@needs_kernels
def test_gradients_by_mean_and_variance():
    gamma, beta, g, by_mean, by_variance = (
        floats(16),
        floats(16),
        floats(*LARGE.shape),
        floats(16),
        floats(16),
    )

    def ours(x):
        return native_moments.batch_normalization(x, gamma, beta, -1, EPSILON)

    def theirs(x):
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        return (x - mean) / jnp.sqrt(variance + EPSILON) * gamma + beta, mean, variance

    found, wanted = (jax.vjp(f, LARGE)[1]((g, by_mean, by_variance))[0] for f in (ours, theirs))
    close(found, np.asarray(wanted))


@needs_kernels
@pytest.mark.parametrize(
    ("x", "axis"),
    [
        (floats(64, 8, 8, 8), -1),  # few channels
        (floats(4, 8, 8, 16), -1),  # small
        (LARGE, 1),
        (LARGE.astype("float16"), -1),
    ],
)
def test_what_is_left_to_xla(x, axis):
    vector = np.ones(x.shape[axis], "float32")
    assert native_moments.batch_normalization(x, vector, vector, axis, EPSILON) is None


@needs_kernels
def test_records_keep_the_single_ops():
    record = Record("layer", "b")
    with fresh_context(recorder=record):
        layer_with().call(LARGE, training=True)
    assert [child.name for child in record.children if child.name != "cast"] == [
        "moments",
        "batch_normalization",
    ]
