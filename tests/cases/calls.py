"""Making Cases of functions from one example call: the arrays among the arguments become the Case's inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from tests.cases import Case

__all__ = ["ROOM", "array_of", "call_case"]

ROOM = np.random.default_rng(17)


def array_of(*shape: int, low: float | None = None) -> np.ndarray:
    """Returns normal numbers, or numbers from `low` to 1."""
    if low is None:
        return ROOM.normal(size=shape).astype("float32")
    return ROOM.uniform(low, 1, size=shape).astype("float32")


def call_case(
    public_name: str, args: Sequence[Any], kwargs: Mapping[str, Any] | None = None, **own: Any
) -> Case:
    """Returns the Case of a function; `make` gives a function of the arrays alone.

    Args:
        public_name: Name below `keras.`.
        args: Arguments of the example call.
        kwargs: Keyword arguments of it.
        **own: Further fields of the Case.
    """
    leaves, structure = jax.tree.flatten((list(args), dict(kwargs or {})), is_leaf=lambda x: x is None)
    places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, np.ndarray)]
    arrays = tuple(leaves[i] for i in places)

    def make(keras: Any) -> Any:
        function = keras
        for part in public_name.split("."):
            function = getattr(function, part)

        def call(*values: Any) -> Any:
            filled = list(leaves)
            for place, value in zip(places, values, strict=True):
                filled[place] = value
            positional, named = jax.tree.unflatten(structure, filled)
            return function(*positional, **named)

        return call

    return Case(public_name, make, lambda rng: arrays, **own)
