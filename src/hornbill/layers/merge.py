"""Layers with several inputs: element by element (Add, Multiply, ...), side by side (Concatenate) and Dot.

Each has a function of the same name in lower case.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from hornbill import ops
from hornbill.engine.axes import describe_shape
from hornbill.engine.errors import ArgumentError, ArgumentTypeError, ShapeError
from hornbill.engine.layer import Layer
from hornbill.engine.registry import register_public
from hornbill.layers.lost_cells import explain_difference

__all__ = [
    "Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract", "add", "average",
    "concatenate", "dot", "maximum", "minimum", "multiply", "subtract",
]  # fmt: skip

Shapes = Sequence[Sequence[int | None]]


class Merge(Layer):
    """Base of layers that take a list of tensors."""

    exactly: ClassVar[int | None] = None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Merges tensors; where their sizes differ, the error says which layers made them differ."""
        try:
            return super().__call__(*args, **kwargs)
        except ShapeError as error:
            inputs = args[0] if args and isinstance(args[0], (list, tuple)) else ()
            _add_reasons(self, error, list(inputs))
            raise

    def build(self, input_shape: Any) -> None:
        """Checks that a list of tensors came and that their shapes fit."""
        owner = f"{type(self).__name__} {self.name!r}"
        if not isinstance(input_shape, (tuple, list)) or not all(
            isinstance(s, (tuple, list)) for s in input_shape
        ):
            raise ArgumentError(
                f"{owner} wants a list of tensors.",
                got=f"one tensor of shape {input_shape}.",
                fixes=f"layers.{type(self).__name__}()([a, b])",
            )
        if self.exactly is not None and len(input_shape) != self.exactly:
            raise ArgumentError(f"{owner} wants exactly {self.exactly} tensors.", got=f"{len(input_shape)}.")
        if not input_shape:
            raise ArgumentError(f"{owner} wants at least one tensor.", got="an empty list.")
        self._check_shapes(owner, input_shape)

    def _check_shapes(self, owner: str, shapes: Shapes) -> None:
        """Raises a ShapeError where sizes are neither equal nor 1."""
        rank = max(len(shape) for shape in shapes)
        stretched = [_stretch(shape, rank) for shape in shapes]
        for axis in range(rank):
            sizes = {shape[axis] for shape in stretched} - {None, 1}
            if len(sizes) > 1:
                raise _unequal(self, owner, stretched, axis, shapes)

    def call(self, inputs: Any) -> Any:
        """Returns the merged inputs; those of lower rank get axes of size 1 after the batch."""
        rank = max(len(x.shape) for x in inputs)
        return self._merge([_expand(x, rank) for x in inputs])

    def _merge(self, inputs: list[Any]) -> Any:
        raise NotImplementedError

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Returns where any of the masks keeps a step; None unless all inputs have one."""
        masks = previous_mask if isinstance(previous_mask, (list, tuple)) else [previous_mask]
        if any(mask is None for mask in masks):
            return None
        return functools.reduce(ops.logical_or, masks)


def _add_reasons(layer: Layer, error: ShapeError, inputs: list[Any]) -> None:
    """Completes an error by what the graph tells about branches of different spatial sizes."""
    ranks = {len(getattr(x, "shape", ())) for x in inputs}
    names = layer.input_axes(ranks.pop()) if len(ranks) == 1 else ()
    for axis, name in enumerate(names):
        if name in ("batch", "channels", "features") or len({x.shape[axis] for x in inputs} - {None, 1}) < 2:
            continue
        reasons, fixes = explain_difference(inputs, axis, name)
        if reasons:
            error.complete(" ".join(reasons), fixes)
            return


def _stretch(shape: Sequence[int | None], rank: int) -> tuple[int | None, ...]:
    return (*shape[:1], *(1,) * (rank - len(shape)), *shape[1:]) if shape else (1,) * rank


def _expand(x: Any, rank: int) -> Any:
    missing = rank - len(x.shape)
    return ops.expand_dims(x, tuple(range(1, missing + 1))) if missing and x.shape else x


def _unequal(layer: Layer, owner: str, shapes: Shapes, axis: int, given: Shapes) -> ShapeError:
    names = layer.input_axes(len(shapes[0]))
    sizes = [shape[axis] for shape in shapes]
    return ShapeError(
        f"{owner}: the inputs must have equal sizes (or 1) on every axis.",
        got="; ".join(describe_shape(shape, layer.input_axes(len(shape))) for shape in given) + ".",
        why=f"{names[axis]}: {' and '.join(str(size) for size in dict.fromkeys(sizes))} are different.",
        fixes=_size_fixes(names, shapes, axis),
    )


def _size_fixes(names: Sequence[str], shapes: Shapes, axis: int) -> list[str]:
    """Returns what to do when two branches have different sizes on an axis."""
    name = names[axis]
    if name in ("channels", "features", "batch"):
        large = max(shape[axis] or 0 for shape in shapes)
        return [f"Make the {name} equal before, for example with a 1 x 1 convolution or Dense({large})."]
    pairs = []
    for i, other in enumerate(names):
        if other not in ("batch", "channels", "features"):
            sizes = [shape[i] for shape in shapes if shape[i] is not None]
            gap = max(sizes, default=0) - min(sizes, default=0)  # type: ignore[type-var, operator]
            pairs.append((gap // 2, gap - gap // 2))
    cells = str(pairs[0] if len(pairs) == 1 else tuple(pairs))
    return [
        f"Enlarge the smaller one: layers.ZeroPadding{len(pairs)}D({cells}).",
        f"Or cut the larger one: layers.Cropping{len(pairs)}D({cells}).",
    ]


class Add(Merge):
    """Adds tensors element by element.

    Args:
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any; a list of tensors whose sizes are equal or 1
        outputs: broadcast(inputs); the larger size of each axis
        Params: 0

    Example:
        >>> Add()([ops.ones((2, 3)), ops.ones((2, 3))]).shape
        (2, 3)
    """

    def _merge(self, inputs: list[Any]) -> Any:
        return functools.reduce(ops.add, inputs)


class Subtract(Merge):
    """Takes the second of two tensors from the first, element by element.

    Args:
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any; a list of two tensors whose sizes are equal or 1
        outputs: broadcast(inputs); the larger size of each axis
        Params: 0

    Example:
        >>> Subtract()([ops.ones((2, 3)), ops.ones((2, 3))]).shape
        (2, 3)
    """

    exactly = 2

    def _merge(self, inputs: list[Any]) -> Any:
        return ops.subtract(inputs[0], inputs[1])


class Multiply(Merge):
    """Multiplies tensors element by element.

    Args:
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any; a list of tensors whose sizes are equal or 1
        outputs: broadcast(inputs); the larger size of each axis
        Params: 0

    Example:
        >>> Multiply()([ops.ones((2, 3)), ops.ones((2, 1))]).shape
        (2, 3)
    """

    def _merge(self, inputs: list[Any]) -> Any:
        return functools.reduce(ops.multiply, inputs)


class Average(Merge):
    """Takes the mean of tensors element by element.

    Args:
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any; a list of tensors whose sizes are equal or 1
        outputs: broadcast(inputs); the larger size of each axis
        Params: 0

    Example:
        >>> Average()([ops.ones((1, 2)), ops.zeros((1, 2))]).tolist()
        [[0.5, 0.5]]
    """

    def _merge(self, inputs: list[Any]) -> Any:
        return ops.divide(functools.reduce(ops.add, inputs), len(inputs))


class Maximum(Merge):
    """Takes the largest of tensors element by element.

    Args:
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any; a list of tensors whose sizes are equal or 1
        outputs: broadcast(inputs); the larger size of each axis
        Params: 0

    Example:
        >>> Maximum()([ops.ones((1, 2)), ops.zeros((1, 2))]).tolist()
        [[1.0, 1.0]]
    """

    def _merge(self, inputs: list[Any]) -> Any:
        return functools.reduce(ops.maximum, inputs)


class Minimum(Merge):
    """Takes the smallest of tensors element by element.

    Args:
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any; a list of tensors whose sizes are equal or 1
        outputs: broadcast(inputs); the larger size of each axis
        Params: 0

    Example:
        >>> Minimum()([ops.ones((1, 2)), ops.zeros((1, 2))]).tolist()
        [[0.0, 0.0]]
    """

    def _merge(self, inputs: list[Any]) -> Any:
        return functools.reduce(ops.minimum, inputs)


class Concatenate(Merge):
    """Lays tensors side by side along an axis.

    Args:
        axis: The axis; the batch is axis 0.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any; a list of tensors with equal sizes on all axes but `axis`
        outputs: replace(inputs[0], axis, sum(shape[axis] for shape in inputs))
        Params: 0

    Example:
        >>> Concatenate(axis=3)([ops.ones((1, 6, 6, 256)), ops.ones((1, 6, 6, 128))]).shape
        (1, 6, 6, 384)
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def _check_shapes(self, owner: str, shapes: Shapes) -> None:
        rank = len(shapes[0])
        if any(len(shape) != rank for shape in shapes):
            raise ShapeError(
                f"{owner}: the inputs must have the same number of axes.",
                got=", ".join(str(tuple(shape)) for shape in shapes) + ".",
                fixes="Add axes with layers.Reshape.",
            )
        if not -rank <= self.axis < rank:
            raise ArgumentError(
                f"{owner}: axis must be from {-rank} to {rank - 1}.", got=f"axis={self.axis}, {rank} axes."
            )
        along = self.axis % rank
        names = self.input_axes(rank)
        for axis in range(rank):
            sizes = list(dict.fromkeys(shape[axis] for shape in shapes if shape[axis] is not None))
            if axis == along or len(sizes) < 2:
                continue
            raise ShapeError(
                f"{owner} lays tensors side by side along {names[along]} (axis {along}); "
                "their other sizes must be equal.",
                got="; ".join(describe_shape(shape, names) for shape in shapes) + ".",
                why=f"{names[axis]} (axis {axis}): {' and '.join(map(str, sizes))} are different.",
                fixes=_size_fixes(names, shapes, axis),
            )

    def call(self, inputs: Any) -> Any:
        """Returns the inputs side by side."""
        return ops.concatenate(inputs, axis=self.axis)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Returns the masks side by side; an input without one keeps all steps."""
        if not isinstance(previous_mask, (list, tuple)) or all(mask is None for mask in previous_mask):
            return None
        parts = []
        for x, mask in zip(inputs, previous_mask, strict=True):
            if mask is None:
                parts.append(ops.ones_like(x, dtype="bool"))
                continue
            for _ in range(len(x.shape) - len(mask.shape)):
                mask = ops.expand_dims(mask, -1)
            parts.append(ops.logical_and(mask, ops.ones_like(x, dtype="bool")))
        return ops.any(ops.concatenate(parts, axis=self.axis), axis=-1)


class Dot(Merge):
    """Multiplies two tensors and sums over one axis of each, sample by sample.

    Args:
        axes: The axis to sum over, one number for both tensors or one for each; not the batch.
        normalize: Whether to bring the tensors to length 1 along these axes first; the result is then the
            cosine.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any; a list of two tensors (batch, ...), equal in size on the chosen axes
        outputs: (inputs[0][0], *(others or [1]))
        where others: without(inputs[0], 0, several(axes)[0]) + without(inputs[1], 0, several(axes)[-1])
        Params: 0

    Example:
        >>> Dot(axes=(1, 2))([ops.ones((2, 3, 5)), ops.ones((2, 10, 3))]).shape
        (2, 5, 10)
    """

    exactly = 2

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(axes, (tuple, list)):
            if len(axes) != 2:
                raise ArgumentError("Dot: axes must be one number or two.", got=f"axes={axes!r}.")
        elif not hasattr(axes, "__index__"):
            raise ArgumentTypeError("Dot: axes must be a whole number or two of them.", got=f"axes={axes!r}.")
        self.axes, self.normalize = axes, normalize

    def _axes_for(self, ranks: Sequence[int]) -> tuple[int, int]:
        given: Any = self.axes if isinstance(self.axes, (tuple, list)) else (self.axes, self.axes)
        first, second = (
            axis % rank if -rank <= axis < rank else -1 for axis, rank in zip(given, ranks, strict=True)
        )
        if first < 1 or second < 1:
            raise ArgumentError(
                f"Dot {self.name!r}: axes must name axes of the inputs other than the batch (axis 0).",
                got=f"axes={self.axes}, inputs with {' and '.join(str(rank) for rank in ranks)} axes.",
            )
        return first, second

    def _check_shapes(self, owner: str, shapes: Shapes) -> None:
        first, second = self._axes_for([len(shape) for shape in shapes])
        sizes = shapes[0][first], shapes[1][second]
        if None not in sizes and sizes[0] != sizes[1]:
            raise ShapeError(
                f"{owner} sums over axis {first} of the first and axis {second} of the second tensor.",
                got="; ".join(str(tuple(shape)) for shape in shapes) + ".",
                why=f"Their sizes, {sizes[0]} and {sizes[1]}, are different.",
                fixes="Choose other axes, or bring both to one size before.",
            )

    def call(self, inputs: Any) -> Any:
        """Returns the sums of products."""
        one, two = inputs
        first, second = self._axes_for([len(x.shape) for x in inputs])
        if self.normalize:
            one, two = ops.normalize(one, axis=first), ops.normalize(two, axis=second)
        letters = iter("bcdefghijklmnopqrstuvwxyz")
        left = ["a", *(next(letters) for _ in one.shape[1:])]
        right = ["a", *(next(letters) for _ in two.shape[1:])]
        right[second] = left[first]
        rest = [x for i, x in enumerate(left) if i not in (0, first)]
        rest += [x for i, x in enumerate(right) if i not in (0, second)]
        outputs = ops.einsum(f"{''.join(left)},{''.join(right)}->a{''.join(rest)}", one, two)
        return outputs if rest else ops.expand_dims(outputs, 1)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Returns None: the masked axes may be gone."""


def _function(layer: Callable[..., Layer], text: str) -> Callable[..., Any]:
    """Returns the function that makes a merging layer and calls it."""

    def merge(inputs: Any, **kwargs: Any) -> Any:
        return layer(**kwargs)(inputs)

    merge.__name__ = merge.__qualname__ = layer.__name__.lower()
    merge.__doc__ = f"""{text}, as `{layer.__name__}(**kwargs)(inputs)` does.

    Args:
        inputs: List of tensors.
        **kwargs: `name`, `dtype`.

    Returns:
        The merged tensor.
    """
    return merge


add = _function(Add, "Adds tensors element by element")
subtract = _function(Subtract, "Takes the second of two tensors from the first")
multiply = _function(Multiply, "Multiplies tensors element by element")
average = _function(Average, "Takes the mean of tensors element by element")
maximum = _function(Maximum, "Takes the largest of tensors element by element")
minimum = _function(Minimum, "Takes the smallest of tensors element by element")


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """Lays tensors side by side, as `Concatenate(axis, **kwargs)(inputs)` does.

    Args:
        inputs: List of tensors.
        axis: The axis; the batch is axis 0.
        **kwargs: `name`, `dtype`.

    Returns:
        The tensor of all.
    """
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Any, axes: int | Sequence[int] = -1, **kwargs: Any) -> Any:
    """Multiplies two tensors and sums over one axis of each, as `Dot(axes, **kwargs)(inputs)` does.

    Args:
        inputs: List of two tensors.
        axes: The axis to sum over, one number for both tensors or one for each.
        **kwargs: `name`, `dtype`, `normalize`.

    Returns:
        The sums.
    """
    return Dot(axes=axes, **kwargs)(inputs)


register_public(
    "keras.layers",
    [
        Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Dot, add, subtract, multiply,
        average, maximum, minimum, concatenate, dot,
    ],
)  # fmt: skip
