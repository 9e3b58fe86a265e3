"""Intersection over union of predicted and true regions, from a confusion matrix of classes.

The matrix is of whole numbers by default, which counts up to two thousand million pixels exactly. Fractional
sample weights need `dtype="float32"`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
import numpy as np

from hornbill.engine.config import positive_int
from hornbill.engine.dtype import is_int_dtype
from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.engine.op import convert_to_tensor
from hornbill.engine.settings import epsilon
from hornbill.metrics.arithmetic import divide_no_nan
from hornbill.metrics.base import Metric

__all__ = ["BinaryIoU", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"]


class IoU(Metric):
    """Mean intersection over union of some classes: TP / (TP + FP + FN) of each.

    Args:
        num_classes: How many classes there are.
        target_class_ids: The classes whose mean is the result.
        name: Name of the metric.
        dtype: Dtype of the confusion matrix; "int32" if None.
        ignore_class: A label whose positions do not count, such as 255 for "void".
        sparse_y_true: Whether labels are integers; if not, the largest value along `axis` is taken.
        sparse_y_pred: Whether predictions are integers; if not, the largest value along `axis` is taken.
        axis: The class axis.

    Example:
        >>> round(float(IoU(num_classes=2, target_class_ids=[0])([0, 0, 1, 1], [0, 1, 0, 1])), 4)
        0.3333
    """

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(name=name, dtype="int32" if dtype is None else dtype)
        owner = type(self).__name__
        positive_int(owner, "num_classes", num_classes)
        self.num_classes = num_classes
        self.target_class_ids = list(target_class_ids)
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        wrong = [target for target in self.target_class_ids if not 0 <= target < num_classes]
        if wrong:
            raise ArgumentError(
                f"{owner}: target_class_ids must lie in 0 ... {num_classes - 1}.",
                got=f"{wrong} in target_class_ids={self.target_class_ids}.",
            )
        self.total_cm = self.add_variable(
            shape=(num_classes, num_classes), initializer="zeros", name="total_confusion_matrix"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch.

        Args:
            y_true: Labels.
            y_pred: Predictions.
            sample_weight: Weights of samples or positions, or None.
        """
        y_true, y_pred = convert_to_tensor(y_true), convert_to_tensor(y_pred)
        if not self.sparse_y_true:
            y_true = jnp.argmax(y_true, axis=self.axis)
        if not self.sparse_y_pred:
            y_pred = jnp.argmax(y_pred, axis=self.axis)
        if y_true.size != y_pred.size:
            raise ShapeError(
                f"Metric '{self.name}' compares one class per position.",
                got=f"y_true {y_true.shape}, y_pred {y_pred.shape}.",
                fixes=(
                    "sparse_y_pred=False if predictions have one value per class.",
                    "sparse_y_true=False if labels are one-hot.",
                ),
            )
        weights = self._weights(sample_weight, y_pred.shape)
        labels = y_true.reshape(-1).astype("int32")
        classes = y_pred.reshape(-1).astype("int32")
        size = self.num_classes
        valid = (labels >= 0) & (labels < size) & (classes >= 0) & (classes < size)
        if self.ignore_class is not None:
            valid &= labels != self.ignore_class
        weights = jnp.where(valid, weights, 0)
        cells = jnp.where(valid, labels * size + classes, 0)
        counted = jnp.zeros((size * size,), self.dtype).at[cells].add(weights)
        self.total_cm.assign_add(counted.reshape(size, size))

    def _weights(self, sample_weight: Any, shape: tuple) -> Any:
        if sample_weight is None:
            return jnp.ones((), self.dtype)
        weights = convert_to_tensor(sample_weight)
        if is_int_dtype(self.dtype) and not isinstance(weights, jax.core.Tracer):
            host = np.asarray(weights)
            if not np.array_equal(host, np.trunc(host)):
                raise ArgumentError(
                    f"Metric '{self.name}' counts in {self.dtype}: fractional weights would be lost.",
                    got=f"sample_weight from {host.min():g} to {host.max():g}.",
                    fixes=f"{type(self).__name__}(..., dtype='float32')",
                )
        if weights.ndim < len(shape):
            weights = weights.reshape(weights.shape + (1,) * (len(shape) - weights.ndim))
        weights = weights[..., 0] if weights.ndim == len(shape) + 1 and weights.shape[-1] == 1 else weights
        if weights.size != int(np.prod(shape)):
            try:
                weights = jnp.broadcast_to(weights, shape)
            except ValueError:
                raise ShapeError(
                    f"Metric '{self.name}': sample_weight must fit the predictions.",
                    got=f"sample_weight {tuple(np.shape(sample_weight))}, y_pred {shape}.",
                ) from None
        return weights.reshape(-1).astype(self.dtype)

    def _per_class(self) -> tuple[Any, Any]:
        matrix = self.total_cm.value.astype("float32" if is_int_dtype(self.dtype) else self.dtype)
        hits = jnp.diagonal(matrix)
        union = jnp.sum(matrix, axis=0) + jnp.sum(matrix, axis=1) - hits
        return hits, union

    def result(self) -> Any:
        """Returns the mean over the target classes that occurred."""
        targets = np.asarray(self.target_class_ids, "int32")
        hits, union = (values[targets] for values in self._per_class())
        present = jnp.sum((union > 0).astype(union.dtype))
        return divide_no_nan(jnp.sum(hits / (union + epsilon())), present)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        names = ("num_classes", "target_class_ids", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def _config_of(self, *names: str) -> dict[str, Any]:
        return {name: getattr(self, name) for name in names}


class BinaryIoU(IoU):
    """Intersection over union of class 0, class 1 or both, for predictions that are cut at a threshold.

    Args:
        target_class_ids: [0], [1] or [0, 1].
        threshold: Predictions at or above it count as class 1.
        name: Name of the metric.
        dtype: Dtype of the confusion matrix; "int32" if None.
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_classes=2, target_class_ids=target_class_ids, name=name, dtype=dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch.

        Args:
            y_true: Labels 0 and 1.
            y_pred: Predictions.
            sample_weight: Weights of samples or positions, or None.
        """
        super().update_state(y_true, convert_to_tensor(y_pred) >= self.threshold, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return self._config_of("target_class_ids", "threshold", "name", "dtype")


class MeanIoU(IoU):
    """Mean intersection over union of all classes.

    Args:
        num_classes: How many classes there are.
        name: Name of the metric.
        dtype: Dtype of the confusion matrix; "int32" if None.
        ignore_class: A label whose positions do not count.
        sparse_y_true: Whether labels are integers.
        sparse_y_pred: Whether predictions are integers.
        axis: The class axis.
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        positive_int(type(self).__name__, "num_classes", num_classes)
        super().__init__(
            num_classes=num_classes,
            target_class_ids=range(num_classes),
            name=name,
            dtype=dtype,
            ignore_class=ignore_class,
            sparse_y_true=sparse_y_true,
            sparse_y_pred=sparse_y_pred,
            axis=axis,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return self._config_of(
            "num_classes", "name", "dtype", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis"
        )


class OneHotIoU(IoU):
    """Mean intersection over union of some classes, for one-hot labels.

    Args:
        num_classes: How many classes there are.
        target_class_ids: The classes whose mean is the result.
        name: Name of the metric.
        dtype: Dtype of the confusion matrix; "int32" if None.
        ignore_class: A label whose positions do not count.
        sparse_y_pred: Whether predictions are integers instead of one value per class.
        axis: The class axis.
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes=num_classes,
            target_class_ids=target_class_ids,
            name=name,
            dtype=dtype,
            ignore_class=ignore_class,
            sparse_y_true=False,
            sparse_y_pred=sparse_y_pred,
            axis=axis,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return self._config_of(
            "num_classes", "target_class_ids", "name", "dtype", "ignore_class", "sparse_y_pred", "axis"
        )


class OneHotMeanIoU(MeanIoU):
    """Mean intersection over union of all classes, for one-hot labels.

    Args:
        num_classes: How many classes there are.
        name: Name of the metric.
        dtype: Dtype of the confusion matrix; "int32" if None.
        ignore_class: A label whose positions do not count.
        sparse_y_pred: Whether predictions are integers instead of one value per class.
        axis: The class axis.
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes=num_classes,
            name=name,
            dtype=dtype,
            ignore_class=ignore_class,
            sparse_y_true=False,
            sparse_y_pred=sparse_y_pred,
            axis=axis,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return self._config_of("num_classes", "name", "dtype", "ignore_class", "sparse_y_pred", "axis")
