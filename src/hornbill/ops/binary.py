"""Elementwise functions of two tensors, combined by broadcasting.

Two shapes fit if, counted from the last axis, each pair of sizes is equal or one of them is 1; anything else
is an error that names the axis. Python numbers take the dtype of the other tensor as far as it can hold them.
"""

from __future__ import annotations

import jax.numpy as jnp

from hornbill.engine.errors import ArgumentError, ArgumentTypeError
from hornbill.engine.op import Tensor, op
from hornbill.ops.checks import as_dtype, as_tensor, check_broadcast

__all__ = [
    "add",
    "allclose",
    "arctan2",
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "divide",
    "divide_no_nan",
    "equal",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "gcd",
    "greater",
    "greater_equal",
    "heaviside",
    "hypot",
    "isclose",
    "lcm",
    "ldexp",
    "left_shift",
    "less",
    "less_equal",
    "logaddexp",
    "logaddexp2",
    "logical_and",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "nextafter",
    "not_equal",
    "power",
    "right_shift",
    "subtract",
    "true_divide",
]


@op(rule="broadcast")
def add(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns `x1 + x2`."""
    check_broadcast("add", x1, x2)
    return jnp.add(x1, x2)


@op(rule="broadcast")
def bitwise_and(x: Tensor, y: Tensor) -> Tensor:
    """Returns the bits set in both integers.

    Args:
        x: A tensor of integers.
        y: Another.
    """
    check_broadcast("bitwise_and", x, y)
    return jnp.bitwise_and(x, y)


@op(rule="broadcast")
def bitwise_left_shift(x: Tensor, y: Tensor) -> Tensor:
    """Shifts the bits of `x` left by `y` places."""
    check_broadcast("bitwise_left_shift", x, y)
    return jnp.left_shift(x, y)


@op(rule="broadcast")
def bitwise_or(x: Tensor, y: Tensor) -> Tensor:
    """Returns the bits set in either integer.

    Args:
        x: A tensor of integers.
        y: Another.
    """
    check_broadcast("bitwise_or", x, y)
    return jnp.bitwise_or(x, y)


@op(rule="broadcast")
def bitwise_right_shift(x: Tensor, y: Tensor) -> Tensor:
    """Shifts the bits of `x` right by `y` places."""
    check_broadcast("bitwise_right_shift", x, y)
    return jnp.right_shift(x, y)


@op(rule="broadcast")
def bitwise_xor(x: Tensor, y: Tensor) -> Tensor:
    """Returns the bits set in exactly one of the integers.

    Args:
        x: A tensor of integers.
        y: Another.
    """
    check_broadcast("bitwise_xor", x, y)
    return jnp.bitwise_xor(x, y)


@op(rule="broadcast")
def divide(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns `x1 / x2`; integers give floats."""
    check_broadcast("divide", x1, x2)
    return jnp.divide(x1, x2)


@op(rule="broadcast")
def equal(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns where `x1 == x2`."""
    check_broadcast("equal", x1, x2)
    return jnp.equal(x1, x2)


@op(rule="broadcast")
def floor_divide(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns `x1 / x2` rounded down."""
    check_broadcast("floor_divide", x1, x2)
    return jnp.floor_divide(x1, x2)


@op(rule="broadcast")
def fmax(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns the larger element of each pair; a NaN counts as missing."""
    check_broadcast("fmax", x1, x2)
    return jnp.fmax(x1, x2)


@op(rule="broadcast")
def fmin(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns the smaller element of each pair; a NaN counts as missing."""
    check_broadcast("fmin", x1, x2)
    return jnp.fmin(x1, x2)


@op(rule="broadcast")
def fmod(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns the remainder of `x1 / x2`, with the sign of `x1`."""
    check_broadcast("fmod", x1, x2)
    return jnp.fmod(x1, x2)


@op(rule="broadcast")
def gcd(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns the greatest common divisor of each pair of integers."""
    check_broadcast("gcd", x1, x2)
    return jnp.gcd(x1, x2)


@op(rule="broadcast")
def greater(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns where `x1 > x2`."""
    check_broadcast("greater", x1, x2)
    return jnp.greater(x1, x2)


@op(rule="broadcast")
def greater_equal(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns where `x1 >= x2`."""
    check_broadcast("greater_equal", x1, x2)
    return jnp.greater_equal(x1, x2)


@op(rule="broadcast")
def heaviside(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns 0 where `x1` is negative, 1 where it is positive, and `x2` where it is 0."""
    check_broadcast("heaviside", x1, x2)
    return jnp.heaviside(x1, x2)


@op(rule="broadcast")
def hypot(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns `sqrt(x1 ** 2 + x2 ** 2)` without overflow in between."""
    check_broadcast("hypot", x1, x2)
    return jnp.hypot(x1, x2)


@op(rule="broadcast")
def lcm(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns the least common multiple of each pair of integers."""
    check_broadcast("lcm", x1, x2)
    return jnp.lcm(x1, x2)


@op(rule="broadcast")
def left_shift(x: Tensor, y: Tensor) -> Tensor:
    """Shifts the bits of `x` left by `y` places; another name of `bitwise_left_shift`."""
    check_broadcast("left_shift", x, y)
    return jnp.left_shift(x, y)


@op(rule="broadcast")
def less(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns where `x1 < x2`."""
    check_broadcast("less", x1, x2)
    return jnp.less(x1, x2)


@op(rule="broadcast")
def less_equal(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns where `x1 <= x2`."""
    check_broadcast("less_equal", x1, x2)
    return jnp.less_equal(x1, x2)


@op(rule="broadcast")
def logaddexp(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns `log(exp(x1) + exp(x2))` without overflow in between."""
    check_broadcast("logaddexp", x1, x2)
    return jnp.logaddexp(*_strong(x1, x2))


@op(rule="broadcast")
def logaddexp2(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns `log2(2 ** x1 + 2 ** x2)` without overflow in between."""
    check_broadcast("logaddexp2", x1, x2)
    return jnp.logaddexp2(*_strong(x1, x2))


@op(rule="broadcast")
def arctan2(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns the angle of the point `(x2, x1)`, in radians from -pi to pi."""
    check_broadcast("arctan2", x1, x2)
    return jnp.arctan2(*_strong(x1, x2))


@op(rule="broadcast")
def logical_and(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns where both are true."""
    check_broadcast("logical_and", x1, x2)
    return jnp.logical_and(x1, x2)


@op(rule="broadcast")
def logical_or(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns where either is true."""
    check_broadcast("logical_or", x1, x2)
    return jnp.logical_or(x1, x2)


@op(rule="broadcast")
def logical_xor(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns where exactly one is true."""
    check_broadcast("logical_xor", x1, x2)
    return jnp.logical_xor(x1, x2)


@op(rule="broadcast")
def maximum(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns the larger element of each pair; NaN wins."""
    check_broadcast("maximum", x1, x2)
    return jnp.maximum(x1, x2)


@op(rule="broadcast")
def minimum(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns the smaller element of each pair; NaN wins."""
    check_broadcast("minimum", x1, x2)
    return jnp.minimum(x1, x2)


@op(rule="broadcast")
def mod(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns the remainder of `x1 / x2`, with the sign of `x2`."""
    check_broadcast("mod", x1, x2)
    return jnp.mod(x1, x2)


@op(rule="broadcast")
def multiply(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns `x1 * x2`, element by element."""
    check_broadcast("multiply", x1, x2)
    return jnp.multiply(x1, x2)


@op(rule="broadcast")
def nextafter(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns the next floating-point number after `x1` in the direction of `x2`."""
    check_broadcast("nextafter", x1, x2)
    return jnp.nextafter(x1, x2)


@op(rule="broadcast")
def not_equal(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns where `x1 != x2`."""
    check_broadcast("not_equal", x1, x2)
    return jnp.not_equal(x1, x2)


@op(rule="broadcast")
def right_shift(x: Tensor, y: Tensor) -> Tensor:
    """Shifts the bits of `x` right by `y` places; another name of `bitwise_right_shift`."""
    check_broadcast("right_shift", x, y)
    return jnp.right_shift(x, y)


@op(rule="broadcast")
def subtract(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns `x1 - x2`."""
    check_broadcast("subtract", x1, x2)
    return jnp.subtract(x1, x2)


@op(rule="broadcast")
def true_divide(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns `x1 / x2`; another name of `divide`."""
    check_broadcast("true_divide", x1, x2)
    return jnp.true_divide(x1, x2)


@op(rule="broadcast")
def divide_no_nan(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns `x1 / x2`, and 0 where `x2` is 0.

    Args:
        x1: Dividend.
        x2: Divisor.

    Returns:
        The quotients; they and their gradients are finite also where `x2` is 0.

    Example:
        >>> divide_no_nan([1.0, 2.0], [2.0, 0.0]).tolist()
        [0.5, 0.0]
    """
    check_broadcast("divide_no_nan", x1, x2)
    zero = jnp.equal(x2, 0)
    quotient = jnp.divide(x1, jnp.where(zero, jnp.ones_like(x2), x2))
    return jnp.where(zero, jnp.zeros_like(quotient), quotient)


@op(rule="broadcast")
def power(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns `x1 ** x2`.

    Args:
        x1: Base.
        x2: Exponent.

    Returns:
        The powers.

    Raises:
        ArgumentError: If an integer base meets a negative Python integer as its exponent.
    """
    check_broadcast("power", x1, x2)
    if type(x2) is int and x2 < 0 and not jnp.issubdtype(as_tensor(x1).dtype, jnp.inexact):
        raise ArgumentError(
            "power: an integer to a negative power is no integer.",
            got=f"x1 of dtype {as_tensor(x1).dtype}, x2={x2}.",
            fixes=(f"ops.power(x, {float(x2)})", "ops.cast(x, 'float32')"),
        )
    return jnp.power(x1, x2)


@op(rule="broadcast")
def ldexp(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns `x1 * 2 ** x2`.

    Args:
        x1: The factor; integers become floats.
        x2: The exponent, of an integer dtype.

    Returns:
        The products.

    Raises:
        ArgumentTypeError: If `x2` holds no integers.
    """
    check_broadcast("ldexp", x1, x2)
    exponent = as_tensor(x2)
    if not jnp.issubdtype(exponent.dtype, jnp.integer):
        raise ArgumentTypeError(
            "ldexp: the exponent x2 must be of an integer dtype.", got=f"dtype {exponent.dtype}."
        )
    return jnp.ldexp(x1, x2)


@op(rule="broadcast")
def isclose(
    x1: Tensor, x2: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Returns where `|x1 - x2| <= atol + rtol * |x2|`.

    Args:
        x1: First tensor.
        x2: Second tensor, the reference.
        rtol: Relative tolerance.
        atol: Absolute tolerance.
        equal_nan: Whether two NaNs count as equal.

    Returns:
        A boolean tensor.
    """
    check_broadcast("isclose", x1, x2)
    return jnp.isclose(x1, x2, rtol, atol, equal_nan)


@op(rule="broadcast")
def allclose(
    x1: Tensor, x2: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Returns whether all elements are close in the sense of `isclose`.

    Args:
        x1: First tensor.
        x2: Second tensor, the reference.
        rtol: Relative tolerance.
        atol: Absolute tolerance.
        equal_nan: Whether two NaNs count as equal.

    Returns:
        A boolean scalar.
    """
    check_broadcast("allclose", x1, x2)
    return jnp.allclose(x1, x2, rtol, atol, equal_nan)


def _strong(x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
    """Returns both in their common dtype, Python numbers counted as int32 or float32 (as Keras does here)."""
    x1, x2 = (jnp.asarray(x, dtype=as_tensor(x).dtype) for x in (x1, x2))
    dtype = jnp.result_type(x1.dtype, x2.dtype)
    dtype = dtype if jnp.issubdtype(dtype, jnp.inexact) else as_dtype(None)
    return x1.astype(dtype), x2.astype(dtype)
