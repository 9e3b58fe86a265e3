"""Crossentropies: binary, categorical, sparse categorical, and the generalised one for noisy labels.

Predictions are probabilities, or logits with `from_logits=True`, which is more exact. The focal variants
stand in `focal.py`, other losses on distributions in `probabilistic.py`.
"""

from __future__ import annotations

import warnings
from typing import Any

from hornbill import ops
from hornbill.engine.errors import ArgumentError
from hornbill.engine.masking import set_mask
from hornbill.losses.base import FunctionLoss
from hornbill.losses.checks import check_labels, check_target_shapes

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy",
    "categorical_crossentropy",
    "categorical_generalized_cross_entropy",
    "sparse_categorical_crossentropy",
]


def smooth_binary(y_true: Any, label_smoothing: float) -> Any:
    """Moves binary targets towards 0.5."""
    if not label_smoothing:
        return y_true
    return ops.add(ops.multiply(y_true, 1.0 - label_smoothing), 0.5 * label_smoothing)


def smooth_categorical(y_true: Any, label_smoothing: float) -> Any:
    """Moves one-hot targets towards uniform ones; counts classes on the last axis, as Keras does."""
    if not label_smoothing:
        return y_true
    return ops.add(ops.multiply(y_true, 1.0 - label_smoothing), label_smoothing / y_true.shape[-1])


def dense_pair(name: str, y_true: Any, y_pred: Any, axis: int) -> tuple[Any, Any]:
    """Returns targets and predictions as tensors of one dtype, checked to fit."""
    if isinstance(axis, bool) or not isinstance(axis, int):
        raise ArgumentError(
            f"Loss '{name}': axis must be one whole number.", got=f"axis={axis!r}.", fixes="axis=-1"
        )
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), y_pred.dtype)
    check_target_shapes(name, y_true.shape, y_pred.shape, axis=axis)
    return y_true, y_pred


def warn_single_class(name: str, y_pred: Any, axis: int) -> None:
    """Warns that a softmax over one class is always 1."""
    if -len(y_pred.shape) <= axis < len(y_pred.shape) and y_pred.shape[axis] == 1:
        warnings.warn(
            f"Loss '{name}' with one class is always 0: y_pred {tuple(y_pred.shape)}. For two classes use "
            "loss='binary_crossentropy' with a sigmoid.",
            SyntaxWarning,
            stacklevel=3,
        )


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """Mean of `-(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred))` over an axis.

    Args:
        y_true: Targets 0 and 1.
        y_pred: Probabilities of 1, or logits.
        from_logits: Whether `y_pred` are logits.
        label_smoothing: How far targets are moved towards 0.5, from 0 to 1.
        axis: The axis over which the mean is taken.

    Returns:
        One value per sample.

    Shapes:
        y_true: (batch, ..., features)
        y_pred: (batch, ..., features)
        output: (batch, ...)
    """
    y_true, y_pred = dense_pair("binary_crossentropy", y_true, y_pred, axis)
    y_true = smooth_binary(y_true, label_smoothing)
    if from_logits:
        # softplus(x) - x * y equals the crossentropy, and its derivative is exact at x = 0 too
        values = ops.subtract(ops.softplus(y_pred), ops.multiply(y_pred, y_true))
    else:
        values = ops.binary_crossentropy(y_true, y_pred)
    return ops.mean(values, axis=axis)


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """`-sum(y_true * log(y_pred))` over the class axis, for one-hot targets.

    Args:
        y_true: One-hot targets, or any distributions.
        y_pred: Probabilities of the classes, or logits.
        from_logits: Whether `y_pred` are logits.
        label_smoothing: How far targets are moved towards the uniform distribution, from 0 to 1.
        axis: The class axis.

    Returns:
        One value per sample.

    Shapes:
        y_true: (batch, ..., classes)
        y_pred: (batch, ..., classes)
        output: (batch, ...)
    """
    y_true, y_pred = dense_pair("categorical_crossentropy", y_true, y_pred, axis)
    warn_single_class("categorical_crossentropy", y_pred, axis)
    y_true = smooth_categorical(y_true, label_smoothing)
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """`-log(y_pred[y_true])`, for integer labels.

    Args:
        y_true: Integer labels 0 ... classes - 1.
        y_pred: Probabilities of the classes, or logits.
        from_logits: Whether `y_pred` are logits.
        ignore_class: A label whose positions do not count, such as -1 or 255 for "void".
            The result carries a mask.
        axis: The class axis.

    Returns:
        One value per label.

    Shapes:
        y_true: (batch, ...)
        y_pred: (batch, ..., classes)
        output: (batch, ...)
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    name = "sparse_categorical_crossentropy"
    check_target_shapes(name, y_true.shape, y_pred.shape, axis=axis)
    check_labels(name, y_true, y_pred.shape, axis=axis, ignore_class=ignore_class)
    if len(y_true.shape) == len(y_pred.shape):
        y_true = ops.squeeze(y_true, axis=axis if y_true.shape[axis] == 1 else -1)
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    valid = ops.not_equal(y_true, ops.cast(ignore_class, y_true.dtype))
    labels = ops.where(valid, y_true, ops.zeros_like(y_true))
    values = ops.sparse_categorical_crossentropy(labels, y_pred, from_logits=from_logits, axis=axis)
    values = ops.where(valid, values, ops.zeros_like(values))
    set_mask(values, valid)
    return values


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """Generalised crossentropy (Zhang and Sabuncu, 2018): `(1 - y_pred[y_true]^q) / q`, for noisy labels.

    Args:
        y_true: Integer labels.
        y_pred: Probabilities of the classes.
        q: Between 0 (nearly the crossentropy) and 1 (nearly the absolute error).

    Returns:
        One value per label.

    Shapes:
        y_true: (batch, ...)
        y_pred: (batch, ..., classes)
        output: (batch, ...)
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    name = "categorical_generalized_cross_entropy"
    check_target_shapes(name, y_true.shape, y_pred.shape)
    check_labels(name, y_true, y_pred.shape)
    if len(y_true.shape) == len(y_pred.shape):
        y_true = ops.squeeze(y_true, axis=-1)
    one_hot = ops.one_hot(ops.cast(y_true, "int32"), y_pred.shape[-1], dtype=y_pred.dtype)
    chosen = ops.sum(ops.multiply(y_pred, one_hot), axis=-1)
    return ops.divide(ops.subtract(1.0, ops.power(chosen, q)), q)


class BinaryCrossentropy(FunctionLoss):
    """Crossentropy between targets 0 and 1 and predicted probabilities.

    Args:
        from_logits: Whether predictions are logits.
        label_smoothing: How far targets are moved towards 0.5, from 0 to 1.
        axis: The axis over which the mean is taken.
        reduction: How the values per sample become one number; see `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.

    Example:
        >>> loss = BinaryCrossentropy(from_logits=True)
        >>> round(float(loss([0.0, 1.0, 0.0, 0.0], [-18.6, 0.51, 2.94, -12.8])), 3)
        0.865
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalCrossentropy(FunctionLoss):
    """Crossentropy between one-hot targets and predicted probabilities of two or more classes.

    Args:
        from_logits: Whether predictions are logits.
        label_smoothing: How far targets are moved towards the uniform distribution, from 0 to 1.
        axis: The class axis.
        reduction: How the values per sample become one number; see `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(FunctionLoss):
    """Crossentropy between integer labels and predicted probabilities of two or more classes.

    Args:
        from_logits: Whether predictions are logits.
        ignore_class: A label whose positions do not count.
        reduction: How the values per label become one number; see `Loss`.
        axis: The class axis.
        name: Name of the loss.
        dtype: Dtype of the computation.
    """

    _optional_config = {"axis": -1}  # noqa: RUF012

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )


class CategoricalGeneralizedCrossEntropy(FunctionLoss):
    """Generalised crossentropy between integer labels, some of them wrong, and predicted probabilities.

    Args:
        q: Between 0 (nearly the crossentropy) and 1 (nearly the absolute error).
        reduction: How the values per label become one number; see `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        if not isinstance(q, (int, float)) or not 0 < q < 1:
            raise ArgumentError(
                "CategoricalGeneralizedCrossEntropy: q must lie between 0 and 1, without the two.",
                got=f"q={q!r}.",
            )
        super().__init__(
            categorical_generalized_cross_entropy, reduction=reduction, name=name, dtype=dtype, q=q
        )
