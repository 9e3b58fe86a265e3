"""Class weights turned into sample weights.

`class_weight={0: 1.0, 1: 5.0}` means: each sample counts as much as its class. Labels may be integers or
one-hot.

Not for: applying weights to a loss (the losses do that).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from hornbill.engine.errors import ArgumentError, ArgumentTypeError, DataError
from hornbill.engine.settings import floatx

__all__ = ["check_class_weight", "with_class_weight"]


def check_class_weight(class_weight: Any) -> dict[int, float] | None:
    """Returns `class_weight` with plain keys and values; raises where it is no dict of numbers."""
    if class_weight is None:
        return None
    if not isinstance(class_weight, Mapping):
        raise ArgumentTypeError(
            "class_weight must be a dict from class index to weight.",
            got=f"{type(class_weight).__name__} {class_weight!r}.",
            fixes="class_weight=dict(enumerate(weights))",
        )
    try:
        return {int(key): float(value) for key, value in class_weight.items()}
    except (TypeError, ValueError):
        raise ArgumentError(
            "class_weight must have integer keys and float values.",
            got=f"{dict(class_weight)!r}.",
            why="Labels are class indices when they reach the loss.",
            fixes="class_weight={0: 1.0, 1: 2.0}",
        ) from None


def _labels(y: np.ndarray) -> np.ndarray:
    """Returns class indices: the place of the largest value along a last axis above 1, else y itself."""
    if y.ndim >= 2:
        y = np.argmax(y, axis=-1) if y.shape[-1] > 1 else np.squeeze(y, axis=-1)
    return np.round(y).astype(np.int64)


def with_class_weight(
    y: Any, sample_weight: Any, class_weight: dict[int, float] | None, warned: set[int] | None = None
) -> Any:
    """Returns the sample weights that give each sample its class' weight, times `sample_weight`.

    Args:
        y: Labels: integers (n,) or (n, 1), or one-hot (n, classes); further axes in between are allowed.
        sample_weight: Weights the user gave besides, or None.
        class_weight: As checked by `check_class_weight`.
        warned: Classes already reported as missing; new ones are added.

    Raises:
        ArgumentError: The model has several outputs, or y is missing.
    """
    if class_weight is None:
        return sample_weight
    if y is None or not isinstance(y, np.ndarray | jax.Array):
        raise ArgumentError(
            "class_weight needs labels y of one output, as one array.",
            got="no y."
            if y is None
            else f"y as a {type(y).__name__} of {len(jax.tree_util.tree_leaves(y))}.",
            fixes="Give sample_weight instead: one array of weights per output.",
        )
    labels = _labels(np.asarray(y))
    classes, places = np.unique(labels, return_inverse=True)
    missing = {int(one) for one in classes} - set(class_weight) - (warned or set())
    if missing:
        if warned is not None:
            warned |= missing
        warnings.warn(
            f"class_weight has no weight for {'class' if len(missing) == 1 else 'classes'} "
            f"{', '.join(map(str, sorted(missing)))}, which y contains; weight 1.0 is used.",
            stacklevel=2,
        )
    table = np.asarray([class_weight.get(int(one), 1.0) for one in classes], dtype=floatx())
    weights = table[places].reshape(labels.shape)
    if sample_weight is None:
        return weights
    if not isinstance(sample_weight, np.ndarray | jax.Array):
        raise DataError("class_weight and sample_weight together need sample_weight as one array.")
    given = np.asarray(sample_weight)
    given = given[:, 0] if given.ndim == weights.ndim + 1 and given.shape[-1] == 1 else given
    return weights * given.reshape(given.shape + (1,) * (weights.ndim - given.ndim))
