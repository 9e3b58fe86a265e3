"""Where axes come from: through Flatten, Reshape, Permute, Concatenate, transposed convolution, attention, and back."""

from __future__ import annotations

import itertools

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hornbill
from hornbill import layers, ops
from hornbill.engine.errors import ArgumentError
from hornbill.explain.ancestry import ancestry, output_axes
from hornbill.explain.numbers import Numbers
from hornbill.explain.rows import rows_of
from tests.cases import layers_a, layers_b


def numbers_of(model):
    return Numbers(model, rows_of(model, expand_nested=True))


def steps_of(model, axis):
    numbers = numbers_of(model)
    return ancestry(numbers, len(numbers.rows) - 1, axis)


def keys(model, axis):
    return [
        (step.layer, step.key.removeprefix("ancestry."), step.name, step.size)
        for step in steps_of(model, axis)
    ]


def ends(model, axis):
    """Returns the axes of the input at which the way ends."""
    return sorted(step.axis for step in steps_of(model, axis) if step.key == "ancestry.input")


def named(*made):
    return hornbill.Sequential(made)


def test_flatten_holds_all_places():
    model = named(layers.Input((4, 5, 3), name="i"), layers.Conv2D(2, 3, name="c"), layers.Flatten(name="f"))
    assert keys(model, 1) == [
        ("f", "merged", "features", 12), ("c", "window", "height", 2), ("c", "window", "width", 3),
        ("c", "made", "channels", 2), ("i", "input", "height", 4), ("i", "input", "width", 5), ("i", "input", "channels", 3),
    ]  # fmt: skip


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))))
def test_permute_carries_names_along(order):
    model = named(layers.Input((4, 5, 6)), layers.Permute(order))
    names = ("batch", "height", "width", "channels")
    numbers = numbers_of(model)
    assert output_axes(numbers, 1) == ("batch", *(names[axis] for axis in order))
    for place, axis in enumerate(order, start=1):
        assert ends(model, place) == [axis]


@settings(max_examples=20, deadline=None)
@given(st.permutations((1, 2, 3)), st.booleans())
def test_there_and_back_again(order, flat):
    """Permuting, flattening and reshaping, undone step by step, lead each axis back to itself."""
    sizes = (4, 5, 6)
    permuted = tuple(sizes[axis - 1] for axis in order)
    back = tuple(order.index(axis) + 1 for axis in (1, 2, 3))
    middle = (
        [layers.Flatten(), layers.Reshape(permuted)]
        if flat
        else [layers.Reshape((permuted[0], permuted[1] * permuted[2])), layers.Reshape(permuted)]
    )
    model = named(layers.Input(sizes), layers.Permute(tuple(order)), *middle, layers.Permute(back))
    for axis in (1, 2, 3):
        steps = steps_of(model, axis)
        assert steps[0].size == sizes[axis - 1]
        assert axis in [step.axis for step in steps if step.key == "ancestry.input"]
    assert [step.key for step in steps_of(model, 1)].count("ancestry.part") == (
        1 if flat or order.index(1) else 0
    )


def test_reshape_that_merges_and_splits():
    model = named(
        layers.Input((4, 6, 3), name="i"),
        layers.Reshape((24, 3), name="a"),
        layers.Reshape((4, 6, 3), name="b"),
    )
    assert [k[:2] for k in keys(model, 1)] == [("b", "part"), ("a", "merged"), ("i", "input"), ("i", "input")]
    assert [k[:2] for k in keys(model, 3)] == [("b", "moved"), ("a", "moved"), ("i", "input")]


def test_concatenate_and_add():
    x = i = layers.Input((4, 4, 3), name="i")
    a, b = layers.Conv2D(2, 1, name="a")(x), layers.Conv2D(5, 1, name="b")(x)
    joined = hornbill.Model(i, layers.concatenate([a, b], name="j"))
    first = steps_of(joined, "channels")[0]
    assert (first.key, first.size, first.sources) == ("ancestry.joined", 7, ((1, 3), (2, 3)))
    assert first.text == "channels 7 is put together from channels 2, channels 5"
    assert steps_of(joined, "height")[0].key == "ancestry.added"
    c = layers.Conv2D(2, 1, name="c")(x)
    assert steps_of(hornbill.Model(i, layers.Add()([a, c])), "channels")[0].key == "ancestry.added"


def test_transposed_convolution_pooling_and_dense():
    model = named(
        layers.Input((4, 4, 3), name="i"), layers.Conv2DTranspose(2, 2, strides=2, name="t"), layers.MaxPooling2D(name="p"),
        layers.Dense(5, name="d"),
    )  # fmt: skip
    assert keys(model, "height") == [
        ("d", "kept", "height", 4), ("p", "window", "height", 4), ("t", "window", "height", 8), ("i", "input", "height", 4),
    ]  # fmt: skip
    assert [k[:2] for k in keys(model, 3)] == [("d", "made"), ("p", "kept"), ("t", "made"), ("i", "input")]
    assert [s.key for s in steps_of(model, "height")[2].sentences] == ["transposed.same"] or (
        [s.key for s in steps_of(model, "height")[2].sentences] == ["transposed.valid"]
    )


def test_attention_and_loops_stand_place_by_place():
    x = i = layers.Input((7, 8), name="i")
    x = layers.MultiHeadAttention(2, 4, name="m")(x, x)
    model = hornbill.Model(i, layers.LSTM(3, return_sequences=True, name="l")(x))
    assert [k[:2] for k in keys(model, 1)] == [("l", "each"), ("m", "each"), ("i", "input")]
    assert [k[:2] for k in keys(model, 2)][:1] == [("l", "made")]


def test_new_axes_and_reductions():
    model = named(
        layers.Input((4, 4, 3), name="i"),
        layers.GlobalAveragePooling2D(name="g"),
        layers.RepeatVector(6, name="r"),
    )
    assert keys(model, 1) == [("r", "new", "steps", 6)]
    assert [k[:3] for k in keys(model, 2)] == [
        ("r", "moved", "channels"),
        ("g", "moved", "channels"),
        ("i", "input", "channels"),
    ]


class Turned(layers.Layer):
    """Written with plain ops: no rule knows it."""

    def call(self, x):
        return ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (-1, x.shape[2], x.shape[1] * x.shape[3]))


def test_a_custom_layer():
    model = named(layers.Input((4, 5, 3), name="i"), Turned(name="t"))
    assert keys(model, 1)[:1] == [("t", "moved", "width", 5)]
    assert steps_of(model, 2)[0].sources == ((0, 1), (0, 3))


def test_an_axis_that_is_not_there():
    model = named(layers.Input((4, 5, 3)), layers.Conv2D(2, 3, name="c"))
    with pytest.raises(ArgumentError, match="height"):
        steps_of(model, "hight")
    with pytest.raises(ArgumentError, match="4 axes"):
        steps_of(model, 4)


CASES = [case for case in (*layers_a.CASES, *layers_b.CASES) if case.public_name.startswith("layers.")]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_axis_of_every_layer_has_an_origin(case):
    """For every Case, sizes unknown where they may be: all numbers are there, and every way ends."""
    arrays = [np.asarray(a) for a in case.arrays()]
    fixed = any(hasattr(leaf, "shape") for leaf in jax.tree.leaves(case.call))  # masks of this very batch
    unknown = () if fixed else case.variable
    tensors = [
        layers.Input(
            batch_shape=[None if i in unknown else n for i, n in enumerate(a.shape)], dtype=str(a.dtype)
        )
        for a in arrays
    ]
    made = case.make(hornbill)(tensors if len(tensors) > 1 else tensors[0], **case.call)
    model = hornbill.Model(tensors, made)
    numbers = numbers_of(model)
    assert numbers.trace is not None
    numbers.totals()
    for index, row in enumerate(numbers.rows):
        part = numbers.layer(index)
        known = all(None not in shape[1:] for shape in (*row.inputs, *row.outputs))
        assert (part["multiply_adds"]["forward"] is not None) == known
        assert (
            part["receptive_field"]
            or not row.outputs
            or not any(numbers.flow.trace.dependent[n] for n in numbers.calls[index].outputs)
        )
        for axis in range(len(row.outputs[0]) if row.outputs else 0):
            steps = ancestry(numbers, index, axis)
            assert steps[0].row == index
            assert all(step.text for step in steps)
            assert (
                steps[-1].key in ("ancestry.input", "ancestry.new", "ancestry.made", "ancestry.reduced")
                or not steps[-1].sources
            )
