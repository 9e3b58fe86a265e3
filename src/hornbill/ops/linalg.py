"""`keras.ops.linalg`: decompositions, inverses, solvers and norms of matrices, and forward-mode derivatives.

Matrices stand on the last two axes; axes before them are batches. Whole numbers become floats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
import numpy as np

from hornbill.engine.errors import ArgumentError, ArgumentTypeError, ShapeError, one_of
from hornbill.engine.op import Tensor, convert_to_tensor, op
from hornbill.ops import native
from hornbill.ops.activation import as_float

__all__ = [
    "cholesky", "cholesky_inverse", "det", "eig", "eigh", "inv", "jvp", "lstsq", "lu_factor", "matrix_rank",
    "norm", "pinv", "qr", "solve", "solve_triangular", "svd",
]  # fmt: skip


def _matrix(owner: str, x: Tensor, square: bool = False) -> Tensor:
    x = as_float(x)
    if x.ndim < 2:
        raise ShapeError(f"{owner} wants matrices: at least two axes.", got=f"shape {x.shape}.")
    if square and x.shape[-1] != x.shape[-2]:
        raise ShapeError(
            f"{owner} wants square matrices: as many rows as columns.",
            got=f"shape {x.shape}: {x.shape[-2]} rows, {x.shape[-1]} columns.",
        )
    return x


def _right_side(owner: str, a: Tensor, b: Tensor) -> Tensor:
    """Checks that `b` is a vector, or a stack of vectors or matrices, with a row for each row of `a`."""
    b = as_float(b)
    rows = b.shape[-2] if b.ndim == a.ndim and b.ndim > 1 else (b.shape[-1] if b.ndim == a.ndim - 1 else None)
    if rows != a.shape[-2]:
        raise ShapeError(
            f"{owner} wants b with a row for each of the {a.shape[-2]} rows of a: "
            f"(..., {a.shape[-2]}) or (..., {a.shape[-2]}, columns).",
            got=f"a of shape {a.shape}, b of shape {b.shape}.",
        )
    return b


@op(rule="linalg")
def cholesky(x: Tensor, upper: bool = False) -> Tensor:
    """Returns the triangular L with `L @ L.T = x`.

    Args:
        x: Symmetric positive-definite matrices.
        upper: Whether to return the upper triangle, `L.T`.

    Shapes:
        x: (..., n, n).
        returns: (..., n, n).

    Returns:
        The triangular matrices.

    Raises:
        ArgumentError: If a matrix is not positive definite (only noticed outside of compiled functions).

    Example:
        >>> cholesky([[4.0, 0.0], [0.0, 9.0]]).tolist()
        [[2.0, 0.0], [0.0, 3.0]]
    """
    result = jnp.linalg.cholesky(_matrix("cholesky", x, square=True), upper=upper)
    if not isinstance(result, jax.core.Tracer) and bool(jnp.isnan(result).any()):
        raise ArgumentError(
            "cholesky: a matrix is not positive definite.",
            why="The decomposition exists only if all eigenvalues of the symmetric matrix are above 0.",
            fixes="Add a small multiple of the identity: x + 1e-6 * ops.eye(n).",
        )
    return result


@op(rule="linalg")
def cholesky_inverse(x: Tensor, upper: bool = False) -> Tensor:
    """Returns the inverse of the matrix whose Cholesky factor is `x`.

    Args:
        x: Triangular factors, as `cholesky` gives them.
        upper: Whether they are upper triangles.

    Shapes:
        x: (..., n, n).
        returns: (..., n, n).

    Returns:
        The inverses of `x @ x.T` (of `x.T @ x` for upper triangles).
    """
    x = _matrix("cholesky_inverse", x, square=True)
    identity = jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), x.shape)
    inverse = jax.scipy.linalg.solve_triangular(x, identity, lower=not upper)
    turned = inverse.swapaxes(-1, -2)
    return inverse @ turned if upper else turned @ inverse


@op(rule="linalg")
def det(x: Tensor) -> Tensor:
    """Returns the determinants of square matrices.

    Args:
        x: The matrices, (..., n, n).
    """
    return jnp.linalg.det(_matrix("det", x, square=True))


@op(rule="linalg")
def eig(x: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the eigenvalues (..., n) and the eigenvectors, as columns, of square matrices; CPU only.

    Args:
        x: The matrices, (..., n, n).

    Returns:
        `(eigenvalues, eigenvectors)`, complex.
    """
    return tuple(jnp.linalg.eig(_matrix("eig", x, square=True)))  # type: ignore[return-value]


@op(rule="linalg")
def eigh(x: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the eigenvalues, in rising order, and the eigenvectors, as columns, of symmetric matrices.

    Args:
        x: The matrices, (..., n, n).

    Returns:
        `(eigenvalues, eigenvectors)`.
    """
    return tuple(jnp.linalg.eigh(_matrix("eigh", x, square=True)))  # type: ignore[return-value]


@op(rule="linalg")
def inv(x: Tensor) -> Tensor:
    """Returns the inverses of square matrices.

    Args:
        x: The matrices, (..., n, n).
    """
    return jnp.linalg.inv(_matrix("inv", x, square=True))


@op(rule="linalg")
def lu_factor(x: Tensor) -> tuple[Tensor, Tensor]:
    """Decomposes square matrices into a lower and an upper triangle with rows exchanged.

    Args:
        x: The matrices, (..., n, n).

    Returns:
        `(lu, pivots)`: both triangles in one matrix, and with which row each row was exchanged.
    """
    return tuple(jax.scipy.linalg.lu_factor(_matrix("lu_factor", x)))  # type: ignore[return-value]


@op(rule="linalg")
def matrix_rank(x: Tensor, tol: float | None = None) -> Tensor:
    """Returns how many singular values of each matrix are above `tol`.

    Args:
        x: The matrices, (..., m, n).
        tol: The bound; None means one that follows from the size and the largest singular value.

    Example:
        >>> int(matrix_rank([[1.0, 2.0], [2.0, 4.0]]))
        1
    """
    x = _matrix("matrix_rank", x)
    values = jnp.linalg.svd(x, compute_uv=False)
    bound: Any = tol
    if bound is None:
        bound = values.max(-1, keepdims=True) * max(x.shape[-2:]) * jnp.finfo(x.dtype).eps
    return jnp.sum(values > bound, axis=-1)


_MATRIX_ORDERS = (None, "fro", "nuc", np.inf, -np.inf, 1, -1, 2, -2)


@op(rule="reduction")
def norm(
    x: Tensor,
    ord: int | float | str | None = None,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
) -> Tensor:
    """Returns norms of vectors (one axis) or of matrices (two axes).

    Args:
        x: Any tensor.
        ord: The order. For vectors any number, infinity included; for matrices "fro", "nuc", 1, -1, 2, -2
            or an infinity. None means the root of the sum of squares.
        axis: One axis, two axes, or None for the whole tensor.
        keepdims: Whether the axes stay, with size 1.

    Returns:
        The norms.

    Raises:
        ArgumentError: If the order does not exist for that number of axes, or an axis does not exist.

    Example:
        >>> float(norm([3.0, 4.0]))
        5.0
    """
    x = as_float(x)
    axes = (
        tuple(range(x.ndim)) if axis is None else tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    )
    if any(not isinstance(a, (int, np.integer)) or not -x.ndim <= a < x.ndim for a in axes):
        raise ArgumentError(f"norm: axis must be from {-x.ndim} to {x.ndim - 1}.", got=f"axis={axis!r}.")
    if axis is None and ord is None:
        return jnp.linalg.norm(x.ravel()).reshape((1,) * x.ndim if keepdims else ())
    if len(axes) not in (1, 2):
        raise ArgumentError(
            "norm goes over one axis (vectors) or two (matrices).", got=f"axis={axis!r}, {x.shape}."
        )
    if len(axes) == 2:
        one_of("norm", "ord of matrices", ord, _MATRIX_ORDERS)
    elif isinstance(ord, str):
        raise ArgumentError("norm: ord of vectors must be a number or None.", got=f"ord={ord!r}.")
    return jnp.linalg.norm(x, ord=ord, axis=axes if len(axes) == 2 else axes[0], keepdims=keepdims)


@op(rule="linalg")
def lstsq(a: Tensor, b: Tensor, rcond: float | None = None) -> Tensor:
    """Returns the x that brings `a @ x` closest to `b`, the shortest one where there are several.

    Args:
        a: The coefficients.
        b: The right-hand side.
        rcond: Singular values below this share of the largest count as 0.

    Shapes:
        a: (m, n).
        b: (m,) or (m, k).
        returns: (n,) or (n, k).

    Returns:
        The solution.

    Raises:
        ShapeError: If the shapes do not fit.
    """
    a, b = as_float(a), as_float(b)
    if a.ndim != 2 or b.ndim not in (1, 2) or a.shape[0] != b.shape[0]:
        raise ShapeError("lstsq wants a (m, n) and b (m,) or (m, k).", got=f"a {a.shape}, b {b.shape}.")
    return jnp.linalg.lstsq(a, b, rcond=rcond)[0]


@op(rule="linalg")
def pinv(x: Tensor, rcond: float | None = None) -> Tensor:
    """Returns the pseudo-inverses of matrices.

    Args:
        x: The matrices, (..., m, n).
        rcond: Singular values up to this share of the largest count as 0.
    """
    return jnp.linalg.pinv(_matrix("pinv", x), rtol=rcond)


@op(rule="linalg")
def qr(x: Tensor, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """Decomposes matrices into an orthogonal q and an upper triangle r.

    Args:
        x: The matrices, (..., m, n).
        mode: "reduced" (q is m x min(m, n)) or "complete" (q is m x m).

    Returns:
        `(q, r)`.

    Raises:
        ArgumentError: If the mode is unknown.
    """
    one_of("qr", "mode", mode, ("reduced", "complete"))
    return tuple(jnp.linalg.qr(_matrix("qr", x), mode=mode))  # type: ignore[return-value]


@op(rule="linalg")
def solve(a: Tensor, b: Tensor) -> Tensor:
    """Returns the x with `a @ x = b`.

    Args:
        a: Square matrices, (..., n, n).
        b: The right-hand sides, (..., n) or (..., n, k).

    Returns:
        The solutions, of the shape of `b`.

    Raises:
        ShapeError: If the shapes do not fit.

    Example:
        >>> solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0]).tolist()
        [1.0, 0.5]
    """
    a = _matrix("solve", a, square=True)
    b = _right_side("solve", a, b)
    return jnp.linalg.solve(a, b[..., None])[..., 0] if b.ndim == a.ndim - 1 else jnp.linalg.solve(a, b)


@op(rule="linalg")
def solve_triangular(a: Tensor, b: Tensor, lower: bool = False) -> Tensor:
    """Returns the x with `a @ x = b` for triangular matrices.

    Args:
        a: Triangular matrices, (..., n, n); the other triangle is not looked at.
        b: The right-hand sides, (..., n) or (..., n, k).
        lower: Whether `a` is a lower triangle.

    Returns:
        The solutions, of the shape of `b`.

    Raises:
        ShapeError: If the shapes do not fit.
    """
    a = _matrix("solve_triangular", a, square=True)
    b = _right_side("solve_triangular", a, b)
    vector = b.ndim == a.ndim - 1
    result = jax.scipy.linalg.solve_triangular(a, b[..., None] if vector else b, lower=lower)
    return result[..., 0] if vector else result


@op(rule="linalg")
def svd(
    x: Tensor, full_matrices: bool = True, compute_uv: bool = True
) -> Tensor | tuple[Tensor, Tensor, Tensor]:
    """Decomposes matrices into `u @ diag(s) @ vh`, with orthogonal u and vh and falling s.

    Args:
        x: The matrices, (..., m, n).
        full_matrices: Whether u and vh are square; otherwise they have min(m, n) columns and rows.
        compute_uv: Whether to return u and vh too.

    Returns:
        `(u, s, vh)`, or `s` alone.
    """
    x = _matrix("svd", x)
    if not compute_uv:
        return jnp.linalg.svd(x, full_matrices=full_matrices, compute_uv=False)
    return tuple(jnp.linalg.svd(x, full_matrices=full_matrices))  # type: ignore[return-value]


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """Returns the value of a function and its derivative in a direction, in one forward pass.

    Args:
        fun: The function.
        primals: Its arguments, a tuple or list.
        tangents: The direction: for each argument how fast it changes, in the same structure.
        has_aux: Whether the function returns `(value, something else)`.

    Returns:
        `(value, derivative)`, or `(value, derivative, something else)`.

    Raises:
        ArgumentTypeError: If primals and tangents are not tuples or lists of one length.

    Example:
        >>> value, slope = jvp(lambda x: x * x, (3.0,), (1.0,))
        >>> float(value), float(slope)
        (9.0, 6.0)
    """
    both = (primals, tangents)
    if not all(isinstance(x, (tuple, list)) for x in both) or len(primals) != len(tangents):
        raise ArgumentTypeError(
            "jvp wants primals and tangents as tuples of one length.", got=f"{primals!r} and {tangents!r}."
        )
    primals, tangents = (jax.tree.map(convert_to_tensor, tuple(x)) for x in both)
    with native.without():  # its functions have gradients in reverse only
        return jax.jvp(fun, primals, tangents, has_aux=has_aux)
