"""One Case per public object: how to make it, what to feed it, and how exactly it must agree with Keras.

Families of cases stand in the modules of this package, each with a list `CASES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Case"]


@dataclass(frozen=True)
class Case:
    """How to make and feed one public object.

    Attributes:
        public_name: Its name below `keras.`: "layers.Dense".
        make: Makes it from a namespace that has Keras' names (Hornbill or Keras itself).
        inputs: Shapes of its inputs, or a function of a NumPy generator that makes them.
        config: Arguments for making its Keras twin, or None when `make` serves for both.
        tolerance: Relative tolerance of the comparison.
        variable: Axes of the inputs, batch included, that may be unknown (None) when the graph is built.
        call: Further arguments of the call.
        label: Tells cases of one object apart.
    """

    public_name: str
    make: Callable[[Any], Any]
    inputs: tuple[tuple[int, ...], ...] | Callable[[np.random.Generator], tuple[np.ndarray, ...]]
    config: dict[str, Any] | None = None
    tolerance: float = 1e-5
    variable: tuple[int, ...] = (0,)
    call: dict[str, Any] = field(default_factory=dict)
    label: str = ""

    def arrays(self, seed: int = 0) -> tuple[np.ndarray, ...]:
        """Returns the inputs as arrays."""
        rng = np.random.default_rng(seed)
        if callable(self.inputs):
            return self.inputs(rng)
        return tuple(rng.normal(size=shape).astype("float32") for shape in self.inputs)

    def __str__(self) -> str:
        return f"{self.public_name}-{self.label}" if self.label else self.public_name
