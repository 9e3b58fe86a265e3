"""Transposed convolutions: each input cell is spread over a window of a larger output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from hornbill import activations, constraints, initializers, ops, regularizers
from hornbill.engine.errors import ArgumentError
from hornbill.engine.registry import register_public
from hornbill.layers.conv import WINDOW_CHECKS, WindowLayer
from hornbill.layers.shared import BASE_KEYS, spatial_names, with_defaults
from hornbill.ops.windows import per_axis

__all__ = [
    "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "Convolution1DTranspose",
    "Convolution2DTranspose", "Convolution3DTranspose",
]  # fmt: skip


class ConvTranspose(WindowLayer):
    """A transposed convolution over `rank` spatial axes; see `Conv2DTranspose`."""

    checks: ClassVar[dict[str, Any]] = WINDOW_CHECKS
    config_order = (*BASE_KEYS, "filters", "kernel_size", "strides", "padding", "output_padding")

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        output_padding: int | Sequence[int] | None = None,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
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
        self.filters, self.use_bias = filters, use_bias
        self.output_padding = self._checked_output_padding(output_padding)
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def _checked_output_padding(self, output_padding: Any) -> tuple[int, ...] | None:
        if output_padding is None:
            return None
        owner = type(self).__name__
        cells = per_axis(owner, "output_padding", output_padding, self.rank, least=0)
        if any(extra >= step for extra, step in zip(cells, self.strides, strict=True)):
            raise ArgumentError(
                f"{owner}: output_padding must be smaller than strides on every axis.",
                got=f"output_padding={cells}, strides={self.strides}.",
                why="It chooses among the sizes that a convolution with these strides maps to the same size.",
                fixes="Leave it out to get size * strides with padding='same'.",
            )
        return cells

    def build(self, input_shape: Any) -> None:
        """Makes the kernel, and the bias if there is one."""
        channels = self._channels_in(input_shape)
        self.kernel = self.add_weight(
            (*self.kernel_size, self.filters, channels),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
            axes=(*spatial_names(self.rank, "kernel "), "filters", "input channels"),
        )
        self._add_bias_weight(self.filters, "filters")

    def call(self, inputs: Any) -> Any:
        """Returns the enlarged inputs."""
        arguments = self._window_arguments()
        return self._finish(
            ops.conv_transpose(inputs, self.kernel, output_padding=self.output_padding, **arguments)
        )


class Conv1DTranspose(ConvTranspose):
    """Lengthens a sequence with learned kernels: each step is spread over a window of the output.

    Args:
        filters: Number of output channels.
        kernel_size: Length of the kernel.
        strides: Enlargement.
        padding: "same" (`steps * strides` output steps) or "valid" (the windows' ends stick out).
        output_padding: Steps added at the end, fewer than the stride; None derives the size from the padding.
        data_format: "channels_last" or "channels_first"; None means the global setting.
        dilation_rate: Distance between the steps that a window writes.
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
        new steps: steps * strides + more if output_padding is None else (steps - 1) * strides + span - cut
            + output_padding
        where span: (kernel_size - 1) * dilation_rate + 1
        where more: 0 if padding == "same" else max(span - strides, 0)
        where cut: 2 * (span // 2) if padding == "same" else 0
        Params: (product(kernel_size) * channels + use_bias) * filters

    Example:
        >>> Conv1DTranspose(8, 2, strides=2)(ops.zeros((1, 10, 4))).shape
        (1, 20, 8)
    """

    rank = 1


class Conv2DTranspose(ConvTranspose):
    """Enlarges images with learned kernels: each cell is spread over a window of the output.

    Args:
        filters: Number of output channels.
        kernel_size: Height and width of the kernel, or one number for both.
        strides: Enlargement, one number or one per axis.
        padding: "same" (`size * strides` output cells) or "valid" (the windows' ends stick out).
        output_padding: Cells added at the end of each axis, fewer than the stride; None derives the size.
        data_format: "channels_last" or "channels_first"; None means the global setting.
        dilation_rate: Distance between the cells that a window writes.
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
        new size: size * strides + more if output_padding is None else (size - 1) * strides + span - cut +
            output_padding
        where span: (kernel_size - 1) * dilation_rate + 1
        where more: 0 if padding == "same" else max(span - strides, 0)
        where cut: 2 * (span // 2) if padding == "same" else 0
        Params: (product(kernel_size) * channels + use_bias) * filters

    Example:
        >>> Conv2DTranspose(256, 2, strides=2, padding="same")(ops.zeros((1, 6, 6, 512))).shape
        (1, 12, 12, 256)
    """

    rank = 2
    __init__ = with_defaults(ConvTranspose.__init__, strides=(1, 1), dilation_rate=(1, 1))


class Conv3DTranspose(ConvTranspose):
    """Enlarges volumes with learned kernels: each cell is spread over a window of the output.

    Args:
        filters: Number of output channels.
        kernel_size: Depth, height and width of the kernel, or one number for all.
        strides: Enlargement, one number or one per axis.
        padding: "same" (`size * strides` output cells) or "valid" (the windows' ends stick out).
        data_format: "channels_last" or "channels_first"; None means the global setting.
        output_padding: Cells added at the end of each axis, fewer than the stride; None derives the size.
        dilation_rate: Distance between the cells that a window writes.
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
        new size: size * strides + more if output_padding is None else (size - 1) * strides + span - cut +
            output_padding
        where span: (kernel_size - 1) * dilation_rate + 1
        where more: 0 if padding == "same" else max(span - strides, 0)
        where cut: 2 * (span // 2) if padding == "same" else 0
        Params: (product(kernel_size) * channels + use_bias) * filters

    Example:
        >>> Conv3DTranspose(4, 2, strides=2)(ops.zeros((1, 3, 4, 5, 2))).shape
        (1, 6, 8, 10, 4)
    """

    rank = 3

    def __init__(  # the order of data_format and output_padding is Keras'
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: int | Sequence[int] | None = None,
        dilation_rate: int | Sequence[int] = (1, 1, 1),
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
        super().__init__(
            filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate, activation,
            use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip


Convolution1DTranspose, Convolution2DTranspose = Conv1DTranspose, Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose

register_public("keras.layers", [Conv1DTranspose, Conv2DTranspose, Conv3DTranspose])
