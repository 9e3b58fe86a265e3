"""California housing prices: 20,640 block groups of the 1990 census, 8 attributes (StatLib)."""

from __future__ import annotations

import numpy as np

from hornbill.datasets.reading import STORAGE, load_arrays, split_housing
from hornbill.engine.errors import one_of

__all__ = ["load_data"]

_Pair = tuple[np.ndarray, np.ndarray]


def load_data(
    version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2, seed: int = 113
) -> tuple[_Pair, _Pair]:
    """Returns the California housing prices, downloading them at the first call.

    Args:
        version: "large" for all 20,640 samples, "small" for 600.
        path: Name of the file in the cache folder for data sets, or an absolute path.
        test_split: Share of the samples in the test set.
        seed: Seed of the shuffling before the split.

    Returns:
        `((x_train, y_train), (x_test, y_test))`: attributes `(count, 8)`, prices in dollars `(count,)`.

    Raises:
        ArgumentError: If version is unknown.
    """
    one_of("california_housing.load_data", "version", version, ("small", "large"))
    arrays = load_arrays(
        path,
        STORAGE + "california_housing.npz",
        "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
        ("x", "y"),
    )
    if version == "small":
        arrays = {name: array[:600] for name, array in arrays.items()}
    return split_housing(arrays, test_split, seed)
