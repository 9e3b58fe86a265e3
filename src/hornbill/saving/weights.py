"""The only walk over a model: what has variables of its own, each under the path that Keras gives it in files.

A path is made of attribute names: `layers/dense_1`, `encoder/blocks/dense`, `optimizer`. In a list, tuple or dict each
object is called by its class in snake case, numbered when the name comes again. An object is entered once, at the
first path that leads to it: public attributes before private ones, each in alphabetical order.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from hornbill import optimizers
from hornbill.engine.layer import Layer
from hornbill.engine.naming import to_snake_case
from hornbill.engine.random import SeedGenerator

__all__ = ["is_model", "own_arrays", "saveables"]

# Bookkeeping of layers and models, and what is reached under a public name.
_INTERNAL = frozenset({
    "_captured", "_inbound_nodes", "_outbound_nodes", "_own_variables", "_losses", "_touched", "_dtype_policy",
    "_program", "_compiled", "_training_cache", "_functional", "_record", "history", "_layers", "_input_layer",
    "_inputs_structure", "_outputs_structure", "_compile_loss", "_compile_metrics", "_compile_arguments",
    "_loss_tracker", "_build_shapes", "_initial_weights", "_batches_state", "_variables", "_trainable_variables",
    "_trainable_at_compile", "_index_of", "_averages", "_accumulated_gradients", "_slot_variables", "_shared_variables",
})  # fmt: skip


def is_model(obj: Any) -> bool:
    """Returns whether an object is a Model: a layer whose class comes from `hornbill.models`."""
    return isinstance(obj, Layer) and any(
        cls.__module__.startswith("hornbill.models.") for cls in type(obj).__mro__
    )


def saveables(root: Any) -> dict[str, Any]:
    """Returns the layers, optimizers and seed generators of a model by their path; the model itself is at "".

    Args:
        root: Model or layer.
    """
    found: dict[str, Any] = {}
    seen: dict[int, Any] = {}  # holds the objects, so that no id is used twice
    stack: list[tuple[str, Any]] = [("", root)]
    while stack:  # depth first, in order
        path, value = stack.pop()
        if id(value) in seen:
            continue
        seen[id(value)] = value
        if _is_saveable(value):
            found[path] = value
            inside = _attributes(value)
        else:
            inside = _items(value)
        prefix = f"{path}/" if path else ""
        stack.extend(reversed([(prefix + name, child) for name, child in inside]))
    return found


def _is_saveable(value: Any) -> bool:
    return isinstance(value, (Layer, optimizers.Optimizer, SeedGenerator))


def _is_container(value: Any) -> bool:
    return isinstance(value, (list, tuple, dict, set, frozenset))


def _attributes(owner: Any) -> Iterator[tuple[str, Any]]:
    names = set(owner.__dict__) - _INTERNAL
    for cls in type(owner).__mro__:
        if cls in (Layer, optimizers.Optimizer, SeedGenerator) or cls.__module__.startswith(
            "hornbill.models."
        ):
            break
        names.update(
            name for name, value in vars(cls).items() if isinstance(value, (property, cached_property))
        )
    if is_model(owner):
        names.add("layers")
    for name in sorted(names, key=lambda name: (name.startswith("_"), name)):
        try:
            value = getattr(owner, name)
        except Exception:  # noqa: BLE001, S112  a property that has nothing to give yet
            continue
        if _is_saveable(value) or _is_container(value):
            yield name, value


def _items(container: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(container, dict):
        values = list(container.values())
    elif isinstance(container, (set, frozenset)):
        values = sorted((value for value in container if _is_saveable(value)), key=lambda value: value.name)
    else:
        values = list(container)
    counts: dict[str, int] = {}
    for value in values:
        if _is_saveable(value):
            name = to_snake_case(type(value).__name__)
        elif _is_container(value):
            name = "container"
        else:
            continue
        count = counts[name] = counts.get(name, -1) + 1
        yield (f"{name}_{count}" if count else name), value


def own_arrays(obj: Any) -> dict[str, np.ndarray]:
    """Returns what an object stores of its own, by the names it gives: usually "0", "1", ...

    Args:
        obj: One of `saveables`.
    """
    if isinstance(obj, SeedGenerator):
        return {"0": np.asarray(obj.state.value)}
    store: dict[str, Any] = {}
    obj.save_own_variables(store)
    return {str(key): np.asarray(value) for key, value in store.items()}
