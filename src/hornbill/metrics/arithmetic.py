"""Small arithmetic that several metrics share; works on arrays and inside compiled steps."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbill import tree
from hornbill.engine.op import convert_to_tensor
from hornbill.engine.variable import Variable

__all__ = ["convert_inputs", "divide_no_nan"]


def divide_no_nan(x: Any, y: Any) -> Any:
    """Returns `x / y`, and 0 where `y` is 0."""
    zero = y == 0
    return jnp.where(zero, 0, x / jnp.where(zero, 1, y))


def convert_inputs(x: Any) -> Any:
    """Returns arrays for targets or predictions, also inside lists and dicts of arrays."""
    if isinstance(x, (list, tuple)) and not any(hasattr(leaf, "shape") for leaf in tree.flatten(x)):
        return convert_to_tensor(x)
    return tree.map_structure(
        lambda leaf: convert_to_tensor(leaf.value if isinstance(leaf, Variable) else leaf), x
    )
