"""Taking back a half-done build: what failed must leave no trace, so that the next try starts as the first did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hornbill.engine.variable import Structure

__all__ = ["unbuilt_on_error"]


@contextmanager
def unbuilt_on_error(root: Any) -> Iterator[None]:
    """Gives `root` and the layers below it that are not built their attributes back if the code inside raises."""
    waiting = [layer for layer in root._flatten_layers() if not layer.built]
    saved = [(layer, dict(layer.__dict__)) for layer in waiting]
    lists = [
        (value, list(value))
        for _, attributes in saved
        for value in attributes.values()
        if type(value) is list
    ]
    try:
        yield
    except BaseException:
        for layer, attributes in saved:
            layer.__dict__.clear()
            layer.__dict__.update(attributes)
        for value, items in lists:
            value[:] = items
        Structure.version += 1
        raise
