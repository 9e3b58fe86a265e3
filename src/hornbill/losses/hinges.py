"""Hinge losses, for classifiers that are trained by margins instead of probabilities.

Binary targets are -1 and 1; where all of them are 0 or 1 they are converted. Categorical targets are one-hot.
"""

from __future__ import annotations

from typing import Any

from hornbill import ops
from hornbill.losses.base import FunctionLoss
from hornbill.losses.checks import check_target_shapes

__all__ = ["CategoricalHinge", "Hinge", "SquaredHinge", "categorical_hinge", "hinge", "squared_hinge"]


def _margins(name: str, y_true: Any, y_pred: Any) -> Any:
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    check_target_shapes(name, y_true.shape, y_pred.shape, batched=False)
    binary = ops.all(ops.logical_or(ops.equal(y_true, 0), ops.equal(y_true, 1)))
    signs = ops.where(binary, ops.subtract(ops.multiply(y_true, 2), 1), y_true)
    return ops.maximum(ops.subtract(1.0, ops.multiply(signs, y_pred)), 0.0)


def hinge(y_true: Any, y_pred: Any) -> Any:
    """Hinge loss: `mean(max(1 - y_true * y_pred, 0))` over the last axis.

    Args:
        y_true: Targets -1 and 1, or 0 and 1.
        y_pred: The predictions, any real numbers.

    Returns:
        One value per sample.

    Shapes:
        y_true: (batch, ..., features)
        y_pred: (batch, ..., features)
        output: (batch, ...)
    """
    return ops.mean(_margins("hinge", y_true, y_pred), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """Squared hinge loss: `mean(max(1 - y_true * y_pred, 0)^2)` over the last axis.

    Args:
        y_true: Targets -1 and 1, or 0 and 1.
        y_pred: The predictions, any real numbers.

    Returns:
        One value per sample.

    Shapes:
        y_true: (batch, ..., features)
        y_pred: (batch, ..., features)
        output: (batch, ...)
    """
    return ops.mean(ops.square(_margins("squared_hinge", y_true, y_pred)), axis=-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """Hinge loss for one-hot targets: `max(neg - pos + 1, 0)`.

    `pos` is the score of the true class, `neg` the best score among the others.

    Args:
        y_true: One-hot targets.
        y_pred: Scores of the classes.

    Returns:
        One value per sample.

    Shapes:
        y_true: (batch, ..., classes)
        y_pred: (batch, ..., classes)
        output: (batch, ...)
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    check_target_shapes("categorical_hinge", y_true.shape, y_pred.shape)
    positive = ops.sum(ops.multiply(y_true, y_pred), axis=-1)
    negative = ops.max(ops.multiply(ops.subtract(1.0, y_true), y_pred), axis=-1)
    return ops.maximum(ops.add(ops.subtract(negative, positive), 1.0), 0.0)


class Hinge(FunctionLoss):
    """Hinge loss between targets -1 and 1 and predictions.

    Args:
        reduction: How the values per sample become one number; see `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "hinge", dtype: Any = None
    ) -> None:
        super().__init__(hinge, reduction=reduction, name=name, dtype=dtype)


class SquaredHinge(FunctionLoss):
    """Squared hinge loss between targets -1 and 1 and predictions.

    Args:
        reduction: How the values per sample become one number; see `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(squared_hinge, reduction=reduction, name=name, dtype=dtype)


class CategoricalHinge(FunctionLoss):
    """Hinge loss between one-hot targets and class scores.

    Args:
        reduction: How the values per sample become one number; see `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(categorical_hinge, reduction=reduction, name=name, dtype=dtype)
