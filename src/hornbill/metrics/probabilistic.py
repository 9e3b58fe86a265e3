"""Crossentropies, Kullback-Leibler divergence and Poisson loss as metrics: means of the loss functions."""

from __future__ import annotations

from typing import Any

from hornbill.losses.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from hornbill.losses.probabilistic import kl_divergence, poisson
from hornbill.metrics.mean import MeanMetricWrapper

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "KLDivergence",
    "Poisson",
    "SparseCategoricalCrossentropy",
]


class KLDivergence(MeanMetricWrapper):
    """Kullback-Leibler divergence between true and predicted distributions.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.
    """

    _direction = "down"

    def __init__(self, name: str | None = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(fn=kl_divergence, name=name, dtype=dtype)


class Poisson(MeanMetricWrapper):
    """Poisson loss between counts and predicted rates.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.
    """

    _direction = "down"

    def __init__(self, name: str | None = "poisson", dtype: Any = None) -> None:
        super().__init__(fn=poisson, name=name, dtype=dtype)


class BinaryCrossentropy(MeanMetricWrapper):
    """Crossentropy between labels 0 and 1 and predicted probabilities.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.
        from_logits: Whether predictions are logits.
        label_smoothing: How far targets are smoothed, from 0 to 1.
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            fn=binary_crossentropy,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


class CategoricalCrossentropy(MeanMetricWrapper):
    """Crossentropy between one-hot labels and predicted probabilities.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.
        from_logits: Whether predictions are logits.
        label_smoothing: How far targets are smoothed, from 0 to 1.
        axis: The class axis.
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            fn=categorical_crossentropy,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """Crossentropy between integer labels and predicted probabilities.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.
        from_logits: Whether predictions are logits.
        ignore_class: A label whose positions do not count.
        axis: The class axis.
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            fn=sparse_categorical_crossentropy,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis
