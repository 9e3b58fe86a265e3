"""True and false positives and negatives at thresholds: the arithmetic of Precision, Recall, AUC and others.

A prediction counts as positive at a threshold that it exceeds. With few thresholds every pair is compared.
With many, each prediction is put into the bucket between two thresholds and the buckets are summed from the
top: one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.engine.op import convert_to_tensor
from hornbill.losses.reduction import squeeze_or_expand_to_same_rank

__all__ = ["confusion_counts", "is_evenly_spaced", "standardize_thresholds"]

NEGATIVE = -1e10
_COMPARE_UP_TO = 8


def standardize_thresholds(owner: str, thresholds: Any, default: float = 0.5) -> list[float]:
    """Returns thresholds as a list; raises unless all lie in [0, 1].

    Args:
        owner: Name for errors.
        thresholds: None, a number or a sequence of numbers.
        default: What None means.
    """
    if thresholds is None:
        return [default]
    values = list(thresholds) if np.ndim(thresholds) else [thresholds]
    wrong = [
        value for value in values if not isinstance(value, (int, float, np.number)) or not 0 <= value <= 1
    ]
    if wrong or not values:
        raise ArgumentError(
            f"{owner}: thresholds must be numbers from 0 to 1.",
            got=f"{wrong or 'no threshold at all'}.",
            fixes="thresholds=0.5",
        )
    return values


def is_evenly_spaced(thresholds: Sequence[float]) -> bool:
    """Returns whether three or more thresholds run from 0 to 1 in equal steps, the ends nearly."""
    if len(thresholds) < 3:
        return False
    return bool(np.allclose(thresholds, np.linspace(0.0, 1.0, len(thresholds)), atol=1e-6))


def confusion_counts(
    y_true: Any,
    y_pred: Any,
    thresholds: Sequence[float],
    sample_weight: Any = None,
    top_k: int | None = None,
    class_id: int | None = None,
    multi_label: bool = False,
    label_weights: Any = None,
    dtype: str = "float32",
    owner: str = "metric",
) -> dict[str, Any]:
    """Counts one batch.

    Args:
        y_true: Labels; everything but 0 counts as 1.
        y_pred: Predictions.
        thresholds: The thresholds.
        sample_weight: Weights of samples or values, or None.
        top_k: If given, only the k best predictions of each sample can be positive.
        class_id: If given, only this class is looked at.
        multi_label: Whether the labels are counted separately.
        label_weights: Weights of the labels, or None.
        dtype: Dtype of the result.
        owner: Name for errors.

    Returns:
        Dict with `true_positives`, `false_positives`, `true_negatives` and `false_negatives`, of shape
        (thresholds,), or (thresholds, labels) with `multi_label`.
    """
    y_true, y_pred = convert_to_tensor(y_true), convert_to_tensor(y_pred, dtype=dtype)
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    if y_true.shape != y_pred.shape:
        raise ShapeError(
            f"Metric '{owner}' compares labels and predictions value by value.",
            got=f"y_true {y_true.shape}, y_pred {y_pred.shape}.",
            fixes=_shape_fixes(y_true.shape, y_pred.shape),
        )
    weights = _weights(y_pred.shape, sample_weight, label_weights, dtype, owner)
    if top_k is not None:
        y_pred = _only_best(y_pred, top_k)
    if class_id is not None:
        y_true, y_pred = y_true[..., class_id], y_pred[..., class_id]
        weights = None if weights is None else weights[..., class_id]
    columns = y_pred.shape[-1] if multi_label and y_pred.ndim > 1 else 1
    y_true, y_pred = y_true.reshape(-1, columns), y_pred.reshape(-1, columns)  # (values, labels)
    truth = (y_true != 0).astype(dtype)
    ones = jnp.ones_like(truth) if weights is None else weights.reshape(-1, columns)
    positives, negatives = ones * truth, ones * (1 - truth)
    true_positives, false_positives = _above(y_pred, thresholds, positives, negatives)  # (thresholds, labels)
    result = {
        "true_positives": true_positives,
        "false_positives": false_positives,
        "true_negatives": jnp.sum(negatives, axis=0) - false_positives,
        "false_negatives": jnp.sum(positives, axis=0) - true_positives,
    }
    return result if multi_label else {name: value[:, 0] for name, value in result.items()}


def _shape_fixes(y_true: tuple, y_pred: tuple) -> tuple[str, ...]:
    if len(y_true) == len(y_pred) - 1 or (y_true and y_true[-1] == 1):
        return (f"Make integer labels one-hot: keras.utils.to_categorical(y, {y_pred[-1]}).",)
    return (f"Give the labels shape {y_pred}.",)


def _weights(shape: tuple, sample_weight: Any, label_weights: Any, dtype: str, owner: str) -> Any:
    weights = None
    if sample_weight is not None:
        weights = convert_to_tensor(sample_weight, dtype=dtype)
        if weights.ndim == len(shape) + 1 and weights.shape[-1] == 1:
            weights = weights[..., 0]
        if weights.ndim < len(shape):
            weights = weights.reshape(weights.shape + (1,) * (len(shape) - weights.ndim))
        try:
            weights = jnp.broadcast_to(weights, shape)
        except ValueError:
            raise ShapeError(
                f"Metric '{owner}': sample_weight must fit the predictions.",
                got=f"sample_weight {tuple(np.shape(sample_weight))}, y_pred {shape}.",
                fixes=f"One weight per sample: shape ({shape[0]},).",
            ) from None
    if label_weights is not None:
        by_label = jnp.broadcast_to(convert_to_tensor(label_weights, dtype=dtype), shape)
        weights = by_label if weights is None else weights * by_label
    return weights


def _only_best(y_pred: Any, top_k: int) -> Any:
    indices = jax.lax.top_k(y_pred, min(top_k, y_pred.shape[-1]))[1]
    chosen = jnp.any(jax.nn.one_hot(indices, y_pred.shape[-1], dtype=bool), axis=-2)
    return jnp.where(chosen, y_pred, NEGATIVE)


def _above(y_pred: Any, thresholds: Sequence[float], *weights: Any) -> tuple[Any, ...]:
    """Sums each set of weights over the predictions above each threshold."""
    count = len(thresholds)
    even = is_evenly_spaced(thresholds)
    if not even and count <= _COMPARE_UP_TO:
        above = (y_pred[None] > jnp.asarray(thresholds, y_pred.dtype)[:, None, None]).astype(y_pred.dtype)
        return tuple(jnp.einsum("tnl,nl->tl", above, each) for each in weights)
    if even:
        exceeded = jnp.ceil(jnp.clip(y_pred, 0.0, 1.0) * (count - 1)).astype("int32")
        exceeded = jnp.maximum(exceeded, 1) if thresholds[0] < 0 else exceeded
    else:
        exceeded = jnp.searchsorted(jnp.asarray(thresholds, y_pred.dtype), y_pred, side="left").astype(
            "int32"
        )

    def from_the_top(values: Any, buckets: Any) -> Any:
        sums = jnp.zeros((count + 1,), values.dtype).at[buckets].add(values)
        return jnp.cumsum(sums[::-1])[::-1][1:]

    by_label = jax.vmap(from_the_top, in_axes=1, out_axes=1)
    return tuple(by_label(each, exceeded) for each in weights)
