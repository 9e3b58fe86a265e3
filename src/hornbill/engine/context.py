"""What is true during a call: the training flag, losses added on the way, the autocast dtype, the recorder.

One object per thread. `fresh_context` gives a traced call a context of its own and leaves no tracer behind in any
layer's losses.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["CallContext", "autocast_scope", "context", "fresh_context"]


class CallContext:
    """State of the call in progress on this thread.

    Attributes:
        training: The training flag that inner layers inherit, or None.
        depth: How many layers are being called inside one another.
        autocast: The dtype to which float variables are cast when read, or None.
        touched: Layers that got losses since the outermost call began.
        recorder: The open `Record` that ops and layers append to, or None.
        marker: Marks what goes into and comes out of each recorded call, so that data can be followed; or None.
        probing: Whether the call in progress only finds out shapes.
    """

    __slots__ = ("autocast", "depth", "marker", "probing", "recorder", "touched", "training")

    def __init__(self) -> None:
        self.training: bool | None = None
        self.depth = 0
        self.autocast: str | None = None
        self.touched: list[Any] = []
        self.recorder: Any = None
        self.marker: Any = None
        self.probing = False


class _Local(threading.local):
    def __init__(self) -> None:
        self.current = CallContext()


_local = _Local()


def context() -> CallContext:
    """Returns this thread's context."""
    return _local.current


@contextmanager
def fresh_context(recorder: Any = None, probing: bool = False) -> Iterator[CallContext]:
    """Opens a new context; on leaving, losses that layers got inside are dropped."""
    outer = _local.current
    inner = CallContext()
    inner.training, inner.depth, inner.autocast = outer.training, outer.depth, outer.autocast
    inner.recorder, inner.probing = recorder, probing or outer.probing
    _local.current = inner
    try:
        yield inner
    finally:
        _local.current = outer
        for layer in inner.touched:
            layer._losses.clear()


@contextmanager
def autocast_scope(dtype: str | None) -> Iterator[None]:
    """Casts float variables to `dtype` when they are read inside."""
    current = _local.current
    outer, current.autocast = current.autocast, dtype
    try:
        yield
    finally:
        current.autocast = outer
