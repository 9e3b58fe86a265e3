"""Whose code a frame runs: the user's, or that of Hornbill, JAX and what stands between them."""

from __future__ import annotations

from types import FrameType

__all__ = ["is_users"]

_NOT_THE_USER = ("hornbill", "jax", "jaxlib", "contextlib", "functools")


def is_users(frame: FrameType) -> bool:
    """Returns whether a frame runs the user's code."""
    return frame.f_globals.get("__name__", "").partition(".")[0] not in _NOT_THE_USER
