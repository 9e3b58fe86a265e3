"""Seeds: where every random number of a program comes from.

Three sources, all started by `set_random_seed`: host generators (NumPy's Philox) for initial weights and data order,
`SeedGenerator` for random numbers inside a layer (its counter is part of the model's state), and one global
SeedGenerator for random ops without a seed.
"""

from __future__ import annotations

import random as python_random
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
import numpy as np

from hornbill.engine import settings
from hornbill.engine.errors import ArgumentError
from hornbill.engine.naming import auto_name, name_scope
from hornbill.engine.random_bits import hash_generator
from hornbill.engine.variable import Variable, as_device_array

__all__ = [
    "SeedGenerator", "draw_seed", "global_seed_generator", "host_rng", "jax_key", "make_default_seed",
    "set_random_seed",
]  # fmt: skip

_global: dict[str, Any] = {"seeds": python_random.Random(), "generator": None, "seed": None}  # noqa: S311


def set_random_seed(seed: int) -> None:
    """Starts Python's, NumPy's and Hornbill's random numbers from `seed`.

    After it, the same program draws the same initial weights, data order and dropout masks.
    """
    if not isinstance(seed, (int, np.integer)):
        raise ArgumentError(
            "set_random_seed wants a whole number.", got=f"{seed!r}.", fixes="set_random_seed(42)"
        )
    seed = int(seed)
    python_random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    _global.update(seeds=python_random.Random(seed), generator=None, seed=seed)  # noqa: S311


def make_default_seed() -> int:
    """Returns a new seed for an object that was given none; the sequence follows `set_random_seed`."""
    return _global["seeds"].randint(1, 2**31 - 1)


def host_rng(seed: Any = None) -> np.random.Generator:
    """Returns a NumPy generator for a seed (int, SeedGenerator or None for a new one)."""
    if isinstance(seed, SeedGenerator):
        state = seed.next_host()
        return np.random.Generator(np.random.Philox(key=int(state[0]) << 32 | int(state[1])))
    return np.random.Generator(np.random.Philox(key=make_default_seed() if seed is None else int(seed)))


class SeedGenerator:
    """A stream of seeds whose position is a variable, so that compiled steps carry it.

    Args:
        seed: Start of the stream; drawn when None.
        name: Name; automatic if None.

    Attributes:
        seed_given: Whether the start was given. Such a stream draws the numbers of Keras on JAX; see
            `config.set_random_generator`.

    Example:
        >>> generator = SeedGenerator(seed=1)
        >>> generator.next().tolist()
        [1, 0]
        >>> generator.next().tolist()
        [1, 1]
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        if kwargs.pop("backend", None) or kwargs:
            raise ArgumentError(
                f"SeedGenerator does not know {sorted(kwargs)}.", fixes="SeedGenerator(seed=1)"
            )
        self.name = name or auto_name("SeedGenerator")
        self.seed_given = seed is not None
        if seed is None:
            seed = make_default_seed()
        if not isinstance(seed, (int, np.integer)) or seed < 0:
            raise ArgumentError("A seed is a non-negative whole number.", got=f"seed={seed!r}.")
        self._initial_seed = int(seed)
        with name_scope(self.name):
            self.state = Variable(
                np.array([int(seed) % 2**32, 0], np.uint32),
                trainable=False,
                autocast=False,
                name="seed_generator_state",
                axes=("seed and count",),
            )
        self.state.overwrite_with_gradient = False

    def next(self, ordered: bool = True) -> jax.Array:
        """Returns the next seed, two unsigned 32-bit numbers, and moves on."""
        current = self.state._value
        if isinstance(current, jax.core.Tracer):
            self.state.assign(current + jnp.array([0, 1], jnp.uint32))
        else:
            host = np.asarray(current)
            self.state.assign(host + np.array([0, 1], np.uint32))
        return current

    def next_host(self) -> np.ndarray:
        """Returns the next seed on the host."""
        return np.asarray(self.next())

    def get_config(self) -> dict[str, Any]:
        """Returns the seed that the stream started from."""
        return {"seed": self._initial_seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """Creates the generator from its configuration."""
        return cls(**config)


def global_seed_generator() -> SeedGenerator:
    """Returns the stream that random ops without a seed draw from; training steps carry it."""
    if _global["generator"] is None:
        seed = _global["seed"]
        _global["generator"] = SeedGenerator(seed=seed, name="global_seed_generator")
        _global["generator"].seed_given = False
    return _global["generator"]


def draw_seed(seed: Any = None) -> jax.Array:
    """Returns a key for `jax.random`.

    A seed that the user gave, to the call or to the SeedGenerator, gives the numbers that Keras on JAX draws. All other
    streams give cheap random bits, unless `config.set_random_generator("threefry")` asks for JAX's here too.

    Args:
        seed: None (the global stream moves on), an int (the same key each time) or a SeedGenerator.
    """
    given = seed.seed_given if isinstance(seed, SeedGenerator) else seed is not None
    own = not given and settings.random_generator() == "hash"
    return _key(seed, hash_generator() if own else "threefry2x32")


def jax_key(seed: Any = None) -> jax.Array:
    """Returns a key of JAX's own kind for a seed, to be handed to code that is not Hornbill's."""
    return _key(seed, "threefry2x32")


def _key(seed: Any, generator: Any) -> jax.Array:
    if seed is None:
        data = global_seed_generator().next()
    elif isinstance(seed, SeedGenerator):
        data = seed.next()
    elif isinstance(seed, (int, np.integer)):
        data = as_device_array(np.array([int(seed) % 2**32, 0], np.uint32), None)
    elif isinstance(seed, jax.Array):
        data = seed
    else:
        raise ArgumentError("A seed is None, a whole number or a SeedGenerator.", got=f"seed={seed!r}.")
    if jnp.issubdtype(data.dtype, jax.dtypes.prng_key):
        return data
    return jax.random.wrap_key_data(data, impl=generator)
