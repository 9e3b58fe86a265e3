"""MNIST: 70,000 handwritten digits of 28 x 28 pixels (Y. LeCun, C. Cortes, C. Burges; CC BY-SA 3.0)."""

from __future__ import annotations

import numpy as np

from hornbill.datasets.reading import STORAGE, load_arrays

__all__ = ["load_data"]

_Pair = tuple[np.ndarray, np.ndarray]


def load_data(path: str = "mnist.npz") -> tuple[_Pair, _Pair]:
    """Returns MNIST, downloading it at the first call.

    Args:
        path: Name of the file in the cache folder for data sets, or an absolute path.

    Returns:
        `((x_train, y_train), (x_test, y_test))`: pictures uint8 `(60000, 28, 28)` and `(10000, 28, 28)`,
        labels uint8 from 0 to 9.
    """
    arrays = load_arrays(
        path,
        STORAGE + "mnist.npz",
        "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
        ("x_train", "y_train", "x_test", "y_test"),
    )
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
