"""Pooling: each output cell is the largest or the mean value of a window of the input.

The gradient of max pooling is written here rather than left to JAX: while the maximum is taken, the place
of the first largest cell of each window is noted (one byte), and the gradient is spread to these places by
comparisons. On CPUs this is about ten times faster than the scatter that JAX would use, and ties fall the
same way.

Not here: pooling a whole axis away, which is a plain mean or maximum.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hornbill.engine.errors import ArgumentError
from hornbill.engine.op import Tensor, op
from hornbill.ops import native
from hornbill.ops.windows import (
    check_windows,
    image_axes,
    known,
    padding_name,
    per_axis,
    spatial_axes,
    window_padding,
)

__all__ = ["adaptive_average_pool", "adaptive_max_pool", "average_pool", "max_pool"]

_RANKS = (3, 4, 5)
# Up to this many cells per window, comparing shifted views of the input beats a general window reduction.
_FEW_CELLS = 32

Windows = tuple[tuple[int, ...], tuple[int, ...], tuple[tuple[int, int], ...]]
"""Window size, stride and (before, after) padding of every axis, batch and channels included."""


def _lowest(dtype: Any) -> Any:
    if dtype == jnp.bool_:
        return np.array(False)
    limit = -np.inf if jnp.issubdtype(dtype, jnp.floating) else jnp.iinfo(dtype).min
    return np.array(limit, dtype)


def _pooling_windows(
    owner: str,
    inputs: Tensor,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None,
    padding: str,
    data_format: str | None,
) -> tuple[tuple[int, ...], tuple[int, ...], str]:
    data_format = image_axes(owner, inputs, data_format, _RANKS)
    count = inputs.ndim - 2
    pool = per_axis(owner, "pool_size", pool_size, count)
    step = pool if strides is None else per_axis(owner, "strides", strides, count)
    padding = padding_name(owner, padding)
    check_windows(owner, "pool", inputs.shape, data_format, pool, step, padding)

    def everywhere(values: tuple[int, ...]) -> tuple[int, ...]:
        return (1, *values, 1) if data_format == "channels_last" else (1, 1, *values)

    return everywhere(pool), everywhere(step), padding


# --------------------------------------------------------------------------------------------------- maximum


def _output_sizes(shape: Sequence[int], windows: Windows) -> tuple[int, ...]:
    return tuple(
        (n + before + after - k) // s + 1 for n, k, s, (before, after) in zip(shape, *windows, strict=True)
    )


def _views(inputs: Tensor, windows: Windows) -> list[Tensor]:
    """Returns, for each cell of a window in row-major order, the array of these cells of all windows."""
    pool, step, pads = windows
    sizes = _output_sizes(inputs.shape, windows)
    if any(before or after for before, after in pads):
        inputs = lax.pad(inputs, _lowest(inputs.dtype), [(before, after, 0) for before, after in pads])
    views = []
    for cell in itertools.product(*(range(k) for k in pool)):
        limits = [first + (n - 1) * s + 1 for first, n, s in zip(cell, sizes, step, strict=True)]
        views.append(lax.slice(inputs, cell, limits, step))
    return views


def _largest(inputs: Tensor, windows: Windows) -> Tensor:
    if math.prod(windows[0]) <= _FEW_CELLS:
        return functools.reduce(jnp.maximum, _views(inputs, windows))
    pool, step, pads = windows
    reducer = lax.max if inputs.dtype != jnp.bool_ else lax.bitwise_or
    return lax.reduce_window(inputs, _lowest(inputs.dtype), reducer, pool, step, pads)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def _max_windows(inputs: Tensor, windows: Windows, shape: tuple[int, ...]) -> Tensor:  # noqa: ARG001
    if native.serves_pool(inputs.shape, inputs.dtype, *windows):
        xla = functools.partial(_largest, windows=windows)
        return native.max_pool(xla, inputs, _output_sizes(inputs.shape, windows), windows)
    return _largest(inputs, windows)


def _max_forward(
    inputs: Tensor,
    windows: Windows,
    shape: tuple[int, ...],  # noqa: ARG001
) -> tuple[Tensor, Tensor]:
    if native.serves_pool(inputs.shape, inputs.dtype, *windows):
        xla = functools.partial(_largest_and_place, windows=windows)
        spread = functools.partial(_spread_to, windows=windows, shape=tuple(inputs.shape))
        return native.max_pool_place(xla, spread, inputs, _output_sizes(inputs.shape, windows), windows)
    return _largest_and_place(inputs, windows)


def _largest_and_place(inputs: Tensor, windows: Windows) -> tuple[Tensor, Tensor]:
    cells = math.prod(windows[0])
    place_type = jnp.uint8 if cells <= 256 else jnp.int32
    first, *others = _views(inputs, windows)
    best, place = first, jnp.zeros(first.shape, place_type)
    for number, view in enumerate(others, start=1):
        place = jnp.where(view > best, place_type(number), place)
        best = jnp.maximum(best, view)
    return best, place


def _max_backward(windows: Windows, shape: tuple[int, ...], place: Tensor, gradient: Tensor) -> tuple[Tensor]:
    if native.serves_pool(shape, gradient.dtype, *windows) and place.dtype == jnp.uint8:
        xla = functools.partial(_spread_to, windows=windows, shape=shape)
        return (native.max_pool_grad(xla, place, gradient, shape, windows),)
    return (_spread_to(place, gradient, windows, shape),)


def _spread_to(place: Tensor, gradient: Tensor, windows: Windows, shape: tuple[int, ...]) -> Tensor:
    pool, step, pads = windows
    shape = (gradient.shape[0], *shape[1:])  # more than at the start if a mapped axis has joined the batch
    apart = all(k == s for k, s in zip(pool, step, strict=True))
    spread = _spread_apart(place, gradient, pool) if apart else _spread(place, gradient, windows)
    zero = jnp.zeros((), gradient.dtype)
    edges = [
        (-before, before + n - have, 0)
        for n, have, (before, _) in zip(shape, spread.shape, pads, strict=True)
    ]
    return lax.pad(spread, zero, edges) if any(edge != (0, 0, 0) for edge in edges) else spread


def _spread_apart(place: Tensor, gradient: Tensor, pool: tuple[int, ...]) -> Tensor:
    """Spreads a gradient over windows that neither overlap nor leave gaps: one comparison per input cell."""
    blocks = tuple(size for pair in zip(place.shape, pool, strict=True) for size in pair)
    cell_axes = tuple(2 * axis + 1 for axis in range(place.ndim))
    numbers = np.arange(math.prod(pool), dtype=place.dtype).reshape(
        [size if axis % 2 else 1 for axis, size in enumerate(blocks)]
    )
    here = jnp.expand_dims(place, cell_axes) == numbers  # (size, cell, size, cell, ...)
    spread = jnp.where(here, jnp.expand_dims(gradient, cell_axes), jnp.zeros((), gradient.dtype))
    return spread.reshape([n * k for n, k in zip(place.shape, pool, strict=True)])


def _spread(place: Tensor, gradient: Tensor, windows: Windows) -> Tensor:
    """Spreads a gradient over windows that overlap.

    Input cells that stand at the same remainder of the stride are treated together: the cells at remainder
    r get the shifted gradients of the window cells r, r + stride, r + 2 * stride, ...; the remainders are
    then interleaved.
    """
    pool, step, _ = windows
    reach = [-(-k // s) - 1 for k, s in zip(pool, step, strict=True)]
    sizes = [n + r for n, r in zip(place.shape, reach, strict=True)]
    edges = [(r, r, 0) for r in reach]
    zero = jnp.zeros((), gradient.dtype)
    gradient, place = lax.pad(gradient, zero, edges), lax.pad(place, np.zeros((), place.dtype), edges)
    strides_of_number = np.cumprod((1, *pool[:0:-1]))[::-1]
    phases = []
    for rest in itertools.product(*(range(s) for s in step)):
        total = jnp.zeros(sizes, gradient.dtype)
        for shift in itertools.product(
            *(range(-(-(k - r) // s)) for k, s, r in zip(pool, step, rest, strict=True))
        ):
            cell = [r + m * s for r, m, s in zip(rest, shift, step, strict=True)]
            number = place.dtype.type(np.dot(cell, strides_of_number))
            view = tuple(slice(r - m, r - m + n) for r, m, n in zip(reach, shift, sizes, strict=True))
            total = total + jnp.where(place[view] == number, gradient[view], zero)
        phases.append(total)
    rank = place.ndim
    stacked = jnp.stack(phases).reshape((*step, *sizes))
    order = [axis for i in range(rank) for axis in (rank + i, i)]
    return stacked.transpose(order).reshape([n * s for n, s in zip(sizes, step, strict=True)])


_max_windows.defvjp(_max_forward, _max_backward)


@op(rule="window")
def max_pool(
    inputs: Tensor,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Takes the largest value of each window that slides over the spatial axes.

    In the gradient the first largest cell of a window, in row-major order, gets all.

    Args:
        inputs: The array to pool.
        pool_size: Size of the window, one number or one per spatial axis.
        strides: Step of the window; None means `pool_size`, so that windows do not overlap.
        padding: "valid" (rest cells at the end are dropped) or "same" (windows may stick out).
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Shapes:
        inputs: (batch, spatial..., channels), with channels second for "channels_first".
        returns: (batch, new spatial..., channels).

    Returns:
        The pooled array.

    Raises:
        ShapeError: If the rank does not fit or the window is larger than the input.

    Example:
        >>> import numpy as np
        >>> max_pool(np.arange(16.0).reshape(1, 4, 4, 1), 2).ravel().tolist()
        [5.0, 7.0, 13.0, 15.0]
    """
    pool, step, padding = _pooling_windows("max_pool", inputs, pool_size, strides, padding, data_format)
    if not all(known(size) for size in inputs.shape):
        return lax.reduce_window(inputs, _lowest(inputs.dtype), lax.max, pool, step, padding.upper())
    pads = tuple(window_padding(padding, inputs.shape, pool, step))
    if not jnp.issubdtype(inputs.dtype, jnp.floating):
        return _largest(inputs, (pool, step, pads))
    if inputs.ndim == 5 and pool[-1] == 1:
        return _max_of_volumes(inputs, pool, step, pads)
    return _max_windows(inputs, (pool, step, pads), tuple(inputs.shape))


def _max_of_volumes(inputs: Tensor, pool: Sequence[int], step: Sequence[int], pads: Sequence[Any]) -> Tensor:
    """Takes the maximum over height and width, then over depth: fewer cells to compare, and the same first one wins."""
    batch, depth, *image = inputs.shape
    windows = tuple((each[0], *each[2:]) for each in (pool, step, pads))
    planes: Any = _max_windows(inputs.reshape(batch * depth, *image), windows, (batch * depth, *image))
    rows = planes.reshape(batch, depth, -1, image[-1])
    windows = ((*pool[:2], 1, 1), (*step[:2], 1, 1), (*pads[:2], (0, 0), (0, 0)))
    found: Any = _max_windows(rows, windows, tuple(rows.shape))
    return found.reshape(*found.shape[:2], *planes.shape[1:])


# ------------------------------------------------------------------------------------------------------ mean


@op(rule="window")
def average_pool(
    inputs: Tensor,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Takes the mean of each window that slides over the spatial axes; padding does not count.

    Args:
        inputs: The array to pool.
        pool_size: Size of the window, one number or one per spatial axis.
        strides: Step of the window; None means `pool_size`, so that windows do not overlap.
        padding: "valid" (rest cells at the end are dropped) or "same" (windows may stick out).
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Shapes:
        inputs: (batch, spatial..., channels), with channels second for "channels_first".
        returns: (batch, new spatial..., channels).

    Returns:
        The pooled array.

    Raises:
        ShapeError: If the rank does not fit or the window is larger than the input.

    Example:
        >>> import numpy as np
        >>> average_pool(np.arange(16.0).reshape(1, 4, 4, 1), 2).ravel().tolist()
        [2.5, 4.5, 10.5, 12.5]
    """
    pool, step, padding = _pooling_windows("average_pool", inputs, pool_size, strides, padding, data_format)
    if not jnp.issubdtype(inputs.dtype, jnp.inexact):
        inputs = inputs.astype(jnp.result_type(float))
    if pool == step and padding == "valid" and all(known(size) for size in inputs.shape):
        return _mean_blocks(inputs, pool)
    zero = np.zeros((), inputs.dtype)
    total = lax.reduce_window(inputs, zero, lax.add, pool, step, padding.upper())
    if padding == "valid":
        return total / np.array(math.prod(pool), inputs.dtype)
    ones = jnp.ones([n if k > 1 else 1 for n, k in zip(inputs.shape, pool, strict=True)], inputs.dtype)
    return total / lax.reduce_window(ones, zero, lax.add, pool, step, padding.upper())


def _mean_blocks(inputs: Tensor, pool: tuple[int, ...]) -> Tensor:
    counts = [n // k for n, k in zip(inputs.shape, pool, strict=True)]
    whole = [n * k for n, k in zip(counts, pool, strict=True)]
    if whole != list(inputs.shape):
        inputs = lax.slice(inputs, [0] * inputs.ndim, whole)
    blocks = inputs.reshape([size for pair in zip(counts, pool, strict=True) for size in pair])
    return blocks.mean(axis=tuple(range(1, 2 * inputs.ndim, 2)))  # (batch, count, ..., channels)


# -------------------------------------------------------------------------------------------------- adaptive


def _bounds(size: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns first and one past the last cell of `count` windows that cover `size` cells evenly."""
    numbers = np.arange(count)
    return numbers * size // count, -(-(numbers + 1) * size // count)


def _adaptive(
    owner: str,
    inputs: Tensor,
    output_size: int | Sequence[int],
    data_format: str | None,
    along_axis: Callable[[Tensor, int, int], Tensor],
) -> Tensor:
    """Pools one axis after the other: a box has the mean and maximum of its edges' ones."""
    data_format = image_axes(owner, inputs, data_format, _RANKS)
    counts = per_axis(owner, "output_size", output_size, inputs.ndim - 2)
    axes = spatial_axes(inputs.ndim, data_format)
    sizes = [inputs.shape[axis] for axis in axes]
    if not all(known(size) and size > 0 for size in sizes):
        raise ArgumentError(
            f"{owner} needs spatial sizes that are known and above 0.", got=f"{tuple(sizes)}."
        )
    for axis, count in zip(axes, counts, strict=True):
        inputs = along_axis(inputs, axis, count)
    return inputs


def _mean_along(inputs: Tensor, axis: int, count: int) -> Tensor:
    size = inputs.shape[axis]
    if not jnp.issubdtype(inputs.dtype, jnp.inexact):
        inputs = inputs.astype(jnp.result_type(float))
    if size % count == 0:
        return _mean_blocks(inputs, tuple(size // count if i == axis else 1 for i in range(inputs.ndim)))
    first, end = _bounds(size, count)
    cells = np.arange(size)[:, None]
    weights = ((cells >= first) & (cells < end)) / (end - first)  # (cells, windows)
    result = jnp.tensordot(inputs, jnp.asarray(weights, inputs.dtype), (axis, 0), precision="highest")
    return jnp.moveaxis(result, -1, axis)


def _max_along(inputs: Tensor, axis: int, count: int) -> Tensor:
    size = inputs.shape[axis]
    first, end = _bounds(size, count)
    longest = int((end - first).max())
    if size % count:
        # Windows side by side; shorter ones repeat their last cell, which changes no maximum.
        cells = np.minimum(first[:, None] + np.arange(longest), end[:, None] - 1)
        inputs = jnp.take(inputs, cells.ravel(), axis=axis)
    pool = tuple(longest if i == axis else 1 for i in range(inputs.ndim))
    windows = (pool, pool, ((0, 0),) * inputs.ndim)
    if not jnp.issubdtype(inputs.dtype, jnp.floating):
        return _largest(inputs, windows)
    return _max_windows(inputs, windows, tuple(inputs.shape))


@op(rule="adaptive_window")
def adaptive_average_pool(
    inputs: Tensor, output_size: int | Sequence[int], data_format: str | None = None
) -> Tensor:
    """Takes means over as many evenly spread windows as asked for, whatever the input size.

    Window `i` of `n` over `size` cells goes from `floor(i * size / n)` to `ceil((i + 1) * size / n)`.

    Args:
        inputs: The array to pool.
        output_size: Number of windows, one number or one per spatial axis.
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Shapes:
        inputs: (batch, spatial..., channels), with channels second for "channels_first".
        returns: (batch, output size..., channels).

    Returns:
        The pooled array.

    Raises:
        ShapeError: If the rank does not fit.

    Example:
        >>> import numpy as np
        >>> adaptive_average_pool(np.arange(7.0).reshape(1, 7, 1), 3).ravel().tolist()
        [1.0, 3.0, 5.0]
    """
    return _adaptive("adaptive_average_pool", inputs, output_size, data_format, _mean_along)


@op(rule="adaptive_window")
def adaptive_max_pool(
    inputs: Tensor, output_size: int | Sequence[int], data_format: str | None = None
) -> Tensor:
    """Takes maxima over as many evenly spread windows as asked for, whatever the input size.

    Window `i` of `n` over `size` cells goes from `floor(i * size / n)` to `ceil((i + 1) * size / n)`.

    Args:
        inputs: The array to pool.
        output_size: Number of windows, one number or one per spatial axis.
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Shapes:
        inputs: (batch, spatial..., channels), with channels second for "channels_first".
        returns: (batch, output size..., channels).

    Returns:
        The pooled array.

    Raises:
        ShapeError: If the rank does not fit.

    Example:
        >>> import numpy as np
        >>> adaptive_max_pool(np.arange(7.0).reshape(1, 7, 1), 3).ravel().tolist()
        [2.0, 4.0, 6.0]
    """
    return _adaptive("adaptive_max_pool", inputs, output_size, data_format, _max_along)
