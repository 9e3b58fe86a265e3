"""What every initializer is: a callable from shape and dtype to an array, with a configuration.

Initializers draw on the host and return NumPy arrays of the dtype asked for, so that building a model
compiles nothing. Not for: drawing random numbers inside a model; that is `hornbill.random`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from jax import numpy as jnp

from hornbill.engine.config import Configurable
from hornbill.engine.dtype import is_float_dtype, standardize_dtype
from hornbill.engine.errors import ArgumentError

__all__ = ["Initializer"]


class Initializer(Configurable):
    """Base of all initializers. A subclass defines `__call__(self, shape, dtype=None)`.

    Its configuration is the constructor's arguments; there is nothing to write for it.

    Example:
        >>> class Threes(Initializer):
        ...     def __call__(self, shape, dtype=None):
        ...         return np.full(shape, 3, dtype or "float32")
        >>> Threes()((2,)).tolist()
        [3.0, 3.0]
    """

    def __init__(self) -> None:
        """Takes no arguments."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Returns an array of `shape` and `dtype` (None means the default float type)."""
        raise NotImplementedError(f"{type(self).__name__} must define `__call__(self, shape, dtype=None)`.")

    def clone(self) -> Self:
        """Returns a new initializer with the same configuration."""
        return type(self).from_config(self.get_config())

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


def numpy_dtype(dtype: Any) -> np.dtype:
    """Returns the NumPy dtype (bfloat16 included) for what a caller gave as `dtype`."""
    name = standardize_dtype(dtype)
    if name == "string":
        raise ArgumentError("Initializers make numbers, not strings.", got="dtype='string'.")
    return np.dtype(jnp.dtype(name))


def float_dtype(owner: object, dtype: Any) -> np.dtype:
    """Returns the NumPy dtype for a random draw; raises unless it is a floating one."""
    if not is_float_dtype(dtype):
        raise ArgumentError(
            f"{type(owner).__name__} draws real numbers.",
            got=f"dtype={standardize_dtype(dtype)!r}.",
            fixes="Ask for a floating dtype, such as 'float32'.",
        )
    return numpy_dtype(dtype)
