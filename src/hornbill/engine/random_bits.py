"""Cheap random bits: a hash of each number's place and the key, as a generator for `jax.random`.

JAX's own generator (threefry) makes bits in a loop of its own, which costs a dropout layer on a CPU tens of times what
the layer itself costs. A hash is plain arithmetic, which XLA fuses into whatever uses the bits. Every function of
`jax.random` works on keys of this generator. It is made for dropout, noise and augmentation, not for cryptography.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp

from hornbill.engine.lazy import lazy_module

__all__ = ["hash_generator"]

_generators = lazy_module("jax.extend.random")  # it brings Pallas along, which an import should not wait for

_STEP = 0x9E3779B9  # 2^32 divided by the golden ratio, odd: far apart values for neighbouring numbers


def _mix(x: Any) -> Any:
    """Returns a hash of 32-bit numbers; each number has a hash of its own (source: C. Wellons, "lowbias32")."""
    x = (x ^ (x >> 16)) * jnp.uint32(0x7FEB352D)
    x = (x ^ (x >> 15)) * jnp.uint32(0x846CA68B)
    return x ^ (x >> 16)


def _hash(numbers: Any, key: Any, domain: int) -> Any:
    """Returns hashes of numbers under a key (2,); different keys give unrelated results, not shifted ones."""
    first = _mix(key[0] * jnp.uint32(_STEP) + jnp.uint32(domain))
    second = _mix(key[1] * jnp.uint32(_STEP) ^ _mix(first + jnp.uint32(_STEP)))
    return _mix(_mix(numbers + first ^ second) + second)


def _places(shape: tuple[int, ...]) -> Any:
    """Returns the place of each element in row-major order, as numbers that need no memory when fused."""
    places = jnp.zeros(shape, jnp.uint32)
    for axis in range(len(shape)):
        stride = math.prod(shape[axis + 1 :]) % 2**32
        places += jax.lax.broadcasted_iota(jnp.uint32, shape, axis) * jnp.uint32(stride)
    return places


def _random_bits(key: Any, bit_width: int, shape: tuple[int, ...]) -> Any:
    bits = _hash(_places(shape), key, 1)
    if bit_width == 64:
        return bits.astype(jnp.uint64) << 32 | _hash(_places(shape), key, 2).astype(jnp.uint64)
    return bits if bit_width == 32 else (bits >> (32 - bit_width)).astype(f"uint{bit_width}")


def _seed(seed: Any) -> Any:
    return jnp.stack([jnp.uint32(0), seed.astype(jnp.uint32)])


def _split(key: Any, shape: tuple[int, ...]) -> Any:
    return jnp.stack([_hash(_places(shape), key, domain) for domain in (3, 4)], axis=-1)  # (*shape, 2)


def _fold_in(key: Any, number: Any) -> Any:
    return jnp.stack([_hash(number.astype(jnp.uint32), key, domain) for domain in (5, 6)])  # (2,)


@functools.cache
def hash_generator() -> Any:
    """Returns the generator, for `jax.random.key(seed, impl=...)` and `jax.random.wrap_key_data(data, impl=...)`."""
    return _generators.define_prng_impl(
        key_shape=(2,), seed=_seed, split=_split, random_bits=_random_bits, fold_in=_fold_in,
        name="hornbill_hash", tag="hbh",
    )  # fmt: skip
