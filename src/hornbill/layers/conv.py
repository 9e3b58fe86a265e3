"""Convolutions over one, two or three spatial axes, and what all layers with sliding kernels have in common.

`WindowLayer` checks and stores kernel size, strides, padding and dilation; `Conv` adds groups and, in one
dimension, causal padding. Transposed, depthwise and separable convolutions are in the neighbouring modules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from hornbill import activations, constraints, initializers, ops, regularizers
from hornbill.engine import settings
from hornbill.engine.axes import describe_shape
from hornbill.engine.config import boolean, options, positive_int
from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.engine.input_spec import InputSpec
from hornbill.engine.registry import register_public
from hornbill.layers.shared import ConfigLayer, add_bias, known_channels, spatial_names, with_defaults
from hornbill.ops.conv import conv_bias
from hornbill.ops.windows import per_axis

__all__ = ["Conv1D", "Conv2D", "Conv3D", "Convolution1D", "Convolution2D", "Convolution3D"]


class WindowLayer(ConfigLayer):
    """Base of layers that slide a kernel over `rank` spatial axes."""

    rank: ClassVar[int] = 0
    strides_and_dilation: ClassVar[bool] = False
    use_bias: bool
    bias_initializer: Any
    bias_regularizer: Any
    bias_constraint: Any

    def _store_window(
        self, kernel_size: Any, strides: Any, padding: str, data_format: str | None, dilation_rate: Any
    ) -> None:
        owner = type(self).__name__
        self.kernel_size = per_axis(owner, "kernel_size", kernel_size, self.rank)
        self.strides = per_axis(owner, "strides", strides, self.rank)
        self.dilation_rate = per_axis(owner, "dilation_rate", dilation_rate, self.rank)
        self.padding = padding.lower()
        self.data_format = settings.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1 and not self.strides_and_dilation:
            raise ArgumentError(
                f"{owner}: strides above 1 and dilation_rate above 1 exclude each other.",
                got=f"strides={self.strides}, dilation_rate={self.dilation_rate}.",
                fixes=("Use strides=1 with this dilation_rate.", "Use dilation_rate=1 with these strides."),
            )

    @property
    def _channel_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else 1

    def _channels_in(self, input_shape: Sequence[int | None]) -> int:
        """Returns the number of input channels and fixes it in the input spec."""
        channels = known_channels(self, input_shape, self._channel_axis)
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channel_axis: channels})
        return channels

    def _add_bias_weight(self, size: int, axis: str) -> None:
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (size,), self.bias_initializer, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint, name="bias", axes=(axis,),
            )  # fmt: skip

    def _finish(self, outputs: Any) -> Any:
        if self.bias is not None:
            outputs = add_bias(outputs, self.bias, self._channel_axis)
        return self.activate(outputs)

    def _window_arguments(self) -> dict[str, Any]:
        return {
            "strides": self.strides, "padding": self.padding, "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
        }  # fmt: skip


WINDOW_CHECKS = {"filters": positive_int, "padding": options("valid", "same"), "use_bias": boolean}
"""Checks of the arguments that all layers with kernels have."""


class Conv(WindowLayer):
    """A convolution over `rank` spatial axes; see `Conv2D`."""

    checks: ClassVar[dict[str, Any]] = {**WINDOW_CHECKS, "groups": positive_int}

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._store_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.filters, self.groups, self.use_bias = filters, groups, use_bias
        if filters % groups:
            raise ArgumentError(
                f"{type(self).__name__}: filters must be a multiple of groups.",
                got=f"filters={filters}, groups={groups}.",
                why=f"Each group makes filters / groups of them; {filters} / {groups} leaves a rest of "
                f"{filters % groups}.",
                fixes=f"filters={(filters // groups + 1) * groups}",
            )
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def build(self, input_shape: Any) -> None:
        """Makes the kernel, and the bias if there is one."""
        channels = self._channels_in(input_shape)
        if channels % self.groups:
            raise ShapeError(
                f"{type(self).__name__} {self.name!r}: the input channels must be a multiple "
                f"of groups={self.groups}.",
                got=f"{describe_shape(input_shape, self.input_axes(len(input_shape)))}.",
                why=f"{channels} channels / {self.groups} groups leaves a rest of {channels % self.groups}.",
                fixes=f"Use a number of groups that divides {channels}, or groups=1.",
            )
        inputs = "input channels" if self.groups == 1 else "input channels per group"
        self.kernel = self.add_weight(
            (*self.kernel_size, channels // self.groups, self.filters),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
            axes=(*spatial_names(self.rank, "kernel "), inputs, "filters"),
        )
        self._add_bias_weight(self.filters, "filters")

    def call(self, inputs: Any) -> Any:
        """Returns the convolved inputs."""
        arguments = self._window_arguments()
        if self.padding == "causal":
            before = (self.kernel_size[0] - 1) * self.dilation_rate[0]
            steps = (before, 0)
            last = self.data_format == "channels_last"
            inputs = ops.pad(inputs, ((0, 0), steps, (0, 0)) if last else ((0, 0), (0, 0), steps))
            arguments["padding"] = "valid"
        outputs = self._in_one_pass(inputs, arguments)
        return self._finish(ops.conv(inputs, self.kernel, **arguments)) if outputs is None else outputs

    def _in_one_pass(self, inputs: Any, arguments: dict[str, Any]) -> Any:
        """Returns the outputs if one kernel can convolve, add the bias and activate, else None."""
        plain, relu = self.activation in (None, activations.linear), self.activation is activations.relu
        if self.bias is None or not (plain or relu):
            return None
        return conv_bias(inputs, self.kernel, self.bias, relu, **arguments)


class Conv1D(Conv):
    """Slides kernels along the steps of a sequence: each output cell is the weighted sum of a window.

    Args:
        filters: Number of kernels, which is the number of output channels.
        kernel_size: Length of the kernel.
        strides: Step from one window to the next.
        padding: "valid" (windows inside the input only), "same" (`ceil(steps / strides)` windows) or "causal"
            (zeros before the first step, so that no output sees a later step).
        data_format: "channels_last" or "channels_first"; None means the global setting.
        dilation_rate: Distance between the steps that a window reads.
        groups: Number of parts into which channels and filters are divided, each convolved by itself.
        activation: Name or function; None means none.
        use_bias: Whether to add one number per filter.
        kernel_initializer: First values of the kernel.
        bias_initializer: First values of the bias.
        kernel_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to the kernel after each step of training.
        bias_constraint: Applied to the bias after each step of training.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, steps, channels); channels second with "channels_first"
        outputs: (batch, new steps, filters)
        new steps: (steps - (kernel_size - 1) * dilation_rate - 1) // strides + 1 if padding == "valid" else
            ceil(steps / strides)
        Params: (product(kernel_size) * (channels // groups) + use_bias) * filters

    Example:
        >>> Conv1D(64, 3, padding="same")(ops.zeros((1, 1287, 69))).shape
        (1, 1287, 64)
    """

    rank = 1
    checks: ClassVar[dict[str, Any]] = {**Conv.checks, "padding": options("valid", "same", "causal")}


class Conv2D(Conv):
    """Slides kernels over the height and width of images: each output cell is the weighted sum of a window.

    Args:
        filters: Number of kernels, which is the number of output channels.
        kernel_size: Height and width of the kernel, or one number for both.
        strides: Step from one window to the next, one number or (down, right).
        padding: "valid" (windows inside the input only) or "same" (`ceil(size / strides)` windows per axis).
        data_format: "channels_last" or "channels_first"; None means the global setting.
        dilation_rate: Distance between the cells that a window reads.
        groups: Number of parts into which channels and filters are divided, each convolved by itself.
        activation: Name or function; None means none.
        use_bias: Whether to add one number per filter.
        kernel_initializer: First values of the kernel.
        bias_initializer: First values of the bias.
        kernel_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to the kernel after each step of training.
        bias_constraint: Applied to the bias after each step of training.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, height, width, channels); channels second with "channels_first"
        outputs: (batch, new height, new width, filters)
        new size: (size - (kernel_size - 1) * dilation_rate - 1) // strides + 1 if padding == "valid" else
            ceil(size / strides)
        Params: (product(kernel_size) * (channels // groups) + use_bias) * filters

    Example:
        >>> Conv2D(32, 3, activation="relu")(ops.zeros((1, 28, 28, 1))).shape
        (1, 26, 26, 32)
    """

    rank = 2
    __init__ = with_defaults(Conv.__init__, strides=(1, 1), dilation_rate=(1, 1))


class Conv3D(Conv):
    """Slides kernels over volumes: each output cell is the weighted sum of a window.

    Args:
        filters: Number of kernels, which is the number of output channels.
        kernel_size: Depth, height and width of the kernel, or one number for all.
        strides: Step from one window to the next.
        padding: "valid" (windows inside the input only) or "same" (`ceil(size / strides)` windows per axis).
        data_format: "channels_last" or "channels_first"; None means the global setting.
        dilation_rate: Distance between the cells that a window reads.
        groups: Number of parts into which channels and filters are divided, each convolved by itself.
        activation: Name or function; None means none.
        use_bias: Whether to add one number per filter.
        kernel_initializer: First values of the kernel.
        bias_initializer: First values of the bias.
        kernel_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to the kernel after each step of training.
        bias_constraint: Applied to the bias after each step of training.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, depth, height, width, channels); channels second with "channels_first"
        outputs: (batch, new depth, new height, new width, filters)
        new size: (size - (kernel_size - 1) * dilation_rate - 1) // strides + 1 if padding == "valid" else
            ceil(size / strides)
        Params: (product(kernel_size) * (channels // groups) + use_bias) * filters

    Example:
        >>> Conv3D(4, 3)(ops.zeros((1, 5, 6, 7, 2))).shape
        (1, 3, 4, 5, 4)
    """

    rank = 3
    __init__ = with_defaults(Conv.__init__, strides=(1, 1, 1), dilation_rate=(1, 1, 1))


Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D

register_public("keras.layers", [Conv1D, Conv2D, Conv3D])
