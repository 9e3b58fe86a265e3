"""What a layer does without ops (`x @ kernel`, `jnp.mean(x, 1)`, `x.reshape(...)`), as records that rules can explain.

The call is traced once more, with two numbers for each size that is not known, and JAX's own operations are put as the
ops that they are. Only what changes a shape is of interest here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from hornbill.engine.context import fresh_context
from hornbill.engine.record import Record, TensorSpec
from hornbill.engine.symbolic import leaves_of
from hornbill.engine.variable import discard_assignments, functional_call
from hornbill.explain.trace import Step, Trace, flatten

__all__ = ["plain_records"]

_TRIALS = ((840, 3360), (1260, 6720))  # the batch, and every other size that is not known
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def plain_records(layer: Any, record: Record) -> list[Record]:
    """Returns the operations of a layer's call that change shapes, as records of ops.

    Args:
        layer: The layer.
        record: The record of the call.
    """
    call = record if record.kind == "layer" else next((r for r in record.children if r.kind == "layer"), None)
    if call is None or layer is not call.source:
        return []
    try:
        first, second = (_trace(layer, call.arguments, *trial) for trial in _TRIALS)
    except Exception:  # noqa: BLE001  the user's own code, which may refuse these sizes; then there is no sentence
        return []
    if [s.name for s in first.steps] != [s.name for s in second.steps]:
        return []
    found = []
    for one, other in zip(first.steps, second.steps, strict=True):
        make = _MAKERS.get(one.name)
        if make is None or not first.dependent[one.outputs[0]]:
            continue
        inputs = [
            _spec(first, second, a, b) for a, b in zip(one.inputs, other.inputs, strict=True) if a is not None
        ]
        output = _spec(first, second, one.outputs[0], other.outputs[0])
        made = make(one, inputs, output)
        if made is not None:
            name, rule, arguments = made
            found.append(Record("op", name, None, rule, arguments, output))
    return found


def _trace(layer: Any, arguments: dict[str, Any], batch: int, other: int) -> Trace:
    leaves, treedef = jax.tree_util.tree_flatten(
        arguments, is_leaf=lambda x: isinstance(x, TensorSpec) or x is None
    )
    places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, TensorSpec)]
    structs = [
        jax.ShapeDtypeStruct(
            tuple((batch if i == 0 else other * i) if n is None else n for i, n in enumerate(s.shape)),
            s.dtype,
        )
        for s in (leaves[p] for p in places)
    ]
    variables = layer.variables
    held = [jax.ShapeDtypeStruct(v.shape, v._value.dtype) for v in variables]

    def run(values: list[Any], inputs: list[Any]) -> Any:
        filled = list(leaves)
        for place, value in zip(places, inputs, strict=True):
            filled[place] = value
        named = jax.tree_util.tree_unflatten(treedef, filled)
        result, _ = functional_call(variables, values, layer._run, **named)
        return [leaf for leaf in leaves_of(result) if isinstance(leaf, jax.Array)]

    with fresh_context(probing=True), discard_assignments():
        return flatten(jax.make_jaxpr(run)(held, structs), len(held))[0]


def _spec(first: Trace, second: Trace, a: int | None, b: int | None) -> TensorSpec:
    shapes = (first.shapes[a], second.shapes[b]) if a is not None and b is not None else ((), ())
    return TensorSpec(tuple(x if x == y else None for x, y in zip(*shapes, strict=True)), "float32")


Made = tuple[str, str, dict[str, Any]] | None


def _product(step: Step, inputs: list[TensorSpec], output: TensorSpec) -> Made:
    (summed, stacked) = step.params["dimension_numbers"]
    if len(inputs) != 2:
        return None
    a, b = (len(t.shape) for t in inputs)
    left, right = list(_LETTERS[:a]), list(_LETTERS[a : a + b])
    for pairs in (summed, stacked):
        for i, j in zip(*pairs, strict=True):
            right[j] = left[i]
    gone = {left[i] for i in summed[0]}
    shared = [left[i] for i in stacked[0]]
    rest = [x for x in (*left, *right) if x not in gone and x not in shared]
    if len(shared) + len(rest) != len(output.shape):
        return None
    subscripts = f"{''.join(left)},{''.join(right)}->{''.join([*shared, *rest])}"
    return "einsum", "contraction", {"subscripts": subscripts, "operands": tuple(inputs)}


def _reduction(step: Step, inputs: list[TensorSpec], output: TensorSpec) -> Made:  # noqa: ARG001
    return (
        step.name.removeprefix("reduce_"),
        "reduction",
        {"x": inputs[0], "axis": tuple(step.params["axes"])},
    )


def _reshape(step: Step, inputs: list[TensorSpec], output: TensorSpec) -> Made:  # noqa: ARG001
    return (
        "reshape",
        "reshape",
        {"x": inputs[0], "newshape": tuple(-1 if n is None else n for n in output.shape)},
    )


def _transpose(step: Step, inputs: list[TensorSpec], output: TensorSpec) -> Made:  # noqa: ARG001
    return "transpose", "transpose", {"x": inputs[0], "axes": tuple(step.params["permutation"])}


def _concatenate(step: Step, inputs: list[TensorSpec], output: TensorSpec) -> Made:  # noqa: ARG001
    return "concatenate", "concatenate", {"xs": list(inputs), "axis": step.params["dimension"]}


def _slice(step: Step, inputs: list[TensorSpec], output: TensorSpec) -> Made:
    p = step.params
    strides = p["strides"] or (1,) * len(output.shape)
    key = tuple(
        slice(None) if before == after else slice(start, stop, stride)
        for before, after, start, stop, stride in zip(
            inputs[0].shape, output.shape, p["start_indices"], p["limit_indices"], strides, strict=True
        )
    )
    return "get_item", "slice", {"x": inputs[0], "key": key}


def _pad(step: Step, inputs: list[TensorSpec], output: TensorSpec) -> Made:  # noqa: ARG001
    widths = [(before, after) for before, after, inner in step.params["padding_config"] if inner == 0]
    return (
        ("pad", "pad", {"x": inputs[0], "pad_width": widths}) if len(widths) == len(inputs[0].shape) else None
    )


_MAKERS: dict[str, Callable[[Step, list[TensorSpec], TensorSpec], Made]] = {
    "dot_general": _product, "reshape": _reshape, "squeeze": _reshape, "expand_dims": _reshape,
    "transpose": _transpose, "concatenate": _concatenate, "slice": _slice, "pad": _pad,
    **dict.fromkeys(("reduce_sum", "reduce_max", "reduce_min", "reduce_prod", "argmax", "argmin"), _reduction),
}  # fmt: skip
