"""Layers whose work is done on the host, because it concerns strings or tables.

Arrays and lists (of strings too) are worked on directly. Whole numbers inside a compiled call are sent to the host and
back. Strings cannot enter a compiled call: no device holds them.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.core
import jax.numpy as jnp
import numpy as np

from hornbill.engine.errors import ArgumentTypeError
from hornbill.engine.layer import Layer
from hornbill.engine.op import Tensor
from hornbill.engine.symbolic import KerasTensor

__all__ = ["HostLayer", "as_texts"]


def as_texts(values: np.ndarray, encoding: str = "utf-8") -> np.ndarray:
    """Returns an array of strings from one of strings, bytes or numbers."""
    flat = [v.decode(encoding) if isinstance(v, bytes) else str(v) for v in values.ravel().tolist()]
    result = np.empty(len(flat), object)
    result[:] = flat
    return result.reshape(values.shape)


class HostLayer(Layer):
    """Base of layers that map each entry of an array on the host; subclasses write `map_host` and `finish`."""

    def map_host(self, values: np.ndarray) -> np.ndarray:
        """Returns a whole number for each entry."""
        raise NotImplementedError

    def finish(self, indices: Tensor) -> Tensor:
        """Returns the output for the numbers: as they are, or encoded."""
        raise NotImplementedError

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Works on arrays and lists of strings or numbers, and on KerasTensors of whole numbers."""
        traced = isinstance(inputs, (KerasTensor, jax.core.Tracer))
        if traced and str(inputs.dtype) == "string":
            raise ArgumentTypeError(
                f"{type(self).__name__} {self.name!r} cannot be part of a model that takes strings.",
                why="Compiled programs hold numbers only; strings are worked on before them, on the host.",
                fixes="x = layer(texts), and give the model x; or map the data set with the layer.",
            )
        if traced:
            return super().__call__(inputs, *args, **kwargs)
        self.built = True
        return self.on_host(np.asarray(inputs))

    def on_host(self, values: np.ndarray) -> Any:
        """Works on an array of strings or numbers."""
        return self.finish(jnp.asarray(self.map_host(values)))

    def call(self, inputs: Tensor) -> Tensor:
        """Works on whole numbers inside a compiled call."""
        shape = jax.ShapeDtypeStruct(inputs.shape, jnp.int32)
        return self.finish(
            jax.pure_callback(lambda x: np.asarray(self.map_host(np.asarray(x)), "int32"), shape, inputs)
        )
