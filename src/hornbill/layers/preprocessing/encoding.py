"""Whole numbers to rows of ones and counts, as CategoryEncoding, the lookups and the hashes give them."""

from __future__ import annotations

from typing import Any

from hornbill import ops
from hornbill.engine.errors import ArgumentError
from hornbill.engine.op import Tensor

__all__ = ["INT", "MODES", "dense_only", "encode"]

INT = "int"
MODES = ("one_hot", "multi_hot", "count")


def dense_only(owner: str, sparse: Any) -> None:
    """Raises an ArgumentError when sparse outputs are demanded."""
    if sparse:
        raise ArgumentError(
            f"{owner}: sparse outputs are not supported; outputs are dense arrays.",
            got="sparse=True.",
            fixes="sparse=False",
        )


def encode(
    indices: Tensor, depth: int, mode: str, weights: Tensor | None = None, dtype: Any = "float32"
) -> Tensor:
    """Returns whole numbers as rows of length `depth`; numbers outside 0 to depth - 1 leave no trace.

    Args:
        indices: The numbers; the axis after the batch holds those of one sample.
        depth: Length of a row.
        mode: "one_hot" (a row for each number), "multi_hot" (ones where a number occurs) or "count" (how often).
        weights: What each occurrence counts, for "count".
        dtype: Dtype of the result.
    """
    rows = ops.one_hot(ops.cast(indices, "int32"), depth, dtype=dtype)  # (..., depth)
    if mode == "one_hot":
        squeeze = len(indices.shape) > 1 and indices.shape[-1] == 1
        return ops.squeeze(rows, axis=-2) if squeeze else rows
    if len(indices.shape) == 0:
        return rows
    axis = 1 if len(indices.shape) > 1 else 0
    if mode == "multi_hot":
        return ops.max(rows, axis=axis)
    if weights is not None:
        rows = ops.multiply(rows, ops.expand_dims(ops.cast(weights, dtype), -1))
    return ops.sum(rows, axis=axis)
