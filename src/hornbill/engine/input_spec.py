"""InputSpec: what a layer wants of its input, and the error when it gets something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbill.engine.axes import describe_shape
from hornbill.engine.dtype import standardize_dtype
from hornbill.engine.errors import ArgumentTypeError, ShapeError
from hornbill.engine.variable import standardize_shape

__all__ = ["InputSpec", "check_input", "check_one_tensor"]


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
        wanted = _axes(spec.ndim)
    elif spec.min_ndim is not None and ndim < spec.min_ndim:
        wanted = f"at least {_axes(spec.min_ndim)}"
    elif spec.max_ndim is not None and ndim > spec.max_ndim:
        wanted = f"at most {_axes(spec.max_ndim)}"
    if wanted is not None:
        raise _wrong_rank(layer, spec, shape, wanted)
    for axis, size in spec.axes.items():
        if size is not None and -ndim <= axis < ndim and shape[axis] not in (size, None):
            raise _wrong_size(layer, shape, axis, size)
    for axis, size in enumerate(spec.shape or ()):
        if size is not None and shape[axis] not in (size, None):
            raise _wrong_size(layer, shape, axis, size)


def check_one_tensor(layer: Any, inputs: Any) -> Any:
    """Returns the input of a layer that takes one tensor, also if it comes in a list; raises for anything else."""
    if hasattr(inputs, "shape") and not hasattr(inputs, "call"):
        return inputs
    if isinstance(inputs, (list, tuple)) and all(hasattr(item, "shape") for item in inputs):
        if len(inputs) == 1:
            return inputs[0]
        shapes = "; ".join(describe_shape(tuple(item.shape)) for item in inputs)
        raise ArgumentTypeError(
            f"{_label(layer)} wants one tensor.",
            got=f"{len(inputs)} in a {type(inputs).__name__}: {shapes}.",
            fixes=(
                "layers.Concatenate()([a, b]) joins them first.",
                "Or call the layer on each: [layer(x) for x in xs].",
            ),
        )
    kind = inputs.__name__ if isinstance(inputs, type) else type(inputs).__name__
    fixes = ("x = Input((28, 28, 1)); layer(x)", "layer(numpy_array)")
    if hasattr(inputs, "call"):
        fixes = (f"outputs = {layer.name}({getattr(inputs, 'name', 'other')}(x)): call the inner layer first.",
                 "Or put both into Sequential([...]).")  # fmt: skip
    shown = f"{kind} {str(inputs)[:60]!r}"
    if inputs is None or isinstance(inputs, type):
        shown = "None" if inputs is None else f"the class {kind}, not an object of it"
    raise ArgumentTypeError(f"{_label(layer)} wants a tensor.", got=f"{shown}.", fixes=fixes)


def _axes(count: int) -> str:
    return "1 axis" if count == 1 else f"{count} axes"


def _label(layer: Any) -> str:
    return f"{type(layer).__name__} {layer.name!r}"


def _wrong_rank(layer: Any, spec: InputSpec, shape: tuple[int | None, ...], wanted: str) -> ShapeError:
    names = layer.input_axes(spec.ndim or spec.min_ndim or len(shape))
    ndim = spec.ndim or spec.min_ndim
    fixes: list[str] = []
    why = None
    got = f"{shape}, which has {_axes(len(shape))}."
    if ndim is not None and names:
        wanted = "(" + ", ".join(names) + ")"
        if len(shape) == ndim - 1:
            got, fixes = _axis_missing(shape, names)
        elif len(shape) == ndim + 1:
            why = f"That is one axis more than {wanted}."
            fixes = [
                f"If the batch size was written into input_shape, leave it out: Input({tuple(shape[2:])}).",
                "If there really is one more axis, wrap the layer: layers.TimeDistributed(layer).",
            ]
        elif len(shape) < ndim:
            fixes = [f"Reshape the data to {wanted}, for example with layers.Reshape."]
        else:
            fixes = ["Flatten or reshape before this layer: layers.Flatten() or layers.Reshape(...)."]
    return ShapeError(f"{_label(layer)} wants {wanted}.", got=got, why=why, fixes=fixes)


def _axis_missing(shape: tuple[int | None, ...], names: tuple[str, ...]) -> tuple[str, list[str]]:
    """Returns what is missing in a shape of one axis too few, and what to do about it."""
    with_one, last = f"Input({(*shape[1:], 1)}) and x[..., None]", names[-1]
    if len(names) >= 4 and shape[-1] in (1, 3, 4) and shape[0] is not None:
        return (
            f"{shape}, which has no batch axis.",
            ["One image alone: x[None] makes it a batch of one.", f"Many grey images: {with_one}."],
        )
    if names[1:] == ("steps", "channels"):
        return f"{shape}, which has no channels axis.", [f"If each step is one number: {with_one}."]
    if "steps" in names:
        return f"{shape}, which has no {'steps' if len(shape) == 2 else last} axis.", [
            "After LSTM, GRU or another recurrent layer: return_sequences=True in that layer keeps the steps.",
            f"If each step is one number: {with_one}.",
        ]
    if len(shape) == 1:
        return f"{shape}, which has no {last} axis.", [
            "One sample alone: x[None] makes it a batch of one.",
            "One number per sample: Input((1,)) and x[:, None].",
        ]
    return f"{shape}, which has no {last} axis.", [
        f"For grey images: {with_one}.",
        "Or add layers.Reshape before.",
    ]


def _wrong_size(layer: Any, shape: tuple[int | None, ...], axis: int, size: int) -> ShapeError:
    names = layer.input_axes(len(shape))
    name = names[axis] if names else f"axis {axis}"
    fixes = [f"Give it data whose {name} size is {size}, or build a new layer for {shape[axis]}."]
    channel = "channels" in name
    if channel and size in shape[1:]:
        where = shape.index(size)
        order = [i for i in range(1, len(shape)) if i != where] + [where]
        permuted = ", ".join(str(i) for i in [0, *order])
        fixes.insert(
            0, f"The data looks channels_first: x.transpose({permuted}), or data_format='channels_first'."
        )
    return ShapeError(
        f"{_label(layer)} was built for {size} {name}; its weights fit no other number.",
        got=f"{describe_shape(shape, names)}.",
        fixes=fixes,
    )
