"""Attention by the CPU kernels of `hornbill-native`, which never write out all scores; see `hornbill.ops.native`."""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbill.engine.context import context
from hornbill.engine.op import Tensor
from hornbill.ops import native
from hornbill.ops.windows import known

__all__ = ["attention", "serves"]

_LEAST_SCORES = 4096  # from which they are faster than what XLA fuses


def serves(query: Tensor, key: Tensor, value: Tensor) -> bool:
    """Returns whether the kernels take it: float32, as many key heads as query heads, no recording of ops."""
    arrays = (query, key, value)
    return (
        context().recorder is None
        and all(array.dtype == jnp.float32 for array in arrays)
        and all(known(size) and size > 0 for array in arrays for size in array.shape)
        and query.shape[2] == key.shape[2]
        and math.prod(query.shape[:3]) * key.shape[1] >= _LEAST_SCORES
        and native.available()
    )


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def attention(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    """Returns `softmax(scale * query . key) . value`, head by head.

    Args:
        query: (batch, query positions, heads, features).
        key: (batch, key positions, heads, features).
        value: (batch, key positions, heads, value features).
        scale: Factor of the scores.
    """
    return _forward(query, key, value, scale)[0]


def _forward(query: Tensor, key: Tensor, value: Tensor, scale: float) -> tuple[Tensor, Any]:
    batch, positions, heads, _ = query.shape
    results = [
        ((batch, positions, heads, value.shape[-1]), jnp.float32),
        ((batch, heads, positions), jnp.float32),
    ]
    xla = functools.partial(_plain, scale=scale)
    attributes = {"scale": np.float32(scale)}
    output, sums = native.call("hornbill_attention", xla, results, (query, key, value), attributes, rows=3)
    return output, (query, key, value, output, sums)


def _backward(scale: float, held: tuple[Tensor, ...], by: Tensor) -> Any:
    query, key, value, output, sums = held

    def xla(query: Tensor, key: Tensor, value: Tensor, _output: Tensor, _sums: Tensor, by: Tensor) -> Any:
        return jax.vjp(lambda *inputs: _plain(*inputs, scale=scale)[0], query, key, value)[1](by)

    results = [(array.shape, jnp.float32) for array in (query, key, value)]
    operands, attributes = (query, key, value, output, sums, by), {"scale": np.float32(scale)}
    return tuple(native.call("hornbill_attention_grad", xla, results, operands, attributes, rows=6))


attention.defvjp(_forward, _backward)


def _plain(query: Tensor, key: Tensor, value: Tensor, scale: float) -> list[Tensor]:
    scores = scale * jnp.einsum("bthd,bshd->bhts", query, key)
    shares = jax.nn.softmax(scores, axis=-1)
    return [jnp.einsum("bhts,bshd->bthd", shares, value), jax.nn.logsumexp(scores, axis=-1)]
