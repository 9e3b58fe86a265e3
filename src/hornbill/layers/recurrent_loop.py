"""The loop over time of recurrent layers, on arrays: `jax.lax.scan`, or written out step by step when `unroll`.

`run_steps` knows nothing of layers. Variables that a step assigns (a seed, a moving mean) travel with the states and
get their last values after the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from hornbill.engine.context import context, fresh_context
from hornbill.engine.errors import ShapeError
from hornbill.engine.op import Tensor, to_record
from hornbill.engine.record import Record, TensorSpec
from hornbill.engine.variable import Variable, functional_call

__all__ = ["run_steps"]

Step = Callable[[Any, Any], tuple[Any, Any]]


def run_steps(
    step: Step,
    inputs: Tensor,
    states: Any,
    mask: Tensor | None = None,
    *,
    variables: Sequence[Variable] = (),
    output_is_state: bool = False,
    zero_masked: bool = False,
    unroll: bool = False,
    collect: bool = True,
) -> tuple[Tensor, Tensor | None, Any]:
    """Runs `step(input, states) -> (output, states)` over the first axis of the inputs.

    Where the mask is False the states stay, and the output is that of the step before, or zeros.

    Args:
        step: The step.
        inputs: Array with time first.
        states: Arrays of the first states.
        mask: Which steps count, shape (time, batch) with any further axes, or None.
        variables: Variables that the step may assign.
        output_is_state: Whether the output is the first state.
        zero_masked: Whether outputs that do not count are zeros.
        unroll: Whether the loop is written out.
        collect: Whether the outputs of all steps are wanted.

    Returns:
        `(last output, outputs with time first or None, last states)`.
    """
    record = _open_record(inputs, states, collect, output_is_state)
    held, assigned = jnp.zeros(()), []
    if not output_is_state:
        held, assigned = _trace_once(step, variables, inputs[0], states)

    def body(carry: Any, item: Any) -> Any:
        if record is not None:
            record.children.clear()  # the body may be traced more than once; it is noted once, and how often it runs
        before, held, values = carry
        x, keep = item
        (output, after), values = functional_call(assigned, values, step, x, before)
        after = _like(after, before)
        if keep is not None:
            previous = jax.tree.leaves(before)[0] if output_is_state else held
            output = _where(keep, output, jnp.zeros_like(output) if zero_masked else previous)
            after = jax.tree.map(lambda new, old: _where(keep, new, old), after, before)
        next_held = held if output_is_state else output.astype(held.dtype)
        return (after, next_held, values), output if collect else None

    current = context()
    outer, current.recorder = current.recorder, record
    carry = (states, held, [variable._value for variable in assigned])
    try:
        if unroll:
            collected = []
            for t in range(inputs.shape[0]):
                carry, output = body(carry, (inputs[t], None if mask is None else mask[t]))
                collected.append(output)
            outputs = jnp.stack(collected) if collect else None
        else:
            carry, outputs = jax.lax.scan(body, carry, (inputs, mask))
    finally:
        current.recorder = outer
    states, last, values = carry
    for variable, value in zip(assigned, values, strict=True):
        variable.assign(value)
    if output_is_state:
        last = jax.tree.leaves(states)[0]
        if mask is not None and zero_masked:
            last = _where(mask[-1], last, jnp.zeros_like(last))
    if record is not None:
        record.output = _batch_first(outputs) if collect else to_record(last)
    return last, outputs, states


def _open_record(inputs: Tensor, states: Any, collect: bool, output_is_state: bool) -> Record | None:
    """Opens the record of the loop, if calls are recorded: its children are the ops of one step."""
    recorder = context().recorder
    if recorder is None:
        return None
    arguments = {"inputs": _batch_first(inputs), "states": to_record(states), "collect": collect,
                 "output_is_state": output_is_state}  # fmt: skip
    record = Record("op", "run_steps", run_steps, "loop", arguments)
    recorder.children.append(record)
    return record


def _batch_first(x: Tensor) -> TensorSpec:
    spec = to_record(x)
    return TensorSpec((spec.shape[1], spec.shape[0], *spec.shape[2:]), spec.dtype)


def _trace_once(
    step: Step, variables: Sequence[Variable], x: Tensor, states: Any
) -> tuple[Tensor, list[Variable]]:
    """Returns zeros in the shape of the output, and the variables that the step assigns."""
    assigned: list[Variable] = []

    def trace(values: list[Any], x: Any, states: Any) -> Any:
        (output, _), after = functional_call(variables, values, step, x, states)
        assigned[:] = [v for v, a, b in zip(variables, values, after, strict=True) if a is not b]
        return output

    with fresh_context(probing=True):
        spec = jax.eval_shape(trace, [variable._value for variable in variables], x, states)
    return jnp.zeros(spec.shape, spec.dtype), assigned


def _where(keep: Tensor, new: Tensor, old: Tensor) -> Tensor:
    return jnp.where(keep.reshape(keep.shape + (1,) * (new.ndim - keep.ndim)), new, old)


def _like(after: Any, before: Any) -> Any:
    """Returns new states in the structure and dtypes of the old ones."""
    new, old = jax.tree.leaves(after), jax.tree.leaves(before)
    if len(new) != len(old) or any(jnp.shape(a) != b.shape for a, b in zip(new, old, strict=True)):
        raise ShapeError(
            "A cell must return new states of the shapes of the old ones.",
            got=f"{', '.join(str(jnp.shape(a)) for a in new)} after {', '.join(str(b.shape) for b in old)}.",
            fixes="Return (output, new_states) from the cell's call, with new_states a list as long as state_size.",
        )
    cast = [jnp.asarray(a).astype(b.dtype) for a, b in zip(new, old, strict=True)]
    return jax.tree.unflatten(jax.tree.structure(before), cast)
