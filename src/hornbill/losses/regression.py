"""Losses for continuous targets: squared, absolute, percentage, logarithmic, Huber, log-cosh, cosine.

Functions return one value per sample, averaged over the last axis; classes reduce these values to one number.
"""

from __future__ import annotations

import math
from typing import Any

from hornbill import ops
from hornbill.engine.settings import epsilon
from hornbill.losses.base import FunctionLoss
from hornbill.losses.checks import check_target_shapes
from hornbill.losses.reduction import squeeze_or_expand_to_same_rank

__all__ = [
    "CosineSimilarity",
    "Huber",
    "LogCosh",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "cosine_similarity",
    "huber",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
]


def _pair(name: str, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    check_target_shapes(name, y_true.shape, y_pred.shape, batched=False)
    return squeeze_or_expand_to_same_rank(y_true, y_pred)


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of the squared differences over the last axis: `mean((y_true - y_pred)^2)`.

    Args:
        y_true: The targets.
        y_pred: The predictions.

    Returns:
        One value per sample.

    Shapes:
        y_true: (batch, ..., features)
        y_pred: (batch, ..., features)
        output: (batch, ...)

    Example:
        >>> mean_squared_error([[1.0, 2.0]], [[1.0, 4.0]]).tolist()
        [2.0]
    """
    y_true, y_pred = _pair("mean_squared_error", y_true, y_pred)
    return ops.mean(ops.square(ops.subtract(y_true, y_pred)), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of the absolute differences over the last axis: `mean(|y_true - y_pred|)`.

    Args:
        y_true: The targets.
        y_pred: The predictions.

    Returns:
        One value per sample.

    Shapes:
        y_true: (batch, ..., features)
        y_pred: (batch, ..., features)
        output: (batch, ...)
    """
    y_true, y_pred = _pair("mean_absolute_error", y_true, y_pred)
    return ops.mean(ops.abs(ops.subtract(y_true, y_pred)), axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """Mean error in per cent of the target: `100 * mean(|y_true - y_pred| / max(|y_true|, epsilon))`.

    Args:
        y_true: The targets.
        y_pred: The predictions.

    Returns:
        One value per sample.

    Shapes:
        y_true: (batch, ..., features)
        y_pred: (batch, ..., features)
        output: (batch, ...)
    """
    y_true, y_pred = _pair("mean_absolute_percentage_error", y_true, y_pred)
    size = ops.maximum(ops.abs(y_true), epsilon())
    return ops.multiply(ops.mean(ops.abs(ops.divide(ops.subtract(y_true, y_pred), size)), axis=-1), 100.0)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """Mean squared difference of `log(x + 1)`; values below epsilon count as epsilon.

    Args:
        y_true: The targets, not negative.
        y_pred: The predictions, not negative.

    Returns:
        One value per sample.

    Shapes:
        y_true: (batch, ..., features)
        y_pred: (batch, ..., features)
        output: (batch, ...)
    """
    y_true, y_pred = _pair("mean_squared_logarithmic_error", y_true, y_pred)
    log_true, log_pred = (ops.log(ops.add(ops.maximum(x, epsilon()), 1.0)) for x in (y_true, y_pred))
    return ops.mean(ops.square(ops.subtract(log_true, log_pred)), axis=-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Squared error where it is small, absolute error where it is large.

    With `e = y_pred - y_true`: `e^2 / 2` where `|e| <= delta`, else `delta * |e| - delta^2 / 2`; then the
    mean.

    Args:
        y_true: The targets.
        y_pred: The predictions.
        delta: Where the two pieces meet.

    Returns:
        One value per sample.

    Shapes:
        y_true: (batch, ..., features)
        y_pred: (batch, ..., features)
        output: (batch, ...)
    """
    y_true, y_pred = _pair("huber", y_true, y_pred)
    size = ops.abs(ops.subtract(y_pred, y_true))
    inside = ops.multiply(ops.square(size), 0.5)
    outside = ops.subtract(ops.multiply(size, delta), 0.5 * delta**2)
    return ops.mean(ops.where(ops.less_equal(size, delta), inside, outside), axis=-1)


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """Mean of `log(cosh(y_pred - y_true))` over the last axis: like the squared error, linear for outliers.

    Args:
        y_true: The targets.
        y_pred: The predictions.

    Returns:
        One value per sample.

    Shapes:
        y_true: (batch, ..., features)
        y_pred: (batch, ..., features)
        output: (batch, ...)
    """
    y_true, y_pred = _pair("log_cosh", y_true, y_pred)
    error = ops.subtract(y_pred, y_true)
    # log(cosh(x)) = x + log(1 + exp(-2x)) - log(2), which does not overflow
    values = ops.subtract(ops.add(error, ops.softplus(ops.multiply(error, -2.0))), math.log(2.0))
    return ops.mean(values, axis=-1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine of the angle between targets and predictions: -1 where they point the same way.

    Args:
        y_true: The targets.
        y_pred: The predictions.
        axis: The axis along which the vectors lie.

    Returns:
        One value per vector; 0 where one of the two is zero.

    Shapes:
        y_true: (batch, ..., features)
        y_pred: (batch, ..., features)
        output: (batch, ...)
    """
    y_true, y_pred = _pair("cosine_similarity", y_true, y_pred)
    product = ops.multiply(ops.normalize(y_true, axis=axis), ops.normalize(y_pred, axis=axis))
    return ops.negative(ops.sum(product, axis=axis))


class MeanSquaredError(FunctionLoss):
    """Mean squared error between targets and predictions.

    Args:
        reduction: How the values per sample become one number; see `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.

    Example:
        >>> round(float(MeanSquaredError()([1.0, 0.0, 1.0], [0.9, 0.1, 0.8])), 4)
        0.02
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_error, reduction=reduction, name=name, dtype=dtype)


class MeanAbsoluteError(FunctionLoss):
    """Mean absolute error between targets and predictions.

    Args:
        reduction: How the values per sample become one number; see `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_error, reduction=reduction, name=name, dtype=dtype)


class MeanAbsolutePercentageError(FunctionLoss):
    """Mean absolute error in per cent of the targets.

    Args:
        reduction: How the values per sample become one number; see `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_percentage_error, reduction=reduction, name=name, dtype=dtype)


class MeanSquaredLogarithmicError(FunctionLoss):
    """Mean squared difference of the logarithms of targets and predictions.

    Args:
        reduction: How the values per sample become one number; see `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction=reduction, name=name, dtype=dtype)


class CosineSimilarity(FunctionLoss):
    """Minus the cosine similarity of targets and predictions, so that training makes them point the same way.

    Args:
        axis: The axis along which the vectors lie.
        reduction: How the values per sample become one number; see `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.
    """

    _optional_config = {"axis": -1}  # noqa: RUF012

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction=reduction, name=name, dtype=dtype, axis=axis)


class Huber(FunctionLoss):
    """Huber loss: squared for small errors, linear for large ones.

    Args:
        delta: Where the two pieces meet.
        reduction: How the values per sample become one number; see `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.
    """

    _optional_config = {"delta": 1.0}  # noqa: RUF012

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(huber, reduction=reduction, name=name, dtype=dtype, delta=delta)


class LogCosh(FunctionLoss):
    """Logarithm of the hyperbolic cosine of the error.

    Args:
        reduction: How the values per sample become one number; see `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "log_cosh", dtype: Any = None
    ) -> None:
        super().__init__(log_cosh, reduction=reduction, name=name, dtype=dtype)
