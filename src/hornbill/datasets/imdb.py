"""IMDB: 50,000 film reviews as lists of word numbers, with whether they praise (A. Maas and others, 2011).

Word numbers follow frequency: 1 is the most frequent word, before `index_from` is added.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbill.datasets.reading import STORAGE, load_labels, load_word_index, load_word_lists, prepare_words
from hornbill.engine.errors import ArgumentTypeError

__all__ = ["get_word_index", "load_data"]

_SOURCE = (STORAGE + "imdb.npz", "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f")


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    **kwargs: Any,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Returns the reviews, downloading them at the first call.

    Args:
        path: Name of the file in the cache folder for data sets, or an absolute path.
        num_words: Word numbers from this on are replaced by `oov_char`; None keeps all.
        skip_top: Word numbers below this are replaced as well.
        maxlen: Reviews of this length and longer are left out.
        seed: Seed of the shuffling.
        start_char: Number put before each review; None for none.
        oov_char: Number that replaces words; None leaves them out.
        index_from: Number added to all word numbers.
        **kwargs: `nb_words`, the old spelling of `num_words`.

    Returns:
        `((x_train, y_train), (x_test, y_test))`: arrays of lists of numbers, and labels 0 or 1.

    Raises:
        FileError: If the file holds anything but lists of numbers.
    """
    if "nb_words" in kwargs:
        num_words = kwargs.pop("nb_words")
    if kwargs:
        raise ArgumentTypeError(f"imdb.load_data has no argument {min(kwargs)!r}.")
    rng = np.random.RandomState(seed)  # the order that Keras' users know
    parts = []
    for part in ("train", "test"):
        sequences = load_word_lists(path, *_SOURCE, f"x_{part}")
        labels = load_labels(path, *_SOURCE, f"y_{part}")
        order = np.arange(len(sequences))
        rng.shuffle(order)
        parts.append(([sequences[i] for i in order], labels[order]))
    count = len(parts[0][0])
    words, labels = prepare_words(
        parts[0][0] + parts[1][0],
        np.concatenate([parts[0][1], parts[1][1]]),
        num_words=num_words,
        skip_top=skip_top,
        maxlen=None,
        start_char=start_char,
        oov_char=oov_char,
        index_from=index_from,
    )
    halves = [(words[:count], labels[:count]), (words[count:], labels[count:])]
    if maxlen:
        halves = [
            (
                [row for row in rows if len(row) < maxlen],
                np.array([goal for row, goal in zip(rows, goals, strict=True) if len(row) < maxlen]),
            )
            for rows, goals in halves
        ]
    train, test = ((as_objects(rows), goals) for rows, goals in halves)
    return train, test


def as_objects(rows: list[list[int]]) -> np.ndarray:
    """Returns lists as a one-dimensional array of objects."""
    result = np.empty(len(rows), dtype=object)
    result[:] = rows
    return result


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """Returns the number of each word, without `index_from`.

    Args:
        path: Name of the file in the cache folder for data sets, or an absolute path.
    """
    return load_word_index(path, STORAGE + "imdb_word_index.json", "bfafd718b763782e994055a2d397834f")
