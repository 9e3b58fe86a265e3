"""The cheap random bits: statistical tests against what independent fair bits give, and the rules of their use.

The bounds are at about six standard deviations (one in a billion for a good generator); the keys are fixed.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import hornbill
from hornbill import layers, random
from hornbill.engine.random import SeedGenerator
from hornbill.engine.random_bits import hash_generator

N = 2**18
KEYS = [
    (0, 0),
    (0, 1),
    (1, 0),
    (1, 1),
    (2, 0),
    (12345, 7),
    (12345, 8),
    (2**31 - 1, 3),
    (4294967295, 4294967295),
]


def key(data):
    return jax.random.wrap_key_data(jnp.array(data, jnp.uint32), impl=hash_generator())


def bits(data, shape=(N,)):
    return np.asarray(jax.random.bits(key(data), shape, jnp.uint32))


def signs(data):
    """The top bit of each number as -1 or 1."""
    return (bits(data) >> 31).astype("float64") * 2 - 1


@pytest.mark.parametrize("data", KEYS)
def test_each_bit_is_fair_and_independent_of_the_others(data):
    columns = (
        np.unpackbits(bits(data).view("uint8").reshape(N, 4), axis=1).astype("float64") * 2 - 1
    )  # (N, 32)
    assert np.abs(columns.sum(0)).max() < 6 * np.sqrt(N)
    products = columns.T @ columns
    np.fill_diagonal(products, 0)
    assert np.abs(products).max() < 6 * np.sqrt(N)


@pytest.mark.parametrize("data", KEYS)
def test_bytes_and_pairs_are_even(data):
    numbers = bits(data)
    for shift in (0, 8, 16, 24):
        counts = np.bincount((numbers >> shift) & 255, minlength=256)
        assert stats.chisquare(counts).pvalue > 1e-9
    for gap in (1, 2, 5, 96):
        first, second = numbers[:-gap] >> 27, numbers[gap:] >> 27  # five bits each
        assert stats.chisquare(np.bincount(first * 32 + second, minlength=1024)).pvalue > 1e-9


@pytest.mark.parametrize("data", KEYS)
def test_no_correlation_with_itself_at_any_distance(data):
    spectrum = np.fft.rfft(signs(data), 2 * N)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[1:N]
    assert np.abs(correlation).max() < 6.5 * np.sqrt(N)


@pytest.mark.parametrize(("a", "b"), [(a, b) for i, a in enumerate(KEYS) for b in KEYS[:i]])
def test_streams_of_different_keys_are_unrelated_and_no_shifted_copies(a, b):
    first, second = np.fft.rfft(signs(a), 2 * N), np.fft.rfft(signs(b), 2 * N)
    assert np.abs(np.fft.irfft(first * second.conj())).max() < 6.5 * np.sqrt(N)


@pytest.mark.parametrize("data", KEYS[:4])
def test_distributions_made_of_them(data):
    normal = np.asarray(jax.random.normal(key(data), (N,)))
    assert stats.kstest(normal, "norm").pvalue > 1e-6
    uniform = np.asarray(jax.random.uniform(key(data), (N,)))
    assert stats.kstest(uniform, "uniform").pvalue > 1e-6
    gamma = np.asarray(jax.random.gamma(key(data), 2.0, (2**12,)))
    assert stats.kstest(gamma, "gamma", (2.0,)).pvalue > 1e-6
    assert sorted(jax.random.permutation(key(data), 100).tolist()) == list(range(100))


def test_derived_keys_differ():
    split = jax.random.key_data(jax.random.split(key((3, 4)), 1000))
    folded = jax.random.key_data(jax.vmap(lambda i: jax.random.fold_in(key((3, 4)), i))(jnp.arange(1000)))
    both = np.concatenate([split, folded])
    assert len(np.unique(both, axis=0)) == 2000
    assert abs(np.corrcoef(np.asarray(split, "float64").T)[0, 1]) < 0.2


@pytest.mark.parametrize("width", [8, 16, 32])
def test_layout_and_compilation_change_nothing(width):
    dtype = f"uint{width}"
    flat = jax.random.bits(key((5, 6)), (240,), dtype)
    shaped = jax.jit(lambda k: jax.random.bits(k, (2, 3, 40), dtype))(key((5, 6)))
    assert np.array_equal(flat, np.ravel(shaped))
    assert np.array_equal(flat[:24], jax.random.bits(key((5, 6)), (24,), dtype))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_drops_its_share(rate):
    kept = np.asarray(random.dropout(np.ones((512, 512), "float32"), rate, seed=SeedGenerator())) > 0
    deviation = np.sqrt(rate * (1 - rate) / kept.size)
    assert abs(kept.mean() - (1 - rate)) < 6 * deviation


def test_given_seeds_and_threefry_give_the_numbers_of_jax():
    data = np.array([9, 0], np.uint32)
    wanted = jax.random.uniform(jax.random.wrap_key_data(data, impl="threefry2x32"), (5,))
    assert np.array_equal(random.uniform((5,), seed=9), wanted)
    assert np.array_equal(random.uniform((5,), seed=SeedGenerator(9)), wanted)
    stream = SeedGenerator()
    stream.state.assign(data)
    assert not np.array_equal(random.uniform((5,), seed=stream), wanted)
    hornbill.config.set_random_generator("threefry")
    try:
        assert hornbill.config.random_generator() == "threefry"
        stream.state.assign(data)
        assert np.array_equal(random.uniform((5,), seed=stream), wanted)
    finally:
        hornbill.config.set_random_generator("hash")
    with pytest.raises(ValueError, match="threefry"):
        hornbill.config.set_random_generator("rbg")


def test_layers_of_one_model_draw_unrelated_masks():
    inputs = hornbill.Input((64, 64, 1))
    drops = [layers.Dropout(0.5)(inputs) for _ in range(6)]
    model = hornbill.Model(inputs, drops)
    ones = np.ones((8, 64, 64, 1), "float32")
    masks = [np.ravel(np.asarray(m) > 0) * 2.0 - 1 for _ in range(2) for m in model(ones, training=True)]
    products = np.array(masks) @ np.array(masks).T
    np.fill_diagonal(products, 0)
    assert np.abs(products).max() < 6 * np.sqrt(len(masks[0]))
