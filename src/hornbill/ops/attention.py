"""Scaled dot-product attention, with grouped heads, bias, mask, causal mask and soft cap.

One formulation for all devices; where asked for, and on a GPU only, JAX's fused kernel is used instead.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from hornbill.engine import settings
from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.engine.op import Tensor, op
from hornbill.ops import native_attention

__all__ = ["dot_product_attention"]


def _check(query: Tensor, key: Tensor, value: Tensor) -> None:
    got = f"query {query.shape}, key {key.shape}, value {value.shape}."
    if not query.ndim == key.ndim == value.ndim == 4:
        raise ShapeError(
            "dot_product_attention wants query, key and value with four axes: (batch, length, heads, size).",
            got=got,
            fixes="x[:, :, None, :] adds an axis for one head.",
        )
    if query.shape[3] != key.shape[3]:
        raise ShapeError(
            "dot_product_attention: the heads of query and key must have the same size.",
            got=got,
            why=f"A logit sums products of query and key: {query.shape[3]} numbers meet {key.shape[3]}.",
        )
    if key.shape[:3] != value.shape[:3]:
        raise ShapeError("dot_product_attention: there must be one value for each key.", got=got)
    if query.shape[0] != key.shape[0]:
        raise ShapeError("dot_product_attention: query and key must have the same batch size.", got=got)
    if query.shape[2] % key.shape[2]:
        raise ShapeError(
            "dot_product_attention: the query heads must be a multiple of the key heads.",
            got=got,
            why=f"{query.shape[2]} query heads cannot share {key.shape[2]} key heads evenly.",
        )


def _four_axes(name: str, x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Returns a bias or mask for the logits as (batch, heads, query length, key length), or 1 for any of them."""
    x = jnp.asarray(x)
    fits = x.ndim <= 4 and all(a in (1, b) for a, b in zip(x.shape[::-1], shape[::-1], strict=False))
    if not fits:
        raise ShapeError(
            f"dot_product_attention: {name} must stretch to the logits' shape {shape}, which is "
            "(batch, heads, query length, key length).",
            got=f"{name} of shape {x.shape}.",
        )
    return x.reshape((1,) * (4 - x.ndim) + x.shape)


def _grouped(name: str, x: Tensor, shape: tuple[int, ...], groups: int) -> Tensor:
    """Returns a bias or mask for the logits as (batch, key heads, groups, query length, key length)."""
    x = _four_axes(name, x, shape)
    batch, heads, *lengths = x.shape
    split = (1, 1) if heads == 1 else (heads // groups, groups)
    return x.reshape((batch, *split, *lengths))


def _use_flash(flash_attention: bool | None) -> bool:
    if flash_attention is None:
        return bool(settings.is_flash_attention_enabled())
    if flash_attention and jax.default_backend() != "gpu":
        raise ArgumentError(
            "dot_product_attention: flash_attention=True needs a GPU.",
            got=f"This program runs on: {jax.default_backend()}.",
            fixes="flash_attention=None uses the fused kernel only where it exists.",
        )
    return bool(flash_attention)


@op(rule="attention")
def dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """Returns, for each query, the mean of the values, weighted by how well their keys match the query.

    `softmax(scale * query . key + bias) . value`, for each head by itself. With fewer key heads than query
    heads, neighbouring query heads share a key head.

    Args:
        query: What is looked for.
        key: What the queries are compared with.
        value: What is averaged.
        bias: Added to the logits, or None.
        mask: True where a query may see a key, or None. A query that may see none gets the plain mean.
        scale: Factor of the logits; None means `1 / sqrt(size)`.
        is_causal: Whether query t sees keys 0 to t only.
        flash_attention: Whether to use the fused GPU kernel; None leaves it to `keras.config`.
        attn_logits_soft_cap: If given, logits are bent to stay within this bound: `cap * tanh(logits / cap)`.

    Shapes:
        query: (batch, query length, heads, size).
        key: (batch, key length, key heads, size).
        value: (batch, key length, key heads, value size).
        bias, mask: stretch to (batch, heads, query length, key length).
        returns: (batch, query length, heads, value size).

    Returns:
        The attended values, in the dtype of the query.

    Raises:
        ShapeError: If the shapes do not fit each other.
        ArgumentError: If the fused kernel is asked for where there is none.

    Example:
        >>> import numpy as np
        >>> q, kv = np.ones((2, 4, 8, 16), "float32"), np.ones((2, 6, 8, 16), "float32")
        >>> dot_product_attention(q, kv, kv).shape
        (2, 4, 8, 16)
    """
    _check(query, key, value)
    dtype = jnp.result_type(query, key, value)
    if not jnp.issubdtype(dtype, jnp.floating):
        dtype = jnp.result_type(float)
    query, key, value = (x.astype(dtype) for x in (query, key, value))
    batch, length, heads, size = query.shape
    groups = heads // key.shape[2]
    scale = 1.0 / math.sqrt(size) if scale is None else scale
    if attn_logits_soft_cap is None and _use_flash(flash_attention):
        mask = None if mask is None else jnp.asarray(mask).astype(bool)
        return jax.nn.dot_product_attention(
            query, key, value, bias, mask, scale=scale, is_causal=is_causal, implementation="cudnn"
        )
    split = query.reshape((batch, length, key.shape[2], groups, size))
    logits = jnp.einsum("btkgh,bskh->bkgts", split, key, preferred_element_type=jnp.float32) * scale
    full = (batch, heads, length, key.shape[1])
    plain = bias is None and attn_logits_soft_cap is None and isinstance(scale, float)
    if plain and native_attention.serves(query, key, value):
        if mask is not None:
            mask = _four_axes("mask", mask, full).astype(bool)
        return native_attention.attention(query, key, value, mask, scale, bool(is_causal))
    if bias is not None:
        logits = logits + _grouped("bias", bias, full, groups)
    if attn_logits_soft_cap is not None:
        logits = attn_logits_soft_cap * jnp.tanh(logits / attn_logits_soft_cap)
    allowed: Any = None if mask is None else _grouped("mask", mask, full, groups).astype(bool)
    if is_causal:
        past = jnp.tril(jnp.ones(full[2:], bool))
        allowed = past if allowed is None else allowed & past
    if allowed is not None:
        logits = jnp.where(allowed, logits, jnp.asarray(0.7 * jnp.finfo(logits.dtype).min, logits.dtype))
    weights = jax.nn.softmax(logits, axis=-1).astype(dtype)
    result = jnp.einsum("bkgts,bskh->btkgh", weights, value)
    return result.reshape((batch, length, heads, value.shape[3]))
