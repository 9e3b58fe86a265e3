"""The numbers of a model that follow from what its calls do together: parents, costs, receptive fields, activations.

`Numbers(model, rows)` traces the model once and finds each row's call in the trace:

    numbers = Numbers(model, rows_of(model, expand_nested=True))
    numbers.layer(3)   # the parts of the document's layer: parents, multiply_adds, activation_bytes, receptive_field
    numbers.totals()   # the parts of the document's totals

A row whose sizes are not all known (the batch aside) has no costs; its receptive field is there all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hornbill.engine.errors import HornbillError
from hornbill.engine.graph import OpOperation
from hornbill.engine.layer import Layer
from hornbill.engine.record import Record, TensorSpec
from hornbill.engine.shapes import tensors_from_shapes
from hornbill.explain.costs import Cost, cost_of, tensor_bytes
from hornbill.explain.flow import Box, Flow
from hornbill.explain.memory import StepMemory, available_memory, step_memory
from hornbill.explain.receptive import Receptive, fields_of
from hornbill.explain.rows import Row
from hornbill.explain.trace import Trace, trace_of

__all__ = ["Call", "Numbers"]


@dataclass(frozen=True, slots=True)
class Call:
    """Where a row's call stands in the trace.

    Attributes:
        record: Its record, batch of one; None for an input.
        inputs: Numbers of the values that went in.
        outputs: Numbers of the values that came out.
    """

    record: Record | None
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class Numbers:
    """The numbers of a model's rows.

    Args:
        target: The model, or a layer.
        rows: Its rows.
    """

    def __init__(self, target: Any, rows: list[Row]) -> None:
        self.target, self.rows = target, rows
        self.calls: list[Call | None] = [None] * len(rows)
        self.axis_names_found: dict[int, tuple[str, ...]] = {}  # what `ancestry` has found out
        self.boxes_found: dict[Any, dict[int, Box]] = {}
        self.trace = _trace(target, rows)
        if self.trace is not None:
            own = self.trace.places.get(id(self.trace.record), {"in": self.trace.inputs, "out": []})
            if len(rows) == 1 and rows[0].layer is target:
                self.calls[0] = Call(self.trace.record, tuple(own["in"]), tuple(own["out"]))
            else:
                self._find(0, self.trace.record, tuple(own["in"]))

    def _find(self, first: int, record: Record, inputs: tuple[int, ...]) -> None:
        """Finds the calls of the rows of one model, from row `first` on, among the children of its record."""
        trace, depth = self.trace, self.rows[first].depth if first < len(self.rows) else 0
        if trace is None:
            return
        left, entered = list(record.children), 0
        for index in range(first, len(self.rows)):
            row = self.rows[index]
            if row.depth < depth:
                return
            if row.depth > depth:
                continue
            if row.class_name == "InputLayer":
                place = _input_place(record.source, row, entered)
                entered += 1
                if place < len(inputs):
                    self.calls[index] = Call(None, (), (inputs[place],))
                continue
            child = next((r for r in left if _is_call_of(r, row)), None)
            if (
                child is None
            ):  # a cast that a graph shows and a run does on the way: its cells are those before it
                before = [self.calls[i] for i in self.parents(index)]
                if isinstance(row.layer, OpOperation) and row.name.startswith("cast") and len(before) == 1:
                    self.calls[index] = Call(None, (), before[0].outputs if before[0] is not None else ())
                continue
            left.remove(child)
            places = trace.places.get(id(child), {"in": [], "out": []})
            self.calls[index] = Call(child, tuple(places["in"]), tuple(places["out"]))
            if index + 1 < len(self.rows) and self.rows[index + 1].depth > depth:
                self._find(index + 1, child, tuple(places["in"]))

    @cached_property
    def flow(self) -> Flow:
        """Follows cells backwards through the trace."""
        if self.trace is None:
            raise ValueError("there is no trace")
        return Flow(self.trace)

    @cached_property
    def input_names(self) -> list[str]:
        """The names of the model's inputs, in the order of the trace's."""
        entries = {call.outputs[0]: row.name for row, call in zip(self.rows, self.calls, strict=True)
                   if call is not None and row.class_name == "InputLayer" and row.depth == 0}  # fmt: skip
        inputs = self.trace.inputs if self.trace is not None else []
        same = {self.flow.same[n]: name for n, name in entries.items()}
        return [
            same.get(self.flow.same[n], "input" if len(inputs) == 1 else f"input {i}")
            for i, n in enumerate(inputs)
        ]

    # ---- one row

    def layer(self, index: int) -> dict[str, Any]:
        """Returns the parts of the document's layer that follow from the whole model."""
        cost = self.cost(index)
        return {
            "parents": self.parents(index),
            "multiply_adds": {
                "forward": None if cost is None else cost.forward,
                "training": None if cost is None else cost.training,
            },
            "activation_bytes": self.activation_bytes(index),
            "receptive_field": [field.document() for field in self.receptive_field(index)],
        }

    def _sized(self, index: int) -> bool:
        row = self.rows[index]
        return all(None not in shape[1:] for shape in (*row.inputs, *row.outputs))

    def cost(self, index: int) -> Cost | None:
        """Returns what one call costs per sample; None if a size is not known."""
        call = self.calls[index]
        if self.trace is None or not self._sized(index):
            return None
        if call is None:  # a cast that a graph shows and a run does on the way
            return Cost() if isinstance(self.rows[index].layer, OpOperation) else None
        return Cost() if call.record is None else cost_of(call.record, self.trace)

    def activation_bytes(self, index: int) -> int | None:
        """Returns the bytes of a call's output per sample; None if a size is not known."""
        call, row = self.calls[index], self.rows[index]
        if not self._sized(index) or (call is None and not isinstance(row.layer, OpOperation)):
            return None
        if call is not None and call.record is not None:
            return tensor_bytes(call.record.output)
        made = [] if row.node is None else row.node.outputs
        return sum(tensor_bytes(TensorSpec((1, *t.shape[1:]), t.dtype)) for t in made)

    def receptive_field(self, index: int) -> list[Receptive]:
        """Returns what one output cell of a row sees of each of the model's inputs."""
        call = self.calls[index]
        if self.trace is None or call is None or not call.outputs:
            return []
        return fields_of(self, index)

    def parents(self, index: int) -> list[int]:
        """Returns the rows whose outputs a row takes, at its depth; for an input of an inner model, its row's."""
        row, call = self.rows[index], self.calls[index]
        if row.class_name == "InputLayer" and row.depth:
            return self.parents(next(i for i in reversed(range(index)) if self.rows[i].depth < row.depth))
        if row.node is not None:
            nodes = {id(self.rows[i].node): i for i in self._siblings(index)}
            return list(dict.fromkeys(nodes[id(n)] for n in row.node.parent_nodes if id(n) in nodes))
        if call is None or call.record is None or self.trace is None:
            return []
        makers: dict[int, int] = {}
        for i in self._siblings(index):
            other = self.calls[i]
            for number in other.outputs if other is not None else ():
                makers[number] = i
        return list(dict.fromkeys(i for n in call.inputs for i in self._nearest(n, makers)))

    def _siblings(self, index: int) -> list[int]:
        """Returns the rows before a row that stand in the same model."""
        found, depth = [], self.rows[index].depth
        for i in reversed(range(index)):
            if self.rows[i].depth < depth:
                break
            if self.rows[i].depth == depth:
                found.append(i)
        return found[::-1]

    def _nearest(self, number: int, makers: dict[int, int]) -> Iterator[int]:
        """Yields the rows whose outputs are met first on the way back from a value."""
        trace, seen, stack = self.trace, set(), [number]
        while stack and trace is not None:
            value = stack.pop()
            if value in seen:
                continue
            seen.add(value)
            if value in makers:
                yield makers[value]
            elif (step := trace.maker(value)) is not None:
                stack += [n for n in step.inputs if n is not None and trace.dependent[n]]

    # ---- the whole

    def totals(self) -> dict[str, Any]:
        """Returns the parts of the document's totals that follow from the whole model."""
        return {**self.costs(), "memory": self.memory()}

    def costs(self) -> dict[str, Any]:
        """Returns the sums of the rows' costs."""
        outer = [i for i, row in enumerate(self.rows) if row.depth == 0]
        costs = [self.cost(i) for i in outer]
        sizes = [self.activation_bytes(i) for i in outer if self.rows[i].class_name != "InputLayer"]
        known = [cost for cost in costs if cost is not None]
        complete = self.trace is not None and len(known) == len(costs)
        return {
            "multiply_adds": {
                "forward": sum(c.forward for c in known) if complete else None,
                "training": sum(c.training for c in known) if complete else None,
            },
            "activation_bytes": None if None in sizes or not complete else sum(size or 0 for size in sizes),
        }

    @cached_property
    def step_memory(self) -> StepMemory | None:
        """The memory of a training step; None where it cannot be predicted."""
        try:
            arguments, named = _arguments(self.target, self.rows)
            return None if arguments is None else step_memory(self.target, arguments, named)
        except (HornbillError, TypeError, ValueError):
            return None  # a model that cannot be traced in training is explained without it

    def memory(self, batch: int = 32) -> dict[str, Any] | None:
        """Returns the document's part about memory, with the peak for a batch of this size."""
        sized = all(self._sized(i) for i, row in enumerate(self.rows) if row.depth == 0)
        found = self.step_memory if sized else None
        if found is None:
            return None
        available = available_memory()
        return {
            "weights": found.weights,
            "gradients": found.gradients,
            "optimizer": found.optimizer,
            "activations_per_sample": found.activations_per_sample,
            "peak": {"batch": batch, "bytes": found.peak(batch)},
            "largest_batch": None if available is None else found.largest_batch(available),
            "available": available,
        }


def _is_call_of(record: Record, row: Row) -> bool:
    if isinstance(row.layer, OpOperation):
        return record.kind == "op" and record.name == row.layer.fn.__name__
    return record.source is row.layer


def _input_place(model: Any, row: Row, entered: int) -> int:
    """Returns which of a model's inputs an input row is."""
    tensors = getattr(model, "inputs", None) or []
    made = row.node.outputs[0] if row.node is not None and row.node.outputs else None
    return next((i for i, tensor in enumerate(tensors) if tensor is made), entered)


def _trace(target: Any, rows: list[Row]) -> Trace | None:
    """Traces a model or layer on the shapes that it was built for; None if it has none."""
    variables, trained = list(target.variables), list(target.trainable_weights)
    arguments, named = _arguments(target, rows)
    if arguments is None:
        return None
    try:
        return trace_of(target._run, arguments, named, variables, trained)
    except (HornbillError, TypeError, ValueError):
        return None  # a call that cannot be traced with one sample is explained without these numbers


def _arguments(target: Any, rows: list[Row]) -> tuple[tuple[Any, ...] | None, dict[str, Any]]:
    graph = target._inner_graph()
    if graph is not None:
        return (graph._inputs_structure,), {}
    if len(rows) == 1 and rows[0].node is not None and rows[0].layer is target:
        return rows[0].node.args, rows[0].node.kwargs
    shapes = target._build_shapes if isinstance(target, Layer) else None
    if not target.built or not shapes:
        return None, {}
    tensors = {
        key.removesuffix("_shape"): tensors_from_shapes(shape, target.compute_dtype)
        for key, shape in shapes.items()
    }
    first = tensors.pop("input", None)
    return ((first,) if first is not None else ()), tensors
