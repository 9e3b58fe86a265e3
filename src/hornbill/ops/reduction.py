"""Reductions and running totals: functions that take axes away or run along one.

`axis` is None (all axes), one axis or a tuple; negative numbers count from the last. `keepdims=True` leaves
the reduced axes with size 1. The `nan...` functions leave NaN out of the count. Medians and quantiles are in
`statistics`.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbill.engine.errors import ArgumentError
from hornbill.engine.op import Tensor, op
from hornbill.ops.checks import as_axes, as_axis, as_dtype, as_tensor

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "max",
    "mean",
    "min",
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
    "prod",
    "ptp",
    "std",
    "sum",
    "var",
]

Axis = Any
"""None, one axis, or a tuple of axes."""


@op(rule="reduction")
def all(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Returns whether all elements along the axes are true.

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
        keepdims: Whether the reduced axes stay with size 1.
    """
    return jnp.all(x, axis=as_axes("all", axis, np.ndim(x)), keepdims=keepdims)


@op(rule="reduction")
def any(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Returns whether any element along the axes is true.

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
        keepdims: Whether the reduced axes stay with size 1.
    """
    return jnp.any(x, axis=as_axes("any", axis, np.ndim(x)), keepdims=keepdims)


@op(rule="reduction")
def amax(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Returns the largest element along the axes; another name of `max`.

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
        keepdims: Whether the reduced axes stay with size 1.
    """
    return jnp.max(x, axis=as_axes("amax", axis, np.ndim(x)), keepdims=keepdims)


@op(rule="reduction")
def amin(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Returns the smallest element along the axes; another name of `min`.

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
        keepdims: Whether the reduced axes stay with size 1.
    """
    return jnp.min(x, axis=as_axes("amin", axis, np.ndim(x)), keepdims=keepdims)


@op(rule="reduction")
def mean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Returns the mean along the axes; integers give floats.

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
        keepdims: Whether the reduced axes stay with size 1.
    """
    return jnp.mean(x, axis=as_axes("mean", axis, np.ndim(x)), keepdims=keepdims)


@op(rule="reduction")
def ptp(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Returns the largest element less the smallest along the axes.

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
        keepdims: Whether the reduced axes stay with size 1.
    """
    return jnp.ptp(x, axis=as_axes("ptp", axis, np.ndim(x)), keepdims=keepdims)


@op(rule="reduction")
def std(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Returns the standard deviation along the axes: the root of the mean squared distance from the mean.

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
        keepdims: Whether the reduced axes stay with size 1.
    """
    return jnp.std(x, axis=as_axes("std", axis, np.ndim(x)), keepdims=keepdims)


@op(rule="reduction")
def sum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Returns the sum along the axes; small integers are added as 32-bit integers.

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
        keepdims: Whether the reduced axes stay with size 1.
    """
    return jnp.sum(x, axis=as_axes("sum", axis, np.ndim(x)), keepdims=keepdims)


@op(rule="reduction")
def var(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Returns the variance along the axes: the mean squared distance from the mean.

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
        keepdims: Whether the reduced axes stay with size 1.
    """
    return jnp.var(x, axis=as_axes("var", axis, np.ndim(x)), keepdims=keepdims)


@op(rule="reduction")
def nanmax(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Returns the largest element along the axes, NaN left out.

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
        keepdims: Whether the reduced axes stay with size 1.
    """
    return jnp.nanmax(x, axis=as_axes("nanmax", axis, np.ndim(x)), keepdims=keepdims)


@op(rule="reduction")
def nanmean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Returns the mean along the axes, NaN left out.

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
        keepdims: Whether the reduced axes stay with size 1.
    """
    return jnp.nanmean(x, axis=as_axes("nanmean", axis, np.ndim(x)), keepdims=keepdims)


@op(rule="reduction")
def nanmin(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Returns the smallest element along the axes, NaN left out.

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
        keepdims: Whether the reduced axes stay with size 1.
    """
    return jnp.nanmin(x, axis=as_axes("nanmin", axis, np.ndim(x)), keepdims=keepdims)


@op(rule="reduction")
def nanprod(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Returns the product along the axes, NaN left out.

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
        keepdims: Whether the reduced axes stay with size 1.
    """
    return jnp.nanprod(x, axis=as_axes("nanprod", axis, np.ndim(x)), keepdims=keepdims)


@op(rule="reduction")
def nanstd(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Returns the standard deviation along the axes, NaN left out.

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
        keepdims: Whether the reduced axes stay with size 1.
    """
    return jnp.nanstd(x, axis=as_axes("nanstd", axis, np.ndim(x)), keepdims=keepdims)


@op(rule="reduction")
def nansum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Returns the sum along the axes, NaN left out.

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
        keepdims: Whether the reduced axes stay with size 1.
    """
    return jnp.nansum(x, axis=as_axes("nansum", axis, np.ndim(x)), keepdims=keepdims)


@op(rule="reduction")
def nanvar(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Returns the variance along the axes, NaN left out.

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
        keepdims: Whether the reduced axes stay with size 1.
    """
    return jnp.nanvar(x, axis=as_axes("nanvar", axis, np.ndim(x)), keepdims=keepdims)


@op(rule="reduction")
def max(x: Tensor, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Tensor:
    """Returns the largest element along the axes.

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
        keepdims: Whether the reduced axes stay with size 1.
        initial: A number that takes part as if it were an element; needed if there are no elements.

    Returns:
        The reduced tensor.

    Raises:
        ArgumentError: If an axis does not exist, or there is nothing to reduce and no `initial`.
    """
    return _extreme("max", jnp.max, x, axis, keepdims, initial)


@op(rule="reduction")
def min(x: Tensor, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Tensor:
    """Returns the smallest element along the axes.

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
        keepdims: Whether the reduced axes stay with size 1.
        initial: A number that takes part as if it were an element; needed if there are no elements.

    Returns:
        The reduced tensor.

    Raises:
        ArgumentError: If an axis does not exist, or there is nothing to reduce and no `initial`.
    """
    return _extreme("min", jnp.min, x, axis, keepdims, initial)


@op(rule="reduction")
def argmax(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Returns the position of the largest element along an axis (of the flattened tensor if None).

    The first, if several are equal.

    Args:
        x: The tensor.
        axis: The axis; None for the flattened tensor.
        keepdims: Whether the reduced axes stay with size 1.
    """
    return jnp.argmax(
        x, axis=None if axis is None else as_axis("argmax", axis, np.ndim(x)), keepdims=keepdims
    )


@op(rule="reduction")
def argmin(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Returns the position of the smallest element along an axis (of the flattened tensor if None).

    The first, if several are equal.

    Args:
        x: The tensor.
        axis: The axis; None for the flattened tensor.
        keepdims: Whether the reduced axes stay with size 1.
    """
    return jnp.argmin(
        x, axis=None if axis is None else as_axis("argmin", axis, np.ndim(x)), keepdims=keepdims
    )


@op(rule="reduction")
def nanargmax(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Returns the position of the largest element along an axis (of the flattened tensor if None).

    NaN is left out, and -1 says that there was nothing else.

    Args:
        x: The tensor.
        axis: The axis; None for the flattened tensor.
        keepdims: Whether the reduced axes stay with size 1.
    """
    return jnp.nanargmax(
        x, axis=None if axis is None else as_axis("nanargmax", axis, np.ndim(x)), keepdims=keepdims
    )


@op(rule="reduction")
def nanargmin(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Returns the position of the smallest element along an axis (of the flattened tensor if None).

    NaN is left out, and -1 says that there was nothing else.

    Args:
        x: The tensor.
        axis: The axis; None for the flattened tensor.
        keepdims: Whether the reduced axes stay with size 1.
    """
    return jnp.nanargmin(
        x, axis=None if axis is None else as_axis("nanargmin", axis, np.ndim(x)), keepdims=keepdims
    )


@op(rule="elementwise")
def cumsum(x: Tensor, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Returns the running sum along an axis; of the flattened tensor if `axis` is None.

    `dtype` is that of the result.
    """
    axis = None if axis is None else as_axis("cumsum", axis, np.ndim(x))
    return jnp.cumsum(x, axis=axis, dtype=None if dtype is None else as_dtype(dtype))


@op(rule="elementwise")
def cumprod(x: Tensor, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Returns the running product along an axis; of the flattened tensor if `axis` is None.

    `dtype` is that of the result.
    """
    axis = None if axis is None else as_axis("cumprod", axis, np.ndim(x))
    return jnp.cumprod(x, axis=axis, dtype=None if dtype is None else as_dtype(dtype))


@op(rule="elementwise")
def nancumsum(x: Tensor, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Returns the running sum, NaN counted as 0, along an axis.

    Of the flattened tensor if `axis` is None. `dtype` is that of the result.
    """
    axis = None if axis is None else as_axis("nancumsum", axis, np.ndim(x))
    return jnp.nancumsum(x, axis=axis, dtype=None if dtype is None else as_dtype(dtype))


@op(rule="elementwise")
def nancumprod(x: Tensor, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Returns the running product, NaN counted as 1, along an axis.

    Of the flattened tensor if `axis` is None. `dtype` is that of the result.
    """
    axis = None if axis is None else as_axis("nancumprod", axis, np.ndim(x))
    return jnp.nancumprod(x, axis=axis, dtype=None if dtype is None else as_dtype(dtype))


@op(rule="reduction")
def prod(x: Tensor, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Tensor:
    """Returns the product along the axes.

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
        keepdims: Whether the reduced axes stay with size 1.
        dtype: Dtype of the result; None means that of `x`, small integers as 32-bit integers.

    Returns:
        The reduced tensor.
    """
    dtype = None if dtype is None else as_dtype(dtype)
    return jnp.prod(x, axis=as_axes("prod", axis, np.ndim(x)), keepdims=keepdims, dtype=dtype)


@op(rule="reduction")
def count_nonzero(x: Tensor, axis: Axis = None) -> Tensor:
    """Returns how many elements along the axes are not 0.

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
    """
    return jnp.count_nonzero(as_tensor(x), axis=as_axes("count_nonzero", axis, np.ndim(x)))


def _extreme(name: str, function: Any, x: Tensor, axis: Axis, keepdims: bool, initial: Any) -> Tensor:
    axes = as_axes(name, axis, np.ndim(x))
    if initial is None and np.size(x) == 0:
        reduced = range(np.ndim(x)) if axes is None else (axes,) if isinstance(axes, int) else axes
        if [i for i in reduced if np.shape(x)[i] == 0]:
            raise ArgumentError(
                f"{name}: there is nothing to reduce.",
                got=f"shape {np.shape(x)}.",
                fixes=f"ops.{name}(x, axis={axis}, initial=0.0)",
            )
    return function(x, axis=axes, keepdims=keepdims, initial=initial)
