"""Errors of continuous predictions as metrics, and the coefficient of determination R2."""

from __future__ import annotations

import warnings
from typing import Any

import jax
import jax.core
import jax.numpy as jnp

from hornbill import ops
from hornbill.engine.errors import ArgumentError, ShapeError, one_of
from hornbill.engine.op import convert_to_tensor
from hornbill.losses.checks import check_target_shapes
from hornbill.losses.reduction import check_weight_shape, squeeze_or_expand_to_same_rank
from hornbill.losses.regression import (
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from hornbill.metrics.arithmetic import divide_no_nan
from hornbill.metrics.base import Metric
from hornbill.metrics.mean import Mean, MeanMetricWrapper

__all__ = [
    "CosineSimilarity",
    "LogCoshError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "R2Score",
    "RootMeanSquaredError",
]


def _cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Cosine of the angle: the loss function without its minus."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    product = ops.multiply(ops.normalize(y_true, axis=axis), ops.normalize(y_pred, axis=axis))
    return ops.sum(product, axis=axis)


class MeanSquaredError(MeanMetricWrapper):
    """Mean squared error between targets and predictions.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.
    """

    _direction = "down"

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(fn=mean_squared_error, name=name, dtype=dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """Mean absolute error between targets and predictions.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.
    """

    _direction = "down"

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(fn=mean_absolute_error, name=name, dtype=dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """Mean absolute error in per cent of the targets.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.
    """

    _direction = "down"

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(fn=mean_absolute_percentage_error, name=name, dtype=dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """Mean squared difference of the logarithms of targets and predictions.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.
    """

    _direction = "down"

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(fn=mean_squared_logarithmic_error, name=name, dtype=dtype)


class LogCoshError(MeanMetricWrapper):
    """Mean logarithm of the hyperbolic cosine of the error.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.
    """

    _direction = "down"

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(fn=log_cosh, name=name, dtype=dtype)


class CosineSimilarity(MeanMetricWrapper):
    """Cosine of the angle between targets and predictions: 1 where they point the same way.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.
        axis: The axis along which the vectors lie.
    """

    _direction = "up"
    _optional_config = {"axis": -1}  # noqa: RUF012

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(fn=_cosine_similarity, name=name, dtype=dtype, axis=axis)
        self.axis = axis


class RootMeanSquaredError(Mean):
    """Root of the mean squared error between targets and predictions.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.
    """

    _direction = "down"

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into the mean.

        Args:
            y_true: The targets.
            y_pred: The predictions.
            sample_weight: Weights of the samples, or None.
        """
        y_true, y_pred = (convert_to_tensor(y, dtype=self.dtype) for y in (y_true, y_pred))
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        check_target_shapes("mse", y_true.shape, y_pred.shape, owner=f"Metric '{self.name}'")
        super().update_state(jnp.square(y_pred - y_true), sample_weight)

    def result(self) -> Any:
        """Returns the root of the mean."""
        return jnp.sqrt(super().result())


class R2Score(Metric):
    """Coefficient of determination: `1 - residual sum of squares / total sum of squares`.

    Args:
        class_aggregation: "uniform_average" (mean over outputs), "variance_weighted_average" (outputs weigh
            by their variance) or None (one score per output).
        num_regressors: Number of independent variables for the adjusted score; 0 for the plain one.
        name: Name of the metric.
        dtype: Dtype of the state.

    Shapes:
        y_true: (batch, outputs)
        y_pred: (batch, outputs)

    Example:
        >>> m = R2Score()
        >>> m.update_state([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])
        >>> round(float(m.result()), 4)
        0.5714
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        one_of(
            "R2Score",
            "class_aggregation",
            class_aggregation,
            (None, "uniform_average", "variance_weighted_average"),
        )
        if num_regressors < 0:
            raise ArgumentError(
                "R2Score: num_regressors must be 0 or more.", got=f"num_regressors={num_regressors}."
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable(shape=(), initializer="zeros", name="num_samples")
        self._built = False

    def _build(self, y_true: tuple, y_pred: tuple) -> None:
        if len(y_pred) != 2 or len(y_true) != 2 or y_true != y_pred:
            raise ShapeError(
                f"Metric '{self.name}' wants targets and predictions of shape (batch, outputs).",
                got=f"y_true {tuple(y_true)}, y_pred {tuple(y_pred)}.",
                fixes="y[:, None] makes one output of a vector.",
            )
        if self._built:
            return
        outputs = y_pred[1]
        self.squared_sum = self._state("squared_sum", outputs)
        self.sum = self._state("sum", outputs)
        self.total_mse = self._state("residual", outputs)
        self.count = self._state("count", outputs)
        self._built = True

    def _state(self, name: str, outputs: int) -> Any:
        return self.add_variable(shape=(outputs,), initializer="zeros", name=name)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account.

        Args:
            y_true: The targets.
            y_pred: The predictions.
            sample_weight: Weights of the samples, or None.
        """
        y_true, y_pred = (convert_to_tensor(y, dtype=self.dtype) for y in (y_true, y_pred))
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        self._build(y_true.shape, y_pred.shape)
        weight = jnp.ones((1, 1), self.dtype)
        if sample_weight is not None:
            weight = convert_to_tensor(sample_weight, dtype=self.dtype)
            weight = weight[:, None] if weight.ndim == 1 else weight
            check_weight_shape(f"Metric '{self.name}'", weight.shape, y_pred.shape, what="the predictions")
        weighted = y_true * weight
        self.sum.assign_add(jnp.sum(weighted, axis=0))
        self.squared_sum.assign_add(jnp.sum(y_true * weighted, axis=0))
        self.total_mse.assign_add(jnp.sum(jnp.square(y_true - y_pred) * weight, axis=0))
        self.count.assign_add(jnp.sum(jnp.broadcast_to(weight, y_true.shape), axis=0))
        self.num_samples.assign_add(y_true.size)  # values, not rows, as Keras counts them

    def result(self) -> Any:
        """Returns the score, or one per output; 0 before the first update."""
        if not self._built:
            return jnp.zeros((), self.dtype)
        mean = divide_no_nan(self.sum.value, self.count.value)
        total = self.squared_sum.value - self.sum.value * mean
        raw = 1 - self.total_mse.value / total
        raw = jnp.where(jnp.isinf(raw), 0.0, raw)
        if self.class_aggregation == "uniform_average":
            score = jnp.mean(raw)
        elif self.class_aggregation == "variance_weighted_average":
            score = jnp.sum(total * raw) / jnp.sum(total)
        else:
            score = raw
        return self._adjusted(score) if self.num_regressors else score

    def _adjusted(self, score: Any) -> Any:
        samples = self.num_samples.value
        freedom = samples - self.num_regressors - 1
        if not isinstance(freedom, jax.core.Tracer) and float(freedom) <= 0:
            warnings.warn(
                f"R2Score: {int(samples)} values are too few for {self.num_regressors} regressors; "
                "the plain score is returned.",
                stacklevel=3,
            )
        adjusted = 1 - (1 - score) * (samples - 1) / jnp.where(freedom > 0, freedom, 1)
        return jnp.where(freedom > 0, adjusted, score)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        own = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return {**super().get_config(), **own}
