"""Conversions and questions about tensors: cast, convert, shape, dtype, unstack.

`shape` and `dtype` look at a tensor without computing anything; the rest returns tensors.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hornbill.engine import op as engine_op
from hornbill.engine.dtype import standardize_dtype
from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.engine.op import Tensor, op
from hornbill.engine.symbolic import KerasTensor
from hornbill.engine.variable import Variable
from hornbill.ops.checks import as_axis, as_dtype, as_tensor, show

__all__ = [
    "cast",
    "convert_to_numpy",
    "convert_to_tensor",
    "dtype",
    "is_tensor",
    "saturate_cast",
    "shape",
    "stop_gradient",
    "unstack",
]


def convert_to_tensor(
    x: Any,
    dtype: Any = None,
    sparse: bool | None = None,  # noqa: ARG001 - dense tensors satisfy every value
    ragged: bool | None = None,
) -> Tensor:
    """Returns `x` as a tensor.

    Args:
        x: Array, Variable, number, nested list of numbers, or tensor.
        dtype: Dtype name; None keeps that of `x`.
        sparse: Tensors are dense, so True and False mean the same.
        ragged: Only None or False: JAX has no ragged tensors.

    Returns:
        The tensor.

    Raises:
        ArgumentError: If `ragged` is set or the dtype is unknown.
    """
    if ragged:
        raise ArgumentError(
            "convert_to_tensor: ragged tensors do not exist on JAX.",
            got="ragged=True.",
            fixes="Pad to one length: utils.pad_sequences(x)",
        )
    return engine_op.convert_to_tensor(x, dtype)


def convert_to_numpy(x: Any) -> np.ndarray:
    """Returns a tensor as a new NumPy array."""
    return np.array(x.value if isinstance(x, Variable) else x)


def is_tensor(x: Any) -> bool:
    """Returns whether `x` is a JAX array (also one that is being traced).

    Variables and KerasTensors are not.
    """
    return isinstance(x, jax.Array)


def shape(x: Any) -> tuple[int | None, ...]:
    """Returns the shape as a tuple, with None for sizes of a KerasTensor that are not known yet."""
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def dtype(x: Any) -> str:
    """Returns the dtype's name."""
    return standardize_dtype(x.dtype if hasattr(x, "dtype") else engine_op.convert_to_tensor(x).dtype)


@op(rule="elementwise")
def cast(x: Tensor, dtype: Any) -> Tensor:
    """Converts a tensor to another dtype.

    Args:
        x: The tensor.
        dtype: Dtype name.

    Returns:
        The tensor in that dtype; floats become integers by dropping the digits after the point.

    Example:
        >>> cast([1.7, -1.7], "int32").tolist()
        [1, -1]
    """
    target = as_dtype(standardize_dtype(dtype))
    x = as_tensor(x)
    if jnp.issubdtype(x.dtype, jnp.complexfloating) and not jnp.issubdtype(target, jnp.complexfloating):
        x = jnp.real(x)
    return lax.convert_element_type(x, target)


@op(rule="elementwise")
def saturate_cast(x: Tensor, dtype: Any) -> Tensor:
    """Converts a tensor to another dtype; what that cannot hold becomes its largest or smallest number.

    Args:
        x: The tensor.
        dtype: Dtype name.

    Returns:
        The tensor in that dtype.
    """
    x, target = as_tensor(x), as_dtype(standardize_dtype(dtype))
    if target == jnp.bool_:
        return x > 0
    if jnp.issubdtype(target, jnp.complexfloating) or x.dtype == jnp.bool_:
        return x.astype(target)
    low, high = _limits(target)
    own_low, own_high = _limits(x.dtype)
    clipped = jnp.clip(x, _inside(max(low, own_low), x.dtype), _inside(min(high, own_high), x.dtype))
    result = clipped.astype(target)
    if jnp.issubdtype(target, jnp.integer) and jnp.issubdtype(x.dtype, jnp.floating):
        # a float cannot always hold the integer limit exactly, so the end itself is set by comparison
        result = jnp.where(
            x >= high, jnp.asarray(high, target), jnp.where(x <= low, jnp.asarray(low, target), result)
        )
    return result


def _limits(dtype: Any) -> tuple[Any, Any]:
    info = jnp.iinfo(dtype) if jnp.issubdtype(dtype, jnp.integer) else jnp.finfo(dtype)
    return (
        (int(info.min), int(info.max))
        if jnp.issubdtype(dtype, jnp.integer)
        else (float(info.min), float(info.max))
    )


def _inside(limit: Any, dtype: Any) -> Any:
    return jnp.asarray(limit, dtype)


@op(rule="elementwise")
def stop_gradient(variable: Tensor) -> Tensor:
    """Returns the tensor as a constant: no gradient flows through it.

    Args:
        variable: The tensor or Variable.
    """
    return lax.stop_gradient(variable)


def unstack(x: Tensor, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """Returns the slices of a tensor along an axis, without the axis.

    Args:
        x: The tensor.
        num: How many slices there are; None takes it from the shape.
        axis: The axis.

    Returns:
        A list of tensors.

    Raises:
        ShapeError: If the size of the axis is not known, or is not `num`.
    """
    sizes = shape(x)
    place = as_axis("unstack", axis, len(sizes))
    if sizes[place] is None and isinstance(x, KerasTensor):
        raise ShapeError(
            f"unstack: the size of axis {place} is not known, so the number of tensors is not either.",
            got=f"shape {show(sizes)}.",
            fixes="Give the size in Input(...), or keep the axis and work along it.",
        )
    if num is not None and num != sizes[place]:
        raise ShapeError(
            f"unstack: axis {place} has size {sizes[place]}.", got=f"num={num}.", fixes="Leave num out."
        )
    return _unstack(x, place)


@op(rule="split")
def _unstack(x: Tensor, axis: int) -> list[Tensor]:
    return [lax.index_in_dim(x, i, axis, keepdims=False) for i in range(x.shape[axis])]
