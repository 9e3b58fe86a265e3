"""Finding an initializer by name, configuration, class, function or array, and writing one as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from hornbill.engine.errors import ShapeError
from hornbill.engine.random import SeedGenerator
from hornbill.engine.registry import Registry, register_public
from hornbill.engine.variable import Variable
from hornbill.initializers import draws, fixed
from hornbill.initializers.base import Initializer, numpy_dtype

__all__ = ["deserialize", "get", "serialize"]

register_public("keras", [Initializer])
register_public("keras.random", [SeedGenerator])
_registry = Registry(
    "initializer",
    "keras.initializers",
    [
        *(getattr(module, name) for module in (draws, fixed) for name in module.__all__ if name[0].isupper()),
        Initializer,
    ],
    aliases={
        "IdentityInitializer": fixed.Identity,
        "OrthogonalInitializer": draws.Orthogonal,
        "STFTInitializer": fixed.STFT,
        "normal": draws.RandomNormal,
        "one": fixed.Ones,
        "uniform": draws.RandomUniform,
        "zero": fixed.Zeros,
    },
)


def get(identifier: Any) -> Callable[..., Any] | None:
    """Returns the initializer for a name, configuration, class, function, array or None.

    Args:
        identifier: A name such as "he_normal" or "HeNormal"; a dictionary from `serialize`; an initializer or
            its class; a function `(shape, dtype)`; an array, which becomes the value itself; or None.

    Returns:
        A callable from shape and dtype to an array, or None for None.

    Raises:
        ArgumentError: If nothing goes by that name.

    Example:
        >>> get("ones")((2,)).tolist()
        [1.0, 1.0]
        >>> get(np.array([1.0, 2.0]))((2,)).tolist()
        [1.0, 2.0]
    """
    if isinstance(identifier, (np.ndarray, jax.Array, Variable)):
        return _given_value(identifier)
    return _registry.get(identifier)


def serialize(initializer: Any) -> Any:
    """Returns the initializer as plain data.

    Example:
        >>> serialize(get("zeros"))["class_name"]
        'Zeros'
    """
    return _registry.serialize(initializer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the initializer for data from `serialize`, or for a name.

    Args:
        config: The data.
        custom_objects: Classes and functions by name, beyond Hornbill's own and the registered ones.
    """
    return _registry.deserialize(config, custom_objects)


def _given_value(value: Any) -> Callable[..., np.ndarray]:
    array = np.asarray(value)

    def initialize(shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        if tuple(shape) != array.shape:
            raise ShapeError(
                f"The weight has shape {tuple(shape)}; an array given as initializer must have the same.",
                got=f"shape {array.shape}.",
            )
        return array.astype(numpy_dtype(dtype))

    return initialize
