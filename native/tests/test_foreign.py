"""The kernels as XLA calls them: registered once, threads of XLA, in loops, and errors for bad calls."""

from __future__ import annotations

import hornbill_native
import jax
import jax.numpy as jnp
import numpy as np
import pytest

hornbill_native.register()
ROOM = np.random.default_rng(0)
SAME = (1, 1, 1, 1, 1, 1, 1)


def floats(*shape):
    return jnp.asarray(ROOM.standard_normal(shape, dtype=np.float32))


def call(name, shape, *arrays, window=SAME, dtype=np.float32, **attributes):
    result = jax.ShapeDtypeStruct(shape, dtype)
    run = jax.ffi.ffi_call(name, result)
    return run(*arrays, window=np.array(window, np.int64), **attributes)


def expected(x, w):
    """The convolution with padding 1 of 3x3 kernels, in float64."""
    x, w = np.asarray(x, np.float64), np.asarray(w, np.float64)
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    height, width = x.shape[1:3]
    return sum(
        padded[:, i : i + height, j : j + width] @ w[i, j] for i in range(3) for j in range(3)
    )  # (batch, height, width, filters)


def test_large_call_uses_all_threads_and_is_right():
    x, w = floats(4, 40, 40, 48), floats(3, 3, 48, 80)
    got = jax.jit(lambda x, w: call("hornbill_conv", (4, 40, 40, 80), x, w))(x, w)
    np.testing.assert_allclose(got, expected(x, w), rtol=1e-5, atol=2e-4)


def test_bias_and_relu():
    x, w, b = floats(2, 9, 9, 5), floats(3, 3, 5, 20), floats(20)
    got = call("hornbill_conv_bias", (2, 9, 9, 20), x, w, b, activation=1)
    np.testing.assert_allclose(got, np.maximum(expected(x, w) + np.asarray(b), 0), rtol=1e-5, atol=2e-5)


def test_not_a_number_passes_relu():
    x, w, b = jnp.full((1, 4, 4, 1), jnp.nan), floats(3, 3, 1, 3), floats(3)
    assert np.isnan(call("hornbill_conv_bias", (1, 4, 4, 3), x, w, b, activation=1)).all()


def test_inside_a_loop():
    x, w = floats(2, 12, 12, 16), floats(3, 3, 16, 16) / 12

    @jax.jit
    def many(x, w):
        return jax.lax.fori_loop(0, 5, lambda _, x: call("hornbill_conv", x.shape, x, w), x)

    wanted = np.asarray(x)
    for _ in range(5):
        wanted = expected(wanted, w)
    np.testing.assert_allclose(many(x, w), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"window": (1, 1, 1)}, "7 numbers"),
        ({"window": (0, 1, 1, 1, 1, 1, 1)}, "at least 1"),
        ({"window": (1, 1, 1, 1, -1, 0, 1)}, "negative"),
        ({"window": (1, 1, 1, 1, 3, 0, 1)}, "smaller than the window"),
        ({"window": (1, 1, 1, 1, 1, 1, 2)}, "input channels"),
        ({"shape": (2, 8, 8, 6)}, "batches"),
        ({"shape": (1, 80, 8, 6)}, "outside"),
        ({"shape": (1, 8, 8, 5)}, "filters"),
        ({"shape": (1, 8, 6)}, "rank"),
        ({"dtype": np.int32}, "dtype"),
    ],
)
def test_bad_calls_are_errors(arguments, words):
    wanted = {"shape": (1, 8, 8, 6), **arguments}
    with pytest.raises(Exception, match=words):
        jax.block_until_ready(
            call("hornbill_conv", wanted.pop("shape"), floats(1, 8, 8, 4), floats(3, 3, 4, 6), **wanted)
        )


def test_bad_activation_and_missing_attribute():
    x, w, b = floats(1, 4, 4, 1), floats(3, 3, 1, 3), floats(3)
    with pytest.raises(Exception, match="activation"):
        jax.block_until_ready(call("hornbill_conv_bias", (1, 4, 4, 3), x, w, b, activation=9))
    with pytest.raises(Exception, match="bias"):
        jax.block_until_ready(call("hornbill_conv_bias", (1, 4, 4, 3), x, w, floats(4), activation=0))
    with pytest.raises(Exception, match="attributes"):
        jax.block_until_ready(call("hornbill_conv_bias", (1, 4, 4, 3), x, w, b))


@pytest.mark.parametrize("sizes", [((1, 4, 4, 3), (1, 4, 4, 2), 3), ((1, 4, 4, 3), (1, 4, 4, 3), 4)])
def test_gradient_of_relu_refuses_arrays_that_do_not_fit(sizes):
    first, second, filters = sizes
    results = [jax.ShapeDtypeStruct(shape, jnp.bfloat16) for shape in (first, (filters,))]
    run = jax.ffi.ffi_call("hornbill_relu_grad_bfloat16", results)
    with pytest.raises(jax.errors.JaxRuntimeError, match="shapes differ"):
        jax.block_until_ready(run(*(floats(*shape).astype(jnp.bfloat16) for shape in (first, second))))


def test_bfloat16_takes_no_float32():
    with pytest.raises(Exception, match="dtype"):
        jax.block_until_ready(
            call("hornbill_conv_bfloat16", (1, 8, 8, 6), floats(1, 8, 8, 4), floats(3, 3, 4, 6))
        )


def test_says_what_it_uses():
    assert hornbill_native.isa() in hornbill_native.instruction_sets()
    assert hornbill_native.instruction_sets()[-1] == "baseline"


@pytest.mark.parametrize(
    ("sizes", "message"), [((3, 4, 3, 3), "sizes differ"), ((3, 3, 3), "four arrays for each weight")]
)
def test_adam_refuses_arrays_that_do_not_fit(sizes, message):
    run = jax.ffi.ffi_call("hornbill_adam", [jax.ShapeDtypeStruct((3,), jnp.float32)] * 3)
    constants = {name: np.float32(0.1) for name in ("keep_1", "keep_2", "epsilon")}
    with pytest.raises(jax.errors.JaxRuntimeError, match=message):
        jax.block_until_ready(run(jnp.float32(0.1), *(floats(size) for size in sizes), **constants))


SEQUENCES = {  # shapes of operands and results
    "hornbill_lstm": ([(3, 2, 16), (2, 4), (2, 4), (4, 16)], [(3, 2, 4), (3, 2, 4), (3, 2, 16)]),
    "hornbill_lstm_grad": (
        [(3, 2, 16), (2, 4), (4, 16), (3, 2, 4), (3, 2, 4), (2, 4)],
        [(3, 2, 16), (2, 4), (2, 4)],
    ),
    "hornbill_gru": ([(3, 2, 12), (2, 4), (4, 12), (12,)], [(3, 2, 4), (3, 2, 16)]),
    "hornbill_gru_grad": (
        [(3, 2, 16), (2, 4), (4, 12), (3, 2, 4), (3, 2, 4)],
        [(3, 2, 12), (3, 2, 12), (2, 4)],
    ),
}


@pytest.mark.parametrize(
    ("name", "wrong"),
    [(name, i) for name, (operands, results) in SEQUENCES.items() for i in range(len(operands + results))],
)
def test_sequences_of_wrong_sizes_are_refused(name, wrong):
    operands, results = SEQUENCES[name]
    every = operands + results
    for axis in range(len(every[wrong])):
        shapes = list(every)
        shapes[wrong] = tuple(size + (i == axis) for i, size in enumerate(every[wrong]))
        made = [jax.ShapeDtypeStruct(shape, np.float32) for shape in shapes[len(operands) :]]
        with pytest.raises(Exception, match="sizes do not fit"):
            jax.block_until_ready(
                jax.ffi.ffi_call(name, made)(*(floats(*shape) for shape in shapes[: len(operands)]))
            )


@pytest.mark.parametrize(
    ("wrong", "words"),
    [(0, "features"), (1, "positions"), (2, "positions"), (3, "another shape"), (4, "sums")],
)
def test_attention_of_wrong_sizes_is_refused(wrong, words):
    shapes = [(2, 3, 4, 5), (2, 6, 4, 5), (2, 6, 4, 7), (2, 3, 4, 7), (2, 4, 3)]
    axis = [3, 1, 1, 3, 2][wrong]
    shapes[wrong] = tuple(size + (i == axis) for i, size in enumerate(shapes[wrong]))
    made = [jax.ShapeDtypeStruct(shape, np.float32) for shape in shapes[3:]]
    call = jax.ffi.ffi_call("hornbill_attention", made)
    with pytest.raises(Exception, match=words):
        jax.block_until_ready(
            call(*(floats(*shape) for shape in shapes[:3]), scale=np.float32(1), causal=np.bool_(False))
        )


@pytest.mark.parametrize(
    ("masks", "words"),
    [
        ([np.ones((2, 4, 3, 5), bool)], "does not stretch"),
        ([np.ones((3, 1, 1, 1), bool)], "does not stretch"),
        ([np.ones((4, 3, 6), bool)], "boolean and have four axes"),
        ([np.ones((2, 4, 3, 6), np.float32)], "boolean and have four axes"),
        ([np.ones((1, 1, 1, 1), bool)] * 2, "more than one mask"),
    ],
)
def test_attention_with_wrong_masks_is_refused(masks, words):
    made = [jax.ShapeDtypeStruct(shape, np.float32) for shape in ((2, 3, 4, 7), (2, 4, 3))]
    operands = (floats(2, 3, 4, 5), floats(2, 6, 4, 5), floats(2, 6, 4, 7), *masks)
    call = jax.ffi.ffi_call("hornbill_attention", made)
    with pytest.raises(Exception, match=words):
        jax.block_until_ready(call(*operands, scale=np.float32(1), causal=np.bool_(False)))


def test_attention_of_query_heads_that_share_no_key_heads_is_refused():
    made = [jax.ShapeDtypeStruct(shape, np.float32) for shape in ((2, 3, 4, 7), (2, 4, 3))]
    call = jax.ffi.ffi_call("hornbill_attention", made)
    with pytest.raises(Exception, match="no multiple of the key heads"):
        jax.block_until_ready(
            call(
                floats(2, 3, 4, 5),
                floats(2, 6, 3, 5),
                floats(2, 6, 3, 7),
                scale=np.float32(1),
                causal=np.bool_(False),
            )
        )
