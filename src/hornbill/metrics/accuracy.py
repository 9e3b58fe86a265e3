"""Accuracies: how often predictions equal labels, by value, threshold, best class or best k.

Functions return 1.0 or 0.0 per sample; classes average that.
"""

from __future__ import annotations

from typing import Any

from hornbill import ops
from hornbill.engine.errors import ArgumentError
from hornbill.engine.settings import floatx
from hornbill.losses.checks import check_target_shapes
from hornbill.losses.reduction import squeeze_or_expand_to_same_rank
from hornbill.metrics.mean import MeanMetricWrapper

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]


def _tensors(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    return ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """Returns 1.0 where the two are equal and 0.0 elsewhere."""
    y_true, y_pred = squeeze_or_expand_to_same_rank(*_tensors(y_true, y_pred))
    check_target_shapes("mse", y_true.shape, y_pred.shape, batched=False, owner="Metric 'accuracy'")
    return ops.cast(ops.equal(y_true, ops.cast(y_pred, y_true.dtype)), floatx())


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """Says where predictions, cut at a threshold, equal the labels 0 and 1.

    Args:
        y_true: Labels 0 and 1.
        y_pred: Probabilities of 1.
        threshold: Predictions above it count as 1.

    Returns:
        1.0 and 0.0, one per value.

    Shapes:
        y_true: (batch, ...)
        y_pred: (batch, ...)
        output: (batch, ...)
    """
    y_true, y_pred = squeeze_or_expand_to_same_rank(*_tensors(y_true, y_pred))
    check_target_shapes("mse", y_true.shape, y_pred.shape, batched=False, owner="Metric 'binary_accuracy'")
    decided = ops.cast(ops.greater(y_pred, threshold), y_true.dtype)
    return ops.cast(ops.equal(y_true, decided), floatx())


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Says where the best class is the true one, for one-hot labels.

    Args:
        y_true: One-hot labels.
        y_pred: Scores of the classes.

    Returns:
        1.0 and 0.0, one per sample.

    Shapes:
        y_true: (batch, ..., classes)
        y_pred: (batch, ..., classes)
        output: (batch, ...)
    """
    y_true, y_pred = _tensors(y_true, y_pred)
    check_target_shapes(
        "categorical_crossentropy", y_true.shape, y_pred.shape, owner="Metric 'categorical_accuracy'"
    )
    return ops.cast(ops.equal(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1)), floatx())


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Says where the best class is the true one, for integer labels.

    Args:
        y_true: Integer labels.
        y_pred: Scores of the classes.

    Returns:
        1.0 and 0.0, one per label.

    Shapes:
        y_true: (batch, ...)
        y_pred: (batch, ..., classes)
        output: (batch, ...)
    """
    y_true, y_pred = _tensors(y_true, y_pred)
    check_target_shapes(
        "sparse_categorical_crossentropy",
        y_true.shape,
        y_pred.shape,
        owner="Metric 'sparse_categorical_accuracy'",
    )
    if len(y_true.shape) == len(y_pred.shape):
        y_true = ops.squeeze(y_true, axis=-1)
    best = ops.cast(ops.argmax(y_pred, axis=-1), y_true.dtype)
    return ops.cast(ops.equal(y_true, best), floatx())


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """Says where the true class is among the best k, for one-hot labels.

    Args:
        y_true: One-hot labels.
        y_pred: Scores of the classes.
        k: How many classes count.

    Returns:
        1.0 and 0.0, one per sample.

    Shapes:
        y_true: (batch, ..., classes)
        y_pred: (batch, ..., classes)
        output: (batch, ...)
    """
    y_true, y_pred = _tensors(y_true, y_pred)
    check_target_shapes(
        "categorical_crossentropy", y_true.shape, y_pred.shape, owner="Metric 'top_k_categorical_accuracy'"
    )
    return _in_best(ops.argmax(y_true, axis=-1), y_pred, k)


def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Any:
    """Says where the true class is among the best k, for integer labels.

    Args:
        y_true: Integer labels.
        y_pred: Scores of the classes, or the classes themselves, best first.
        k: How many classes count.
        from_sorted_ids: Whether `y_pred` holds classes, best first.

    Returns:
        1.0 and 0.0, in the shape of `y_true`.

    Shapes:
        y_true: (batch, ...)
        y_pred: (batch, ..., classes)
        output: (batch, ...)
    """
    y_true, y_pred = _tensors(y_true, y_pred)
    owner = "Metric 'sparse_top_k_categorical_accuracy'"
    check_target_shapes("sparse_categorical_crossentropy", y_true.shape, y_pred.shape, owner=owner)
    labels = ops.squeeze(y_true, axis=-1) if len(y_true.shape) == len(y_pred.shape) else y_true
    if from_sorted_ids:
        first = y_pred[..., :k]
        hits = ops.any(ops.equal(ops.expand_dims(labels, -1), ops.cast(first, labels.dtype)), axis=-1)
        hits = ops.cast(hits, floatx())
    else:
        hits = _in_best(labels, y_pred, k)
    return hits if len(hits.shape) == len(y_true.shape) else ops.expand_dims(hits, -1)


def _in_best(labels: Any, scores: Any, k: int) -> Any:
    """Counts the classes with a better score than the true one; ties are in favour of the model."""
    labels = ops.expand_dims(ops.cast(labels, "int32"), -1)
    known = ops.logical_and(ops.greater_equal(labels, 0), ops.less(labels, scores.shape[-1]))
    own = ops.take_along_axis(scores, ops.where(known, labels, ops.zeros_like(labels)), axis=-1)
    better = ops.sum(ops.cast(ops.greater(scores, own), "int32"), axis=-1)
    hits = ops.logical_and(ops.less(better, k), ops.squeeze(known, axis=-1))
    hits = ops.logical_and(hits, ops.squeeze(ops.isfinite(own), axis=-1))
    return ops.cast(hits, floatx())


class Accuracy(MeanMetricWrapper):
    """How often predictions equal labels exactly.

    As the string 'accuracy' in `compile`, the accuracy that fits the loss and the shapes is taken instead.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.

    Example:
        >>> float(Accuracy()([[1], [2], [3], [4]], [[0], [2], [3], [4]]))
        0.75
    """

    _direction = "up"

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(fn=accuracy, name=name, dtype=dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often predictions, cut at a threshold, equal labels 0 and 1.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.
        threshold: Predictions above it count as 1.
    """

    _direction = "up"

    def __init__(
        self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float | None = 0.5
    ) -> None:
        threshold = 0.5 if threshold is None else threshold
        if not isinstance(threshold, (int, float)):
            raise ArgumentError(
                "BinaryAccuracy: threshold must be a number.",
                got=f"threshold={threshold!r}.",
                fixes="threshold=0.5, or threshold=0 for logits",
            )
        super().__init__(fn=binary_accuracy, name=name, dtype=dtype, threshold=threshold)
        self.threshold = threshold


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the best class is the true one, for one-hot labels.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.
    """

    _direction = "up"

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(fn=categorical_accuracy, name=name, dtype=dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the best class is the true one, for integer labels.

    Args:
        name: Name of the metric.
        dtype: Dtype of the state.
    """

    _direction = "up"

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(fn=sparse_categorical_accuracy, name=name, dtype=dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the true class is among the best k, for one-hot labels.

    Args:
        k: How many classes count.
        name: Name of the metric.
        dtype: Dtype of the state.
    """

    _direction = "up"

    def __init__(
        self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None
    ) -> None:
        super().__init__(fn=top_k_categorical_accuracy, name=name, dtype=dtype, k=k)
        self.k = k


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the true class is among the best k, for integer labels.

    Args:
        k: How many classes count.
        name: Name of the metric.
        dtype: Dtype of the state.
        from_sorted_ids: Whether predictions are classes, best first, instead of scores.
    """

    _direction = "up"
    _optional_config = {"from_sorted_ids": False}  # noqa: RUF012

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(
            fn=sparse_top_k_categorical_accuracy, name=name, dtype=dtype, k=k, from_sorted_ids=from_sorted_ids
        )
        self.k = k
        self.from_sorted_ids = from_sorted_ids
