"""Reads the photograph of 24 Greek coins that comes with Hornbill, and cuts pieces out of it.

The photograph belongs to the Brooklyn Museum ("no known copyright restrictions"); the mask was made by a
watershed, not by hand. See NOTICE in this folder.
"""

from __future__ import annotations

import importlib.resources
import io

import numpy as np

from hornbill.engine.errors import ArgumentError

__all__ = ["load_data", "photograph"]

_Pair = tuple[np.ndarray, np.ndarray]
_SIZE = 96


def photograph() -> _Pair:
    """Returns the whole photograph and its mask.

    Returns:
        `(image, mask)`, both uint8 `(303, 384)`. Grey values go from 0 (black) to 255 (white); the mask is 1
        on a coin.

    Example:
        >>> image, mask = photograph()
        >>> image.shape, int(mask.max())
        ((303, 384), 1)
    """
    content = importlib.resources.files("hornbill.datasets.coins").joinpath("coins.npz").read_bytes()
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        image, packed = file["image"], file["mask"]
    return image, np.unpackbits(packed, axis=1)[:, : image.shape[1]]


def load_data(count: int = 160, seed: int = 0) -> tuple[_Pair, _Pair]:
    """Returns pieces of the photograph with their masks, split into training and test set.

    The lowest 96 rows of the photograph, with its last row of coins, are cut into the four test pieces. The
    training pieces come from random places of the part above, mirrored and turned at random. No pixel is in
    both.

    Args:
        count: Number of training pieces.
        seed: Says which places are drawn.

    Returns:
        `((x_train, y_train), (x_test, y_test))`, each uint8 `(pieces, 96, 96, 1)`: grey values from 0 to 255,
        and masks of 0 and 1.

    Raises:
        ArgumentError: If `count` is less than one.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()
        >>> x_train.shape, y_test.shape
        ((160, 96, 96, 1), (4, 96, 96, 1))
    """
    if count < 1:
        raise ArgumentError("coins: count is the number of training pieces, at least 1.", got=f"{count!r}.")
    both = np.stack(photograph(), axis=-1)  # (303, 384, 2)
    upper, lower = both[:-_SIZE], both[-_SIZE:]
    draw = np.random.Generator(np.random.Philox(key=seed))
    pieces = []
    for _ in range(count):
        top = draw.integers(upper.shape[0] - _SIZE + 1)
        left = draw.integers(upper.shape[1] - _SIZE + 1)
        piece = np.rot90(upper[top : top + _SIZE, left : left + _SIZE], int(draw.integers(4)))
        pieces.append(piece[:, ::-1] if draw.integers(2) else piece)
    train = np.stack(pieces)  # (count, 96, 96, 2)
    test = np.stack(np.split(lower, lower.shape[1] // _SIZE, axis=1))  # (4, 96, 96, 2)
    return (train[..., :1], train[..., 1:]), (test[..., :1], test[..., 1:])
