"""Metrics read off the confusion matrix at one or a few thresholds: counts, Precision, Recall and trade-offs.

The counting is done in `counts.py`, the areas under curves in `auc.py`, F-scores in `fscore.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from hornbill.engine.config import positive_int
from hornbill.engine.errors import ArgumentError
from hornbill.metrics.arithmetic import divide_no_nan
from hornbill.metrics.base import Metric
from hornbill.metrics.counts import NEGATIVE, confusion_counts, standardize_thresholds

__all__ = [
    "FalseNegatives",
    "FalsePositives",
    "Precision",
    "PrecisionAtRecall",
    "Recall",
    "RecallAtPrecision",
    "SensitivityAtSpecificity",
    "SpecificityAtSensitivity",
    "TrueNegatives",
    "TruePositives",
]

Thresholds = float | Sequence[float] | None


class _Count(Metric):
    """One of the four counts, at one or more thresholds."""

    _counted = ""

    def __init__(self, thresholds: Thresholds = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.thresholds = standardize_thresholds(type(self).__name__, thresholds)
        self.accumulator = self.add_variable(
            shape=(len(self.thresholds),), initializer="zeros", name="accumulator"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch.

        Args:
            y_true: Labels 0 and 1.
            y_pred: Predictions, usually in [0, 1].
            sample_weight: Weights of the samples, or None.
        """
        counts = confusion_counts(
            y_true, y_pred, self.thresholds, sample_weight, dtype=self.dtype, owner=self.name
        )
        self.accumulator.assign_add(counts[self._counted])

    def result(self) -> Any:
        """Returns the count: a number for one threshold, else a vector."""
        value = self.accumulator.value
        return value[0] if len(self.thresholds) == 1 else value

    def get_config(self) -> dict[str, Any]:
        """Returns name, dtype and thresholds."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


class FalsePositives(_Count):
    """Number of false positives: label 0, prediction above the threshold.

    Args:
        thresholds: One or more thresholds in [0, 1]; 0.5 if None. For logits use 0.
        name: Name of the metric.
        dtype: Dtype of the state.
    """

    _counted, _direction = "false_positives", "down"


class FalseNegatives(_Count):
    """Number of false negatives: label 1, prediction not above the threshold.

    Args:
        thresholds: One or more thresholds in [0, 1]; 0.5 if None. For logits use 0.
        name: Name of the metric.
        dtype: Dtype of the state.
    """

    _counted, _direction = "false_negatives", "down"


class TrueNegatives(_Count):
    """Number of true negatives: label 0, prediction not above the threshold.

    Args:
        thresholds: One or more thresholds in [0, 1]; 0.5 if None. For logits use 0.
        name: Name of the metric.
        dtype: Dtype of the state.
    """

    _counted, _direction = "true_negatives", "up"


class TruePositives(_Count):
    """Number of true positives: label 1, prediction above the threshold.

    Args:
        thresholds: One or more thresholds in [0, 1]; 0.5 if None. For logits use 0.
        name: Name of the metric.
        dtype: Dtype of the state.
    """

    _counted, _direction = "true_positives", "up"


class _Ratio(Metric):
    """True positives as a share of something, at one or more thresholds."""

    _other = ""
    _direction = "up"

    def __init__(
        self,
        thresholds: Thresholds = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if top_k is not None:
            positive_int(type(self).__name__, "top_k", top_k)
        self.init_thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        default = 0.5 if top_k is None else NEGATIVE
        self.thresholds = standardize_thresholds(type(self).__name__, thresholds, default)
        shape = (len(self.thresholds),)
        self.true_positives = self.add_variable(shape=shape, initializer="zeros", name="true_positives")
        setattr(self, self._other, self.add_variable(shape=shape, initializer="zeros", name=self._other))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch.

        Args:
            y_true: Labels 0 and 1.
            y_pred: Predictions, usually in [0, 1].
            sample_weight: Weights of the samples, or None.
        """
        counts = confusion_counts(
            y_true,
            y_pred,
            self.thresholds,
            sample_weight,
            top_k=self.top_k,
            class_id=self.class_id,
            dtype=self.dtype,
            owner=self.name,
        )
        self.true_positives.assign_add(counts["true_positives"])
        getattr(self, self._other).assign_add(counts[self._other])

    def result(self) -> Any:
        """Returns the share: a number for one threshold, else a vector; 0 where there is nothing to share."""
        true_positives = self.true_positives.value
        value = divide_no_nan(true_positives, true_positives + getattr(self, self._other).value)
        return value[0] if len(self.thresholds) == 1 else value

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        own = {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **own}


class Precision(_Ratio):
    """Share of the positive predictions that are right: TP / (TP + FP).

    Args:
        thresholds: One or more thresholds in [0, 1]; 0.5 if None, unless `top_k` is given. For logits use 0.
        top_k: Only the k best predictions of each sample can be positive.
        class_id: Only this class is looked at.
        name: Name of the metric.
        dtype: Dtype of the state.

    Example:
        >>> round(float(Precision()([0, 1, 1, 1], [1, 0, 1, 1])), 4)
        0.6667
    """

    _other = "false_positives"


class Recall(_Ratio):
    """Share of the positive labels that are found: TP / (TP + FN).

    Args:
        thresholds: One or more thresholds in [0, 1]; 0.5 if None, unless `top_k` is given. For logits use 0.
        top_k: Only the k best predictions of each sample can be positive.
        class_id: Only this class is looked at.
        name: Name of the metric.
        dtype: Dtype of the state.

    Example:
        >>> round(float(Recall()([0, 1, 1, 1], [1, 0, 1, 1])), 4)
        0.6667
    """

    _other = "false_negatives"


class _TradeOff(Metric):
    """The best of one quantity among the thresholds at which another reaches a given value."""

    _given = ""
    _direction = "up"

    def __init__(
        self,
        value: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        owner = type(self).__name__
        if not 0 <= value <= 1:
            raise ArgumentError(
                f"{owner}: {self._given} must be from 0 to 1.", got=f"{self._given}={value!r}."
            )
        positive_int(owner, "num_thresholds", num_thresholds)
        super().__init__(name=name, dtype=dtype)
        self.value = value
        setattr(self, self._given, value)
        self.num_thresholds = num_thresholds
        self.class_id = class_id
        steps = num_thresholds - 1
        self.thresholds = [0.5] if steps == 0 else [i / steps for i in range(num_thresholds)]
        for count in ("true_positives", "false_positives", "true_negatives", "false_negatives"):
            variable = self.add_variable(shape=(num_thresholds,), initializer="zeros", name=count)
            setattr(self, count, variable)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch.

        Args:
            y_true: Labels 0 and 1.
            y_pred: Predictions in [0, 1].
            sample_weight: Weights of the samples, or None.
        """
        counts = confusion_counts(
            y_true,
            y_pred,
            self.thresholds,
            sample_weight,
            class_id=self.class_id,
            dtype=self.dtype,
            owner=self.name,
        )
        for name, count in counts.items():
            getattr(self, name).assign_add(count)

    def _share(self, of: str, against: str) -> Any:
        count = getattr(self, of).value
        return divide_no_nan(count, count + getattr(self, against).value)

    def _best(self, wanted: Any, given: Any) -> Any:
        return jnp.max(jnp.where(given >= self.value, wanted, 0))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        own = {"class_id": self.class_id, "num_thresholds": self.num_thresholds, self._given: self.value}
        return {**super().get_config(), **own}


class SensitivityAtSpecificity(_TradeOff):
    """Best sensitivity TP / (TP + FN) among the thresholds with at least a given specificity TN / (TN + FP).

    Args:
        specificity: The specificity that must be reached.
        num_thresholds: How many thresholds are tried.
        class_id: Only this class is looked at.
        name: Name of the metric.
        dtype: Dtype of the state.
    """

    _given = "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)

    def result(self) -> Any:
        """Returns the best sensitivity."""
        return self._best(
            self._share("true_positives", "false_negatives"), self._share("true_negatives", "false_positives")
        )


class SpecificityAtSensitivity(_TradeOff):
    """Best specificity TN / (TN + FP) among the thresholds with at least a given sensitivity TP / (TP + FN).

    Args:
        sensitivity: The sensitivity that must be reached.
        num_thresholds: How many thresholds are tried.
        class_id: Only this class is looked at.
        name: Name of the metric.
        dtype: Dtype of the state.
    """

    _given = "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)

    def result(self) -> Any:
        """Returns the best specificity."""
        return self._best(
            self._share("true_negatives", "false_positives"), self._share("true_positives", "false_negatives")
        )


class PrecisionAtRecall(_TradeOff):
    """Best precision TP / (TP + FP) among the thresholds with at least a given recall TP / (TP + FN).

    Args:
        recall: The recall that must be reached.
        num_thresholds: How many thresholds are tried.
        class_id: Only this class is looked at.
        name: Name of the metric.
        dtype: Dtype of the state.
    """

    _given = "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)

    def result(self) -> Any:
        """Returns the best precision."""
        return self._best(
            self._share("true_positives", "false_positives"), self._share("true_positives", "false_negatives")
        )


class RecallAtPrecision(_TradeOff):
    """Best recall TP / (TP + FN) among the thresholds with at least a given precision TP / (TP + FP).

    Args:
        precision: The precision that must be reached.
        num_thresholds: How many thresholds are tried.
        class_id: Only this class is looked at.
        name: Name of the metric.
        dtype: Dtype of the state.
    """

    _given = "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)

    def result(self) -> Any:
        """Returns the best recall."""
        return self._best(
            self._share("true_positives", "false_negatives"), self._share("true_positives", "false_positives")
        )
