"""Functions that move elements without changing them: reshape, transpose, join, split, pad, repeat, flip.

Sizes are checked before anything runs, and the message shows the arithmetic. Picking elements by position is
in `indexing`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbill.engine.errors import ArgumentError, ShapeError, one_of
from hornbill.engine.op import Tensor, op
from hornbill.engine.symbolic import KerasTensor, may_be_unknown
from hornbill.ops.checks import as_axes, as_axis, as_tensor, check_same_sizes, product, show

__all__ = [
    "append",
    "array_split",
    "broadcast_to",
    "concatenate",
    "dsplit",
    "dstack",
    "expand_dims",
    "flip",
    "fliplr",
    "flipud",
    "hsplit",
    "hstack",
    "meshgrid",
    "moveaxis",
    "ndim",
    "pad",
    "ravel",
    "repeat",
    "reshape",
    "roll",
    "rot90",
    "size",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "tile",
    "transpose",
    "vsplit",
    "vstack",
]

_PAD_MODES = (
    "constant", "edge", "empty", "linear_ramp", "maximum", "mean", "median", "minimum", "reflect",
    "symmetric", "wrap",
)  # fmt: skip


def ndim(x: Tensor) -> int:
    """Returns the number of axes."""
    return x.ndim if hasattr(x, "ndim") else np.ndim(x)


def size(x: Tensor) -> Any:
    """Returns the number of elements (as a KerasTensor where it is not known yet)."""
    if isinstance(x, KerasTensor) and x.size is None:
        return _element_count(x)
    return x.size if hasattr(x, "size") else np.size(x)


@op
def _element_count(x: Tensor) -> Tensor:
    return jnp.asarray(x.size, "int32")


@op(rule="reshape")
def reshape(x: Tensor, newshape: Any) -> Tensor:
    """Lays the elements out in another shape, in the same order.

    Args:
        x: The tensor.
        newshape: A size or a tuple of sizes, of which one may be -1: it follows from the others.

    Returns:
        The tensor in the new shape.

    Raises:
        ShapeError: If the number of elements does not fit.

    Example:
        >>> reshape(jnp.arange(6), (2, -1)).shape
        (2, 3)
    """
    shape = np.shape(x)
    if isinstance(newshape, (list, tuple)) and None in newshape and -1 in newshape:
        # (ops.shape(x)[0], -1) of a KerasTensor: None is the unknown size at the same place
        newshape = [shape[i] if n is None and i < len(shape) else n for i, n in enumerate(newshape)]
    wanted = _sizes("reshape", newshape)
    free = wanted.count(-1)
    known = math.prod(size for size in wanted if size != -1)
    total = math.prod(shape)
    if free > 1:
        raise ShapeError("reshape: only one size may be left open (-1).", got=f"newshape={show(wanted)}.")
    if (known != total) if not free else (known == 0 or total % known != 0):
        if known and may_be_unknown(shape):  # the sizes may fit once they are known
            return jnp.zeros([total // known if size == -1 else size for size in wanted], x.dtype)
        sized = [size for size in wanted if size != -1]
        rule = (
            f"newshape has {product(wanted)}" if not free else f"{total} is no multiple of {product(sized)}"
        )
        raise ShapeError(
            f"reshape: {show(shape)} does not fit into {show(wanted)}.",
            got=f"x has {product(shape)} elements.",
            why=f"{rule}; reshape neither adds nor drops elements.",
            fixes="Leave one size open: (..., -1).",
        )
    return jnp.reshape(x, wanted)


def _sizes(name: str, shape: Any) -> tuple[int, ...]:
    """Returns a shape argument as whole numbers; None means -1."""
    items = shape if isinstance(shape, (list, tuple)) else np.atleast_1d(shape)
    try:
        return tuple(-1 if item is None else item.__index__() for item in items)
    except (AttributeError, TypeError):
        raise ArgumentError(f"{name}: a shape is a tuple of whole numbers.", got=f"{shape!r}.") from None


@op(rule="reshape")
def ravel(x: Tensor) -> Tensor:
    """Returns the elements in one axis."""
    return jnp.ravel(x)


@op(rule="reshape")
def expand_dims(x: Tensor, axis: Any) -> Tensor:
    """Adds axes of size 1.

    Args:
        x: The tensor.
        axis: Where the new axes stand in the result; one number or several.

    Returns:
        The tensor with the new axes.
    """
    count = len(axis) if isinstance(axis, (list, tuple)) else 1
    return jnp.expand_dims(x, as_axes("expand_dims", axis, np.ndim(x) + count))


@op(rule="reshape")
def squeeze(x: Tensor, axis: Any = None) -> Tensor:
    """Drops axes of size 1.

    Args:
        x: The tensor.
        axis: The axes to drop; None means all of size 1.

    Returns:
        The tensor without them.

    Raises:
        ShapeError: If one of the axes is longer than 1.
    """
    axes = as_axes("squeeze", axis, np.ndim(x))
    for place in () if axes is None else (axes,) if isinstance(axes, int) else axes:
        if np.shape(x)[place] != 1:
            raise ShapeError(
                f"squeeze: axis {place} has size {np.shape(x)[place]}; only axes of size 1 can go.",
                got=f"shape {show(np.shape(x))}.",
                fixes=(f"ops.take(x, 0, axis={place})", f"ops.mean(x, axis={place})"),
            )
    return jnp.squeeze(x, axes)


@op(rule="transpose")
def transpose(x: Tensor, axes: Any = None) -> Tensor:
    """Puts the axes in another order.

    Args:
        x: The tensor.
        axes: The old number of each new axis; None reverses the order.

    Returns:
        The tensor with its axes in the new order.

    Raises:
        ShapeError: If `axes` does not name each axis once.
    """
    rank = np.ndim(x)
    if axes is not None:
        numbers = [as_axis("transpose", axis, rank) for axis in axes]
        if sorted(numbers) != list(range(rank)):
            raise ShapeError(
                f"transpose: axes must name each of the {rank} axes once.",
                got=f"axes={tuple(axes)} for shape {show(np.shape(x))}.",
            )
        axes = numbers
    return jnp.transpose(x, axes)


@op(rule="transpose")
def moveaxis(x: Tensor, source: Any, destination: Any) -> Tensor:
    """Moves axes from the places `source` to the places `destination`; the others keep their order."""
    source, destination = (as_axes("moveaxis", axis, np.ndim(x)) for axis in (source, destination))
    if np.size(source) != np.size(destination):
        raise ArgumentError(
            "moveaxis: each source wants one destination.", got=f"{source} and {destination}."
        )
    return jnp.moveaxis(x, source, destination)


@op(rule="transpose")
def swapaxes(x: Tensor, axis1: int, axis2: int) -> Tensor:
    """Exchanges two axes.

    Args:
        x: The tensor.
        axis1: An axis.
        axis2: The other.
    """
    rank = np.ndim(x)
    return jnp.swapaxes(x, as_axis("swapaxes", axis1, rank), as_axis("swapaxes", axis2, rank))


@op(rule="broadcast")
def broadcast_to(x: Tensor, shape: Any) -> Tensor:
    """Repeats axes of size 1, and adds axes in front, until the tensor has `shape`.

    Args:
        x: The tensor.
        shape: The shape wanted, a size or a tuple of sizes.

    Returns:
        The tensor in that shape.

    Raises:
        ShapeError: If an axis of another size than 1 would have to grow.
    """
    sizes, have = _sizes("broadcast_to", shape), np.shape(x)
    fits = len(have) <= len(sizes) and all(
        a in (1, b) for a, b in zip(reversed(have), reversed(sizes), strict=False)
    )
    if not fits:
        raise ShapeError(
            f"broadcast_to: {show(have)} cannot become {show(sizes)}.",
            why="Only axes of size 1 are repeated, and new axes come in front.",
            fixes="ops.expand_dims(x, axis), or ops.tile(x, repeats)",
        )
    return jnp.broadcast_to(x, sizes)


@op(rule="concatenate")
def concatenate(xs: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Joins tensors along an axis that they have.

    Args:
        xs: The tensors; apart from `axis` their sizes are equal.
        axis: The axis along which they are laid one after the other.

    Returns:
        One tensor, whose size on the axis is the sum of theirs.

    Raises:
        ShapeError: If other axes differ in size.

    Example:
        >>> concatenate([jnp.ones((2, 3)), jnp.ones((2, 1))], axis=-1).shape
        (2, 4)
    """
    xs = list(xs)
    axis = as_axis("concatenate", axis, np.ndim(xs[0]) if xs else 1)
    check_same_sizes("concatenate", xs, axis)
    return jnp.concatenate(xs, axis)


@op(rule="concatenate")
def stack(x: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Joins tensors of one shape along a new axis.

    Args:
        x: The tensors.
        axis: Where the new axis stands in the result.

    Returns:
        One tensor with an axis more.

    Raises:
        ShapeError: If the shapes differ.
    """
    check_same_sizes("stack", list(x), None)
    return jnp.stack(x, as_axis("stack", axis, np.ndim(x[0]) + 1))


@op(rule="concatenate")
def hstack(xs: Sequence[Tensor]) -> Tensor:
    """Joins tensors along their second axis (vectors along their only one).

    Args:
        xs: The tensors.
    """
    xs = [jnp.atleast_1d(x) for x in xs]
    check_same_sizes("hstack", xs, 0 if xs and xs[0].ndim == 1 else 1)
    return jnp.hstack(xs)


@op(rule="concatenate")
def vstack(xs: Sequence[Tensor]) -> Tensor:
    """Joins tensors along their first axis; vectors count as rows.

    Args:
        xs: The tensors.
    """
    xs = [jnp.atleast_2d(x) for x in xs]
    check_same_sizes("vstack", xs, 0)
    return jnp.vstack(xs)


@op(rule="concatenate")
def dstack(xs: Sequence[Tensor]) -> Tensor:
    """Joins tensors along their third axis, which is added where it is missing.

    Args:
        xs: The tensors.
    """
    xs = [jnp.atleast_3d(x) for x in xs]
    check_same_sizes("dstack", xs, 2)
    return jnp.dstack(xs)


@op(rule="concatenate")
def append(x1: Tensor, x2: Tensor, axis: int | None = None) -> Tensor:
    """Joins two tensors along an axis; both are flattened if `axis` is None."""
    if axis is not None:
        axis = as_axis("append", axis, np.ndim(x1))
        check_same_sizes("append", [x1, x2], axis)
    return jnp.append(as_tensor(x1), as_tensor(x2), axis)


@op(rule="split")
def split(x: Tensor, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Cuts a tensor into pieces along an axis.

    Args:
        x: The tensor.
        indices_or_sections: A number of equal pieces, or a list of places at which to cut.
        axis: The axis that is cut.

    Returns:
        The pieces, a list.

    Raises:
        ShapeError: If the axis cannot be cut into that many equal pieces.
    """
    return _split("split", x, indices_or_sections, as_axis("split", axis, np.ndim(x)))


def _split(name: str, x: Tensor, where: Any, axis: int) -> list[Tensor]:
    if np.ndim(where):
        return list(jnp.split(x, [int(place) for place in where], axis))
    length = np.shape(x)[axis]
    if int(where) < 1 or length % int(where):
        raise ShapeError(
            f"{name}: axis {axis} cannot be cut into {int(where)} equal pieces.",
            got=f"shape {show(np.shape(x))}.",
            why=f"{length} / {int(where)} is no whole number.",
            fixes=(
                f"ops.array_split(x, {int(where)}, axis={axis})",
                "Give the places to cut at: ops.split(x, [2, 5])",
            ),
        )
    return list(jnp.split(x, int(where), axis))


@op(rule="split")
def array_split(x: Tensor, indices_or_sections: int, axis: int = 0) -> list[Tensor]:
    """Cuts a tensor into pieces whose sizes differ by 1 at most; the larger ones come first.

    Args:
        x: The tensor.
        indices_or_sections: How many pieces.
        axis: The axis to cut.
    """
    return list(jnp.array_split(x, indices_or_sections, as_axis("array_split", axis, np.ndim(x))))


@op(rule="split")
def hsplit(x: Tensor, indices_or_sections: Any) -> list[Tensor]:
    """Cuts a tensor along its second axis (a vector along its only one), as `split` does.

    Args:
        x: The tensor.
        indices_or_sections: How many equal pieces, or where to cut.
    """
    return _split(
        "hsplit", x, indices_or_sections, as_axis("hsplit", 0 if np.ndim(x) == 1 else 1, np.ndim(x))
    )


@op(rule="split")
def vsplit(x: Tensor, indices_or_sections: Any) -> list[Tensor]:
    """Cuts a tensor along its first axis, as `split` does.

    Args:
        x: The tensor.
        indices_or_sections: How many equal pieces, or where to cut.
    """
    return _split("vsplit", x, indices_or_sections, as_axis("vsplit", 0, np.ndim(x)))


@op(rule="split")
def dsplit(x: Tensor, indices_or_sections: Any) -> list[Tensor]:
    """Cuts a tensor along its third axis, as `split` does.

    Args:
        x: The tensor.
        indices_or_sections: How many equal pieces, or where to cut.
    """
    return _split("dsplit", x, indices_or_sections, as_axis("dsplit", 2, np.ndim(x)))


@op(rule="pad")
def pad(x: Tensor, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Tensor:
    """Adds elements at the ends of the axes.

    Args:
        x: The tensor.
        pad_width: One number for all ends, `(before, after)` for all axes, or one such pair per axis.
        mode: What to add: "constant", "edge", "reflect", "symmetric", "wrap", "mean", "minimum", "maximum",
            "median", "linear_ramp" or "empty".
        constant_values: The number to add in mode "constant"; None means 0.

    Returns:
        The larger tensor.

    Raises:
        ArgumentError: If the mode is unknown, or `constant_values` is given with another mode.
        ShapeError: If the number of pairs does not fit.

    Example:
        >>> pad([1, 2], (0, 2)).tolist()
        [1, 2, 0, 0]
    """
    one_of("pad", "mode", mode, _PAD_MODES)
    if constant_values is not None and mode != "constant":
        raise ArgumentError(
            "pad: constant_values goes with mode='constant' only.",
            got=f"mode={mode!r}.",
            fixes="Leave it out.",
        )
    widths = np.asarray(pad_width)
    if widths.ndim == 2 and widths.shape[0] not in (1, np.ndim(x)):
        raise ShapeError(
            f"pad: one pair (before, after) per axis is wanted, {np.ndim(x)} for shape {show(np.shape(x))}.",
            got=f"{widths.shape[0]} pairs.",
        )
    values = (
        {"constant_values": 0 if constant_values is None else constant_values} if mode == "constant" else {}
    )
    return jnp.pad(
        x, [tuple(map(int, pair)) for pair in np.broadcast_to(widths, (np.ndim(x), 2))], mode, **values
    )


@op(rule="upsample")
def repeat(x: Tensor, repeats: Any, axis: int | None = None) -> Tensor:
    """Repeats each element.

    Args:
        x: The tensor.
        repeats: How often: one number, or one per element of the axis.
        axis: Axis along which to repeat; None means the flattened tensor.

    Returns:
        The longer tensor.

    Example:
        >>> repeat([1, 2], 2).tolist()
        [1, 1, 2, 2]
    """
    axis = None if axis is None else as_axis("repeat", axis, np.ndim(x))
    return jnp.repeat(x, np.asarray(repeats), axis)


@op(rule="upsample")
def tile(x: Tensor, repeats: Any) -> Tensor:
    """Lays copies of the whole tensor side by side.

    Args:
        x: The tensor.
        repeats: How often along each axis; one number means the last axis.

    Returns:
        The larger tensor.
    """
    return jnp.tile(x, tuple(int(count) for count in np.atleast_1d(repeats)))


@op(rule="elementwise")
def flip(x: Tensor, axis: Any = None) -> Tensor:
    """Reverses the order of the elements along the axes (all, if None).

    Args:
        x: The tensor.
        axis: Axis or axes; None means all.
    """
    return jnp.flip(x, as_axes("flip", axis, np.ndim(x)))


@op(rule="elementwise")
def fliplr(x: Tensor) -> Tensor:
    """Reverses the second axis."""
    return jnp.flip(x, as_axis("fliplr", 1, np.ndim(x)))


@op(rule="elementwise")
def flipud(x: Tensor) -> Tensor:
    """Reverses the first axis."""
    return jnp.flip(x, as_axis("flipud", 0, np.ndim(x)))


@op(rule="elementwise")
def roll(x: Tensor, shift: Any, axis: Any = None) -> Tensor:
    """Moves the elements along axes; those that leave at one end come in at the other.

    Args:
        x: The tensor.
        shift: How many places, one number or one per axis.
        axis: The axes; None rolls the flattened tensor and keeps its shape.

    Returns:
        A tensor of the same shape.
    """
    return jnp.roll(x, shift, as_axes("roll", axis, np.ndim(x)))


@op(rule="transpose")
def rot90(array: Tensor, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """Turns a tensor by 90 degrees in the plane of two axes, from the first towards the second.

    Args:
        array: The tensor.
        k: How many quarter turns.
        axes: The two axes.

    Returns:
        The turned tensor.
    """
    if len(axes) != 2:
        raise ArgumentError("rot90: two axes make a plane.", got=f"axes={axes!r}.")
    return jnp.rot90(array, k, as_axes("rot90", tuple(axes), np.ndim(array)))


@op(rule="given")
def meshgrid(*x: Tensor, indexing: str = "xy") -> list[Tensor]:
    """Returns coordinate matrices for coordinate vectors.

    Args:
        *x: The coordinates along each axis.
        indexing: "xy": the first vector runs along the second axis, as in pictures; "ij": each along its own.

    Returns:
        One tensor per vector, all of one shape.
    """
    one_of("meshgrid", "indexing", indexing, ("xy", "ij"))
    return list(jnp.meshgrid(*(jnp.ravel(item) for item in x), indexing=indexing))
