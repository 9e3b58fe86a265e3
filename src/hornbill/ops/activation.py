"""Activation ops: functions applied to each number by itself, and the softmax family along an axis.

Whole numbers and booleans become floats where a fraction can come out. The public activations of Keras,
which take a few more arguments, are in `hornbill.activations` and are made of these.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from hornbill.engine.dtype import standardize_dtype
from hornbill.engine.errors import ShapeError
from hornbill.engine.op import Tensor, op
from hornbill.ops.checks import as_axes, as_axis

__all__ = [
    "celu", "elu", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
    "leaky_relu", "log_sigmoid", "log_softmax", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink",
    "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish",
    "tanh_shrink", "threshold",
]  # fmt: skip


def as_float(x: Any) -> jax.Array:
    """Returns `x` as an array of floats: whole numbers take the default float type, floats keep theirs."""
    x = jnp.asarray(x)
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(standardize_dtype(None))


@op(rule="elementwise")
def relu(x: Tensor) -> Tensor:
    """Returns `max(x, 0)`.

    Args:
        x: Any tensor.

    Example:
        >>> relu([-1.0, 0.0, 2.0]).tolist()
        [0.0, 0.0, 2.0]
    """
    return jax.nn.relu(jnp.asarray(x))


@op(rule="elementwise")
def relu6(x: Tensor) -> Tensor:
    """Returns `min(max(x, 0), 6)`.

    Args:
        x: Any tensor.
    """
    return jax.nn.relu6(as_float(x))


@op(rule="elementwise")
def sigmoid(x: Tensor) -> Tensor:
    """Returns `1 / (1 + exp(-x))`.

    Args:
        x: Any tensor.
    """
    return jax.nn.sigmoid(as_float(x))


@op(rule="elementwise")
def softplus(x: Tensor) -> Tensor:
    """Returns `log(exp(x) + 1)`.

    Args:
        x: Any tensor.
    """
    return jax.nn.softplus(as_float(x))


@op(rule="elementwise")
def softsign(x: Tensor) -> Tensor:
    """Returns `x / (abs(x) + 1)`.

    Args:
        x: Any tensor.
    """
    return jax.nn.soft_sign(as_float(x))


@op(rule="elementwise")
def soft_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """Moves numbers towards 0 by `threshold`, and those closer to 0 than that to 0.

    Args:
        x: Any tensor.
        threshold: The distance.
    """
    x = as_float(x)
    zero = jnp.zeros((), x.dtype)
    return jnp.where(x > threshold, x - threshold, jnp.where(x < -threshold, x + threshold, zero))


@op(rule="elementwise")
def hard_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """Returns `x` where `abs(x) > threshold`, and 0 elsewhere.

    Args:
        x: Any tensor.
        threshold: The distance from 0 up to which numbers become 0.
    """
    x = as_float(x)
    return jnp.where(jnp.abs(x) > threshold, x, jnp.zeros((), x.dtype))


@op(rule="elementwise")
def sparse_plus(x: Tensor) -> Tensor:
    """Returns 0 up to -1, `(x + 1)**2 / 4` between -1 and 1, and `x` from 1 on.

    Args:
        x: Any tensor.
    """
    return jax.nn.sparse_plus(as_float(x))


@op(rule="elementwise")
def sparse_sigmoid(x: Tensor) -> Tensor:
    """Returns 0 up to -1, `(x + 1) / 2` between -1 and 1, and 1 from 1 on.

    Args:
        x: Any tensor.
    """
    return jax.nn.sparse_sigmoid(as_float(x))


@op(rule="elementwise")
def silu(x: Tensor) -> Tensor:
    """Returns `x * sigmoid(x)`, also called swish.

    Args:
        x: Any tensor.
    """
    return jax.nn.silu(as_float(x))


swish = silu


@op(rule="elementwise")
def squareplus(x: Tensor, b: float = 4) -> Tensor:
    """Returns `(x + sqrt(x**2 + b)) / 2`, a relu with a rounded corner.

    Args:
        x: Any tensor.
        b: How round the corner is.
    """
    x = as_float(x)
    return jax.nn.squareplus(x, jnp.asarray(b, x.dtype))


@op(rule="elementwise")
def log_sigmoid(x: Tensor) -> Tensor:
    """Returns `log(sigmoid(x))` without loss of digits.

    Args:
        x: Any tensor.
    """
    return jax.nn.log_sigmoid(as_float(x))


@op(rule="elementwise")
def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    """Returns `x` from 0 on, and `negative_slope * x` below.

    Args:
        x: Any tensor.
        negative_slope: Slope below 0.
    """
    return jax.nn.leaky_relu(as_float(x), negative_slope=negative_slope)


@op(rule="elementwise")
def hard_sigmoid(x: Tensor) -> Tensor:
    """Returns `x / 6 + 1 / 2`, cut off at 0 and 1.

    Args:
        x: Any tensor.
    """
    return jax.nn.hard_sigmoid(as_float(x))


@op(rule="elementwise")
def hard_silu(x: Tensor) -> Tensor:
    """Returns `x * hard_sigmoid(x)`, also called hard swish.

    Args:
        x: Any tensor.
    """
    return jax.nn.hard_silu(as_float(x))


hard_swish = hard_silu


@op(rule="elementwise")
def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """Returns `x` above 0, and `alpha * (exp(x) - 1)` below.

    Args:
        x: Any tensor.
        alpha: Depth of the negative side.
    """
    return jax.nn.elu(as_float(x), alpha=alpha)


@op(rule="elementwise")
def selu(x: Tensor) -> Tensor:
    """Returns `1.0507 * elu(x, 1.6733)`, which keeps mean 0 and variance 1 from layer to layer.

    Args:
        x: Any tensor.
    """
    return jax.nn.selu(as_float(x))


@op(rule="elementwise")
def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """Returns `x` from 0 on, and `alpha * (exp(x / alpha) - 1)` below.

    Args:
        x: Any tensor.
        alpha: Depth of the negative side.
    """
    x = as_float(x)
    return jax.nn.celu(x, alpha=jnp.asarray(alpha, x.dtype))


@op(rule="elementwise")
def gelu(x: Tensor, approximate: bool = True) -> Tensor:
    """Returns `x * P(X <= x)` for a standard normal X.

    Args:
        x: Any tensor.
        approximate: Whether to use the tanh approximation instead of the error function.
    """
    return jax.nn.gelu(as_float(x), approximate)


@op(rule="elementwise")
def hard_tanh(x: Tensor) -> Tensor:
    """Returns `x` cut off at -1 and 1.

    Args:
        x: Any tensor.
    """
    return jax.nn.hard_tanh(jnp.asarray(x))


@op(rule="elementwise")
def tanh_shrink(x: Tensor) -> Tensor:
    """Returns `x - tanh(x)`.

    Args:
        x: Any tensor.
    """
    x = as_float(x)
    return x - jnp.tanh(x)


@op(rule="elementwise")
def threshold(x: Tensor, threshold: Tensor, default_value: Tensor) -> Tensor:
    """Returns `x` where it is above `threshold`, and `default_value` elsewhere.

    Args:
        x: Any tensor.
        threshold: The bound.
        default_value: What stands at and below the bound.
    """
    x = jnp.asarray(x)
    return jnp.where(x > threshold, x, default_value)


@op(rule="split")
def glu(x: Tensor, axis: int = -1) -> Tensor:
    """Halves `x` along an axis into a and b, and returns `a * sigmoid(b)`.

    Args:
        x: Any tensor with an even size along `axis`.
        axis: The axis.

    Raises:
        ShapeError: If the size is odd.
    """
    x = as_float(x)
    axis = as_axis("glu", axis, x.ndim)
    if x.shape[axis] % 2:
        raise ShapeError(
            f"glu halves axis {axis}, so its size must be even.",
            got=f"shape {x.shape}, with {x.shape[axis]} along axis {axis}.",
        )
    return jax.nn.glu(x, axis=axis)


@op(rule="normalize")
def softmax(x: Tensor, axis: int | Sequence[int] | None = -1) -> Tensor:
    """Turns numbers into shares that are positive and add up to 1 along an axis: `exp(x) / sum(exp(x))`.

    Args:
        x: Any tensor.
        axis: The axis or axes along which the shares add up to 1; None means the whole tensor.

    Example:
        >>> softmax([0.0, 0.0]).tolist()
        [0.5, 0.5]
    """
    x = as_float(x)
    axes = _axes("softmax", x, axis)
    if isinstance(axes, int) and x.shape[axes] == 1:
        warnings.warn(
            f"softmax over axis {axis}, which has size 1: every result is 1. Did you mean sigmoid?",
            stacklevel=3,
        )
    return jax.nn.softmax(x, axis=axes)


@op(rule="normalize")
def log_softmax(x: Tensor, axis: int | Sequence[int] | None = -1) -> Tensor:
    """Returns the logarithm of `softmax(x, axis)` without loss of digits.

    Args:
        x: Any tensor.
        axis: The axis or axes along which the shares add up to 1; None means the whole tensor.
    """
    x = as_float(x)
    return jax.nn.log_softmax(x, axis=_axes("log_softmax", x, axis))


def _axes(name: str, x: Tensor, axis: int | Sequence[int] | None) -> int | tuple[int, ...]:
    return tuple(range(x.ndim)) if axis is None else as_axes(name, axis, x.ndim)


@op(rule="normalize")
def sparsemax(x: Tensor, axis: int = -1) -> Tensor:
    """Projects numbers onto the shares that add up to 1 along an axis; unlike softmax, many become exactly 0.

    `sparsemax(x) = max(x - tau(x), 0)` with the tau that makes the sum 1 (Martins and Astudillo, 2016).

    Args:
        x: Any tensor.
        axis: The axis along which the shares add up to 1.

    Example:
        >>> sparsemax([3.0, 1.0, 0.2]).tolist()
        [1.0, 0.0, 0.0]
    """
    x = as_float(x)
    axis = as_axis("sparsemax", axis, x.ndim)
    x = jnp.moveaxis(x, axis, -1)
    ordered = -jnp.sort(-x, axis=-1)
    sums = jnp.cumsum(ordered, axis=-1)
    numbers = jnp.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    support = jnp.sum(1 + numbers * ordered > sums, axis=-1, keepdims=True)
    tau = (jnp.take_along_axis(sums, support - 1, axis=-1) - 1) / support.astype(x.dtype)
    return jnp.moveaxis(jnp.maximum(x - tau, 0), -1, axis)
