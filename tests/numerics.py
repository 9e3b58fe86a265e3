"""How results in float32 are compared.

The error of a sum of products is proportional to the size of its terms, not of the result, which may be near zero by
cancellation. So an error is measured against the largest number of the array that it belongs to.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

__all__ = ["assert_close"]


def assert_close(actual: Any, expected: Any, relative: float = 1e-5) -> None:
    """Raises unless both have the same structure and shapes and differ by at most `relative` of the largest number."""
    assert jax.tree.structure(actual) == jax.tree.structure(expected)
    for mine, theirs in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        mine, theirs = np.asarray(mine), np.asarray(theirs)
        assert mine.shape == theirs.shape
        finite = np.abs(theirs[np.isfinite(theirs)])
        scale = float(finite.max()) if finite.size else 0.0
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=relative * scale)
