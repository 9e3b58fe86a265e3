"""Reuters: 11,228 news items as lists of word numbers, in 46 topics (Reuters-21578, D. Lewis).

Word numbers follow frequency: 1 is the most frequent word, before `index_from` is added.
"""

from __future__ import annotations

import numpy as np

from hornbill.datasets.imdb import as_objects
from hornbill.datasets.reading import STORAGE, load_labels, load_word_index, load_word_lists, prepare_words
from hornbill.engine.errors import ArgumentError

__all__ = ["get_label_names", "get_word_index", "load_data"]

_SOURCE = (STORAGE + "reuters.npz", "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916")
_TOPICS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship "
    "cotton carcass crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin "
    "strategic-metal livestock retail ipi iron-steel rubber heat jobs lei bop zinc orange pet-chem "
    "dlr gas silver wpi hog lead"
)


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Returns the news items, downloading them at the first call.

    Args:
        path: Name of the file in the cache folder for data sets, or an absolute path.
        num_words: Word numbers from this on are replaced by `oov_char`; None keeps all.
        skip_top: Word numbers below this are replaced as well.
        maxlen: Items of this length and longer are left out.
        test_split: Share of the items in the test set.
        seed: Seed of the shuffling.
        start_char: Number put before each item; None for none.
        oov_char: Number that replaces words; None leaves them out.
        index_from: Number added to all word numbers.

    Returns:
        `((x_train, y_train), (x_test, y_test))`: arrays of lists of numbers, and topics from 0 to 45.

    Raises:
        FileError: If the file holds anything but lists of numbers.
    """
    if not 0 <= test_split < 1:
        raise ArgumentError("test_split lies from 0 to below 1.", got=f"test_split={test_split!r}.")
    sequences = load_word_lists(path, *_SOURCE, "x")
    labels = load_labels(path, *_SOURCE, "y")
    order = np.arange(len(sequences))
    np.random.RandomState(seed).shuffle(order)  # the order that Keras' users know
    words, labels = prepare_words(
        [sequences[i] for i in order],
        labels[order],
        num_words=num_words,
        skip_top=skip_top,
        maxlen=maxlen,
        start_char=start_char,
        oov_char=oov_char,
        index_from=index_from,
    )
    split = int(len(words) * (1 - test_split))
    return (as_objects(words[:split]), labels[:split]), (as_objects(words[split:]), labels[split:])


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """Returns the number of each word, without `index_from`.

    Args:
        path: Name of the file in the cache folder for data sets, or an absolute path.
    """
    return load_word_index(path, STORAGE + "reuters_word_index.json", "4d44cc38712099c9e383dc6e5f11a921")


def get_label_names() -> tuple[str, ...]:
    """Returns the names of the 46 topics in the order of their numbers."""
    return tuple(_TOPICS.split())
