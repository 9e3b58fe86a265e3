"""Gives the memory that XLA's compiler leaves behind back to the system.

Compiling a training step takes some hundred megabytes, which the C library keeps for later. The step's own memory comes
on top of that, so a process that has compiled peaks higher than it must.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import jax

__all__ = ["release_after_compiling"]

_LONG = 0.3  # seconds of compiling, after which it is worth some milliseconds


@functools.cache
def release_after_compiling() -> None:
    """Has unused memory given back after each long compilation in this process, where the C library can (glibc)."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return

    def heard(event: str, duration_secs: float, **_: Any) -> None:
        if event.endswith("backend_compile_duration") and duration_secs > _LONG:
            trim(0)

    jax.monitoring.register_event_duration_secs_listener(heard)
