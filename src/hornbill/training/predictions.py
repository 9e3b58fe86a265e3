"""Predictions batch by batch, or several batches in one compiled call where a loop over them pays (see `stretch`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hornbill.callbacks.callback_list import CallbackList
from hornbill.training.accelerator import compiler_options
from hornbill.training.data.arrays import ArrayBatches
from hornbill.training.data.batches import Batches, batch_rows, pad_batch
from hornbill.training.stretch import stretch_pays, work_of

__all__ = ["predictions"]

_MANY, _MANY_WORK = 16, 10**10  # batches in one call, and their multiply-adds at most
_FEW, _FEW_WORK = 4, 10**11
_MOST_BYTES = 1 << 27  # of inputs and outputs of one call


def predictions(model: Any, batches: Batches, callbacks: CallbackList) -> Iterator[tuple[int, Any]]:
    """Yields `(number of the last batch, outputs)` call by call, without rows that only filled a batch up.

    Args:
        model: The model, prepared for "predict".
        batches: The data.
        callbacks: Told of the beginning of each call; whoever takes the outputs tells them of its end.
    """
    count = 0 if callbacks.wants_predict_batches else _batches_in_a_call(model, batches)
    if count and isinstance(batches, ArrayBatches):
        yield from _several_at_a_time(model, batches, callbacks, count)
    else:
        yield from _one_by_one(model, batches, callbacks)


def _one_by_one(model: Any, batches: Batches, callbacks: CallbackList) -> Iterator[tuple[int, Any]]:
    size = batches.batch_size or 0
    for step, batch in enumerate(batches.epoch(0)):
        callbacks.on_predict_batch_begin(step)
        x, rows = batch[0], batch_rows(batch)
        if step and rows < size and model._can_pad("predict"):
            x, _ = pad_batch(x, size)
        outputs = model._steps.run("predict", (x, None, None, None))
        yield step, _first_rows(outputs, rows, batch_rows(x))


def _several_at_a_time(
    model: Any, batches: ArrayBatches, callbacks: CallbackList, count: int
) -> Iterator[tuple[int, Any]]:
    steps, size = model._steps, batches.batch_size
    loop = steps.kept("predict", lambda: _loop_of(steps.function("predict")))
    for call, chunk in enumerate(ArrayBatches(batches.arrays, count * size).epoch()):
        callbacks.on_predict_batch_begin(call * count)
        x, rows = chunk[0], batch_rows(chunk)
        if rows < count * size:
            x, _ = pad_batch(x, count * size)
        used = -(-rows // size)
        tv, ntv, *_ = steps.gather("predict")
        outputs, changed = loop(tv, ntv, x, np.int32(used), size=size)
        steps.write_changed(changed)
        yield call * count + used - 1, _first_rows(outputs, rows, count * size)


def _first_rows(outputs: Any, rows: int, all_rows: int) -> Any:
    if rows == all_rows:
        return outputs
    return jax.tree_util.tree_map(lambda leaf: np.asarray(leaf)[:rows], outputs)


def _batches_in_a_call(model: Any, batches: Batches) -> int:
    """Returns how many batches one call predicts; 0 if each has a call of its own."""
    if not isinstance(batches, ArrayBatches) or not model._runs_compiled:
        return 0
    count, size = batches.num_batches, batches.batch_size
    if count < _FEW or count != batches.batches_in_pass:
        return 0
    if batches.rows % size and not model._can_pad("predict"):
        return 0
    batch = (batches.spec[0], None, None, None)
    if not stretch_pays(model._steps, "predict", batch):
        return 0
    work = work_of(model._steps, "predict", batch)
    outputs = jax.eval_shape(model._steps.function("predict"), *model._steps.gather("predict")[:2], batch)[0]
    leaves = jax.tree_util.tree_leaves((batch, outputs))
    if any(leaf.shape[:1] != (size,) for leaf in leaves):  # not one row of output for each of input
        return 0
    held = sum(leaf.size * leaf.dtype.itemsize for leaf in leaves)
    for several, most in ((_MANY, _MANY_WORK), (_FEW, _FEW_WORK)):
        if several * work <= most and several * held <= _MOST_BYTES:
            return several
    return 0


def _loop_of(step: Callable[..., Any]) -> Any:
    """Returns the compiled loop over the first `used` batches of `size` rows each."""

    def run(tv: Any, ntv: Any, x: Any, used: Any, size: int) -> Any:
        def predict(i: Any, changed: Any) -> Any:
            part = jax.tree_util.tree_map(lambda leaf: lax.dynamic_slice_in_dim(leaf, i * size, size), x)
            values = [changed.get(place, value) for place, value in enumerate(ntv)]
            return step(tv, values, (part, None, None, None))

        def body(i: Any, carry: Any) -> Any:
            kept, changed = carry
            outputs, changed = predict(i, changed)
            kept = jax.tree_util.tree_map(
                lambda all_of, one: lax.dynamic_update_slice_in_dim(all_of, one, i * size, 0), kept, outputs
            )
            return kept, changed

        shapes, changes = jax.eval_shape(predict, jnp.int32(0), {})
        rows = batch_rows((x,))
        kept = jax.tree_util.tree_map(lambda leaf: jnp.zeros((rows, *leaf.shape[1:]), leaf.dtype), shapes)
        return lax.fori_loop(0, used, body, (kept, {place: ntv[place] for place in changes}))

    return jax.jit(run, static_argnames="size", compiler_options=compiler_options())
