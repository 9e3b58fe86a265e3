"""CIFAR-100: 60,000 pictures of 32 x 32 pixels in 100 classes (A. Krizhevsky, 2009).

The binary version is downloaded; the Python one, which Keras reads, is a pickle that could run anything.
"""

from __future__ import annotations

import numpy as np

from hornbill.datasets.reading import load_cifar
from hornbill.engine.errors import one_of

__all__ = ["load_data"]

_Pair = tuple[np.ndarray, np.ndarray]


def load_data(label_mode: str = "fine") -> tuple[_Pair, _Pair]:
    """Returns CIFAR-100, downloading it at the first call.

    Args:
        label_mode: "fine" for the 100 classes, "coarse" for the 20 groups of them.

    Returns:
        `((x_train, y_train), (x_test, y_test))`: pictures uint8 `(50000, 32, 32, 3)` and `(10000, 32, 32, 3)`
        (channels first if that is the default data format), labels uint8 `(count, 1)`.

    Raises:
        ArgumentError: If label_mode is unknown.
    """
    one_of("cifar100.load_data", "label_mode", label_mode, ("fine", "coarse"))
    return load_cifar(
        "cifar-100-binary",
        "03b5dce01913d631647c71ecec9e9cb8",
        "cifar-100-binary",
        ["train.bin"],
        ["test.bin"],
        labels=2,
        label=1 if label_mode == "fine" else 0,
    )
