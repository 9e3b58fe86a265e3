"""What convolutions and pooling have in common: windows that slide over the spatial axes of an array.

Here the arguments `strides`, `padding`, `dilation_rate`, `pool_size` and `data_format` are checked and
completed, axes get their names, and the size of the result is worked out with its arithmetic for error
messages. Sizes may be symbolic while a model is being built; only known sizes are compared.

Not for the computations themselves: see `conv` and `pooling`.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

from hornbill.engine import settings
from hornbill.engine.context import context
from hornbill.engine.errors import ArgumentError, ArgumentTypeError, ShapeError, one_of

__all__ = [
    "axis_names",
    "check_windows",
    "dilated",
    "image_axes",
    "known",
    "padding_name",
    "per_axis",
    "same_padding",
    "show",
    "spatial_axes",
    "window_padding",
]

_SPATIAL_NAMES = {1: ("steps",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def known(size: Any) -> bool:
    """Returns whether a size is a number rather than a symbol for an unknown size."""
    return isinstance(size, Integral)


def axis_names(rank: int, data_format: str) -> tuple[str, ...]:
    """Returns the names of the axes of a batch of rank 3 to 5: ("batch", "steps", "channels")."""
    spatial = _SPATIAL_NAMES.get(rank - 2) or tuple(f"axis {i}" for i in range(1, rank - 1))
    return (
        ("batch", *spatial, "channels") if data_format == "channels_last" else ("batch", "channels", *spatial)
    )


def spatial_axes(rank: int, data_format: str) -> tuple[int, ...]:
    """Returns the positions of the axes that windows slide along."""
    return tuple(range(1, rank - 1)) if data_format == "channels_last" else tuple(range(2, rank))


def show(shape: Sequence[Any], names: Sequence[str] = ()) -> str:
    """Returns a shape as text, with names where given: "(batch=None, steps=9, channels=3)"."""
    sizes = [str(size) if known(size) else "None" for size in shape]
    if context().probing and "batch" in names[:1]:
        sizes[0] = "None"  # a number that stands for an unknown batch size would only puzzle
    if len(names) == len(sizes):
        sizes = [f"{name}={size}" for name, size in zip(names, sizes, strict=True)]
    return "(" + ", ".join(sizes) + ("," if len(sizes) == 1 and not names else "") + ")"


def image_axes(owner: str, inputs: Any, data_format: str | None, ranks: Sequence[int]) -> str:
    """Checks the rank of an array with spatial axes and returns its data format.

    Raises:
        ShapeError: If the rank is none of `ranks`.
    """
    data_format, shape = settings.standardize_data_format(data_format), np.shape(inputs)
    if len(shape) not in ranks:
        wanted = " or ".join("(" + ", ".join(axis_names(rank, data_format)) + ")" for rank in ranks)
        fix = "Add the missing axis: x[..., None] adds channels, x[None] a batch."
        raise ShapeError(
            f"{owner} wants {wanted}.",
            got=f"{show(shape)}, which has {len(shape)} axes.",
            fixes=fix
            if len(shape) < max(ranks)
            else "Merge or index the extra axes with ops.reshape or x[0].",
        )
    return data_format


def per_axis(owner: str, name: str, value: Any, count: int, least: int = 1) -> tuple[int, ...]:
    """Returns an argument that is a whole number or one per spatial axis as a tuple of `count` whole numbers.

    Raises:
        ArgumentError: If the count is wrong or a number is below `least`.
        ArgumentTypeError: If something other than whole numbers came.
    """
    values = value if isinstance(value, (tuple, list)) else (value,) * count
    if not all(isinstance(v, Integral) and not isinstance(v, bool) for v in values):
        raise ArgumentTypeError(
            f"{owner}: {name} must be a whole number or {count} of them.",
            got=f"{name}={value!r}.",
            fixes=f"{name}=2",
        )
    if len(values) != count:
        raise ArgumentError(
            f"{owner}: {name} must be a whole number or {count} of them, one per spatial axis.",
            got=f"{name}={value!r}, which has {len(values)}.",
            fixes=f"{name}={tuple(values[:1]) * count if count > 1 else values[0]}"
            if values
            else f"{name}=2",
        )
    if any(v < least for v in values):
        raise ArgumentError(
            f"{owner}: {name} must be at least {least}.",
            got=f"{name}={value!r}.",
            fixes=f"{name}={max(least, 1)}",
        )
    return tuple(int(v) for v in values)


def padding_name(owner: str, padding: Any) -> str:
    """Returns "valid" or "same" for a padding given in any case; raises an ArgumentError on anything else."""
    name = padding.lower() if isinstance(padding, str) else padding
    return one_of(owner, "padding", name, ("valid", "same"))


def dilated(kernel: int, dilation: int) -> int:
    """Returns how many cells a dilated kernel spans: `(kernel - 1) * dilation + 1`."""
    return (kernel - 1) * dilation + 1


def same_padding(size: int, window: int, stride: int) -> tuple[int, int]:
    """Returns the cells added before and after an axis so that it yields `ceil(size / stride)` windows."""
    total = max((-(-size // stride) - 1) * stride + window - size, 0)
    return total // 2, total - total // 2


def window_padding(padding: str, sizes: Sequence[int], windows: Sequence[int], strides: Sequence[int]) -> Any:
    """Returns (before, after) per spatial axis for known sizes."""
    if padding == "valid":
        return [(0, 0)] * len(sizes)
    return [same_padding(n, k, s) for n, k, s in zip(sizes, windows, strides, strict=True)]


def check_windows(
    owner: str,
    what: str,
    shape: Sequence[Any],
    data_format: str,
    windows: Sequence[int],
    strides: Sequence[int],
    padding: str,
    dilation: Sequence[int] | None = None,
) -> None:
    """Raises a ShapeError with the arithmetic if a window does not fit into the input at least once."""
    if padding != "valid":
        return
    names = axis_names(len(shape), data_format)
    dilation = dilation or (1,) * len(windows)
    axes = spatial_axes(len(shape), data_format)
    for axis, kernel, stride, rate in zip(axes, windows, strides, dilation, strict=True):
        size, span = shape[axis], dilated(kernel, rate)
        if not known(size) or size >= span:
            continue
        spread = (
            f" ({kernel} cells, dilation {rate}: ({kernel} - 1) * {rate} + 1 = {span})" if rate > 1 else ""
        )
        raise ShapeError(
            f"{owner}: the {what} spans {span} cells along {names[axis]}{spread}, "
            f"but the input has only {size}.",
            got=show(shape, names) + ".",
            why=f'With padding="valid" the output size is ({size} - {span}) // {stride} + 1 = '
            f"{(size - span) // stride + 1}, below 1.",
            fixes=(
                'padding="same" keeps the window inside the padded input.',
                f"Use a {what} of at most {size} along {names[axis]}, or fewer reductions before this step.",
            ),
        )
