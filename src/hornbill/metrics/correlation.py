"""Correlation between targets and predictions as metrics: Pearson's and Lin's concordance coefficient."""

from __future__ import annotations

from typing import Any

from hornbill import ops
from hornbill.engine.settings import epsilon
from hornbill.losses.checks import check_target_shapes
from hornbill.losses.reduction import squeeze_or_expand_to_same_rank
from hornbill.metrics.mean import MeanMetricWrapper

__all__ = ["ConcordanceCorrelation", "PearsonCorrelation", "concordance_correlation", "pearson_correlation"]


def _pair(name: str, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    check_target_shapes("mse", y_true.shape, y_pred.shape, owner=f"Metric '{name}'")
    return squeeze_or_expand_to_same_rank(y_true, y_pred)


def _centred(x: Any, axis: int | tuple[int, ...]) -> Any:
    return ops.subtract(x, ops.mean(x, axis=axis, keepdims=True))


def pearson_correlation(y_true: Any, y_pred: Any, axis: int | tuple[int, ...] = -1) -> Any:
    """Pearson's correlation coefficient along an axis: 1 where the two are linearly related, rising.

    Args:
        y_true: The targets.
        y_pred: The predictions.
        axis: The axis along which values are correlated.

    Returns:
        One coefficient per sample.

    Shapes:
        y_true: (batch, ..., values)
        y_pred: (batch, ..., values)
        output: (batch, ...)
    """
    y_true, y_pred = _pair("pearson_correlation", y_true, y_pred)
    parts = (ops.normalize(_centred(x, axis), axis=axis) for x in (y_true, y_pred))
    return ops.sum(ops.multiply(*parts), axis=axis)


def concordance_correlation(y_true: Any, y_pred: Any, axis: int | tuple[int, ...] = -1) -> Any:
    """Lin's concordance correlation coefficient along an axis: 1 where the two are equal.

    `2 * covariance / (variance of each, added, + squared difference of the means)`.

    Args:
        y_true: The targets.
        y_pred: The predictions.
        axis: The axis along which values are compared.

    Returns:
        One coefficient per sample.

    Shapes:
        y_true: (batch, ..., values)
        y_pred: (batch, ..., values)
        output: (batch, ...)
    """
    y_true, y_pred = _pair("concordance_correlation", y_true, y_pred)
    covariance = ops.mean(ops.multiply(_centred(y_true, axis), _centred(y_pred, axis)), axis=axis)
    gap = ops.square(ops.subtract(ops.mean(y_true, axis=axis), ops.mean(y_pred, axis=axis)))
    spread = ops.add(ops.var(y_true, axis=axis), ops.var(y_pred, axis=axis))
    return ops.divide(ops.multiply(covariance, 2.0), ops.add(ops.add(spread, gap), epsilon()))


class PearsonCorrelation(MeanMetricWrapper):
    """Pearson's correlation coefficient between targets and predictions.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.
        axis: The axis along which values are correlated.
    """

    _direction = "up"

    def __init__(
        self, name: str | None = "pearson_correlation", dtype: Any = None, axis: int | tuple[int, ...] = -1
    ) -> None:
        super().__init__(fn=pearson_correlation, name=name, dtype=dtype, axis=axis)
        self.axis = axis


class ConcordanceCorrelation(MeanMetricWrapper):
    """Lin's concordance correlation coefficient between targets and predictions.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.
        axis: The axis along which values are compared.
    """

    _direction = "up"

    def __init__(
        self,
        name: str | None = "concordance_correlation",
        dtype: Any = None,
        axis: int | tuple[int, ...] = -1,
    ) -> None:
        super().__init__(fn=concordance_correlation, name=name, dtype=dtype, axis=axis)
        self.axis = axis
