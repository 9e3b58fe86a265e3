"""Many short steps in one compiled call.

When a step takes little more than what it costs to start one, the data is put on the device once and a compiled loop
runs over its rows. Whether that pays follows from the step's trace alone, so that equal programs give equal numbers
whatever the machine is doing; only how many steps one call runs is measured.
"""

from __future__ import annotations

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbill.training.data.arrays import ArrayBatches, rounded_up
from hornbill.training.step import Steps

__all__ = ["Stretch", "open_stretch", "stretch_pays"]

_CHUNK_SECONDS = 0.1
_FIRST_CHUNK = 32
_NEVER = 2**31 - 1
_MOST_PRODUCTS = 100_000_000
_MOST_CONVOLUTIONS = 200_000
"""Multiply-adds up to which a loop is faster than single steps on a CPU. XLA runs the gradients of convolutions inside
loops by a generic path, about twenty times slower than outside (docs/design.md)."""


def open_stretch(model: Any, kind: str, batches: Any, mask: Any, wants_batches: bool) -> Stretch | None:
    """Returns the compiled loop for a data set, if it may be used and runs faster than single calls.

    Args:
        model: The model, prepared for `kind`.
        kind: "train" or "test".
        batches: The data.
        mask: Row mask of a full batch, where short ones are filled up; or None.
        wants_batches: Whether a callback wants to be told of every batch.
    """
    if not isinstance(batches, ArrayBatches) or not batches.resident or batches.shuffle == "batch":
        return None
    if wants_batches or not model._runs_compiled or batches.rows < batches.batch_size:
        return None
    if not stretch_pays(model._steps, kind, (*batches.spec, mask)):
        return None
    return Stretch(model._steps, kind, batches, mask is not None)


def stretch_pays(steps: Steps, kind: str, batch: Any) -> bool:
    """Returns whether a loop runs steps on batches like `batch` faster than single calls."""
    work = steps.workload(kind, batch)
    return work.convolutions <= _MOST_CONVOLUTIONS and work.products <= _MOST_PRODUCTS


class Stretch:
    """A compiled loop of steps over resident data.

    Args:
        steps: The model's steps; they keep the compiled loop for the next run.
        kind: "train" or "test".
        batches: Data in memory, of at least one full batch.
        masked: Whether a short last batch is filled up and its added rows masked; else it is left out.
    """

    def __init__(self, steps: Steps, kind: str, batches: ArrayBatches, masked: bool) -> None:
        self._steps, self._kind, self._batches, self._masked = steps, kind, batches, masked
        self._size = batches.batch_size
        self._loop = steps.stretch(kind, _loop_of)
        self._seconds: float | None = None  # of one step
        self._started = False

    def lines(self, epoch: int) -> tuple[np.ndarray, int, int]:
        """Returns the row numbers of an epoch as the loop takes them, how many are real, how many batches it runs."""
        order = self._batches.order(epoch)
        if order is None:
            order = np.arange(self._batches.rows, dtype=np.int32)
        count = -(-len(order) // self._size) if self._masked else len(order) // self._size
        wanted = rounded_up(max(count * self._size, len(order)))
        fill = np.full(wanted - len(order), order[-1], order.dtype)
        return np.concatenate([order, fill]), len(order), count  # (wanted,)

    def run(self, lines: np.ndarray, rows: int, first: int, end: int) -> tuple[int, Any, Any]:
        """Runs about a tenth of a second of steps.

        Args:
            lines: Row numbers, from `lines`.
            rows: How many of them are real.
            first: Batch to start at.
            end: Batch to stop before.

        Returns:
            `(number of steps run, logs of the last, first step whose loss was no number)`.
        """
        wanted = _FIRST_CHUNK if self._seconds is None else int(_CHUNK_SECONDS / self._seconds)
        count = max(1, min(end - first, wanted))
        begin = time.perf_counter()
        state, logs, no_number = self._loop(
            self._steps.gather(self._kind), self._batches.on_device(), lines, np.int32(rows), np.int32(first),
            np.int32(count), size=self._size, masked=self._masked,
        )  # fmt: skip
        self._steps.write_back(self._kind, state)
        if self._seconds is None and self._started:  # the first call may have compiled
            jax.block_until_ready(logs)
            self._seconds = (time.perf_counter() - begin) / count
        self._started = True
        return count, logs, no_number


def _loop_of(step: Any, kind: str) -> Any:
    """Returns the compiled loop over a step `(state, batch) -> (logs, state)`."""

    def run(
        state: Any, arrays: Any, lines: Any, rows: Any, first: Any, count: Any, size: int, masked: bool
    ) -> Any:
        def batch(i: Any) -> Any:
            places = i * size + jnp.arange(size, dtype=jnp.int32)  # (size,)
            index = jax.lax.dynamic_slice_in_dim(lines, i * size, size)  # (size,)
            part = jax.tree_util.tree_map(lambda leaf: leaf[index], arrays)
            return (*part, (places < rows).astype(jnp.float32) if masked else None)

        fixed = state[:1] if kind == "test" else ()  # the weights, which a test leaves alone

        def body(i: Any, carry: Any) -> Any:
            rest, _, no_number = carry
            logs, new = step((*fixed, *rest), batch(first + i))
            no_number = jnp.where(_is_number(logs), no_number, jnp.minimum(no_number, first + i))
            return tuple(new[len(fixed) :]), logs, no_number

        logs = jax.eval_shape(step, state, batch(jnp.int32(0)))[0]
        start = jax.tree_util.tree_map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), logs)
        carry = (tuple(state[len(fixed) :]), start, jnp.int32(_NEVER))
        rest, logs, no_number = jax.lax.fori_loop(0, count, body, carry)
        return (*fixed, *rest), logs, no_number

    donated = 0 if kind == "train" else ()
    return jax.jit(run, donate_argnums=donated, static_argnames=("size", "masked"))


def _is_number(logs: Any) -> Any:
    """Returns whether the loss among the logs is a number; True where there is no single loss."""
    loss = logs.get("loss") if isinstance(logs, dict) else None
    return True if loss is None or jnp.ndim(loss) else jnp.isfinite(loss)
