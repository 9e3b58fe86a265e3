"""F-scores: the harmonic mean of precision and recall, per class or averaged over classes."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbill.engine.errors import ArgumentError, ArgumentTypeError, ShapeError, one_of
from hornbill.engine.op import convert_to_tensor
from hornbill.engine.settings import epsilon
from hornbill.losses.reduction import check_weight_shape
from hornbill.metrics.base import Metric

__all__ = ["F1Score", "FBetaScore"]

_COUNTS = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")


class FBetaScore(Metric):
    """F-beta score: `(1 + b^2) * precision * recall / (b^2 * precision + recall)`.

    Args:
        average: None (one score per class), "micro" (all classes counted together), "macro" (mean over
            classes) or "weighted" (mean weighted by the number of true instances).
        beta: Weight of recall, above 0.
        threshold: Predictions above it count as 1; if None, the best class of each sample does.
        name: Name of the metric.
        dtype: Dtype of the state.

    Shapes:
        y_true: (batch, classes)
        y_pred: (batch, classes)

    Example:
        >>> m = FBetaScore(beta=2.0, threshold=0.5)
        >>> y_pred = [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]]
        >>> m.update_state([[1, 1, 1], [1, 0, 0], [1, 1, 0]], y_pred)
        >>> [round(float(score), 4) for score in m.result()]
        [0.3846, 0.9091, 0.8333]
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        owner = type(self).__name__
        one_of(owner, "average", average, (None, "micro", "macro", "weighted"))
        for argument, value in (("beta", beta), ("threshold", threshold)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
                raise ArgumentTypeError(
                    f"{owner}: {argument} must be a number.", got=f"{argument}={value!r}."
                )
        if beta <= 0:
            raise ArgumentError(f"{owner}: beta must be above 0.", got=f"beta={beta!r}.")
        if threshold is not None and not 0 < threshold <= 1:
            raise ArgumentError(
                f"{owner}: threshold must be above 0 and at most 1.", got=f"threshold={threshold!r}."
            )
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self.axis = None if average == "micro" else 0
        self._built = False

    def _build(self, y_true: tuple, y_pred: tuple) -> None:
        if len(y_pred) != 2 or len(y_true) != 2 or y_true != y_pred:
            raise ShapeError(
                f"Metric '{self.name}' wants labels and predictions of shape (batch, classes).",
                got=f"y_true {tuple(y_true)}, y_pred {tuple(y_pred)}.",
                fixes=(
                    "Binary labels: y[:, None] and a last layer with 1 unit.",
                    "Integer labels of several classes: keras.utils.to_categorical(y, classes).",
                ),
            )
        if self._built:
            return
        shape = () if self.average == "micro" else (y_pred[1],)
        for count in _COUNTS:
            setattr(self, count, self.add_variable(shape=shape, initializer="zeros", name=count))
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch.

        Args:
            y_true: Labels 0 and 1.
            y_pred: Predictions.
            sample_weight: Weights of the samples, or None.
        """
        y_true, y_pred = (convert_to_tensor(y, dtype=self.dtype) for y in (y_true, y_pred))
        self._build(y_true.shape, y_pred.shape)
        if self.threshold is None:
            best = y_pred >= jnp.max(y_pred, axis=-1, keepdims=True)
            decided = (best & (jnp.abs(y_pred) > 1e-9)).astype(self.dtype)  # a row of zeros chooses nothing
        else:
            decided = (y_pred > self.threshold).astype(self.dtype)
        weight: Any = 1
        if sample_weight is not None:
            weight = convert_to_tensor(sample_weight, dtype=self.dtype)
            weight = weight[:, None] if weight.ndim == 1 else weight
            check_weight_shape(f"Metric '{self.name}'", weight.shape, y_pred.shape, what="the predictions")
        batch = (decided * y_true, decided * (1 - y_true), (1 - decided) * y_true, y_true)
        for name, values in zip(_COUNTS, batch, strict=True):
            getattr(self, name).assign_add(jnp.sum(values * weight, axis=self.axis))

    def result(self) -> Any:
        """Returns the score, or the scores of all classes if `average` is None; 0 before the first update."""
        if not self._built:
            return jnp.zeros((), self.dtype)
        tp, fp, fn, support = (getattr(self, name).value for name in _COUNTS)
        precision, recall = tp / (tp + fp + epsilon()), tp / (tp + fn + epsilon())
        square = self.beta**2
        score = precision * recall / (square * precision + recall + epsilon()) * (1 + square)
        if self.average == "weighted":
            return jnp.sum(score * support / (jnp.sum(support) + epsilon()))
        return score if self.average is None else jnp.mean(score)

    def reset_state(self) -> None:
        """Sets every count to zero."""
        if self._built:
            super().reset_state()

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        own = {"average": self.average, "beta": self.beta, "threshold": self.threshold}
        return {**super().get_config(), **own}


class F1Score(FBetaScore):
    """F1 score: the harmonic mean of precision and recall, `2 * precision * recall / (precision + recall)`.

    Args:
        average: None (one score per class), "micro", "macro" or "weighted"; see `FBetaScore`.
        threshold: Predictions above it count as 1; if None, the best class of each sample does.
        name: Name of the metric.
        dtype: Dtype of the state.

    Shapes:
        y_true: (batch, classes)
        y_pred: (batch, classes)
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        config = super().get_config()
        del config["beta"]
        return config
