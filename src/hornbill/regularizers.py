"""Penalties on weights or activations that are added to the loss: L1, L2, both, and orthogonality.

A regularizer is any callable from an array to a number. The built-in ones compute in float32 when the array
has 16 bits, where a sum of squares would soon overflow. Not for: scaling activity penalties by the batch
size; the layer does that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp

from hornbill.engine.config import Configurable
from hornbill.engine.errors import ArgumentError, ShapeError, one_of
from hornbill.engine.op import Tensor, convert_to_tensor
from hornbill.engine.registry import Registry, register_public

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]


class Regularizer(Configurable):
    """Base of all regularizers. A subclass defines `__call__(self, x)`.

    Its configuration is the constructor's arguments; there is nothing to write for it.

    Example:
        >>> class Largest(Regularizer):
        ...     def __call__(self, x):
        ...         return 0.1 * jnp.max(jnp.abs(x))
        >>> float(Largest()(jnp.array([1.0, -2.0])))  # doctest: +ELLIPSIS
        0.2...
    """

    def __init__(self) -> None:
        """Takes no arguments."""

    def __call__(self, x: Tensor) -> Any:
        """Returns the penalty for `x`, one number; 0 in this base class."""
        return 0.0


class L1(Regularizer):
    """The penalty `l1 * sum(|x|)`, which drives weights to exactly zero.

    Args:
        l1: The factor.

    Example:
        >>> float(L1(0.5)(jnp.array([1.0, -2.0])))
        1.5
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _factor("L1", "l1", 0.01 if l1 is None else l1)

    def __call__(self, x: Tensor) -> Any:
        """Returns the penalty."""
        return self.l1 * jnp.sum(jnp.abs(_wide(x)))


class L2(Regularizer):
    """The penalty `l2 * sum(x ** 2)`, which keeps weights small.

    Args:
        l2: The factor.

    Example:
        >>> float(L2(0.5)(jnp.array([1.0, -2.0])))
        2.5
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _factor("L2", "l2", 0.01 if l2 is None else l2)

    def __call__(self, x: Tensor) -> Any:
        """Returns the penalty."""
        return self.l2 * jnp.sum(jnp.square(_wide(x)))


class L1L2(Regularizer):
    """The penalty `l1 * sum(|x|) + l2 * sum(x ** 2)`.

    Args:
        l1: Factor on the absolute values.
        l2: Factor on the squares.

    Example:
        >>> float(L1L2(1.0, 0.5)(jnp.array([1.0, -2.0])))
        5.5
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = _factor("L1L2", "l1", 0.0 if l1 is None else l1)
        self.l2 = _factor("L1L2", "l2", 0.0 if l2 is None else l2)

    def __call__(self, x: Tensor) -> Any:
        """Returns the penalty; a term whose factor is 0 is left out."""
        x = _wide(x)
        penalty = jnp.zeros((), x.dtype)
        if self.l1:
            penalty += self.l1 * jnp.sum(jnp.abs(x))
        if self.l2:
            penalty += self.l2 * jnp.sum(jnp.square(x))
        return penalty


class OrthogonalRegularizer(Regularizer):
    """Penalises rows (or columns) of a matrix that are not at right angles to each other.

    The penalty is `factor` times the mean absolute cosine between two different rows (or columns).

    Args:
        factor: The factor.
        mode: "rows" or "columns".

    Raises:
        ShapeError: When called with anything but a matrix.

    Example:
        >>> float(OrthogonalRegularizer(1.0)(jnp.eye(3)))
        0.0
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _factor("OrthogonalRegularizer", "factor", factor)
        self.mode = one_of("OrthogonalRegularizer", "mode", mode, ("rows", "columns"))

    def __call__(self, x: Tensor) -> Any:
        """Returns the penalty."""
        x = _wide(x)
        if x.ndim != 2:
            raise ShapeError(
                "OrthogonalRegularizer penalises matrices, which have two dimensions.",
                got=f"shape {x.shape}, which has {x.ndim}.",
            )
        vectors = x if self.mode == "rows" else x.T
        squares = jnp.sum(jnp.square(vectors), axis=1, keepdims=True)
        vectors = vectors / jnp.sqrt(jnp.maximum(squares, 1e-12))
        count = vectors.shape[0]
        cosines = jnp.abs(vectors @ vectors.T) * (1 - jnp.eye(count, dtype=x.dtype))
        return self.factor * jnp.sum(cosines) / max(count * (count - 1), 1)


def _factor(owner: str, name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise ArgumentError(
            f"{owner}: {name} must be a finite number, not negative.", got=f"{name}={value!r}."
        )
    return number


def _wide(x: Tensor) -> Any:
    array = convert_to_tensor(x)
    return array.astype(jnp.float32) if jnp.dtype(array.dtype).itemsize < 4 else array


l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer

register_public("keras", [Regularizer])
_registry = Registry(
    "regularizer",
    "keras.regularizers",
    [L1, L2, L1L2, OrthogonalRegularizer, Regularizer],
    aliases={"l1_l2": L1L2, "l1l2": L1L2},
)


def get(identifier: Any) -> Callable[..., Any] | None:
    """Returns the regularizer for a name, configuration, class, function or None.

    Args:
        identifier: A name such as "l2" or "L2"; a dictionary from `serialize`; a regularizer or its class; a
            function; or None.

    Returns:
        A callable, or None for None.

    Raises:
        ArgumentError: If nothing goes by that name.
    """
    return _registry.get(identifier)


def serialize(regularizer: Any) -> Any:
    """Returns the regularizer as plain data."""
    return _registry.serialize(regularizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the regularizer for data from `serialize`, or for a name.

    Args:
        config: The data.
        custom_objects: Classes and functions by name, beyond Hornbill's own and the registered ones.
    """
    return _registry.deserialize(config, custom_objects)
