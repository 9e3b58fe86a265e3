"""Windows that slide: convolutions, pooling, patches, transposed convolutions and adaptive pooling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from hornbill.engine.record import Record, TensorSpec
from hornbill.explain.rules.base import Sentence, Size, claim, named, per_axis, product, rule, show, whole

__all__ = ["Geometry", "causal_sentence", "geometry_of"]

_KERNELS = ("kernel", "depthwise_kernel")


class Geometry(NamedTuple):
    """What a window op was called with.

    Attributes:
        inputs: The tensor that came in.
        rank: Number of spatial axes.
        axes: Their places.
        channel: The place of the channels.
        sizes: Size of the window per spatial axis.
        strides: Its step.
        dilation: Distance between its cells.
        padding: "valid" or "same".
        kernel: The weights, None for pooling.
    """

    inputs: TensorSpec
    rank: int
    axes: tuple[int, ...]
    channel: int
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: str
    kernel: TensorSpec | None

    def reach(self, i: int) -> int:
        """Returns how many cells a window spans on a spatial axis."""
        return self.dilation[i] * (self.sizes[i] - 1) + 1

    def output_size(self, i: int) -> Size:
        """Returns the number of windows on a spatial axis (not for transposed convolutions)."""
        before = self.inputs.shape[self.axes[i]]
        if before is None:
            return None
        return (
            -(-before // self.strides[i])
            if self.padding == "same"
            else (before - self.reach(i)) // self.strides[i] + 1
        )

    def pads(self, i: int) -> tuple[int, int] | None:
        """Returns the zeros put before and after a spatial axis; None if that depends on a size not known."""
        if self.padding != "same":
            return 0, 0
        before, after = self.inputs.shape[self.axes[i]], self.output_size(i)
        if before is None or after is None:
            pad = self.reach(i) - 1 if self.strides[i] == 1 else None
        else:
            pad = max((after - 1) * self.strides[i] + self.reach(i) - before, 0)
        return None if pad is None else (pad // 2, pad - pad // 2)


def geometry_of(record: Record) -> Geometry | None:
    """Returns the geometry of a call of a window op; None if the size of the window is not known."""
    inputs, arguments = record.tensors()[0], record.arguments
    batched = len(whole(record).shape) == len(inputs.shape) and len(inputs.shape) > 3
    rank = 3 if record.name == "extract_patches_3d" else len(inputs.shape) - 2
    if record.name in ("extract_patches", "gaussian_blur"):
        size = arguments.get("size")
        rank = len(size) if isinstance(size, (tuple, list)) else 2
    first = len(inputs.shape) - rank - 1 if batched or rank + 1 == len(inputs.shape) else 1
    last = arguments.get("data_format") != "channels_first"
    axes = tuple(range(first, first + rank)) if last else tuple(range(first + 1, first + 1 + rank))
    kernel = next((arguments[k] for k in _KERNELS if isinstance(arguments.get(k), TensorSpec)), None)
    sizes: Any = kernel.shape[:rank] if kernel is not None else None
    if sizes is None:
        sizes = next(arguments[k] for k in ("pool_size", "size", "kernel_size") if k in arguments)
    if isinstance(sizes, tuple) and None in sizes:
        return None
    sizes = per_axis(sizes, rank)
    blur = record.name == "gaussian_blur"
    strides = arguments.get("strides")
    strides = per_axis(strides if strides is not None else (1 if kernel is not None or blur else sizes), rank)
    dilation = per_axis(arguments.get("dilation_rate"), rank)
    padding = "same" if blur else str(arguments.get("padding", "valid")).lower()
    channel = first + rank if last else first
    return Geometry(inputs, rank, axes, channel, sizes, strides, dilation, padding, kernel)


@rule("window")
def _window(record: Record) -> Iterator[Sentence]:
    """Convolution and pooling: valid: (in - reach) // stride + 1; same: ceil(in / stride)."""
    window = geometry_of(record)
    if window is None:
        return
    names = _names(record, window)
    for i in range(window.rank):
        yield _window_size(window, i, names)
    yield from _window_channels(record, window, names)


def _names(record: Record, window: Geometry) -> tuple[str, ...]:
    if len(window.inputs.shape) == window.rank + 1:  # one image without a batch
        return named(record, window.rank + 2)[1:]
    return named(record, window.rank + 2)


def _window_size(window: Geometry, i: int, names: tuple[str, ...]) -> Sentence:
    axis, stride, step = window.axes[i], window.strides[i], window.dilation[i]
    before, after, reach = window.inputs.shape[axis], window.output_size(i), window.reach(i)
    shown = f"{reach}" if step == 1 else f"({step} * ({window.sizes[i]} - 1) + 1)"
    parts = {"kernel": window.sizes[i], "stride": stride, "dilation": step, "reach": reach}
    end = f" = {after}" if after is not None else ""
    if window.padding != "same":
        return claim(
            names,
            axis,
            before,
            after,
            "window.valid",
            f"({show(before)} - {shown}) // {stride} + 1{end}",
            **parts,
        )
    pads = window.pads(i)
    pad = sum(pads) if pads is not None else None
    if stride == 1 and pad is not None:
        formula = (
            f"{show(before)} + {pad} - ({shown} - 1){end}" if pad else f"{show(before)} - ({shown} - 1){end}"
        )
    else:
        formula = f"ceil({show(before)} / {stride}){end}"
    if pads is None:
        return claim(names, axis, before, after, "window.same.unknown", formula, **parts)
    key = "window.same" if pad else "window.same.unpadded"
    return claim(names, axis, before, after, key, formula, left=pads[0], right=pads[1], **parts)


def _window_channels(record: Record, window: Geometry, names: tuple[str, ...]) -> Iterator[Sentence]:
    channel, before = window.channel, window.inputs.shape[window.channel]
    kernel = window.kernel
    if record.name == "conv" and kernel is not None:
        filters = kernel.shape[-1]
        groups = 1 if before is None or not kernel.shape[-2] else before // kernel.shape[-2]
        key = "window.filters" if groups == 1 else "window.filters.groups"
        yield claim(names, channel, before, filters, key, filters=filters, groups=groups)
    elif record.name == "depthwise_conv" and kernel is not None:
        times = kernel.shape[-1]
        after = product((before, times))
        formula = f"{show(before)} * {times} = {show(after)}"
        yield claim(names, channel, before, after, "window.depthwise", formula, multiplier=times)
    elif record.name == "separable_conv":
        filters = record.arguments["pointwise_kernel"].shape[-1]
        yield claim(names, channel, before, filters, "window.separable", filters=filters)
    elif record.name.startswith("extract_patches"):
        after = product((*window.sizes, before))
        formula = f"{' * '.join(map(str, window.sizes))} * {show(before)} = {show(after)}"
        yield claim(names, channel, before, after, "window.patch", formula)
    else:
        yield claim(names, channel, before, before, "window.each_channel")


def causal_sentence(pad: Record, window: Record) -> Sentence | None:
    """Returns the one sentence about a padding in front and the valid window that follows, or None.

    This is what causal padding is, in a layer of ours or written with plain ops.
    """
    widths, geometry = pad.arguments.get("pad_width"), geometry_of(window)
    if (
        geometry is None
        or pad.rule != "pad"
        or window.rule != "window"
        or geometry.padding == "same"
        or geometry.rank != 1
    ):
        return None
    if whole(pad).shape != geometry.inputs.shape or not isinstance(widths, (tuple, list)):
        return None
    axis = geometry.axes[0]
    if any(tuple(pair) != (0, 0) for i, pair in enumerate(widths) if i != axis) or widths[axis][1]:
        return None
    before, zeros = pad.tensors()[0].shape[axis], widths[axis][0]
    reach, stride, after = geometry.reach(0), geometry.strides[0], geometry.output_size(0)
    end = f" = {after}" if after is not None else ""
    formula = f"({show(before)} + {zeros} - {reach}) // {stride} + 1{end}"
    return claim(
        named(window, 3), axis, before, after, "window.causal", formula, zeros=zeros, kernel=geometry.sizes[0],
        stride=stride, dilation=geometry.dilation[0], reach=reach,
    )  # fmt: skip


@rule("transposed_window")
def _transposed_window(record: Record) -> Iterator[Sentence]:
    """Transposed convolution: same: in * stride; valid: in * stride + max(reach - stride, 0)."""
    window = geometry_of(record)
    if window is None:
        return
    extra = record.arguments.get("output_padding")
    extras = None if extra is None else per_axis(extra, window.rank)
    names = named(record, window.rank + 2)
    for i, axis in enumerate(window.axes):
        before, stride, reach = window.inputs.shape[axis], window.strides[i], window.reach(i)
        parts = {"kernel": window.sizes[i], "stride": stride, "dilation": window.dilation[i], "reach": reach}
        n = show(before)
        if extras is None and window.padding == "same":
            key, added, formula = "transposed.same", 0, f"{n} * {stride}"
        elif extras is None:
            added = max(reach - stride, 0)
            key, formula = "transposed.valid", f"{n} * {stride} + max({reach} - {stride}, 0)"
        else:
            cut = 2 * (reach // 2) if window.padding == "same" else 0
            added = reach - cut + extras[i] - stride
            key, parts["extra"], parts["cut"] = "transposed.output_padding", extras[i], cut
            formula = f"({n} - 1) * {stride} + {reach} - {cut} + {extras[i]}"
        after = None if before is None else before * stride + added
        yield claim(
            names, axis, before, after, key, formula if after is None else f"{formula} = {after}", **parts
        )
    filters = window.kernel.shape[-2] if window.kernel is not None else None
    channels = window.inputs.shape[window.channel]
    yield claim(names, window.channel, channels, filters, "transposed.filters", filters=filters)


@rule("adaptive_window")
def _adaptive(record: Record) -> Iterator[Sentence]:
    """Adaptive pooling: as many windows as asked for."""
    inputs = record.tensors()[0]
    rank = len(inputs.shape) - 2
    counts = per_axis(record.arguments["output_size"], rank)
    first = 2 if record.arguments.get("data_format") == "channels_first" else 1
    names = named(record, rank + 2)
    for i, count in enumerate(counts):
        before = inputs.shape[first + i]
        yield claim(names, first + i, before, count, "window.adaptive")
    channel = 1 if first == 2 else rank + 1
    yield claim(names, channel, inputs.shape[channel], inputs.shape[channel], "window.each_channel")


@rule("sequences")
def _sequences(record: Record) -> Iterator[Sentence]:
    """Overlapping pieces of the last axis: frames of a signal, and their spectra."""
    inputs, arguments = record.tensors()[0], record.arguments
    rank, before = len(inputs.shape), inputs.shape[-1]
    names, step = named(record, rank + 1), int(arguments["sequence_stride"])
    length = int(arguments.get("fft_length") or arguments["sequence_length"])
    added = 2 * (length // 2) if arguments.get("center") else 0
    after = None if before is None else max(0, 1 + (before + added - length) // step)
    n = f"{show(before)} + {added}" if added else show(before)
    formula = f"({n} - {length}) // {step} + 1"
    yield claim(
        names, rank - 1, before, after, "window.frames", formula if after is None else f"{formula} = {after}"
    )
    if record.name == "stft":
        bins = length // 2 + 1
        yield claim(names, rank, length, bins, "fourier.half", f"{length} // 2 + 1 = {bins}")
    else:
        yield claim(names, rank, length, length, "window.frame", f"{length}")
