"""Numbers as people read them, and the bytes of weights: the one place for both."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jax.numpy as jnp

from hornbill.engine.dtype import standardize_dtype

__all__ = ["bytes_of_dtype", "show_bytes", "show_number", "weight_bytes", "weight_count"]


def bytes_of_dtype(dtype: Any) -> int:
    """Returns how many bytes one number of a dtype takes in memory; half a byte counts as one, as JAX stores it."""
    return jnp.dtype(standardize_dtype(dtype)).itemsize


def weight_count(variables: Iterable[Any]) -> int:
    """Returns how many numbers variables hold."""
    return sum(variable.size for variable in variables)


def weight_bytes(variables: Iterable[Any]) -> int:
    """Returns how many bytes variables take."""
    return sum(variable.size * bytes_of_dtype(variable.dtype) for variable in variables)


def show_bytes(size: float) -> str:
    """Returns a number of bytes in Keras' form: `72.25 KB`, with 1 KB = 1,024 bytes."""
    for unit in ("B", "KB", "MB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} GB"


def show_number(number: Any) -> str:
    """Returns a whole number with commas, None as it is."""
    return f"{number:,}" if isinstance(number, int) and not isinstance(number, bool) else str(number)
