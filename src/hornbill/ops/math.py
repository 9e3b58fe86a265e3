"""Mathematics beyond NumPy's names: error functions, segments, largest elements, distances, complex views.

Fourier transforms are in `fourier`, matrix functions in `linalg`.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hornbill.engine.errors import ArgumentError, ArgumentTypeError, ShapeError
from hornbill.engine.op import Tensor, op
from hornbill.ops.checks import as_axes, as_float, as_tensor, concrete, show

__all__ = [
    "cdist",
    "erf",
    "erfc",
    "erfinv",
    "extract_sequences",
    "in_top_k",
    "logdet",
    "logsumexp",
    "rsqrt",
    "segment_max",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "top_k",
    "view_as_complex",
    "view_as_real",
]


@op(rule="elementwise")
def erf(x: Tensor) -> Tensor:
    """Returns the error function: `2 / sqrt(pi)` times the integral of `exp(-t ** 2)` from 0 to x."""
    return lax.erf(as_float(x))


@op(rule="elementwise")
def erfc(x: Tensor) -> Tensor:
    """Returns `1 - erf(x)`, exact also where that is tiny."""
    return lax.erfc(as_float(x))


@op(rule="elementwise")
def erfinv(x: Tensor) -> Tensor:
    """Returns the number whose error function is `x`, for `x` between -1 and 1."""
    return lax.erf_inv(as_float(x))


@op(rule="elementwise")
def rsqrt(x: Tensor) -> Tensor:
    """Returns `1 / sqrt(x)` for each element."""
    return lax.rsqrt(as_float(x))


@op(rule="reduction")
def logsumexp(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns `log(sum(exp(x)))` along the axes, without overflow in between.

    Args:
        x: The tensor; integers count as floats.
        axis: Axis or axes; None means all.
        keepdims: Whether the reduced axes stay with size 1.

    Returns:
        The reduced tensor.
    """
    return jax.nn.logsumexp(as_float(x), axis=as_axes("logsumexp", axis, np.ndim(x)), keepdims=keepdims)


def _segments(
    name: str, function: Any, data: Any, ids: Any, num_segments: int | None, in_order: bool
) -> Tensor:
    data, ids = as_tensor(data), as_tensor(ids)
    if not ids.ndim or ids.shape != data.shape[: ids.ndim]:
        raise ShapeError(
            f"{name}: segment_ids must have the first axes of data.",
            got=f"data {show(data.shape)}, segment_ids {show(ids.shape)}.",
        )
    if num_segments is None:
        concrete(name, "the number of segments", ids, fix=f"ops.{name}(data, segment_ids, num_segments=10)")
        num_segments = int(ids.max()) + 1 if ids.size else 0
    rows = data.reshape(-1, *data.shape[ids.ndim :])
    return function(rows, ids.reshape(-1), num_segments, indices_are_sorted=in_order and ids.ndim == 1)


@op(rule="given")
def segment_sum(
    data: Tensor, segment_ids: Tensor, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Adds the rows that have the same segment number.

    Args:
        data: The rows.
        segment_ids: The segment number of each row; rows with numbers out of range are left out.
        num_segments: How many segments there are; None means up to the largest number. Needed in compiled
            steps.
        sorted: Whether the segment numbers rise, which is faster.

    Returns:
        One row per segment; 0 where it has none.

    Raises:
        ShapeError: If `segment_ids` does not fit `data`.
        StateError: If `num_segments` is missing while a model is built or compiled.

    Example:
        >>> segment_sum([1, 2, 10], [0, 0, 1], num_segments=2).tolist()
        [3, 10]
    """
    return _segments("segment_sum", jax.ops.segment_sum, data, segment_ids, num_segments, sorted)


@op(rule="given")
def segment_max(
    data: Tensor, segment_ids: Tensor, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Returns the largest of the rows of each segment (the smallest number where it has none).

    See `segment_sum`.

    Args:
        data: The rows.
        segment_ids: The segment number of each row.
        num_segments: How many segments there are; None means up to the largest number.
        sorted: Whether the segment numbers rise, which is faster.
    """
    return _segments("segment_max", jax.ops.segment_max, data, segment_ids, num_segments, sorted)


@op(rule="given")
def segment_min(
    data: Tensor, segment_ids: Tensor, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Returns the smallest of the rows of each segment (the largest number where it has none).

    See `segment_sum`.

    Args:
        data: The rows.
        segment_ids: The segment number of each row.
        num_segments: How many segments there are; None means up to the largest number.
        sorted: Whether the segment numbers rise, which is faster.
    """
    return _segments("segment_min", jax.ops.segment_min, data, segment_ids, num_segments, sorted)


@op(rule="given")
def segment_prod(
    data: Tensor, segment_ids: Tensor, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Returns the product of the rows of each segment (1 where it has none); see `segment_sum`.

    Args:
        data: The rows.
        segment_ids: The segment number of each row.
        num_segments: How many segments there are; None means up to the largest number.
        sorted: Whether the segment numbers rise, which is faster.
    """
    return _segments("segment_prod", jax.ops.segment_prod, data, segment_ids, num_segments, sorted)


@op(rule="given")
def top_k(x: Tensor, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:  # noqa: ARG001 - sorted in any case
    """Returns the `k` largest elements along the last axis and where they stand.

    Args:
        x: The tensor.
        k: How many.
        sorted: Whether they must come largest first; they do in any case.

    Returns:
        `(elements, positions)`.

    Raises:
        ShapeError: If the axis holds fewer than `k` elements.

    Example:
        >>> [part.tolist() for part in top_k([5, 2, 7], 2)]
        [[7, 5], [2, 0]]
    """
    x = as_tensor(x)
    if not x.ndim or not 0 <= k <= x.shape[-1]:
        raise ShapeError(
            f"top_k: the last axis must hold at least k={k} elements.", got=f"shape {show(x.shape)}."
        )
    values, positions = lax.top_k(x, k)
    return values, positions


@op(rule="given")
def in_top_k(targets: Tensor, predictions: Tensor, k: int) -> Tensor:
    """Returns whether the score of each target is among the `k` best of its row, ties included.

    Args:
        targets: Class numbers, shape `(batch,)`.
        predictions: Scores, shape `(batch, classes)`.
        k: How many of the best count.

    Returns:
        Booleans of the shape of `targets`; False for class numbers out of range.

    Raises:
        ShapeError: If the shapes do not fit.
    """
    targets, predictions = as_tensor(targets), as_tensor(predictions)
    if predictions.shape[:-1] != targets.shape:
        raise ShapeError(
            "in_top_k: predictions must have the shape of targets and one axis of classes more.",
            got=f"targets {show(targets.shape)}, predictions {show(predictions.shape)}.",
        )
    classes = predictions.shape[-1]
    known = (targets >= 0) & (targets < classes)
    place = jnp.where(known, targets, 0)[..., None]  # (batch, 1)
    score = jnp.take_along_axis(predictions, place, axis=-1)
    better = jnp.sum(predictions > score, axis=-1)
    return known & jnp.isfinite(score[..., 0]) & (better < k)


@op(rule="sequences")
def extract_sequences(x: Tensor, sequence_length: int, sequence_stride: int) -> Tensor:
    """Cuts the last axis into windows that may overlap.

    Args:
        x: The tensor, last axis of size `n`.
        sequence_length: Length of a window.
        sequence_stride: Distance from one window to the next.

    Returns:
        The windows.

    Shapes:
        `(..., n)` -> `(..., 1 + (n - sequence_length) // sequence_stride, sequence_length)`

    Raises:
        ArgumentError: If a length is not positive.

    Example:
        >>> extract_sequences([1, 2, 3, 4, 5, 6], 3, 2).tolist()
        [[1, 2, 3], [3, 4, 5]]
    """
    if sequence_length < 1 or sequence_stride < 1:
        raise ArgumentError(
            "extract_sequences: length and stride are positive.",
            got=f"{sequence_length} and {sequence_stride}.",
        )
    x = as_tensor(x)
    count = max(0, 1 + (x.shape[-1] - sequence_length) // sequence_stride)
    places = np.arange(count)[:, None] * sequence_stride + np.arange(sequence_length)
    return x[..., places]


@op(rule="cross")
def cdist(x: Tensor, y: Tensor) -> Tensor:
    """Returns the Euclidean distances between the vectors of two collections.

    Args:
        x: Shape `(..., m, d)`.
        y: Shape `(..., n, d)`.

    Returns:
        Shape `(..., m, n)`.

    Raises:
        ShapeError: If the vectors differ in length.
    """
    x, y = as_tensor(x), as_tensor(y)
    if x.ndim < 2 or y.ndim < 2 or x.shape[-1] != y.shape[-1]:
        raise ShapeError(
            "cdist: both collections must have shape (..., number, length), with one length.",
            got=f"shapes {show(x.shape)} and {show(y.shape)}.",
        )
    dtype = jnp.promote_types(x.dtype, y.dtype)
    left, right = as_float(x.astype(dtype)), as_float(y.astype(dtype))
    squared = jnp.sum(jnp.square(left[..., :, None, :] - right[..., None, :, :]), axis=-1)
    apart = squared > 0  # the root has no finite gradient at 0
    return jnp.where(apart, jnp.sqrt(jnp.where(apart, squared, 1)), 0)


@op(rule="linalg")
def logdet(x: Tensor) -> Tensor:
    """Returns the logarithm of the magnitude of the determinant of square matrices, `slogdet(x)[1]`."""
    x = as_float(x)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError("logdet: the last two axes must be a square matrix.", got=f"shape {show(x.shape)}.")
    return jnp.linalg.slogdet(x)[1]


@op(rule="complex")
def view_as_complex(x: Tensor) -> Tensor:
    """Returns a complex tensor made of a last axis of two: real and imaginary part.

    Raises:
        ShapeError: If the last axis has another size.
        ArgumentTypeError: If `x` is complex already.
    """
    x = as_tensor(x)
    if jnp.issubdtype(x.dtype, jnp.complexfloating):
        raise ArgumentTypeError("view_as_complex: x must be real.", got=f"dtype {x.dtype}.")
    if not x.ndim or x.shape[-1] != 2:
        raise ShapeError(
            "view_as_complex: the last axis must hold real and imaginary part.", got=f"{show(x.shape)}."
        )
    x = as_float(x).astype("float32")
    return lax.complex(x[..., 0], x[..., 1])


@op(rule="complex")
def view_as_real(x: Tensor) -> Tensor:
    """Returns real and imaginary part of each element on a new last axis."""
    x = as_tensor(x)
    return jnp.stack([jnp.real(x), jnp.imag(x)], axis=-1)
