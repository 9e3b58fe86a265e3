"""Many steps in one compiled call.

A compiled loop runs over rows that lie on the device: all of the data, put there once, if steps are short and it is not
too large, else the rows of the steps that one call runs. That saves what it costs to start a step, and for large steps
the pages of their temporary memory, which the system hands out anew for every call. Whether it pays follows from the
step's trace alone, so that equal programs give equal numbers whatever the machine is doing; only how many steps one
call runs is measured.
"""

from __future__ import annotations

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbill.training.accelerator import compiler_options, on_accelerator
from hornbill.training.data.arrays import ArrayBatches, rounded_up, take_rows
from hornbill.training.step import Steps

__all__ = ["Stretch", "open_stretch", "stretch_pays", "work_of"]

_CHUNK_SECONDS = 0.1
# Of long steps, as many in one call as spare memory pages and still heed Ctrl-C.
_LONG_STEPS, _LONG_SECONDS = 4, 1.5
# Before a step is timed: steps in one call, and their multiply-adds.
_FIRST_CHUNK, _FIRST_WORK = 32, 10**10
# Up to this many multiply-adds of a step and bytes of data, all of the data lies on the device.
_RESIDENT_WORK, _RESIDENT_BYTES = 10**9, 2**29
_ACCELERATION = 1000  # how much more work an accelerator does than a CPU in the same time, roughly
_NEVER = 2**31 - 1
_MOST_EPOCHS, _MOST_STEPS, _MOST_LINES = 256, 1000, 2**20
_MOST_CONVOLUTIONS = 200_000
"""Multiply-adds of XLA's convolutions up to which a loop is faster than single steps on a CPU: XLA runs their gradients
inside loops by a generic path, about twenty times slower than outside (docs/design.md). Matrix products,
hornbill-native's convolutions and an accelerator's run as fast inside."""


def open_stretch(model: Any, kind: str, batches: Any, mask: Any, wants_batches: bool) -> Stretch | None:
    """Returns the compiled loop for a data set, if it may be used and runs faster than single calls.

    Args:
        model: The model, prepared for `kind`.
        kind: "train" or "test".
        batches: The data.
        mask: Row mask of a full batch, where short ones are filled up; or None.
        wants_batches: Whether a callback wants to be told of every batch (or every `steps_per_execution` batches).
    """
    if not isinstance(batches, ArrayBatches) or not batches.resident or batches.shuffle == "batch":
        return None
    if (wants_batches and model.steps_per_execution == 1) or not model._runs_compiled:
        return None
    if not stretch_pays(model._steps, kind, (*batches.spec, mask)):
        return None
    return Stretch(model._steps, kind, batches, mask, model.steps_per_execution)


def stretch_pays(steps: Steps, kind: str, batch: Any) -> bool:
    """Returns whether a loop runs steps on batches like `batch` faster than single calls."""
    return on_accelerator() or steps.workload(kind, batch).convolutions <= _MOST_CONVOLUTIONS


def work_of(steps: Steps, kind: str, batch: Any) -> int:
    """Returns the multiply-adds of a step, or as many as a CPU does in an accelerator's time for it."""
    work = steps.workload(kind, batch).all
    return work // _ACCELERATION if on_accelerator() else work


class Stretch:
    """A compiled loop of steps over data in memory.

    Args:
        steps: The model's steps; they keep the compiled loop for the next run.
        kind: "train" or "test".
        batches: Data in memory.
        mask: Row mask of a full batch, if a short last batch is filled up and its added rows masked; with None it is
            left out.
        steps_per_execution: How many steps one call runs; with 1 about as many as a tenth of a second takes.
    """

    def __init__(
        self, steps: Steps, kind: str, batches: ArrayBatches, mask: Any, steps_per_execution: int
    ) -> None:
        self._steps, self._kind, self._batches, self._masked = steps, kind, batches, mask is not None
        self._asked = steps_per_execution
        work = work_of(steps, kind, (*batches.spec, mask))
        self._first_chunk = max(1, min(_FIRST_CHUNK, _FIRST_WORK // max(1, work)))
        self._size = min(batches.batch_size, batches.rows)
        held = sum(leaf.nbytes for leaf in jax.tree_util.tree_leaves(batches.arrays))
        self._resident = work <= _RESIDENT_WORK and held <= _RESIDENT_BYTES
        self._most = steps_per_execution if steps_per_execution > 1 else max(_LONG_STEPS, self._first_chunk)
        self._loop = steps.kept(kind, lambda: _loop_of(steps.with_state(kind), kind))
        self._key = kind, self._size
        self._last: Any = None  # logs of the call before

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
        count = max(1, min(end - first, self._steps_in_a_chunk()))
        arrays = None
        if not self._resident:
            count = min(count, self._most)
            taken = lines[first * self._size : (first + count) * self._size]
            taken = np.pad(taken, (0, self._most * self._size - len(taken)), mode="edge")
            arrays, lines = take_rows(self._batches.on_host(), taken), np.arange(len(taken), dtype=np.int32)
        offset = 0 if self._resident else first
        numbers = map(np.int32, (rows - offset * self._size, offset, first, count))
        logs, no_number = self._timed(count, self._loop, arrays, lines, *numbers)
        return count, logs, no_number

    @property
    def takes_whole_epochs(self) -> bool:
        """Whether the loop runs every batch of an epoch, each epoch all rows, and soon enough to heed Ctrl-C."""
        batches = self._batches
        every = self._resident and (self._masked or batches.rows % self._size == 0)
        return every and batches.num_batches == batches.batches_in_pass <= _MOST_STEPS

    def run_epochs(self, first: int, end: int) -> tuple[list[dict[str, Any]], list[int]]:
        """Runs about a tenth of a second of whole epochs in one call.

        Args:
            first: Epoch to start at.
            end: Epoch to stop before.

        Returns:
            `(logs of each epoch, first step of each whose loss was no number)`.
        """
        lines, rows, steps = self.lines(first)
        room = max(1, min(_MOST_EPOCHS, _MOST_LINES // len(lines)))  # whatever the run's length: one program
        count = max(1, min(end - first, room, self._steps_in_a_chunk() // steps))
        more = [self.lines(first + i)[0] for i in range(1, count)]
        table = np.stack([lines, *more] + [lines] * (room - count))  # (room, rows)
        loop = self._steps.kept("epochs", lambda: _epochs_of(self._steps))
        logs, no_number = self._timed(
            count * steps, loop, None, table, np.int32(rows), np.int32(steps), np.int32(count)
        )
        logs, no_number = jax.device_get((logs, no_number))
        each = [{name: value[i] for name, value in logs.items()} for i in range(count)]
        return each, no_number[:count].tolist()

    def _steps_in_a_chunk(self) -> int:
        if self._asked > 1:
            return self._asked
        if self._seconds is None:
            return self._first_chunk
        few = min(_LONG_STEPS, int(_LONG_SECONDS / self._seconds))
        return max(few, int(_CHUNK_SECONDS / self._seconds))

    @property
    def _seconds(self) -> float | None:
        """How long one step takes, if that was measured in this run or an earlier one."""
        return self._steps.seconds.get(self._key)

    def _timed(self, count: int, loop: Any, arrays: Any, *arguments: Any) -> tuple[Any, Any]:
        """Runs a loop and writes the state back; the second call, which compiles nothing, is timed."""
        measured = self._seconds is None and self._last is not None
        if measured:
            jax.block_until_ready(self._last)
        begin = time.perf_counter()
        arrays = self._batches.on_device() if arrays is None else arrays
        state, logs, no_number = loop(
            self._steps.gather(self._kind), arrays, *arguments, size=self._size, masked=self._masked
        )
        self._steps.write_back(self._kind, state)
        if measured:
            jax.block_until_ready(logs)
            self._steps.seconds[self._key] = (time.perf_counter() - begin) / count
        self._last = logs
        return logs, no_number


def _steps_loop(
    step: Any,
    kind: str,
    state: Any,
    arrays: Any,
    lines: Any,
    rows: Any,
    offset: Any,
    first: Any,
    count: Any,
    size: int,
    masked: bool,
) -> Any:
    """Runs `count` steps `(state, batch) -> (logs, state)` from `first` on; `lines` begin with batch `offset`. Traced.

    Returns:
        `(state, logs of the last step, first step whose loss was no number)`.
    """

    def batch(i: Any) -> Any:
        i = i - offset
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

    logs = jax.eval_shape(step, state, batch(first))[0]
    start = jax.tree_util.tree_map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), logs)
    carry = (tuple(state[len(fixed) :]), start, jnp.int32(_NEVER))
    rest, logs, no_number = jax.lax.fori_loop(0, count, body, carry)
    return (*fixed, *rest), logs, no_number


def _loop_of(step: Any, kind: str) -> Any:
    """Returns the compiled loop over steps of one epoch."""

    def run(
        state: Any,
        arrays: Any,
        lines: Any,
        rows: Any,
        offset: Any,
        first: Any,
        count: Any,
        size: int,
        masked: bool,
    ) -> Any:
        return _steps_loop(step, kind, state, arrays, lines, rows, offset, first, count, size, masked)

    return _compiled(run, donate_argnums=0 if kind == "train" else ())


def _epochs_of(steps: Steps) -> Any:
    """Returns the compiled loop over whole epochs of training, each with fresh metrics."""
    step = steps.with_state("train")

    def run(
        state: Any, arrays: Any, table: Any, rows: Any, count: Any, epochs: Any, size: int, masked: bool
    ) -> Any:
        def epoch(state: Any, lines: Any) -> Any:
            fresh = (*state[:3], steps.reset_values(state[3]))
            start = jnp.int32(0)
            return _steps_loop(step, "train", fresh, arrays, lines, rows, start, start, count, size, masked)

        def body(i: Any, carry: Any) -> Any:
            state, *kept = carry
            state, *found = epoch(state, table[i])
            return state, *jax.tree_util.tree_map(lambda all_of, one: all_of.at[i].set(one), kept, found)

        _, *shapes = jax.eval_shape(epoch, state, table[0])
        start = jax.tree_util.tree_map(lambda leaf: jnp.zeros((len(table), *leaf.shape), leaf.dtype), shapes)
        return jax.lax.fori_loop(0, epochs, body, (state, *start))

    return _compiled(run, donate_argnums=0)


def _compiled(run: Any, donate_argnums: Any) -> Any:
    return jax.jit(
        run,
        donate_argnums=donate_argnums,
        static_argnames=("size", "masked"),
        compiler_options=compiler_options(),
    )


def _is_number(logs: Any) -> Any:
    """Returns whether the loss among the logs is a number; True where there is no single loss."""
    loss = logs.get("loss") if isinstance(logs, dict) else None
    return True if loss is None or jnp.ndim(loss) else jnp.isfinite(loss)
