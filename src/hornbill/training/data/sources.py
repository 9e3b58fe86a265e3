"""What a data set is, seen from outside: told by what it can do, never by importing its library.

Knows Python iterators, `PyDataset` and its older names, torch's DataLoader, tf.data, grain, and any other
iterable of batches. Also takes one item of such a data set apart into x, y and sample_weight.

Not for: reading ahead (`prefetch`) or handing out epochs (`streams`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from hornbill.engine.errors import DataError, ShapeError
from hornbill.engine.settings import floatx
from hornbill.training.data.batches import Batch
from hornbill.training.data.convert import is_array_like, to_arrays

__all__ = [
    "IterableSource",
    "check_batch",
    "convert_parts",
    "describe_source",
    "is_dataset",
    "is_indexed_dataset",
    "unpack",
]


def is_indexed_dataset(value: Any) -> bool:
    """True for a `PyDataset` (or the older `Sequence`): batches by number, told by its methods."""
    return (
        hasattr(value, "__getitem__")
        and hasattr(value, "on_epoch_end")
        and (hasattr(value, "num_batches") or hasattr(value, "__len__"))
        and not isinstance(value, np.ndarray | jax.Array)
    )


def is_dataset(value: Any) -> bool:
    """True for whatever yields batches by itself: data sets, loaders, generators and other iterables."""
    if value is None or isinstance(value, list | tuple | dict | str | bytes):
        return False
    if is_indexed_dataset(value):
        return True
    return not is_array_like(value) and (hasattr(value, "__iter__") or hasattr(value, "as_numpy_iterator"))


def describe_source(value: Any) -> str:
    """Returns what to call a data set in a message."""
    if hasattr(value, "gi_frame"):
        return "a generator"
    name = type(value).__name__
    return f"{'an' if name[:1] in 'AEIOUaeiou' else 'a'} {name}"


def _is_torch_loader(value: Any) -> bool:
    return hasattr(value, "batch_sampler") and hasattr(value, "dataset")


class IterableSource:
    """An iterable or iterator of batches.

    Args:
        value: The user's object.

    Attributes:
        restartable: False for an iterator, which can be read once.
        length: Batches in one pass, or None where the object does not say.
    """

    def __init__(self, value: Any) -> None:
        self.value = value
        self.lists_are_batches = _is_torch_loader(value)
        self.restartable = not hasattr(value, "__next__")
        self.length = self._length()

    def _length(self) -> int | None:
        cardinality = getattr(self.value, "cardinality", None)
        if callable(cardinality):
            count = int(np.asarray(cardinality()))
            return count if count >= 0 else None
        try:
            return len(self.value)
        except (TypeError, NotImplementedError):
            return None

    def open(self) -> Iterator[Any]:
        """Starts a pass over the data."""
        if hasattr(self.value, "as_numpy_iterator"):
            return iter(self.value.as_numpy_iterator())
        if hasattr(self.value, "to_iter_dataset"):
            return iter(self.value.to_iter_dataset())
        return iter(self.value)


def unpack(item: Any, lists_are_batches: bool = False) -> Batch:
    """Takes one item of a data set apart: a tuple of one to three is (x, y, sample_weight), the rest is x.

    Args:
        item: What the data set gave.
        lists_are_batches: Whether lists count as tuples, as torch's DataLoader means them.

    Raises:
        DataError: A tuple of no or more than three parts.
    """
    if isinstance(item, tuple) or (lists_are_batches and isinstance(item, list)):
        if not 1 <= len(item) <= 3:
            raise DataError(
                "A batch must be x, (x,), (x, y) or (x, y, sample_weight).",
                got=f"a {type(item).__name__} of {len(item)} parts.",
                why="Its parts are the input, the target and the weight of each sample.",
                fixes="Several inputs go into one part: ((x1, x2), y)",
            )
        x, y, weight = (*item, None, None)[:3]
        return x, y, weight
    return item, None, None


def convert_parts(x: Any, y: Any, sample_weight: Any, lazy: bool = False) -> Batch:
    """Returns (x, y, sample_weight) as pytrees of arrays; weights become floats."""
    weights = to_arrays(sample_weight, "sample_weight", allow_none=True)
    weights = jax.tree_util.tree_map(lambda leaf: leaf.astype(floatx()), weights)
    return to_arrays(x, "x", lazy), to_arrays(y, "y", lazy, allow_none=True), weights


def check_batch(batch: Batch, place: str) -> Batch:
    """Returns `batch` if all its arrays have the same number of rows, at least one.

    Raises:
        ShapeError: The numbers differ, or an array has no first axis.
        DataError: There is no row.
    """
    shapes = {
        name: [np.shape(leaf) for leaf in jax.tree_util.tree_leaves(part)]
        for part, name in zip(batch, ("x", "y", "sample_weight"), strict=True)
    }
    sizes = {shape[:1] for part in shapes.values() for shape in part}
    listed = "; ".join(
        f"{name} of shape {', '.join(map(str, part))}" for name, part in shapes.items() if part
    )
    if len(sizes) > 1 or () in sizes:
        raise ShapeError(
            f"All arrays of a batch need the same first axis, one entry per sample ({place}).",
            got=f"{listed}.",
            fixes=(
                "A data set gives whole batches, not single samples: call .batch(32) on it.",
                "Give x, y and sample_weight the same number of rows.",
            ),
        )
    if not sizes or sizes == {(0,)}:
        raise DataError(f"A batch has no rows ({place}).", got=f"{listed or 'no arrays'}.")
    return batch
