"""Convolutions and pooling against real Keras: values, gradients (ties included), shapes, error messages."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbill.engine.errors import ArgumentError, ArgumentTypeError, ShapeError
from hornbill.engine.symbolic import KerasTensor
from hornbill.ops import nn
from hornbill.ops.conv import transposed_sizes

ROOM = np.random.default_rng(0)


def floats(*shape):
    return ROOM.random(shape, dtype=np.float32) - 0.5


def check(name, arrays, rtol=1e-5, **arguments):
    """Compares values and the gradients by every array, weighed by one random cotangent."""
    ours, theirs = getattr(nn, name), getattr(keras.ops, name)
    result, ours_back = jax.vjp(lambda *a: ours(*a, **arguments), *map(jnp.asarray, arrays))
    expected, theirs_back = jax.vjp(lambda *a: theirs(*a, **arguments), *map(jnp.asarray, arrays))
    assert result.dtype == expected.dtype
    np.testing.assert_allclose(result, expected, rtol=rtol, atol=1e-5)
    weights = floats(*result.shape)
    for mine, yours in zip(ours_back(weights), theirs_back(weights), strict=True):
        np.testing.assert_allclose(mine, yours, rtol=rtol, atol=1e-5)


CONV = [
    ("conv", (2, 7, 3), (3, 3, 4), {"strides": 2, "padding": "same"}),
    ("conv", (2, 6, 5, 4), (3, 2, 2, 6), {"strides": (1, 2), "padding": "VALID"}),
    (
        "conv", (1, 3, 9, 8), (3, 3, 3, 2),
        {"dilation_rate": 2, "padding": "same", "data_format": "channels_first"},
    ),
    ("conv", (1, 4, 4, 4, 2), (2, 2, 2, 2, 3), {}),
    ("depthwise_conv", (2, 7, 6, 3), (3, 2, 3, 2), {"strides": 2, "padding": "same"}),
    ("depthwise_conv", (2, 9, 3), (3, 3, 1), {"dilation_rate": 2}),
    ("depthwise_conv", (2, 3, 7, 6), (3, 3, 3, 1), {"padding": "same", "data_format": "channels_first"}),
    ("depthwise_conv", (1, 12, 9, 2), (8, 8, 2, 1), {}),
    ("conv_transpose", (2, 3, 4, 3), (2, 2, 5, 3), {"strides": 2, "padding": "same"}),
    ("conv_transpose", (2, 3, 4, 3), (2, 3, 5, 3), {"strides": (2, 3)}),
    ("conv_transpose", (2, 4, 3), (3, 2, 3), {"strides": 2, "padding": "same", "output_padding": 1}),
    ("conv_transpose", (1, 3, 4, 4), (3, 3, 2, 3), {"strides": 2, "data_format": "channels_first"}),
    ("conv_transpose", (1, 4, 3), (3, 2, 3), {"dilation_rate": 2, "padding": "same"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "shape", "kernel", "arguments"), CONV)
def test_convolutions(name, shape, kernel, arguments):
    check(name, (floats(*shape), floats(*kernel)), rtol=1e-4, **arguments)


def test_separable_conv():
    check(
        "separable_conv", (floats(2, 7, 6, 3), floats(3, 3, 3, 2), floats(1, 1, 6, 4)), rtol=1e-4, strides=2
    )


def testtransposed_sizes_over_a_grid():
    grid = itertools.product(range(1, 6), (1, 2, 3), ("valid", "same"), (None, 0, 1), (1, 2), (1, 4, 9))
    for kernel, stride, padding, extra, rate, size in grid:
        arguments = {"strides": stride, "padding": padding, "output_padding": extra, "dilation_rate": rate}
        shapes = (2, size, 3), (kernel, 4, 3)
        expected = keras.ops.conv_transpose(*map(keras.KerasTensor, shapes), **arguments).shape
        longer, _ = transposed_sizes(kernel, stride, padding, extra, rate)
        assert (2, size * stride + longer, 4) == tuple(expected), (kernel, arguments, size)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("kernel", "stride", "extra", "rate"), [(4, 3, 2, 1), (5, 3, 1, 2), (2, 1, 0, 1), (1, 3, None, 1)]
)
def test_transposed_values(kernel, stride, extra, rate, padding):
    arguments = {"strides": stride, "padding": padding, "output_padding": extra, "dilation_rate": rate}
    data = floats(1, 4, 2), floats(kernel, 3, 2)
    expected = keras.ops.conv_transpose(*data, **arguments)
    np.testing.assert_allclose(nn.conv_transpose(*data, **arguments), expected, rtol=1e-4, atol=1e-5)


def torn(*shape):
    """Small whole numbers, half of them 0: full of ties, like the output of a relu."""
    return np.maximum(ROOM.integers(-3, 4, shape), 0).astype("float32")


POOLS = [
    ((2, 5, 6, 3), 2, None, "valid"),
    ((2, 5, 6, 3), (2, 2), (2, 2), "same"),
    ((2, 7, 8, 3), (3, 3), (2, 2), "same"),
    ((1, 6, 5, 2), (3, 2), (1, 1), "valid"),
    ((1, 6, 5, 2), (1, 1), (2, 3), "valid"),
    ((1, 5, 5, 2), (2, 3), (4, 1), "same"),
    ((1, 9, 9, 1), (6, 6), (2, 3), "same"),
]


@pytest.mark.parametrize(("shape", "pool", "strides", "padding"), POOLS)
@pytest.mark.parametrize("name", ["max_pool", "average_pool"])
def test_pools_with_ties(name, shape, pool, strides, padding):
    pool = (pool, pool) if isinstance(pool, int) else pool
    check(name, (torn(*shape),), pool_size=pool, strides=strides or pool, padding=padding)


def test_pools_channels_first():
    for name in ("max_pool", "average_pool"):
        arguments = {"strides": (2, 2), "padding": "same", "data_format": "channels_first"}
        check(name, (torn(2, 3, 7, 6),), pool_size=(3, 2), **arguments)


def test_pools_of_one_and_three_axes():
    for name in ("max_pool", "average_pool"):
        check(name, (torn(2, 7, 3),), pool_size=(2,), strides=(2,), padding="same")
        check(name, (torn(1, 4, 4, 4, 2),), pool_size=(2, 2, 2), strides=(2, 2, 2), padding="valid")


@settings(max_examples=8)
@given(
    st.integers(3, 8),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from(["valid", "same"]),
    st.integers(0, 99),
)
def test_random_pools(size, pool, stride, padding, seed):
    data = np.random.default_rng(seed).integers(-2, 3, (1, size, 2)).astype("float32")
    check("max_pool", (data,), pool_size=(pool,), strides=(stride,), padding=padding)


@pytest.mark.parametrize("name", ["adaptive_max_pool", "adaptive_average_pool"])
@pytest.mark.parametrize(
    ("shape", "size"), [((2, 7, 2), (3,)), ((2, 6, 5, 2), (3, 2)), ((1, 3, 3, 1), (5, 1))]
)
def test_adaptive_pools(name, shape, size):
    check(name, (torn(*shape),), output_size=size)


def test_whole_numbers_and_16_bits():
    data = np.arange(16).reshape(1, 4, 4, 1)
    assert nn.max_pool(data, 2).dtype == "int32"
    assert nn.max_pool(data, 2).ravel().tolist() == [5, 7, 13, 15]
    half = jnp.asarray(data, "bfloat16")
    assert {nn.max_pool(half, 2).dtype.name, nn.average_pool(half, 3, 1, "same").dtype.name} == {"bfloat16"}


def test_vmap_of_the_pool_gradient():
    data = torn(3, 1, 4, 4, 1)
    slopes = jax.vmap(jax.grad(lambda x: nn.max_pool(x, 2).sum()))(data)
    for one, slope in zip(data, slopes, strict=True):
        np.testing.assert_array_equal(jax.grad(lambda x: nn.max_pool(x, 2).sum())(one), slope)


def test_unknown_sizes():
    x, y = KerasTensor((None, None, 9, 3)), KerasTensor((None, 7, None, 3))
    assert nn.conv(x, KerasTensor((3, 3, 3, 8)), 2).shape == (None, None, 4, 8)
    assert nn.conv_transpose(x, KerasTensor((3, 3, 8, 3)), 2).shape == (None, None, 19, 8)
    assert nn.depthwise_conv(x, KerasTensor((3, 3, 3, 2)), 2, "same").shape == (None, None, 5, 6)
    assert nn.max_pool(x, 2).shape == (None, None, 4, 3)
    assert nn.average_pool(y, (2, 3), (2, 1), "same").shape == (None, 4, None, 3)
    assert nn.adaptive_max_pool(y, (2, 3)).shape == (None, 2, 3, 3)


ERRORS = [
    (lambda: nn.conv(floats(1, 28, 28, 1), floats(30, 3, 1, 8)), ShapeError, "(28 - 30) // 1 + 1 = -1"),
    (lambda: nn.conv(floats(1, 9, 1), floats(4, 1, 1), dilation_rate=3), ShapeError, "(4 - 1) * 3 + 1 = 10"),
    (lambda: nn.conv(floats(1, 9, 4), floats(3, 3, 6)), ShapeError, "takes 3 input channels"),
    (
        lambda: nn.conv(floats(1, 9, 4), floats(3, 2, 5)),
        ShapeError,
        "5 filters cannot be divided among 2 groups",
    ),
    (lambda: nn.conv(floats(9, 4), floats(3, 4, 5)), ShapeError, "(batch, steps, channels)"),
    (lambda: nn.conv(floats(1, 9, 9, 4), floats(3, 4, 5)), ShapeError, "as many axes"),
    (lambda: nn.conv(floats(1, 9, 4), floats(3, 4, 5), padding="smae"), ArgumentError, "Did you mean 'same'"),
    (lambda: nn.conv(floats(1, 9, 4), floats(3, 4, 5), (1, 2)), ArgumentError, "one per spatial axis"),
    (lambda: nn.conv(floats(1, 9, 4), floats(3, 4, 5), 1.5), ArgumentTypeError, "whole number"),
    (lambda: nn.depthwise_conv(floats(1, 9, 4), floats(3, 3, 1)), ShapeError, "made for 3 channels"),
    (lambda: nn.conv_transpose(floats(1, 9, 4), floats(3, 4, 5)), ShapeError, "takes 5 input channels"),
    (lambda: nn.max_pool(floats(1, 4, 1), 5), ShapeError, "pool spans 5 cells along steps"),
    (lambda: nn.max_pool(floats(1, 4, 1), 0), ArgumentError, "at least 1"),
]


@pytest.mark.parametrize(("call", "error", "words"), ERRORS)
def test_errors(call, error, words):
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)
