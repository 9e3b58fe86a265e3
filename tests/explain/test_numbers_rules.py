"""Every sentence agrees with the trace, and every size that changes has one: for all Cases, unknown sizes included."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

import hornbill
from hornbill import layers, ops
from hornbill.engine.dtype import standardize_dtype
from hornbill.engine.errors import HornbillError
from hornbill.engine.record import TensorSpec
from hornbill.engine.symbolic import KerasTensor, infer_spec
from hornbill.explain.ancestry import ancestry, output_axes
from hornbill.explain.counts import count_sentence
from hornbill.explain.numbers import Numbers
from hornbill.explain.rows import rows_of
from hornbill.explain.rules import RULES, disagreeing, sentences_of
from hornbill.explain.rules.base import changed_axes
from hornbill.explain.window import window_of
from tests.cases import functions, layers_a, layers_b, numbers
from tests.cases import ops as op_cases

LAYERS = [case for case in (*layers_a.CASES, *layers_b.CASES) if case.public_name.startswith("layers.")]
OPS = [c for m in (functions, numbers, op_cases) for c in m.CASES if c.public_name.startswith("ops.")]

# Ops without a rule: their sizes depend on values, or nothing comes in whose size could be told.
NO_RULE = {"full", "ctc_decode", "categorical", "shuffle", "nonzero", "unique", "bincount"}


def tensors_of(case, unknown):
    found = []
    for array in map(np.asarray, case.arrays()):
        shape = [None if unknown and i in case.variable else n for i, n in enumerate(array.shape)]
        found.append(KerasTensor(shape, standardize_dtype(str(array.dtype))))
    return found


def traced(case, unknown):
    """Returns the record of the call, or None where the sizes that are not known are needed."""
    made, tensors = case.make(hornbill), tensors_of(case, unknown)
    layer = case.public_name.startswith("layers.")
    args = [tensors] if layer and len(tensors) > 1 else tensors
    try:
        return infer_spec(made, tuple(args), case.call)[1]
    except (HornbillError, TypeError, ValueError, AssertionError) as error:
        if unknown or not layer:
            pytest.skip(f"cannot be traced so: {type(error).__name__}")
        raise


def ops_of(record):
    return [r for r in record.walk() if r.kind == "op"]


@pytest.mark.parametrize("unknown", [False, True], ids=["known", "unknown"])
@pytest.mark.parametrize("case", [*LAYERS, *OPS], ids=str)
def test_what_rules_say_is_what_was_traced(case, unknown):
    for op in ops_of(traced(case, unknown)):
        assert op.rule in RULES or op.name in NO_RULE, f"{op.name} has no rule"
        assert disagreeing(op) == [], f"{op.name} {[t.shape for t in op.tensors()]} -> {op.output}"
        for sentence in sentences_of(op):
            assert sentence.text
            assert "?" not in sentence.text


def first_shape(value):
    if isinstance(value, TensorSpec):
        return value.shape
    return (
        next((s for item in value if (s := first_shape(item)) is not None), None)
        if isinstance(value, (list, tuple))
        else None
    )


def told_by(records, rank):
    return {
        (s.axis, s.after)
        for op in records
        for s in sentences_of(op)
        if s.axis is not None and len(first_shape(op.output)) == rank
    }


def unexplained(before, output, records):
    """Returns the axes of the (first) output whose size or place is new and of which no sentence speaks."""
    after = first_shape(output)
    told = told_by(records, len(after))
    return [axis for axis in changed_axes(before, after) if (axis, after[axis]) not in told]


@pytest.mark.parametrize("unknown", [False, True], ids=["known", "unknown"])
@pytest.mark.parametrize("case", LAYERS, ids=str)
def test_every_changed_axis_is_explained(case, unknown):
    record = traced(case, unknown)
    calls = [child for child in record.children if child.kind == "layer" and child.tensors()]
    if not calls:
        pytest.skip("takes no tensors")
    assert unexplained(calls[0].tensors()[0].shape, calls[0].output, ops_of(calls[0])) == []


# Ops whose changed sizes no sentence explains, with the reason.
UNEXPLAINED = {"ctc_decode": "how long the decoded sequences are depends on values"}


@pytest.mark.parametrize("unknown", [False, True], ids=["known", "unknown"])
@pytest.mark.parametrize("case", OPS, ids=str)
def test_every_changed_axis_of_an_op_is_explained(case, unknown):
    for op in ops_of(traced(case, unknown)):
        if any(None in t.shape[:-2] for t in op.tensors()[1:2]) and op.rule in (
            "window",
            "transposed_window",
        ):
            pytest.skip("the size of the window is not known")
        if unknown and op.name == "correlate":
            pytest.skip("nothing follows from two sizes that are not known")
        if op.tensors() and first_shape(op.output) is not None and op.name not in UNEXPLAINED:
            assert unexplained(op.tensors()[0].shape, op.output, [op]) == [], op.name


# ---- a layer written with plain ops is explained as fully as a built-in one


class OwnConvolution(layers.Layer):
    def build(self, input_shape):
        names = ("kernel height", "kernel width", "input channels", "filters")
        self.kernel = self.add_weight((3, 3, input_shape[-1], 8), name="kernel", axes=names)
        self.bias = self.add_weight((8,), name="bias", axes=("filters",))

    def call(self, x):
        return ops.relu(ops.conv(x, self.kernel, strides=2, padding="same") + self.bias)


class OwnDense(layers.Layer):
    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], 6), name="kernel", axes=("input features", "units"))
        self.bias = self.add_weight((6,), name="bias", axes=("units",))

    def call(self, x):
        return ops.softmax(x @ self.kernel + self.bias)


class OwnPooling(layers.Layer):
    def call(self, x):
        return ops.max_pool(x, 2)


class OwnFlatten(layers.Layer):
    def call(self, x):
        return ops.reshape(x, (ops.shape(x)[0], -1))


class OwnCausal(layers.Layer):
    def build(self, input_shape):
        names = ("kernel steps", "input channels", "filters")
        self.kernel = self.add_weight((3, input_shape[-1], 4), name="kernel", axes=names)

    def call(self, x):
        return ops.conv(ops.pad(x, ((0, 0), (4, 0), (0, 0))), self.kernel, dilation_rate=2)


PAIRS = [
    ((15, 17, 3), OwnConvolution, lambda: layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")),
    (
        (None, 17, 3),
        OwnConvolution,
        lambda: layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
    ),
    ((5, 5, 4), OwnDense, lambda: layers.Dense(6, activation="softmax")),
    ((9, 9, 2), OwnPooling, layers.MaxPooling2D),
    ((4, 4, 2), OwnFlatten, layers.Flatten),
    ((10, 2), OwnCausal, lambda: layers.Conv1D(4, 3, padding="causal", dilation_rate=2, use_bias=False)),
]


def told_of(layer, shape):
    """Returns all that is told of a layer behind an input: sentences, numbers, names of axes, count."""
    model = hornbill.Sequential([layers.Input(shape, name="i"), layer])
    rows = rows_of(model)
    numbers = Numbers(model, rows)
    sentences = [
        (s.axis, s.name, s.key, s.formula, s.text) for *_, s in rows[-1].sentences() if s.axis is not None
    ]
    steps = [
        [(s.key, s.name, s.size) for s in ancestry(numbers, 1, axis)]
        for axis in range(1, len(rows[-1].outputs[0]))
    ]
    count = count_sentence(layer)
    window = window_of(rows[-1], {})
    return sentences, numbers.layer(1), output_axes(numbers, 1), steps, count, window


@pytest.mark.parametrize(("shape", "own", "built_in"), PAIRS, ids=lambda p: getattr(p, "__name__", str(p)))
def test_a_custom_layer_is_explained_as_fully(shape, own, built_in):
    assert told_of(own(), shape) == told_of(built_in(), shape)
    assert told_of(own(), shape)[0]


def test_axis_names():
    first = hornbill.Sequential([layers.Input((3, 9, 8)), layers.Conv2D(4, 3, data_format="channels_first")])
    told = {s.axis: s.name for *_, s in rows_of(first)[-1].sentences() if s.axis is not None}
    assert told == {1: "channels", 2: "height", 3: "width"}
    numbers = Numbers(first, rows_of(first))
    assert output_axes(numbers, 1) == ("batch", "channels", "height", "width")
    dense = hornbill.Sequential([layers.Input((8,)), layers.Dense(4)])
    assert output_axes(Numbers(dense, rows_of(dense)), 1) == ("batch", "features")
    steps = hornbill.Sequential([layers.Input((9, 2)), layers.Conv1D(4, 3)])
    assert output_axes(Numbers(steps, rows_of(steps)), 1) == ("batch", "steps", "channels")


class WithJax(layers.Layer):
    """Written without a single op."""

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], 6), name="kernel", axes=("input features", "units"))

    def call(self, x):
        y = jnp.mean(x, axis=1) @ self.kernel.value
        return jnp.concatenate([y, y[:, :2]], axis=-1)


@pytest.mark.parametrize("steps", [7, None])
def test_plain_jax_is_explained_too(steps):
    rows = rows_of(hornbill.Sequential([layers.Input((steps, 5)), WithJax()]))
    told = {s.key: (s.axis, s.formula) for *_, s in rows[-1].sentences()}
    assert rows[-1].outputs == [(None, 8)]
    assert told["concatenate"] == (1, "6 + 2 = 8")
    assert "reduction" in told
