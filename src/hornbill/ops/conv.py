"""Convolutions over one, two or three spatial axes, their depthwise, separable and transposed forms.

Kernels are laid out as (spatial..., input channels, filters) and inputs stay in the order they come in:
nothing is transposed for `channels_first`. A transposed convolution is written as the convolution that it
is: the input is spread out by the strides, padded and convolved with the mirrored kernel.

Not here: pooling (`hornbill.ops.pooling`) and causal padding, which the layers add before they call `conv`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import lax

from hornbill.engine.context import context
from hornbill.engine.errors import ShapeError
from hornbill.engine.op import Tensor, convert_to_tensor, op
from hornbill.ops import native, native_depthwise
from hornbill.ops.windows import (
    axis_names,
    check_windows,
    dilated,
    image_axes,
    known,
    padding_name,
    per_axis,
    show,
    window_padding,
)

__all__ = ["conv", "conv_transpose", "depthwise_conv", "separable_conv"]

_RANKS = (3, 4, 5)
# Up to this many kernel cells, a depthwise convolution is a sum of shifted views of the input.
_FEW_CELLS = 50
_LETTERS = {3: "H", 4: "HW", 5: "DHW"}


def _layout(rank: int, data_format: str) -> tuple[str, str, str]:
    space = _LETTERS[rank]
    data = f"N{space}C" if data_format == "channels_last" else f"NC{space}"
    return data, f"{space}IO", data


def _channels(shape: Sequence[int], data_format: str) -> int:
    return shape[-1] if data_format == "channels_last" else shape[1]


def _same_type(*arrays: Tensor) -> tuple[Tensor, ...]:
    dtype = jnp.result_type(*arrays)
    return tuple(array if array.dtype == dtype else array.astype(dtype) for array in arrays)


def _check_kernel_rank(owner: str, inputs: Tensor, kernel: Tensor, axes: str) -> None:
    if kernel.ndim != inputs.ndim:
        raise ShapeError(
            f"{owner}: the kernel must have as many axes as the inputs: ({axes}).",
            got=f"inputs {show(inputs.shape)}, kernel {show(kernel.shape)}.",
            why=f"{inputs.ndim} axes of inputs leave {inputs.ndim - 2} spatial axes; "
            f"the kernel has {kernel.ndim - 2}.",
        )


def _check_channels(inputs: Tensor, kernel: Tensor, data_format: str) -> None:
    channels, (wanted, filters) = _channels(inputs.shape, data_format), kernel.shape[-2:]
    names = axis_names(inputs.ndim, data_format)
    if channels % wanted:
        raise ShapeError(
            f"conv: the kernel takes {wanted} input channels, but the inputs have {channels}.",
            got=f"inputs {show(inputs.shape, names)}, kernel {show(kernel.shape)}.",
            why=f"{channels} is not {wanted}, nor a multiple of it that would make groups.",
            fixes=(
                f"Use a kernel of shape {show((*kernel.shape[:-2], channels, filters))}.",
                "If the channels stand on another axis, check data_format.",
            ),
        )
    if filters % (channels // wanted):
        groups = channels // wanted
        raise ShapeError(
            f"conv: {filters} filters cannot be divided among {groups} groups.",
            got=f"inputs {show(inputs.shape, names)}, kernel {show(kernel.shape)}.",
            why=f"{channels} channels / {wanted} channels per kernel = {groups} groups; "
            f"{filters} / {groups} leaves a rest of {filters % groups}.",
            fixes=f"Use a multiple of {groups} filters.",
        )


@op(rule="window")
def conv(
    inputs: Tensor,
    kernel: Tensor,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """Slides a kernel over one to three spatial axes; each output cell is the weighted sum of a window.

    When the inputs have a multiple of the kernel's input channels, that multiple is the number of groups.

    Args:
        inputs: The array to convolve.
        kernel: The weights.
        strides: Step of the window, one number or one per spatial axis.
        padding: "valid" (no padding) or "same" (as many windows as the size divided by the stride, rounded
            up).
        data_format: "channels_last" or "channels_first"; None means the global setting.
        dilation_rate: Distance between the cells that a window reads, one number or one per spatial axis.

    Shapes:
        inputs: (batch, spatial..., channels), with channels second for "channels_first".
        kernel: (kernel spatial..., channels / groups, filters).
        returns: (batch, new spatial..., filters).

    Returns:
        The convolved array.

    Raises:
        ShapeError: If ranks or channels do not fit, or the kernel is larger than the input.

    Example:
        >>> import numpy as np
        >>> conv(np.ones((1, 28, 28, 1), "float32"), np.ones((3, 3, 1, 8), "float32")).shape
        (1, 26, 26, 8)
    """
    call = _checked(inputs, kernel, strides, padding, data_format, dilation_rate)
    if call.served:
        return native.conv(*call.operands, *call.window)
    return lax.conv_general_dilated(
        *call.operands,
        window_strides=call.strides,
        padding=call.padding.upper(),
        rhs_dilation=call.dilation,
        dimension_numbers=_layout(inputs.ndim, call.data_format),
        feature_group_count=call.groups,
    )


def conv_bias(inputs: Tensor, kernel: Tensor, bias: Tensor, relu: bool, **arguments: Any) -> Tensor | None:
    """Returns `conv(inputs, kernel, **arguments) + bias`, then its relu, in one pass over the outputs.

    Args:
        inputs: The array to convolve, (batch, spatial..., channels).
        kernel: The weights, (kernel spatial..., channels / groups, filters).
        bias: One number per filter, (filters,).
        relu: Whether sums below 0 become 0.
        **arguments: As those of `conv`.

    Returns:
        The result, (batch, new spatial..., filters); None where only the single ops can do it: no kernel of
        hornbill-native takes the call, or ops are being recorded for an explanation.
    """
    if context().recorder is not None or native.package() is None:
        return None
    inputs, kernel, bias = map(convert_to_tensor, (inputs, kernel, bias))
    call = _checked(inputs, kernel, **arguments)
    if not call.served or bias.dtype != call.inputs.dtype:
        return None
    return native.conv_bias(*call.operands, bias, *call.window, relu=relu)


class _Call(NamedTuple):
    """The arguments of a convolution, checked."""

    inputs: Tensor
    kernel: Tensor
    strides: tuple[int, ...]
    padding: str
    data_format: str
    dilation: tuple[int, ...]
    groups: int

    @property
    def operands(self) -> tuple[Tensor, Tensor]:
        return self.inputs, self.kernel

    @property
    def served(self) -> bool:
        """Whether a kernel of hornbill-native takes it."""
        return native.serves(*self.operands, self.data_format, self.strides, self.dilation, self.groups)

    @property
    def window(self) -> tuple[Any, ...]:
        """Strides, padding per axis, dilation and groups, as `native.conv` takes them."""
        spans = [dilated(k, d) for k, d in zip(self.kernel.shape[:-2], self.dilation, strict=True)]
        pads = window_padding(self.padding, self.inputs.shape[1:-1], spans, self.strides)
        return self.strides, pads, self.dilation, self.groups


def _checked(
    inputs: Tensor, kernel: Tensor, strides: Any, padding: str, data_format: str | None, dilation_rate: Any
) -> _Call:
    data_format = image_axes("conv", inputs, data_format, _RANKS)
    _check_kernel_rank("conv", inputs, kernel, "spatial axes, input channels, filters")
    count = inputs.ndim - 2
    strides = per_axis("conv", "strides", strides, count)
    dilation = per_axis("conv", "dilation_rate", dilation_rate, count)
    padding = padding_name("conv", padding)
    _check_channels(inputs, kernel, data_format)
    check_windows("conv", "kernel", inputs.shape, data_format, kernel.shape[:-2], strides, padding, dilation)
    inputs, kernel = _same_type(inputs, kernel)
    groups = _channels(inputs.shape, data_format) // kernel.shape[-2]
    return _Call(inputs, kernel, strides, padding, data_format, dilation, groups)


@op(rule="window")
def depthwise_conv(
    inputs: Tensor,
    kernel: Tensor,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """Convolves each channel with kernels of its own, without mixing channels.

    Args:
        inputs: The array to convolve.
        kernel: The weights.
        strides: Step of the window, one number or one per spatial axis.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; None means the global setting.
        dilation_rate: Distance between the cells that a window reads.

    Shapes:
        inputs: (batch, spatial..., channels), with channels second for "channels_first".
        kernel: (kernel spatial..., channels, multiplier).
        returns: (batch, new spatial..., channels * multiplier).

    Returns:
        The convolved array; the results of one channel stand together.

    Raises:
        ShapeError: If ranks or channels do not fit, or the kernel is larger than the input.

    Example:
        >>> import numpy as np
        >>> depthwise_conv(np.ones((1, 9, 4), "float32"), np.ones((3, 4, 2), "float32")).shape
        (1, 7, 8)
    """
    data_format = image_axes("depthwise_conv", inputs, data_format, _RANKS)
    _check_kernel_rank("depthwise_conv", inputs, kernel, "spatial axes, input channels, multiplier")
    count, channels = inputs.ndim - 2, _channels(inputs.shape, data_format)
    strides = per_axis("depthwise_conv", "strides", strides, count)
    dilation = per_axis("depthwise_conv", "dilation_rate", dilation_rate, count)
    padding = padding_name("depthwise_conv", padding)
    spatial = kernel.shape[:-2]
    if channels != kernel.shape[-2]:
        raise ShapeError(
            f"depthwise_conv: the kernel is made for {kernel.shape[-2]} channels; inputs have {channels}.",
            got=f"inputs {show(inputs.shape, axis_names(inputs.ndim, data_format))}, "
            f"kernel {show(kernel.shape)}.",
            fixes=f"Use a kernel of shape {show((*spatial, channels, kernel.shape[-1]))}.",
        )
    check_windows("depthwise_conv", "kernel", inputs.shape, data_format, spatial, strides, padding, dilation)
    inputs, kernel = _same_type(inputs, kernel)
    if native_depthwise.serves(inputs, kernel, data_format, strides, dilation):
        spans = [dilated(k, d) for k, d in zip(spatial, dilation, strict=True)]
        pads = window_padding(padding, inputs.shape[1:-1], spans, strides)
        return native_depthwise.conv(inputs, kernel, strides, pads, dilation)
    small = data_format == "channels_last" and math.prod(spatial) <= _FEW_CELLS
    if small and all(known(size) for size in inputs.shape):
        return _sum_of_views(inputs, kernel, strides, padding, dilation)
    return lax.conv_general_dilated(
        inputs,
        kernel.reshape((*spatial, 1, channels * kernel.shape[-1])),
        window_strides=strides,
        padding=padding.upper(),
        rhs_dilation=dilation,
        dimension_numbers=_layout(inputs.ndim, data_format),
        feature_group_count=channels,
    )


def _sum_of_views(
    inputs: Tensor, kernel: Tensor, strides: tuple[int, ...], padding: str, dilation: tuple[int, ...]
) -> Tensor:
    """The depthwise convolution as a sum over the kernel's cells: each times a shifted view of the input.

    The compiler fuses the sum into one loop, which is many times faster on CPUs than a convolution in
    groups of one.
    """
    *spatial, channels, multiplier = kernel.shape
    spans = [dilated(k, d) for k, d in zip(spatial, dilation, strict=True)]
    pads = window_padding(padding, inputs.shape[1:-1], spans, strides)
    if any(before or after for before, after in pads):
        inputs = jnp.pad(inputs, ((0, 0), *pads, (0, 0)))
    dtype = inputs.dtype
    if jnp.issubdtype(dtype, jnp.floating) and dtype.itemsize < 4:
        inputs, kernel = inputs.astype(jnp.float32), kernel.astype(jnp.float32)
    sizes = [(n - span) // s + 1 for n, span, s in zip(inputs.shape[1:-1], spans, strides, strict=True)]
    total: Tensor = 0
    for cell in itertools.product(*(range(k) for k in spatial)):
        view = tuple(
            slice(c * d, c * d + (n - 1) * s + 1, s)
            for c, d, n, s in zip(cell, dilation, sizes, strides, strict=True)
        )
        weights = kernel[cell]  # (channels, multiplier)
        if multiplier == 1:
            total = total + inputs[(slice(None), *view)] * weights[:, 0]
        else:
            total = total + inputs[(slice(None), *view)][..., None] * weights
    return total.astype(dtype).reshape((inputs.shape[0], *sizes, channels * multiplier))


@op(rule="window")
def separable_conv(
    inputs: Tensor,
    depthwise_kernel: Tensor,
    pointwise_kernel: Tensor,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """Convolves each channel by itself, then mixes the channels of each cell with a 1 x 1 convolution.

    Args:
        inputs: The array to convolve.
        depthwise_kernel: The weights of the first step.
        pointwise_kernel: The weights of the second step.
        strides: Step of the window of the first step.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; None means the global setting.
        dilation_rate: Distance between the cells that a window of the first step reads.

    Shapes:
        inputs: (batch, spatial..., channels), with channels second for "channels_first".
        depthwise_kernel: (kernel spatial..., channels, multiplier).
        pointwise_kernel: (1..., channels * multiplier, filters).
        returns: (batch, new spatial..., filters).

    Returns:
        The convolved array.

    Raises:
        ShapeError: If ranks or channels do not fit, or the kernel is larger than the input.

    Example:
        >>> import numpy as np
        >>> ones = lambda *shape: np.ones(shape, "float32")
        >>> separable_conv(ones(1, 9, 9, 4), ones(3, 3, 4, 1), ones(1, 1, 4, 6)).shape
        (1, 7, 7, 6)
    """
    data_format = image_axes("separable_conv", inputs, data_format, _RANKS)
    depthwise = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(depthwise, pointwise_kernel, 1, "valid", data_format)


def transposed_sizes(
    kernel: int, stride: int, padding: str, output_padding: int | None, dilation: int
) -> tuple[int, int]:
    """Returns how many cells longer the output is than `size * stride`, and how many are cut off in front.

    The full transposed convolution of `size` cells has `(size - 1) * stride + span` of them.
    """
    span = dilated(kernel, dilation)
    if output_padding is None:
        extra = 0 if padding == "same" else max(span - stride, 0)
        cut = span - stride - extra
    else:
        cut = (2 * (span // 2) if padding == "same" else 0) - output_padding
        extra = span - stride - cut
    return extra, max(cut, 0) // 2


@op(rule="transposed_window")
def conv_transpose(
    inputs: Tensor,
    kernel: Tensor,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    output_padding: int | Sequence[int] | None = None,
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """Spreads each input cell over a window of the output: the transpose of the convolution with that kernel.

    With `output_padding=None` the output has `size * strides` cells for "same" and
    `size * strides + max(span - strides, 0)` for "valid", where `span = (kernel - 1) * dilation_rate + 1`;
    otherwise `(size - 1) * strides + span - 2 * cut + output_padding`, with `cut = span // 2` for "same"
    and 0 for "valid".

    Args:
        inputs: The array to enlarge.
        kernel: The weights; mind that filters come before input channels.
        strides: Enlargement, one number or one per spatial axis.
        padding: "valid" or "same".
        output_padding: Cells added at the end of each spatial axis, fewer than the stride; None derives the
            size.
        data_format: "channels_last" or "channels_first"; None means the global setting.
        dilation_rate: Distance between the cells that a window writes.

    Shapes:
        inputs: (batch, spatial..., channels), with channels second for "channels_first".
        kernel: (kernel spatial..., filters, channels).
        returns: (batch, new spatial..., filters).

    Returns:
        The enlarged array.

    Raises:
        ShapeError: If ranks or channels do not fit.

    Example:
        >>> import numpy as np
        >>> image, kernel = np.ones((1, 5, 5, 3), "float32"), np.ones((2, 2, 8, 3), "float32")
        >>> conv_transpose(image, kernel, strides=2).shape
        (1, 10, 10, 8)
    """
    data_format = image_axes("conv_transpose", inputs, data_format, _RANKS)
    _check_kernel_rank("conv_transpose", inputs, kernel, "spatial axes, filters, input channels")
    count, channels = inputs.ndim - 2, _channels(inputs.shape, data_format)
    strides = per_axis("conv_transpose", "strides", strides, count)
    dilation = per_axis("conv_transpose", "dilation_rate", dilation_rate, count)
    padding = padding_name("conv_transpose", padding)
    spatial = kernel.shape[:-2]
    if channels != kernel.shape[-1]:
        names = axis_names(inputs.ndim, data_format)
        raise ShapeError(
            f"conv_transpose: the kernel takes {kernel.shape[-1]} input channels; inputs have {channels}.",
            got=f"inputs {show(inputs.shape, names)}, kernel {show(kernel.shape)}.",
            why="The kernel of a transposed convolution is (spatial axes, filters, input channels).",
            fixes=f"Use a kernel of shape {show((*spatial, kernel.shape[-2], channels))}.",
        )
    extended: tuple[int | None, ...] = (None,) * count
    if output_padding is not None:
        extended = per_axis("conv_transpose", "output_padding", output_padding, count, least=0)
    sizes = [
        transposed_sizes(k, s, padding, p, d)
        for k, s, p, d in zip(spatial, strides, extended, dilation, strict=True)
    ]
    inputs, kernel = _same_type(inputs, kernel)
    if count < 3 and native.serves(inputs, kernel, data_format, strides, dilation):
        result = _natively_transposed(inputs, kernel, strides, dilation, sizes)
        if result is not None:
            return result
    if (
        data_format == "channels_last"
        and spatial == strides
        and all(extra == cut == 0 for extra, cut in sizes)
    ):
        return _blocks(inputs, kernel, strides)
    pads = []
    for (extra, cut), k, s, d in zip(sizes, spatial, strides, dilation, strict=True):
        before = dilated(k, d) - 1 - cut
        pads.append((before, extra + s - 1 - before + dilated(k, d) - 1))
    return lax.conv_general_dilated(
        inputs,
        jnp.flip(kernel, tuple(range(count))).swapaxes(-1, -2),
        window_strides=(1,) * count,
        padding=pads,
        lhs_dilation=strides,
        rhs_dilation=dilation,
        dimension_numbers=_layout(inputs.ndim, data_format),
    )


def _natively_transposed(
    inputs: Tensor,
    kernel: Tensor,
    strides: tuple[int, ...],
    dilation: tuple[int, ...],
    sizes: list[tuple[int, int]],
) -> Tensor | None:
    """The transposed convolution by the native kernels; None for geometries that they do not have."""
    before = inputs.shape[1:-1]
    ends = [n * s + extra for n, s, (extra, _) in zip(before, strides, sizes, strict=True)]
    spans = [dilated(k, d) for k, d in zip(kernel.shape[:-2], dilation, strict=True)]
    edges = [
        (cut, (n - 1) * s + span - cut - end)
        for (_, cut), n, s, span, end in zip(sizes, before, strides, spans, ends, strict=True)
    ]
    if all(end > 0 and 0 <= cut < span for end, (cut, _), span in zip(ends, edges, spans, strict=True)):
        return native.conv_transpose(inputs, kernel, ends, strides, edges, dilation)
    return None


def _blocks(inputs: Tensor, kernel: Tensor, strides: tuple[int, ...]) -> Tensor:
    """The transposed convolution whose windows do not overlap: one matrix product, then blocks."""
    count, filters = len(strides), kernel.shape[-2]
    batch, *sizes = inputs.shape[:-1]
    flat = kernel.reshape((math.prod(strides) * filters, kernel.shape[-1]))
    out = lax.dot_general(inputs, flat, (((inputs.ndim - 1,), (1,)), ((), ())))
    out = out.reshape((batch, *sizes, *strides, filters))
    order = [0, *(axis for i in range(count) for axis in (1 + i, 1 + count + i)), 1 + 2 * count]
    out = out.transpose(order)  # (batch, size, stride, size, stride, ..., filters)
    return out.reshape((batch, *(n * s for n, s in zip(sizes, strides, strict=True)), filters))
