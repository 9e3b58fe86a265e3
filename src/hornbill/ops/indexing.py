"""Picking, sorting and searching elements.

Positions count from 0, negative ones from the end. Functions whose result size depends on values (`nonzero`,
`unique` without `size`) work on arrays only, not while a model is built or compiled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.engine.op import Tensor, op
from hornbill.engine.variable import Variable
from hornbill.ops.checks import as_axis, as_tensor, check_broadcast, concrete, show

__all__ = [
    "argpartition",
    "argsort",
    "get_item",
    "isin",
    "nonzero",
    "select",
    "sort",
    "take",
    "take_along_axis",
    "unique",
    "unravel_index",
    "where",
]


@op(rule="slice")
def get_item(x: Tensor, key: Any) -> Tensor:
    """Returns `x[key]`: numbers, slices, None, `...` and arrays of positions, as in NumPy.

    Args:
        x: The tensor.
        key: What stands between the brackets.

    Returns:
        The elements.

    Raises:
        ArgumentError: If `key` has more indices than `x` has axes.
    """
    x = as_tensor(x)
    parts = key if isinstance(key, tuple) else (key,)
    plain = tuple(_index(part) for part in parts)
    used = sum(
        getattr(p, "ndim", 1) if getattr(p, "dtype", None) == jnp.bool_ else 1
        for p in plain
        if not _is_new(p)
    )
    if used > x.ndim:
        raise ArgumentError(
            f"x[...] got {used} indices for a tensor of {x.ndim} axes.", got=f"shape {show(x.shape)}."
        )
    if any(getattr(part, "dtype", None) == jnp.bool_ for part in plain):
        concrete("x[mask]", "the number of elements", *plain, fix="ops.where(mask, x, 0)")
    return x[plain]


def _is_new(part: Any) -> bool:
    return part is None or part is Ellipsis


def _index(part: Any) -> Any:
    if isinstance(part, Variable):
        return part.value
    return np.asarray(part, dtype=None if len(part) else "int32") if isinstance(part, list) else part


@op(rule="gather")
def take(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    """Returns the elements at given positions along an axis.

    Args:
        x: The tensor.
        indices: Positions, of any shape; positions beyond the ends give NaN.
        axis: The axis; None means the flattened tensor.

    Returns:
        `x` with the axis replaced by those of `indices`.
    """
    axis = None if axis is None else as_axis("take", axis, np.ndim(x))
    return jnp.take(x, as_tensor(indices), axis)


@op(rule="gather")
def take_along_axis(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    """Returns along an axis the elements at positions that differ from place to place.

    Args:
        x: The tensor.
        indices: Positions, with as many axes as `x`.
        axis: The axis; None means the flattened tensor.

    Returns:
        A tensor of the shape of `indices`.
    """
    axis = None if axis is None else as_axis("take_along_axis", axis, np.ndim(x))
    if np.ndim(indices) != (1 if axis is None else np.ndim(x)):
        raise ShapeError(
            "take_along_axis: x and indices must have the same number of axes.",
            got=f"shapes {show(np.shape(x))} and {show(np.shape(indices))}.",
            fixes="ops.expand_dims(indices, axis), or ops.take(x, indices, axis)",
        )
    return jnp.take_along_axis(x, indices, axis)


@op(rule="broadcast")
def where(condition: Tensor, x1: Tensor | None = None, x2: Tensor | None = None) -> Any:
    """Returns `x1` where the condition holds and `x2` elsewhere.

    With the condition alone, it is `nonzero(condition)`.

    Raises:
        ArgumentError: If only one of `x1` and `x2` is given.
        ShapeError: If the shapes do not fit.

    Example:
        >>> where([True, False], 1.0, 0.0).tolist()
        [1.0, 0.0]
    """
    if (x1 is None) != (x2 is None):
        raise ArgumentError(
            "where: both x1 and x2 are wanted, or none.",
            got=f"only x{1 if x2 is None else 2}.",
            fixes="where(c, x, 0)",
        )
    if x1 is None or x2 is None:
        concrete("where(condition)", "the number of positions", condition, fix="ops.where(condition, x, 0)")
        return jnp.nonzero(condition)
    check_broadcast("where", condition, x1, x2)
    return jnp.where(condition, x1, x2)


@op(rule="broadcast")
def select(condlist: Sequence[Tensor], choicelist: Sequence[Tensor], default: Tensor = 0) -> Tensor:
    """Returns, place by place, the choice of the first condition that holds.

    Args:
        condlist: Boolean tensors.
        choicelist: One tensor per condition.
        default: What stands where none holds.

    Returns:
        The chosen elements.
    """
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ArgumentError(
            "select: one choice per condition is wanted.",
            got=f"{len(condlist)} and {len(choicelist)} of them.",
        )
    check_broadcast("select", *condlist, *choicelist, default)
    return jnp.select([as_tensor(c) for c in condlist], [as_tensor(c) for c in choicelist], default)


@op
def nonzero(x: Tensor) -> tuple[Tensor, ...]:
    """Returns the positions of the elements that are not 0, one tensor per axis."""
    concrete("nonzero", "the number of positions", x, fix="ops.where(x != 0, ..., 0)")
    return jnp.nonzero(jnp.atleast_1d(x))


@op(rule="elementwise")
def isin(x1: Tensor, x2: Tensor, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Returns where elements of `x1` are among those of `x2`.

    Args:
        x1: The tensor.
        x2: The elements looked for.
        assume_unique: Whether neither tensor holds an element twice, which is faster.
        invert: Whether to return where they are not.

    Returns:
        A boolean tensor of the shape of `x1`.
    """
    return jnp.isin(x1, x2, assume_unique=assume_unique, invert=invert)


@op
def unique(
    x: Tensor,
    sorted: bool = True,  # noqa: ARG001 - a sorted result satisfies both values
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """Returns the different elements.

    Args:
        x: The tensor.
        sorted: Whether they must be in rising order; they are in any case.
        return_index: Whether to return where each stands first.
        return_inverse: Whether to return the positions that make `x` again.
        return_counts: Whether to return how often each occurs.
        axis: Compare whole slices along this axis; None compares elements.
        size: How many to return: cut off, or filled up with `fill_value`. Needed in compiled steps.
        fill_value: None means the smallest element.

    Returns:
        The elements, or a tuple of them and what else was asked for.

    Raises:
        StateError: If `size` is missing while a model is built or compiled.
    """
    if size is None:
        concrete("unique", "the number of elements", x, fix="ops.unique(x, size=10)")
    return jnp.unique(
        as_tensor(x), return_index, return_inverse, return_counts, axis=axis, size=size, fill_value=fill_value
    )


@op(rule="elementwise")
def sort(x: Tensor, axis: int | None = -1) -> Tensor:
    """Sorts along an axis, smallest first; the flattened tensor if `axis` is None."""
    return jnp.sort(x, None if axis is None else as_axis("sort", axis, np.ndim(x)))


@op(rule="elementwise")
def argsort(x: Tensor, axis: int | None = -1) -> Tensor:
    """Returns the positions that sort a tensor along an axis; of the flattened tensor if `axis` is None."""
    if not np.ndim(x):
        return jnp.argsort(jnp.ravel(x))
    return jnp.argsort(x, None if axis is None else as_axis("argsort", axis, np.ndim(x)))


@op(rule="elementwise")
def argpartition(x: Tensor, kth: int, axis: int | None = -1) -> Tensor:
    """Returns positions such that the k-th element is in place: smaller ones before, larger ones after.

    Args:
        x: The tensor.
        kth: The place, from 0.
        axis: The axis; None means the flattened tensor.

    Returns:
        Positions, int32.
    """
    x, axis = (jnp.ravel(x), 0) if axis is None else (as_tensor(x), as_axis("argpartition", axis, np.ndim(x)))
    place = as_axis("argpartition: kth", kth, x.shape[axis])
    return jnp.argpartition(x, place, axis)


@op(rule="elementwise")
def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """Returns the coordinates of flat positions.

    Args:
        indices: Positions in the flattened tensor.
        shape: The shape of the tensor.

    Returns:
        One tensor per axis.
    """
    return tuple(jnp.unravel_index(indices, tuple(shape) if np.ndim(shape) else (shape,)))
