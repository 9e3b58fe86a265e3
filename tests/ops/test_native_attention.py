"""Attention and dense layers by kernels: against float64, under JAX's transformations, and when they are used."""

from __future__ import annotations

import json

import jax
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hornbill
from hornbill.ops import native, native_attention, native_dense, nn
from tests.ops.test_native import close, floats, needs_kernels


def attended(query, key, value, scale, by, seen=None):
    """Returns the output and the gradients from the definition, in float64."""
    query, key, value, by = (np.asarray(x, np.float64) for x in (query, key, value, by))
    scores = scale * np.einsum("bthd,bshd->bhts", query, key)
    allowed = np.ones(scores.shape, bool) if seen is None else np.broadcast_to(seen, scores.shape)
    scores = np.where(allowed, scores, -1e38)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    by_shares = np.einsum("bthd,bshd->bhts", by, value)
    by_scores = allowed * scale * shares * (by_shares - (shares * by_shares).sum(-1, keepdims=True))
    return (
        np.einsum("bhts,bshd->bthd", shares, value),
        np.einsum("bhts,bshd->bthd", by_scores, key),
        np.einsum("bhts,bthd->bshd", by_scores, query),
        np.einsum("bhts,bthd->bshd", shares, by),
    )


@needs_kernels
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_attention_and_gradients(data):
    batch, heads = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 4))
    queries, keys = (data.draw(st.sampled_from([1, 5, 16, 64, 70, 130])) for _ in range(2))
    size, values = (data.draw(st.sampled_from([1, 7, 16, 20, 64])) for _ in range(2))
    q, k = floats(batch, queries, heads, size), floats(batch, keys, heads, size)
    v, scale = floats(batch, keys, heads, values), float(0.7 / np.sqrt(size))
    y, back = jax.vjp(lambda *x: native_attention.attention(*x, None, scale), q, k, v)
    by = floats(*y.shape)
    for mine, theirs in zip((y, *back(by)), attended(q, k, v, scale, by), strict=True):
        close(mine, theirs)


@needs_kernels
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_masks_groups_and_the_past_only(data):
    batch, key_heads, group = (data.draw(st.integers(1, 3)) for _ in range(3))
    queries, keys = (data.draw(st.sampled_from([1, 5, 16, 57, 70, 130])) for _ in range(2))
    heads, size, causal = key_heads * group, data.draw(st.sampled_from([3, 16, 20])), data.draw(st.booleans())
    q, k, v = (
        floats(batch, queries, heads, size),
        floats(batch, keys, key_heads, size),
        floats(batch, keys, key_heads, 7),
    )
    whole = (batch, heads, queries, keys)
    mask = None
    if data.draw(st.booleans()):
        mask = floats(*(data.draw(st.sampled_from([1, each])) for each in whole)) > data.draw(
            st.sampled_from([0, 2])
        )
    seen = np.ones(whole, bool) if mask is None else mask
    seen = np.tril(np.broadcast_to(seen, whole)) if causal else seen
    by = floats(batch, queries, heads, 7)

    def wanted():
        y, by_q, *shared = attended(q, np.repeat(k, group, 2), np.repeat(v, group, 2), 0.3, by, seen)
        return y, by_q, *(x.reshape(batch, keys, key_heads, group, -1).sum(3) for x in shared)

    for attend in (
        lambda *x: native_attention.attention(*x, mask, 0.3, causal),
        lambda *x: native_attention._plain(*x, mask, scale=0.3, causal=causal)[0],
    ):
        y, back = jax.vjp(attend, q, k, v)
        for mine, theirs in zip((y, *back(by)), wanted(), strict=True):
            close(mine, theirs)


@needs_kernels
def test_large_scores_and_what_is_no_number():
    q, k = (
        np.round(100 * floats(1, 64, 1, 8)),
        np.round(3 * floats(1, 64, 1, 8)),
    )  # whole scores, without rounding
    v = floats(1, 64, 1, 8)
    by = floats(1, 64, 1, 8)
    close(native_attention.attention(q, k, v, None, 1.0), attended(q, k, v, 1.0, by)[0])
    q[0, 3] = np.nan
    out = np.asarray(native_attention.attention(q, k, v, None, 1.0))
    assert np.isnan(out[0, 3]).all()
    assert np.isfinite(np.delete(out, 3, axis=1)).all()


@needs_kernels
def test_attention_mapped_and_twice_differentiated():
    q, k, v = (floats(2, 1, 16, 2, 4) for _ in range(3))

    def loss(attend):
        return lambda q, k, v: (attend(q, k, v) ** 2).sum()

    def own(q, k, v):
        return native_attention.attention(q, k, v, None, 0.5)

    def plain(q, k, v):
        return native_attention._plain(q, k, v, scale=0.5)[0]

    for mine, theirs in ((jax.vmap(own)(q, k, v), jax.vmap(plain)(q, k, v)),):
        np.testing.assert_allclose(mine, theirs, atol=2e-6)
    arguments = (q[0], k[0], v[0])

    def twice(attend):
        return jax.grad(lambda q: (jax.grad(loss(attend))(q, *arguments[1:]) ** 2).sum())(arguments[0])

    np.testing.assert_allclose(twice(own), twice(plain), rtol=1e-4, atol=1e-5)


def lowered(call, *arguments):
    return jax.jit(call).lower(*arguments).as_text()


@needs_kernels
def test_which_attention_takes_it():
    q, few = floats(2, 40, 4, 8), floats(2, 40, 2, 8)
    attend = nn.dot_product_attention
    assert "hornbill_attention" in lowered(lambda q: attend(q, q, q), q)
    assert "hornbill_attention_grad" in lowered(jax.grad(lambda q: attend(q, q, q).sum()), q)
    layer = hornbill.layers.MultiHeadAttention(4, 8)
    layer(q[:, :, 0], q[:, :, 0])
    assert "hornbill_attention" in lowered(lambda x: layer(x, x), q[:, :, 0])
    for arguments in (
        {"is_causal": True},
        {"mask": np.ones((2, 1, 40, 40), bool)},
    ):
        assert "hornbill_attention" in lowered(lambda q, arguments=arguments: attend(q, q, q, **arguments), q)
    for arguments in ({"bias": floats(1, 1, 40, 40)}, {"attn_logits_soft_cap": 5.0}):
        assert "hornbill_attention" not in lowered(
            lambda q, arguments=arguments: attend(q, q, q, **arguments), q
        )
    assert "hornbill_attention" in lowered(lambda q, k: attend(q, k, k), q, few)
    assert "hornbill_attention" not in lowered(lambda q: attend(q, q, q), q[:1, :4])
    assert "hornbill_attention" not in lowered(lambda q: attend(q, q, q), q.astype("float16"))


# ---- dense layers

SHAPES = [((40, 64), 70), ((3, 20, 40), 50), ((130, 31), 33), ((2, 3, 5, 64), 64)]


@needs_kernels
@pytest.mark.parametrize(("shape", "units"), SHAPES)
@pytest.mark.parametrize("activation", [None, "relu", "tanh"])
def test_dense_and_gradients(shape, units, activation):
    layer = hornbill.layers.Dense(units, activation, bias_initializer="normal")
    x = floats(*shape)
    layer(x)
    w, b = (np.asarray(variable.value) for variable in layer.trainable_variables)

    def ours(x, w, b):
        return layer.stateless_call([w, b], [], x)[0]

    assert "hornbill_conv_bias" in lowered(ours, x, w, b)
    y, back = jax.vjp(ours, x, w, b)
    by = floats(*y.shape)
    sums = x.astype(np.float64) @ w + b
    value, slope = {
        None: (sums, np.ones(sums.shape)),
        "relu": (np.maximum(sums, 0), sums > 0),
        "tanh": (np.tanh(sums), 1 - np.tanh(sums) ** 2),
    }[activation]
    by_sums = by * slope
    flat = by_sums.reshape(-1, units)
    wanted = (value, by_sums @ w.T, x.reshape(-1, shape[-1]).T @ flat, flat.sum(0))
    for mine, theirs in zip((y, *back(by)), wanted, strict=True):
        close(mine, theirs.astype(np.float64))


@needs_kernels
@pytest.mark.parametrize(
    ("equation", "shape", "output", "bias", "served"),
    [
        ("abc,cde->abde", (4, 16, 32), (16, 4, 20), "de", True),
        ("abcd,cde->abe", (4, 16, 4, 20), (16, 32), "e", True),
        ("...x,xy->...y", (2, 3, 16, 32), (40,), "y", True),
        ("ab,bc->ac", (64, 50), (60,), None, True),
        ("abc,cd->adb", (4, 16, 32), (60, 16), None, False),
        ("abc,bd->acd", (4, 16, 32), (32, 60), None, False),
    ],
)
def test_einsum_dense_is_a_product_where_it_can_be(equation, shape, output, bias, served):
    arguments = {"equation": equation, "output_shape": output, "bias_axes": bias, "activation": "relu"}
    own, theirs = hornbill.layers.EinsumDense(**arguments), keras.layers.EinsumDense(**arguments)
    x = floats(*shape)
    own(x), theirs(x)
    weights = [floats(*np.shape(weight)) for weight in own.get_weights()]
    own.set_weights(weights), theirs.set_weights(weights)
    np.testing.assert_allclose(own(x), np.asarray(theirs(x)), rtol=1e-5, atol=5e-5)
    assert ("hornbill_conv" in lowered(own, x)) == served


@needs_kernels
def test_products_differentiate_twice():
    x, w = floats(64, 40), floats(40, 50)

    def twice(product):
        def slope(x, w):
            return sum((g**2).sum() for g in jax.grad(lambda x, w: (product(x, w) ** 3).sum(), (0, 1))(x, w))

        return jax.grad(slope, (0, 1))(x * 0.1, w * 0.1)

    for mine, theirs in zip(twice(native_dense._product), twice(lambda x, w: x @ w), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=2e-4, atol=2e-4 * float(np.abs(theirs).max()))


@needs_kernels
def test_which_products_are_left_to_xla():
    for rows, features, units in ((2, 8, 8), (512, 512, 512)):  # XLA fuses the small, and packs the large
        layer = hornbill.layers.Dense(units)
        x = floats(rows, features)
        layer(x)
        assert "hornbill_conv" not in lowered(layer, x)
    layer = hornbill.layers.Dense(64)
    x = floats(64, 64)
    layer(x)
    assert "hornbill_conv" in lowered(layer, x)
    with native.without():
        assert "hornbill_conv" not in lowered(lambda x: layer(x), x)


@needs_kernels
def test_explanations_see_the_ops():
    inputs = hornbill.Input((40, 64))
    x = hornbill.layers.MultiHeadAttention(4, 16)(inputs, inputs)
    model = hornbill.Model(inputs, hornbill.layers.Dense(64, "relu")(x))
    told = json.loads(model.explain(to="json"))["layers"]
    with native.without():
        assert told == json.loads(model.explain(to="json"))["layers"]
