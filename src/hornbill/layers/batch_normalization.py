"""BatchNormalization: each channel at mean 0 and variance 1 over the batch; running averages for later."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp
from jax import lax

from hornbill import constraints, initializers, ops, regularizers
from hornbill.engine.config import boolean, number
from hornbill.engine.errors import ArgumentError, ArgumentTypeError
from hornbill.engine.input_spec import InputSpec
from hornbill.engine.registry import register_public
from hornbill.engine.variable import Variable
from hornbill.layers.shared import BASE_KEYS, ConfigLayer, known_channels
from hornbill.ops import native_moments

__all__ = ["BatchNormalization"]


class BatchNormalization(ConfigLayer):
    """Computes `gamma * (x - mean) / sqrt(variance + epsilon) + beta` for each channel.

    While training, mean and variance are those of the batch, and the running averages follow them:
    `moving = moving * momentum + batch * (1 - momentum)`. Otherwise, or with `trainable = False`, mean and
    variance are the running averages (Ioffe and Szegedy, 2015).

    Args:
        axis: The axis of the channels, of which each has its own mean and variance.
        momentum: How much of the running averages stays at each step.
        epsilon: Keeps the division finite.
        center: Whether to add `beta`.
        scale: Whether to multiply by `gamma`.
        beta_initializer: First values of beta.
        gamma_initializer: First values of gamma.
        moving_mean_initializer: First values of the running mean.
        moving_variance_initializer: First values of the running variance.
        beta_regularizer: Penalty on beta.
        gamma_regularizer: Penalty on gamma.
        beta_constraint: Applied to beta after each step of training.
        gamma_constraint: Applied to gamma after each step of training.
        renorm: Whether training is corrected towards the running averages (batch renormalization, Ioffe
            2017).
        renorm_clipping: Dict with bounds of the correction: "rmin", "rmax", "dmax".
        renorm_momentum: Momentum of the averages that the correction uses.
        synchronized: Averages over all devices; on JAX a batch spread over devices is one array, so this is
            so anyway.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any; the size of `axis` is known, a `mask` given with the call leaves positions out of the
            averages
        outputs: inputs
        Params: (center + scale + (5 if renorm else 2)) * inputs[axis]; the averages are not trainable

    Example:
        >>> BatchNormalization()(ops.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    checks: ClassVar[dict[str, Any]] = {
        "momentum": number,
        "epsilon": number,
        "center": boolean,
        "scale": boolean,
        "renorm": boolean,
    }
    config_order = (
        *BASE_KEYS, "axis", "momentum", "epsilon", "center", "scale", "beta_initializer", "gamma_initializer",
        "moving_mean_initializer", "moving_variance_initializer", "beta_regularizer", "gamma_regularizer",
        "beta_constraint", "gamma_constraint", "synchronized",
    )  # fmt: skip

    couples_batch = True  # its result for one row depends on the others while training

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: dict[str, float] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis = _one_axis(axis)
        self.momentum, self.epsilon, self.center, self.scale = momentum, epsilon, center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer: Any = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.renorm, self.renorm_momentum, self.synchronized = renorm, renorm_momentum, synchronized
        self.renorm_clipping = _checked_clipping(renorm_clipping) if renorm else renorm_clipping
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Makes gamma and beta, and the running averages."""
        size = known_channels(self, input_shape, self.axis)
        name = self.input_axes(len(input_shape))[self.axis]

        def vector(label: str, initializer: Any, **kwargs: Any) -> Variable:
            return self.add_weight((size,), initializer, name=label, axes=(name,), **kwargs)

        self.gamma = self.beta = None
        if self.scale:
            self.gamma = vector(
                "gamma",
                self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        if self.center:
            self.beta = vector(
                "beta",
                self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )
        state = {"trainable": False, "autocast": False}
        self.moving_mean = vector("moving_mean", self.moving_mean_initializer, **state)
        self.moving_variance = vector("moving_variance", self.moving_variance_initializer, **state)
        if self.renorm:

            def deviation(shape: Any, dtype: Any = None) -> Any:
                return jnp.sqrt(jnp.asarray(self.moving_variance_initializer(shape, dtype=dtype)))

            self.moving_stddev = vector("moving_stddev", deviation, **state)
            self.renorm_mean = vector("renorm_mean", self.moving_mean_initializer, **state)
            self.renorm_stddev = vector("renorm_stddev", deviation, **state)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Returns the normalised inputs; while training, the running averages move on."""
        x = ops.cast(inputs, "float32") if jnp.dtype(inputs.dtype).itemsize < 4 else inputs
        gamma, beta = self.gamma, self.beta
        if training and self.trainable:
            whole = None
            if mask is None and not self.renorm:
                whole = native_moments.batch_normalization(x, gamma, beta, self.axis, self.epsilon)
            mean, variance = self._moments(x, mask) if whole is None else whole[1:]
            if self.renorm:
                gamma, beta = self._renormalise(mean, variance)
            else:
                self._follow(self.moving_mean, mean, self.momentum)
                self._follow(self.moving_variance, variance, self.momentum)
            if whole is not None:
                return ops.cast(whole[0], self.compute_dtype)
        else:
            mean, variance = self.moving_mean, self.moving_variance
        outputs = ops.batch_normalization(
            x, mean, variance, self.axis, offset=beta, scale=gamma, epsilon=self.epsilon
        )
        return ops.cast(outputs, self.compute_dtype)

    def _moments(self, x: Any, mask: Any) -> tuple[Any, Any]:
        """Returns mean and variance over all axes but the channels', of the positions that the mask keeps."""
        axes = tuple(i for i in range(x.ndim) if i != self.axis % x.ndim)
        if mask is None:
            return ops.moments(x, axes)
        kept = jnp.asarray(mask).reshape((*mask.shape, *(1,) * (x.ndim - mask.ndim)))
        weights = jnp.broadcast_to(kept.astype(x.dtype), x.shape)
        count = jnp.sum(weights, axis=axes, keepdims=True) + 1e-7
        mean = jnp.sum(weights * x, axis=axes, keepdims=True) / count
        variance = jnp.sum(weights * jnp.square(x - mean), axis=axes, keepdims=True) / count
        return jnp.squeeze(mean, axes), jnp.squeeze(variance, axes)

    @staticmethod
    def _follow(average: Variable, value: Any, momentum: float) -> None:
        average.assign(
            average.value * momentum + lax.stop_gradient(value).astype(average.dtype) * (1 - momentum)
        )

    def _renormalise(self, mean: Any, variance: Any) -> tuple[Any, Any]:
        """Moves the averages on and returns gamma and beta with the correction `x * r + d` inside."""
        deviation = jnp.sqrt(variance + self.epsilon)
        clipping = self.renorm_clipping or {}
        r = lax.stop_gradient(deviation / self.renorm_stddev.value)
        d = lax.stop_gradient((mean - self.renorm_mean.value) / self.renorm_stddev.value)
        r = jnp.clip(r, clipping.get("rmin", 0.0), clipping.get("rmax", jnp.inf))
        limit = clipping.get("dmax", jnp.inf)
        d = jnp.clip(d, -limit, limit)
        self._follow(self.renorm_mean, mean, self.renorm_momentum)
        self._follow(self.renorm_stddev, deviation, self.renorm_momentum)
        self._follow(self.moving_mean, mean, self.momentum)
        self._follow(self.moving_stddev, deviation, self.momentum)
        self.moving_variance.assign(jnp.square(self.moving_stddev.value) - self.epsilon)
        gamma = jnp.ones_like(r) if self.gamma is None else self.gamma.value.astype(r.dtype)
        beta = jnp.zeros_like(d) if self.beta is None else self.beta.value.astype(d.dtype)
        return gamma * r, gamma * d + beta


def _one_axis(axis: Any) -> int:
    """Returns the axis; files of Keras 2 hold it in a list."""
    only: Any = axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis
    try:
        return int(only)
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            "BatchNormalization: axis must be one whole number, the axis of the channels.",
            got=f"axis={axis!r}.",
        ) from None


def _checked_clipping(clipping: dict[str, float] | None) -> dict[str, float]:
    clipping = dict(clipping or {})
    unknown = sorted(clipping.keys() - {"rmin", "rmax", "dmax"})
    if unknown:
        raise ArgumentError(
            "BatchNormalization: renorm_clipping takes 'rmin', 'rmax' and 'dmax'.",
            got=f"{', '.join(unknown)}.",
        )
    return clipping


register_public("keras.layers", [BatchNormalization])
