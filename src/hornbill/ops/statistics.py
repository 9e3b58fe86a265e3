"""Order and counting: medians, quantiles, averages, histograms, correlations, integrals along an axis.

Everything here is elementary statistics of arrays; losses and metrics are elsewhere.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from hornbill.engine.errors import ArgumentError, ShapeError, one_of
from hornbill.engine.op import Tensor, op
from hornbill.ops.checks import as_axes, as_axis, as_dtype, as_float, as_tensor, concrete, show

__all__ = [
    "average",
    "bincount",
    "corrcoef",
    "correlate",
    "diff",
    "digitize",
    "histogram",
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "percentile",
    "quantile",
    "searchsorted",
    "trapezoid",
]

_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


@op(rule="reduction")
def average(x: Tensor, axis: int | None = None, weights: Tensor | None = None) -> Tensor:
    """Returns the weighted mean along an axis: `sum(x * weights) / sum(weights)`.

    Args:
        x: The tensor.
        axis: Axis, or None for all elements.
        weights: A tensor of the shape of `x`, or one with as many elements as the axis has; None means equal
            weights.

    Returns:
        The mean; integers give floats.

    Raises:
        ShapeError: If the weights do not fit.

    Example:
        >>> float(average([1.0, 2.0], weights=[3.0, 1.0]))
        1.25
    """
    axis = as_axes("average", axis, np.ndim(x))
    if weights is not None and np.shape(weights) != np.shape(x):
        wanted = None if not isinstance(axis, int) else np.shape(x)[axis]
        if np.ndim(weights) != 1 or np.shape(weights)[0] != wanted:
            raise ShapeError(
                "average: weights must have the shape of x, or be one for each element along the axis.",
                got=f"x {show(np.shape(x))}, weights {show(np.shape(weights))}, axis={axis}.",
                fixes="ops.average(x, axis=..., weights=...)" if axis is None else (),
            )
    return jnp.average(as_float(x), axis=axis, weights=weights)


@op(rule="reduction")
def median(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the middle element along the axes, the mean of the two middle ones if their number is even.

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
        keepdims: Whether the reduced axes stay with size 1.
    """
    return jnp.median(x, axis=as_axes("median", axis, np.ndim(x)), keepdims=keepdims)


@op(rule="reduction")
def nanmedian(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the middle element along the axes, NaN left out.

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
        keepdims: Whether the reduced axes stay with size 1.
    """
    return jnp.nanmedian(x, axis=as_axes("nanmedian", axis, np.ndim(x)), keepdims=keepdims)


def _quantile(
    name: str, function: Any, x: Tensor, q: Tensor, axis: Any, method: str, keepdims: bool
) -> Tensor:
    one_of(name, "method", method, _METHODS)
    x, axes = as_float(x), as_axes(name, axis, np.ndim(x))
    return function(x, as_float(q).astype(x.dtype), axis=axes, method=method, keepdims=keepdims)


@op(rule="reduction")
def quantile(
    x: Tensor, q: Tensor, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Returns the q-th quantile along the axes.

    Args:
        x: The tensor.
        q: Probability or list of probabilities, from 0 to 1; a list gives a new first axis.
        axis: Axis or axes; None means all.
        method: What to take between two elements: "linear", "lower", "higher", "midpoint" or "nearest".
        keepdims: Whether the reduced axes stay with size 1.

    Returns:
        The quantiles.

    Raises:
        ArgumentError: If the method is unknown.
    """
    return _quantile("quantile", jnp.quantile, x, q, axis, method, keepdims)


@op(rule="reduction")
def nanquantile(
    x: Tensor, q: Tensor, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Returns the q-th quantile along the axes, NaN left out; the arguments are those of `quantile`.

    Args:
        x: The tensor.
        q: Quantile or list of them, from 0 to 1.
        axis: Axis or axes; None means all.
        method: What to take between two elements: "linear", "lower", "higher", "midpoint" or "nearest".
        keepdims: Whether the reduced axes stay with size 1.
    """
    return _quantile("nanquantile", jnp.nanquantile, x, q, axis, method, keepdims)


@op(rule="reduction")
def percentile(
    x: Tensor, q: Tensor, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Returns the q-th percentile along the axes: `quantile` with `q` from 0 to 100.

    Args:
        x: The tensor.
        q: Percentile or list of them, from 0 to 100.
        axis: Axis or axes; None means all.
        method: What to take between two elements: "linear", "lower", "higher", "midpoint" or "nearest".
        keepdims: Whether the reduced axes stay with size 1.
    """
    return _quantile("percentile", jnp.percentile, x, q, axis, method, keepdims)


@op(rule="reduction")
def nanpercentile(
    x: Tensor, q: Tensor, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Returns the q-th percentile along the axes, NaN left out; `q` goes from 0 to 100.

    Args:
        x: The tensor.
        q: Percentile or list of them, from 0 to 100.
        axis: Axis or axes; None means all.
        method: What to take between two elements: "linear", "lower", "higher", "midpoint" or "nearest".
        keepdims: Whether the reduced axes stay with size 1.
    """
    return _quantile("nanpercentile", jnp.nanpercentile, x, q, axis, method, keepdims)


@op(rule="given")
def diff(a: Tensor, n: int = 1, axis: int = -1) -> Tensor:
    """Returns the differences of neighbours along an axis, `n` times over; it gets `n` elements shorter.

    Args:
        a: The tensor.
        n: How many times.
        axis: The axis.
    """
    axis = as_axis("diff", axis, np.ndim(a))
    if n < 0:
        raise ArgumentError("diff: n counts how often differences are taken.", got=f"n={n}.")
    return jnp.diff(a, n=n, axis=axis)


@op(rule="reduction")
def trapezoid(y: Tensor, x: Tensor | None = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    """Integrates along an axis by the trapezoidal rule.

    Args:
        y: Values of the function.
        x: Where they were taken; None means equal steps of `dx`.
        dx: The step, if `x` is None.
        axis: Axis along which to integrate.

    Returns:
        The integral, without the axis.
    """
    return jnp.trapezoid(as_float(y), x, dx=dx, axis=as_axis("trapezoid", axis, np.ndim(y)))


@op(rule="given")
def corrcoef(x: Tensor) -> Tensor:
    """Returns the Pearson correlations between the rows of a matrix."""
    return jnp.corrcoef(as_float(x))


@op(rule="cross")
def correlate(x1: Tensor, x2: Tensor, mode: str = "valid") -> Tensor:
    """Returns the cross-correlation of two series.

    Args:
        x1: First series, one axis.
        x2: Second series, one axis.
        mode: "valid" (only where they overlap fully), "same" (the length of the longer) or "full".

    Returns:
        A series of floats.
    """
    one_of("correlate", "mode", mode, ("valid", "same", "full"))
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ShapeError(
            "correlate: both tensors must have one axis.",
            got=f"shapes {show(np.shape(x1))}, {show(np.shape(x2))}.",
        )
    return jnp.correlate(as_float(x1), as_float(x2), mode)


@op(rule="given")
def searchsorted(sorted_sequence: Tensor, values: Tensor, side: str = "left") -> Tensor:
    """Returns where values would have to stand in a sorted series to keep it sorted.

    Args:
        sorted_sequence: The sorted series, one axis.
        values: Values to place.
        side: "left": before equal elements; "right": after them.

    Returns:
        Positions, int32.
    """
    one_of("searchsorted", "side", side, ("left", "right"))
    if np.ndim(sorted_sequence) != 1:
        raise ShapeError(
            "searchsorted: the sorted series must have one axis.",
            got=f"shape {show(np.shape(sorted_sequence))}.",
            fixes="ops.vectorized_map(lambda row: ops.searchsorted(row, values), rows)",
        )
    return jnp.searchsorted(sorted_sequence, values, side=side)


@op(rule="elementwise")
def digitize(x: Tensor, bins: Tensor) -> Tensor:
    """Returns for each element the number of its bin.

    Args:
        x: The tensor.
        bins: The limits of the bins, rising.

    Returns:
        Int32: 0 for elements below the first limit, `i` for those with `bins[i - 1] <= x < bins[i]`.
    """
    return jnp.digitize(x, bins)


@op(rule="given")
def histogram(x: Tensor, bins: int = 10, range: tuple[float, float] | None = None) -> tuple[Tensor, Tensor]:
    """Counts the elements in equal bins.

    Args:
        x: The tensor, one axis.
        bins: Number of bins.
        range: Lower and upper limit; None means the smallest and the largest element.

    Returns:
        `(counts, limits)`: `bins` counts and `bins + 1` limits.

    Raises:
        ArgumentError: If `bins` is not a positive whole number or the range is not rising.
        ShapeError: If `x` has not one axis.
    """
    if not isinstance(bins, int) or bins < 1:
        raise ArgumentError("histogram: bins is a positive whole number.", got=f"bins={bins!r}.")
    if range is not None and (len(range) != 2 or range[1] < range[0]):
        raise ArgumentError("histogram: range is (lower, upper).", got=f"range={range!r}.")
    if np.ndim(x) != 1:
        raise ShapeError(
            "histogram: x must have one axis.", got=f"shape {show(np.shape(x))}.", fixes="ops.ravel(x)"
        )
    return jnp.histogram(x, bins=bins, range=range)


@op
def bincount(x: Tensor, weights: Tensor | None = None, minlength: int = 0, sparse: bool = False) -> Tensor:
    """Counts how often each number from 0 on occurs.

    Args:
        x: Whole numbers from 0 on; one axis, or two, in which case each row is counted by itself.
        weights: What each element counts, of the shape of `x`; None means 1.
        minlength: Least number of counts; inside a compiled step, exactly the number of counts.
        sparse: Only False: counts are dense.

    Returns:
        The counts, of length `max(x) + 1` or more.

    Raises:
        ArgumentError: If `sparse` is set.
        StateError: If the length is not known while a model is compiled.

    Example:
        >>> bincount([1, 2, 2, 3]).tolist()
        [0, 1, 2, 1]
    """
    if sparse:
        raise ArgumentError("bincount: counts are dense here.", got="sparse=True.", fixes="Leave sparse out.")
    x = as_tensor(x)
    if weights is not None and np.shape(weights) != x.shape:
        raise ShapeError(
            "bincount: weights must have the shape of x.",
            got=f"x {show(x.shape)}, weights {show(np.shape(weights))}.",
        )
    if isinstance(x, Tracer) and minlength:
        length = minlength
    else:
        concrete(
            "bincount", "the number of counts", x, fix="Give minlength: it is then the number of counts."
        )
        length = max(minlength, int(x.max()) + 1 if x.size else 0)
    if x.ndim == 1:
        return _count(x, weights, length)
    rows = x.reshape(-1, x.shape[-1])
    row_weights = None if weights is None else jnp.reshape(weights, rows.shape)
    counts = jax.vmap(lambda row, weight: _count(row, weight, length))(rows, row_weights)
    return counts.reshape(*x.shape[:-1], length)


def _count(x: Tensor, weights: Tensor | None, length: int) -> Tensor:
    counts = jnp.bincount(x, weights=weights, length=length)
    return counts if weights is not None else counts.astype(as_dtype("int32"))
