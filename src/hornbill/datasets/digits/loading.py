"""Reads the digits that come with Hornbill.

The test set of E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
Repository (1998), https://doi.org/10.24432/C50P49, licensed CC BY 4.0; see NOTICE in this folder.
"""

from __future__ import annotations

import importlib.resources
import io

import numpy as np

from hornbill.engine.errors import ArgumentError

__all__ = ["load_data"]

_Pair = tuple[np.ndarray, np.ndarray]


def load_data(test_fraction: float = 0.2) -> tuple[_Pair, _Pair]:
    """Returns the digits, split into training and test set in the same way each time.

    Args:
        test_fraction: Share of the pictures in the test set, from 0 to 1.

    Returns:
        `((x_train, y_train), (x_test, y_test))`. Pictures are uint8 from 0 (white) to 16 (black), `(count, 8,
        8)`; labels are uint8 from 0 to 9, `(count,)`.

    Raises:
        ArgumentError: If `test_fraction` does not lie between 0 and 1.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()
        >>> x_train.shape, y_test.shape
        ((1438, 8, 8), (359,))
    """
    if not 0 <= test_fraction <= 1:
        raise ArgumentError("digits: test_fraction lies between 0 and 1.", got=f"{test_fraction!r}.")
    content = importlib.resources.files("hornbill.datasets.digits").joinpath("digits.npz").read_bytes()
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        x, y = file["x"], file["y"]
    order = np.random.Generator(np.random.Philox(key=0)).permutation(len(x))
    x, y = x[order], y[order]
    split = len(x) - round(test_fraction * len(x))
    return (x[:split], y[:split]), (x[split:], y[split:])
