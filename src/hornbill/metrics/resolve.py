"""Which accuracy, or crossentropy, is meant by the strings "accuracy", "acc", "crossentropy" and "ce".

Shapes decide, as in Keras: one output is binary; several are categorical, with labels that are one-hot (same
shape) or integers (one axis fewer, or size 1). Only for a crossentropy does the loss have a say.
"""

from __future__ import annotations

from typing import Any

from hornbill.losses.checks import canonical_loss_name
from hornbill.metrics.accuracy import BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy
from hornbill.metrics.base import Metric
from hornbill.metrics.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)

__all__ = ["is_shape_dependent", "resolve_accuracy"]

_ACCURACIES = {
    "binary": BinaryAccuracy,
    "categorical": CategoricalAccuracy,
    "sparse": SparseCategoricalAccuracy,
}
_CROSSENTROPIES = {
    "binary": BinaryCrossentropy,
    "categorical": CategoricalCrossentropy,
    "sparse": SparseCategoricalCrossentropy,
}
_NAMES = {"accuracy": _ACCURACIES, "acc": _ACCURACIES, "crossentropy": _CROSSENTROPIES, "ce": _CROSSENTROPIES}
_KINDS = {
    "binary_crossentropy": "binary",
    "binary_focal_crossentropy": "binary",
    "categorical_crossentropy": "categorical",
    "categorical_focal_crossentropy": "categorical",
    "sparse_categorical_crossentropy": "sparse",
    "categorical_generalized_cross_entropy": "sparse",
}


def is_shape_dependent(name: Any) -> bool:
    """Returns whether a metric is given by one of the strings that this module settles."""
    return isinstance(name, str) and name.lower() in _NAMES


def resolve_accuracy(name: str, y_true_shape: Any, y_pred_shape: Any, loss: Any = None) -> Metric:
    """Returns the metric that "accuracy", "acc", "crossentropy" or "ce" means.

    Args:
        name: The string; the metric keeps it as its name.
        y_true_shape: Shape of the targets, None for unknown sizes.
        y_pred_shape: Shape of the predictions.
        loss: The loss, by name, function or object, or None. For a crossentropy it decides the kind, if it is
            one itself, and hands on `from_logits`.

    Returns:
        A new metric.

    Example:
        >>> resolve_accuracy("acc", (None,), (None, 10))
        <SparseCategoricalAccuracy name=acc>
    """
    y_true, y_pred = tuple(y_true_shape), tuple(y_pred_shape)
    table = _NAMES[name.lower()]
    if table is _ACCURACIES:
        return table[_kind(y_true, y_pred)](name=name)
    kind = _KINDS.get(_loss_name(loss)) or _kind(y_true, y_pred)
    return table[kind](name=name, from_logits=bool(getattr(loss, "from_logits", False)))


def _kind(y_true: tuple, y_pred: tuple) -> str:
    if len(y_pred) < 2 or y_pred[-1] == 1:
        return "binary"
    return "categorical" if len(y_true) == len(y_pred) and y_true[-1] != 1 else "sparse"


def _loss_name(loss: Any) -> str:
    if loss is None:
        return ""
    if isinstance(loss, str):
        return canonical_loss_name(loss)
    function = getattr(loss, "fn", loss)
    return canonical_loss_name(getattr(function, "__name__", type(loss).__name__))
