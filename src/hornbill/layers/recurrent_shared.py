"""What recurrent layers share: dropout masks for a whole sequence, and the arguments that a layer keeps in its cell."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbill import tree
from hornbill.engine.errors import ArgumentError
from hornbill.engine.op import Tensor
from hornbill.layers.rnn_cells import (
    DropoutCell,
    GRUCell,
    LSTMCell,
    RecurrentCell,
    SimpleRNNCell,
    StackedRNNCells,
    output_size,
)  # fmt: skip

__all__ = [
    "CellArguments",
    "cell_kwargs",
    "draw_masks",
    "forget_masks",
    "from_cell",
    "is_own",
    "refuse_cudnn",
]


def is_own(cell: Any) -> bool:
    """Returns whether a cell is one of Hornbill's, with its `call` and halves as written here."""
    return isinstance(cell, RecurrentCell) and any(
        type(cell).call is own.call and type(cell).recur is own.recur and type(cell).project is own.project
        for own in (SimpleRNNCell, GRUCell, LSTMCell)
    )


def draw_masks(cell: Any, inputs: Tensor, states: Any) -> None:
    """Draws the dropout masks of Hornbill's cells, stacked ones too, for the whole sequence."""
    if isinstance(cell, StackedRNNCells):
        for inner, state in zip(cell.cells, states, strict=True):
            draw_masks(inner, inputs, state)
            size = output_size(inner)
            inputs = jnp.ones((inputs.shape[0], *((size,) if isinstance(size, int) else size)), inputs.dtype)
    elif isinstance(cell, DropoutCell):
        cell.masks_for(inputs, tree.flatten(states)[0], True)


def forget_masks(cell: Any) -> None:
    """Forgets the dropout masks, so that the next sequence gets new ones."""
    for inner in cell.cells if isinstance(cell, StackedRNNCells) else [cell]:
        if isinstance(inner, StackedRNNCells):
            forget_masks(inner)
        elif isinstance(inner, DropoutCell):
            inner.reset_dropout_mask()
            inner.reset_recurrent_dropout_mask()


def from_cell(name: str) -> Any:
    """Returns a property that gives an attribute of the cell."""
    return property(lambda self: getattr(self.cell, name), doc=f"The cell's {name.replace('_', ' ')}.")


class CellArguments:
    """The arguments that a layer keeps in its cell."""

    activation = from_cell("activation")
    use_bias = from_cell("use_bias")
    kernel_initializer = from_cell("kernel_initializer")
    recurrent_initializer = from_cell("recurrent_initializer")
    bias_initializer = from_cell("bias_initializer")
    kernel_regularizer = from_cell("kernel_regularizer")
    recurrent_regularizer = from_cell("recurrent_regularizer")
    bias_regularizer = from_cell("bias_regularizer")
    kernel_constraint = from_cell("kernel_constraint")
    recurrent_constraint = from_cell("recurrent_constraint")
    bias_constraint = from_cell("bias_constraint")
    dropout = from_cell("dropout")
    recurrent_dropout = from_cell("recurrent_dropout")
    seed = from_cell("seed")


def refuse_cudnn(owner: str, use_cudnn: Any) -> None:
    """Raises an ArgumentError when a cuDNN kernel is demanded."""
    if use_cudnn is True:
        raise ArgumentError(
            f"{owner}: there is no cuDNN recurrent kernel on JAX.",
            got="use_cudnn=True.",
            fixes="use_cudnn='auto': XLA compiles the loop for the GPU.",
        )


def cell_kwargs(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Returns the layer's arguments that its cell gets too: dtype and trainable (and takes `implementation` out)."""
    shared = {name: kwargs[name] for name in ("dtype", "trainable") if name in kwargs}
    if "implementation" in kwargs:
        shared["implementation"] = kwargs.pop("implementation")
    return shared
