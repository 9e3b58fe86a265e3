"""Checks of shapes and axes that several op families share.

Each check looks at shapes only, so it costs nothing inside a compiled step, and raises before JAX would,
naming the op, the axes and the numbers. Nothing here computes values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from hornbill.engine import settings
from hornbill.engine.dtype import standardize_dtype
from hornbill.engine.errors import ArgumentError, ShapeError, StateError

__all__ = [
    "as_axes",
    "as_axis",
    "as_dtype",
    "as_float",
    "as_tensor",
    "check_broadcast",
    "check_contraction",
    "check_same_sizes",
    "concrete",
    "product",
    "show",
]


def show(shape: Sequence[int | None]) -> str:
    """Returns a shape as it stands in messages."""
    return str(tuple(shape))


def as_dtype(dtype: Any) -> Any:
    """Returns the dtype that JAX will use for a dtype name (None means the float type)."""
    return jax.dtypes.canonicalize_dtype(jnp.dtype(standardize_dtype(dtype)))


def as_tensor(x: Any) -> jax.Array:
    """Returns a Python number as an array; arrays stay as they are."""
    return x if isinstance(x, jax.Array) else jnp.asarray(x)


def as_float(x: Any) -> jax.Array:
    """Returns integers and booleans in the float type; floats and complex numbers stay as they are."""
    x = as_tensor(x)
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(as_dtype(settings.floatx()))


def as_axis(name: str, axis: Any, ndim: int) -> int:
    """Returns `axis` counted from the front; raises if a tensor of `ndim` axes has no such axis."""
    try:
        number = axis.__index__()
    except (AttributeError, TypeError):
        raise ArgumentError(f"{name}: axis must be a whole number.", got=f"axis={axis!r}.") from None
    if not -ndim <= number < ndim:
        allowed = f"{-ndim} to {ndim - 1}" if ndim else "none, since a scalar has no axes"
        raise ArgumentError(
            f"{name}: axis {number} does not exist.",
            got=f"a tensor of {ndim} axes.",
            why=f"Allowed: {allowed}.",
        )
    return number % ndim


def as_axes(name: str, axis: Any, ndim: int) -> Any:
    """Returns None, one axis or a tuple of axes, checked."""
    if axis is None:
        return None
    if isinstance(axis, (list, tuple)):
        axes = tuple(as_axis(name, item, ndim) for item in axis)
        if len(set(axes)) < len(axes):
            raise ArgumentError(f"{name}: each axis may be named once.", got=f"axis={tuple(axis)}.")
        return axes
    return as_axis(name, axis, ndim)


def check_broadcast(name: str, *tensors: Any) -> None:
    """Raises unless the shapes fit each other from the last axis on: equal, or one of them 1."""
    shapes = [np.shape(x) for x in tensors]
    first = shapes[0]
    if all(shape == first or not shape for shape in shapes):
        return
    for place in range(1, max(map(len, shapes)) + 1):
        sizes = {shape[-place] for shape in shapes if place <= len(shape)} - {1}
        if len(sizes) > 1:
            listed = " and ".join(map(str, sorted(sizes)))
            raise ShapeError(
                f"{name}: the shapes do not fit each other.",
                got=f"shapes {' and '.join(map(show, shapes))}.",
                why=f"Counted from the last, axis -{place} has sizes {listed}: not equal, and none is 1.",
                fixes=("Put an axis of size 1 where they differ: x[:, None] or ops.expand_dims(x, axis).",),
            )


def check_contraction(name: str, x1: Any, x2: Any, axis1: int, axis2: int) -> None:
    """Raises unless axis `axis1` of `x1` has the size of axis `axis2` of `x2`."""
    shape1, shape2 = np.shape(x1), np.shape(x2)
    if shape1[axis1] != shape2[axis2]:
        raise ShapeError(
            f"{name}: the axes that are summed over must have one size.",
            got=f"shapes {show(shape1)} and {show(shape2)}.",
            why=f"Axis {axis1} of the first has {shape1[axis1]}, axis {axis2} of the second {shape2[axis2]}.",
            fixes="ops.transpose(x) swaps the axes of a matrix.",
        )


def check_same_sizes(name: str, xs: Sequence[Any], free_axis: int | None) -> None:
    """Raises unless all tensors have one shape, apart from axis `free_axis`."""
    if len(xs) == 0:
        raise ArgumentError(f"{name}: at least one tensor is wanted.", got="an empty list.")
    shapes = [np.shape(x) for x in xs]
    ranks = sorted({len(shape) for shape in shapes})
    if len(ranks) > 1:
        raise ShapeError(
            f"{name}: all tensors must have the same number of axes.",
            got=f"shapes {', '.join(map(show, shapes))}.",
            fixes="ops.expand_dims(x, axis) adds an axis.",
        )
    for axis in range(ranks[0]):
        sizes = [shape[axis] for shape in shapes]
        if axis != free_axis and len(set(sizes)) > 1:
            along = "" if free_axis is None else f" along axis {free_axis}"
            raise ShapeError(
                f"{name}: the tensors do not fit each other{along}.",
                got=f"shapes {', '.join(map(show, shapes))}.",
                why=f"Axis {axis} has sizes {', '.join(map(str, sizes))}; they must be equal.",
                fixes="Crop, pad or resize the tensors to one size on that axis."
                if free_axis is not None
                else (),
            )


def product(shape: Sequence[int]) -> str:
    """Returns the arithmetic of a shape's size: `2 x 3 = 6`."""
    return f"{' x '.join(map(str, shape)) or '1'} = {math.prod(shape)}"


def concrete(name: str, what: str, *values: Any, fix: str = "") -> None:
    """Raises if a value is only being traced, where the size of the result depends on it."""
    if any(isinstance(value, Tracer) for value in values):
        raise StateError(
            f"{name}: {what} depends on values, which are not known while a model is built or compiled.",
            fixes=fix or "Call it outside of the model, on arrays.",
        )
