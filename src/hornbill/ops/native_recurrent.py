"""Whole sequences of an LSTM by the CPU kernels of `hornbill-native`, with time first; see `hornbill.ops.native`.

All that waits for the step before runs in one call; what does not (the input's share of the gates, and the gradients by
both kernels and the bias) is one matrix product over all steps, outside of it.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from hornbill.engine.op import Tensor
from hornbill.ops import native
from hornbill.ops.native_dense import product_of_rows

__all__ = ["lstm", "serves_lstm"]


def serves_lstm(projected: Tensor, h: Tensor, c: Tensor, recurrent: Tensor) -> bool:
    """Returns whether the kernels take a sequence: float32, on a CPU, of a length and a batch that are known."""
    arrays = (projected, h, c, recurrent)
    return native.available() and all(array.dtype == jnp.float32 and 0 not in array.shape for array in arrays)


@jax.custom_vjp
def lstm(projected: Tensor, h: Tensor, c: Tensor, recurrent: Tensor) -> tuple[Tensor, Tensor]:
    """Runs an LSTM with sigmoid gates and tanh over a sequence.

    Args:
        projected: The input's share of the gates i, f, g, o and the bias, (steps, batch, 4 * units).
        h: First output, (batch, units).
        c: First cell state, (batch, units).
        recurrent: Recurrent kernel, (units, 4 * units).

    Returns:
        The outputs of all steps, (steps, batch, units), and the last cell state, (batch, units).
    """
    (outputs, last), _ = _forward(projected, h, c, recurrent)
    return outputs, last


def _forward(projected: Tensor, h: Tensor, c: Tensor, recurrent: Tensor) -> tuple[Any, Any]:
    state = ((*projected.shape[:2], h.shape[-1]), jnp.float32)
    results = [state, state, (projected.shape, jnp.float32)]
    operands = (projected, h, c, recurrent)
    outputs, cells, gates = native.call(
        "hornbill_lstm", _steps, results, operands, {}, rows=0, aliases={0: 2}
    )
    return (outputs, cells[-1]), (h, c, recurrent, outputs, cells, gates)


def _backward(held: tuple[Tensor, ...], cotangents: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
    h, c, recurrent, outputs, cells, gates = held
    by_outputs, by_last = cotangents
    results = [(gates.shape, jnp.float32), (h.shape, jnp.float32), (c.shape, jnp.float32)]
    operands = (gates, c, recurrent, cells, by_outputs, by_last)
    by_gates, by_h, by_c = native.call("hornbill_lstm_grad", _steps_back, results, operands, {}, rows=0)
    before = jnp.concatenate([h[None], outputs[:-1]])
    by_recurrent = product_of_rows(before.reshape(-1, h.shape[-1]), by_gates.reshape(-1, recurrent.shape[-1]))
    return by_gates, by_h, by_c, by_recurrent


lstm.defvjp(_forward, _backward)


# ---- the same as XLA's operations


def _steps(projected: Tensor, h: Tensor, c: Tensor, recurrent: Tensor) -> Any:
    def step(before: Any, share: Tensor) -> Any:
        h, c = before
        i, f, g, o = jnp.split(share + h @ recurrent, 4, axis=-1)
        i, f, g, o = jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o)
        c = f * c + i * g
        h = o * jnp.tanh(c)
        return (h, c), (h, c, jnp.concatenate([i, f, g, o], axis=-1))

    return list(lax.scan(step, (h, c), projected)[1])


def _steps_back(
    gates: Tensor, c: Tensor, recurrent: Tensor, cells: Tensor, by_outputs: Tensor, by_last: Tensor
) -> Any:
    def step(by: Any, held: Any) -> Any:
        by_h, by_c = by
        gates, before, after, by_output = held
        i, f, g, o = jnp.split(gates, 4, axis=-1)
        squashed, by_h = jnp.tanh(after), by_h + by_output
        by_c = by_c + by_h * o * (1 - squashed**2)
        shares = [by_c * g * i * (1 - i), by_c * before * f * (1 - f), by_c * i * (1 - g**2)]
        by_gates = jnp.concatenate([*shares, by_h * squashed * o * (1 - o)], axis=-1)
        return (by_gates @ recurrent.T, by_c * f), by_gates

    before = jnp.concatenate([c[None], cells[:-1]])
    (by_h, by_c), by_gates = lax.scan(
        step, (jnp.zeros_like(c), by_last), (gates, before, cells, by_outputs), reverse=True
    )
    return [by_gates, by_h, by_c]
