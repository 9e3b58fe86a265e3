"""CIFAR-10: 60,000 pictures of 32 x 32 pixels in 10 classes (A. Krizhevsky, 2009).

The binary version is downloaded; the Python one, which Keras reads, is a pickle that could run anything.
"""

from __future__ import annotations

import numpy as np

from hornbill.datasets.reading import load_cifar

__all__ = ["load_data"]

_Pair = tuple[np.ndarray, np.ndarray]


def load_data() -> tuple[_Pair, _Pair]:
    """Returns CIFAR-10, downloading it at the first call.

    Returns:
        `((x_train, y_train), (x_test, y_test))`: pictures uint8 `(50000, 32, 32, 3)` and `(10000, 32, 32, 3)`
        (channels first if that is the default data format), labels uint8 from 0 to 9, `(count, 1)`.
    """
    return load_cifar(
        "cifar-10-binary",
        "c32a1d4ab5d03f1284b67883e8d87530",
        "cifar-10-batches-bin",
        [f"data_batch_{number}.bin" for number in range(1, 6)],
        ["test_batch.bin"],
        labels=1,
        label=0,
    )
