"""What every layer of a model gave on some examples, as NumPy arrays.

Layers are watched while the model runs as it always does; nothing is computed a second time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from hornbill.engine.symbolic import leaves_of
from hornbill.engine.variable import functional_call
from hornbill.explain.rows import Row

__all__ = ["capture", "entries"]


class _Call:
    """One call of a layer: what it took, if it is a model, and gave; empty while it runs."""

    __slots__ = ("given", "result")

    def __init__(self) -> None:
        self.given: list[Any] = []
        self.result: Any = None


def capture(model: Any, rows: list[Row], inputs: Any) -> list[np.ndarray | None]:
    """Runs a model and returns each row's first output.

    Args:
        model: A built model.
        rows: Its rows, inner models expanded, in the order in which it runs.
        inputs: One batch.

    Returns:
        One array per row; None where a layer ran out of sight (inside a loop or another transform) or not at all.
    """
    try:
        calls = _compiled(model, rows, inputs)
    except Exception:  # noqa: BLE001  what cannot be compiled (a layer seen inside a loop, Python on values) runs step by step
        calls = _step_by_step(model, rows, inputs)
    given = [np.asarray(leaf) for leaf in leaves_of(inputs)]
    return list(_in_order(model, rows, calls, given))


def _compiled(model: Any, rows: list[Row], inputs: Any) -> dict[int, list[_Call]]:
    """Runs the model as one program that gives back every layer's output: one compilation instead of one per op."""
    variables = list(model.variables)
    seen: dict[int, list[_Call]] = {}

    def run(values: list[Any], batch: Any) -> list[tuple[list[Any], Any]]:
        seen.clear()
        with _watching(rows, seen):
            functional_call(variables, values, model, batch, training=False)
        return [(call.given, call.result) for calls in seen.values() for call in calls]

    found = iter(jax.jit(run)([variable.value for variable in variables], inputs))
    for calls in seen.values():
        for call in calls:
            call.given, call.result = next(found)
    return seen


def _step_by_step(model: Any, rows: list[Row], inputs: Any) -> dict[int, list[_Call]]:
    seen: dict[int, list[_Call]] = {}
    with _watching(rows, seen):
        model(inputs, training=False)
    for calls in seen.values():
        for call in calls:
            call.given = [leaf for leaf in call.given if not isinstance(leaf, Tracer)]
            call.result = None if isinstance(call.result, Tracer) else call.result
    return seen


@contextmanager
def _watching(rows: list[Row], calls: dict[int, list[_Call]]) -> Iterator[None]:
    """Puts a watcher before each operation's `call` while the block runs."""
    operations = {id(row.layer): row.layer for row in rows}

    def watched(operation: Any) -> Any:
        call, is_model = operation.call, hasattr(operation, "get_layer")

        def run(*args: Any, **kwargs: Any) -> Any:
            entry = _Call()
            calls.setdefault(id(operation), []).append(entry)
            entry.given = _arrays((args, kwargs)) if is_model else []
            result = call(*args, **kwargs)
            entry.result = next(iter(_arrays(result)), None)
            return result

        return run

    replaced = {}
    for key, operation in operations.items():
        replaced[key] = operation.__dict__.get("call")
        operation.__dict__["call"] = watched(operation)
    try:
        yield
    finally:
        for key, operation in operations.items():
            del operation.__dict__["call"]
            if replaced[key] is not None:
                operation.__dict__["call"] = replaced[key]


def _arrays(value: Any) -> list[Any]:
    return [leaf for leaf in leaves_of(value) if isinstance(leaf, (jax.Array, np.ndarray))]


def entries(model: Any, rows: list[Row]) -> list[int | None]:
    """Returns, for each row that is an InputLayer, which input of its model it is; None for all others."""
    models, found = [model], []
    for row in rows:
        del models[row.depth + 1 :]
        found.append(_place(models[row.depth], row) if row.class_name == "InputLayer" else None)
        models.append(row.layer)
    return found


def _place(model: Any, row: Row) -> int | None:
    owners = [tensor._keras_history[0] for tensor in model.inputs if tensor._keras_history is not None]
    return next((i for i, owner in enumerate(owners) if owner is row.layer), None)


def _in_order(
    model: Any, rows: list[Row], calls: dict[int, list[_Call]], given: list[np.ndarray]
) -> Iterator[np.ndarray | None]:
    """Yields the output of each row: the n-th row of a layer is its n-th call; inputs are what came in."""
    used: dict[int, int] = {}
    entering = [list(given)]  # what the model of each open depth was given
    for row, place in zip(rows, entries(model, rows), strict=True):
        del entering[row.depth + 1 :]
        mine, turn = calls.get(id(row.layer), []), used.get(id(row.layer), 0)
        used[id(row.layer)] = turn + 1
        entry = mine[turn] if turn < len(mine) else None
        entering.append([np.asarray(leaf) for leaf in entry.given] if entry is not None else [])
        if entry is not None:
            yield None if entry.result is None else np.asarray(entry.result)
        else:
            waiting = entering[row.depth]
            yield waiting[place] if place is not None and place < len(waiting) else None
