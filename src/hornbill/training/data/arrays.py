"""Data that lies in memory: x, y and sample weights as arrays with one row per sample.

The loop may take the whole arrays to the device once and only send the order of each epoch (`arrays`,
`order`), or ask for host batches (`epoch`). Both follow from one seed, so both give the same rows in the same
order.

Not for: data that arrives batch by batch (`streams`).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from hornbill.engine.errors import ArgumentError, DataError, ShapeError
from hornbill.training.data.batches import Batch, Batches, epoch_order
from hornbill.training.data.convert import LazyRows

__all__ = ["ArrayBatches", "check_rows", "rounded_up", "split_arrays", "take_rows"]

_LARGE_ARRAY = 64 * 2**20
"""Bytes up to which an array is filled up to a number of rows that others share."""


def _named_leaves(part: Any, name: str) -> list[tuple[str, Any]]:
    pairs = jax.tree_util.tree_flatten_with_path(part)[0]
    return [(name + jax.tree_util.keystr(path), leaf) for path, leaf in pairs]


def check_rows(data: Batch) -> int:
    """Returns the number of rows that all arrays share.

    Raises:
        DataError: There is no row, or no array.
        ShapeError: An array has no axis, or the numbers of rows differ.
    """
    leaves = [
        pair
        for part, name in zip(data, ("x", "y", "sample_weight"), strict=True)
        for pair in _named_leaves(part, name)
    ]
    if not leaves:
        raise DataError("There is no data.", got="x=None.", fixes="model.fit(x, y)")
    for name, leaf in leaves:
        if len(leaf.shape) == 0:
            raise ShapeError(
                f"{name} must have a first axis, with one entry per sample.",
                got=f"the single number {leaf!s}.",
                fixes=f"np.asarray([{leaf!s}]) is one sample.",
            )
    sizes = {name: int(leaf.shape[0]) for name, leaf in leaves}
    if len(set(sizes.values())) > 1:
        _refuse_sizes(data, leaves, sizes)
    rows = next(iter(sizes.values()))
    if rows == 0:
        raise DataError(
            "There is no data: the arrays have no rows.",
            got=", ".join(f"{name} of shape {tuple(leaf.shape)}" for name, leaf in leaves) + ".",
            fixes="Look at the step that made the arrays: a filter may have dropped every sample.",
        )
    return rows


def _refuse_sizes(data: Batch, leaves: list[tuple[str, Any]], sizes: dict[str, int]) -> None:
    fixes = ["Give every array one row per sample, in the same order."]
    x = data[0]
    first = leaves[0][1].shape
    if isinstance(x, list | tuple) and len(x) == sizes.get("y") and len({leaf.shape for leaf in x}) == 1:
        fixes = [f"x = np.stack(x)  # one array of shape ({len(x)}, {', '.join(map(str, first))})"]
    elif "sample_weight" in sizes and sizes["sample_weight"] != sizes[leaves[0][0]]:
        fixes = [f"sample_weight needs {sizes[leaves[0][0]]} weights, one per sample."]
    raise ShapeError(
        "All of x, y and sample_weight need the same number of rows (samples).",
        got="; ".join(f"{name} has {sizes[name]} rows, shape {tuple(leaf.shape)}" for name, leaf in leaves)
        + ".",
        why="Row i of each array belongs to sample i.",
        fixes=fixes,
    )


def take_rows(data: Any, index: Any) -> Any:
    """Returns the rows `index` (a slice or an array of places) of every array in `data`."""
    return jax.tree_util.tree_map(lambda leaf: leaf[index], data)


def split_arrays(data: Batch, fraction: float) -> tuple[Batch, Batch]:
    """Splits off the last `fraction` of the rows, before any shuffling.

    Args:
        data: (x, y, sample_weight) of arrays.
        fraction: Share of the rows for validation, above 0 and below 1.

    Returns:
        The first rows and the last rows.

    Raises:
        ArgumentError: The fraction is out of range, or leaves one side empty.
    """
    if isinstance(fraction, bool) or not isinstance(fraction, int | float) or not 0 < fraction < 1:
        raise ArgumentError(
            "validation_split must be a fraction of the data, between 0 and 1.",
            got=f"validation_split={fraction!r}.",
            fixes="validation_split=0.2",
        )
    rows = check_rows(data)
    # The same floating-point expression as Keras', so that the border falls on the same row.
    border = int(np.floor(rows * (1.0 - fraction)))
    if border in (0, rows):
        raise ArgumentError(
            f"validation_split={fraction} leaves one side without data.",
            got=f"{rows} samples.",
            why=f"{rows} * (1 - {fraction}), rounded down = {border} to train on, {rows - border} left.",
            fixes=("Choose another fraction.", "Give validation_data=(x_val, y_val)."),
        )
    return take_rows(data, slice(None, border)), take_rows(data, slice(border, None))


def rounded_up(rows: int) -> int:
    """Returns a number of rows that many data sets of about this size share, at most an eighth more.

    Example:
        >>> [rounded_up(rows) for rows in (7, 100, 104, 1000)]
        [7, 104, 104, 1024]
    """
    grain = 1 << max(rows.bit_length() - 4, 0)
    return -(-rows // grain) * grain


def _to_device(leaf: Any) -> jax.Array:
    """Returns an array on the device, filled up with rows that no order names, so that data sets share programs."""
    host = np.asarray(leaf)
    more = rounded_up(len(host)) - len(host)
    if more and host.nbytes <= _LARGE_ARRAY:
        host = np.concatenate([host, np.zeros((more, *host.shape[1:]), host.dtype)])
    return jax.device_put(host)


class ArrayBatches(Batches):
    """Batches cut from arrays in memory.

    With `steps` below the number of batches in a pass, an epoch takes that many and the next epoch goes on
    from there; a new pass (and a new order) begins when the rows are used up.

    Args:
        data: (x, y, sample_weight), each a pytree of arrays or None.
        batch_size: Rows per batch.
        shuffle: False, True, or "batch" to move whole batches and keep the rows within each.
        steps: Batches per epoch; None for all.
        seed: Number from which the orders follow.

    Attributes:
        arrays: The triple of whole arrays, in the dtypes the device holds.
    """

    rows: int
    batch_size: int
    num_batches: int

    def __init__(
        self,
        data: Batch,
        batch_size: int = 32,
        shuffle: bool | str = False,
        steps: int | None = None,
        seed: int = 0,
    ) -> None:
        self.arrays = data
        self.rows = check_rows(data)
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.steps = steps
        self.batches_in_pass = -(-self.rows // batch_size)
        self.num_batches = self.batches_in_pass if steps is None else min(steps, self.batches_in_pass)
        leaves = jax.tree_util.tree_leaves(data)
        self.resident = not any(isinstance(leaf, LazyRows) for leaf in leaves)
        size = min(batch_size, self.rows)
        self.spec = jax.tree_util.tree_map(
            lambda leaf: jax.ShapeDtypeStruct((size, *leaf.shape[1:]), leaf.dtype), data
        )
        self._host: Batch | None = None
        self._device: Batch | None = None
        self._warned = False

    def on_device(self) -> Batch:
        """Returns the whole arrays on the device, with a few rows more that no order names; put there once."""
        if self._device is None:
            self._device = jax.tree_util.tree_map(_to_device, self.arrays)
        return self._device  # type: ignore[return-value]

    @property
    def _epochs_in_pass(self) -> int:
        return -(-self.batches_in_pass // self.num_batches)

    def _window(self, epoch: int) -> tuple[int, int, int]:
        """Returns (number of the pass, first batch, end) of an epoch."""
        number, part = divmod(epoch, self._epochs_in_pass)
        first = part * self.num_batches
        return number, first, min(first + self.num_batches, self.batches_in_pass)

    def steps_in(self, epoch: int) -> int:
        """Returns the number of batches of this very epoch."""
        _, first, end = self._window(epoch)
        return end - first

    def order(self, epoch: int) -> np.ndarray | None:
        """Returns the rows of one epoch in the order of training; None means 0, 1, ..., rows - 1.

        Args:
            epoch: Number of the epoch, counted from 0.

        Returns:
            An int32 array, cut every `batch_size` into the batches of this epoch.
        """
        self._warn_if_short(epoch)
        number, first, end = self._window(epoch)
        whole = (first, end) == (0, self.batches_in_pass)
        if not self.shuffle and whole:
            return None
        if not self.shuffle:
            order = np.arange(self.rows, dtype=np.int32)
        else:
            order = epoch_order(
                self.seed, number, self.rows, self.batch_size if self.shuffle == "batch" else None
            )
        return order[first * self.batch_size : end * self.batch_size]

    def _warn_if_short(self, epoch: int) -> None:
        """Warns, once, where an epoch has fewer batches than `steps` asks for."""
        count = self.steps_in(epoch)
        if self.steps is not None and count < self.steps and not self._warned:
            self._warned = True
            warnings.warn(
                f"The data ran out in epoch {epoch + 1}: {count} batches came, {self.steps} were expected. "
                f"There are {self.rows} samples, {self.batches_in_pass} batches of {self.batch_size}; "
                "leave out steps_per_epoch to use each sample once per epoch.",
                stacklevel=4,
            )

    def epoch(self, epoch: int = 0, start: int = 0) -> Iterator[Batch]:
        """Yields the batches of one epoch as host arrays, from batch `start` on."""
        order = self.order(epoch)
        count = self.rows if order is None else len(order)
        size, host = self.batch_size, self.on_host()
        for first in range(start * size, count, size):
            window = slice(first, min(first + size, count))
            yield take_rows(host, window if order is None else order[window])

    def on_host(self) -> Batch:
        """Returns the whole arrays where rows are taken from them by indexing."""
        if self._host is None:
            # JAX arrays are read back once: indexing them would compile a program per batch shape.
            self._host = jax.tree_util.tree_map(
                lambda leaf: np.asarray(leaf) if isinstance(leaf, jax.Array) else leaf, self.arrays
            )
        return self._host  # type: ignore[return-value]
