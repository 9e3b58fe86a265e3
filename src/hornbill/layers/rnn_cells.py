"""Cells: one step of a recurrent layer. SimpleRNNCell, GRUCell, LSTMCell and StackedRNNCells.

A cell takes the input of one time step and the states, and gives the output and the new states. Its work is written in
two halves, `project` (from the input alone, so that a layer can do it for all steps at once) and `recur` (what has to
wait for the step before). The loop over time is in `recurrent_loop`, the layers are in `recurrent`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import jax
import jax.core
import jax.numpy as jnp
import numpy as np

from hornbill import activations, constraints, initializers, ops, regularizers
from hornbill.engine.config import between, positive_int
from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.engine.layer import Layer
from hornbill.engine.op import Tensor
from hornbill.engine.random import SeedGenerator, draw_seed
from hornbill.engine.registry import register_public
from hornbill.engine.serialization import deserialize_keras_object

__all__ = ["GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells"]


def as_list(states: Any) -> list[Any]:
    """Returns the states as a list; one state alone becomes a list of one."""
    return list(states) if isinstance(states, (list, tuple)) else [states]


def zero_state(batch_size: int | None, size: Any, dtype: str) -> Tensor:
    """Returns zeros for one state: `size` is a number of features or a shape without the batch."""
    shape = (size,) if isinstance(size, (int, np.integer)) else tuple(size)
    return jnp.zeros((batch_size, *shape), dtype)  # type: ignore[arg-type]


def with_activation_names(layer: Any, config: dict[str, Any]) -> dict[str, Any]:
    """Writes the activations of a configuration as Keras does: public ones by their names."""
    for key in ("activation", "recurrent_activation"):
        if key in config and callable(getattr(layer, key, None)):
            config[key] = activations.serialize(getattr(layer, key))
    return config


class DropoutCell(Layer):
    """What cells with dropout share: masks that are drawn once and hold for a whole sequence."""

    seed_generator: SeedGenerator
    dropout: float
    recurrent_dropout: float
    _input_masks: int = 1

    def _draw_masks(self, like: Tensor, rate: float) -> Any:
        """Draws one mask, or one per gate when each gate has its own; None without dropout."""
        if not 0.0 < rate < 1.0:
            return None if rate == 0.0 else jnp.zeros_like(like)
        keep = 1.0 - rate
        masks = []
        for _ in range(self._input_masks):
            kept = jax.random.bernoulli(draw_seed(self.seed_generator), keep, like.shape)
            masks.append(jnp.where(kept, jnp.asarray(1.0 / keep, like.dtype), jnp.zeros((), like.dtype)))
        return masks if len(masks) > 1 else masks[0]

    def get_dropout_mask(self, step_input: Tensor) -> Any:
        """Returns the mask of the inputs, drawn at the first call and kept until `reset_dropout_mask`."""
        if not _fits(self.__dict__.get("_dropout_mask"), step_input):
            self._dropout_mask = self._draw_masks(step_input, self.dropout)
        return self._dropout_mask

    def get_recurrent_dropout_mask(self, step_input: Tensor) -> Any:
        """Returns the mask of the state, drawn at the first call and kept until `reset_recurrent_dropout_mask`."""
        if not _fits(self.__dict__.get("_recurrent_dropout_mask"), step_input):
            self._recurrent_dropout_mask = self._draw_masks(step_input, self.recurrent_dropout)
        return self._recurrent_dropout_mask

    def reset_dropout_mask(self) -> None:
        """Forgets the mask of the inputs."""
        self._dropout_mask = None

    def reset_recurrent_dropout_mask(self) -> None:
        """Forgets the mask of the state."""
        self._recurrent_dropout_mask = None

    def masks_for(self, inputs: Tensor, state: Tensor, training: Any) -> tuple[Any, Any]:
        """Returns the masks of the inputs and of the state; None where nothing is dropped."""
        if not training:
            return None, None
        inputs_mask = self.get_dropout_mask(inputs) if self.dropout else None
        return inputs_mask, self.get_recurrent_dropout_mask(state) if self.recurrent_dropout else None

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal cell, as plain data."""
        return with_activation_names(self, super().get_config())

    def step(self, inputs: Tensor, states: Any, training: Any) -> tuple[Tensor, Any]:
        """Runs one time step."""
        mask, recurrent_mask = self.masks_for(inputs, as_list(states)[0], training)
        return self.recur(self.project(inputs, mask), states, recurrent_mask)

    def project(self, inputs: Tensor, mask: Any) -> Tensor:
        """Computes the part of a step that needs the input alone; leading axes (time) may be added."""
        raise NotImplementedError

    def recur(self, projected: Tensor, states: Any, mask: Any) -> tuple[Tensor, Any]:
        """Computes the rest of a step from the projected input and the states."""
        raise NotImplementedError


def _fits(mask: Any, like: Tensor) -> bool:
    """Returns whether a kept mask can be used for `like` (it was not drawn while something else was traced)."""
    if mask is None:
        return False
    first = mask[0] if isinstance(mask, list) else mask
    traced = isinstance(first, jax.core.Tracer) and not isinstance(like, jax.core.Tracer)
    return first.shape == like.shape and not traced


class RecurrentCell(DropoutCell):
    """A cell of `units` numbers with an input kernel, a recurrent kernel and a bias."""

    checks: ClassVar[dict[str, Any]] = {
        "units": positive_int, "dropout": between(0, 1), "recurrent_dropout": between(0, 1),
    }  # fmt: skip
    gates: ClassVar[int] = 1

    def __init__(
        self,
        units: int,
        activation: Any,
        use_bias: bool,
        initializer_names: Sequence[Any],
        regularizer_names: Sequence[Any],
        constraint_names: Sequence[Any],
        dropout: float,
        recurrent_dropout: float,
        seed: int | None,
        **kwargs: Any,
    ) -> None:
        implementation = kwargs.pop("implementation", 2)
        super().__init__(**kwargs)
        self.implementation = 1 if recurrent_dropout else implementation
        self.units, self.use_bias = int(units), use_bias
        self.activation = activations.get(activation)
        self.kernel_initializer, self.recurrent_initializer, self.bias_initializer = map(
            initializers.get, initializer_names
        )
        self.kernel_regularizer, self.recurrent_regularizer, self.bias_regularizer = map(
            regularizers.get, regularizer_names
        )
        self.kernel_constraint, self.recurrent_constraint, self.bias_constraint = map(
            constraints.get, constraint_names
        )
        self.dropout, self.recurrent_dropout = dropout, recurrent_dropout
        self.seed, self.seed_generator = seed, SeedGenerator(seed=seed)
        self.state_size: Any = self.units
        self.output_size = self.units
        self._input_masks = self.gates if self.implementation == 1 else 1

    def build(self, input_shape: Any) -> None:
        """Makes kernel, recurrent kernel and bias."""
        width = self.gates * self.units
        columns = "units" if self.gates == 1 else f"{self.gates} gates x units"
        self.kernel = self.add_weight(
            (input_shape[-1], width), self.kernel_initializer, name="kernel", axes=("input features", columns),
            regularizer=self.kernel_regularizer, constraint=self.kernel_constraint,
        )  # fmt: skip
        self.recurrent_kernel = self.add_weight(
            (self.units, width), self.recurrent_initializer, name="recurrent_kernel", axes=("units before", columns),
            regularizer=self.recurrent_regularizer, constraint=self.recurrent_constraint,
        )  # fmt: skip
        self.bias = self._add_bias((width,), (columns,)) if self.use_bias else None

    def _add_bias(self, shape: tuple[int, ...], axes: tuple[str, ...], initializer: Any = None) -> Any:
        return self.add_weight(
            shape, initializer or self.bias_initializer, name="bias", axes=axes,
            regularizer=self.bias_regularizer, constraint=self.bias_constraint,
        )  # fmt: skip

    def get_initial_state(self, batch_size: int | None = None) -> list[Tensor]:
        """Returns zeros for each state."""
        return [zero_state(batch_size, size, self.compute_dtype) for size in as_list(self.state_size)]

    def input_axes(self, ndim: int) -> tuple[str, ...]:
        """Returns (batch, features)."""
        return ("batch", "features") if ndim == 2 else super().input_axes(ndim)

    def _columns(self, weight: Any, gate: int) -> Tensor:
        return weight[..., gate * self.units : (gate + 1) * self.units]

    def _times(self, x: Tensor, kernel: Any, mask: Any) -> Tensor:
        """Multiplies by a kernel after dropout, which may differ from gate to gate."""
        if isinstance(mask, list):
            parts = [
                ops.matmul(ops.multiply(x, m), self._columns(kernel, gate)) for gate, m in enumerate(mask)
            ]
            return ops.concatenate(parts, axis=-1)
        return ops.matmul(x if mask is None else ops.multiply(x, mask), kernel)

    def project(self, inputs: Tensor, mask: Any) -> Tensor:
        """Returns `dropout(inputs) @ kernel + bias`."""
        projected = self._times(inputs, self.kernel, mask)
        return projected if self.bias is None else ops.add(projected, self._input_bias())

    def _input_bias(self) -> Tensor:
        return self.bias


class SimpleRNNCell(RecurrentCell):
    """One step of a fully connected recurrence: `h = activation(x @ kernel + h @ recurrent_kernel + bias)`.

    Args:
        units: Number of units.
        activation: Activation.
        use_bias: Whether there is a bias.
        kernel_initializer: Initialiser of the kernel.
        recurrent_initializer: Initialiser of the recurrent kernel.
        bias_initializer: Initialiser of the bias.
        kernel_regularizer: Regulariser of the kernel.
        recurrent_regularizer: Regulariser of the recurrent kernel.
        bias_regularizer: Regulariser of the bias.
        kernel_constraint: Constraint of the kernel.
        recurrent_constraint: Constraint of the recurrent kernel.
        bias_constraint: Constraint of the bias.
        dropout: Share of the inputs dropped in training.
        recurrent_dropout: Share of the state dropped in training.
        seed: Seed of the dropout.

    Shapes:
        inputs: (batch, features); and a state (batch, units) in a list
        outputs: (batch, units); and the new state in a list
        Params: (features + units + use_bias) * units

    Example:
        >>> cell = SimpleRNNCell(4)
        >>> output, states = cell(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
        >>> output.shape
        (2, 4)
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, activation, use_bias,
            (kernel_initializer, recurrent_initializer, bias_initializer),
            (kernel_regularizer, recurrent_regularizer, bias_regularizer),
            (kernel_constraint, recurrent_constraint, bias_constraint),
            dropout, recurrent_dropout, seed, **kwargs,
        )  # fmt: skip

    def call(self, sequence: Tensor, states: Any, training: bool | None = False) -> Any:
        """Runs one time step."""
        return self.step(sequence, states, training)

    def recur(self, projected: Tensor, states: Any, mask: Any) -> tuple[Tensor, Any]:
        """Adds the recurrent part and applies the activation."""
        before = as_list(states)[0]
        output = self.activation(ops.add(projected, self._times(before, self.recurrent_kernel, mask)))
        return output, [output] if isinstance(states, (list, tuple)) else output


class GRUCell(RecurrentCell):
    """One step of a gated recurrent unit (Cho et al. 2014).

    With `z`, `r` the update and reset gates: `h = z * h_before + (1 - z) * activation(...)`.

    Args:
        units: Number of units.
        activation: Activation of the candidate.
        recurrent_activation: Activation of the gates.
        use_bias: Whether there is a bias.
        kernel_initializer: Initialiser of the kernel.
        recurrent_initializer: Initialiser of the recurrent kernel.
        bias_initializer: Initialiser of the bias.
        kernel_regularizer: Regulariser of the kernel.
        recurrent_regularizer: Regulariser of the recurrent kernel.
        bias_regularizer: Regulariser of the bias.
        kernel_constraint: Constraint of the kernel.
        recurrent_constraint: Constraint of the recurrent kernel.
        bias_constraint: Constraint of the bias.
        dropout: Share of the inputs dropped in training.
        recurrent_dropout: Share of the state dropped in training.
        reset_after: Whether the reset gate acts after the recurrent product (with a bias of its own) or before.
        seed: Seed of the dropout.

    Shapes:
        inputs: (batch, features); and a state (batch, units) in a list
        outputs: (batch, units); and the new state in a list
        Params: 3 * (features + units + use_bias * (1 + reset_after)) * units

    Example:
        >>> cell = GRUCell(4)
        >>> output, states = cell(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
        >>> output.shape
        (2, 4)
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, activation, use_bias,
            (kernel_initializer, recurrent_initializer, bias_initializer),
            (kernel_regularizer, recurrent_regularizer, bias_regularizer),
            (kernel_constraint, recurrent_constraint, bias_constraint),
            dropout, recurrent_dropout, seed, **kwargs,
        )  # fmt: skip
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = reset_after

    def _add_bias(self, shape: tuple[int, ...], axes: tuple[str, ...], initializer: Any = None) -> Any:
        if self.reset_after:
            shape, axes = (2, *shape), ("input and recurrent", *axes)
        return super()._add_bias(shape, axes, initializer)

    def _input_bias(self) -> Tensor:
        return self.bias[0] if self.reset_after else self.bias  # type: ignore[index]

    def call(self, inputs: Tensor, states: Any, training: bool | None = False) -> Any:
        """Runs one time step."""
        return self.step(inputs, states, training)

    def recur(self, projected: Tensor, states: Any, mask: Any) -> tuple[Tensor, Any]:
        """Computes both gates, the candidate and the new state."""
        before = as_list(states)[0]
        x_z, x_r, x_h = ops.split(projected, 3, axis=-1)
        if self.reset_after:
            product = self._times(before, self.recurrent_kernel, mask)
            if self.bias is not None:
                product = ops.add(product, self.bias[1])
            h_z, h_r, h_h = ops.split(product, 3, axis=-1)
        else:
            masks = mask if isinstance(mask, list) else [mask] * 3
            kept = [before if m is None else ops.multiply(before, m) for m in masks]
            kernels = [self._columns(self.recurrent_kernel, gate) for gate in range(3)]
            h_z, h_r = (ops.matmul(kept[gate], kernels[gate]) for gate in range(2))
        z = self.recurrent_activation(ops.add(x_z, h_z))
        r = self.recurrent_activation(ops.add(x_r, h_r))
        if self.reset_after:
            candidate = self.activation(ops.add(x_h, ops.multiply(r, h_h)))
        else:
            product = ops.matmul(ops.multiply(r, kept[2]), kernels[2])
            candidate = self.activation(ops.add(x_h, product))
        output = ops.add(ops.multiply(z, before), ops.multiply(ops.subtract(1, z), candidate))
        return output, [output] if isinstance(states, (list, tuple)) else output


class LSTMCell(RecurrentCell):
    """One step of a long short-term memory (Hochreiter and Schmidhuber 1997).

    With gates `i`, `f`, `o` and candidate `g`: `c = f * c_before + i * g`, `h = o * activation(c)`.

    Args:
        units: Number of units.
        activation: Activation of candidate and output.
        recurrent_activation: Activation of the gates.
        use_bias: Whether there is a bias.
        kernel_initializer: Initialiser of the kernel.
        recurrent_initializer: Initialiser of the recurrent kernel.
        bias_initializer: Initialiser of the bias.
        unit_forget_bias: Whether the bias of the forget gate starts at 1.
        kernel_regularizer: Regulariser of the kernel.
        recurrent_regularizer: Regulariser of the recurrent kernel.
        bias_regularizer: Regulariser of the bias.
        kernel_constraint: Constraint of the kernel.
        recurrent_constraint: Constraint of the recurrent kernel.
        bias_constraint: Constraint of the bias.
        dropout: Share of the inputs dropped in training.
        recurrent_dropout: Share of the state dropped in training.
        seed: Seed of the dropout.

    Shapes:
        inputs: (batch, features); and two states (batch, units) in a list
        outputs: (batch, units); and the new states in a list
        Params: 4 * (features + units + use_bias) * units

    Example:
        >>> cell = LSTMCell(4)
        >>> output, states = cell(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")] * 2)
        >>> output.shape
        (2, 4)
    """

    gates = 4

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, activation, use_bias,
            (kernel_initializer, recurrent_initializer, bias_initializer),
            (kernel_regularizer, recurrent_regularizer, bias_regularizer),
            (kernel_constraint, recurrent_constraint, bias_constraint),
            dropout, recurrent_dropout, seed, **kwargs,
        )  # fmt: skip
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [self.units, self.units]

    def _add_bias(self, shape: tuple[int, ...], axes: tuple[str, ...], initializer: Any = None) -> Any:
        return super()._add_bias(shape, axes, self._forget_bias if self.unit_forget_bias else None)

    def _forget_bias(self, shape: tuple[int, ...], dtype: Any = None) -> np.ndarray:
        return forget_bias(self.bias_initializer, shape[0] // 4, dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal cell, as plain data."""
        config = super().get_config()
        before = ("name", "trainable", "dtype", "units", "activation", "recurrent_activation", "use_bias")
        return {key: config[key] for key in (*before, "unit_forget_bias")} | config

    def call(self, inputs: Tensor, states: Any, training: bool | None = False) -> Any:
        """Runs one time step."""
        return self.step(inputs, states, training)

    def recur(self, projected: Tensor, states: Any, mask: Any) -> tuple[Tensor, Any]:
        """Computes the gates, the new memory and the new state."""
        h_before, c_before = states
        gates = ops.add(projected, self._times(h_before, self.recurrent_kernel, mask))
        i, f, g, o = ops.split(gates, 4, axis=-1)
        if self.recurrent_activation is activations.sigmoid:  # all at once: XLA is slow on slices
            i, f, _, o = ops.split(activations.sigmoid(gates), 4, axis=-1)
        else:
            i, f, o = (self.recurrent_activation(gate) for gate in (i, f, o))
        c = ops.add(ops.multiply(f, c_before), ops.multiply(i, self.activation(g)))
        h = ops.multiply(o, self.activation(c))
        return h, [h, c]


def forget_bias(initializer: Any, units: int, dtype: Any) -> np.ndarray:
    """Returns a bias of four gates that comes from `initializer`, except for ones in the forget gate."""
    parts = [initializer((units,), dtype=dtype), np.ones(units), initializer((2 * units,), dtype=dtype)]
    return np.concatenate([np.asarray(part, np.float32) for part in parts])


class StackedRNNCells(Layer):
    """Several cells that act as one: each takes the output of the one before.

    Args:
        cells: The cells, first to last.

    Shapes:
        inputs: (batch, ...); and a list of the states of each cell
        outputs: (batch, output_size); of the last cell, and a list of the new states of each cell
        Params: sum(cell.count_params() for cell in cells)

    Example:
        >>> cell = StackedRNNCells([LSTMCell(4), GRUCell(3)])
        >>> cell.state_size
        [[4, 4], 3]
    """

    def __init__(self, cells: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for cell in cells:
            check_cell("StackedRNNCells", cell)
        self.cells = list(cells)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> StackedRNNCells:
        """Creates the stack from its configuration."""
        cells = [deserialize_keras_object(cell) for cell in config["cells"]]
        return cls(**{**config, "dtype": deserialize_keras_object(config.get("dtype")), "cells": cells})

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the states, one entry per cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """The size of the last cell's output."""
        return output_size(self.cells[-1])

    def build(self, input_shape: Any) -> None:
        """Builds each cell for the output of the one before."""
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(input_shape)
                cell.built = True
            size = output_size(cell)
            input_shape = (input_shape[0], *((size,) if isinstance(size, int) else tuple(size)))

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """Returns the initial states, one entry per cell."""
        return [initial_state(cell, batch_size, self.compute_dtype) for cell in self.cells]

    def call(self, inputs: Tensor, states: Any, training: bool | None = False, **kwargs: Any) -> Any:
        """Runs one time step through all cells."""
        if len(states) != len(self.cells):
            raise ShapeError(
                f"StackedRNNCells {self.name!r} has {len(self.cells)} cells and wants states for each.",
                got=f"{len(states)} entries.",
            )
        new_states = []
        for cell, state in zip(self.cells, states, strict=True):
            inputs, new = call_cell(cell, inputs, as_list(state), training, **kwargs)
            new_states.append(as_list(new))
        return inputs, new_states


def check_cell(owner: str, cell: Any) -> None:
    """Raises an ArgumentError unless `cell` has `call` (or can be called) and `state_size`."""
    if not hasattr(cell, "call"):
        raise ArgumentError(
            f"{owner}: a cell is an object with call(inputs, states) and state_size.",
            got=f"{cell!r}, which has no call method.",
            fixes="RNN(LSTMCell(32)), or the layer LSTM(32).",
        )
    if not hasattr(cell, "state_size"):
        raise ArgumentError(
            f"{owner}: a cell must tell the size of its states.",
            got=f"{cell!r}, which has no state_size.",
            fixes="self.state_size = units (a list for several states) in the cell's __init__.",
        )


def output_size(cell: Any) -> Any:
    """Returns the size of a cell's output: its `output_size`, else that of its first state."""
    size = getattr(cell, "output_size", None)
    if size is None:
        size = as_list(cell.state_size)[0]
    return size


def initial_state(cell: Any, batch_size: int | None, dtype: str) -> list[Any]:
    """Returns a cell's initial states as a list: its `get_initial_state`, else zeros."""
    given = getattr(cell, "get_initial_state", None)
    if given is not None:
        return as_list(given(batch_size=batch_size))
    dtype = getattr(cell, "compute_dtype", dtype)
    return [zero_state(batch_size, size, dtype) for size in as_list(cell.state_size)]


def call_cell(cell: Any, inputs: Tensor, states: Any, training: Any, **kwargs: Any) -> Any:
    """Runs one time step of any cell."""
    if isinstance(cell, Layer):
        return cell(inputs, states, training=training, **kwargs)
    return (cell if callable(cell) else cell.call)(inputs, states, **kwargs)


register_public("keras.layers", [SimpleRNNCell, GRUCell, LSTMCell, StackedRNNCells])
