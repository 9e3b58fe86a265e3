"""Activation functions as layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from hornbill import activations, constraints, initializers, ops, regularizers
from hornbill.engine.errors import ArgumentError
from hornbill.engine.input_spec import InputSpec
from hornbill.engine.layer import Layer
from hornbill.engine.registry import register_public
from hornbill.layers.shared import ConfigLayer

__all__ = ["ELU", "Activation", "LeakyReLU", "PReLU", "ReLU", "Softmax"]


def _not_negative(owner: str, name: str, value: Any, allow_none: bool = False) -> None:
    """Raises an ArgumentError unless the value is a number of at least 0 (or None, where allowed)."""
    if (value is None and not allow_none) or (value is not None and value < 0):
        raise ArgumentError(f"{owner}: {name} must be a number of at least 0.", got=f"{name}={value!r}.")


class Activation(ConfigLayer):
    """Applies a function to each element, such as "relu", or to each row, such as "softmax".

    Args:
        activation: Name or function; None means none.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any
        outputs: inputs
        Params: 0

    Example:
        >>> Activation("relu")([-3.0, -1.0, 0.0, 2.0]).tolist()
        [0.0, 0.0, 0.0, 2.0]
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.supports_masking = self.built = True

    def call(self, inputs: Any) -> Any:
        """Returns the activated inputs."""
        return self.activation(inputs)


class ReLU(Layer):
    """Computes `max(x, 0)`, with a slope below the threshold and an upper bound if wanted.

    `max_value` for x >= max_value, x for threshold <= x < max_value, `negative_slope * (x - threshold)`
    below.

    Args:
        max_value: Upper bound, or None.
        negative_slope: Slope below the threshold.
        threshold: Where the straight part begins.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any
        outputs: inputs
        Params: 0

    Example:
        >>> ReLU(max_value=1.5)([-3.0, 1.0, 2.0]).tolist()
        [0.0, 1.0, 1.5]
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        _not_negative("ReLU", "max_value", max_value, allow_none=True)
        _not_negative("ReLU", "negative_slope", negative_slope)
        _not_negative("ReLU", "threshold", threshold)
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold
        self.supports_masking = self.built = True

    def call(self, inputs: Any) -> Any:
        """Returns the activated inputs."""
        return activations.relu(
            inputs, negative_slope=self.negative_slope, max_value=self.max_value, threshold=self.threshold
        )


class LeakyReLU(Layer):
    """Computes `x` for x >= 0 and `negative_slope * x` below.

    Args:
        negative_slope: Slope below 0.
        **kwargs: `name`, `dtype`, `trainable`; `alpha` is the old name of `negative_slope`.

    Shapes:
        inputs: any
        outputs: inputs
        Params: 0

    Example:
        >>> LeakyReLU(0.5)([-3.0, 0.0, 2.0]).tolist()
        [-1.5, 0.0, 2.0]
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        _not_negative("LeakyReLU", "negative_slope", negative_slope)
        self.negative_slope = negative_slope
        self.supports_masking = self.built = True

    def call(self, inputs: Any) -> Any:
        """Returns the activated inputs."""
        return ops.leaky_relu(inputs, negative_slope=self.negative_slope)


class PReLU(Layer):
    """Computes `x` for x >= 0 and `alpha * x` below, with a learned `alpha` for each position.

    Args:
        alpha_initializer: First values of alpha.
        alpha_regularizer: Penalty on alpha.
        alpha_constraint: Applied to alpha after each step of training.
        shared_axes: Axes along which alpha is the same: [1, 2] for one alpha per channel of an image.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, ...); the sizes that are not shared must be known
        outputs: inputs
        Params: product(1 if axis + 1 in several(shared_axes) else size for axis, size in
            enumerate(inputs[1:]))

    Example:
        >>> PReLU(shared_axes=[1, 2])(ops.ones((1, 7, 7, 8))).shape
        (1, 7, 7, 8)
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes: list[int] | None = None
        if shared_axes is not None:
            self.shared_axes = [shared_axes] if isinstance(shared_axes, int) else list(shared_axes)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Makes alpha."""
        rank = len(input_shape)
        shared = {axis % rank for axis in self.shared_axes or ()}
        shape = [1 if axis in shared else size for axis, size in enumerate(input_shape)][1:]
        self.alpha = self.add_weight(
            tuple(shape),
            self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
            name="alpha",
            axes=self.input_axes(rank)[1:],
        )
        fixed = {axis: size for axis, size in enumerate(input_shape) if axis > 0 and axis not in shared}
        self.input_spec = InputSpec(ndim=rank, axes=fixed)

    def call(self, inputs: Any) -> Any:
        """Returns the activated inputs."""
        below = ops.multiply(self.alpha, ops.relu(ops.negative(inputs)))
        return ops.subtract(ops.relu(inputs), below)


class ELU(ConfigLayer):
    """Computes `x` for x >= 0 and `alpha * (exp(x) - 1)` below.

    Args:
        alpha: Minus the limit for very small x.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any
        outputs: inputs
        Params: 0

    Example:
        >>> ELU()([0.0, 2.0]).tolist()
        [0.0, 2.0]
    """

    config_order = ("name", "alpha", "trainable", "dtype")

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha
        self.supports_masking = self.built = True

    def call(self, inputs: Any) -> Any:
        """Returns the activated inputs."""
        return ops.elu(inputs, alpha=self.alpha)


class Softmax(Layer):
    """Makes shares that are positive and add up to 1: `exp(x) / sum(exp(x))`.

    Args:
        axis: The axis, or axes, along which the shares add up to 1.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any; a `mask` given with the call (True to keep) must fit them by broadcasting, what it
            leaves out gets 0
        outputs: inputs
        Params: 0

    Example:
        >>> Softmax()([1.0, 1.0]).tolist()
        [0.5, 0.5]
    """

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = self.built = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Returns the shares."""
        if mask is not None:
            mask = ops.cast(mask, "bool")
            least = -3e4 if jnp.dtype(inputs.dtype) == jnp.float16 else -1e9
            inputs = ops.add(inputs, ops.multiply(ops.cast(ops.logical_not(mask), inputs.dtype), least))
        axis = tuple(self.axis) if isinstance(self.axis, (tuple, list)) else self.axis
        outputs = ops.softmax(inputs, axis=axis)
        return outputs if mask is None else ops.multiply(outputs, ops.cast(mask, outputs.dtype))


register_public("keras.layers", [Activation, ReLU, LeakyReLU, PReLU, ELU, Softmax])
