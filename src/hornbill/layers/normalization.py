"""Normalisations of each sample by itself: Layer, Group, RMS and Unit; and of a layer's weights: Spectral.

Normalisation over the batch is in `batch_normalization`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import jax.numpy as jnp
from jax import lax

from hornbill import constraints, initializers, ops, regularizers
from hornbill.engine.axes import describe_shape
from hornbill.engine.config import boolean, number, positive_int
from hornbill.engine.context import autocast_scope
from hornbill.engine.errors import ArgumentError, ArgumentTypeError, ShapeError
from hornbill.engine.input_spec import InputSpec
from hornbill.engine.layer import Layer
from hornbill.engine.registry import register_public
from hornbill.engine.variable import Variable
from hornbill.layers.shared import BASE_KEYS, ConfigLayer, known_channels
from hornbill.layers.wrappers import Wrapper

__all__ = [
    "GroupNormalization", "LayerNormalization", "RMSNormalization", "SpectralNormalization",
    "UnitNormalization",
]  # fmt: skip


def _checked_axes(owner: str, axis: Any) -> int | list[int]:
    """Returns one axis as a number, several as a list."""
    if isinstance(axis, (tuple, list)):
        return list(axis)
    if not hasattr(axis, "__index__"):
        raise ArgumentTypeError(f"{owner}: axis must be a whole number or several.", got=f"axis={axis!r}.")
    return axis


class ScaleAndCenter(ConfigLayer):
    """Base of normalisations with `gamma` and `beta`."""

    checks: ClassVar[dict[str, Any]] = {"epsilon": number, "center": boolean, "scale": boolean}

    def _store_scale_and_center(self, center: bool, scale: bool, epsilon: float, *families: Any) -> None:
        self.center, self.scale, self.epsilon = center, scale, epsilon
        (self.beta_initializer, self.gamma_initializer), (self.beta_regularizer, self.gamma_regularizer), (
            self.beta_constraint, self.gamma_constraint,
        ) = ([get(item) for item in pair] for get, pair in zip(
            (initializers.get, regularizers.get, constraints.get), families, strict=True
        ))  # fmt: skip
        self.supports_masking = True

    def _add_gamma_and_beta(
        self, shape: tuple[int | None, ...], names: tuple[str, ...], gamma: bool, beta: bool
    ) -> None:
        self.gamma: Variable | None = None
        self.beta: Variable | None = None
        if gamma:
            self.gamma = self.add_weight(
                shape, self.gamma_initializer, regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint, name="gamma", axes=names,
            )  # fmt: skip
        if beta:
            self.beta = self.add_weight(
                shape, self.beta_initializer, regularizer=self.beta_regularizer,
                constraint=self.beta_constraint, name="beta", axes=names,
            )  # fmt: skip


class LayerNormalization(ScaleAndCenter):
    """Brings each sample to mean 0 and variance 1 over `axis`, then multiplies by `gamma` and adds `beta`.

    `gamma * (x - mean) / sqrt(variance + epsilon) + beta` (Ba et al., 2016).

    Args:
        axis: The axis or axes to normalise over; their sizes are known.
        epsilon: Keeps the division finite.
        center: Whether to add `beta`.
        scale: Whether to multiply by `gamma`.
        beta_initializer: First values of beta.
        gamma_initializer: First values of gamma.
        beta_regularizer: Penalty on beta.
        gamma_regularizer: Penalty on gamma.
        beta_constraint: Applied to beta after each step of training.
        gamma_constraint: Applied to gamma after each step of training.
        **kwargs: `name`, `dtype`, `trainable`; the old `rms_scaling`, which takes no mean away (see
            `RMSNormalization`).

    Shapes:
        inputs: any
        outputs: inputs
        Params: (center + scale) * product(inputs[one] for one in several(axis))

    Example:
        >>> LayerNormalization()(ops.ones((2, 5, 8))).shape
        (2, 5, 8)
    """

    config_order = (*BASE_KEYS, "axis", "epsilon", "center", "scale", "rms_scaling")

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        self.rms_scaling = kwargs.pop("rms_scaling", False)
        super().__init__(**kwargs)
        axes = _checked_axes("LayerNormalization", axis)
        self.axis: Any = sorted(axes) if isinstance(axes, list) else axes  # Keras' order of the weights' axes
        self._store_scale_and_center(
            center, scale, epsilon, (beta_initializer, gamma_initializer), (beta_regularizer,
            gamma_regularizer), (beta_constraint, gamma_constraint),
        )  # fmt: skip

    def build(self, input_shape: Any) -> None:
        """Makes gamma and beta with the sizes of the normalised axes."""
        axes = self.axis = self.axis if isinstance(self.axis, list) else [self.axis]
        names = self.input_axes(len(input_shape))
        shape = tuple(known_channels(self, input_shape, axis) for axis in axes)
        self._add_gamma_and_beta(
            shape,
            tuple(names[axis] for axis in axes),
            gamma=self.scale or self.rms_scaling,
            beta=self.center and not self.rms_scaling,
        )

    def call(self, inputs: Any) -> Any:
        """Returns the normalised inputs."""
        extra = {"rms_scaling": True} if self.rms_scaling else {}
        return ops.layer_normalization(
            inputs, self.gamma, self.beta, axis=self.axis, epsilon=self.epsilon, **extra
        )


class GroupNormalization(ScaleAndCenter):
    """Divides the channels into groups and brings each group of a sample to mean 0 and variance 1.

    One group is layer normalisation over the whole sample; as many groups as channels (`groups=-1`) is
    instance normalisation (Wu and He, 2018).

    Args:
        groups: Number of groups, a divisor of the number of channels; -1 means one per channel.
        axis: The axis of the channels.
        epsilon: Keeps the division finite.
        center: Whether to add `beta`.
        scale: Whether to multiply by `gamma`.
        beta_initializer: First values of beta.
        gamma_initializer: First values of gamma.
        beta_regularizer: Penalty on beta.
        gamma_regularizer: Penalty on gamma.
        beta_constraint: Applied to beta after each step of training.
        gamma_constraint: Applied to gamma after each step of training.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any; `axis` has the channels
        outputs: inputs
        Params: (center + scale) * inputs[axis]

    Example:
        >>> GroupNormalization(4)(ops.ones((2, 5, 5, 8))).shape
        (2, 5, 5, 8)
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(axis, (tuple, list)):
            if len(axis) != 1:
                raise ArgumentError(
                    "GroupNormalization: axis must be one axis, the channels'.", got=f"axis={axis!r}."
                )
            axis = axis[0]
        self.groups, self.axis = groups, axis
        self._store_scale_and_center(
            center, scale, epsilon, (beta_initializer, gamma_initializer), (beta_regularizer,
            gamma_regularizer), (beta_constraint, gamma_constraint),
        )  # fmt: skip

    def build(self, input_shape: Any) -> None:
        """Makes gamma and beta, one number per channel."""
        size = known_channels(self, input_shape, self.axis)
        if self.groups == -1:
            self.groups = size
        if self.groups < 1 or size % self.groups:
            raise ShapeError(
                f"GroupNormalization {self.name!r}: the channels must be a multiple of groups={self.groups}.",
                got=f"{describe_shape(input_shape, self.input_axes(len(input_shape)))}.",
                why=f"{size} channels / {self.groups} groups is no whole number.",
                fixes=f"Use a number of groups that divides {size}; groups=-1 means one per channel.",
            )
        self._add_gamma_and_beta(
            (size,), (self.input_axes(len(input_shape))[self.axis],), self.scale, self.center
        )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})

    def call(self, inputs: Any) -> Any:
        """Returns the normalised inputs."""
        rank, shape = len(inputs.shape), inputs.shape
        axis = self.axis % rank
        x = ops.cast(inputs, "float32") if jnp.dtype(inputs.dtype).itemsize < 4 else inputs
        grouped = ops.reshape(x, (*shape[:axis], self.groups, shape[axis] // self.groups, *shape[axis + 1 :]))
        axes = tuple(i for i in range(1, rank + 1) if i != axis)
        normal = ops.layer_normalization(grouped, axis=axes, epsilon=self.epsilon)
        outputs = ops.reshape(normal, shape)
        along = [-1 if i == axis else 1 for i in range(rank)]
        if self.gamma is not None:
            outputs = ops.multiply(outputs, ops.reshape(self.gamma, along))
        if self.beta is not None:
            outputs = ops.add(outputs, ops.reshape(self.beta, along))
        return ops.cast(outputs, self.compute_dtype)


class RMSNormalization(Layer):
    """Computes `x / sqrt(mean(x**2) + epsilon) * scale`, the mean being over `axis` (Zhang and Sennrich).

    Args:
        axis: The axis or axes to normalise over; their sizes are known.
        epsilon: Keeps the division finite.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any
        outputs: inputs
        Params: product(inputs[one] for one in several(axis))

    Example:
        >>> RMSNormalization()(ops.ones((2, 8))).shape
        (2, 8)
    """

    checks: ClassVar[dict[str, Any]] = {"epsilon": number}

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis: Any = sorted(axis) if isinstance(axis, (tuple, list)) else axis
        self.epsilon = epsilon

    def build(self, input_shape: Any) -> None:
        """Makes the scale with the sizes of the normalised axes."""
        axes = self.axis = list(self.axis) if isinstance(self.axis, (tuple, list)) else [self.axis]
        names = self.input_axes(len(input_shape))
        self.scale = self.add_weight(
            tuple(known_channels(self, input_shape, axis) for axis in axes),
            initializers.get("ones"),
            name="scale",
            axes=tuple(names[axis] for axis in axes),
        )

    def call(self, x: Any) -> Any:
        """Returns the normalised inputs."""
        return ops.rms_normalization(x, scale=self.scale, axis=self.axis, epsilon=self.epsilon)


class UnitNormalization(Layer):
    """Brings each sample to length 1 along `axis`.

    Args:
        axis: The axis or axes.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any
        outputs: inputs
        Params: 0

    Example:
        >>> UnitNormalization()(ops.ones((1, 4))).tolist()
        [[0.5, 0.5, 0.5, 0.5]]
    """

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = _checked_axes("UnitNormalization", axis)
        self.supports_masking = self.built = True

    def call(self, inputs: Any) -> Any:
        """Returns the inputs with length 1."""
        return ops.normalize(inputs, axis=self.axis, order=2, epsilon=1e-12)


class SpectralNormalization(Wrapper):
    """Wraps a layer and divides its kernel by an estimate of its largest singular value while training.

    The estimate `v W u` follows from `power_iterations` rounds of power iteration from the vector `u` of the
    last step (Miyato et al., 2018).

    Args:
        layer: A layer with a `kernel` or `embeddings`.
        power_iterations: Number of rounds.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any; as the layer inside
        outputs: layer.compute_output_shape(inputs)
        Params: layer.count_params() + layer.kernel.shape[-1]; the last are not trainable

    Example:
        >>> from hornbill.layers.dense import Dense
        >>> SpectralNormalization(Dense(10))(ops.ones((1, 10, 10, 1))).shape
        (1, 10, 10, 10)
    """

    checks: ClassVar[dict[str, Any]] = {"power_iterations": positive_int}

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.power_iterations = power_iterations

    def build(self, input_shape: Any) -> None:
        """Builds the inner layer and makes the vector that the estimate starts from."""
        super().build(input_shape)
        self.input_spec = InputSpec(shape=(None, *input_shape[1:]))
        kernel = getattr(self.layer, "kernel", None)
        kernel = getattr(self.layer, "embeddings", None) if kernel is None else kernel
        if kernel is None:
            raise ArgumentError(
                "SpectralNormalization wants a layer with a kernel or embeddings.",
                got=f"{type(self.layer).__name__} {self.layer.name!r}.",
            )
        self.kernel = kernel
        self.vector_u = self.add_weight(
            (1, kernel.shape[-1]), initializers.TruncatedNormal(stddev=0.02), trainable=False,
            name="vector_u", axes=("one row", "columns"),
        )  # fmt: skip

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns what the inner layer returns; while training, its kernel is normalised first."""
        if training:
            with autocast_scope(None):  # the kernel itself is changed, so it must not be rounded
                self._normalise()
        return self.layer(inputs)

    def _normalise(self) -> None:
        weights = self.kernel.value.reshape((-1, self.kernel.shape[-1]))
        u = self.vector_u.value
        v = jnp.zeros((1, weights.shape[0]), weights.dtype)
        for _ in range(self.power_iterations):
            v = ops.normalize(jnp.matmul(u, weights.T), axis=None)
            u = ops.normalize(jnp.matmul(v, weights), axis=None)
        u, v = lax.stop_gradient(u), lax.stop_gradient(v)
        sigma = jnp.matmul(jnp.matmul(v, weights), u.T)
        empty = jnp.all(weights == 0)
        self.vector_u.assign(jnp.where(empty, self.vector_u.value, u).astype(self.vector_u.dtype))
        normal = jnp.where(empty, weights, weights / jnp.where(empty, 1, sigma))
        self.kernel.assign(normal.reshape(self.kernel.shape).astype(self.kernel.dtype))


register_public(
    "keras.layers",
    [LayerNormalization, GroupNormalization, RMSNormalization, UnitNormalization, SpectralNormalization],
)
