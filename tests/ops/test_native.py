"""The CPU kernels behind `conv`, against plain float64 sums, under JAX's transformations; and what happens without them.

Most of it needs the package `hornbill-native` (`pip install ./native`) and is skipped where that is not installed.
"""

from __future__ import annotations

import importlib
import itertools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hornbill
from hornbill.engine.context import fresh_context
from hornbill.engine.record import Record
from hornbill.ops import linalg, native, nn
from hornbill.ops.conv import transposed_sizes

ROOM = np.random.default_rng(0)
INSTALLED = importlib.util.find_spec("hornbill_native") is not None
needs_kernels = pytest.mark.skipif(
    not INSTALLED or bool(native.reason_inactive()),
    reason="hornbill-native is not installed (pip install ./native)",
)


def floats(*shape):
    return ROOM.standard_normal(shape).astype(np.float32)


# ---- the definition, in float64


def cells(kernel, strides, dilation, sizes):
    """For each kernel cell, the slices of the padded input under it."""
    for cell in itertools.product(*map(range, kernel)):
        yield (
            cell,
            tuple(
                slice(c * d, c * d + (n - 1) * s + 1, s)
                for c, d, s, n in zip(cell, dilation, strides, sizes, strict=True)
            ),
        )


def plain(x, w, g, strides, pads, dilation, groups):
    """Returns the convolution and, from the gradient `g` of it, those by inputs and kernel."""
    x, w = np.asarray(x, np.float64), np.asarray(w, np.float64)
    padded = np.pad(x, [(0, 0), *pads, (0, 0)])
    kernel, sizes = w.shape[:-2], g.shape[1:-1]
    out, by_x, by_w = np.zeros(g.shape), np.zeros(padded.shape), np.zeros(w.shape)
    ci, co = w.shape[-2], w.shape[-1] // groups
    for cell, view in cells(kernel, strides, dilation, sizes):
        for group in range(groups):
            i, o = slice(group * ci, group * ci + ci), slice(group * co, group * co + co)
            part = padded[(slice(None), *view, i)]
            out[..., o] += part @ w[cell][:, o]
            by_x[(slice(None), *view, i)] += g[..., o] @ w[cell][:, o].T
            by_w[cell][:, o] += part.reshape(-1, ci).T @ g[..., o].reshape(-1, co)
    inner = tuple(slice(before, before + n) for (before, _), n in zip(pads, x.shape[1:-1], strict=True))
    return out, by_x[(slice(None), *inner)], by_w


def close(got, wanted):
    assert got.shape == wanted.shape
    scale = max(
        float(np.abs(wanted).max()), 1.0
    )  # sums of normal numbers: a smaller one is left from cancelling
    np.testing.assert_allclose(np.asarray(got) / scale, wanted / scale, rtol=0, atol=1e-5)


def uses_kernels(f, *arguments):
    return "hornbill_conv" in jax.jit(f).lower(*arguments).as_text()


@needs_kernels
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_convolution_and_gradients(data):
    draw, whole = data.draw, st.integers
    rank = draw(st.sampled_from([1, 2, 2, 3]))
    kernel = [draw(whole(1, 4)) for _ in range(rank)]
    dilated = draw(st.booleans())
    strides = 1 if dilated else draw(whole(1, 3))
    dilation = draw(whole(1, 3)) if dilated else 1
    padding = draw(st.sampled_from(["same", "valid"]))
    groups = draw(st.sampled_from([1, 1, 2])) if rank < 3 else 1
    ci, co = (draw(st.sampled_from([8, 16, 24] if groups > 1 else [1, 3, 17, 40])) for _ in range(2))
    sizes = [(k - 1) * dilation + 1 + draw(whole(0, 12)) for k in kernel]
    x, w = floats(draw(whole(1, 3)), *sizes, ci * groups), floats(*kernel, ci, co * groups)

    def ours(x, w):
        return nn.conv(x, w, strides, padding, dilation_rate=dilation)

    assert uses_kernels(ours, x, w)
    y, back = jax.vjp(ours, x, w)
    g = floats(*y.shape)
    spans = [(k - 1) * dilation + 1 for k in kernel]
    pads = native_pads(padding, sizes, spans, strides)
    wanted = plain(x, w, g, (strides,) * rank, pads, (dilation,) * rank, groups)
    for mine, theirs in zip((y, *back(g)), wanted, strict=True):
        close(mine, theirs)


def native_pads(padding, sizes, spans, stride):
    if padding == "valid":
        return [(0, 0)] * len(sizes)
    totals = [max((-(-n // stride) - 1) * stride + span - n, 0) for n, span in zip(sizes, spans, strict=True)]
    return [(total // 2, total - total // 2) for total in totals]


@needs_kernels
@pytest.mark.parametrize("activation", [None, "linear", "relu"])
@pytest.mark.parametrize(("rank", "groups", "strides"), [(1, 1, 2), (2, 1, 1), (2, 2, 1), (3, 1, 2)])
def test_layer_adds_bias_and_activates_in_one_pass(activation, rank, groups, strides):
    kind = {1: hornbill.layers.Conv1D, 2: hornbill.layers.Conv2D, 3: hornbill.layers.Conv3D}[rank]
    layer = kind(24, 3, strides, "same", groups=groups, activation=activation, bias_initializer="normal")
    x = floats(2, *(11,) * rank, 8 * groups)
    layer(x)

    def ours(x, w, b):
        return layer.stateless_call([w, b], [], x)[0]

    weights = [np.asarray(variable.value) for variable in layer.trainable_variables]
    assert "hornbill_conv_bias" in jax.jit(ours).lower(x, *weights).as_text()
    y, back = jax.vjp(ours, x, *weights)
    g = floats(*y.shape)
    around = [native_pads("same", [11], [3], strides)[0]] * rank
    sums = plain(x, weights[0], g, (strides,) * rank, around, (1,) * rank, groups)[0] + weights[1]
    open_ = sums > 0 if activation == "relu" else np.ones(sums.shape, bool)
    assert open_.mean() > 0.2
    _, by_x, by_w = plain(x, weights[0], g * open_, (strides,) * rank, around, (1,) * rank, groups)
    by_b = (g * open_).astype(np.float64).reshape(-1, 24).sum(0)
    for mine, theirs in zip((y, *back(g)), (np.where(open_, sums, 0), by_x, by_w, by_b), strict=True):
        close(mine, theirs)
    names = [child.name for child in recorded(layer, x)]
    assert names == ["conv", "add", *(["relu"] if activation == "relu" else [])]


def recorded(layer, x):
    """Returns the records of the ops that a layer calls."""
    record = Record("layer", layer.name)
    with fresh_context(recorder=record):
        layer.call(x)
    return record.children


@needs_kernels
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_transposed_convolution_and_gradients(data):
    draw, whole = data.draw, st.integers
    rank = draw(st.sampled_from([1, 2, 2]))
    kernel, strides = [draw(whole(1, 4)) for _ in range(rank)], draw(whole(1, 3))
    dilation = draw(whole(1, 2)) if strides == 1 else 1
    padding = draw(st.sampled_from(["same", "valid"]))
    extra = draw(st.sampled_from([None, 0, strides - 1]))
    ci, co = (draw(st.sampled_from([1, 3, 17, 40])) for _ in range(2))
    x, w = floats(2, *(draw(whole(1, 9)) for _ in kernel), ci), floats(*kernel, co, ci)

    def ours(x, w):
        return nn.conv_transpose(x, w, strides, padding, extra, dilation_rate=dilation)

    y, back = jax.vjp(ours, x, w)
    if 0 in y.shape:
        return
    assert uses_kernels(ours, x, w)
    g = floats(*y.shape)
    # It is the gradient by the inputs of the convolution from y's shape to x's.
    pads = []
    for k, n, long in zip(kernel, x.shape[1:-1], y.shape[1:-1], strict=True):
        cut = transposed_sizes(k, strides, padding, extra, dilation)[1]
        pads.append((cut, (n - 1) * strides + (k - 1) * dilation + 1 - cut - long))
    around = [(before, max(after, 0)) for before, after in pads]
    by_x, wanted, by_w = plain(g, w, x, (strides,) * rank, around, (dilation,) * rank, 1)
    for mine, theirs in zip((y, *back(g)), (wanted, by_x, by_w), strict=True):
        close(mine, theirs)


# ---- max-pool


@needs_kernels
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_max_pool_and_gradient(data):
    draw, whole = data.draw, st.integers
    pool, strides = [[draw(whole(low, 3)) for _ in range(2)] for low in (1, 2)]
    padding = draw(st.sampled_from(["same", "valid"]))
    shape = (2, draw(whole(28, 33)), draw(whole(28, 33)), draw(st.sampled_from([32, 35])))
    x = np.round(2 * floats(*shape))  # with ties

    def ours(x):
        return nn.max_pool(x, pool, strides, padding)

    assert "hornbill_max_pool_grad" in jax.jit(jax.grad(lambda x: ours(x).sum())).lower(x).as_text()
    y, back = jax.vjp(ours, x)
    g = floats(*y.shape)
    pads = [native_pads(padding, [n], [k], s)[0] for n, k, s in zip(x.shape[1:3], pool, strides, strict=True)]
    padded = np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=-np.inf)
    wanted, by_x = np.zeros(y.shape), np.zeros(padded.shape)
    for n, i, j in np.ndindex(*y.shape[:3]):
        y0, x0 = i * strides[0], j * strides[1]
        window = padded[n, y0 : y0 + pool[0], x0 : x0 + pool[1]].reshape(-1, shape[3])  # (cells, channels)
        first = window.argmax(0)
        wanted[n, i, j] = window.max(0)
        by_x[n, y0 + first // pool[1], x0 + first % pool[1], np.arange(shape[3])] += g[n, i, j]
    close(y, wanted)
    close(back(g)[0], by_x[:, pads[0][0] :, pads[1][0] :][:, : shape[1], : shape[2]])


@needs_kernels
def test_max_pool_of_not_a_number():
    x = np.arange(2 * 32 * 32 * 16, dtype=np.float32).reshape(2, 32, 32, 16)
    x[0, 1, 1] = np.nan
    assert native.serves_pool(x.shape, x.dtype, (1, 2, 2, 1), (1, 2, 2, 1), ((0, 0),) * 4)
    got, back = jax.vjp(lambda x: nn.max_pool(x, 2), x)
    assert np.isnan(got[0, 0, 0]).all()
    assert not np.isnan(got[0, 1:]).any()
    with native.without():
        wanted = jax.vjp(lambda x: nn.max_pool(x, 2), x)[1](jnp.ones_like(got))[0]
    np.testing.assert_array_equal(back(jnp.ones_like(got))[0], wanted)


# ---- transformations


def loss(x, w):
    return jnp.sum(jnp.tanh(nn.conv(x, w, padding="same")))


def pooled(x, w):
    large = jnp.tile(x, (1, 8, 8, 6))  # what the kernels serve
    return jnp.sum(jnp.tanh(nn.max_pool(large, 3, 2, "same")) * w[0, 0, 0, 0])


def enlarged(x, w):
    return jnp.sum(jnp.tanh(nn.conv_transpose(x, jnp.swapaxes(w, 2, 3), 2)))


def xla(f):
    """The same function by XLA's path."""

    def run(*arguments):
        with native.without():
            return f(*arguments)

    return run


X, KERNEL = floats(2, 7, 6, 3), floats(3, 3, 3, 5)


@needs_kernels
@pytest.mark.parametrize("function", [loss, pooled, enlarged])
@pytest.mark.parametrize(
    "transformed",
    [
        lambda f: f,
        jax.jit,
        jax.grad,
        lambda f: jax.jit(jax.grad(f, (0, 1))),
        lambda f: jax.vmap(lambda x, w: f(x[None], w), (0, None)),
        lambda f: lambda x, w: jax.vmap(f, (None, 0))(x, jnp.stack([w, 2 * w])),
        lambda f: lambda x, w: jax.vmap(f)(jnp.stack([x, x + 1]), jnp.stack([w, 2 * w])),
        lambda f: jax.vmap(jax.grad(lambda x, w: f(x[None], w), 1), (0, None)),
        lambda f: lambda x, w: jax.grad(lambda w: jax.vmap(lambda x: f(x[None], w))(x).sum())(w),
        lambda f: lambda x, w: jax.grad(lambda x: jnp.sum(jax.grad(f)(x, w) ** 2))(x),
        lambda f: lambda x, w: jax.grad(lambda w: jnp.sum(jax.grad(f)(x, w) ** 2))(w),
        lambda f: lambda x, w: jax.grad(lambda x: jnp.sum(jax.grad(f, 1)(x, w) ** 2))(x),
        lambda f: lambda x, w: jax.lax.fori_loop(0, 3, lambda _, w: w - 0.1 * jax.grad(f, 1)(x, w), w),
        lambda f: lambda x, w: jax.grad(jax.checkpoint(f))(x, w),
    ],
)  # fmt: skip
def test_transformations_agree_with_xla(transformed, function):
    ours, theirs = transformed(function)(X, KERNEL), xla(transformed(function))(X, KERNEL)
    for mine, yours in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        close(mine, np.asarray(yours))


@needs_kernels
def test_forward_mode_takes_the_other_path():
    out, slope = linalg.jvp(loss, (X, KERNEL), (X, KERNEL))
    step = 1e-3
    assert float(slope) == pytest.approx(
        (float(loss(X * (1 + step), KERNEL * (1 + step))) - float(out)) / step, rel=0.05
    )


@needs_kernels
def test_other_platforms_get_other_code():
    lowered = jax.jit(lambda x, w: nn.conv(x, w)).trace(X, KERNEL).lower(lowering_platforms=("cuda",))
    assert "hornbill_conv" not in lowered.as_text()


@needs_kernels
@pytest.mark.parametrize(
    ("x", "w", "arguments"),
    [
        (X.astype("float16"), KERNEL.astype("float16"), {}),
        (X.swapaxes(1, 3), KERNEL, {"data_format": "channels_first"}),
        (floats(1, 9, 9, 6), floats(3, 3, 1, 6), {}),  # groups of one
        (floats(1, 5, 5, 5, 16), floats(2, 2, 2, 8, 16), {}),  # groups over three axes
        (floats(0, 5, 5, 2), floats(2, 2, 2, 3), {}),
    ],
)
def test_what_is_left_to_xla(x, w, arguments):
    assert not uses_kernels(lambda x, w: nn.conv(x, w, **arguments), x, w)


def small_unet():
    layers = hornbill.layers
    inputs = hornbill.Input((24, 24, 3))
    high = layers.Conv2D(32, 3, activation="relu", padding="same")(inputs)
    low = layers.Conv2D(32, 3, activation="relu", padding="same")(layers.MaxPooling2D(2)(high))
    back = layers.Conv2DTranspose(16, 2, strides=2, padding="same")(low)
    joined = layers.Conv2D(32, 3, activation="relu", padding="same")(layers.concatenate([back, high]))
    return hornbill.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(joined))


def small_resnet():
    layers = hornbill.layers
    inputs = hornbill.Input((24, 24, 3))
    x = layers.Conv2D(32, 3, activation="relu", padding="same")(inputs)
    for filters, strides in ((32, 1), (64, 2)):
        y = layers.BatchNormalization()(layers.Conv2D(filters, 3, strides, "same", use_bias=False)(x))
        y = layers.Conv2D(filters, 3, padding="same", use_bias=False)(layers.ReLU()(y))
        around = x if strides == 1 else layers.Conv2D(filters, 1, strides, use_bias=False)(x)
        x = layers.ReLU()(layers.add([layers.BatchNormalization()(y), around]))
    return hornbill.Model(inputs, layers.Dense(1, "sigmoid")(layers.GlobalAveragePooling2D()(x)))


def small_lstm():
    layers = hornbill.layers
    return hornbill.Sequential(
        [
            hornbill.Input((24, 24, 3)),
            layers.Reshape((24, 72)),
            layers.LSTM(32, return_sequences=True),
            layers.GRU(16),
            layers.Dense(1, "sigmoid"),
        ]
    )


@needs_kernels
@pytest.mark.long
@pytest.mark.parametrize(("make", "epochs"), [(small_unet, 20), (small_resnet, 8), (small_lstm, 20)])
def test_training_gives_the_losses_of_the_other_path(make, epochs):
    """Five steps an epoch: convolutions by both algorithms, max-pools, transposed convolutions, sequences.

    Adam's usual epsilon of 1e-7 makes any rounding grow: after 100 steps XLA's own losses change by 1e-2 where the first
    weights change by 1e-7. With 1e-3 it is 1e-5; but 6e-4 with batch normalisation, which therefore trains for less long.
    """
    rng = np.random.default_rng(0)
    x = rng.random((40, 24, 24, 3), dtype=np.float32)
    y = (x.mean(-1, keepdims=True) > 0.5).astype(np.float32)
    y = y if make is small_unet else (x[:, :12].mean((1, 2, 3)) > 0.5).astype(np.float32)

    def losses():
        hornbill.utils.set_random_seed(1)
        model = make()
        model.compile(hornbill.optimizers.Adam(epsilon=1e-3), "binary_crossentropy")
        return model.fit(x, y, batch_size=8, epochs=epochs, shuffle=False, verbose=0).history["loss"]

    ours = losses()
    with native.without():
        theirs = losses()
    assert ours[-1] < 0.9 * ours[0]
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)
    assert ours != theirs  # both paths were taken


@needs_kernels
def test_explanations_do_not_depend_on_the_kernels():
    layers = hornbill.layers
    model = hornbill.Sequential(
        [
            hornbill.Input(batch_shape=(4, 32, 32, 3)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, groups=2, activation="relu"),
            layers.Conv2DTranspose(32, 2, strides=2),
        ]
    )
    assert uses_kernels(model, floats(4, 32, 32, 3))
    found = json.loads(model.explain(to="json"))
    with native.without():
        wanted = json.loads(model.explain(to="json"))
    assert found["layers"] == wanted["layers"]
    assert [layer["receptive_field"][0]["axes"][0]["size"] for layer in found["layers"][:3]] == [1, 3, 4]


@needs_kernels
@pytest.mark.parametrize("kind", ["Adam", "AdamW"])
def test_adam_steps_all_weights_at_once(kind):
    shapes = [(), (1,), (3, 3, 17, 40), (70_001,)]
    weights = [hornbill.Variable(floats(*shape), name=f"w{i}") for i, shape in enumerate(shapes)]
    optimizer = getattr(hornbill.optimizers, kind)(0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-5)
    optimizer.build(weights)
    params, state = ([variable.value for variable in kept] for kept in (weights, optimizer.variables))
    wanted = [np.asarray(p, np.float64) for p in params]
    moments = [(np.zeros(shape), np.zeros(shape)) for shape in shapes]
    step = jax.jit(lambda state, grads, params: optimizer.stateless_apply(state, grads, params))
    assert "hornbill_adam" in step.lower(state, params, params).as_text()
    for t in range(1, 5):
        grads = [floats(*shape) for shape in shapes]
        params, state = step(state, grads, params)
        for i, g in enumerate(grads):
            m = 0.8 * moments[i][0] + 0.2 * g.astype(np.float64)
            v = 0.95 * moments[i][1] + 0.05 * g.astype(np.float64) ** 2
            moments[i] = m, v
            decayed = wanted[i] * (1 - 0.01 * 0.004) if kind == "AdamW" else wanted[i]
            rate = 0.01 * np.sqrt(1 - 0.95**t) / (1 - 0.8**t)
            wanted[i] = decayed - rate * m / (np.sqrt(v) + 1e-5)
    for mine, theirs in zip(params, wanted, strict=True):
        close(mine, theirs)


@needs_kernels
def test_a_step_of_adam_can_be_differentiated_and_mapped():
    weight = hornbill.Variable(floats(5), name="w")
    optimizer = hornbill.optimizers.Adam(0.1)
    optimizer.build([weight])
    state = [variable.value for variable in optimizer.variables]

    def after(g, w):
        return optimizer.stateless_apply(state, [g], [w])[0][0]

    g, w = floats(5), floats(5)
    with native.without():
        wanted = jax.jacrev(after)(g, w)
    close(jax.jacrev(after)(g, w), np.asarray(wanted))
    gs, ws = floats(3, 5), floats(3, 5)
    close(jax.vmap(after)(gs, ws), np.stack([after(g, w) for g, w in zip(gs, ws, strict=True)]))


@needs_kernels
def test_packages_of_different_releases_do_not_work_together(monkeypatch):
    monkeypatch.setattr(native.package(), "INTERFACE", 1)
    assert "hornbill-native is the older" in native._load.__wrapped__()[1]


# ---- without the package


def test_switched_off(monkeypatch):
    native._load.cache_clear()
    monkeypatch.setenv("HORNBILL_NATIVE", "off")
    try:
        assert "HORNBILL_NATIVE" in native.reason_inactive()
        assert native.package() is None
        assert not uses_kernels(lambda x, w: nn.conv(x, w), X, KERNEL)
    finally:
        monkeypatch.undo()
        native._load.cache_clear()


@needs_kernels
@pytest.mark.parametrize(
    ("name", "answer", "words"), [("default_backend", "gpu", "not a CPU"), ("device_count", 8, "sharded")]
)
def test_other_devices_and_sharding_leave_it_to_xla(monkeypatch, name, answer, words):
    monkeypatch.setattr(jax, name, lambda: answer)
    assert words in native.reason_inactive()
    assert not native.serves(X, KERNEL, "channels_last", (1, 1), (1, 1))


def test_says_why_it_is_inactive():
    reason = native.reason_inactive()
    assert reason == "" if native.package() is not None and jax.device_count() == 1 else reason
