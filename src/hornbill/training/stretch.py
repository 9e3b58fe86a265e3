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
        total_steps: Steps of the whole run.
    """

    def __init__(self, total_steps: int) -> None:
        self.total_steps = total_steps
        self.done = 0
        self.compile_seconds = 0.0
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
            self.compile_seconds = time.perf_counter() - self._start
        elif self.done == 1 + _WINDOW:
            jax.block_until_ready(result)
            self.step_seconds = (time.perf_counter() - self._start) / _WINDOW

    @property
    def worthwhile(self) -> bool:
        """Whether the steps that are left can repay compiling a stretch."""
        if self.step_seconds is None or self.step_seconds > _SHORT_STEP:
            return False
        left = self.total_steps - self.done
        return 0.5 * left * self.step_seconds > self.compile_seconds


class Stretch:
    """A compiled loop of training steps over resident data.

    Args:
        steps: The model's steps.
        arrays: `(x, y, sample_weight)` with all rows.
        batch_size: Rows per step.
        single_seconds: What a step takes by itself, to be beaten.
    """

    def __init__(self, steps: Steps, arrays: Any, batch_size: int, single_seconds: float) -> None:
        self._steps, self._batch_size = steps, batch_size
        self._single_seconds = single_seconds
        self._arrays = jax.tree_util.tree_map(jax.device_put, arrays)
        self._call: Any = None
        self._seconds: float | None = None
        self.faster = True

    def _compile(self, order: jax.Array) -> None:
        step = self._steps.function("train")
        sample = self._batch(order, 0)
        state = self._steps.gather("train")
        logs = jax.eval_shape(step, state, sample)[0]
        start_logs = jax.tree_util.tree_map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), logs)

        def run(state: Any, arrays: Any, order: Any, first: Any, count: Any) -> Any:
            def body(i: Any, carry: Any) -> Any:
                state, _ = carry
                index = jax.lax.dynamic_index_in_dim(order, first + i, keepdims=False)
                batch = jax.tree_util.tree_map(lambda leaf: leaf[index], arrays)
                logs, state = step(state, (*batch, None))
                return state, logs

            return jax.lax.fori_loop(0, count, body, (state, start_logs))

        lowered = jax.jit(run, donate_argnums=0).lower(state, self._arrays, order, jnp.int32(0), jnp.int32(1))
        self._call = lowered.compile()

    def _batch(self, order: Any, i: int) -> Any:
        index = order[i]
        return (*jax.tree_util.tree_map(lambda leaf: leaf[index], self._arrays), None)

    def run(self, order: np.ndarray, first: int) -> tuple[int, Any]:
        """Runs about a tenth of a second of steps.

        Args:
            order: Row numbers, one line per batch.
            first: Batch to start at.

        Returns:
            `(number of steps run, logs of the last)`.
        """
        rows = jnp.asarray(order)  # (batches, batch_size)
        if self._call is None:
            self._compile(rows)
        left = len(order) - first
        per_step = self._seconds or self._single_seconds
        count = max(1, min(left, int(_CHUNK_SECONDS / per_step)))
        begin = time.perf_counter()
        state, logs = self._call(self._steps.gather("train"), self._arrays, rows, np.int32(first), np.int32(count))
        jax.block_until_ready(logs)
        self._steps.write_back("train", state)
        measured = (time.perf_counter() - begin) / count
        self._seconds = measured if self._seconds is None else min(self._seconds, measured)
        if count >= _WINDOW and self._seconds > self._single_seconds:
            self.faster = False
        return count, logs
