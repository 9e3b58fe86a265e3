"""Products of tensors: axes of two tensors are multiplied and summed over.

Also what is built on them: outer and Kronecker products, cross products, traces, determinants of one matrix.
Decompositions and solvers are in `linalg`.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.engine.op import Tensor, op
from hornbill.ops.checks import as_axis, as_float, as_tensor, check_broadcast, check_contraction, show

__all__ = [
    "cross",
    "dot",
    "einsum",
    "inner",
    "kron",
    "matmul",
    "outer",
    "slogdet",
    "tensordot",
    "trace",
    "vander",
    "vdot",
]


def _accumulator(*operands: Any) -> Any:
    """Returns the dtype to sum in: int32 for products of int8, which would overflow, else None."""
    return "int32" if all(np.ndim(x) and x.dtype == jnp.int8 for x in operands) else None


@op(rule="contraction")
def matmul(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns the matrix product over the last axis of `x1` and the last but one of `x2`.

    Args:
        x1: Vector, matrix, or stack of matrices.
        x2: Vector, matrix, or stack of matrices.

    Returns:
        The product; axes before the last two are combined by broadcasting.

    Raises:
        ShapeError: If the summed axes differ, or one of the tensors is a scalar.

    Example:
        >>> matmul([[1.0, 2.0]], [[3.0], [4.0]]).tolist()
        [[11.0]]
    """
    if not np.ndim(x1) or not np.ndim(x2):
        raise ShapeError(
            "matmul: both tensors must have an axis to sum over.",
            got=f"shapes {show(np.shape(x1))} and {show(np.shape(x2))}.",
            fixes="ops.multiply(x1, x2)",
        )
    check_contraction("matmul", x1, x2, -1, -2 if x2.ndim > 1 else 0)
    if x1.ndim > 2 and x2.ndim > 2:
        check_broadcast("matmul", np.empty((*x1.shape[:-2], 0)), np.empty((*x2.shape[:-2], 0)))
    return jnp.matmul(x1, x2, preferred_element_type=_accumulator(x1, x2))


@op(rule="contraction")
def dot(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns the product over the last axis of `x1` and the last but one (of a vector.

    The only) axis of `x2`.
    """
    if np.ndim(x1) and np.ndim(x2):
        check_contraction("dot", x1, x2, -1, -2 if x2.ndim > 1 else 0)
    return jnp.dot(x1, x2)


@op(rule="contraction")
def inner(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns the product over the last axes of both tensors."""
    if np.ndim(x1) and np.ndim(x2):
        check_contraction("inner", x1, x2, -1, -1)
    return jnp.inner(x1, x2)


@op(rule="contraction")
def vdot(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns the dot product of both tensors, flattened; the first is conjugated if complex."""
    if np.size(x1) != np.size(x2):
        raise ShapeError(
            "vdot: both tensors must have the same number of elements.",
            got=f"{show(np.shape(x1))} with {np.size(x1)} and {show(np.shape(x2))} with {np.size(x2)}.",
        )
    return jnp.vdot(x1, x2)


@op(rule="contraction")
def tensordot(x1: Tensor, x2: Tensor, axes: Any = 2) -> Tensor:
    """Returns the product over chosen axes.

    Args:
        x1: First tensor.
        x2: Second tensor.
        axes: A number `n`: the last `n` axes of `x1` with the first `n` of `x2`; or two lists of axes.

    Returns:
        The remaining axes of `x1`, then those of `x2`.

    Raises:
        ShapeError: If axes that are summed over differ in size.
    """
    ndim1, ndim2 = np.ndim(x1), np.ndim(x2)
    if isinstance(axes, int):
        if axes > min(ndim1, ndim2):
            raise ArgumentError(
                f"tensordot: {axes} axes cannot be summed over.", got=f"tensors of {ndim1} and {ndim2} axes."
            )
        pairs = [(ndim1 - axes + i, i) for i in range(axes)]
    else:
        lists = [list(item) if isinstance(item, (list, tuple)) else [item] for item in axes]
        if len(lists) != 2 or len(lists[0]) != len(lists[1]):
            raise ArgumentError(
                "tensordot: axes is a number or two lists of equal length.", got=f"axes={axes!r}."
            )
        pairs = [
            (as_axis("tensordot", a, ndim1), as_axis("tensordot", b, ndim2))
            for a, b in zip(*lists, strict=True)
        ]
    for axis1, axis2 in pairs:
        check_contraction("tensordot", x1, x2, axis1, axis2)
    return jnp.tensordot(x1, x2, axes=([a for a, _ in pairs], [b for _, b in pairs]))


@op(rule="contraction")
def einsum(subscripts: str, *operands: Tensor, **kwargs: Any) -> Tensor:
    """Returns a sum of products, written with one letter per axis.

    Args:
        subscripts: Such as `"bij,jk->bik"`: letters that are missing after the arrow are summed over.
        *operands: One tensor per comma-separated term.
        **kwargs: Passed to `jax.numpy.einsum`: `optimize`, `precision`.

    Returns:
        The tensor with the axes named after the arrow.

    Raises:
        ShapeError: If one letter stands for two sizes.

    Example:
        >>> einsum("ij,j->i", [[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0]).tolist()
        [3.0, 7.0]
    """
    if not isinstance(subscripts, str):
        raise ArgumentError(
            "einsum: the first argument is the text of the subscripts.",
            got=f"{type(subscripts).__name__}.",
            fixes="ops.einsum('ij,jk->ik', a, b)",
        )
    _check_einsum(subscripts, operands)
    return jnp.einsum(subscripts, *operands, preferred_element_type=_accumulator(*operands), **kwargs)


def _check_einsum(subscripts: str, operands: tuple[Any, ...]) -> None:
    terms = subscripts.replace(" ", "").split("->")[0].split(",")
    if len(terms) != len(operands):
        raise ArgumentError(
            f"einsum({subscripts!r}) has {len(terms)} terms; each wants a tensor.",
            got=f"{len(operands)} tensors.",
        )
    sizes: dict[str, int] = {}
    for number, (term, operand) in enumerate(zip(terms, operands, strict=True), start=1):
        shape = np.shape(operand)
        before, dots, after = term.partition("...")
        letters = len(before) + len(after)
        if letters > len(shape) or (letters < len(shape) and not dots):
            raise ShapeError(
                f"einsum({subscripts!r}): the term {term!r} names {letters} axes.",
                got=f"tensor {number} of shape {show(shape)}, which has {len(shape)}.",
            )
        named = [*zip(before, shape, strict=False), *zip(reversed(after), reversed(shape), strict=False)]
        for letter, size in named:
            known = sizes.setdefault(letter, size)
            if 1 not in (known, size) and known != size:
                raise ShapeError(
                    f"einsum({subscripts!r}): the letter {letter!r} stands for two sizes.",
                    got=f"{known} and {size}, in shapes {', '.join(show(np.shape(o)) for o in operands)}.",
                )
            sizes[letter] = max(known, size)


@op(rule="contraction")
def outer(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns the products of each element of `x1` with each of `x2`, both flattened."""
    return jnp.outer(x1, x2)


@op(rule="cross")
def kron(x1: Tensor, x2: Tensor) -> Tensor:
    """Returns the Kronecker product: each element of `x1` times the whole of `x2`, laid out as blocks."""
    return jnp.kron(x1, x2)


@op(rule="elementwise")
def cross(
    x1: Tensor, x2: Tensor, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Tensor:
    """Returns the cross product of vectors of 2 or 3 elements.

    Args:
        x1: First vectors.
        x2: Second vectors.
        axisa: Axis of `x1` that holds the vectors.
        axisb: Axis of `x2` that holds the vectors.
        axisc: Axis of the result that holds the vectors.
        axis: If given, all three axes at once.

    Returns:
        The products; of two vectors of 2 elements only the third coordinate.

    Raises:
        ShapeError: If the vectors have another number of elements.
    """
    for x, at in ((x1, axisa), (x2, axisb)):
        at = as_axis("cross", at if axis is None else axis, np.ndim(x))
        if x.shape[at] not in (2, 3):
            raise ShapeError(
                "cross: vectors must have 2 or 3 elements.",
                got=f"shape {show(x.shape)}, with {x.shape[at]} on axis {at}.",
            )
    return jnp.cross(x1, x2, axisa, axisb, axisc, axis)


@op(rule="reduction")
def trace(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Returns the sum of a diagonal.

    Args:
        x: The tensor.
        offset: Which diagonal: above (positive) or below (negative) the main one.
        axis1: First axis of the matrices.
        axis2: Second axis of the matrices.

    Returns:
        The sums, without the two axes.
    """
    ndim = np.ndim(x)
    return jnp.trace(x, offset, as_axis("trace", axis1, ndim), as_axis("trace", axis2, ndim))


@op(rule="linalg")
def slogdet(x: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the sign and the logarithm of the magnitude of the determinant of square matrices.

    Args:
        x: A matrix, or a stack of matrices on the last two axes.

    Returns:
        `(sign, logarithm)`.

    Raises:
        ShapeError: If the matrices are not square.
    """
    shape = np.shape(x)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ShapeError("slogdet: the last two axes must be a square matrix.", got=f"shape {show(shape)}.")
    result = jnp.linalg.slogdet(as_float(x))
    return result[0], result[1]


@op(rule="given")
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """Returns the Vandermonde matrix: the powers of each element in a row.

    Args:
        x: The elements, one axis.
        N: Number of columns; None means as many as there are elements.
        increasing: Whether the powers rise from left to right.

    Returns:
        A matrix of `len(x)` rows.
    """
    x = as_tensor(x)
    if x.ndim != 1:
        raise ShapeError("vander: x must have one axis.", got=f"shape {show(x.shape)}.", fixes="ops.ravel(x)")
    return jnp.vander(x, N, increasing)
