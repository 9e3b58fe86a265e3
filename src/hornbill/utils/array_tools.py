"""Small helpers on labels, sequences and batches: one-hot, norm 1, equal lengths, and (x, y, weights) tuples.

Everything here works on the host with NumPy, except `normalize` on a JAX array. Not for: ops inside a model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbill.engine.errors import ArgumentError, ShapeError, one_of

__all__ = [
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "to_categorical",
    "unpack_x_y_sample_weight",
]


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Returns class numbers as rows of zeros with a one (one-hot).

    Args:
        x: Whole numbers from 0, of any shape. A last axis of length 1 is dropped.
        num_classes: Length of the rows; the largest class plus one if None.

    Returns:
        A float NumPy array (a JAX array for a JAX array) with the classes as last axis.

    Raises:
        ArgumentError: If a class is negative or not below `num_classes`, or `x` is empty and `num_classes`
            None.

    Shapes:
        `(...)` or `(..., 1)` -> `(..., num_classes)`

    Example:
        >>> to_categorical([0, 2], num_classes=3).tolist()
        [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    try:
        classes = np.asarray(x).astype("int64")
    except (TypeError, ValueError):
        raise ArgumentError(
            "to_categorical: x must hold whole numbers.",
            got=f"{str(x)[:80]}.",
            fixes="hornbill.layers.StringLookup()(x) turns words into numbers.",
        ) from None
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes[..., 0]
    if num_classes is None:
        if not classes.size:
            raise ArgumentError("to_categorical: x is empty, so num_classes must be given.")
        num_classes = int(classes.max()) + 1
    if classes.size and (classes.min() < 0 or classes.max() >= num_classes):
        raise ArgumentError(
            f"to_categorical: classes must lie from 0 to {num_classes - 1}.",
            got=f"classes from {classes.min()} to {classes.max()}, num_classes={num_classes}.",
            fixes=(
                "num_classes=None takes the largest class plus one.",
                "x - x.min() if the classes start at 1.",
            ),
        )
    rows = np.zeros((*classes.shape, num_classes), dtype="float64")
    np.put_along_axis(rows, classes[..., None], 1.0, axis=-1)
    return jnp.asarray(rows, dtype="float32") if isinstance(x, jax.Array) else rows


def normalize(x: Any, axis: int = -1, order: int | float = 2) -> Any:
    """Scales vectors along an axis to norm 1; zero vectors stay.

    Args:
        x: NumPy array (the result is one too), JAX array or nested lists (the result is a JAX array).
        axis: Axis along which a vector lies.
        order: Which norm: 2 is the Euclidean one, 1 the sum of absolute values, infinity the largest.

    Returns:
        A scaled copy.

    Example:
        >>> normalize(np.array([[3.0, 4.0]])).tolist()
        [[0.6, 0.8]]
    """
    if isinstance(x, np.ndarray):
        norm = np.atleast_1d(np.linalg.norm(x, order, axis))
        norm[norm == 0] = 1
        return x / np.expand_dims(norm, axis)
    array = jnp.asarray(x)
    norm = jnp.linalg.norm(array, order, axis, keepdims=True)
    return array / jnp.where(norm == 0, 1, norm)


def pad_sequences(
    sequences: Iterable[Sequence[Any]],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Puts sequences of different lengths into one array, padded or cut to the same length.

    Args:
        sequences: The sequences; their items are numbers, or arrays of one shape.
        maxlen: Length of the rows; that of the longest sequence if None.
        dtype: Dtype of the result; `object` for strings of any length.
        padding: "pre" pads before a sequence, "post" after it.
        truncating: "pre" cuts the beginning of a sequence that is too long, "post" its end.
        value: What to pad with.

    Returns:
        A NumPy array of shape `(sequences, maxlen, ...)`.

    Raises:
        ArgumentError: If `sequences` holds something else, or an option is unknown.
        ShapeError: If the items of two sequences differ in shape.

    Example:
        >>> pad_sequences([[1], [2, 3, 4]], maxlen=2).tolist()
        [[0, 1], [3, 4]]
    """
    one_of("pad_sequences", "padding", padding, ("pre", "post"))
    one_of("pad_sequences", "truncating", truncating, ("pre", "post"))
    rows = _rows(sequences)
    length = max((len(row) for row in rows), default=0) if maxlen is None else maxlen
    item_shape = next((np.asarray(row).shape[1:] for row in rows if len(row)), ())
    kind = np.dtype(dtype)
    if isinstance(value, str) and kind.kind not in "OUS":
        raise ArgumentError(
            "pad_sequences: the padding must fit the dtype.",
            got=f"value={value!r} with dtype={dtype!r}.",
            fixes="dtype=object for strings.",
        )
    result = np.full((len(rows), length, *item_shape), value, dtype=dtype)
    for position, row in enumerate(rows):
        if not len(row):
            continue
        kept = row[max(len(row) - length, 0) :] if truncating == "pre" else row[:length]
        if not len(kept):
            continue
        items = np.asarray(kept, dtype=dtype)
        if items.shape[1:] != item_shape:
            raise ShapeError(
                f"pad_sequences: items must have the shape of the first sequence's, {item_shape}.",
                got=f"{items.shape[1:]} in sequence {position}.",
            )
        if padding == "post":
            result[position, : len(items)] = items
        else:
            result[position, length - len(items) :] = items
    return result


def _rows(sequences: Any) -> list[Any]:
    try:
        rows = list(sequences)
    except TypeError:
        raise ArgumentError(
            "pad_sequences: sequences must be a list of sequences.", got=f"{sequences!r}."
        ) from None
    for row in rows:
        if not hasattr(row, "__len__"):
            raise ArgumentError(
                "pad_sequences: sequences must be a list of sequences.",
                got=f"an item {row!r}, which has no length.",
                fixes="pad_sequences([sequence])" if len(rows) > 1 else (),
            )
    return rows


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Returns the data as `fit` takes it from a data set: `x`, `(x, y)` or `(x, y, sample_weight)`.

    A lone `x` that is a list or tuple becomes `(x,)`.

    Example:
        >>> pack_x_y_sample_weight("x", "y")
        ('x', 'y')
    """
    if y is None and sample_weight is None:
        return (x,) if isinstance(x, (list, tuple)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Returns `(x, y, sample_weight)` from what a data set yields, with None for what is not there.

    Raises:
        ArgumentError: If a tuple has no item or more than three.

    Example:
        >>> unpack_x_y_sample_weight(("x", "y"))
        ('x', 'y', None)
    """
    if not isinstance(data, (list, tuple)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ArgumentError(
            "A batch is x, (x,), (x, y) or (x, y, sample_weight).",
            got=f"a {type(data).__name__} of {len(data)}.",
            fixes="Yield ((x1, x2), y) for a model with several inputs.",
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight
