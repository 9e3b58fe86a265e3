"""Every sentence agrees with the trace, and every size that changes has one: for all Cases, unknown sizes included."""

from __future__ import annotations

import numpy as np
import pytest

import hornbill
from hornbill.engine.dtype import standardize_dtype
from hornbill.engine.errors import HornbillError
from hornbill.engine.record import TensorSpec
from hornbill.engine.symbolic import KerasTensor, infer_spec
from hornbill.explain.rules import RULES, disagreeing, sentences_of
from tests.cases import functions, layers_a, layers_b, numbers
from tests.cases import ops as op_cases

LAYERS = [case for case in (*layers_a.CASES, *layers_b.CASES) if case.public_name.startswith("layers.")]
OPS = [c for m in (functions, numbers, op_cases) for c in m.CASES if c.public_name.startswith("ops.")]

# Ops without a rule: their sizes depend on values, or nothing comes in whose size could be told.
NO_RULE = {"full", "ctc_decode", "categorical", "shuffle", "nonzero", "unique", "bincount"}

# Layers whose changed axes no sentence explains, with the reason.
UNEXPLAINED: dict[str, str] = {}


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


def unexplained(record):
    """Returns the axes of the (first) output whose size or place is new and of which no sentence speaks."""
    call = next(child for child in record.children if child.kind == "layer")
    before, after = call.tensors()[0].shape, first_shape(call.output)
    told = {
        (s.axis, s.after)
        for op in ops_of(call)
        for s in sentences_of(op)
        if s.axis is not None and len(first_shape(op.output)) == len(after)
    }
    if len(before) == len(after):
        changed = [axis for axis, size in enumerate(after) if size != before[axis]]
    else:  # the axes in front that stay are the same, the others have new places
        same = next(
            (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b),
            min(len(before), len(after)),
        )
        changed = range(same, len(after))
    return [axis for axis in changed if (axis, after[axis]) not in told]


@pytest.mark.parametrize("unknown", [False, True], ids=["known", "unknown"])
@pytest.mark.parametrize("case", LAYERS, ids=str)
def test_every_changed_axis_is_explained(case, unknown):
    if case.public_name.split(".")[-1] in UNEXPLAINED:
        pytest.skip(UNEXPLAINED[case.public_name.split(".")[-1]])
    record = traced(case, unknown)
    if not any(child.kind == "layer" and child.tensors() for child in record.children):
        pytest.skip("takes no tensors")
    assert unexplained(record) == []
