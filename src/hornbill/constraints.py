"""Projections applied to a weight after each optimizer step: norms within bounds, no negative values.

A constraint is any callable from an array to an array of the same shape. Not for: penalties, which are added
to the loss instead (`hornbill.regularizers`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp

from hornbill.engine import settings
from hornbill.engine.config import Configurable
from hornbill.engine.errors import ArgumentError
from hornbill.engine.op import Tensor, convert_to_tensor
from hornbill.engine.registry import Registry

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]


class Constraint(Configurable):
    """Base of all constraints. A subclass defines `__call__(self, w)`.

    Its configuration is the constructor's arguments; there is nothing to write for it.

    Example:
        >>> class Rounded(Constraint):
        ...     def __call__(self, w):
        ...         return jnp.round(w)
        >>> Rounded()(jnp.array([0.4, 1.6])).tolist()
        [0.0, 2.0]
    """

    def __init__(self) -> None:
        """Takes no arguments."""

    def __call__(self, w: Tensor) -> Any:
        """Returns the nearest allowed value of the weight; the weight itself in this base class."""
        return w


class MaxNorm(Constraint):
    """Shrinks vectors of weights whose norm is above `max_value`.

    Args:
        max_value: The largest norm allowed.
        axis: Axis or axes that a norm sums over: 0 for the incoming weights of each unit of a Dense kernel,
            (0, 1, 2) for each filter of a Conv2D kernel.

    Example:
        >>> MaxNorm(1.0)(jnp.array([[3.0], [4.0]])).round(3).tolist()  # doctest: +ELLIPSIS
        [[0.6...], [0.8...]]
    """

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0) -> None:
        if max_value < 0:
            raise ArgumentError("MaxNorm: max_value must not be negative.", got=f"max_value={max_value!r}.")
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Tensor) -> Any:
        """Returns the weight with shortened vectors."""
        w = convert_to_tensor(w)
        norms = _norms(w, self.axis)
        return w * (jnp.minimum(norms, self.max_value) / (settings.epsilon() + norms))


class NonNeg(Constraint):
    """Sets negative weights to 0.

    Example:
        >>> NonNeg()(jnp.array([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """

    def __call__(self, w: Tensor) -> Any:
        """Returns the weight without negative values."""
        return jnp.maximum(convert_to_tensor(w), 0)


class UnitNorm(Constraint):
    """Scales vectors of weights to norm 1; zero vectors stay.

    Args:
        axis: Axis or axes that a norm sums over: 0 for the incoming weights of each unit of a Dense kernel,
            (0, 1, 2) for each filter of a Conv2D kernel.

    Example:
        >>> UnitNorm()(jnp.array([[3.0], [4.0]])).round(3).tolist()  # doctest: +ELLIPSIS
        [[0.6...], [0.8...]]
    """

    def __init__(self, axis: int | Sequence[int] = 0) -> None:
        self.axis = axis

    def __call__(self, w: Tensor) -> Any:
        """Returns the scaled weight."""
        w = convert_to_tensor(w)
        return w / (settings.epsilon() + _norms(w, self.axis))


class MinMaxNorm(Constraint):
    """Moves the norms of vectors of weights into an interval.

    Args:
        min_value: The smallest norm wanted.
        max_value: The largest norm wanted.
        rate: How far to go at each step: 1 enforces the interval, less moves towards it.
        axis: Axis or axes that a norm sums over: 0 for the incoming weights of each unit of a Dense kernel,
            (0, 1, 2) for each filter of a Conv2D kernel.

    Example:
        >>> MinMaxNorm(0.5, 1.0)(jnp.array([[3.0], [4.0]])).round(3).tolist()  # doctest: +ELLIPSIS
        [[0.6...], [0.8...]]
    """

    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: int | Sequence[int] = 0,
    ) -> None:
        if not 0 <= min_value <= max_value:
            raise ArgumentError(
                "MinMaxNorm: min_value must not be negative nor above max_value.",
                got=f"min_value={min_value!r}, max_value={max_value!r}.",
            )
        if not 0 <= rate <= 1:
            raise ArgumentError("MinMaxNorm: rate must lie between 0 and 1.", got=f"rate={rate!r}.")
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Tensor) -> Any:
        """Returns the scaled weight."""
        w = convert_to_tensor(w)
        norms = _norms(w, self.axis)
        wanted = self.rate * jnp.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (wanted / (settings.epsilon() + norms))


def _norms(w: Any, axis: int | Sequence[int]) -> Any:
    axes = axis if isinstance(axis, int) else tuple(axis)
    return jnp.sqrt(jnp.sum(jnp.square(w), axis=axes, keepdims=True))


max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm

_registry = Registry(
    "constraint",
    "keras.constraints",
    [MaxNorm, MinMaxNorm, NonNeg, UnitNorm, Constraint],
)


def get(identifier: Any) -> Callable[..., Any] | None:
    """Returns the constraint for a name, configuration, class, function or None.

    Args:
        identifier: A name such as "max_norm" or "MaxNorm"; a dictionary from `serialize`; a constraint or its
            class; a function; or None.

    Returns:
        A callable, or None for None.

    Raises:
        ArgumentError: If nothing goes by that name.
    """
    return _registry.get(identifier)


def serialize(constraint: Any) -> Any:
    """Returns the constraint as plain data."""
    return _registry.serialize(constraint)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the constraint for data from `serialize`, or for a name.

    Args:
        config: The data.
        custom_objects: Classes and functions by name, beyond Hornbill's own and the registered ones.
    """
    return _registry.deserialize(config, custom_objects)
