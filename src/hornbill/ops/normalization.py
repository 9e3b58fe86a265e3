"""Normalisations: moments of a tensor, and tensors brought to mean 0, variance 1 or length 1.

Sums run in float32 at least, so that 16-bit tensors lose no digits on the way; results come back in the
input's dtype. Not here: running averages and weights, which are layers' business.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import jax.numpy as jnp
from jax import lax

from hornbill.engine import settings
from hornbill.engine.errors import ArgumentError, ArgumentTypeError, ShapeError
from hornbill.engine.op import Tensor, op
from hornbill.ops.activation import as_float

__all__ = ["batch_normalization", "layer_normalization", "moments", "normalize", "rms_normalization"]


def _wide(x: Tensor) -> Tensor:
    """Returns a 16-bit tensor in float32, any other as it is."""
    return x.astype("float32") if x.dtype.itemsize < 4 else x


def _axes(owner: str, x: Tensor, axis: int | Sequence[int]) -> tuple[int, ...]:
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    for one in axes:
        if not isinstance(one, Integral) or not -x.ndim <= one < x.ndim:
            raise ArgumentError(
                f"{owner}: axis must be one of {-x.ndim} to {x.ndim - 1}.",
                got=f"axis={axis!r}, shape {x.shape}.",
            )
    return tuple(one % x.ndim for one in axes)


@op(rule="reduction")
def moments(
    x: Tensor, axes: int | Sequence[int], keepdims: bool = False, synchronized: bool = False
) -> tuple[Tensor, Tensor]:
    """Returns the mean and the variance of a tensor over some axes.

    Args:
        x: Any tensor.
        axes: The axes to average over.
        keepdims: Whether these axes stay, with size 1.
        synchronized: Must be False: on JAX, arrays spread over devices are averaged as a whole anyway.

    Returns:
        `(mean, variance)`, in the dtype of `x`.

    Raises:
        ArgumentError: If `synchronized` is asked for.

    Example:
        >>> [float(m) for m in moments([0.0, 1.0, 2.0, 3.0, 4.0], axes=[0])]
        [2.0, 2.0]
    """
    if synchronized:
        raise ArgumentError(
            "moments: synchronized=True has no meaning on JAX.",
            why="A JAX array that is spread over devices is one array: its mean is over all of it already.",
            fixes="Remove the argument.",
        )
    x = as_float(x)
    wide, axes = _wide(x), _axes("moments", x, axes)
    mean = jnp.mean(wide, axis=axes, keepdims=True)
    variance = jnp.mean(jnp.square(wide - lax.stop_gradient(mean)), axis=axes, keepdims=True)
    variance = variance - jnp.square(mean - lax.stop_gradient(mean))
    if not keepdims:
        mean, variance = jnp.squeeze(mean, axes), jnp.squeeze(variance, axes)
    return mean.astype(x.dtype), variance.astype(x.dtype)


@op(rule="normalize")
def batch_normalization(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    axis: int,
    offset: Tensor | None = None,
    scale: Tensor | None = None,
    epsilon: float = 1e-3,
) -> Tensor:
    """Returns `(x - mean) / sqrt(variance + epsilon) * scale + offset`, vectors lying along `axis`.

    Args:
        x: Any tensor.
        mean: The mean to take away, a vector.
        variance: The variance to divide by, a vector.
        axis: The axis of `x` that the vectors lie along.
        offset: Vector to add, or None.
        scale: Vector to multiply by, or None.
        epsilon: Keeps the division finite.

    Returns:
        The normalised tensor.

    Raises:
        ShapeError: If a vector does not have the size of the axis.
    """
    x = as_float(x)
    axis = _axes("batch_normalization", x, axis)[0]
    shape = [size if i == axis else 1 for i, size in enumerate(x.shape)]

    def along(name: str, vector: Any) -> Tensor:
        vector = jnp.asarray(vector)
        if vector.size != x.shape[axis]:
            raise ShapeError(
                f"batch_normalization: {name} must have {x.shape[axis]} numbers, one per place on "
                f"axis {axis}.",
                got=f"{name} of shape {vector.shape}, x of shape {x.shape}.",
            )
        return vector.reshape(shape)

    factor = lax.rsqrt(as_float(along("variance", variance)) + epsilon)
    if scale is not None:
        factor = factor * along("scale", scale)
    result = (x - along("mean", mean)) * factor
    return result if offset is None else result + along("offset", offset)


def _stretched(owner: str, name: str, vector: Tensor, x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Returns a weight that lies along `axes` with the rank of `x`."""
    vector = jnp.asarray(vector)
    wanted = tuple(x.shape[axis] for axis in axes)
    if vector.shape == x.shape[-vector.ndim :] and vector.shape != wanted:
        return vector
    if vector.shape not in (wanted, ()):
        raise ShapeError(
            f"{owner}: {name} must have the shape {wanted}, the sizes of the normalised axes.",
            got=f"{name} of shape {vector.shape}, x of shape {x.shape}, axes {axes}.",
        )
    if vector.ndim == 0:
        return vector
    order = sorted(range(len(axes)), key=lambda i: axes[i])
    return vector.transpose(order).reshape([size if i in axes else 1 for i, size in enumerate(x.shape)])


@op(rule="normalize")
def layer_normalization(
    x: Tensor,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    axis: int | Sequence[int] = -1,
    epsilon: float | None = None,
    **kwargs: Any,
) -> Tensor:
    """Brings each sample to mean 0 and variance 1 over `axis`, then multiplies by `gamma` and adds `beta`.

    Args:
        x: Any tensor.
        gamma: Factor with the sizes of the normalised axes, or None.
        beta: Summand with the sizes of the normalised axes, or None.
        axis: The axis or axes to normalise over.
        epsilon: Keeps the division finite; None means `keras.config.epsilon()`.
        **kwargs: `rms_scaling`, kept for older code: divide by the deviation, but take no mean away.

    Returns:
        The normalised tensor, in the dtype of `x`.

    Raises:
        ArgumentTypeError: If another keyword comes.
        ShapeError: If `gamma` or `beta` do not fit the axes.

    Example:
        >>> [round(float(v), 3) for v in layer_normalization([0.0, 1.0, 2.0, 3.0, 4.0])]
        [-1.414, -0.707, 0.0, 0.707, 1.414]
    """
    without_mean = kwargs.pop("rms_scaling", False)
    if kwargs:
        raise ArgumentTypeError(
            "layer_normalization takes x, gamma, beta, axis and epsilon.", got=f"{sorted(kwargs)}."
        )
    x = as_float(x)
    axes, wide = _axes("layer_normalization", x, axis), _wide(x)
    mean = jnp.mean(wide, axis=axes, keepdims=True)
    centred = wide - mean
    variance = jnp.mean(jnp.square(centred), axis=axes, keepdims=True)
    scale = lax.rsqrt(variance + (settings.epsilon() if epsilon is None else epsilon))
    result = (wide if without_mean else centred) * scale
    if gamma is not None:
        result = result * _stretched("layer_normalization", "gamma", gamma, x, axes).astype(wide.dtype)
    if beta is not None and not without_mean:
        result = result + _stretched("layer_normalization", "beta", beta, x, axes).astype(wide.dtype)
    return result.astype(x.dtype)


@op(rule="normalize")
def rms_normalization(
    x: Tensor, scale: Tensor | None = None, axis: int | Sequence[int] = -1, epsilon: float | None = None
) -> Tensor:
    """Returns `x / sqrt(mean(x**2) + epsilon) * scale`, means over `axis` (Zhang and Sennrich, 2019).

    Args:
        x: Any tensor.
        scale: Factor with the sizes of the normalised axes, or None.
        axis: The axis or axes to normalise over.
        epsilon: Keeps the division finite; None means `keras.config.epsilon()`.

    Returns:
        The normalised tensor, in the dtype of `x`.

    Raises:
        ShapeError: If `scale` does not fit the axes.
    """
    x = as_float(x)
    axes, wide = _axes("rms_normalization", x, axis), _wide(x)
    square = jnp.mean(jnp.square(wide), axis=axes, keepdims=True)
    result = wide * lax.rsqrt(square + (settings.epsilon() if epsilon is None else epsilon))
    if scale is not None:
        result = result * _stretched("rms_normalization", "scale", scale, x, axes).astype(wide.dtype)
    return result.astype(x.dtype)


@op(rule="normalize")
def normalize(
    x: Tensor, axis: int | Sequence[int] | None = -1, order: int = 2, epsilon: float | None = None
) -> Tensor:
    """Divides a tensor by its norm along an axis: `x / max(norm(x), epsilon)`.

    Args:
        x: Any tensor.
        axis: The axis or axes that the norm is taken over; None means all.
        order: The order of the norm, a whole number from 1 on.
        epsilon: The least norm to divide by; None means `keras.config.epsilon()`.

    Returns:
        The tensor with norm 1 along the axis.

    Raises:
        ArgumentError: If the order is no whole number from 1 on.

    Example:
        >>> normalize([3.0, 4.0]).round(3).tolist()
        [0.6000000238418579, 0.800000011920929]
    """
    if not isinstance(order, Integral) or order < 1:
        raise ArgumentError("normalize: order must be a whole number from 1 on.", got=f"order={order!r}.")
    x = as_float(x)
    axes: tuple[int, ...] = tuple(range(x.ndim)) if axis is None else _axes("normalize", x, axis)
    least = settings.epsilon() if epsilon is None else epsilon
    if order == 2:
        square = jnp.sum(jnp.square(x), axis=axes, keepdims=True)
        return x * lax.rsqrt(jnp.maximum(square, jnp.asarray(least * least, x.dtype)))
    if len(axes) > 2 or (len(axes) == 2 and order > 1):
        raise ArgumentError(
            f"normalize: a norm of order {order} is taken over one axis.",
            got=f"axis={axis!r}, shape {x.shape}.",
            fixes="order=2 goes over any number of axes.",
        )
    # Over two axes this is the norm of matrices: the largest sum of a column.
    (over,) = axes if len(axes) == 1 else (axes,)
    size = jnp.linalg.norm(x, ord=order, axis=over, keepdims=True)
    return x / jnp.maximum(size, jnp.asarray(least, x.dtype))
