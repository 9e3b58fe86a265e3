"""Batch normalisation with the sums of `hornbill-native`; see `hornbill.ops.native`.

Mean and variance of a batch take one pass through memory, and so do the two sums that the gradient needs; what is left
is one elementwise pass each way, which XLA fuses with what stands around it.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from hornbill.engine.context import context
from hornbill.engine.op import Tensor
from hornbill.ops import native
from hornbill.ops.windows import known

__all__ = ["batch_normalization"]

_LEAST_CHANNELS, _LEAST_SIZE = 16, 32_768  # from which a pass more costs more than a call


def batch_normalization(
    x: Any, gamma: Any, beta: Any, axis: int, epsilon: float
) -> tuple[Tensor, Tensor, Tensor] | None:
    """Returns `(x - mean) / sqrt(variance + epsilon) * gamma + beta`, with mean and variance of the batch.

    Args:
        x: (..., channels).
        gamma: (channels,), or None.
        beta: (channels,), or None.
        axis: The axis of the channels.
        epsilon: Keeps the division finite.

    Returns:
        The normalised array, its mean and its variance, (channels,); None where only the single ops can do it: no
        kernel takes the call, or ops are being recorded for an explanation.
    """
    if context().recorder is not None or not native.available():
        return None
    shape = x.shape
    if not (
        x.dtype == jnp.float32
        and axis % x.ndim == x.ndim - 1
        and all(known(size) and size > 0 for size in shape)
        and shape[-1] >= _LEAST_CHANNELS
        and math.prod(shape) >= _LEAST_SIZE
    ):
        return None
    x = jnp.asarray(x)
    gamma = jnp.ones(shape[-1], x.dtype) if gamma is None else jnp.asarray(gamma)
    beta = jnp.zeros(shape[-1], x.dtype) if beta is None else jnp.asarray(beta)
    return None if gamma.dtype != x.dtype or beta.dtype != x.dtype else _normalised(x, gamma, beta, epsilon)


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def _normalised(x: Tensor, gamma: Tensor, beta: Tensor, epsilon: float) -> tuple[Tensor, Tensor, Tensor]:
    moments: Any = _moments(x)
    mean, variance = moments
    return (x - mean) * (lax.rsqrt(variance + epsilon) * gamma) + beta, mean, variance


def _forward(x: Tensor, gamma: Tensor, beta: Tensor, epsilon: float) -> tuple[Any, Any]:
    results: Any = _normalised(x, gamma, beta, epsilon)
    out, mean, variance = results
    return (out, mean, variance), (x, gamma, mean, variance)


def _back(epsilon: float, held: Any, by: Any) -> tuple[Tensor, Tensor, Tensor]:
    x, gamma, mean, variance = held
    by_out, by_mean, by_variance = by
    count, inverse = x.size // x.shape[-1], lax.rsqrt(variance + epsilon)
    total, product = _sums(by_out, x, mean)
    factor = gamma * inverse
    slope = (2 * by_variance - factor * jnp.square(inverse) * product) / count
    rest = (by_mean - factor * total) / count
    return by_out * factor + (x - mean) * slope + rest, inverse * product, total


_normalised.defvjp(_forward, _back)


# ---- the sums, which are differentiated by plain operations


def _rows(x: Tensor) -> Tensor:
    return x.reshape(-1, x.shape[-1])


@jax.custom_vjp
def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance over all axes but the last."""

    def xla(x: Tensor) -> tuple[Tensor, Tensor]:
        mean = x.mean(0)
        return mean, jnp.square(x - mean).mean(0)

    results = [((x.shape[-1],), jnp.float32)] * 2
    mean, variance = native.call("hornbill_moments", xla, results, (_rows(x),), {}, rows=0)
    return mean, variance


def _moments_back(held: tuple[Tensor, Tensor], by: tuple[Tensor, Tensor]) -> tuple[Tensor]:
    x, mean = held
    return ((by[0] + 2 * by[1] * (x - mean)) * (x.shape[-1] / x.size),)


def _moments_forward(x: Tensor) -> tuple[Any, Any]:
    mean, variance = _moments(x)
    return (mean, variance), (x, mean)


_moments.defvjp(_moments_forward, _moments_back)


@jax.custom_vjp
def _sums(a: Tensor, x: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
    """Sums of `a` and of `a * (x - mean)` over all axes but the last."""

    def xla(a: Tensor, x: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
        return a.sum(0), (a * (x - mean)).sum(0)

    results = [((x.shape[-1],), jnp.float32)] * 2
    operands = (_rows(a), _rows(x), mean)
    total, product = native.call("hornbill_moments_grad", xla, results, operands, {}, rows=0)
    return total, product


def _sums_back(held: tuple[Tensor, Tensor, Tensor], by: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
    a, x, mean = held
    by_total, by_product = by
    return by_total + by_product * (x - mean), by_product * a, -by_product * _rows(a).sum(0)


_sums.defvjp(lambda a, x, mean: (_sums(a, x, mean), (a, x, mean)), _sums_back)
