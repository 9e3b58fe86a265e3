"""What a product costs in JAX's own terms: the one formula behind training's choice of a loop and the explained costs.

Not for: products as the ops know them, with padding and groups; `explain/costs.py` counts those from the records.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

__all__ = ["PRODUCTS", "multiply_adds"]

PRODUCTS = ("dot_general", "conv_general_dilated")
"""The operations of JAX that multiply and add up."""


def multiply_adds(
    name: str, params: dict[str, Any], left: Sequence[int], right: Sequence[int], output: Sequence[int]
) -> int:
    """Returns the multiply-adds of one of `PRODUCTS`; those with the zeros of padding count.

    Args:
        name: The operation.
        params: Its parameters, with `dimension_numbers`.
        left: Shape of the first factor.
        right: Shape of the second factor; the kernel of a convolution.
        output: Shape of the result.
    """
    numbers = params["dimension_numbers"]
    if name == "dot_general":
        return math.prod(output) * math.prod(left[axis] for axis in numbers[0][0])
    return math.prod(output) * math.prod(right) // max(right[numbers.rhs_spec[0]], 1)
