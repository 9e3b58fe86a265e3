"""Convolution, pooling and transposed convolution with random arguments, and documented numbers."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hornbill
from hornbill import layers
from hornbill.ops.windows import dilated
from tests.numerics import assert_close

SMALL = settings(max_examples=12)


def _agree(name, arguments, shape):
    mine, theirs = getattr(layers, name)(**arguments), getattr(keras.layers, name)(**arguments)
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    mine(x)
    theirs(x)
    weights = [w + np.float32(0.1) for w in mine.get_weights()]
    mine.set_weights(weights)
    theirs.set_weights(weights)
    np.testing.assert_allclose(mine(x), keras.ops.convert_to_numpy(theirs(x)), rtol=1e-5, atol=1e-5)
    unknown = (None, *(None for _ in shape[1:-1]), shape[-1])
    if arguments.get("data_format") != "channels_first":
        assert mine(hornbill.KerasTensor(unknown)).shape[1:-1] == (None,) * (len(shape) - 2)
    closed = getattr(keras.layers, name)(**arguments)(keras.KerasTensor((None, *shape[1:]))).shape
    assert mine(hornbill.KerasTensor((None, *shape[1:]))).shape == tuple(closed)


@st.composite
def _windows(draw, transposed=False):
    rank = draw(st.integers(1, 2))
    kernel = draw(st.tuples(*[st.integers(1, 3)] * rank))
    strides, dilation = (1,) * rank, (1,) * rank
    if draw(st.booleans()):
        strides = draw(st.tuples(*[st.integers(1, 3)] * rank))
    else:
        dilation = draw(st.tuples(*[st.integers(1, 2)] * rank))
    padding = draw(st.sampled_from(("valid", "same")))
    least = [1 if transposed else dilated(k, d) for k, d in zip(kernel, dilation, strict=True)]
    sizes = [draw(st.integers(low, low + 4)) for low in least]
    arguments = {"kernel_size": kernel, "strides": strides, "dilation_rate": dilation, "padding": padding}
    return rank, arguments, sizes


@pytest.mark.long
@SMALL
@given(_windows(), st.integers(1, 2))
def test_conv(window, groups):
    rank, arguments, sizes = window
    _agree(f"Conv{rank}D", {**arguments, "filters": 2 * groups, "groups": groups}, (2, *sizes, 2 * groups))


@pytest.mark.long
@SMALL
@given(_windows(transposed=True))
def test_conv_transpose(window):
    rank, arguments, sizes = window
    _agree(f"Conv{rank}DTranspose", {**arguments, "filters": 2}, (2, *sizes, 3))


@pytest.mark.long
@SMALL
@given(_windows(), st.sampled_from(("Max", "Average")))
def test_pooling(window, kind):
    rank, arguments, sizes = window
    chosen = {
        "pool_size": arguments["kernel_size"],
        **{key: arguments[key] for key in ("strides", "padding")},
    }
    sizes = [max(size, k) for size, k in zip(sizes, chosen["pool_size"], strict=True)]
    _agree(f"{kind}Pooling{rank}D", chosen, (2, *sizes, 2))


@pytest.mark.parametrize(
    ("layer", "shape", "output", "parameters"),
    [
        (lambda: layers.Conv2D(12, 3, padding="same"), (15, 15, 20), (15, 15, 12), 2172),
        (lambda: layers.Conv2D(10, 3, padding="same"), (15, 15, 12), (15, 15, 10), 1090),
        (lambda: layers.Dense(6), (15, 15, 10), (15, 15, 6), 66),
        (lambda: layers.Conv1D(64, 3, padding="same"), (1287, 69), (1287, 64), 13312),
        (lambda: layers.Conv2D(32, 3, padding="same"), (96, 96, 1), (96, 96, 32), 320),
        (lambda: layers.Conv2D(64, 3, padding="same"), (48, 48, 32), (48, 48, 64), 18496),
        (
            lambda: layers.Conv2DTranspose(256, 2, strides=2, padding="same"),
            (6, 6, 512),
            (12, 12, 256),
            524544,
        ),
        (lambda: layers.MaxPooling2D(2, strides=1, padding="same"), (5, 5, 5), (5, 5, 5), 0),
        (lambda: layers.Conv2D(1, 3), (50, 50, 1), (48, 48, 1), 10),
    ],
)
def test_documented_sizes_and_counts(layer, shape, output, parameters):
    made = layer()
    assert made(hornbill.KerasTensor((None, *shape))).shape == (None, *output)
    assert made.count_params() == parameters


def test_dense_on_the_last_axis_is_a_1x1_convolution():
    dense, conv = layers.Dense(1, activation="sigmoid"), layers.Conv2D(1, 1, activation="sigmoid")
    x = np.random.default_rng(0).normal(size=(2, 5, 5, 5)).astype("float32")
    dense(x)
    conv(x)
    assert dense.count_params() == conv.count_params() == 6
    kernel, bias = dense.get_weights()
    conv.set_weights([kernel.reshape(1, 1, 5, 1), bias])
    assert_close(dense(x), conv(x), relative=1e-6)


def test_causal_output_sees_no_later_step():
    layer = layers.Conv1D(2, 3, padding="causal", dilation_rate=2)
    x = np.random.default_rng(0).normal(size=(1, 9, 3)).astype("float32")
    before = np.asarray(layer(x))
    x[:, 5:] = 100.0
    np.testing.assert_array_equal(before[:, :5], np.asarray(layer(x))[:, :5])
