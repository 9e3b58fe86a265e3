"""Zeros around spatial axes, and cutting cells off their ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbill import ops
from hornbill.engine import settings
from hornbill.engine.axes import axis_names, describe_shape
from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.engine.input_spec import InputSpec
from hornbill.engine.layer import Layer
from hornbill.engine.registry import register_public
from hornbill.ops.windows import per_axis, spatial_axes

__all__ = ["Cropping1D", "Cropping2D", "Cropping3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"]

Ends = tuple[tuple[int, int], ...]
"""Cells before and after, for each spatial axis."""


def ends_per_axis(owner: str, name: str, value: Any, rank: int) -> Ends:
    """Returns (before, after) for each spatial axis.

    One number counts for all ends, one per axis for both ends of it, one pair per axis as it is. With one
    axis, a pair is its two ends.
    """
    if rank == 1:
        before, after = per_axis(owner, name, value, 2, least=0)
        return ((before, after),)
    if not isinstance(value, (tuple, list)):
        value = per_axis(owner, name, value, rank, least=0)
    if len(value) != rank:
        raise ArgumentError(
            f"{owner}: {name} must be a whole number, {rank} of them, or {rank} pairs (before, after).",
            got=f"{name}={value!r}, which has {len(value)} entries.",
        )
    pairs = [per_axis(owner, name, entry, 2, least=0) for entry in value]
    return tuple((before, after) for before, after in pairs)


class ZeroPadding(Layer):
    """Zeros around the spatial axes."""

    padding: Any
    data_format: str

    def _ends(self) -> Ends:
        return self.padding

    def call(self, inputs: Any) -> Any:
        """Returns the padded inputs."""
        widths: list[tuple[int, int]] = [(0, 0)] * len(inputs.shape)
        for axis, ends in zip(spatial_axes(len(inputs.shape), self.data_format), self._ends(), strict=True):
            widths[axis] = ends
        return ops.pad(inputs, tuple(widths))


class ZeroPadding1D(ZeroPadding):
    """Adds steps of zeros before and after a sequence.

    Args:
        padding: Number of steps at each end, or (before, after).
        data_format: "channels_last" or "channels_first"; None means the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, steps, channels); channels second with "channels_first"
        outputs: (batch, steps + sum(padding), channels)
        Params: 0

    Example:
        >>> ZeroPadding1D(2)(ops.ones((1, 5, 3))).shape
        (1, 9, 3)
    """

    def __init__(
        self, padding: int | Sequence[int] = 1, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = settings.standardize_data_format(data_format)
        self.padding = ends_per_axis("ZeroPadding1D", "padding", padding, 1)[0]
        self.input_spec = InputSpec(ndim=3)

    def _ends(self) -> Ends:
        return (self.padding,)


class ZeroPadding2D(ZeroPadding):
    """Adds rows and columns of zeros around images.

    Args:
        padding: One number for all sides, (rows, columns), or ((top, bottom), (left, right)).
        data_format: "channels_last" or "channels_first"; None means the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, height, width, channels); channels second with "channels_first"
        outputs: (batch, new height, new width, channels)
        new size: size + sum(padding)
        Params: 0

    Example:
        >>> ZeroPadding2D(((0, 1), (0, 1)))(ops.ones((1, 7, 7, 3))).shape
        (1, 8, 8, 3)
    """

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = settings.standardize_data_format(data_format)
        self.padding = ends_per_axis("ZeroPadding2D", "padding", padding, 2)
        self.input_spec = InputSpec(ndim=4)


class ZeroPadding3D(ZeroPadding):
    """Adds zeros around volumes.

    Args:
        padding: One number for all sides, one per axis, or one pair (before, after) per axis.
        data_format: "channels_last" or "channels_first"; None means the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, depth, height, width, channels); channels second with "channels_first"
        outputs: (batch, new depth, new height, new width, channels)
        new size: size + sum(padding)
        Params: 0

    Example:
        >>> ZeroPadding3D(1)(ops.ones((1, 2, 3, 4, 1))).shape
        (1, 4, 5, 6, 1)
    """

    def __init__(
        self, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = settings.standardize_data_format(data_format)
        self.padding = ends_per_axis("ZeroPadding3D", "padding", padding, 3)
        self.input_spec = InputSpec(ndim=5)


class Cropping(Layer):
    """Cells cut off the ends of the spatial axes."""

    cropping: Any
    data_format: str

    def _ends(self) -> Ends:
        return self.cropping

    def call(self, inputs: Any) -> Any:
        """Returns the cropped inputs."""
        shape = inputs.shape
        start, size = [0] * len(shape), list(shape)
        for axis, (before, after) in zip(
            spatial_axes(len(shape), self.data_format), self._ends(), strict=True
        ):
            start[axis], size[axis] = before, shape[axis] - before - after
            if size[axis] <= 0:
                names = axis_names(len(shape), self.data_format)
                raise ShapeError(
                    f"{type(self).__name__} {self.name!r} would cut away all of {names[axis]}.",
                    got=f"{describe_shape(shape, names)}, cropping={self.cropping}.",
                    why=f"{shape[axis]} - {before} - {after} = {size[axis]}, below 1.",
                    fixes="Use a smaller cropping.",
                )
        return ops.slice(inputs, tuple(start), tuple(size))


class Cropping1D(Cropping):
    """Cuts steps off the ends of a sequence.

    Args:
        cropping: Number of steps at each end, or (before, after).
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, steps, channels)
        outputs: (batch, steps - sum(cropping), channels)
        Params: 0

    Example:
        >>> Cropping1D(1)(ops.ones((1, 5, 3))).shape
        (1, 3, 3)
    """

    data_format = "channels_last"

    def __init__(self, cropping: int | Sequence[int] = (1, 1), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cropping = ends_per_axis("Cropping1D", "cropping", cropping, 1)[0]
        self.input_spec = InputSpec(ndim=3)

    def _ends(self) -> Ends:
        return (self.cropping,)


class Cropping2D(Cropping):
    """Cuts rows and columns off the sides of images.

    Args:
        cropping: One number for all sides, (rows, columns), or ((top, bottom), (left, right)).
        data_format: "channels_last" or "channels_first"; None means the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, height, width, channels); channels second with "channels_first"
        outputs: (batch, new height, new width, channels)
        new size: size - sum(cropping)
        Params: 0

    Example:
        >>> Cropping2D(((2, 2), (4, 4)))(ops.ones((1, 28, 28, 3))).shape
        (1, 24, 20, 3)
    """

    def __init__(
        self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = settings.standardize_data_format(data_format)
        self.cropping = ends_per_axis("Cropping2D", "cropping", cropping, 2)
        self.input_spec = InputSpec(ndim=4)


class Cropping3D(Cropping):
    """Cuts cells off the sides of volumes.

    Args:
        cropping: One number for all sides, one per axis, or one pair (before, after) per axis.
        data_format: "channels_last" or "channels_first"; None means the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, depth, height, width, channels); channels second with "channels_first"
        outputs: (batch, new depth, new height, new width, channels)
        new size: size - sum(cropping)
        Params: 0

    Example:
        >>> Cropping3D(1)(ops.ones((1, 4, 5, 6, 1))).shape
        (1, 2, 3, 4, 1)
    """

    def __init__(
        self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = settings.standardize_data_format(data_format)
        self.cropping = ends_per_axis("Cropping3D", "cropping", cropping, 3)
        self.input_spec = InputSpec(ndim=5)


register_public(
    "keras.layers", [ZeroPadding1D, ZeroPadding2D, ZeroPadding3D, Cropping1D, Cropping2D, Cropping3D]
)
