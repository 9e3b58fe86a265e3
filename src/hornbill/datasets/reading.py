"""Shared by the loaders of downloaded data sets: arrays from `.npz`, CIFAR's binary files, word sequences."""

from __future__ import annotations

import json
import os
import pathlib
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbill.datasets.inert import read_integer_lists
from hornbill.engine.errors import ArgumentError, FileError
from hornbill.engine.settings import image_data_format
from hornbill.utils.files import get_file

__all__ = ["STORAGE", "load_arrays", "load_cifar", "load_word_index", "load_word_lists", "split_housing"]

STORAGE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_Pair = tuple[np.ndarray, np.ndarray]


def find_file(path: str, origin: str, file_hash: str) -> str:
    """Returns an absolute path as it is, and any other in the cache, downloaded if need be."""
    if os.path.isabs(path):  # noqa: PTH117
        return path
    return get_file(path, origin=origin, file_hash=file_hash)


def load_arrays(path: str, origin: str, file_hash: str, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Returns arrays of an `.npz` file by name; arrays of Python objects are refused."""
    with np.load(find_file(path, origin, file_hash), allow_pickle=False) as file:
        missing = [name for name in names if name not in file]
        if missing:
            raise FileError(f"{path} has no array {missing[0]!r}.", got=f"{', '.join(file.files)}.")
        return {name: file[name] for name in names}


def split_housing(arrays: dict[str, np.ndarray], test_split: float, seed: int) -> tuple[_Pair, _Pair]:
    """Shuffles samples and splits them."""
    if not 0 <= test_split < 1:
        raise ArgumentError("test_split lies from 0 to below 1.", got=f"test_split={test_split!r}.")
    order = np.arange(len(arrays["x"]))
    np.random.RandomState(seed).shuffle(order)  # the order that Keras' users know
    x, y = arrays["x"][order], arrays["y"][order]
    split = int(len(x) * (1 - test_split))
    return (x[:split], y[:split]), (x[split:], y[split:])


def load_cifar(
    archive: str,
    md5: str,
    folder: str,
    train_files: list[str],
    test_files: list[str],
    labels: int,
    label: int,
) -> tuple[_Pair, _Pair]:
    """Returns the pictures and one of the labels of CIFAR's binary files."""
    unpacked = get_file(
        archive,
        origin=f"https://www.cs.toronto.edu/~kriz/{archive}.tar.gz",
        file_hash=md5,
        hash_algorithm="md5",
        extract=True,
    )
    root = pathlib.Path(unpacked) / folder
    train, test = (
        read_cifar([root / name for name in names], labels, label) for names in (train_files, test_files)
    )
    return train, test


def read_cifar(paths: list[pathlib.Path], labels: int, label: int) -> _Pair:
    """Reads records of `labels` bytes and 3 x 32 x 32 of a picture; returns pictures and label `label`."""
    size = labels + 3 * 32 * 32
    data = np.concatenate([np.fromfile(path, dtype="uint8") for path in paths])
    if len(data) % size:
        raise FileError(f"{paths[0].name} is no CIFAR file: its length is not a multiple of {size}.")
    records = data.reshape(-1, size)
    x = records[:, labels:].reshape(-1, 3, 32, 32)
    if image_data_format() == "channels_last":
        x = x.transpose(0, 2, 3, 1)
    return np.ascontiguousarray(x), records[:, label : label + 1].copy()


def load_word_index(path: str, origin: str, file_hash: str) -> dict[str, int]:
    """Returns the numbers of words from a JSON file."""
    content = pathlib.Path(find_file(path, origin, file_hash)).read_text(encoding="utf-8")
    return json.loads(content)


def load_word_lists(path: str, origin: str, file_hash: str, name: str) -> list[list[int]]:
    """Returns the lists of word numbers that an `.npz` file stores as Python objects, running none of it."""
    with zipfile.ZipFile(find_file(path, origin, file_hash)) as file:
        return read_integer_lists(file.read(f"{name}.npy"))


def load_labels(path: str, origin: str, file_hash: str, name: str) -> np.ndarray:
    """Returns one plain array of an `.npz` file."""
    return load_arrays(path, origin, file_hash, (name,))[name]


def prepare_words(
    sequences: list[list[int]], labels: np.ndarray, *, num_words: int | None, skip_top: int,
    maxlen: int | None, start_char: int | None, oov_char: int | None, index_from: int | None,
) -> tuple[list[list[int]], np.ndarray]:  # fmt: skip
    """Marks the start, shifts word numbers, drops long sequences, replaces rare and frequent words."""
    shift = index_from or 0
    start = [] if start_char is None else [start_char]
    shifted = [start + [word + shift for word in sequence] for sequence in sequences]
    if maxlen:
        kept = [i for i, sequence in enumerate(shifted) if len(sequence) < maxlen]
        shifted, labels = [shifted[i] for i in kept], labels[kept]
        if not shifted:
            raise ArgumentError(f"maxlen={maxlen} leaves no sequence.", fixes="Increase maxlen.")
    limit: Any = num_words or max((max(sequence, default=0) for sequence in shifted), default=0) + 1
    if oov_char is None:
        return [[word for word in sequence if skip_top <= word < limit] for sequence in shifted], labels
    return [
        [word if skip_top <= word < limit else oov_char for word in sequence] for sequence in shifted
    ], labels
