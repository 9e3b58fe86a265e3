"""Writing at positions, and blocks that begin at a position: scatter and slice, each with its update.

Starts and positions may be tensors that are not known yet; shapes are numbers.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hornbill.engine.errors import ShapeError, one_of
from hornbill.engine.op import Tensor, op
from hornbill.engine.variable import Variable
from hornbill.ops.checks import as_tensor, show

__all__ = ["scatter", "scatter_update", "slice", "slice_update"]


@op(rule="given")
def scatter(indices: Tensor, values: Tensor, shape: Any) -> Tensor:
    """Returns zeros with values added at given positions.

    Args:
        indices: Positions, of shape `(n, k)`: one row of `k` coordinates per value.
        values: The values, `n` of them; slices, if `k` is less than the number of axes.
        shape: The shape of the result.

    Returns:
        The tensor; values for one position add up.
    """
    shape = tuple(int(size) for size in shape)
    indices, values = as_tensor(indices), as_tensor(values)
    places = tuple(jnp.moveaxis(indices, -1, 0))
    _check_scatter("scatter", indices, values, shape)
    return jnp.zeros(shape, values.dtype).at[places].add(values)


@op(rule="elementwise")
def scatter_update(inputs: Tensor, indices: Tensor, updates: Tensor, reduction: str | None = None) -> Tensor:
    """Returns a tensor with elements at given positions replaced or combined.

    Args:
        inputs: The tensor.
        indices: Positions, of shape `(n, k)`: one row of `k` coordinates per update.
        updates: The new elements, `n` of them; slices, if `k` is less than the number of axes.
        reduction: None replaces; "add", "max", "min" and "mul" combine with what is there.

    Returns:
        A tensor of the shape and dtype of `inputs`.

    Raises:
        ArgumentError: If the reduction is unknown.
        ShapeError: If the updates do not fit the positions.
    """
    one_of("scatter_update", "reduction", reduction, (None, "add", "max", "min", "mul"))
    inputs, indices = as_tensor(inputs), as_tensor(indices)
    updates = as_tensor(updates).astype(inputs.dtype)
    _check_scatter("scatter_update", indices, updates, inputs.shape)
    places = inputs.at[tuple(jnp.moveaxis(indices, -1, 0))]
    return getattr(
        places, {None: "set", "add": "add", "max": "max", "min": "min", "mul": "multiply"}[reduction]
    )(updates)


def _check_scatter(name: str, indices: Any, values: Any, shape: tuple[int, ...]) -> None:
    if indices.ndim < 1 or indices.shape[-1] > len(shape):
        raise ShapeError(
            f"{name}: each row of indices holds at most {len(shape)} coordinates, for shape {show(shape)}.",
            got=f"indices of shape {show(indices.shape)}.",
        )
    wanted = indices.shape[:-1] + shape[indices.shape[-1] :]
    try:
        fits = np.broadcast_shapes(values.shape, wanted) == wanted
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(
            f"{name}: indices {show(indices.shape)} into shape {show(shape)} want values of {show(wanted)}.",
            got=f"shape {show(values.shape)}.",
        )


@op(rule="slice")
def slice(inputs: Tensor, start_indices: Any, shape: Any) -> Tensor:
    """Returns the block of a given shape that begins at a position, which may be a tensor.

    Args:
        inputs: The tensor.
        start_indices: Where the block begins, one number per axis; moved inwards if it would reach over the
            end.
        shape: The shape of the block; -1 means up to the end.

    Returns:
        The block.

    Raises:
        ShapeError: If the block is larger than the tensor.
    """
    inputs = as_tensor(inputs)
    starts = _starts("slice", start_indices, inputs.ndim)
    asked = tuple(int(size) for size in shape)
    if len(asked) != inputs.ndim:
        raise ShapeError(
            f"slice: one size per axis is wanted, {inputs.ndim} for shape {show(inputs.shape)}.",
            got=f"{show(asked)}.",
        )
    sizes = tuple(
        n - int(start) if size == -1 else size
        for size, n, start in zip(asked, inputs.shape, starts, strict=True)
    )
    if any(size > n or size < 0 for size, n in zip(sizes, inputs.shape, strict=True)):
        raise ShapeError(
            "slice: the block must fit into the tensor.", got=f"{show(sizes)} of {show(inputs.shape)}."
        )
    return lax.dynamic_slice(inputs, starts, sizes)


@op(rule="elementwise")
def slice_update(inputs: Tensor, start_indices: Any, updates: Tensor) -> Tensor:
    """Returns a tensor with the block that begins at a position replaced.

    Args:
        inputs: The tensor.
        start_indices: Where the block begins, one number per axis, which may be tensors.
        updates: The block, with as many axes as `inputs`.

    Returns:
        A tensor of the shape and dtype of `inputs`.

    Raises:
        ShapeError: If the block does not fit.
    """
    inputs = as_tensor(inputs)
    updates = as_tensor(updates).astype(inputs.dtype)
    if updates.ndim != inputs.ndim or any(a > b for a, b in zip(updates.shape, inputs.shape, strict=True)):
        raise ShapeError(
            "slice_update: the block must have as many axes as the tensor and fit into it.",
            got=f"{show(updates.shape)} into {show(inputs.shape)}.",
        )
    return lax.dynamic_update_slice(inputs, updates, _starts("slice_update", start_indices, inputs.ndim))


def _starts(name: str, start_indices: Any, rank: int) -> list[Any]:
    starts = [start.value if isinstance(start, Variable) else start for start in start_indices]
    if len(starts) != rank:
        raise ShapeError(f"{name}: one start per axis is wanted, {rank} of them.", got=f"{len(starts)}.")
    return [start if isinstance(start, jax.Array) else int(start) for start in starts]
