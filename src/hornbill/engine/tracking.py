"""Finding what belongs to a layer: variables, sublayers, metrics, seed generators among its attributes.

Attributes are looked through when asked, lists and dicts included, in the order in which they were set. Nothing is
wrapped: a list that a user stores stays that list.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hornbill.engine.random import SeedGenerator
from hornbill.engine.variable import Variable

__all__ = ["attributes_of_kind", "unique"]

# Internal attributes that hold objects of other owners, or the bookkeeping itself.
_SKIPPED = frozenset({
    "_captured", "_inbound_nodes", "_outbound_nodes", "_own_variables", "_losses", "_touched", "_dtype_policy",
    "_trainable_at_compile", "_compile_arguments", "_program", "_compiled", "_training_cache", "optimizer",
    "_optimizer", "_functional", "_record", "history",
})  # fmt: skip


def attributes_of_kind(owner: Any, kind: str) -> Iterator[Any]:
    """Yields the objects of a kind ("variable", "layer", "metric", "seed") among the attributes of `owner`."""
    seen: set[int] = set()
    for name, value in list(owner.__dict__.items()):
        if name not in _SKIPPED:
            yield from _inside(value, kind, seen)


def _kind(value: Any) -> str | None:
    if isinstance(value, Variable):
        return "variable"
    if isinstance(value, SeedGenerator):
        return "seed"
    return getattr(type(value), "tracked_kind", None)


def _inside(value: Any, kind: str, seen: set[int]) -> Iterator[Any]:
    found = _kind(value)
    if found is not None:
        if found == kind and id(value) not in seen:
            seen.add(id(value))
            yield value
        return
    if isinstance(value, dict):
        items: Any = value.values()
    elif isinstance(value, (list, tuple, set, frozenset)):
        items = value
    else:
        return
    if id(value) in seen:
        return
    seen.add(id(value))
    for item in list(items):
        yield from _inside(item, kind, seen)


def unique(items: Iterator[Any] | list[Any]) -> list[Any]:
    """Returns the items without repetitions, by identity, in order."""
    return list({id(item): item for item in items}.values())
