"""Sample weights, masks and reductions: how values per sample become one number.

Used by losses and metrics alike. The rules are Keras': a last axis of size 1 is dropped or added so that the
ranks agree; a masked mean counts only what the mask lets through; everything else is plain broadcasting.
"""

from __future__ import annotations

import math
from typing import Any

from hornbill import ops
from hornbill.engine.errors import ArgumentError, ShapeError, did_you_mean
from hornbill.engine.masking import get_mask, set_mask

__all__ = [
    "apply_mask",
    "reduce_weighted_values",
    "squeeze_or_expand_to_same_rank",
    "standardize_reduction",
]

REDUCTIONS = ("sum", "sum_over_batch_size", "mean", "mean_with_sample_weight", "none", None)
_MEANS = ("mean", "sum_over_batch_size")


def standardize_reduction(reduction: str | None) -> str | None:
    """Returns the reduction; Keras 2's "auto" becomes "sum_over_batch_size". Raises on an unknown one."""
    if reduction == "auto":
        return "sum_over_batch_size"
    if reduction not in REDUCTIONS:
        names = [name for name in REDUCTIONS if name]
        raise ArgumentError(
            f"reduction must be one of {', '.join(map(repr, REDUCTIONS))}.",
            got=f"reduction={reduction!r}.",
            fixes=did_you_mean(reduction, names).strip() or "reduction='sum_over_batch_size'",
        )
    return reduction


def squeeze_or_expand_to_same_rank(x1: Any, x2: Any, expand_rank_1: bool = True) -> tuple[Any, Any]:
    """Makes two tensors agree when one has an extra last axis of size 1.

    Args:
        x1: A tensor.
        x2: A tensor.
        expand_rank_1: Whether (batch,) against (batch, 1) becomes (batch, 1); otherwise the axis is dropped.

    Returns:
        Both tensors, at equal rank where an axis of size 1 allowed it.
    """
    rank1, rank2 = len(x1.shape), len(x2.shape)
    if rank1 == rank2:
        return x1, x2
    if rank1 == rank2 + 1 and x1.shape[-1] == 1:
        if rank2 == 1 and expand_rank_1:
            return x1, _keeping_mask(ops.expand_dims, x2)
        return _keeping_mask(ops.squeeze, x1), x2
    if rank2 == rank1 + 1 and x2.shape[-1] == 1:
        if rank1 == 1 and expand_rank_1:
            return _keeping_mask(ops.expand_dims, x1), x2
        return x1, _keeping_mask(ops.squeeze, x2)
    return x1, x2


def _keeping_mask(function: Any, x: Any) -> Any:
    result = function(x, axis=-1)
    mask = get_mask(x)
    if mask is not None and len(mask.shape) == len(result.shape):
        set_mask(result, mask)
    return result


def apply_mask(sample_weight: Any, mask: Any, dtype: str, reduction: str | None) -> Any:
    """Returns sample weights that are zero where the mask is.

    Under a mean the weights that remain are scaled up, so that dividing by the number of all values gives the
    mean over the values that the mask lets through.
    """
    if mask is None:
        return sample_weight
    mask = ops.cast(mask, dtype)
    if reduction in _MEANS:
        mask = ops.divide_no_nan(mask, ops.mean(mask))
    if sample_weight is None:
        return mask
    sample_weight, mask = squeeze_or_expand_to_same_rank(ops.cast(sample_weight, dtype), mask)
    check_weight_shape("sample_weight", sample_weight.shape, mask.shape, what="the mask")
    return ops.multiply(sample_weight, mask)


def check_weight_shape(
    owner: str, weight_shape: Any, values_shape: Any, what: str = "the losses per sample"
) -> None:
    """Raises a ShapeError unless the two shapes broadcast against each other."""
    for size1, size2 in zip(reversed(tuple(weight_shape)), reversed(tuple(values_shape)), strict=False):
        if size1 is not None and size2 is not None and size1 != size2 and 1 not in (size1, size2):
            rank = len(values_shape)
            fixes = [f"Give one weight per sample, shape ({values_shape[0]},)."]
            if len(weight_shape) == 1 and rank > 1:
                fixes = [f"sample_weight[:, {', '.join(['None'] * (rank - 1))}] weighs whole samples."]
            elif len(weight_shape) > rank:
                fixes.append("A loss averages its last axis first: weights have one axis fewer than y_pred.")
            raise ShapeError(
                f"{owner}: sample_weight must fit {what}.",
                got=f"sample_weight {tuple(weight_shape)} against {tuple(values_shape)}.",
                why=f"Counted from the last axis, {size1} stands against {size2}.",
                fixes=fixes,
            )


def reduce_weighted_values(
    values: Any,
    sample_weight: Any = None,
    mask: Any = None,
    reduction: str | None = "sum_over_batch_size",
    dtype: str = "float32",
    owner: str = "loss",
) -> Any:
    """Weighs values and reduces them.

    Args:
        values: The values per sample or position.
        sample_weight: Weights that fit them, or None.
        mask: Where the values count, or None.
        reduction: As for `Loss`.
        dtype: Dtype of the result.
        owner: Name for errors.

    Returns:
        One number, or the weighted values when the reduction is None.
    """
    values = ops.cast(ops.convert_to_tensor(values), dtype)
    if sample_weight is not None:
        sample_weight = ops.cast(ops.convert_to_tensor(sample_weight), dtype)
    sample_weight = apply_mask(sample_weight, mask, dtype, reduction)
    if sample_weight is not None:
        values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
        check_weight_shape(owner, sample_weight.shape, values.shape)
        values = ops.multiply(values, sample_weight)
    return _reduce(values, sample_weight, reduction)


def _reduce(values: Any, sample_weight: Any, reduction: str | None) -> Any:
    if reduction in ("none", None) or len(values.shape) == 0:
        return values
    if reduction in _MEANS or (reduction == "mean_with_sample_weight" and sample_weight is None):
        known = all(size is not None for size in values.shape)
        return ops.sum(values) if known and math.prod(values.shape) == 0 else ops.mean(values)
    total = ops.sum(values)
    return total if reduction == "sum" else ops.divide_no_nan(total, ops.sum(sample_weight))
