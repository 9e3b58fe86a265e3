"""The CPU kernels behind `depthwise_conv` and `separable_conv`, against plain float64 sums and XLA's path.

Most of it needs the package `hornbill-native` (`pip install ./native`) and is skipped where that is not installed.
"""

from __future__ import annotations

import importlib
import itertools
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hornbill
from hornbill.ops import native, nn
from hornbill.training.workload import workload_of

ROOM = np.random.default_rng(0)
INSTALLED = importlib.util.find_spec("hornbill_native") is not None
needs_kernels = pytest.mark.skipif(
    not INSTALLED or bool(native.reason_inactive()),
    reason="hornbill-native is not installed (pip install ./native)",
)


def floats(*shape):
    return ROOM.standard_normal(shape).astype(np.float32)


def plain(x, w, g, strides, pads, dilation):
    """Returns the depthwise convolution and, from the gradient `g` of it, those by inputs and kernel, in float64."""
    x, w = np.asarray(x, np.float64), np.asarray(w, np.float64)[..., 0]
    padded = np.pad(x, [(0, 0), *pads, (0, 0)])
    out, by_x, by_w = np.zeros(g.shape), np.zeros(padded.shape), np.zeros(w.shape)
    for cell in itertools.product(*map(range, w.shape[:-1])):
        view = tuple(
            slice(c * dilation, c * dilation + (n - 1) * strides + 1, strides)
            for c, n in zip(cell, g.shape[1:-1], strict=True)
        )
        part = padded[(slice(None), *view)]
        out += part * w[cell]
        by_x[(slice(None), *view)] += g * w[cell]
        by_w[cell] = (part * g).reshape(-1, g.shape[-1]).sum(0)
    inner = tuple(slice(before, before + n) for (before, _), n in zip(pads, x.shape[1:-1], strict=True))
    return out, by_x[(slice(None), *inner)], by_w[..., None]


def close(got, wanted):
    assert got.shape == wanted.shape
    scale = max(float(np.abs(wanted).max()), 1.0)  # sums of normal numbers
    np.testing.assert_allclose(np.asarray(got) / scale, wanted / scale, rtol=0, atol=1e-5)


def program(f, *arguments):
    return jax.jit(f).lower(*arguments).as_text()


@needs_kernels
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_depthwise_convolution_and_gradients(data):
    draw, whole = data.draw, st.integers
    rank = draw(st.sampled_from([1, 2, 2]))
    kernel = [draw(whole(1, 7)) for _ in range(rank)]
    dilated = draw(st.booleans())
    strides = 1 if dilated else draw(whole(1, 3))
    dilation = draw(whole(1, 3)) if dilated else 1
    padding = draw(st.sampled_from(["same", "valid"]))
    spans = [(k - 1) * dilation + 1 for k in kernel]
    sizes = [span + draw(whole(0, 14)) for span in spans]
    channels = draw(st.sampled_from([8, 16, 19, 32, 70]))
    x, w = floats(draw(whole(1, 3)), *sizes, channels), floats(*kernel, channels, 1)

    def ours(x, w):
        return nn.depthwise_conv(x, w, strides, padding, dilation_rate=dilation)

    y, back = jax.vjp(ours, x, w)
    g = floats(*y.shape)
    both = program(lambda x, w: jax.vjp(ours, x, w)[1](g), x, w)
    assert "hornbill_depthwise_input_grad" in both
    assert "hornbill_depthwise_weight_grad" in both
    pads = [(0, 0)] * rank
    if padding == "same":
        totals = [
            max((-(-n // strides) - 1) * strides + span - n, 0) for n, span in zip(sizes, spans, strict=True)
        ]
        pads = [(total // 2, total - total // 2) for total in totals]
    for mine, theirs in zip((y, *back(g)), plain(x, w, g, strides, pads, dilation), strict=True):
        close(mine, theirs)


X, KERNEL = floats(2, 7, 6, 9), floats(3, 3, 9, 1)


def loss(x, w):
    return jnp.sum(jnp.tanh(nn.depthwise_conv(x, w, 2, "same")))


def xla(f):
    """The same function by XLA's path."""

    def run(*arguments):
        with native.without():
            return f(*arguments)

    return run


@needs_kernels
@pytest.mark.parametrize(
    "transformed",
    [
        jax.jit,
        lambda f: jax.jit(jax.grad(f, (0, 1))),
        lambda f: jax.vmap(lambda x, w: f(x[None], w), (0, None)),
        lambda f: lambda x, w: jax.vmap(f, (None, 0))(x, jnp.stack([w, 2 * w])),
        lambda f: jax.vmap(jax.grad(lambda x, w: f(x[None], w), 1), (0, None)),
        lambda f: lambda x, w: jax.grad(lambda x: jnp.sum(jax.grad(f)(x, w) ** 2))(x),
        lambda f: lambda x, w: jax.grad(lambda w: jnp.sum(jax.grad(f)(x, w) ** 2))(w),
        lambda f: lambda x, w: jax.grad(lambda x: jnp.sum(jax.grad(f, 1)(x, w) ** 2))(x),
        lambda f: lambda x, w: jax.grad(jax.checkpoint(f))(x, w),
    ],
)
def test_transformations_agree_with_xla(transformed):
    ours, theirs = transformed(loss)(X, KERNEL), xla(transformed(loss))(X, KERNEL)
    for mine, yours in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        close(mine, np.asarray(yours))


@needs_kernels
@pytest.mark.parametrize(
    ("x", "w", "arguments"),
    [
        (X.astype("float16"), KERNEL.astype("float16"), {}),
        (X.swapaxes(1, 3), floats(3, 3, 9, 1), {"data_format": "channels_first"}),
        (floats(1, 9, 9, 3), floats(3, 3, 3, 1), {}),  # few channels
        (X, floats(3, 3, 9, 2), {}),  # two filters for each channel
        (floats(1, 5, 5, 5, 8), floats(2, 2, 2, 8, 1), {}),  # three axes
    ],
)
def test_what_is_left_to_xla(x, w, arguments):
    def ours(x, w):
        return nn.depthwise_conv(x, w, **arguments)

    assert "hornbill_depthwise" not in program(ours, x, w)


@needs_kernels
@pytest.mark.parametrize("kind", ["DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv2D"])
def test_layers_take_the_kernels_and_their_work_is_counted(kind):
    rank = int(kind[-2])
    layer = getattr(hornbill.layers, kind)(**({"filters": 5} if "Sep" in kind else {}), kernel_size=3)
    x = floats(2, *(6,) * rank, 8)
    y = layer(x)
    weights = [np.asarray(variable.value) for variable in layer.trainable_variables]

    def ours(x):
        return layer.stateless_call(weights, [], x)[0]

    assert "hornbill_depthwise" in program(ours, x)
    with native.without():
        close(y, np.asarray(ours(x)))
    work = workload_of(jax.make_jaxpr(ours)(x).jaxpr)
    assert work.kernels >= 2 * 4**rank * 8 * 3**rank
    assert work.convolutions == 0


_OTHER_SET = """
import jax, numpy as np
from hornbill.ops import native, nn
assert native.package().isa() == {isa!r}
room = np.random.default_rng(1)
for strides, channels in ((1, 37), (2, 24)):
    x, w = (room.standard_normal(s).astype("float32") for s in ((2, 9, 11, channels), (3, 5, channels, 1)))
    conv = lambda x, w: nn.depthwise_conv(x, w, strides, "same")
    y, back = jax.vjp(conv, x, w)
    with native.without():
        wanted, other = jax.vjp(conv, x, w)
    for mine, theirs in zip((y, *back(y)), (wanted, *other(wanted)), strict=True):
        scale = max(float(abs(theirs).max()), 1)
        np.testing.assert_allclose(mine / scale, theirs / scale, rtol=0, atol=1e-5)
print("agrees")
"""


@needs_kernels
@pytest.mark.parametrize("isa", ["avx2", "baseline"])
def test_lesser_instruction_sets_agree(isa):
    if isa not in native.package().instruction_sets():
        return
    done = subprocess.run(
        [sys.executable, "-c", _OTHER_SET.format(isa=isa)], check=False, capture_output=True, text=True,
        env={**os.environ, "HORNBILL_NATIVE_ISA": isa},
    )  # fmt: skip
    assert "agrees" in done.stdout, done.stderr
