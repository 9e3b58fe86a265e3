"""Elementwise functions of one tensor: the result has the shape of the input.

Results have the dtypes that Keras gives on JAX: integers become the float type where the function is no
integer function. Functions of two tensors are in `binary`; activation functions with a shape of their own are
in `nn`.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbill.engine.op import Tensor, op
from hornbill.ops.checks import as_dtype, as_float, as_tensor, check_broadcast

__all__ = [
    "abs",
    "absolute",
    "angle",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctanh",
    "bitwise_invert",
    "bitwise_not",
    "cbrt",
    "ceil",
    "clip",
    "conj",
    "conjugate",
    "copy",
    "cos",
    "cosh",
    "deg2rad",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "floor",
    "i0",
    "imag",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "isreal",
    "log",
    "log1p",
    "log2",
    "log10",
    "logical_not",
    "nan_to_num",
    "negative",
    "rad2deg",
    "real",
    "reciprocal",
    "round",
    "sign",
    "signbit",
    "sin",
    "sinc",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
    "trunc",
    "vectorize",
    "view",
]


@op(rule="elementwise")
def absolute(x: Tensor) -> Tensor:
    """Returns the magnitude of each element."""
    return jnp.abs(x)


@op(rule="elementwise")
def angle(x: Tensor) -> Tensor:
    """Returns the angle of each complex element, in radians."""
    return jnp.angle(as_float(x))


@op(rule="elementwise")
def arccos(x: Tensor) -> Tensor:
    """Returns the inverse cosine of each element."""
    return jnp.arccos(as_float(x))


@op(rule="elementwise")
def arccosh(x: Tensor) -> Tensor:
    """Returns the inverse hyperbolic cosine of each element."""
    return jnp.arccosh(as_float(x))


@op(rule="elementwise")
def arcsin(x: Tensor) -> Tensor:
    """Returns the inverse sine of each element."""
    return jnp.arcsin(as_float(x))


@op(rule="elementwise")
def arcsinh(x: Tensor) -> Tensor:
    """Returns the inverse hyperbolic sine of each element."""
    return jnp.arcsinh(as_float(x))


@op(rule="elementwise")
def arctan(x: Tensor) -> Tensor:
    """Returns the inverse tangent of each element."""
    return jnp.arctan(as_float(x))


@op(rule="elementwise")
def arctanh(x: Tensor) -> Tensor:
    """Returns the inverse hyperbolic tangent of each element."""
    return jnp.arctanh(as_float(x))


@op(rule="elementwise")
def cbrt(x: Tensor) -> Tensor:
    """Returns the cube root of each element."""
    return jnp.cbrt(x)


@op(rule="elementwise")
def ceil(x: Tensor) -> Tensor:
    """Rounds each element up; integers come out in the float type."""
    return jnp.ceil(as_float(x))


@op(rule="elementwise")
def conjugate(x: Tensor) -> Tensor:
    """Returns the complex conjugate of each element."""
    return jnp.conjugate(x)


@op(rule="elementwise")
def copy(x: Tensor) -> Tensor:
    """Returns a copy of the tensor."""
    return jnp.copy(x)


@op(rule="elementwise")
def cos(x: Tensor) -> Tensor:
    """Returns the cosine of each element, in radians."""
    return jnp.cos(as_float(x))


@op(rule="elementwise")
def cosh(x: Tensor) -> Tensor:
    """Returns the hyperbolic cosine of each element."""
    return jnp.cosh(as_float(x))


@op(rule="elementwise")
def deg2rad(x: Tensor) -> Tensor:
    """Converts degrees to radians."""
    return jnp.deg2rad(x)


@op(rule="elementwise")
def exp(x: Tensor) -> Tensor:
    """Returns e to the power of each element."""
    return jnp.exp(as_float(x))


@op(rule="elementwise")
def exp2(x: Tensor) -> Tensor:
    """Returns 2 to the power of each element."""
    return jnp.exp2(as_float(x))


@op(rule="elementwise")
def expm1(x: Tensor) -> Tensor:
    """Returns `exp(x) - 1`, exact also near 0."""
    return jnp.expm1(as_float(x))


@op(rule="elementwise")
def fabs(x: Tensor) -> Tensor:
    """Returns the magnitude of each element as a float."""
    return jnp.fabs(x)


@op(rule="elementwise")
def floor(x: Tensor) -> Tensor:
    """Rounds each element down; integers come out in the float type."""
    return jnp.floor(as_float(x))


@op(rule="elementwise")
def i0(x: Tensor) -> Tensor:
    """Returns the modified Bessel function of the first kind of order 0."""
    return jnp.i0(as_float(x))


@op(rule="elementwise")
def imag(x: Tensor) -> Tensor:
    """Returns the imaginary part of each element."""
    return jnp.imag(x)


@op(rule="elementwise")
def isfinite(x: Tensor) -> Tensor:
    """Returns where elements are neither infinite nor NaN."""
    return jnp.isfinite(x)


@op(rule="elementwise")
def isinf(x: Tensor) -> Tensor:
    """Returns where elements are infinite."""
    return jnp.isinf(x)


@op(rule="elementwise")
def isnan(x: Tensor) -> Tensor:
    """Returns where elements are NaN."""
    return jnp.isnan(x)


@op(rule="elementwise")
def isneginf(x: Tensor) -> Tensor:
    """Returns where elements are minus infinity."""
    return jnp.isneginf(x)


@op(rule="elementwise")
def isposinf(x: Tensor) -> Tensor:
    """Returns where elements are plus infinity."""
    return jnp.isposinf(x)


@op(rule="elementwise")
def isreal(x: Tensor) -> Tensor:
    """Returns where elements have no imaginary part."""
    return jnp.isreal(x)


@op(rule="elementwise")
def log(x: Tensor) -> Tensor:
    """Returns the natural logarithm of each element."""
    return jnp.log(x)


@op(rule="elementwise")
def log10(x: Tensor) -> Tensor:
    """Returns the logarithm to base 10 of each element."""
    return jnp.log10(x)


@op(rule="elementwise")
def log1p(x: Tensor) -> Tensor:
    """Returns `log(1 + x)`, exact also near 0."""
    return jnp.log1p(x)


@op(rule="elementwise")
def log2(x: Tensor) -> Tensor:
    """Returns the logarithm to base 2 of each element."""
    return jnp.log2(x)


@op(rule="elementwise")
def logical_not(x: Tensor) -> Tensor:
    """Returns where elements are false."""
    return jnp.logical_not(x)


@op(rule="elementwise")
def negative(x: Tensor) -> Tensor:
    """Returns each element with its sign changed."""
    return jnp.negative(x)


@op(rule="elementwise")
def rad2deg(x: Tensor) -> Tensor:
    """Converts radians to degrees."""
    return jnp.rad2deg(x)


@op(rule="elementwise")
def real(x: Tensor) -> Tensor:
    """Returns the real part of each element."""
    return jnp.real(x)


@op(rule="elementwise")
def reciprocal(x: Tensor) -> Tensor:
    """Returns `1 / x` for each element."""
    return jnp.reciprocal(x)


@op(rule="elementwise")
def sign(x: Tensor) -> Tensor:
    """Returns -1, 0 or 1 by the sign of each element."""
    return jnp.sign(x)


@op(rule="elementwise")
def signbit(x: Tensor) -> Tensor:
    """Returns where the sign bit is set: negative elements and -0.0."""
    return jnp.signbit(x)


@op(rule="elementwise")
def sin(x: Tensor) -> Tensor:
    """Returns the sine of each element, in radians."""
    return jnp.sin(as_float(x))


@op(rule="elementwise")
def sinc(x: Tensor) -> Tensor:
    """Returns `sin(pi x) / (pi x)`, 1 at 0."""
    return jnp.sinc(as_float(x))


@op(rule="elementwise")
def sinh(x: Tensor) -> Tensor:
    """Returns the hyperbolic sine of each element."""
    return jnp.sinh(as_float(x))


@op(rule="elementwise")
def sqrt(x: Tensor) -> Tensor:
    """Returns the square root of each element."""
    return jnp.sqrt(x)


@op(rule="elementwise")
def square(x: Tensor) -> Tensor:
    """Returns the square of each element."""
    return jnp.square(x)


@op(rule="elementwise")
def tan(x: Tensor) -> Tensor:
    """Returns the tangent of each element, in radians."""
    return jnp.tan(as_float(x))


@op(rule="elementwise")
def tanh(x: Tensor) -> Tensor:
    """Returns the hyperbolic tangent of each element."""
    return jnp.tanh(as_float(x))


@op(rule="elementwise")
def trunc(x: Tensor) -> Tensor:
    """Drops the digits after the point of each element."""
    return jnp.trunc(x)


@op(rule="elementwise")
def bitwise_invert(x: Tensor) -> Tensor:
    """Flips every bit of each integer."""
    return jnp.invert(x)


@op(rule="elementwise")
def abs(x: Tensor) -> Tensor:
    """Returns the magnitude of each element; another name of `absolute`."""
    return jnp.abs(x)


@op(rule="elementwise")
def conj(x: Tensor) -> Tensor:
    """Returns the complex conjugate of each element; another name of `conjugate`."""
    return jnp.conjugate(x)


@op(rule="elementwise")
def bitwise_not(x: Tensor) -> Tensor:
    """Flips every bit of each integer; another name of `bitwise_invert`."""
    return jnp.invert(x)


@op(rule="elementwise")
def clip(x: Tensor, x_min: Tensor, x_max: Tensor) -> Tensor:
    """Limits each element to the range from `x_min` to `x_max`.

    Args:
        x: The tensor; booleans count as int32.
        x_min: Lower limit, a number or a tensor that fits `x`.
        x_max: Upper limit, likewise.

    Returns:
        The limited tensor.

    Raises:
        ShapeError: If the shapes of the limits do not fit.

    Example:
        >>> clip([-1.0, 0.5, 3.0], 0.0, 1.0).tolist()
        [0.0, 0.5, 1.0]
    """
    check_broadcast("clip", x, x_min, x_max)
    x = as_tensor(x)
    return jnp.clip(x.astype("int32") if x.dtype == jnp.bool_ else x, x_min, x_max)


@op(rule="elementwise")
def nan_to_num(x: Tensor, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Tensor:
    """Replaces NaN and infinities by numbers.

    Args:
        x: The tensor.
        nan: What stands for NaN.
        posinf: What stands for plus infinity; None means the largest number of the dtype.
        neginf: What stands for minus infinity; None means the smallest number of the dtype.

    Returns:
        A tensor of finite numbers, unless one of the replacements is not finite.
    """
    return jnp.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


@op(rule="elementwise")
def round(x: Tensor, decimals: int = 0) -> Tensor:
    """Rounds each element to the nearest number with `decimals` digits; halves go to the even neighbour.

    Args:
        x: The tensor.
        decimals: Digits after the point; negative numbers round before it.

    Returns:
        The rounded tensor; integers stay integers, booleans become int32.

    Example:
        >>> round([0.5, 1.5, 2.34], 0).tolist()
        [0.0, 2.0, 2.0]
    """
    x = as_tensor(x)
    if jnp.issubdtype(x.dtype, jnp.inexact):
        return jnp.round(x, decimals)
    x = x.astype("int32") if x.dtype == jnp.bool_ else x
    return x if decimals >= 0 else jnp.round(x.astype("float32"), decimals).astype(x.dtype)


@op(rule="elementwise")
def view(x: Tensor, dtype: Any = None) -> Tensor:
    """Reads the same bits as another dtype.

    Args:
        x: The tensor.
        dtype: Dtype name; None keeps the dtype. If its numbers are shorter or longer than those of `x`, the
            last axis grows or shrinks accordingly.

    Returns:
        The tensor of the new dtype.
    """
    x = as_tensor(x)
    return x if dtype is None else x.view(as_dtype(dtype))


def vectorize(pyfunc: Any, *, excluded: Any = None, signature: str | None = None) -> Any:
    """Turns a function of single elements into one of tensors, which are combined by broadcasting.

    Args:
        pyfunc: A function made of `keras.ops` or JAX functions.
        excluded: Positions or names of the arguments that are passed on whole.
        signature: The axes that the function handles by itself, such as `"(n),(n)->()"`.

    Returns:
        The function of tensors.

    Example:
        >>> vectorize(lambda a, b: a + b)(jnp.arange(3), 1).tolist()
        [1, 2, 3]
    """
    return jnp.vectorize(pyfunc, excluded=frozenset(excluded or ()), signature=signature)
