"""InputSpec: what a layer wants of its input, and the error when it gets something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbill.engine.axes import describe_shape
from hornbill.engine.dtype import standardize_dtype
from hornbill.engine.errors import ShapeError
from hornbill.engine.variable import standardize_shape

__all__ = ["InputSpec", "check_input"]


class InputSpec:
    """What a layer wants of one input.

    Args:
        dtype: Dtype name, or None for any.
        shape: Wanted shape, None for any size.
        ndim: Wanted number of axes, batch included.
        max_ndim: Largest number of axes.
        min_ndim: Smallest number of axes.
        axes: Dict from axis to wanted size.
        allow_last_axis_squeeze: Whether a last axis of size 1 may be missing or extra.
        name: Name of the input, for dicts.
        optional: Whether None may be given.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Sequence[int | None] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = None if dtype is None else standardize_dtype(dtype)
        self.shape = None if shape is None else standardize_shape(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        self.allow_last_axis_squeeze, self.name, self.optional = allow_last_axis_squeeze, name, optional

    def __repr__(self) -> str:
        parts = [f"{key}={value}" for key, value in self.get_config().items() if value]
        return f"InputSpec({', '.join(parts)})"

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal object."""
        return {
            "dtype": self.dtype, "shape": self.shape, "ndim": self.ndim, "max_ndim": self.max_ndim,
            "min_ndim": self.min_ndim, "axes": self.axes,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        """Creates the spec from its configuration."""
        return cls(**config)


def check_input(layer: Any, spec: InputSpec, shape: tuple[int | None, ...]) -> None:
    """Raises a ShapeError when a shape is not what the spec wants; the message names every axis."""
    ndim = len(shape)
    if spec.shape is not None and spec.allow_last_axis_squeeze and abs(ndim - len(spec.shape)) == 1:
        longer = shape if ndim > len(spec.shape) else spec.shape
        if longer[-1] == 1:
            return
    wanted = None
    if spec.ndim is not None and ndim != spec.ndim:
        wanted = f"{spec.ndim} axes"
    elif spec.min_ndim is not None and ndim < spec.min_ndim:
        wanted = f"at least {spec.min_ndim} axes"
    elif spec.max_ndim is not None and ndim > spec.max_ndim:
        wanted = f"at most {spec.max_ndim} axes"
    if wanted is not None:
        raise _wrong_rank(layer, spec, shape, wanted)
    for axis, size in spec.axes.items():
        if size is not None and -ndim <= axis < ndim and shape[axis] not in (size, None):
            raise _wrong_size(layer, shape, axis, size)
    for axis, size in enumerate(spec.shape or ()):
        if size is not None and shape[axis] not in (size, None):
            raise _wrong_size(layer, shape, axis, size)


def _label(layer: Any) -> str:
    return f"{type(layer).__name__} {layer.name!r}"


def _wrong_rank(layer: Any, spec: InputSpec, shape: tuple[int | None, ...], wanted: str) -> ShapeError:
    names = layer.input_axes(spec.ndim or spec.min_ndim or len(shape))
    ndim = spec.ndim or spec.min_ndim
    fixes: list[str] = []
    why = None
    got = f"{shape}, which has {len(shape)} axes."
    if ndim is not None and names:
        wanted = "(" + ", ".join(names) + ")"
        if len(shape) == ndim - 1:
            missing = "channels" if "channels" in names else names[-1]
            got = f"{shape}, which has no {missing} axis."
            grey = ", ".join(str(size) for size in shape[1:])
            if missing == "channels":
                fixes = [f"For grey images: Input(({grey}, 1)) and x[..., None].", "Or add layers.Reshape before."]
            else:
                fixes = [f"Input(({grey}, 1)) and x[..., None], if each step is one number."]
        elif len(shape) == ndim + 1:
            why = f"That is one axis more than {wanted}."
            inner = ", ".join(str(size) for size in shape[2:])
            fixes = [
                f"If the batch size was written into input_shape, leave it out: Input(({inner},)).",
                "If there really is one more axis, wrap the layer: layers.TimeDistributed(layer).",
            ]
        elif len(shape) < ndim:
            fixes = [f"Reshape the data to {wanted}, for example with layers.Reshape."]
        else:
            fixes = ["Flatten or reshape before this layer: layers.Flatten() or layers.Reshape(...)."]
    return ShapeError(f"{_label(layer)} wants {wanted}.", got=got, why=why, fixes=fixes)


def _wrong_size(layer: Any, shape: tuple[int | None, ...], axis: int, size: int) -> ShapeError:
    names = layer.input_axes(len(shape))
    name = names[axis] if names else f"axis {axis}"
    fixes = [f"Give it data whose {name} size is {size}, or build a new layer for {shape[axis]}."]
    channel = "channels" in name
    if channel and size in shape[1:]:
        where = shape.index(size)
        order = [i for i in range(1, len(shape)) if i != where] + [where]
        permuted = ", ".join(str(i) for i in [0, *order])
        fixes.insert(0, f"The data looks channels_first: x.transpose({permuted}), or data_format='channels_first'.")
    return ShapeError(
        f"{_label(layer)} was built for {size} {name}; its weights fit no other number.",
        got=f"{describe_shape(shape, names)}.",
        fixes=fixes,
    )
