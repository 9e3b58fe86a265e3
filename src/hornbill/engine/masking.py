"""Masks that travel with tensors, kept beside them.

A mask says which time steps (or other positions) of a tensor count. JAX arrays and tracers take no attributes, so the
mask stands in a table that knows its tensor by a weak reference and forgets it with the tensor.
"""

from __future__ import annotations

import contextlib
import weakref
from typing import Any

import jax
import jax.core

__all__ = ["get_mask", "set_mask"]

_masks: dict[int, tuple[weakref.ref[Any], Any]] = {}


def get_mask(x: Any) -> Any:
    """Returns the mask of a tensor, or None."""
    entry = _masks.get(id(x))
    if entry is not None and entry[0]() is x:
        return entry[1]
    return None


def set_mask(x: Any, mask: Any) -> None:
    """Gives the tensor `x` the mask `mask` (None takes it away)."""
    key = id(x)
    if mask is None:
        _masks.pop(key, None)
        return

    def forget(reference: weakref.ref[Any]) -> None:
        entry = _masks.get(key)
        if entry is not None and entry[0] is reference:
            del _masks[key]

    _masks[key] = (weakref.ref(x, forget), mask)
    if not isinstance(x, jax.core.Tracer):
        with contextlib.suppress(AttributeError, TypeError):
            x._keras_mask = mask  # Keras' guide to masking reads it there
