"""split_dataset: one data set into two, as arrays or lists of samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbill import tree
from hornbill.engine.errors import ArgumentError, ArgumentTypeError, ShapeError, one_of

__all__ = ["Samples", "split_dataset"]


class Samples:
    """Samples of a data set: has a length, can be iterated over and indexed, and gives whole arrays.

    Args:
        data: An array, or a nested structure of arrays with the same length.

    Example:
        >>> samples = Samples((np.arange(3), np.arange(3) * 10))
        >>> [(int(x), int(y)) for x, y in samples]
        [(0, 0), (1, 10), (2, 20)]
    """

    def __init__(self, data: Any) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(tree.flatten(self.data)[0])

    def __getitem__(self, index: Any) -> Any:
        return tree.map_structure(lambda array: array[index], self.data)

    def __iter__(self) -> Any:
        return (self[index] for index in range(len(self)))


def split_dataset(
    dataset: Any,
    left_size: float | int | None = None,
    right_size: float | int | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Samples, Samples]:
    """Splits a data set into a left and a right part, for training and testing say.

    Args:
        dataset: An array, a list, tuple or dictionary of arrays with the same length, or any iterable of
            samples (a torch data set or a tf.data.Dataset, for example), which is read into memory.
        left_size: Number of samples in the left part, or their share from 0 to 1; what is left over if None.
        right_size: The same for the right part.
        shuffle: Whether to shuffle before splitting.
        seed: Seed of the shuffling.
        preferred_backend: Kept for Keras' sake: the parts are the same whichever is named.

    Returns:
        Two `Samples`: they have a length and yield single samples; `.data` is all of them at once.

    Raises:
        ArgumentError: If the sizes do not fit the data set.

    Example:
        >>> left, right = split_dataset(np.arange(10), left_size=0.8)
        >>> len(left), len(right)
        (8, 2)
    """
    one_of(
        "split_dataset", "preferred_backend", preferred_backend, (None, "jax", "numpy", "tensorflow", "torch")
    )
    data = _as_arrays(dataset)
    lengths = {len(array) for array in tree.flatten(data)}
    if len(lengths) != 1:
        raise ShapeError(
            "split_dataset: all arrays must have the same length.", got=f"lengths {sorted(lengths)}."
        )
    count = lengths.pop()
    left, right = _sizes(count, left_size, right_size)
    order = np.random.default_rng(seed).permutation(count) if shuffle else np.arange(count)
    samples = Samples(data)
    return Samples(samples[order[:left]]), Samples(samples[order[left : left + right]])


def _as_arrays(dataset: Any) -> Any:
    if tree.is_nested(dataset) and dataset:
        leaves = tree.flatten(dataset)
        if all(hasattr(leaf, "shape") and np.ndim(leaf) for leaf in leaves) and (
            not isinstance(dataset, list) or len({len(leaf) for leaf in leaves}) == 1
        ):
            return tree.map_structure(np.asarray, dataset)
    if hasattr(dataset, "shape") and np.ndim(dataset):
        return np.asarray(dataset)
    if hasattr(dataset, "as_numpy_iterator"):
        dataset = dataset.as_numpy_iterator()  # type: ignore[union-attr]
    elif not hasattr(dataset, "__iter__") and hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__"):
        dataset = [dataset[index] for index in range(len(dataset))]
    try:
        samples = list(dataset)
    except TypeError:
        raise ArgumentTypeError(
            "split_dataset: dataset must be arrays or an iterable of samples.",
            got=f"a {type(dataset).__name__}.",
        ) from None
    if not samples:
        raise ArgumentError("split_dataset: the data set is empty.")
    return tree.map_structure(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *samples)


def _sizes(count: int, left: float | int | None, right: float | int | None) -> tuple[int, int]:
    if left is None and right is None:
        raise ArgumentError(
            "split_dataset: left_size or right_size must be given.",
            fixes="split_dataset(data, left_size=0.8)",
        )
    sizes = []
    for name, size in (("left_size", left), ("right_size", right)):
        is_share = isinstance(size, float)
        if size is not None and not (
            0 <= size <= 1 if is_share else hasattr(size, "__index__") and 0 <= size <= count
        ):
            raise ArgumentError(
                f"split_dataset: {name} is a share from 0 to 1 or a number of samples up to {count}.",
                got=f"{name}={size!r}.",
            )
        sizes.append(None if size is None else round(size * count) if is_share else int(size))
    left_count, right_count = sizes
    if left_count is None:
        left_count = count - right_count
    if right_count is None:
        right_count = count - left_count
    if isinstance(left, float) and isinstance(right, float) and left_count + right_count == count + 1:
        right_count -= 1  # both halves of a sample rounded up
    if left_count + right_count > count or not left_count or not right_count:
        raise ArgumentError(
            f"split_dataset: both parts need samples, and together at most {count}.",
            got=f"{left_count} and {right_count} (left_size={left!r}, right_size={right!r}).",
        )
    return left_count, right_count
