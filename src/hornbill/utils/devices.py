"""Choosing the device on which arrays are made."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import jax

from hornbill.engine.errors import ArgumentError

__all__ = ["device"]


def device(device_name: str) -> AbstractContextManager[Any]:
    """Returns a context in which arrays are made on a device.

    Args:
        device_name: "cpu", "gpu" or "tpu", with an index if there are several: "gpu:1".
    """
    kind, _, index = str(device_name).lower().partition(":")
    kind = {"cuda": "gpu"}.get(kind, kind)
    try:
        found = jax.devices(kind)[int(index or 0)]
    except (RuntimeError, IndexError, ValueError):
        known = ", ".join(f"{d.platform}:{d.id}" for d in jax.devices())
        raise ArgumentError(f"There is no device {device_name!r} here.", why=f"Devices: {known}.") from None
    return jax.default_device(found)
