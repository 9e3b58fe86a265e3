"""Fashion-MNIST: 70,000 pictures of clothes of 28 x 28 pixels in 10 classes (Zalando SE, MIT license)."""

from __future__ import annotations

import gzip
import pathlib

import numpy as np

from hornbill.datasets.reading import STORAGE
from hornbill.engine.errors import FileError
from hornbill.utils.files import get_file

__all__ = ["load_data"]

_Pair = tuple[np.ndarray, np.ndarray]


def load_data() -> tuple[_Pair, _Pair]:
    """Returns Fashion-MNIST, downloading it at the first call.

    Returns:
        `((x_train, y_train), (x_test, y_test))`: pictures uint8 `(60000, 28, 28)` and `(10000, 28, 28)`,
        labels uint8 from 0 (T-shirt) to 9 (ankle boot).
    """
    train = (
        _read("train-images-idx3-ubyte.gz", (60000, 28, 28)),
        _read("train-labels-idx1-ubyte.gz", (60000,)),
    )
    test = _read("t10k-images-idx3-ubyte.gz", (10000, 28, 28)), _read("t10k-labels-idx1-ubyte.gz", (10000,))
    return train, test


def _read(name: str, shape: tuple[int, ...]) -> np.ndarray:
    path = get_file(name, origin=STORAGE + name, cache_subdir="datasets/fashion-mnist")
    return read_idx(pathlib.Path(path), shape)


def read_idx(path: pathlib.Path, shape: tuple[int, ...]) -> np.ndarray:
    """Returns the uint8 array of a compressed IDX file, which must have the shape expected."""
    expected = bytes((0, 0, 8, len(shape))) + b"".join(size.to_bytes(4, "big") for size in shape)
    count = int(np.prod(shape))
    with gzip.open(path) as file:
        header, body = file.read(len(expected)), file.read(count + 1)
    if header != expected or len(body) != count:
        raise FileError(
            f"{path.name} is no IDX file of shape {shape}.", fixes=f"Delete {path} and load again."
        )
    return np.frombuffer(body, "uint8").reshape(shape).copy()
