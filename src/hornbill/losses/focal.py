"""Focal crossentropies (Lin et al., 2018): easy samples weigh less, so that rare classes are learnt.

The crossentropy of each value is multiplied by `(1 - p)^gamma`, where `p` is the probability given to the
truth.
"""

from __future__ import annotations

from typing import Any

from hornbill import ops
from hornbill.engine.settings import epsilon
from hornbill.losses.base import FunctionLoss
from hornbill.losses.crossentropy import dense_pair, smooth_binary, smooth_categorical, warn_single_class

__all__ = [
    "BinaryFocalCrossentropy",
    "CategoricalFocalCrossentropy",
    "binary_focal_crossentropy",
    "categorical_focal_crossentropy",
]


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Binary crossentropy in which easy samples weigh less.

    Args:
        y_true: Targets 0 and 1.
        y_pred: Probabilities of 1, or logits.
        apply_class_balancing: Whether class 1 weighs `alpha` and class 0 `1 - alpha`.
        alpha: Weight of class 1.
        gamma: How strongly easy samples are weighed down; 0 is the crossentropy.
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
    y_true, y_pred = dense_pair("binary_focal_crossentropy", y_true, y_pred, axis)
    y_true = smooth_binary(y_true, label_smoothing)
    if from_logits:
        y_pred = ops.sigmoid(y_pred)
    values = ops.binary_crossentropy(y_true, y_pred, from_logits=False)
    against = ops.subtract(1.0, y_true)
    truth = ops.add(ops.multiply(y_true, y_pred), ops.multiply(against, ops.subtract(1.0, y_pred)))
    values = ops.multiply(ops.power(ops.subtract(1.0, truth), gamma), values)
    if apply_class_balancing:
        values = ops.multiply(
            ops.add(ops.multiply(y_true, alpha), ops.multiply(against, 1.0 - alpha)), values
        )
    return ops.mean(values, axis=axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float | list[float] = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Categorical crossentropy in which easy samples weigh less.

    Args:
        y_true: One-hot targets.
        y_pred: Probabilities of the classes, or logits.
        alpha: Weight of all classes, or one weight per class.
        gamma: How strongly easy samples are weighed down; 0 is `alpha` times the crossentropy.
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
    y_true, y_pred = dense_pair("categorical_focal_crossentropy", y_true, y_pred, axis)
    warn_single_class("categorical_focal_crossentropy", y_pred, axis)
    y_true = smooth_categorical(y_true, label_smoothing)
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    y_pred = ops.divide(y_pred, ops.sum(y_pred, axis=axis, keepdims=True))
    y_pred = ops.clip(y_pred, epsilon(), 1.0 - epsilon())
    values = ops.negative(ops.multiply(y_true, ops.log(y_pred)))
    weight = ops.multiply(
        ops.power(ops.subtract(1.0, y_pred), gamma), ops.convert_to_tensor(alpha, dtype=y_pred.dtype)
    )
    return ops.sum(ops.multiply(weight, values), axis=axis)


class BinaryFocalCrossentropy(FunctionLoss):
    """Focal crossentropy between targets 0 and 1 and predicted probabilities.

    Args:
        apply_class_balancing: Whether class 1 weighs `alpha` and class 0 `1 - alpha`.
        alpha: Weight of class 1.
        gamma: How strongly easy samples are weighed down.
        from_logits: Whether predictions are logits.
        label_smoothing: How far targets are moved towards 0.5, from 0 to 1.
        axis: The axis over which the mean is taken.
        reduction: How the values per sample become one number; see `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_focal_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
        )


class CategoricalFocalCrossentropy(FunctionLoss):
    """Focal crossentropy between one-hot targets and predicted probabilities of two or more classes.

    Args:
        alpha: Weight of all classes, or one weight per class.
        gamma: How strongly easy samples are weighed down.
        from_logits: Whether predictions are logits.
        label_smoothing: How far targets are moved towards the uniform distribution, from 0 to 1.
        axis: The class axis.
        reduction: How the values per sample become one number; see `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.
    """

    def __init__(
        self,
        alpha: float | list[float] = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_focal_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
            alpha=alpha,
            gamma=gamma,
        )
