"""`hornbill doctor`: what this installation runs on, which fast paths are active, and why others are not.

It only looks: nothing is compiled, written or fetched.
"""

from __future__ import annotations

import os
import platform
from typing import Any

import jax
import numpy as np

import hornbill
from hornbill import _cache
from hornbill.ops import native

__all__ = ["findings", "report"]


def findings() -> dict[str, str]:
    """Returns what was found, as one line of text per subject, in the order in which it is shown."""
    return {
        "hornbill": f"{hornbill.__version__}, Python {platform.python_version()}, {platform.platform()}",
        "jax": f"{jax.__version__}, NumPy {np.__version__}",
        "devices": _devices(),
        "cores": _cores(),
        "native kernels": _native(),
        "served by them": _served(),
        "compilation cache": _compilation_cache(),
    }


def report() -> str:
    """Returns the findings as text.

    Example:
        >>> print(report().splitlines()[0].split()[0])
        hornbill
    """
    found = findings()
    width = max(map(len, found))
    return "\n".join(f"{subject:<{width}}  {text}" for subject, text in found.items())


def _devices() -> str:
    kinds: dict[str, int] = {}
    for device in jax.devices():
        kind = (
            device.platform
            if device.platform == device.device_kind
            else f"{device.platform} ({device.device_kind})"
        )
        kinds[kind] = kinds.get(kind, 0) + 1
    return ", ".join(f"{count} x {kind}" for kind, count in kinds.items())


def _cores() -> str:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{usable} of {os.cpu_count()} usable by this process"


def _native() -> str:
    reason = native.reason_inactive()
    package: Any = native.package()
    if reason:
        advice = " (pip install ./native in a checkout; needs a C++ compiler)" if package is None else ""
        return f"not active: {reason}{advice}"
    sets = ", ".join(package.instruction_sets())
    return f"active: hornbill-native {package.__version__} with {package.isa()} (this processor has {sets})"


def _served() -> str:
    if native.reason_inactive():
        return "nothing; XLA's own path gives the same numbers within rounding"
    return (
        "conv (1 to 3 axes), conv_transpose and max_pool (1 or 2), channels last, and dense layers: float32 and "
        "bfloat16; depthwise_conv, attention without biases, LSTM, GRU and batch normalisation: float32; with their "
        "gradients. Not: strides together with dilation, groups of 2 to 7 channels, very small arrays"
    )


def _compilation_cache() -> str:
    folder = _cache.cache_folder()
    used = jax.config.jax_compilation_cache_dir  # type: ignore[attr-defined]
    if used:
        return f"{used}" + (
            "" if folder is None or str(folder) == used else " (chosen by JAX's own settings)"
        )
    return "off, by HORNBILL_CACHE" if folder is None else "off"
