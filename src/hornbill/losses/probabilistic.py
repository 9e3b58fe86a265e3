"""Losses on distributions and counts that are no crossentropies: Kullback-Leibler divergence and Poisson.

Crossentropies stand in `crossentropy.py` and `focal.py`.
"""

from __future__ import annotations

from typing import Any

from hornbill import ops
from hornbill.engine.settings import epsilon
from hornbill.losses.base import FunctionLoss
from hornbill.losses.checks import check_target_shapes

__all__ = ["KLDivergence", "Poisson", "kl_divergence", "poisson"]


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """Kullback-Leibler divergence: `sum(y_true * log(y_true / y_pred))` over the last axis.

    Args:
        y_true: True distributions; values are clipped to [epsilon, 1].
        y_pred: Predicted distributions, clipped likewise.

    Returns:
        One value per sample.

    Shapes:
        y_true: (batch, ..., classes)
        y_pred: (batch, ..., classes)
        output: (batch, ...)
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    check_target_shapes("kl_divergence", y_true.shape, y_pred.shape, batched=False)
    y_true, y_pred = ops.clip(y_true, epsilon(), 1.0), ops.clip(y_pred, epsilon(), 1.0)
    return ops.sum(ops.multiply(y_true, ops.log(ops.divide(y_true, y_pred))), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """Poisson loss for counts: `mean(y_pred - y_true * log(y_pred + epsilon))` over the last axis.

    Args:
        y_true: The counts.
        y_pred: The predicted rates, positive.

    Returns:
        One value per sample.

    Shapes:
        y_true: (batch, ..., features)
        y_pred: (batch, ..., features)
        output: (batch, ...)
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    check_target_shapes("poisson", y_true.shape, y_pred.shape, batched=False)
    logarithm = ops.log(ops.add(y_pred, epsilon()))
    return ops.mean(ops.subtract(y_pred, ops.multiply(y_true, logarithm)), axis=-1)


class KLDivergence(FunctionLoss):
    """Kullback-Leibler divergence between true and predicted distributions.

    Args:
        reduction: How the values per sample become one number; see `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: Any = None,
    ) -> None:
        super().__init__(kl_divergence, reduction=reduction, name=name, dtype=dtype)


class Poisson(FunctionLoss):
    """Poisson loss between counts and predicted rates.

    Args:
        reduction: How the values per sample become one number; see `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "poisson", dtype: Any = None
    ) -> None:
        super().__init__(poisson, reduction=reduction, name=name, dtype=dtype)
