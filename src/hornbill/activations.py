"""`keras.activations`: functions that layers apply to their outputs, and how they are found by name.

They accept arrays and KerasTensors alike, being ops; those that take no further arguments here are the ops
themselves. A public activation is written as its name, a registered one as its registered name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from hornbill.engine.op import Tensor, op
from hornbill.engine.registry import Registry
from hornbill.ops import activation as _ops
from hornbill.ops.activation import (
    as_float,
    celu,
    elu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    swish,
    tanh_shrink,
    threshold,
)
from hornbill.ops.elementwise import exp as _exp
from hornbill.ops.elementwise import tanh

__all__ = [
    "celu", "deserialize", "elu", "exponential", "gelu", "get", "glu", "hard_shrink", "hard_sigmoid",
    "hard_silu", "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish",
    "relu", "relu6", "selu", "serialize", "sigmoid", "silu", "soft_shrink", "softmax", "softplus",
    "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink",
    "threshold",
]  # fmt: skip


def linear(x: Tensor) -> Tensor:
    """Returns `x` itself.

    Args:
        x: Any tensor.
    """
    return x


def exponential(x: Tensor) -> Tensor:
    """Returns `exp(x)`.

    Args:
        x: Any tensor.
    """
    return _exp(x)


def gelu(x: Tensor, approximate: bool = False) -> Tensor:
    """Returns `x * P(X <= x)` for a standard normal X (Hendrycks and Gimpel, 2016).

    Args:
        x: Any tensor.
        approximate: Whether to use the tanh approximation instead of the error function.
    """
    return _ops.gelu(x, approximate)


@op(rule="elementwise")
def mish(x: Tensor) -> Tensor:
    """Returns `x * tanh(softplus(x))` (Misra, 2019).

    Args:
        x: Any tensor.
    """
    x = as_float(x)
    return x * jnp.tanh(_ops.softplus(x))


def relu(
    x: Tensor, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Tensor:
    """Returns `x` above the threshold, bounded by `max_value`, and `negative_slope * (x - threshold)` below.

    With the default arguments this is `max(x, 0)`.

    Args:
        x: Any tensor.
        negative_slope: Slope below the threshold.
        max_value: Upper bound, or None.
        threshold: Where the positive side begins.

    Example:
        >>> relu([-10.0, 5.0, 10.0]).tolist()
        [0.0, 5.0, 10.0]
        >>> relu([-10.0, 5.0, 10.0], negative_slope=0.5, max_value=6.0).tolist()
        [-5.0, 5.0, 6.0]
    """
    if negative_slope == 0 and max_value is None and threshold == 0:
        return _ops.relu(x)
    if threshold == 0 and max_value is None:
        return _ops.leaky_relu(x, negative_slope)
    if threshold == 0 and negative_slope == 0 and max_value == 6:
        return _ops.relu6(x)
    return bounded_relu(x, negative_slope, max_value, threshold)


@op(rule="elementwise")
def bounded_relu(x: Tensor, negative_slope: float, max_value: float | None, threshold: float) -> Tensor:
    """Returns a relu with a slope below the threshold, an upper bound, and a threshold other than 0.

    Args:
        x: Any tensor.
        negative_slope: Slope below the threshold.
        max_value: Upper bound, or None.
        threshold: Where the positive side begins.
    """
    x = as_float(x)
    zero = jnp.zeros((), x.dtype)
    result = jnp.where(x > threshold, x, zero)
    if max_value is not None:
        result = jnp.clip(result, zero, jnp.asarray(max_value, x.dtype))
    if negative_slope:
        result = result + jnp.where(x < threshold, negative_slope * (x - threshold), zero)
    return result


_registry = Registry(
    "activation",
    "keras.activations",
    [
        celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu,
        linear, log_sigmoid, log_softmax, mish, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax,
        softplus, softsign, sparse_plus, sparse_sigmoid, sparsemax, squareplus, tanh, tanh_shrink, threshold,
    ],
    aliases={"swish": swish, "hard_swish": hard_swish},
    instantiate=False,
)  # fmt: skip


def get(identifier: Any) -> Any:
    """Returns the activation for a name, a function, a layer or a configuration; None means `linear`.

    Args:
        identifier: The name or object.

    Raises:
        ArgumentError: If nothing goes by that name.

    Example:
        >>> get("relu") is relu, get(None) is linear
        (True, True)
    """
    return linear if identifier is None else _registry.get(identifier)


def serialize(activation: Any) -> Any:
    """Returns an activation as plain data, a public one as its name.

    Args:
        activation: The function or layer.

    Example:
        >>> serialize(relu)
        'relu'
    """
    return _registry.serialize(activation)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the activation for data from `serialize`, or for a name.

    Args:
        config: The data.
        custom_objects: Functions and classes by name, beyond the public and registered ones.

    Raises:
        ArgumentError: If nothing goes by that name.
    """
    return _registry.deserialize(config, custom_objects)
