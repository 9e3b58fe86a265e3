"""Sequences of an LSTM or a GRU by the CPU kernels of `hornbill-native`, with time first; see `hornbill.ops.native`.

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

__all__ = ["gru", "lstm", "serves"]


def serves(*arrays: Tensor) -> bool:
    """Returns whether the kernels take a sequence: float32, on a CPU, of a length and a batch that are known."""
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
    return _lstm_forward(projected, h, c, recurrent)[0]


def _lstm_forward(projected: Tensor, h: Tensor, c: Tensor, recurrent: Tensor) -> tuple[Any, Any]:
    state = ((*projected.shape[:2], h.shape[-1]), jnp.float32)
    results = [state, state, (projected.shape, jnp.float32)]
    operands = (projected, h, c, recurrent)
    outputs, cells, gates = native.call(
        "hornbill_lstm", _lstm_steps, results, operands, {}, rows=0, aliases={0: 2}
    )
    return (outputs, cells[-1]), (h, c, recurrent, outputs, cells, gates)


def _lstm_backward(held: tuple[Tensor, ...], cotangents: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
    h, c, recurrent, outputs, cells, gates = held
    by_outputs, by_last = cotangents
    results = [(gates.shape, jnp.float32), (h.shape, jnp.float32), (c.shape, jnp.float32)]
    operands = (gates, c, recurrent, cells, by_outputs, by_last)
    by_gates, by_h, by_c = native.call("hornbill_lstm_grad", _lstm_steps_back, results, operands, {}, rows=0)
    return by_gates, by_h, by_c, _by_recurrent(h, outputs, by_gates)


lstm.defvjp(_lstm_forward, _lstm_backward)


def _by_recurrent(h: Tensor, outputs: Tensor, by_product: Tensor) -> Tensor:
    """Returns the gradient by the recurrent kernel from that by its products at all steps."""
    before = jnp.concatenate([h[None], outputs[:-1]])
    return product_of_rows(before.reshape(-1, h.shape[-1]), by_product.reshape(-1, by_product.shape[-1]))


@jax.custom_vjp
def gru(projected: Tensor, h: Tensor, recurrent: Tensor, bias: Tensor) -> Tensor:
    """Runs a GRU with sigmoid gates and tanh over a sequence; its reset gate acts after the recurrent product.

    Args:
        projected: The input's share of the gates z, r and the candidate, and its bias, (steps, batch, 3 * units).
        h: First output, (batch, units).
        recurrent: Recurrent kernel, (units, 3 * units).
        bias: What is added to the recurrent product, (3 * units,).

    Returns:
        The outputs of all steps, (steps, batch, units).
    """
    return _gru_forward(projected, h, recurrent, bias)[0]


def _gru_forward(projected: Tensor, h: Tensor, recurrent: Tensor, bias: Tensor) -> tuple[Any, Any]:
    steps, (batch, units) = len(projected), h.shape
    results = [((steps, batch, units), jnp.float32), ((steps, batch, 4 * units), jnp.float32)]
    operands = (projected, h, recurrent, bias)
    outputs, held = native.call("hornbill_gru", _gru_steps, results, operands, {}, rows=0)
    return outputs, (h, recurrent, outputs, held)


def _gru_backward(kept: tuple[Tensor, ...], by_outputs: Tensor) -> tuple[Tensor, ...]:
    h, recurrent, outputs, held = kept
    wide = ((*outputs.shape[:2], recurrent.shape[-1]), jnp.float32)
    operands = (held, h, recurrent, outputs, by_outputs)
    by_projected, by_product, by_h = native.call(
        "hornbill_gru_grad", _gru_steps_back, [wide, wide, (h.shape, jnp.float32)], operands, {}, rows=0
    )
    return by_projected, by_h, _by_recurrent(h, outputs, by_product), by_product.sum((0, 1))


gru.defvjp(_gru_forward, _gru_backward)


# ---- the same as XLA's operations


def _lstm_steps(projected: Tensor, h: Tensor, c: Tensor, recurrent: Tensor) -> Any:
    def step(before: Any, share: Tensor) -> Any:
        h, c = before
        i, f, g, o = jnp.split(share + h @ recurrent, 4, axis=-1)
        i, f, g, o = jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o)
        c = f * c + i * g
        h = o * jnp.tanh(c)
        return (h, c), (h, c, jnp.concatenate([i, f, g, o], axis=-1))

    return list(lax.scan(step, (h, c), projected)[1])


def _lstm_steps_back(
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


def _gru_steps(projected: Tensor, h: Tensor, recurrent: Tensor, bias: Tensor) -> Any:
    def step(h: Tensor, x: Tensor) -> Any:
        (x_z, x_r, x_g), (y_z, y_r, y_g) = (jnp.split(a, 3, axis=-1) for a in (x, h @ recurrent + bias))
        z, r = jax.nn.sigmoid(x_z + y_z), jax.nn.sigmoid(x_r + y_r)
        g = jnp.tanh(x_g + r * y_g)
        h = z * h + (1 - z) * g
        return h, (h, jnp.concatenate([z, r, y_g, g], axis=-1))

    return list(lax.scan(step, h, projected)[1])


def _gru_steps_back(held: Tensor, h: Tensor, recurrent: Tensor, outputs: Tensor, by_outputs: Tensor) -> Any:
    def step(by_h: Tensor, kept: Any) -> Any:
        held, before, by_output = kept
        z, r, y_g, g = jnp.split(held, 4, axis=-1)
        by_h = by_h + by_output
        by_g = by_h * (1 - z) * (1 - g**2)
        gates = [by_h * (before - g) * z * (1 - z), by_g * y_g * r * (1 - r)]
        by_projected, by_product = (jnp.concatenate([*gates, last], axis=-1) for last in (by_g, by_g * r))
        return by_h * z + by_product @ recurrent.T, (by_projected, by_product)

    before = jnp.concatenate([h[None], outputs[:-1]])
    by_h, (by_projected, by_product) = lax.scan(
        step, jnp.zeros_like(h), (held, before, by_outputs), reverse=True
    )
    return [by_projected, by_product, by_h]
