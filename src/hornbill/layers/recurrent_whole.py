"""Recurrent layers whose whole sequence one kernel of hornbill-native runs, instead of a loop over its steps."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbill import activations
from hornbill.engine.context import context
from hornbill.engine.op import Tensor, convert_to_tensor
from hornbill.layers.rnn_cells import GRUCell, LSTMCell
from hornbill.ops import native_recurrent

__all__ = ["whole_sequence"]


def whole_sequence(cell: Any, projected: Tensor, states: Any) -> tuple[Tensor, Tensor, list[Tensor]] | None:
    """Runs a cell over a sequence in one call.

    Args:
        cell: The cell, which drops nothing of its state.
        projected: What `cell.project` gave for all steps, (steps, batch, gates * units).
        states: The first states.

    Returns:
        `(last output, outputs with time first, last states)`; None where no kernel takes it: cells that are not just
        LSTMs or GRUs (`reset_after`) with the usual activations, other types and devices, and calls that are recorded
        for an explanation.
    """
    usual = (
        (type(cell) is LSTMCell or (type(cell) is GRUCell and cell.reset_after))
        and cell.activation is activations.tanh
        and cell.recurrent_activation is activations.sigmoid
    )
    if not usual or context().recorder is not None:
        return None
    recurrent = convert_to_tensor(cell.recurrent_kernel)
    if not native_recurrent.serves(projected, *states, recurrent):
        return None
    if type(cell) is LSTMCell:
        outputs, last = native_recurrent.lstm(projected, *states, recurrent)
        return outputs[-1], outputs, [outputs[-1], last]
    bias = jnp.zeros(recurrent.shape[1:]) if cell.bias is None else convert_to_tensor(cell.bias)[1]
    outputs = native_recurrent.gru(projected, *states, recurrent, bias)
    return outputs[-1], outputs, [outputs[-1]]
