"""Functions that make tensors from shapes and numbers.

Constants, ranges, identity and triangular matrices, windows.
Without a dtype, constants are of the float type and ranges follow their limits.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from hornbill.engine.dtype import result_type
from hornbill.engine.errors import ArgumentError, ArgumentTypeError, ShapeError
from hornbill.engine.op import Tensor, convert_to_tensor, op
from hornbill.engine.symbolic import KerasTensor
from hornbill.engine.variable import standardize_shape
from hornbill.ops.checks import as_axis, as_dtype, as_tensor, check_broadcast, show

__all__ = [
    "arange",
    "array",
    "bartlett",
    "blackman",
    "diag",
    "diagflat",
    "diagonal",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "geomspace",
    "hamming",
    "hanning",
    "identity",
    "kaiser",
    "linspace",
    "logspace",
    "ones",
    "ones_like",
    "tri",
    "tril",
    "triu",
    "zeros",
    "zeros_like",
]


def _shape(shape: Any) -> tuple[int, ...]:
    if isinstance(shape, (jax.Array, np.ndarray)):
        shape = np.asarray(shape).tolist()
    return standardize_shape(shape, allow_none=False)  # type: ignore[return-value]


def array(x: Tensor, dtype: Any = None) -> Tensor:
    """Returns `x` as a tensor, in `dtype` if given.

    Example:
        >>> array([1, 2, 3], dtype="float32").tolist()
        [1.0, 2.0, 3.0]
    """
    return convert_to_tensor(x, dtype)


def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """Returns a tensor of zeros.

    Args:
        shape: A whole number or a sequence of them.
        dtype: Dtype; None means the float type.
    """
    return jnp.zeros(_shape(shape), as_dtype(dtype))


def ones(shape: Any, dtype: Any = None) -> Tensor:
    """Returns a tensor of ones.

    Args:
        shape: A whole number or a sequence of them.
        dtype: Dtype; None means the float type.
    """
    return jnp.ones(_shape(shape), as_dtype(dtype))


def empty(shape: Any, dtype: Any = None) -> Tensor:
    """Returns a tensor whose values are not to be relied on (they are zeros).

    Args:
        shape: A whole number or a sequence of them.
        dtype: Dtype; None means the float type.
    """
    return jnp.empty(_shape(shape), as_dtype(dtype))


@op
def full(shape: Any, fill_value: Tensor, dtype: Any = None) -> Tensor:
    """Returns a tensor filled with one value.

    Args:
        shape: Its shape.
        fill_value: The value, or a tensor that fits the shape.
        dtype: Its dtype; None means the float type.

    Returns:
        The tensor.
    """
    sizes = _shape(shape)
    check_broadcast("full", np.empty((0, *sizes)), np.empty((0, *([1] * len(sizes)))), fill_value)
    return jnp.full(sizes, fill_value, as_dtype(dtype))


@op(rule="elementwise")
def zeros_like(x: Tensor, dtype: Any = None) -> Tensor:
    """Returns zeros in the shape of `x`; in its dtype, if none is given."""
    return jnp.zeros_like(x, None if dtype is None else as_dtype(dtype))


@op(rule="elementwise")
def ones_like(x: Tensor, dtype: Any = None) -> Tensor:
    """Returns ones in the shape of `x`; in its dtype, if none is given."""
    return jnp.ones_like(x, None if dtype is None else as_dtype(dtype))


@op(rule="elementwise")
def empty_like(x: Tensor, dtype: Any = None) -> Tensor:
    """Returns a tensor in the shape of `x` whose values are not to be relied on (they are zeros).

    Args:
        x: The tensor.
        dtype: Dtype; None means that of `x`.
    """
    return jnp.empty_like(x, None if dtype is None else as_dtype(dtype))


@op(rule="elementwise")
def full_like(x: Tensor, fill_value: Tensor, dtype: Any = None) -> Tensor:
    """Returns one value in the shape of `x`; in its dtype, if none is given.

    Args:
        x: The tensor.
        fill_value: The value.
        dtype: Dtype; None means that of `x`.
    """
    return jnp.full_like(x, fill_value, None if dtype is None else as_dtype(dtype))


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Tensor:
    """Returns numbers at equal steps, without the last limit.

    Args:
        start: First number; the limit, if `stop` is None (the first number is then 0).
        stop: The limit, which is left out.
        step: The step; None means 1.
        dtype: Dtype; None follows the numbers: int32, or the float type.

    Returns:
        A tensor of one axis.

    Example:
        >>> arange(1, 2, 0.5).tolist()
        [1.0, 1.5]
    """
    limits = [limit for limit in (start, stop, step) if limit is not None]
    if any(isinstance(limit, (KerasTensor, Tracer)) for limit in limits):
        raise ArgumentTypeError(
            "arange: the limits must be known numbers, since the length of the result follows from them.",
            fixes="ops.arange(ops.shape(x)[1])",
        )
    if dtype is None:
        dtype = result_type(*(limit.dtype if hasattr(limit, "dtype") else type(limit) for limit in limits))
        dtype = "int32" if dtype == "bool" else dtype
    values = [np.asarray(limit).item() for limit in limits]
    if step is not None and values[-1] == 0:
        raise ArgumentError("arange: step must not be 0.", got="step=0.")
    if stop is None and step is not None:
        values.insert(0, 0)
    return jnp.arange(*values, dtype=as_dtype(dtype))


@op(rule="given")
def linspace(
    start: Tensor,
    stop: Tensor,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Returns `num` numbers at equal distances from `start` to `stop`.

    Args:
        start: First number, or a tensor of them.
        stop: Last number.
        num: How many.
        endpoint: Whether `stop` is among them.
        retstep: Whether to return the distance too.
        dtype: Dtype; None means floats.
        axis: Where the new axis stands, if the limits are tensors.

    Returns:
        The numbers, or `(numbers, distance)`.
    """
    check_broadcast("linspace", start, stop)
    dtype = None if dtype is None else as_dtype(dtype)
    return jnp.linspace(start, stop, num, endpoint=endpoint, retstep=retstep, dtype=dtype, axis=axis)


@op(rule="given")
def logspace(
    start: Tensor,
    stop: Tensor,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Tensor:
    """Returns `base ** p` for `num` powers `p` at equal distances from `start` to `stop`.

    Args:
        start: The first power.
        stop: The last power.
        num: How many numbers.
        endpoint: Whether the power `stop` is among them.
        base: The base of the powers.
        dtype: Dtype; None derives it from the powers.
        axis: Where the new axis stands if the ends are tensors.
    """
    check_broadcast("logspace", start, stop)
    dtype = None if dtype is None else as_dtype(dtype)
    return jnp.logspace(start, stop, num, endpoint=endpoint, base=base, dtype=dtype, axis=axis)


@op(rule="given")
def geomspace(
    start: Tensor, stop: Tensor, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Tensor:
    """Returns `num` numbers from `start` to `stop`, each the same multiple of the one before.

    Args:
        start: The first end.
        stop: The other end.
        num: How many numbers.
        endpoint: Whether `stop` is among them.
        dtype: Dtype; None derives it from the ends.
        axis: Where the new axis stands if the ends are tensors.
    """
    check_broadcast("geomspace", start, stop)
    dtype = None if dtype is None else as_dtype(dtype)
    return jnp.geomspace(start, stop, num, endpoint=endpoint, dtype=dtype, axis=axis)


def _count(name: str, argument: str, value: Any) -> int:
    try:
        return value.__index__()
    except (AttributeError, TypeError):
        raise ArgumentTypeError(
            f"{name}: {argument} must be a whole number.", got=f"{argument}={value!r}."
        ) from None


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Returns a matrix with ones on a diagonal and zeros elsewhere.

    Args:
        N: Number of rows.
        M: Number of columns; None means as many as rows.
        k: Which diagonal: above (positive) or below (negative) the main one.
        dtype: Dtype; None means the float type.

    Returns:
        The matrix.
    """
    columns = None if M is None else _count("eye", "M", M)
    return jnp.eye(_count("eye", "N", N), columns, k, as_dtype(dtype))


def identity(n: int, dtype: Any = None) -> Tensor:
    """Returns the identity matrix of `n` rows.

    Args:
        n: Number of rows and of columns.
        dtype: Dtype; None means the float type.
    """
    return jnp.eye(_count("identity", "n", n), dtype=as_dtype(dtype))


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Returns a matrix with ones on and below a diagonal, zeros above; the arguments are those of `eye`.

    Args:
        N: Number of rows.
        M: Number of columns; None means as many as rows.
        k: The diagonal: 0 is the main one, positive ones are above.
        dtype: Dtype; None means the float type.
    """
    columns = None if M is None else _count("tri", "M", M)
    return jnp.tri(_count("tri", "N", N), columns, k, as_dtype(dtype))


@op(rule="elementwise")
def tril(x: Tensor, k: int = 0) -> Tensor:
    """Sets the elements above the k-th diagonal of the last two axes to 0."""
    return jnp.tril(x, k)


@op(rule="elementwise")
def triu(x: Tensor, k: int = 0) -> Tensor:
    """Sets the elements below the k-th diagonal of the last two axes to 0."""
    return jnp.triu(x, k)


@op(rule="diagonal")
def diag(x: Tensor, k: int = 0) -> Tensor:
    """Returns the k-th diagonal of a matrix, or a matrix with the given vector on it.

    Raises:
        ShapeError: If `x` is neither a vector nor a matrix.
    """
    if np.ndim(x) not in (1, 2):
        raise ShapeError(
            "diag: x must be a vector or a matrix.",
            got=f"shape {show(np.shape(x))}.",
            fixes="ops.diagonal(x, axis1=-2, axis2=-1)",
        )
    return jnp.diag(x, k)


@op(rule="diagonal")
def diagflat(x: Tensor, k: int = 0) -> Tensor:
    """Returns a matrix with the elements of `x`, flattened, on its k-th diagonal."""
    return jnp.diagflat(x, k)


@op(rule="diagonal")
def diagonal(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Returns a diagonal of the matrices on two axes, as the last axis.

    Args:
        x: The tensor.
        offset: Which diagonal: above (positive) or below (negative) the main one.
        axis1: First axis of the matrices.
        axis2: Second axis of the matrices.

    Returns:
        The tensor without the two axes and with the diagonal as its last.
    """
    rank = np.ndim(x)
    return jnp.diagonal(x, offset, as_axis("diagonal", axis1, rank), as_axis("diagonal", axis2, rank))


def _window(name: str, function: Any, x: Any, *parameters: float) -> Tensor:
    if isinstance(x, (KerasTensor, Tracer)):
        raise ArgumentTypeError(f"{name}: the length of a window must be a known number.", got=f"{x!r}.")
    length = np.asarray(as_tensor(x)).reshape(-1)
    if length.size != 1:
        raise ArgumentTypeError(f"{name}: x is the length of the window, one number.", got=f"{x!r}.")
    return function(int(length[0]), *parameters).astype(as_dtype(None))


def bartlett(x: Any) -> Tensor:
    """Returns the triangular window of length `x`."""
    return _window("bartlett", jnp.bartlett, x)


def blackman(x: Any) -> Tensor:
    """Returns the Blackman window of length `x`."""
    return _window("blackman", jnp.blackman, x)


def hamming(x: Any) -> Tensor:
    """Returns the Hamming window of length `x`."""
    return _window("hamming", jnp.hamming, x)


def hanning(x: Any) -> Tensor:
    """Returns the Hann window of length `x`."""
    return _window("hanning", jnp.hanning, x)


def kaiser(x: Any, beta: float) -> Tensor:
    """Returns the Kaiser window of length `x`; the larger `beta`, the narrower."""
    return _window("kaiser", jnp.kaiser, x, beta)
