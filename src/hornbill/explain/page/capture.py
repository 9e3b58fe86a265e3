"""What every layer of a model gave on some examples, as NumPy arrays.

Layers are watched while the model runs as it always does; nothing is computed a second time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np

from hornbill.engine.symbolic import leaves_of
from hornbill.explain.rows import Row

__all__ = ["capture"]


class _Call:
    """One call of a layer: what it took and gave; empty while it runs, and for good if it ran inside a transform."""

    __slots__ = ("given", "result")

    def __init__(self) -> None:
        self.given: list[np.ndarray] = []
        self.result: np.ndarray | None = None


def capture(model: Any, rows: list[Row], inputs: Any) -> list[np.ndarray | None]:
    """Runs a model and returns each row's first output.

    Args:
        model: A built model.
        rows: Its rows, inner models expanded, in the order in which it runs.
        inputs: One batch.

    Returns:
        One array per row; None where a layer ran out of sight (inside a loop or another transform) or not at all.
    """
    operations = {id(row.layer): row.layer for row in rows}
    calls: dict[int, list[_Call]] = defaultdict(list)
    with _watching(operations, calls):
        model(inputs, training=False)
    given = [np.asarray(leaf) for leaf in leaves_of(inputs)]
    return list(_in_order(rows, calls, given))


@contextmanager
def _watching(operations: dict[int, Any], calls: dict[int, list[_Call]]) -> Iterator[None]:
    """Puts a watcher before each operation's `call` while the block runs."""

    def watched(operation: Any) -> Any:
        call = operation.call

        def run(*args: Any, **kwargs: Any) -> Any:
            entry = _Call()
            calls[id(operation)].append(entry)
            entry.given = _arrays((args, kwargs))
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


def _arrays(value: Any) -> list[np.ndarray]:
    leaves = [leaf for leaf in leaves_of(value) if isinstance(leaf, (jax.Array, np.ndarray))]
    return [np.asarray(leaf) for leaf in leaves if not isinstance(leaf, jax.core.Tracer)]


def _in_order(
    rows: list[Row], calls: dict[int, list[_Call]], given: list[np.ndarray]
) -> Iterator[np.ndarray | None]:
    """Yields the output of each row: the n-th row of a layer is its n-th call; inputs are what came in."""
    used: dict[int, int] = defaultdict(int)
    entering = [list(given)]  # for each open depth, the inputs that its InputLayers have not taken yet
    for row in rows:
        del entering[row.depth + 1 :]
        key = id(row.layer)
        entry = calls[key][used[key]] if used[key] < len(calls[key]) else None
        used[key] += 1
        entering.append(list(entry.given) if entry is not None else [])
        if entry is not None:
            yield entry.result
        else:
            waiting = entering[row.depth]
            yield waiting.pop(0) if row.class_name == "InputLayer" and waiting else None
