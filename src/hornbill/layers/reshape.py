"""Layers that move or repeat elements without computing: Flatten, Reshape, Permute, RepeatVector."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from hornbill import ops
from hornbill.engine import settings
from hornbill.engine.axes import describe_shape
from hornbill.engine.config import positive_int
from hornbill.engine.errors import ArgumentError, ArgumentTypeError, ShapeError
from hornbill.engine.input_spec import InputSpec
from hornbill.engine.layer import Layer
from hornbill.engine.registry import register_public
from hornbill.engine.symbolic import may_be_unknown

__all__ = ["Flatten", "Permute", "RepeatVector", "Reshape"]


class Flatten(Layer):
    """Lays all axes but the batch in a row.

    Args:
        data_format: With "channels_first", channels are moved last first, so that the order of the elements
            does not depend on the data format; None means the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, ...)
        outputs: (batch, product(inputs[1:]))
        Params: 0

    Example:
        >>> Flatten()(ops.ones((2, 7, 7, 64))).shape
        (2, 3136)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = settings.standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        """Returns the flattened inputs."""
        rank = len(inputs.shape)
        if self.data_format == "channels_first" and rank > 2:
            inputs = ops.transpose(inputs, (0, *range(2, rank), 1))
        return ops.reshape(inputs, (inputs.shape[0], math.prod(inputs.shape[1:])))


class Reshape(Layer):
    """Gives each sample another shape; the elements keep their row-major order.

    Args:
        target_shape: Shape of a sample, without the batch; one size may be -1: it follows from the others.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, ...)
        outputs: (batch, *(product(inputs[1:]) // -product(target_shape) if size == -1 else size for size in
            target_shape))
        Params: 0

    Example:
        >>> Reshape((-1, 2))(ops.ones((3, 8))).shape
        (3, 4, 2)
    """

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(target_shape, (tuple, list)):
            raise ArgumentTypeError(
                "Reshape: target_shape must be a tuple of whole numbers, without the batch.",
                got=f"target_shape={target_shape!r}.",
                fixes=f"Reshape(({target_shape},))",
            )
        self.target_shape = tuple(target_shape)
        if self.target_shape.count(-1) > 1:
            raise ArgumentError("Reshape: only one size may be -1.", got=f"target_shape={self.target_shape}.")
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Returns the reshaped inputs."""
        sizes = inputs.shape[1:]
        known = math.prod(size for size in self.target_shape if size != -1)
        total = math.prod(sizes)
        fits = total % known == 0 if -1 in self.target_shape and known else total == known
        if not fits and not may_be_unknown(sizes):
            counted = " * ".join(str(size) for size in sizes) or "1"
            raise ShapeError(
                f"Reshape {self.name!r} cannot give each sample the shape {self.target_shape}.",
                got=f"{describe_shape(inputs.shape, self.input_axes(len(inputs.shape)))}.",
                why=f"A sample has {counted} = {total} elements; the target has a multiple of {known}."
                if -1 in self.target_shape
                else f"A sample has {counted} = {total} elements; the target has {known}.",
                fixes="Let one size be -1, so that it follows from the others.",
            )
        rest = total // known if known else 0
        target = tuple(rest if size == -1 else size for size in self.target_shape)
        return ops.reshape(inputs, (inputs.shape[0], *target))


class Permute(Layer):
    """Reorders the axes of each sample.

    Args:
        dims: The old number of each new axis; the first axis after the batch is 1.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, ...)
        outputs: (batch, *(inputs[dim] for dim in dims))
        Params: 0

    Example:
        >>> Permute((2, 1))(ops.ones((1, 10, 64))).shape
        (1, 64, 10)
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ArgumentError(
                f"Permute: dims must hold each of 1 to {len(self.dims)} once; the batch is not counted.",
                got=f"dims={self.dims}.",
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        """Returns the inputs with the axes in their new order."""
        return ops.transpose(inputs, (0, *self.dims))


class RepeatVector(Layer):
    """Makes a sequence by repeating a vector.

    Args:
        n: Number of steps.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, features)
        outputs: (batch, n, features)
        Params: 0

    Example:
        >>> RepeatVector(3)(ops.ones((1, 32))).shape
        (1, 3, 32)
    """

    checks: ClassVar[dict[str, Any]] = {"n": positive_int}

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = n
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        """Returns the vector n times."""
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, axis=1)


register_public("keras.layers", [Flatten, Reshape, Permute, RepeatVector])
