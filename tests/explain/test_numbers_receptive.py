"""Receptive fields against JAX: the support of one output cell's gradient lies in the box and touches its borders."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hornbill
import hornbill.engine.errors
from hornbill import layers, ops
from hornbill.explain.numbers import Numbers
from hornbill.explain.receptive import box
from hornbill.explain.rows import rows_of
from tests.cases import layers_a, layers_b


def positive(model, seed=0):
    """Gives all weights positive numbers, so that nothing cancels."""
    rng = np.random.default_rng(seed)
    model.set_weights([rng.uniform(0.5, 1.5, w.shape).astype("float32") for w in model.weights])
    return model


def support(model, x, cell):
    """Returns the range of input cells per axis on which an output cell depends, None if on none."""
    gradient = jax.grad(lambda x: model(x)[(0, *cell)])(jnp.asarray(x))
    touched = np.argwhere(np.asarray(gradient)[0] != 0)
    return (
        None
        if not len(touched)
        else tuple(zip(touched.min(0).tolist(), touched.max(0).tolist(), strict=True))
    )


def numbers_of(model):
    rows = rows_of(model, expand_nested=True)
    return Numbers(model, rows), rows


def agree(model, x, cells):
    numbers, rows = numbers_of(positive(model))
    last = max(i for i, row in enumerate(rows) if row.depth == 0)
    for cell in cells:
        found = box(numbers, last, cell)["inputs"]
        assert (next(iter(found.values())) if found else None) == support(model, x, cell), cell


def corners(shape):
    """Returns the first, the last and a middle cell."""
    return [tuple(0 for _ in shape), tuple(n - 1 for n in shape), tuple(n // 2 for n in shape)]


@st.composite
def chain(draw):
    """Draws layers on (height, width, channels) that leave something of 16 x 18 cells."""
    found, size = [], (16, 18)
    for _ in range(draw(st.integers(1, 5))):
        kind = draw(
            st.sampled_from(
                ["conv", "depthwise", "separable", "pool", "transposed", "up", "pad", "crop", "skip", "join"]
            )
        )
        kernel, padding = draw(st.integers(1, 4)), draw(st.sampled_from(["same", "valid"]))
        stride, dilation = draw(st.integers(1, 3)), draw(st.integers(1, 2))
        if kind in ("conv", "depthwise") and stride > 1:
            dilation = 1
        reach = (kernel - 1) * dilation + 1
        if (
            padding == "valid"
            and min(size) < reach + stride
            and kind in ("conv", "depthwise", "separable", "pool")
        ):
            padding = "same"
        if kind == "crop" and min(size) < 6:
            continue
        if kind in ("transposed", "up") and max(size) > 40:
            continue
        found.append((kind, kernel, padding, stride, dilation))
        size = tuple(
            hornbill.Sequential([layers.Input((*size, 2)), *build(found[-1], True)]).output_shape[1:3]
        )
        if min(size) < 2:
            break
    return found


def build(item, alone=False):
    """Returns the layers of one drawn item; `alone` leaves out what joins paths and keeps the size."""
    kind, kernel, padding, stride, dilation = item
    if kind == "conv":
        return [layers.Conv2D(2, kernel, strides=stride, padding=padding, dilation_rate=dilation)]
    if kind == "depthwise":
        return [
            layers.DepthwiseConv2D(kernel, strides=stride, padding=padding, dilation_rate=dilation),
            layers.Conv2D(2, 1),
        ]
    if kind == "separable":
        return [layers.SeparableConv2D(2, kernel, padding=padding)]
    if kind == "pool":
        return [layers.AveragePooling2D(kernel, strides=stride, padding=padding)]
    if kind == "transposed":
        return [layers.Conv2DTranspose(2, kernel, strides=stride, padding=padding)]
    if kind == "up":
        return [layers.UpSampling2D(2)]
    if kind == "pad":
        return [layers.ZeroPadding2D(((1, 2), (0, 1)))]
    if kind == "crop":
        return [layers.Cropping2D(((1, 0), (2, 1)))]
    return [] if alone else [kind]


def network(items):
    x = inputs = layers.Input((16, 18, 2))
    for item in items:
        for layer in build(item):
            if layer == "skip":
                x = layers.Add()([x, layers.Conv2D(2, item[1], padding="same")(x)])
            elif layer == "join":
                x = layers.Conv2D(2, 1)(layers.concatenate([layers.Conv2D(2, item[1], padding="same")(x), x]))
            else:
                x = layer(x)
    return hornbill.Model(inputs, x)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(chain())
def test_the_box_is_the_support_of_the_gradient(items):
    model = network(items)
    agree(model, np.ones((1, 16, 18, 2), "float32"), corners(model.output_shape[1:]))


MORE = {
    "causal": lambda: [layers.Input((20, 2)), layers.Conv1D(3, 3, padding="causal", dilation_rate=2), layers.Conv1D(2, 2, padding="causal")],
    "three axes": lambda: [layers.Input((6, 7, 8, 1)), layers.Conv3D(2, 3, strides=2, padding="same"), layers.AveragePooling3D(2)],
    "channels first": lambda: [layers.Input((2, 9, 8)), layers.Conv2D(4, 3, data_format="channels_first", groups=2), layers.Conv2D(2, 2, data_format="channels_first")],
    "groups": lambda: [layers.Input((9, 8, 4)), layers.Conv2D(4, 3, groups=2)],
    "depthwise": lambda: [layers.Input((9, 8, 3)), layers.DepthwiseConv2D(3, depth_multiplier=2)],
    "transposed with output padding": lambda: [layers.Input((7, 2)), layers.Conv1DTranspose(2, 3, strides=2, output_padding=1)],
    "bilinear": lambda: [layers.Input((6, 6, 1)), layers.UpSampling2D(2, interpolation="bilinear"), layers.Conv2D(1, 2)],
    "adaptive": lambda: [layers.Input((7, 11, 1)), layers.AdaptiveAveragePooling2D((3, 4))],
    "global": lambda: [layers.Input((7, 5, 1)), layers.Cropping2D(((1, 1), (0, 2))), layers.GlobalAveragePooling2D(), layers.Dense(2)],
    "flatten": lambda: [layers.Input((4, 5, 2)), layers.Conv2D(2, 2), layers.Flatten()],
    "reshape and permute": lambda: [layers.Input((4, 6, 2)), layers.Permute((2, 1, 3)), layers.Reshape((12, 4)), layers.Conv1D(2, 2)],
    "max pooling": lambda: [layers.Input((5, 6, 1)), layers.Conv2D(1, 2), layers.AveragePooling2D(2, strides=1, padding="same")],
    "repeat": lambda: [layers.Input((3,)), layers.RepeatVector(4), layers.Conv1D(2, 2)],
    "time distributed": lambda: [layers.Input((3, 6, 6, 1)), layers.TimeDistributed(layers.Conv2D(1, 3))],
    "normalised": lambda: [layers.Input((6, 6, 2)), layers.Conv2D(2, 3, padding="same"), layers.BatchNormalization(), layers.Dropout(0.5)],
}  # fmt: skip


@pytest.mark.parametrize("name", MORE)
def test_other_layers(name):
    model = hornbill.Sequential(MORE[name]())
    agree(model, np.ones((1, *model.input_shape[1:]), "float32"), corners(model.output_shape[1:]))


class Strange(layers.Layer):
    """A layer written with plain ops and with JAX itself."""

    def build(self, input_shape):
        self.kernel = self.add_weight((3, 3, input_shape[-1], 2), name="kernel")

    def call(self, x):
        y = ops.conv(x, self.kernel, strides=2, padding="same")
        y = ops.repeat(y, 2, axis=1)[:, 1:]
        y = jnp.flip(y, 2) + 2.0 * y
        return ops.concatenate([y, y * y], axis=-1)


def test_a_custom_layer_is_followed_as_exactly():
    model = hornbill.Sequential(
        [layers.Input((8, 9, 1)), layers.Conv2D(1, 2), Strange(), layers.Conv2D(1, 2)]
    )
    agree(model, np.ones((1, 8, 9, 1), "float32"), corners(model.output_shape[1:]))


def test_nested_and_shared_models():
    inner = hornbill.Sequential(
        [layers.Input((None, None, 2)), layers.Conv2D(2, 3, padding="same"), layers.Conv2D(2, 3)]
    )
    x = inputs = layers.Input((16, 18, 2))
    model = hornbill.Model(inputs, layers.Conv2D(1, 2, strides=2)(inner(inner(x))))
    agree(model, np.ones((1, 16, 18, 2), "float32"), corners(model.output_shape[1:]))
    numbers, rows = numbers_of(model)
    sizes = [
        (row.name, numbers.receptive_field(i)[0].axes[0].size)
        for i, row in enumerate(rows)
        if row.class_name == "Conv2D"
    ]
    assert [size for _, size in sizes] == [3, 5, 7, 9, 10]


class Subclass(hornbill.Model):
    def __init__(self):
        super().__init__()
        self.first, self.second = layers.Conv2D(2, 3), layers.Conv2D(2, 3, padding="same")

    def call(self, x):
        x = self.first(x)
        return x + self.second(x)


def test_a_model_with_a_call_of_its_own():
    model = Subclass()
    model.build((None, 8, 9, 1))
    agree_rows, rows = numbers_of(positive(model))
    assert [row.name for row in rows] == [model.first.name, model.second.name]
    assert agree_rows.parents(1) == [0]
    assert [agree_rows.receptive_field(i)[0].axes[0].size for i in (0, 1)] == [3, 5]


# ---- size, jump and start, worked out by hand


def field(model, index=-1):
    numbers, rows = numbers_of(model)
    found = numbers.receptive_field(len(rows) + index if index < 0 else index)
    return [(a.size, a.jump, a.start, a.whole) for a in found[0].axes]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ([layers.Conv2D(1, 3)], (3, 1, 0, False)),
        ([layers.Conv2D(1, 3, padding="same")], (3, 1, -1, False)),
        ([layers.Conv2D(1, 3, strides=2), layers.Conv2D(1, 3)], (7, 2, 0, False)),
        ([layers.Conv2D(1, 3, dilation_rate=2)], (5, 1, 0, False)),
        ([layers.MaxPooling2D(2), layers.MaxPooling2D(2), layers.Conv2D(1, 3, padding="same")], (12, 4, -4, False)),
        ([layers.MaxPooling2D(2), layers.UpSampling2D(2)], (2, 1, 0, False)),
        ([layers.UpSampling2D(4)], (1, 0.25, 0, False)),
        ([layers.MaxPooling2D(2), layers.Conv2DTranspose(1, 2, strides=2)], (2, 1, 0, False)),
        ([layers.GlobalMaxPooling2D()], (32, 0, 0, True)),
        ([layers.LayerNormalization(axis=(1, 2, 3))], (32, 0, 0, True)),
        ([layers.LayerNormalization()], (1, 1, 0, False)),
        ([layers.GroupNormalization(1)], (32, 0, 0, True)),
        ([layers.Flatten(), layers.Dense(1)], (32, 0, 0, True)),
        ([layers.Flatten()], (1, None, 0, False)),
    ],
)  # fmt: skip
def test_size_jump_and_start(made, expected):
    model = hornbill.Sequential([layers.Input((32, 32, 2)), *made])
    assert field(model)[0] == expected


def test_sequences():
    lstm = hornbill.Sequential([layers.Input((12, 3)), layers.LSTM(4, return_sequences=True)])
    assert field(lstm) == [(12, 0, 0, True)]
    causal = hornbill.Sequential(
        [layers.Input((None, 3)), layers.Conv1D(4, 3, padding="causal", dilation_rate=4)]
    )
    assert field(causal) == [(9, 1, -8, False)]
    x = layers.Input((12, 8))
    assert field(hornbill.Model(x, layers.MultiHeadAttention(2, 4)(x, x))) == [(12, 0, 0, True)]


def test_an_embedding_reads_one_position():
    model = hornbill.Sequential([layers.Input((9,)), layers.Embedding(20, 4), layers.Conv1D(3, 3)])
    assert field(model, 1) == [(1, 1, 0, False)]
    assert field(model) == [(3, 1, 0, False)]


CASES = [case for case in (*layers_a.CASES, *layers_b.CASES) if case.public_name.startswith("layers.")]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_layer_sees_outside_its_box(case):
    """For every Case: what a cell depends on lies in its box (the gradient may be 0 inside it)."""
    arrays = [np.asarray(a) for a in case.arrays()]
    if any(a.dtype.kind != "f" for a in arrays) or case.call:
        pytest.skip("numbers that have no gradient, or further arguments")
    layer = case.make(hornbill)
    if getattr(layer, "stateful", False):
        pytest.skip("remembers its state, which a gradient cannot carry")
    tensors = [layers.Input(batch_shape=(1, *a.shape[1:])) for a in arrays]
    model = hornbill.Model(tensors, layer(tensors if len(tensors) > 1 else tensors[0]))
    numbers, rows = numbers_of(model)
    index = next(i for i, row in enumerate(rows) if row.layer is layer)
    shape = rows[index].outputs[0]
    xs = [jnp.asarray(a[:1]) for a in arrays]

    def first(xs):
        found = model(xs if len(xs) > 1 else xs[0], training=False)
        return jax.tree.leaves(found)[0]

    for cell in corners(shape[1:]):
        gradients = jax.grad(lambda xs, cell=cell: first(xs)[(0, *cell)].astype("float32"))(xs)
        found = box(numbers, index, cell)["inputs"]
        for tensor, gradient in zip(model.inputs, gradients, strict=True):
            touched = np.argwhere(np.asarray(gradient)[0] != 0)
            if len(touched):
                ranges = found[tensor._keras_history[0].name]
                inside = [
                    lo <= a and b <= hi
                    for (lo, hi), a, b in zip(ranges, touched.min(0), touched.max(0), strict=True)
                ]
                assert all(inside), (cell, ranges)


def test_two_inputs_each_have_a_field():
    a, b = layers.Input((8, 8, 1), name="a"), layers.Input((8, 8, 1), name="b")
    model = hornbill.Model([a, b], layers.Add()([layers.Conv2D(1, 3, padding="same")(a), b]))
    numbers, rows = numbers_of(model)
    found = numbers.receptive_field(len(rows) - 1)
    assert [(f.input, f.axes[0].size) for f in found] == [("a", 3), ("b", 1)]
