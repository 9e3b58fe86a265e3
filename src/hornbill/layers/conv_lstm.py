"""Convolutional LSTM over one, two or three spatial axes (Shi et al. 2015): ConvLSTM1D, ConvLSTM2D, ConvLSTM3D.

The cell is that of an LSTM with convolutions in place of matrix products. The convolutions of the inputs are done for
all time steps at once, as one large batch; those of the states inside the loop.
"""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from hornbill import activations, constraints, initializers, ops, regularizers
from hornbill.engine import settings
from hornbill.engine.config import between, options, positive_int
from hornbill.engine.context import autocast_scope
from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.engine.input_spec import InputSpec
from hornbill.engine.op import Tensor
from hornbill.engine.random import SeedGenerator
from hornbill.engine.registry import register_public
from hornbill.layers.recurrent import RNN
from hornbill.layers.recurrent_loop import run_steps
from hornbill.layers.recurrent_shared import CellArguments, cell_kwargs, from_cell
from hornbill.layers.rnn_cells import DropoutCell, forget_bias
from hornbill.layers.shared import known_channels, spatial_names
from hornbill.ops.windows import per_axis

__all__ = ["ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"]


class ConvLSTMCell(DropoutCell):
    """One step of a convolutional LSTM over `rank` spatial axes."""

    gates: ClassVar[int] = 4
    _input_masks = 4

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        super().__init__(**kwargs)
        owner = f"ConvLSTM{rank}D"
        self.rank, self.filters = rank, int(filters)
        self.kernel_size = per_axis(owner, "kernel_size", kernel_size, rank)
        self.strides = per_axis(owner, "strides", strides, rank)
        self.dilation_rate = per_axis(owner, "dilation_rate", dilation_rate, rank)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(
                f"{owner}: strides above 1 and dilation_rate above 1 exclude each other.",
                got=f"strides={self.strides}, dilation_rate={self.dilation_rate}.",
                fixes=("Use strides=1 with this dilation_rate.", "Use dilation_rate=1 with these strides."),
            )
        self.padding, self.data_format = padding.lower(), settings.standardize_data_format(data_format)
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.use_bias, self.unit_forget_bias = use_bias, unit_forget_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout, self.recurrent_dropout = dropout, recurrent_dropout
        self.seed, self.seed_generator = seed, SeedGenerator(seed=seed)
        self.state_size = [-1, -1]

    def build(self, inputs_shape: Any, states_shape: Any = None) -> None:
        """Makes kernel, recurrent kernel and bias."""
        channel_axis = -1 if self.data_format == "channels_last" else 1
        channels = known_channels(self, inputs_shape, channel_axis)
        window = spatial_names(self.rank, "kernel ")
        self.kernel = self.add_weight(
            (*self.kernel_size, channels, 4 * self.filters), self.kernel_initializer, name="kernel",
            axes=(*window, "input channels", "4 gates x filters"),
            regularizer=self.kernel_regularizer, constraint=self.kernel_constraint,
        )  # fmt: skip
        self.recurrent_kernel = self.add_weight(
            (*self.kernel_size, self.filters, 4 * self.filters), self.recurrent_initializer, name="recurrent_kernel",
            axes=(*window, "filters before", "4 gates x filters"),
            regularizer=self.recurrent_regularizer, constraint=self.recurrent_constraint,
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (4 * self.filters,), self._forget_bias if self.unit_forget_bias else self.bias_initializer,
                name="bias", axes=("4 gates x filters",),
                regularizer=self.bias_regularizer, constraint=self.bias_constraint,
            )  # fmt: skip

    def _forget_bias(self, shape: tuple[int, ...], dtype: Any = None) -> np.ndarray:
        return forget_bias(self.bias_initializer, shape[0] // 4, dtype)

    @property
    def _channels(self) -> int:
        return -1 if self.data_format == "channels_last" else 1

    def _convolve(self, x: Tensor, kernel: Any, mask: Any, **arguments: Any) -> Tensor:
        """Convolves after dropout; with dropout, each gate by itself, as each has its own mask."""
        arguments["data_format"] = self.data_format
        if mask is None:
            return ops.conv(x, kernel, **arguments)
        width = self.filters
        parts = [
            ops.conv(ops.multiply(x, m), kernel[..., gate * width : (gate + 1) * width], **arguments)
            for gate, m in enumerate(mask)
        ]
        return ops.concatenate(parts, axis=self._channels)

    def project(self, inputs: Tensor, mask: Any) -> Tensor:
        """Convolves the inputs of one step (or of all steps, with time first) and adds the bias."""
        arguments = {"strides": self.strides, "padding": self.padding, "dilation_rate": self.dilation_rate}
        steps = inputs.shape[: inputs.ndim - self.rank - 2]
        joined = ops.reshape(inputs, (-1, *inputs.shape[len(steps) + 1 :])) if steps else inputs
        if mask is not None and steps:
            mask = [jnp.broadcast_to(m, inputs.shape).reshape(joined.shape) for m in mask]
        convolved = self._convolve(joined, self.kernel, mask, **arguments)
        if self.bias is not None:
            shape = [1] * convolved.ndim
            shape[self._channels] = -1
            convolved = ops.add(convolved, ops.reshape(self.bias, shape))
        if not steps:
            return convolved
        return ops.reshape(convolved, (*steps, inputs.shape[len(steps)], *convolved.shape[1:]))

    def recur(self, projected: Tensor, states: Any, mask: Any) -> tuple[Tensor, Any]:
        """Computes the gates, the new memory and the new state."""
        h_before, c_before = states
        recurrent = self._convolve(h_before, self.recurrent_kernel, mask, strides=1, padding="same")
        i, f, g, o = ops.split(ops.add(projected, recurrent), 4, axis=self._channels)
        c = ops.add(
            ops.multiply(self.recurrent_activation(f), c_before),
            ops.multiply(self.recurrent_activation(i), self.activation(g)),
        )
        h = ops.multiply(self.recurrent_activation(o), self.activation(c))
        return h, [h, c]

    def call(self, inputs: Tensor, states: Any, training: bool | None = False) -> Any:
        """Runs one time step."""
        return self.step(inputs, states, training)

    def state_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns the shape of a state for inputs of one step."""
        first = 1 if self.data_format == "channels_last" else 2
        sizes = []
        for axis in range(self.rank):
            size, kernel = input_shape[first + axis], self.kernel_size[axis]
            reach = 0 if self.padding == "same" else (kernel - 1) * self.dilation_rate[axis]
            sizes.append((size - reach + self.strides[axis] - 1) // self.strides[axis])  # type: ignore[operator]
        if self.data_format == "channels_last":
            return (input_shape[0], *sizes, self.filters)
        return (input_shape[0], self.filters, *sizes)


class ConvLSTM(CellArguments, RNN):
    """What the convolutional LSTMs of every rank share."""

    rank: ClassVar[int] = 0
    _not_in_config = ()
    checks: ClassVar[dict[str, Any]] = {
        "filters": positive_int, "padding": options("valid", "same"),
        "dropout": between(0, 1), "recurrent_dropout": between(0, 1),
    }  # fmt: skip
    filters = from_cell("filters")
    kernel_size = from_cell("kernel_size")
    strides = from_cell("strides")
    padding = from_cell("padding")
    data_format = from_cell("data_format")
    dilation_rate = from_cell("dilation_rate")
    recurrent_activation = from_cell("recurrent_activation")
    unit_forget_bias = from_cell("unit_forget_bias")

    def _set_up(self, cell_arguments: dict[str, Any], flags: dict[str, Any], kwargs: dict[str, Any]) -> None:
        cell = ConvLSTMCell(self.rank, name="conv_lstm_cell", **cell_arguments, **cell_kwargs(kwargs))
        RNN.__init__(self, cell, **flags, **kwargs)
        self.input_spec = InputSpec(ndim=self.rank + 3)
        self._state_shape: tuple[Any, ...] = ()

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Builds the cell; the spatial sizes must be known."""
        step_shape = (sequences_shape[0], *sequences_shape[2:])
        first = 1 if self.data_format == "channels_last" else 2
        if None in step_shape[first : first + self.rank]:
            raise ShapeError(
                f"{type(self).__name__} {self.name!r} must know the spatial sizes.",
                got=f"{tuple(sequences_shape)}.",
                why="Its state is as large as its output.",
                fixes="Give them in Input(...); only the batch and the steps may be None.",
            )
        if not self.cell.built:
            self.cell.build(step_shape)
        self._state_shape = self.cell.state_shape(step_shape)[1:]
        if self.stateful and self._kept is None:
            self._make_kept(sequences_shape[0])

    def get_initial_state(self, batch_size: int | None) -> list[Any]:
        """Returns zeros for both states."""
        zeros = jnp.zeros((batch_size, *self._state_shape), self.compute_dtype)  # type: ignore[arg-type]
        return [zeros, zeros]

    def _run_any(self, xs: Tensor, states: Any, mask: Any, training: Any, settings: dict[str, Any]) -> Any:
        cell = self.cell
        with autocast_scope(cell.compute_dtype if cell.autocast else None):
            inputs_mask, recurrent_mask = cell.masks_for(xs[0], states[0], training)
            projected = cell.project(xs, inputs_mask)
            return run_steps(
                lambda x, s: cell.recur(x, s, recurrent_mask),
                projected,
                states,
                mask,
                output_is_state=True,
                **settings,
            )

    def input_axes(self, ndim: int) -> tuple[str, ...]:
        """Returns (batch, steps, spatial axes, channels) in the order of the data format."""
        if ndim != self.rank + 3:
            return ()
        spatial = spatial_names(self.rank)
        names = (*spatial, "channels") if self.data_format == "channels_last" else ("channels", *spatial)
        return ("batch", "time", *names)


class _Arguments(ConvLSTM):
    """The constructor that the public classes share."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        **kwargs: Any,
    ) -> None:
        flags = {
            "return_sequences": return_sequences, "return_state": return_state, "go_backwards": go_backwards,
            "stateful": stateful, "activity_regularizer": activity_regularizer,
        }  # fmt: skip
        cell = {
            "filters": filters, "kernel_size": kernel_size, "strides": strides, "padding": padding,
            "data_format": data_format, "dilation_rate": dilation_rate, "activation": activation,
            "recurrent_activation": recurrent_activation, "use_bias": use_bias,
            "kernel_initializer": kernel_initializer, "recurrent_initializer": recurrent_initializer,
            "bias_initializer": bias_initializer, "unit_forget_bias": unit_forget_bias,
            "kernel_regularizer": kernel_regularizer, "recurrent_regularizer": recurrent_regularizer,
            "bias_regularizer": bias_regularizer, "kernel_constraint": kernel_constraint,
            "recurrent_constraint": recurrent_constraint, "bias_constraint": bias_constraint,
            "dropout": dropout, "recurrent_dropout": recurrent_dropout, "seed": seed,
        }  # fmt: skip
        self._set_up(cell, flags, kwargs)


class ConvLSTM1D(_Arguments):
    """LSTM over images in time, with convolutions over one spatial axis in place of matrix products (Shi et al. 2015).

    Args:
        filters: Number of filters of each gate.
        kernel_size: Size of the kernel, one number or one per spatial axis.
        strides: Step of the kernel over the inputs.
        padding: "valid" or "same", for the inputs; states are always padded.
        data_format: "channels_last" or "channels_first"; None means the global setting.
        dilation_rate: Distance between the cells that the kernel reads.
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
        activity_regularizer: Regulariser of the output.
        kernel_constraint: Constraint of the kernel.
        recurrent_constraint: Constraint of the recurrent kernel.
        bias_constraint: Constraint of the bias.
        dropout: Share of the inputs dropped in training.
        recurrent_dropout: Share of the state dropped in training.
        seed: Seed of the dropout.
        return_sequences: Whether the outputs of all steps are returned.
        return_state: Whether the last states are returned too.
        go_backwards: Whether the sequence is run from its end.
        stateful: Whether a batch starts with the states in which the batch before ended.
        **kwargs: `unroll`, `zero_output_for_mask` and the arguments of every layer.

    Shapes:
        inputs: (batch, time, steps, channels); channels third with "channels_first"
        outputs: (batch, time, new steps, filters) if return_sequences else (batch, new steps, filters);
            then the states with `return_state`
        new steps: (steps - (kernel_size - 1) * dilation_rate - 1) // strides + 1 if padding == "valid" else
            ceil(steps / strides)
        Params: 4 * (product(kernel_size) * (channels + filters) + use_bias) * filters

    Example:
        >>> ConvLSTM1D(4, 2)(np.ones((2, 3, 8, 1), "float32")).shape
        (2, 7, 4)
    """

    rank = 1


class ConvLSTM2D(_Arguments):
    """LSTM over images in time, with convolutions over two spatial axes in place of matrix products (Shi et al. 2015).

    Args:
        filters: Number of filters of each gate.
        kernel_size: Size of the kernel, one number or one per spatial axis.
        strides: Step of the kernel over the inputs.
        padding: "valid" or "same", for the inputs; states are always padded.
        data_format: "channels_last" or "channels_first"; None means the global setting.
        dilation_rate: Distance between the cells that the kernel reads.
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
        activity_regularizer: Regulariser of the output.
        kernel_constraint: Constraint of the kernel.
        recurrent_constraint: Constraint of the recurrent kernel.
        bias_constraint: Constraint of the bias.
        dropout: Share of the inputs dropped in training.
        recurrent_dropout: Share of the state dropped in training.
        seed: Seed of the dropout.
        return_sequences: Whether the outputs of all steps are returned.
        return_state: Whether the last states are returned too.
        go_backwards: Whether the sequence is run from its end.
        stateful: Whether a batch starts with the states in which the batch before ended.
        **kwargs: `unroll`, `zero_output_for_mask` and the arguments of every layer.

    Shapes:
        inputs: (batch, time, height, width, channels); channels third with "channels_first"
        outputs: (batch, time, new height, new width, filters) if return_sequences else (batch, new height,
            new width, filters); then the states with `return_state`
        new size: (size - (kernel_size - 1) * dilation_rate - 1) // strides + 1 if padding == "valid" else
            ceil(size / strides)
        Params: 4 * (product(kernel_size) * (channels + filters) + use_bias) * filters

    Example:
        >>> ConvLSTM2D(4, 2)(np.ones((2, 3, 8, 8, 1), "float32")).shape
        (2, 7, 7, 4)
    """

    rank = 2


class ConvLSTM3D(_Arguments):
    """LSTM over images in time, with convolutions over three spatial axes in place of matrix products.

    See Shi et al. 2015.

    Args:
        filters: Number of filters of each gate.
        kernel_size: Size of the kernel, one number or one per spatial axis.
        strides: Step of the kernel over the inputs.
        padding: "valid" or "same", for the inputs; states are always padded.
        data_format: "channels_last" or "channels_first"; None means the global setting.
        dilation_rate: Distance between the cells that the kernel reads.
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
        activity_regularizer: Regulariser of the output.
        kernel_constraint: Constraint of the kernel.
        recurrent_constraint: Constraint of the recurrent kernel.
        bias_constraint: Constraint of the bias.
        dropout: Share of the inputs dropped in training.
        recurrent_dropout: Share of the state dropped in training.
        seed: Seed of the dropout.
        return_sequences: Whether the outputs of all steps are returned.
        return_state: Whether the last states are returned too.
        go_backwards: Whether the sequence is run from its end.
        stateful: Whether a batch starts with the states in which the batch before ended.
        **kwargs: `unroll`, `zero_output_for_mask` and the arguments of every layer.

    Shapes:
        inputs: (batch, time, depth, height, width, channels); channels third with "channels_first"
        outputs: (batch, time, new depth, new height, new width, filters) if return_sequences else (batch,
            new depth, new height, new width, filters); then the states with `return_state`
        new size: (size - (kernel_size - 1) * dilation_rate - 1) // strides + 1 if padding == "valid" else
            ceil(size / strides)
        Params: 4 * (product(kernel_size) * (channels + filters) + use_bias) * filters

    Example:
        >>> ConvLSTM3D(4, 2)(np.ones((2, 3, 4, 4, 4, 1), "float32")).shape
        (2, 3, 3, 3, 4)
    """

    rank = 3


register_public("keras.layers", [ConvLSTM1D, ConvLSTM2D, ConvLSTM3D])
