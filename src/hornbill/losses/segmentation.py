"""Overlap losses for segmentation: Dice and Tversky.

Both compare whole regions instead of single values: sums run over the axes given, over everything by default.
"""

from __future__ import annotations

from typing import Any

from hornbill import ops
from hornbill.engine.settings import epsilon
from hornbill.losses.base import FunctionLoss
from hornbill.losses.checks import check_target_shapes

__all__ = ["Dice", "Tversky", "dice", "tversky"]


def _pair(name: str, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), y_pred.dtype)
    check_target_shapes(name, y_true.shape, y_pred.shape, batched=False)
    return y_true, y_pred


def dice(y_true: Any, y_pred: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """Dice loss: `1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))`.

    Args:
        y_true: The true regions, 0 and 1.
        y_pred: The predicted regions, in [0, 1].
        axis: The axes of one region; all if None.

    Returns:
        One value per region.

    Example:
        >>> round(float(dice([[1.0, 1.0]], [[1.0, 0.0]])), 4)
        0.3333
    """
    y_true, y_pred = _pair("dice", y_true, y_pred)
    overlap = ops.sum(ops.multiply(y_true, y_pred), axis=axis)
    total = ops.add(ops.add(ops.sum(y_true, axis=axis), ops.sum(y_pred, axis=axis)), epsilon())
    return ops.subtract(1.0, ops.divide(ops.multiply(overlap, 2.0), total))


def tversky(
    y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: int | tuple[int, ...] | None = None
) -> Any:
    """Tversky loss: Dice loss with separate weights for the missed and the superfluous.

    Salehi et al. (2017): `1 - TP / (TP + alpha * FN + beta * FP)`; with both weights 0.5 it is the Dice loss.
    Keras computes the same, though its documentation names the two weights the other way round.

    Args:
        y_true: The true regions, 0 and 1.
        y_pred: The predicted regions, in [0, 1].
        alpha: Weight of false negatives.
        beta: Weight of false positives.
        axis: The axes of one region; all if None.

    Returns:
        One value per region.
    """
    y_true, y_pred = _pair("tversky", y_true, y_pred)
    overlap = ops.sum(ops.multiply(y_true, y_pred), axis=axis)
    missed = ops.sum(ops.multiply(y_true, ops.subtract(1.0, y_pred)), axis=axis)
    too_much = ops.sum(ops.multiply(ops.subtract(1.0, y_true), y_pred), axis=axis)
    errors = ops.add(ops.multiply(missed, alpha), ops.multiply(too_much, beta))
    return ops.subtract(1.0, ops.divide(overlap, ops.add(ops.add(overlap, errors), epsilon())))


class Dice(FunctionLoss):
    """Dice loss between true and predicted regions.

    Args:
        reduction: How the values per region become one number; see `Loss`.
        name: Name of the loss.
        axis: The axes of one region; all, batch included, if None.
        dtype: Dtype of the computation.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: int | tuple[int, ...] | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dice, reduction=reduction, name=name, dtype=dtype, axis=_axes(axis))


class Tversky(FunctionLoss):
    """Tversky loss between true and predicted regions.

    Args:
        alpha: Weight of false negatives.
        beta: Weight of false positives.
        reduction: How the values per region become one number; see `Loss`.
        name: Name of the loss.
        axis: The axes of one region; all, batch included, if None.
        dtype: Dtype of the computation.
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: int | tuple[int, ...] | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            tversky, reduction=reduction, name=name, dtype=dtype, alpha=alpha, beta=beta, axis=_axes(axis)
        )


def _axes(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis  # lists come from files
