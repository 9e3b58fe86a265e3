"""Boston housing prices: 506 districts, 13 attributes (StatLib).

One of the attributes, B, was made on a racist assumption; use the data to discuss that, or
`california_housing`.
"""

from __future__ import annotations

import numpy as np

from hornbill.datasets.reading import STORAGE, load_arrays, split_housing

__all__ = ["load_data"]

_Pair = tuple[np.ndarray, np.ndarray]


def load_data(
    path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113
) -> tuple[_Pair, _Pair]:
    """Returns the Boston housing prices, downloading them at the first call.

    Args:
        path: Name of the file in the cache folder for data sets, or an absolute path.
        test_split: Share of the samples in the test set.
        seed: Seed of the shuffling before the split.

    Returns:
        `((x_train, y_train), (x_test, y_test))`: attributes `(count, 13)`, prices in thousands of dollars
        `(count,)`.
    """
    arrays = load_arrays(
        path,
        STORAGE + "boston_housing.npz",
        "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
        ("x", "y"),
    )
    return split_housing(arrays, test_split, seed)
