"""Sums and means over batches: Mean, Sum, and MeanMetricWrapper, on which most metrics are built.

The weighted mean has two numbers as state, `total` and `count`; a batch adds to both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from hornbill.engine.masking import get_mask
from hornbill.engine.op import convert_to_tensor
from hornbill.engine.serialization import serialize_keras_object
from hornbill.losses.base import serialize_function
from hornbill.losses.reduction import apply_mask, check_weight_shape, squeeze_or_expand_to_same_rank
from hornbill.metrics.arithmetic import convert_inputs, divide_no_nan
from hornbill.metrics.base import Metric

__all__ = ["Mean", "MeanMetricWrapper", "Sum"]

Reduce = Callable[..., Any]


def samplewise(values: Any, sample_weight: Any, reduce: Reduce, dtype: str, owner: str) -> tuple[Any, Any]:
    """Weighs values and reduces them to one per sample.

    Args:
        values: The values of one batch.
        sample_weight: Weights that fit them, with fewer axes if wanted, or None.
        reduce: `jnp.mean` or `jnp.sum`, for the axes after the first.
        dtype: The dtype to compute in.
        owner: Name for errors.

    Returns:
        Weighted values and weights, the latter None if there were none.
    """
    mask = get_mask(values)
    values = convert_to_tensor(values).astype(dtype)
    if sample_weight is not None:
        sample_weight = apply_mask(convert_to_tensor(sample_weight).astype(dtype), mask, dtype, "sum")
        values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
        if values.ndim > sample_weight.ndim:
            values = reduce(values, axis=tuple(range(sample_weight.ndim, values.ndim)))
        check_weight_shape(f"Metric '{owner}'", sample_weight.shape, values.shape, what="the values")
        values = values * sample_weight
        if values.ndim > 1:
            sample_weight = reduce(sample_weight, axis=tuple(range(1, sample_weight.ndim)))
    if values.ndim > 1:
        values = reduce(values, axis=tuple(range(1, values.ndim)))
    return values, sample_weight


class Sum(Metric):
    """Weighted sum of values.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.

    Example:
        >>> m = Sum()
        >>> m.update_state([1, 3, 5, 7])
        >>> float(m.result())
        16.0
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable(shape=(), initializer="zeros", dtype=self.dtype, name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Adds values.

        Args:
            values: The values.
            sample_weight: Their weights, or None.
        """
        values, _ = samplewise(values, sample_weight, jnp.sum, self.dtype, self.name)
        self.total.assign_add(jnp.sum(values))

    def result(self) -> Any:
        """Returns the sum."""
        return self.total.value


class Mean(Metric):
    """Weighted mean of values: `total / count`.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.

    Example:
        >>> m = Mean()
        >>> m.update_state([1, 3, 5, 7], sample_weight=[1, 1, 0, 0])
        >>> float(m.result())
        2.0
    """

    _direction: str | None = None

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable(shape=(), initializer="zeros", dtype=self.dtype, name="total")
        self.count = self.add_variable(shape=(), initializer="zeros", dtype=self.dtype, name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Takes values into the mean.

        Args:
            values: The values.
            sample_weight: Their weights, or None.
        """
        values, sample_weight = samplewise(values, sample_weight, jnp.mean, self.dtype, self.name)
        self.total.assign_add(jnp.sum(values))
        if sample_weight is not None:
            self.count.assign_add(jnp.sum(sample_weight))
        else:
            self.count.assign_add(values.shape[0] if values.ndim else 1)

    def result(self) -> Any:
        """Returns the mean, 0 before the first update."""
        return divide_no_nan(self.total.value, self.count.value)


class MeanMetricWrapper(Mean):
    """Weighted mean of what a function returns per sample.

    Args:
        fn: The function, `fn(y_true, y_pred, **kwargs)`.
        name: Name of the metric.
        dtype: Dtype of the state.
        **kwargs: Passed on to `fn`.

    Example:
        >>> m = MeanMetricWrapper(lambda y_true, y_pred: abs(y_true - y_pred), name="distance")
        >>> m.update_state(jnp.array([1.0, 2.0]), jnp.array([1.0, 4.0]))
        >>> float(m.result())
        1.0
    """

    # arguments that Keras leaves out of the configuration: written only when they differ from the default
    _optional_config: dict[str, Any] = {}  # noqa: RUF012

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into the mean.

        Args:
            y_true: The targets.
            y_pred: The predictions; a mask that travels with them is applied.
            sample_weight: Weights of the samples, or None.
        """
        mask = get_mask(y_pred)
        y_true, y_pred = (convert_inputs(y) for y in (y_true, y_pred))
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        if mask is not None:
            sample_weight = apply_mask(sample_weight, mask, self.dtype, "sum")
        super().update_state(values, sample_weight=sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Returns name, dtype, function and its arguments."""
        config = super().get_config()
        if type(self) is MeanMetricWrapper:
            config["fn"] = serialize_function(self._fn)
        for key, value in self._fn_kwargs.items():
            if key not in self._optional_config or value != self._optional_config[key]:
                config[key] = serialize_keras_object(value)
        return config
