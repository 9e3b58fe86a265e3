"""The way to an error: what ran before the layer that stopped, with its shapes and arithmetic, and the user's line.

A shape is seldom wrong where the error occurs. `with_trail` wraps the calls of layers and ops; an error that passes
gets the steps that led there, from the graph or from the record of the call in progress, and the line of the
user's program that made the layer.
"""

from __future__ import annotations

import functools
import linecache
import sys
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from hornbill.engine.axes import describe_shape
from hornbill.engine.context import context
from hornbill.engine.errors import HornbillError, SourceLine, Step
from hornbill.engine.frames import is_users
from hornbill.engine.lazy import lazy_module
from hornbill.engine.record import Record

__all__ = ["line_of_user", "with_trail"]

_sentences = lazy_module("hornbill.explain.sentences")
_MOST_NODES = 200

F = TypeVar("F", bound=Callable[..., Any])


def line_of_user() -> tuple[str, int] | None:
    """Returns file and line of the innermost frame of the user's code, as cheaply as can be."""
    frame = sys._getframe(1)
    while frame is not None and not is_users(frame):
        frame = frame.f_back
    return None if frame is None else (frame.f_code.co_filename, frame.f_lineno)


def with_trail(call: F) -> F:
    """Returns a layer's call that adds the way to the errors that leave it."""

    @functools.wraps(call)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return call(self, *args, **kwargs)
        except HornbillError as error:
            _add_way(error, self, args, kwargs)
            raise

    return wrapped  # type: ignore[return-value]


def _add_way(error: HornbillError, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Puts the steps before `operation` in front of those that the error has."""
    symbolic = [leaf for leaf in _leaves((args, kwargs)) if getattr(leaf, "_keras_history", None) is not None]
    steps = list(_steps_of_graph(symbolic) if symbolic else _steps_of_record(context().recorder))
    name = operation.__dict__.get("name") or type(operation).__name__
    error.add_way(name, steps, _source_line(operation.__dict__.get("_made_at")))


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        yield value
        return
    for item in value:
        yield from _leaves(item)


def _source_line(place: tuple[str, int] | None) -> SourceLine | None:
    """Returns a line of the user's program with its text; None where the text is not at hand."""
    if place is None:
        return None
    text = linecache.getline(*place).strip()
    return SourceLine(*place, text) if text else None


def _steps_of_graph(tensors: list[Any]) -> Iterator[Step]:
    """Yields the calls that gave KerasTensors, the earliest first."""
    done: dict[int, Any] = {}
    stack = [(tensor._keras_history, False) for tensor in reversed(tensors)]
    while stack and len(done) < _MOST_NODES:
        (operation, index, place), ready = stack.pop()
        node = operation._inbound_nodes[index]
        if id(node) in done:
            continue
        if ready:
            done[id(node)] = node
            yield _step(
                operation.name, type(operation).__name__, node.outputs[0].shape, node.record, operation
            )
            continue
        stack.append(((operation, index, place), True))
        stack += [(t._keras_history, False) for t in reversed(node.inputs) if t._keras_history is not None]


def _steps_of_record(record: Record | None) -> Iterator[Step]:
    """Yields the layers that the call in progress has finished."""
    for child in record.children if record is not None else ():
        outputs = child.results()
        if child.kind == "layer" and outputs:
            yield _step(child.name, type(child.source).__name__, outputs[0].shape, child, child.source)


def _step(name: str, class_name: str, shape: tuple[int | None, ...], record: Any, operation: Any) -> Step:
    axes = operation.input_axes(len(shape)) if hasattr(operation, "input_axes") else None
    return Step(name, class_name, shape, f"{describe_shape(shape, axes)}{_arithmetic(record)}")


def _arithmetic(record: Record | None) -> str:
    """Returns how the sizes that a call changed came about: `   height, width: (7 - 3) // 1 + 1 = 5`."""
    if record is None:
        return ""
    named: dict[str, list[str]] = {}
    for op in record.walk():
        for sentence in _sentences.sentences_of(op) if op.kind == "op" else ():
            if sentence.axis is not None and sentence.formula and sentence.before != sentence.after:
                names = named.setdefault(sentence.formula, [])
                names += [sentence.name] if sentence.name not in names else []
    found = [f"{', '.join(names)}: {formula}" for formula, names in named.items()]
    return "".join(f"   {text}" for text in found[:2])
