"""Recurrent layers: RNN for any cell, SimpleRNN, GRU and LSTM.

A layer builds its cell, finds the first states, draws dropout masks once per sequence and runs the cell over time
(`recurrent_loop`). Hornbill's own cells multiply the whole sequence by their input kernel at once, before the loop.
"""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from hornbill import ops, tree
from hornbill.engine.context import autocast_scope, context
from hornbill.engine.errors import ShapeError
from hornbill.engine.input_spec import InputSpec
from hornbill.engine.layer import Layer
from hornbill.engine.naming import name_scope
from hornbill.engine.op import Tensor
from hornbill.engine.random import global_seed_generator
from hornbill.engine.registry import register_public
from hornbill.engine.symbolic import KerasTensor, infer_spec
from hornbill.engine.variable import Variable
from hornbill.layers.recurrent_loop import run_steps
from hornbill.layers.recurrent_shared import (
    CellArguments,
    cell_kwargs,
    draw_masks,
    forget_masks,
    from_cell,
    is_own,
    refuse_cudnn,
)  # fmt: skip
from hornbill.layers.recurrent_whole import whole_sequence
from hornbill.layers.rnn_cells import (
    GRUCell,
    LSTMCell,
    SimpleRNNCell,
    StackedRNNCells,
    as_list,
    call_cell,
    check_cell,
    initial_state,
    with_activation_names,
)  # fmt: skip

__all__ = ["GRU", "LSTM", "RNN", "SimpleRNN"]


class KeptState:
    """A state variable of a stateful layer: part of the model's state, but not one of its weights."""

    tracked_kind: ClassVar[str] = "seed"

    def __init__(self, value: Tensor) -> None:
        axes = ("batch", *(f"state axis {i}" for i in range(1, value.ndim - 1)), "units")[: value.ndim]
        self.state = Variable(value, trainable=False, autocast=False, name="rnn_state", axes=axes)


class RNN(Layer):
    """Runs a cell over the steps of a sequence.

    Args:
        cell: A cell (an object with `call(inputs, states)` and `state_size`), or a list of cells to be stacked.
        return_sequences: Whether the outputs of all steps are returned, or the last only.
        return_state: Whether the last states are returned too.
        go_backwards: Whether the sequence is run from its end; outputs come in that order.
        stateful: Whether a batch starts with the states in which the batch before ended.
        unroll: Whether the loop is written out: faster for short sequences, slow to compile for long ones.
        zero_output_for_mask: Whether steps that are masked give zeros instead of the output before.

    Shapes:
        inputs: (batch, steps, ...)
        outputs: (batch, steps, cell.output_size) if return_sequences else (batch, cell.output_size); then
            the states with `return_state`
        Params: cell.count_params()

    Example:
        >>> RNN(LSTMCell(4), return_sequences=True)(np.ones((2, 5, 3), "float32")).shape
        (2, 5, 4)
    """

    _flags: ClassVar[tuple[str, ...]] = (
        "return_sequences", "return_state", "go_backwards", "stateful", "unroll", "zero_output_for_mask",
    )  # fmt: skip
    _not_in_config: ClassVar[tuple[str, ...]] = ("use_cudnn",)

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        check_cell(type(self).__name__, cell)
        super().__init__(**kwargs)
        self.cell = cell
        self.return_sequences, self.return_state, self.go_backwards = (
            return_sequences,
            return_state,
            go_backwards,
        )
        self.stateful, self.unroll, self.zero_output_for_mask = stateful, unroll, zero_output_for_mask
        self.supports_masking = True
        self._kept: list[KeptState] | None = None

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the states."""
        return as_list(self.cell.state_size)

    @property
    def single_state(self) -> bool:
        """Whether there is one state only."""
        return not isinstance(self.cell.state_size, (list, tuple))

    @property
    def states(self) -> Any:
        """The variables that keep the states of a stateful layer, or None."""
        if self._kept is None:
            return None
        return tree.pack_sequence_as(self._kept_structure, [kept.state for kept in self._kept])

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal layer, as plain data."""
        config = with_activation_names(self, super().get_config())
        head = {name: config.pop(name) for name in ("name", "trainable", "dtype")}
        for name in (*self._flags, *self._not_in_config):
            config.pop(name, None)
        if "seed" in config:
            config["seed"] = config.pop("seed")
        return {**head, **{name: getattr(self, name) for name in self._flags}, **config}

    # ---- building

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Builds the cell for one step, and the variables that keep the states when stateful."""
        cell, step_shape = self.cell, (sequences_shape[0], *sequences_shape[2:])
        if isinstance(cell, Layer) and not cell.built:
            if type(cell).build is Layer.build:
                self._build_by_trace(cell, step_shape)
            else:
                cell.build(step_shape)
            cell.built = True
        if self.stateful and self._kept is None:
            self._make_kept(sequences_shape[0])

    def _build_by_trace(self, cell: Layer, step_shape: Any) -> None:
        """Builds the layers inside a cell that has no `build` of its own by tracing one step."""
        cell.built = True
        if cell._sublayers():
            states = tree.map_structure(
                lambda s: KerasTensor((step_shape[0], *s.shape[1:]), self.compute_dtype),
                initial_state(cell, 1, self.compute_dtype),
            )
            with name_scope(cell.name):
                infer_spec(cell.call, (KerasTensor(step_shape, self.compute_dtype), states), {})

    def _make_kept(self, batch_size: int | None) -> None:
        if batch_size is None:
            raise ShapeError(
                f"{type(self).__name__} {self.name!r} is stateful, so the batch size must be known.",
                got="an input whose batch size is None.",
                why="A stateful layer keeps one state for each row of the batch.",
                fixes="Input(batch_shape=(32, steps, features)), and batches of that size.",
            )
        first = self.get_initial_state(batch_size)
        self._kept = [KeptState(jnp.asarray(leaf)) for leaf in tree.flatten(first)]
        self._kept_structure = tree.map_structure(lambda _: 0, first)

    def get_initial_state(self, batch_size: int | None) -> list[Any]:
        """Returns the states a sequence starts with: the cell's own, else zeros."""
        return initial_state(self.cell, batch_size, self.compute_dtype)

    def reset_state(self) -> None:
        """Sets the kept states of a stateful layer to zeros."""
        for kept in self._kept or ():
            kept.state.assign(np.zeros(kept.state.shape, kept.state.dtype))

    def reset_states(self) -> None:
        """Sets the kept states of a stateful layer to zeros."""
        self.reset_state()

    # ---- calling

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Returns the mask of the steps when all outputs are returned."""
        mask = tree.flatten(previous_mask)[0] if isinstance(previous_mask, (list, tuple)) else previous_mask
        output_mask = mask if self.return_sequences else None
        return [output_mask, *(None for _ in self.state_size)] if self.return_state else output_mask

    def call(
        self,
        sequences: Tensor,
        initial_state: Any = None,
        mask: Tensor | None = None,
        training: bool | None = False,
    ) -> Any:
        """Runs the cell over the sequence."""
        if sequences.shape[1] == 0:
            raise ShapeError(
                f"{type(self).__name__} {self.name!r} wants at least one time step.", got="0 steps."
            )
        mask = tree.flatten(mask)[0] if isinstance(mask, (list, tuple)) else mask
        states = self._first_states(sequences, initial_state)
        last, outputs, states = self.inner_loop(sequences, states, mask, training)
        if self.stateful:
            for kept, value in zip(self._kept or (), tree.flatten(states), strict=True):
                kept.state.assign(value.astype(kept.state.dtype))
        output = outputs if self.return_sequences else last
        return (output, *states) if self.return_state else output

    def _first_states(self, sequences: Tensor, given: Any) -> list[Any]:
        batch = sequences.shape[0]
        if given is None:
            if not self.stateful:
                return self.get_initial_state(batch)
            given = tree.map_structure(lambda v: v._value, self.states)
        states = tree.map_structure(
            lambda s: jnp.asarray(getattr(s, "value", s)).astype(self.compute_dtype), as_list(given)
        )
        wanted = [leaf.shape for leaf in jax.eval_shape(lambda: tree.flatten(self.get_initial_state(batch)))]
        came = [leaf.shape for leaf in tree.flatten(states)]
        if came != wanted:
            names = (
                {1: "state", 2: "h and c"}.get(len(wanted), "states") if isinstance(self, LSTM) else "states"
            )
            kept = " The states kept from the batch before have another batch size." if self.stateful else ""
            raise ShapeError(
                f"{type(self).__name__} {self.name!r} wants {len(wanted)} initial {names}: "
                f"{', '.join(map(str, wanted))}.",
                got=f"{len(came)}: {', '.join(map(str, came))}.{kept}",
                fixes="initial_state=[...] with one (batch, units) array per state.",
            )
        return states

    def inner_loop(
        self, sequences: Tensor, initial_state: Any, mask: Any, training: bool | None = False
    ) -> Any:
        """Runs the cell over the steps and returns (last output, all outputs, last states)."""
        time_first = ops.swapaxes(sequences, 0, 1)  # (steps, batch, ...)
        step_mask = (
            None if mask is None else jnp.swapaxes(jnp.asarray(mask).astype(bool), 0, 1)
        )  # (steps, batch)
        if self.go_backwards:
            time_first = ops.flip(time_first, axis=0)
            step_mask = None if step_mask is None else jnp.flip(step_mask, axis=0)
        unroll = self.unroll and not context().probing
        settings = {
            "zero_masked": self.zero_output_for_mask,
            "unroll": unroll,
            "collect": self.return_sequences,
        }
        try:
            if is_own(self.cell):
                last, outputs, states = self._run_own(
                    time_first, initial_state, step_mask, training, settings
                )
            else:
                last, outputs, states = self._run_any(
                    time_first, initial_state, step_mask, training, settings
                )
        finally:
            forget_masks(self.cell)
        if outputs is not None:
            outputs = ops.swapaxes(outputs, 0, 1)  # (batch, steps, ...)
        return last, outputs, states

    def _run_own(self, xs: Tensor, states: Any, mask: Any, training: Any, settings: dict[str, Any]) -> Any:
        """Runs one of Hornbill's cells: the input's share of all steps at once, then the loop."""
        cell = self.cell
        with autocast_scope(cell.compute_dtype if cell.autocast else None):
            inputs_mask, recurrent_mask = cell.masks_for(xs[0], states[0], training)
            projected = cell.project(xs, inputs_mask)
            if mask is None and recurrent_mask is None and not settings["unroll"]:
                whole = whole_sequence(cell, projected, states)
                if whole is not None:
                    return whole
            return run_steps(
                lambda x, s: cell.recur(x, s, recurrent_mask),
                projected,
                states,
                mask,
                output_is_state=True,
                **settings,
            )

    def _run_any(self, xs: Tensor, states: Any, mask: Any, training: Any, settings: dict[str, Any]) -> Any:
        """Runs any cell; variables that it assigns travel through the loop."""
        cell = self.cell
        if training:
            draw_masks(cell, xs[0], states)

        def step(x: Any, states: Any) -> Any:
            output, new = call_cell(cell, x, states, training)
            return output, as_list(new)

        variables = [v for v in cell.variables if not v._trainable] if isinstance(cell, Layer) else []
        variables.append(global_seed_generator().state)
        return run_steps(step, xs, states, mask, variables=variables, **settings)

    def input_axes(self, ndim: int) -> tuple[str, ...]:
        """Returns (batch, steps, features)."""
        return ("batch", "steps", "features") if ndim == 3 else super().input_axes(ndim)


class SimpleRNN(CellArguments, RNN):
    """Fully connected recurrence: each step sees the input and the output of the step before.

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
        activity_regularizer: Regulariser of the output.
        kernel_constraint: Constraint of the kernel.
        recurrent_constraint: Constraint of the recurrent kernel.
        bias_constraint: Constraint of the bias.
        dropout: Share of the inputs dropped in training, the same at all steps of a sequence.
        recurrent_dropout: Share of the state dropped in training, likewise.
        return_sequences: Whether the outputs of all steps are returned, or the last only.
        return_state: Whether the last states are returned too.
        go_backwards: Whether the sequence is run from its end.
        stateful: Whether a batch starts with the states in which the batch before ended.
        unroll: Whether the loop is written out: faster for short sequences, slow to compile for long ones.
        seed: Seed of the dropout.
        **kwargs: `zero_output_for_mask` and the arguments of every layer.

    Shapes:
        inputs: (batch, steps, features)
        outputs: (batch, steps, units) if return_sequences else (batch, units); then the states with
            `return_state`
        Params: (features + units + use_bias) * units

    Example:
        >>> SimpleRNN(4)(np.ones((2, 5, 3), "float32")).shape
        (2, 4)
    """

    _not_in_config = ("seed",)
    units = from_cell("units")

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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        cell = SimpleRNNCell(
            units=units, activation=activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint, bias_constraint=bias_constraint, dropout=dropout,
            recurrent_dropout=recurrent_dropout, seed=seed, name="simple_rnn_cell", **cell_kwargs(kwargs),
        )  # fmt: skip
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.input_spec = InputSpec(ndim=3)


class GRU(CellArguments, RNN):
    """Gated recurrent unit (Cho et al. 2014): two gates decide what of the state is kept.

    Args:
        units: Number of units.
        activation: Activation.
        recurrent_activation: Activation of the gates.
        use_bias: Whether there is a bias.
        kernel_initializer: Initialiser of the kernel.
        recurrent_initializer: Initialiser of the recurrent kernel.
        bias_initializer: Initialiser of the bias.
        kernel_regularizer: Regulariser of the kernel.
        recurrent_regularizer: Regulariser of the recurrent kernel.
        bias_regularizer: Regulariser of the bias.
        activity_regularizer: Regulariser of the output.
        kernel_constraint: Constraint of the kernel.
        recurrent_constraint: Constraint of the recurrent kernel.
        bias_constraint: Constraint of the bias.
        dropout: Share of the inputs dropped in training, the same at all steps of a sequence.
        recurrent_dropout: Share of the state dropped in training, likewise.
        seed: Seed of the dropout.
        return_sequences: Whether the outputs of all steps are returned, or the last only.
        return_state: Whether the last states are returned too.
        go_backwards: Whether the sequence is run from its end.
        stateful: Whether a batch starts with the states in which the batch before ended.
        unroll: Whether the loop is written out: faster for short sequences, slow to compile for long ones.
        reset_after: Whether the reset gate acts after the recurrent product or before.
        use_cudnn: "auto" or False; True is refused, JAX has no such kernel.
        **kwargs: `zero_output_for_mask` and the arguments of every layer.

    Shapes:
        inputs: (batch, steps, features)
        outputs: (batch, steps, units) if return_sequences else (batch, units); then the states with
            `return_state`
        Params: 3 * (features + units + use_bias * (1 + reset_after)) * units

    Example:
        >>> GRU(4)(np.ones((2, 5, 3), "float32")).shape
        (2, 4)
    """

    recurrent_activation = from_cell("recurrent_activation")
    reset_after = from_cell("reset_after")
    units = from_cell("units")

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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        refuse_cudnn("GRU", use_cudnn)
        cell = GRUCell(
            units=units, activation=activation, recurrent_activation=recurrent_activation, use_bias=use_bias,
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint, dropout=dropout, recurrent_dropout=recurrent_dropout,
            reset_after=reset_after, seed=seed, name="gru_cell", **cell_kwargs(kwargs),
        )  # fmt: skip
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.input_spec = InputSpec(ndim=3)
        self.use_cudnn = use_cudnn


class LSTM(CellArguments, RNN):
    """Long short-term memory (Hochreiter and Schmidhuber 1997): a memory with three gates.

    Args:
        units: Number of units.
        activation: Activation.
        recurrent_activation: Activation of the gates.
        use_bias: Whether there is a bias.
        kernel_initializer: Initialiser of the kernel.
        recurrent_initializer: Initialiser of the recurrent kernel.
        bias_initializer: Initialiser of the bias.
        unit_forget_bias: Whether the bias of the forget gate starts at 1.
        kernel_regularizer: Regulariser of the kernel.
        recurrent_regularizer: Regulariser of the recurrent kernel.
        bias_regularizer: Regulariser of the bias.
        activity_regularizer: Regulariser of the output.
        kernel_constraint: Constraint of the kernel.
        recurrent_constraint: Constraint of the recurrent kernel.
        bias_constraint: Constraint of the bias.
        dropout: Share of the inputs dropped in training, the same at all steps of a sequence.
        recurrent_dropout: Share of the state dropped in training, likewise.
        seed: Seed of the dropout.
        return_sequences: Whether the outputs of all steps are returned, or the last only.
        return_state: Whether the last states are returned too.
        go_backwards: Whether the sequence is run from its end.
        stateful: Whether a batch starts with the states in which the batch before ended.
        unroll: Whether the loop is written out: faster for short sequences, slow to compile for long ones.
        use_cudnn: "auto" or False; True is refused, JAX has no such kernel.
        **kwargs: `zero_output_for_mask` and the arguments of every layer.

    Shapes:
        inputs: (batch, steps, features)
        outputs: (batch, steps, units) if return_sequences else (batch, units); then the states with
            `return_state`
        Params: 4 * (features + units + use_bias) * units

    Example:
        >>> LSTM(4)(np.ones((2, 5, 3), "float32")).shape
        (2, 4)
    """

    recurrent_activation = from_cell("recurrent_activation")
    unit_forget_bias = from_cell("unit_forget_bias")
    units = from_cell("units")

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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        refuse_cudnn("LSTM", use_cudnn)
        cell = LSTMCell(
            units=units, activation=activation, recurrent_activation=recurrent_activation, use_bias=use_bias,
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer, unit_forget_bias=unit_forget_bias,
            kernel_regularizer=kernel_regularizer, recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint, bias_constraint=bias_constraint, dropout=dropout,
            recurrent_dropout=recurrent_dropout, seed=seed, name="lstm_cell", **cell_kwargs(kwargs),
        )  # fmt: skip
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.input_spec = InputSpec(ndim=3)
        self.use_cudnn = use_cudnn


register_public("keras.layers", [RNN, SimpleRNN, GRU, LSTM])
