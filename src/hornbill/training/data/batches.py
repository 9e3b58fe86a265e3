"""The interface between user data and the training loop.

`Batches` says what one batch looks like, how many there are, and hands them out epoch by epoch. `pad_batch`
fills a short last batch up to the full size, so that one compiled program serves every batch.

Not for: reading user objects (`convert`, `arrays`, `streams`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from hornbill.engine.errors import ArgumentError

__all__ = ["Batch", "Batches", "batch_rows", "epoch_order", "pad_batch", "spec_of"]

Batch = tuple[Any, Any, Any]
"""A triple (x, y, sample_weight) of pytrees; what is missing is None."""


def epoch_order(seed: int, epoch: int, rows: int, chunk: int | None = None) -> np.ndarray:
    """Returns the order of `rows` rows in one epoch: a function of seed and epoch only.

    Args:
        seed: Drawn once when `fit` starts.
        epoch: Number of the epoch (or of the pass over the data).
        rows: How many rows to order.
        chunk: Where given, whole chunks of this many rows change places and a short last one stays last.

    Returns:
        An int32 array that holds each of 0 to rows - 1 once.
    """
    # Philox keyed by (seed, epoch): any epoch's order can be computed without drawing the earlier ones.
    generator = np.random.Generator(np.random.Philox(key=(seed % 2**64) << 64 | epoch))
    if chunk is None:
        return generator.permutation(rows).astype(np.int32)
    full = rows // chunk
    starts = generator.permutation(full).astype(np.int32) * chunk
    moved = (starts[:, None] + np.arange(chunk, dtype=np.int32)).reshape(-1)  # (chunks, chunk) -> (rows,)
    return np.concatenate([moved, np.arange(full * chunk, rows, dtype=np.int32)])


def batch_rows(batch: Any) -> int:
    """Returns the number of rows of a batch: the first dimension of its first array."""
    return int(np.shape(jax.tree_util.tree_leaves(batch)[0])[0])


def spec_of(batch: Any) -> Any:
    """Returns the pytree of `jax.ShapeDtypeStruct` that describes `batch`."""
    return jax.tree_util.tree_map(lambda leaf: jax.ShapeDtypeStruct(np.shape(leaf), leaf.dtype), batch)


def pad_batch(batch: Any, size: int) -> tuple[Any, np.ndarray | None]:
    """Repeats the last row of a short batch until it has `size` rows.

    Args:
        batch: A pytree of arrays with the same first dimension.
        size: Rows wanted.

    Returns:
        The batch and a float32 mask (size,) with 1 for real rows; the batch itself and None if it was full.

    Example:
        >>> pad_batch(np.arange(2), 3)
        (array([0, 1, 1]), array([1., 1., 0.], dtype=float32))
    """
    rows = batch_rows(batch)
    if rows >= size:
        return batch, None
    index = np.minimum(np.arange(size), rows - 1)
    mask = (np.arange(size) < rows).astype(np.float32)
    return jax.tree_util.tree_map(lambda leaf: np.asarray(leaf)[index], batch), mask


class Batches:
    """Data as the training loop sees it.

    Attributes:
        spec: (x, y, sample_weight) of `jax.ShapeDtypeStruct` for one full batch, missing parts None.
        batch_size: Rows of a full batch.
        num_batches: Batches in one epoch; None where the source does not say.
        rows: Samples in one pass over the data; None where the source does not say.
        resident: True where all data is plain arrays in memory.
        seed: The number from which every epoch's order follows.
    """

    spec: Any = None
    batch_size: int | None = None
    num_batches: int | None = None
    rows: int | None = None
    resident: bool = False
    seed: int = 0

    @property
    def exhausted(self) -> bool:
        """True where no further epoch can give any batch: a generator that has ended."""
        return False

    def steps_in(self, epoch: int) -> int | None:
        """Returns the number of batches of this very epoch, or None where the source does not say."""
        return self.num_batches

    def epoch(self, epoch: int = 0, start: int = 0) -> Iterator[Batch]:
        """Yields the batches (x, y, sample_weight) of one epoch.

        Args:
            epoch: Number of the epoch; it decides the order.
            start: First batch wanted, for a run that goes on in the middle of an epoch.

        Yields:
            Triples of pytrees; the last one may have fewer rows.
        """
        raise NotImplementedError

    def __iter__(self) -> Iterator[Batch]:
        return self.epoch(0)

    def state(self) -> dict[str, Any]:
        """Returns what a later run needs to repeat the same order, as JSON-able values."""
        return {"seed": self.seed}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes over what `state` returned in an earlier run."""
        if "seed" not in state:
            raise ArgumentError("Batches.restore: state must hold 'seed'.", got=f"keys {sorted(state)}.")
        self.seed = int(state["seed"])
