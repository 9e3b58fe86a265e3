"""A step of Adam on all weights in one call of `hornbill-native`; see `hornbill.ops.native`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbill.engine.op import Tensor
from hornbill.ops import native

__all__ = ["adam"]


def adam(
    plain: Callable[..., Any], arrays: Sequence[Sequence[Tensor]], rate: Tensor, constants: dict[str, float]
) -> Any:
    """Makes a step of Adam on all weights at once, or returns None where the kernel does not serve.

    Args:
        plain: The rule for one weight: `(p, g, (m, v), rate) -> (p, (m, v))`.
        arrays: All weights, all gradients, all first and all second moments.
        rate: The learning rate with its corrections, ().
        constants: `keep_1`, `keep_2` and `epsilon`.

    Returns:
        New weights, first and second moments, a list of each.
    """
    flat = [array for group in arrays for array in group]
    if not native.available():
        return None
    if any(array.dtype != jnp.float32 for array in flat):
        return None
    count = len(arrays[0])

    def xla(rate: Tensor, *flat: Tensor) -> list[Tensor]:
        groups = [flat[i : i + count] for i in range(0, 4 * count, count)]
        stepped = [plain(p, g, (m, v), rate) for p, g, m, v in zip(*groups, strict=True)]
        moments = [[pair[i] for _, pair in stepped] for i in range(2)]
        return [p for p, _ in stepped] + moments[0] + moments[1]

    p, m, v = flat[:count], flat[2 * count : 3 * count], flat[3 * count :]
    results = [(array.shape, jnp.float32) for array in (*p, *m, *v)]
    places = [*range(1, count + 1), *range(2 * count + 1, 4 * count + 1)]  # of p, m, v among the operands
    stepped = native.call(
        "hornbill_adam", xla, results, (rate, *flat),
        {name: np.float32(value) for name, value in constants.items()}, rows=0,
        aliases={place: i for i, place in enumerate(places)},
    )  # fmt: skip
    return stepped[:count], stepped[count : 2 * count], stepped[2 * count :]
