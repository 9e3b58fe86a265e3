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

from hornbill.training.step import Steps
from hornbill.training.workload import workload_of

__all__ = ["Stretch", "stretch_pays"]

_CHUNK_SECONDS = 0.1
_FIRST_CHUNK = 32
_NEVER = 2**31 - 1
_MOST_PRODUCTS = 100_000_000
_MOST_CONVOLUTIONS = 200_000
"""Multiply-adds up to which a loop is faster than single steps on a CPU. XLA runs the gradients of convolutions inside
loops by a generic path, about twenty times slower than outside (docs/design.md)."""
_LARGE_ARRAY = 64 * 2**20


def stretch_pays(steps: Steps, batch: Any) -> bool:
    """Returns whether a loop runs training steps on batches like `batch` faster than single calls."""
    work = workload_of(steps.function("train").trace(steps.gather("train"), batch).jaxpr)  # type: ignore[attr-defined]
    return work.convolutions <= _MOST_CONVOLUTIONS and work.products <= _MOST_PRODUCTS


def _rounded_up(rows: int) -> int:
    """Returns a number of rows that many data sets of about this size share, at most an eighth more."""
    grain = 1 << max(rows.bit_length() - 4, 0)
    return -(-rows // grain) * grain


class Stretch:
    """A compiled loop of training steps over resident data.

    Args:
        steps: The model's steps; they keep the compiled loop for the next run.
        arrays: `(x, y, sample_weight)` with all rows.
        batch_size: Rows of a batch.
        masked: Whether a short last batch is filled up and its added rows masked; else it is left out.
    """

    def __init__(self, steps: Steps, arrays: Any, batch_size: int, masked: bool) -> None:
        self._steps, self._size, self._masked = steps, batch_size, masked
        self._arrays = jax.tree_util.tree_map(_resident, arrays)
        self._loop = steps.stretch(lambda: _loop_of(steps.function("train")))
        self._seconds: float | None = None  # of one step
        self._started = False

    def lines(self, order: np.ndarray) -> tuple[np.ndarray, int]:
        """Returns the row numbers of an epoch as the loop takes them, and how many batches it runs.

        Args:
            order: Rows of the epoch, in the order of training.
        """
        count = -(-len(order) // self._size) if self._masked else len(order) // self._size
        wanted = _rounded_up(max(count * self._size, len(order)))
        fill = np.full(wanted - len(order), order[-1], order.dtype)
        return np.concatenate([order, fill]), count  # (wanted,)

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
            self._steps.gather("train"), self._arrays, lines, np.int32(rows), np.int32(first),
            np.int32(count), size=self._size, masked=self._masked,
        )  # fmt: skip
        self._steps.write_back("train", state)
        if self._seconds is None and self._started:  # the first call may have compiled
            jax.block_until_ready(logs)
            self._seconds = (time.perf_counter() - begin) / count
        self._started = True
        return count, logs, no_number


def _resident(leaf: Any) -> jax.Array:
    """Returns an array on the device, filled up with rows that no order names, so that data sets share programs."""
    host = np.asarray(leaf)
    more = _rounded_up(len(host)) - len(host)
    if more and host.nbytes <= _LARGE_ARRAY:
        host = np.concatenate([host, np.zeros((more, *host.shape[1:]), host.dtype)])
    return jax.device_put(host)


def _loop_of(step: Any) -> Any:
    """Returns the compiled loop over a training step."""

    def run(
        state: Any, arrays: Any, lines: Any, rows: Any, first: Any, count: Any, size: int, masked: bool
    ) -> Any:
        def batch(i: Any) -> Any:
            places = i * size + jnp.arange(size, dtype=jnp.int32)  # (size,)
            index = jax.lax.dynamic_slice_in_dim(lines, i * size, size)  # (size,)
            part = jax.tree_util.tree_map(lambda leaf: leaf[index], arrays)
            return (*part, (places < rows).astype(jnp.float32) if masked else None)

        def body(i: Any, carry: Any) -> Any:
            state, _, no_number = carry
            logs, state = step(state, batch(first + i))
            return state, logs, jnp.where(_is_number(logs), no_number, jnp.minimum(no_number, first + i))

        logs = jax.eval_shape(step, state, batch(jnp.int32(0)))[0]
        start = jax.tree_util.tree_map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), logs)
        return jax.lax.fori_loop(0, count, body, (state, start, jnp.int32(_NEVER)))

    return jax.jit(run, donate_argnums=0, static_argnames=("size", "masked"))


def _is_number(logs: Any) -> Any:
    """Returns whether the loss among the logs is a number; True where there is no single loss."""
    loss = logs.get("loss") if isinstance(logs, dict) else None
    return True if loss is None or jnp.ndim(loss) else jnp.isfinite(loss)
