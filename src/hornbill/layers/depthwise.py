"""Depthwise and separable convolutions: each channel by itself, then (separable) the channels mixed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from hornbill import activations, constraints, initializers, ops, regularizers
from hornbill.engine.config import boolean, options, positive_int
from hornbill.engine.registry import register_public
from hornbill.layers.conv import WindowLayer
from hornbill.layers.shared import BASE_KEYS, spatial_names, with_defaults

__all__ = [
    "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D", "SeparableConvolution1D",
    "SeparableConvolution2D",
]  # fmt: skip


class DepthwiseConv(WindowLayer):
    """A convolution that does not mix channels; see `DepthwiseConv2D`."""

    checks: ClassVar[dict[str, Any]] = {
        "depth_multiplier": positive_int,
        "padding": options("valid", "same"),
        "use_bias": boolean,
    }
    config_order = (*BASE_KEYS, "depth_multiplier")
    strides_and_dilation = True

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._store_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.depth_multiplier, self.use_bias = depth_multiplier, use_bias
        self.activation = activations.get(activation)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def build(self, input_shape: Any) -> None:
        """Makes the kernel, and the bias if there is one."""
        channels = self._channels_in(input_shape)
        self.kernel = self.add_weight(
            (*self.kernel_size, channels, self.depth_multiplier),
            self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
            name="kernel",
            axes=(*spatial_names(self.rank, "kernel "), "input channels", "depth multiplier"),
        )
        self._add_bias_weight(channels * self.depth_multiplier, "output channels")

    def call(self, inputs: Any) -> Any:
        """Returns the convolved inputs."""
        return self._finish(ops.depthwise_conv(inputs, self.kernel, **self._window_arguments()))


class DepthwiseConv1D(DepthwiseConv):
    """Slides kernels along a sequence, each channel by itself.

    Args:
        kernel_size: Length of the kernel.
        strides: Step from one window to the next.
        padding: "valid" or "same".
        depth_multiplier: Number of kernels, and so of output channels, for each input channel.
        data_format: "channels_last" or "channels_first"; None means the global setting.
        dilation_rate: Distance between the steps that a window reads.
        activation: Name or function; None means none.
        use_bias: Whether to add one number per output channel.
        depthwise_initializer: First values of the kernel.
        bias_initializer: First values of the bias.
        depthwise_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        depthwise_constraint: Applied to the kernel after each step of training.
        bias_constraint: Applied to the bias after each step of training.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, steps, channels); channels second with "channels_first"
        outputs: (batch, new steps, channels * depth_multiplier)
        new steps: (steps - (kernel_size - 1) * dilation_rate - 1) // strides + 1 if padding == "valid" else
            ceil(steps / strides)
        Params: (product(kernel_size) + use_bias) * channels * depth_multiplier

    Example:
        >>> DepthwiseConv1D(3, depth_multiplier=2)(ops.zeros((1, 9, 4))).shape
        (1, 7, 8)
    """

    rank = 1


class DepthwiseConv2D(DepthwiseConv):
    """Slides kernels over images, each channel by itself.

    Args:
        kernel_size: Height and width of the kernel, or one number for both.
        strides: Step from one window to the next.
        padding: "valid" or "same".
        depth_multiplier: Number of kernels, and so of output channels, for each input channel.
        data_format: "channels_last" or "channels_first"; None means the global setting.
        dilation_rate: Distance between the cells that a window reads.
        activation: Name or function; None means none.
        use_bias: Whether to add one number per output channel.
        depthwise_initializer: First values of the kernel.
        bias_initializer: First values of the bias.
        depthwise_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        depthwise_constraint: Applied to the kernel after each step of training.
        bias_constraint: Applied to the bias after each step of training.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, height, width, channels); channels second with "channels_first"
        outputs: (batch, new height, new width, channels * depth_multiplier)
        new size: (size - (kernel_size - 1) * dilation_rate - 1) // strides + 1 if padding == "valid" else
            ceil(size / strides)
        Params: (product(kernel_size) + use_bias) * channels * depth_multiplier

    Example:
        >>> DepthwiseConv2D(3)(ops.zeros((1, 9, 9, 4))).shape
        (1, 7, 7, 4)
    """

    rank = 2
    __init__ = with_defaults(DepthwiseConv.__init__, strides=(1, 1), dilation_rate=(1, 1))


class SeparableConv(WindowLayer):
    """A depthwise convolution, then one with kernels of size 1; see `SeparableConv2D`."""

    checks: ClassVar[dict[str, Any]] = {**DepthwiseConv.checks, "filters": positive_int}
    config_order = (*BASE_KEYS, "depth_multiplier")
    strides_and_dilation = True

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._store_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.filters, self.depth_multiplier, self.use_bias = filters, depth_multiplier, use_bias
        self.activation = activations.get(activation)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.pointwise_constraint = constraints.get(pointwise_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def build(self, input_shape: Any) -> None:
        """Makes the two kernels, and the bias if there is one."""
        channels = self._channels_in(input_shape)
        spatial = spatial_names(self.rank, "kernel ")
        self.depthwise_kernel = self.add_weight(
            (*self.kernel_size, channels, self.depth_multiplier),
            self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
            name="depthwise_kernel",
            axes=(*spatial, "input channels", "depth multiplier"),
        )
        self.pointwise_kernel = self.add_weight(
            (*(1,) * self.rank, channels * self.depth_multiplier, self.filters),
            self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
            name="pointwise_kernel",
            axes=(*spatial, "depthwise channels", "filters"),
        )
        self._add_bias_weight(self.filters, "filters")

    def call(self, inputs: Any) -> Any:
        """Returns the convolved inputs."""
        arguments = self._window_arguments()
        return self._finish(
            ops.separable_conv(inputs, self.depthwise_kernel, self.pointwise_kernel, **arguments)
        )


class SeparableConv1D(SeparableConv):
    """Slides kernels along each channel of a sequence by itself, then mixes the channels of each step.

    Args:
        filters: Number of output channels.
        kernel_size: Length of the depthwise kernel.
        strides: Step from one window to the next.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; None means the global setting.
        dilation_rate: Distance between the steps that a window reads.
        depth_multiplier: Number of depthwise kernels for each input channel.
        activation: Name or function; None means none.
        use_bias: Whether to add one number per filter.
        depthwise_initializer: First values of the depthwise kernel.
        pointwise_initializer: First values of the pointwise kernel.
        bias_initializer: First values of the bias.
        depthwise_regularizer: Penalty on the depthwise kernel.
        pointwise_regularizer: Penalty on the pointwise kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        depthwise_constraint: Applied to the depthwise kernel after each step of training.
        pointwise_constraint: Applied to the pointwise kernel after each step of training.
        bias_constraint: Applied to the bias after each step of training.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, steps, channels); channels second with "channels_first"
        outputs: (batch, new steps, filters)
        new steps: (steps - (kernel_size - 1) * dilation_rate - 1) // strides + 1 if padding == "valid" else
            ceil(steps / strides)
        Params: product(kernel_size) * channels * depth_multiplier + (channels * depth_multiplier +
            use_bias) * filters

    Example:
        >>> SeparableConv1D(6, 3)(ops.zeros((1, 9, 4))).shape
        (1, 7, 6)
    """

    rank = 1


class SeparableConv2D(SeparableConv):
    """Slides kernels over each channel of an image by itself, then mixes the channels of each cell.

    Args:
        filters: Number of output channels.
        kernel_size: Height and width of the depthwise kernel, or one number for both.
        strides: Step from one window to the next.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; None means the global setting.
        dilation_rate: Distance between the cells that a window reads.
        depth_multiplier: Number of depthwise kernels for each input channel.
        activation: Name or function; None means none.
        use_bias: Whether to add one number per filter.
        depthwise_initializer: First values of the depthwise kernel.
        pointwise_initializer: First values of the pointwise kernel.
        bias_initializer: First values of the bias.
        depthwise_regularizer: Penalty on the depthwise kernel.
        pointwise_regularizer: Penalty on the pointwise kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        depthwise_constraint: Applied to the depthwise kernel after each step of training.
        pointwise_constraint: Applied to the pointwise kernel after each step of training.
        bias_constraint: Applied to the bias after each step of training.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, height, width, channels); channels second with "channels_first"
        outputs: (batch, new height, new width, filters)
        new size: (size - (kernel_size - 1) * dilation_rate - 1) // strides + 1 if padding == "valid" else
            ceil(size / strides)
        Params: product(kernel_size) * channels * depth_multiplier + (channels * depth_multiplier +
            use_bias) * filters

    Example:
        >>> SeparableConv2D(6, 3)(ops.zeros((1, 9, 9, 4))).shape
        (1, 7, 7, 6)
    """

    rank = 2
    __init__ = with_defaults(SeparableConv.__init__, strides=(1, 1), dilation_rate=(1, 1))


SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D

register_public("keras.layers", [DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D])
