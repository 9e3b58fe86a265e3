"""Hinge losses as metrics: means of the loss functions."""

from __future__ import annotations

from typing import Any

from hornbill.losses.hinges import categorical_hinge, hinge, squared_hinge
from hornbill.metrics.mean import MeanMetricWrapper

__all__ = ["CategoricalHinge", "Hinge", "SquaredHinge"]


class Hinge(MeanMetricWrapper):
    """Hinge loss between labels -1 and 1 and predictions.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.
    """

    _direction = "down"

    def __init__(self, name: str | None = "hinge", dtype: Any = None) -> None:
        super().__init__(fn=hinge, name=name, dtype=dtype)


class SquaredHinge(MeanMetricWrapper):
    """Squared hinge loss between labels -1 and 1 and predictions.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.
    """

    _direction = "down"

    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(fn=squared_hinge, name=name, dtype=dtype)


class CategoricalHinge(MeanMetricWrapper):
    """Hinge loss between one-hot labels and class scores.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.
    """

    _direction = "down"

    def __init__(self, name: str | None = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(fn=categorical_hinge, name=name, dtype=dtype)
