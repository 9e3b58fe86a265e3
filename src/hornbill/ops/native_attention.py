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
    """Returns whether the kernels take it: float32, and no recording of ops."""
    arrays = (query, key, value)
    return (
        context().recorder is None
        and all(array.dtype == jnp.float32 for array in arrays)
        and all(known(size) and size > 0 for array in arrays for size in array.shape)
        and math.prod(query.shape[:3]) * key.shape[1] >= _LEAST_SCORES
        and native.available()
    )


@functools.partial(jax.custom_vjp, nondiff_argnums=(4, 5))
def attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float, causal: bool = False
) -> Tensor:
    """Returns `softmax(scale * query . key) . value`, head by head, over the keys that a query sees.

    Args:
        query: (batch, query positions, heads, features).
        key: (batch, key positions, key heads, features): neighbouring query heads share one.
        value: (batch, key positions, key heads, value features).
        mask: True where a query sees a key, (batch, heads, query positions, key positions) or 1 in place of any of
            them; None where all see all. A query that sees none gets the plain mean of the values.
        scale: Factor of the scores.
        causal: Whether query t sees keys 0 to t only.
    """
    return _forward(query, key, value, mask, scale, causal)[0]


def _attributes(scale: float, causal: bool) -> dict[str, Any]:
    return {"scale": np.float32(scale), "causal": np.bool_(causal)}


def _rows(count: int, mask: Tensor | None) -> int:
    """Returns how many operands a mapped axis may join: none where the mask has a batch of its own."""
    return count if mask is None or mask.shape[0] == 1 else 0


def _forward(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float, causal: bool
) -> tuple[Tensor, Any]:
    batch, positions, heads, _ = query.shape
    results = [
        ((batch, positions, heads, value.shape[-1]), jnp.float32),
        ((batch, heads, positions), jnp.float32),
    ]
    xla = functools.partial(_plain, scale=scale, causal=causal)
    operands = (query, key, value) if mask is None else (query, key, value, mask)
    attributes, rows = _attributes(scale, causal), _rows(3, mask)
    output, sums = native.call("hornbill_attention", xla, results, operands, attributes, rows=rows)
    return output, (query, key, value, mask, sums)


def _backward(scale: float, causal: bool, held: Any, by: Tensor) -> Any:
    query, key, value, mask, sums = held

    def xla(query: Tensor, key: Tensor, value: Tensor, _sums: Tensor, by: Tensor, *mask: Tensor) -> Any:
        def plain(*inputs: Tensor) -> Tensor:
            return _plain(*inputs, *mask, scale=scale, causal=causal)[0]

        return jax.vjp(plain, query, key, value)[1](by)

    results = [(array.shape, jnp.float32) for array in (query, key, value)]
    operands = (query, key, value, sums, by, *(() if mask is None else (mask,)))
    attributes, rows = _attributes(scale, causal), _rows(5, mask)
    return *native.call("hornbill_attention_grad", xla, results, operands, attributes, rows=rows), None


attention.defvjp(_forward, _backward)


def _plain(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    *,
    scale: float,
    causal: bool = False,
) -> list[Tensor]:
    groups = query.shape[2] // key.shape[2]
    key, value = (jnp.repeat(array, groups, axis=2) for array in (key, value))
    scores = scale * jnp.einsum("bthd,bshd->bhts", query, key)
    seen = jnp.tril(jnp.ones(scores.shape[2:], bool)) if causal else True
    if causal or mask is not None:
        scores = jnp.where(seen if mask is None else mask & seen, scores, 0.7 * jnp.finfo(scores.dtype).min)
    shares = jax.nn.softmax(scores, axis=-1)
    return [jnp.einsum("bhts,bshd->bthd", shares, value), jax.nn.logsumexp(scores, axis=-1)]
