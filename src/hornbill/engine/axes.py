"""Names of axes: batch, height, width, channels, ... in one place."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["SPATIAL", "axis_names", "describe_shape"]

SPATIAL = {1: ("steps",), 2: ("height", "width"), 3: ("depth", "height", "width")}
"""Names of the spatial axes by their number."""


def axis_names(ndim: int, data_format: str | None = "channels_last") -> tuple[str, ...]:
    """Returns the names of the axes of a tensor of `ndim` axes, batch first.

    A tensor of 2 axes is (batch, features); of 3, (batch, steps, channels); of 4, (batch, height, width, channels);
    of 5, (batch, depth, height, width, channels). `channels_first` moves the channels behind the batch.
    """
    if ndim == 0:
        return ()
    if ndim == 1:
        return ("batch",)
    if ndim == 2:
        return ("batch", "features")
    spatial = SPATIAL.get(ndim - 2) or tuple(f"axis {i}" for i in range(1, ndim - 1))
    if data_format == "channels_first":
        return ("batch", "channels", *spatial)
    return ("batch", *spatial, "channels")


def describe_shape(shape: Sequence[int | None], names: Sequence[str] | None = None) -> str:
    """Returns a shape with its axes named: `(batch None, height 28, width 28, channels 1)`."""
    names = names or axis_names(len(shape))
    if len(names) != len(shape):
        return str(tuple(shape))
    return "(" + ", ".join(f"{name} {size}" for name, size in zip(names, shape, strict=True)) + ")"
