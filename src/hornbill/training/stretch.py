"""Many short steps in one compiled call.

When a step takes less than what it costs to start one, the data is put on the device once and a compiled loop runs
over its rows. Whether that pays is measured: the loop is compiled only if what it can save is more than it costs to
compile, and kept only if it turns out faster.
"""

from __future__ import annotations

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbill.training.step import Steps

__all__ = ["Pace", "Stretch"]

_CHUNK_SECONDS = 0.1
_SHORT_STEP = 3e-3
_WINDOW = 20


class Pace:
    """Times single steps and says when a stretch is worth compiling.

    Args:
        steps: The model's steps, which remember what compiling took.
        total_steps: Steps of the whole run.
    """

    def __init__(self, steps: Steps, total_steps: int) -> None:
        self._steps, self.total_steps = steps, total_steps
        self.done = 0
        self.step_seconds: float | None = None
        self._start = 0.0

    def before(self) -> None:
        """Notes the start of a window of steps."""
        if self.done in (0, 1):
            self._start = time.perf_counter()

    def after(self, result: Any) -> None:
        """Notes the end of a step."""
        self.done += 1
        if self.done == 1:
            jax.block_until_ready(result)
            first = time.perf_counter() - self._start
            self._steps.compile_seconds = max(self._steps.compile_seconds, first)
        elif self.done == 1 + _WINDOW:
            jax.block_until_ready(result)
            self.step_seconds = (time.perf_counter() - self._start) / _WINDOW

    @property
    def worthwhile(self) -> bool:
        """Whether the steps that are left can repay compiling a stretch."""
        if self.step_seconds is None or self.step_seconds > _SHORT_STEP:
            return False
        left = self.total_steps - self.done
        cost = 0.0 if self._steps.stretches else self._steps.compile_seconds
        return 0.5 * left * self.step_seconds > cost


class Stretch:
    """A compiled loop of training steps over resident data.

    Args:
        steps: The model's steps; they keep the compiled loop for the next run.
        arrays: `(x, y, sample_weight)` with all rows.
        mask: Row mask of a full batch, where short ones are padded; or None.
        single_seconds: What a step takes by itself, to be beaten.
    """

    def __init__(self, steps: Steps, arrays: Any, mask: Any, single_seconds: float) -> None:
        self._steps, self._mask, self._single_seconds = steps, mask, single_seconds
        self._arrays = jax.tree_util.tree_map(jax.device_put, arrays)
        self._seconds: list[float] = []

    @property
    def faster(self) -> bool:
        """Whether stretches were not found slower than single steps."""
        return len(self._seconds) < 3 or min(self._seconds) <= self._single_seconds

    def _compiled(self, order: jax.Array) -> Any:
        state = self._steps.gather("train")
        arguments = (state, self._arrays, order, np.int32(0), np.int32(1))
        key = tuple((leaf.shape, str(leaf.dtype)) for leaf in jax.tree_util.tree_leaves(arguments[1:]))
        if key not in self._steps.stretches:
            self._steps.stretches.clear()
            self._steps.stretches[key] = self._compile(arguments)
        return self._steps.stretches[key]

    def _compile(self, arguments: Any) -> Any:
        step, mask = self._steps.function("train"), self._mask
        state, arrays, order, _, _ = arguments
        sample = (*jax.tree_util.tree_map(lambda leaf: leaf[order[0]], arrays), mask)
        logs = jax.eval_shape(step, state, sample)[0]
        start_logs = jax.tree_util.tree_map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), logs)

        def run(state: Any, arrays: Any, order: Any, first: Any, count: Any) -> Any:
            def body(i: Any, carry: Any) -> Any:
                state, _ = carry
                index = jax.lax.dynamic_index_in_dim(order, first + i, keepdims=False)
                batch = jax.tree_util.tree_map(lambda leaf: leaf[index], arrays)
                logs, state = step(state, (*batch, mask))
                return state, logs

            return jax.lax.fori_loop(0, count, body, (state, start_logs))

        return jax.jit(run, donate_argnums=0).lower(*arguments).compile()

    def run(self, order: np.ndarray, first: int) -> tuple[int, Any]:
        """Runs about a tenth of a second of steps.

        Args:
            order: Row numbers, one line per batch.
            first: Batch to start at.

        Returns:
            `(number of steps run, logs of the last)`.
        """
        rows = jnp.asarray(order)  # (batches, batch_size)
        call = self._compiled(rows)
        per_step = min([*self._seconds, self._single_seconds])
        count = max(1, min(len(order) - first, int(_CHUNK_SECONDS / per_step)))
        begin = time.perf_counter()
        state, logs = call(self._steps.gather("train"), self._arrays, rows, np.int32(first), np.int32(count))
        jax.block_until_ready(logs)
        self._steps.write_back("train", state)
        self._seconds.append((time.perf_counter() - begin) / count)
        return count, logs
