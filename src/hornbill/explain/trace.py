"""One trace of a whole model, batch of one: its records, and the flat list of JAX operations with every call marked.

Each recorded call (a layer, an op) gets its inputs and outputs marked by name, so that the operations between the calls
can be followed: `flow` finds out which cells a cell depends on, `costs` what has a gradient. Weights come in as values
that are not known; whatever depends on neither weights nor inputs is a constant, which `Trace.constant` works out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from jax.ad_checkpoint import checkpoint_name
from jax.core import Tracer

from hornbill.engine.context import fresh_context
from hornbill.engine.masking import get_mask, set_mask
from hornbill.engine.random import global_seed_generator
from hornbill.engine.record import Record
from hornbill.engine.symbolic import KerasTensor, leaves_of, map_leaves
from hornbill.engine.variable import discard_assignments, functional_call

__all__ = ["PROBE", "Step", "Trace", "flatten", "trace_of"]

PROBE = 3360
"""What stands for a size that is not known, the batch aside."""

_INLINED = ("jaxpr", "call_jaxpr", "fun_jaxpr")
_OPAQUE = {"scan", "while", "cond", "pure_callback", "io_callback", "debug_callback"}
_LARGEST_CONSTANT = 1 << 22


@dataclass(slots=True)
class Step:
    """One operation of the flat list.

    Attributes:
        name: The primitive's name.
        params: Its parameters.
        inputs: Numbers of the values that go in; None for a literal.
        outputs: Numbers of the values that come out.
        literals: The literals among the inputs, by position.
        primitive: The primitive.
    """

    name: str
    params: dict[str, Any]
    inputs: list[int | None]
    outputs: list[int]
    literals: dict[int, Any]
    primitive: Any


@dataclass
class Trace:
    """What a call of a model does, operation by operation.

    Attributes:
        steps: The operations, in order.
        shapes: Shape of each value.
        widths: Bytes of one number of each value.
        record: The record of the model's call, all sizes known.
        inputs: Numbers of the values that the model's inputs are.
        dependent: Whether a value depends on the inputs.
        trained: Whether a value depends on a variable that is trained, so that training needs its gradient.
        places: For each record (by identity), the values that went in and came out.
        spans: For each record, the first and the last of its operations.
    """

    steps: list[Step] = field(default_factory=list)
    shapes: list[tuple[int, ...]] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    record: Record = field(default_factory=Record.root)
    inputs: list[int] = field(default_factory=list)
    dependent: list[bool] = field(default_factory=list)
    trained: list[bool] = field(default_factory=list)
    places: dict[int, dict[str, list[int]]] = field(default_factory=dict)
    spans: dict[int, tuple[int, int]] = field(default_factory=dict)
    _unknown: list[bool] = field(default_factory=list)
    _maker: dict[int, int] = field(default_factory=dict)
    _values: dict[int, Any] = field(default_factory=dict)

    def new(self, aval: Any, dependent: bool, unknown: bool, trained: bool = False) -> int:
        """Enters a value, known by its shape and dtype, and returns its number."""
        self.shapes.append(tuple(aval.shape))
        self.widths.append(getattr(aval.dtype, "itemsize", 4))
        self.dependent.append(dependent)
        self.trained.append(trained)
        self._unknown.append(unknown)
        return len(self.shapes) - 1

    def add(self, step: Step, results: list[Any]) -> list[int]:
        """Enters an operation and returns the numbers of its results."""
        known = [i for i in step.inputs if i is not None]
        dependent, unknown = any(self.dependent[i] for i in known), any(self._unknown[i] for i in known)
        trained = step.name != "stop_gradient" and any(self.trained[i] for i in known)
        step.outputs = [self.new(aval, dependent, unknown, trained) for aval in results]
        for number in step.outputs:
            self._maker[number] = len(self.steps)
        self.steps.append(step)
        return step.outputs

    def varies(self, number: int | None) -> bool:
        """Returns whether a value depends on inputs or weights."""
        return number is not None and self._unknown[number]

    def maker(self, number: int) -> Step | None:
        """Returns the operation that made a value; None for inputs, variables and constants."""
        place = self._maker.get(number)
        return None if place is None else self.steps[place]

    def set_constant(self, value: Any) -> int:
        """Enters a constant and returns its number."""
        number = self.new(np.asarray(value) if np.isscalar(value) else value, False, False)
        self._values[number] = value
        return number

    def constant(self, number: int) -> np.ndarray | None:
        """Returns the value if it depends on neither inputs nor weights; None otherwise."""
        if self._unknown[number] or int(np.prod(self.shapes[number], dtype=np.int64)) > _LARGEST_CONSTANT:
            return None
        if number not in self._values:
            step = self.steps[self._maker[number]]
            given = []
            for i, place in enumerate(step.inputs):
                value = step.literals[i] if place is None else self.constant(place)
                if value is None:
                    return None
                given.append(value)
            found = step.primitive.bind(*given, **step.params)
            found = found if step.primitive.multiple_results else [found]
            self._values.update(zip(step.outputs, found, strict=True))
        return np.asarray(self._values[number])


class _Marker:
    """Marks the arrays that go into and come out of calls by a name that the trace shows."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.numbers: dict[int, int] = {}

    def __call__(self, record: Record, side: str, values: Any) -> Any:
        number = self.numbers.setdefault(id(record), len(self.records))
        if number == len(self.records):
            self.records.append(record)
        counter = iter(range(1 << 30))

        def mark(leaf: Any) -> Any:
            if not isinstance(leaf, Tracer):
                return leaf
            marked = checkpoint_name(leaf, f"hornbill:{number}:{side}:{next(counter)}")
            mask = get_mask(leaf)
            if mask is not None:
                set_mask(marked, mask)
            return marked

        return map_leaves(mark, values)


def trace_of(
    call: Any,
    arguments: tuple[Any, ...],
    named: dict[str, Any],
    variables: list[Any],
    trained: Iterable[Any] = (),
) -> Trace:
    """Traces `call(*arguments, **named)` and returns what it does.

    Args:
        call: The function, such as a model's `_run`.
        arguments: Its arguments; KerasTensors stand for the inputs, in the order of the trace's inputs.
        named: Arguments by name, likewise.
        variables: The variables that it may read.
        trained: Those of them that are trained.
    """
    leaves, treedef = jax.tree_util.tree_flatten(
        (arguments, named), is_leaf=lambda x: isinstance(x, KerasTensor) or x is None
    )
    places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, KerasTensor)]
    shapes = [tuple(1 if i == 0 and s is None else PROBE if s is None else s for i, s in enumerate(leaves[p].shape))
              for p in places]  # fmt: skip
    structs = [jax.ShapeDtypeStruct(s, leaves[p].dtype) for s, p in zip(shapes, places, strict=True)]
    boxes = [*variables, global_seed_generator().state]
    held = [jax.ShapeDtypeStruct(v._value.shape, v._value.dtype) for v in boxes]
    marker, record = _Marker(), Record.root()

    def run(values: list[Any], inputs: list[Any]) -> Any:
        filled = list(leaves)
        for place, value in zip(places, inputs, strict=True):
            filled[place] = value
        args, kwargs = jax.tree_util.tree_unflatten(treedef, filled)
        result, _ = functional_call(boxes, values, call, *args, **kwargs)
        return [leaf for leaf in leaves_of(result) if isinstance(leaf, jax.Array)]

    with fresh_context(recorder=record, probing=True) as current, discard_assignments():
        current.marker = marker
        closed = jax.make_jaxpr(run)(held, structs)
    chosen = {id(v) for v in trained}
    learning = {i for i, v in enumerate(boxes) if id(v) in chosen}
    trace, numbers, _ = flatten(closed, len(held), learning, marker)
    trace.inputs = numbers[len(held) :]
    trace.record = record.children[0] if record.children else record
    return trace


def flatten(
    closed: Any, held: int, learning: Iterable[int] = (), marker: _Marker | None = None
) -> tuple[Trace, list[int], list[int | None]]:
    """Returns a traced function as one flat list of operations.

    Args:
        closed: The function as JAX traced it.
        held: How many of its arguments are values of variables; the others are the inputs.
        learning: Which of these are trained.
        marker: What marked the calls, if anything did.

    Returns:
        The trace, and the numbers of the arguments and of the results.
    """
    trace, chosen = Trace(), set(learning)
    numbers = [
        trace.new(variable.aval, place >= held, True, place in chosen)
        for place, variable in enumerate(closed.jaxpr.invars)
    ]
    known = dict(zip(closed.jaxpr.invars, numbers, strict=True))
    return trace, numbers, _inline(trace, closed.jaxpr, closed.consts, known, marker or _Marker())


def _inline(
    trace: Trace, jaxpr: Any, consts: Any, known: dict[Any, int], marker: _Marker
) -> list[int | None]:
    """Enters the equations of a jaxpr, those of inner calls in their place; returns the numbers of its results."""
    for variable, value in zip(jaxpr.constvars, consts, strict=True):
        known[variable] = value if isinstance(value, int) else trace.set_constant(value)
    literals: dict[int, Any] = {}

    def number_of(atom: Any) -> int | None:
        return None if hasattr(atom, "val") else known[atom]

    for equation in jaxpr.eqns:
        inputs = [number_of(atom) for atom in equation.invars]
        literals = {i: atom.val for i, atom in enumerate(equation.invars) if hasattr(atom, "val")}
        name = equation.primitive.name
        inner = (
            None
            if name in _OPAQUE
            else next((equation.params[k] for k in _INLINED if k in equation.params), None)
        )
        if inner is not None:
            outputs = _inline_call(trace, inner, inputs, literals, marker)
        else:
            step = Step(name, dict(equation.params), inputs, [], literals, equation.primitive)
            outputs = list(trace.add(step, [v.aval for v in equation.outvars]))
            if name == "name":
                _note(trace, marker, equation.params["name"], outputs[0])
        known.update(zip(equation.outvars, outputs, strict=True))  # type: ignore[arg-type]
    return [trace.set_constant(atom.val) if hasattr(atom, "val") else known[atom] for atom in jaxpr.outvars]


def _inline_call(
    trace: Trace, inner: Any, inputs: list[int | None], literals: dict[int, Any], marker: _Marker
) -> list[Any]:
    closed = hasattr(inner, "jaxpr")
    body, consts = (inner.jaxpr, inner.consts) if closed else (inner, [])
    given = [trace.set_constant(literals[i]) if n is None else n for i, n in enumerate(inputs)]
    count = len(body.invars)
    return _inline(
        trace, body, consts, dict(zip(body.invars, given[len(given) - count :], strict=True)), marker
    )


def _note(trace: Trace, marker: _Marker, name: str, number: int) -> None:
    if name.startswith("hornbill:"):
        _, which, side, _ = name.split(":")
        key, here = id(marker.records[int(which)]), len(trace.steps) - 1
        sides = trace.places.setdefault(key, {"in": [], "out": []})
        trace.spans[key] = (trace.spans.get(key, (here, here))[0], here)
        sides[side].append(number)
