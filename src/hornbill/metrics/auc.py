"""Area under the ROC, precision-recall or precision-recall-gain curve, from counts at many thresholds.

The area is a Riemann sum over the thresholds; `summation_method` says which side of each step is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbill.engine.errors import ArgumentError, ShapeError, one_of
from hornbill.engine.op import convert_to_tensor
from hornbill.engine.settings import epsilon
from hornbill.metrics.arithmetic import divide_no_nan
from hornbill.metrics.base import Metric
from hornbill.metrics.counts import confusion_counts, standardize_thresholds

__all__ = ["AUC"]

_COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")


class AUC(Metric):
    """Area under the ROC or the precision-recall curve, approximated with many thresholds.

    Args:
        num_thresholds: How many thresholds, at least 2.
        curve: "ROC", "PR" or "PRGAIN".
        summation_method: "interpolation" (middle of each step), "minoring" or "majoring" (lower or upper
        bound). name: Name of the metric.
        dtype: Dtype of the state.
        thresholds: The inner thresholds, in [0, 1], instead of evenly spaced ones.
        multi_label: Whether each label has its own area, the mean of which is the result.
        num_labels: How many labels there are, for `multi_label`; found at the first update if None.
        label_weights: Weights of the labels.
        from_logits: Whether predictions are logits.

    Example:
        >>> float(AUC(num_thresholds=3)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
        0.75
    """

    _direction = "up"
    true_positives: Any

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self._init_from_thresholds = thresholds is not None
        if thresholds is not None:
            inner = sorted(float(value) for value in standardize_thresholds("AUC", thresholds))
            num_thresholds = len(inner) + 2
        else:
            if not isinstance(num_thresholds, (int, np.integer)) or num_thresholds <= 1:
                raise ArgumentError(
                    "AUC: num_thresholds must be a whole number above 1.",
                    got=f"num_thresholds={num_thresholds!r}.",
                    fixes="num_thresholds=200",
                )
            inner = [(i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)]
        if num_labels and not multi_label:
            raise ArgumentError(
                "AUC: num_labels is for multi_label=True.",
                got=f"num_labels={num_labels}.",
                fixes="multi_label=True",
            )
        self.num_thresholds = num_thresholds
        self._thresholds = [-epsilon(), *inner, 1.0 + epsilon()]
        self.curve = one_of("AUC", "curve", curve, ("ROC", "PR", "PRGAIN"))
        self.summation_method = one_of(
            "AUC", "summation_method", summation_method, ("interpolation", "majoring", "minoring")
        )
        self.multi_label, self.num_labels = multi_label, num_labels
        self.label_weights = _label_weights(label_weights, num_labels)
        self._from_logits = from_logits
        self._built = False
        if not multi_label:
            self._build(None)
        elif num_labels:
            self._build(num_labels)

    @property
    def thresholds(self) -> list[float]:
        """All thresholds, with the two ends just outside [0, 1]."""
        return list(self._thresholds)

    def _build(self, labels: int | None) -> None:
        shape = (self.num_thresholds,) if labels is None else (self.num_thresholds, labels)
        for count in _COUNTS:
            setattr(self, count, self.add_variable(shape=shape, initializer="zeros", name=count))
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch.

        Args:
            y_true: Labels 0 and 1.
            y_pred: Probabilities, or logits with `from_logits`.
            sample_weight: Weights of the samples, or None.
        """
        y_true, y_pred = convert_to_tensor(y_true), convert_to_tensor(y_pred, dtype=self.dtype)
        if self.multi_label:
            self._check_labels(y_pred.shape)
        if not self._built:
            self._build(y_pred.shape[-1])
        if self._from_logits:
            y_pred = jax.nn.sigmoid(y_pred)
        counts = confusion_counts(
            y_true,
            y_pred,
            self._thresholds,
            sample_weight,
            multi_label=self.multi_label,
            label_weights=None if self.multi_label else self.label_weights,
            dtype=self.dtype,
            owner=self.name,
        )
        for name, count in counts.items():
            getattr(self, name).assign_add(count)

    def _check_labels(self, shape: tuple) -> None:
        labels = self.num_labels or (self.true_positives.shape[1] if self._built else None)
        if len(shape) != 2 or (labels is not None and shape[1] != labels):
            raise ShapeError(
                f"Metric '{self.name}' with multi_label=True wants (batch, {labels or 'labels'}).",
                got=f"y_pred {tuple(shape)}.",
            )

    def result(self) -> Any:
        """Returns the area, 0 before the first update."""
        if not self._built:
            return jnp.zeros((), self.dtype)
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._average(self._interpolated_pr())
        x, y = self._curve()
        if self.summation_method == "interpolation":
            heights = (y[:-1] + y[1:]) / 2
        else:
            heights = (jnp.minimum if self.summation_method == "minoring" else jnp.maximum)(y[:-1], y[1:])
        return self._average(jnp.sum((x[:-1] - x[1:]) * heights, axis=0))

    def _curve(self) -> tuple[Any, Any]:
        tp, fp, tn, fn = (getattr(self, name).value for name in _COUNTS)
        recall = divide_no_nan(tp, tp + fn)
        if self.curve == "ROC":
            return divide_no_nan(fp, fp + tn), recall
        precision = divide_no_nan(tp, tp + fp)
        if self.curve == "PR":
            return recall, precision
        # Flach and Kull (2015): 0 at the share of positives, 1 at 1; below it recall counts as no gain
        share = divide_no_nan(tp + fn, tp + fp + tn + fn)
        recall_gain, precision_gain = (divide_no_nan(z - share, (1 - share) * z) for z in (recall, precision))
        return jnp.maximum(recall_gain, 0), precision_gain

    def _interpolated_pr(self) -> Any:
        """Interpolates true and false positives, not their ratio (Davis and Goadrich, 2006)."""
        tp, fp, _, fn = (getattr(self, name).value for name in _COUNTS)
        positive = tp + fp
        step = tp[:-1] - tp[1:]
        slope = divide_no_nan(step, jnp.maximum(positive[:-1] - positive[1:], 0))
        intercept = tp[1:] - slope * positive[1:]
        both = (positive[:-1] > 0) & (positive[1:] > 0)
        ratio = jnp.where(both, divide_no_nan(positive[:-1], jnp.maximum(positive[1:], 0)), 1)
        gained = slope * (step + intercept * jnp.log(ratio))
        return jnp.sum(divide_no_nan(gained, jnp.maximum(tp[1:] + fn[1:], 0)), axis=0)

    def _average(self, area: Any) -> Any:
        if not self.multi_label:
            return area
        if self.label_weights is None:
            return jnp.mean(area)
        weights = jnp.asarray(self.label_weights, area.dtype)
        return divide_no_nan(jnp.sum(area * weights), jnp.sum(weights))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor; thresholds only if they were given."""
        config = {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if self.label_weights is None else self.label_weights.tolist(),
            "from_logits": self._from_logits,
        }
        if self._init_from_thresholds:
            config["thresholds"] = self.thresholds[1:-1]
        return config


def _label_weights(label_weights: Any, num_labels: int | None) -> np.ndarray | None:
    if label_weights is None:
        return None
    weights = np.asarray(label_weights, "float32")
    if weights.ndim != 1 or (weights < 0).any() or (num_labels and len(weights) != num_labels):
        raise ArgumentError(
            "AUC: label_weights are one number per label, none negative.",
            got=f"label_weights={np.asarray(label_weights).tolist()!r}, num_labels={num_labels}.",
        )
    return weights
