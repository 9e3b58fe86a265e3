"""The digits, and the loaders of downloaded data sets on small files of the same form."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import zipfile

import numpy as np
import pytest

from hornbill.datasets import boston_housing, california_housing, digits, imdb, mnist, reuters
from hornbill.datasets.fashion_mnist import read_idx
from hornbill.datasets.inert import read_integer_lists
from hornbill.datasets.reading import read_cifar


def test_digits():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert (x_train.shape, x_test.shape) == ((1438, 8, 8), (359, 8, 8))
    assert x_train.dtype == y_train.dtype == np.uint8
    assert x_train.max() == 16
    assert set(y_test.tolist()) == set(range(10))
    counts = np.bincount(np.concatenate([y_train, y_test]))
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]  # as the repository states
    again = digits.load_data()
    assert np.array_equal(again[0][0], x_train)
    assert len(digits.load_data(0.5)[1][1]) == 898
    with pytest.raises(ValueError):
        digits.load_data(2)


def test_mnist_from_a_file(tmp_path):
    path = str(tmp_path / "mnist.npz")
    x, y = np.zeros((3, 28, 28), "uint8"), np.arange(3, dtype="uint8")
    np.savez(path, x_train=x, y_train=y, x_test=x[:1], y_test=y[:1])
    (x_train, y_train), (x_test, _) = mnist.load_data(path)
    assert (x_train.shape, y_train.tolist(), len(x_test)) == ((3, 28, 28), [0, 1, 2], 1)
    np.savez(path, x_train=np.array([[1], [2, 3]], dtype=object), y_train=y, x_test=x, y_test=y)
    with pytest.raises(ValueError):
        mnist.load_data(path)


def test_housing(tmp_path):
    path = str(tmp_path / "housing.npz")
    np.savez(path, x=np.arange(1000.0)[:, None], y=np.arange(1000.0))
    (x_train, y_train), (_, y_test) = boston_housing.load_data(path)
    assert (x_train[:, 0] == y_train).all()
    assert sorted(y_train.tolist() + y_test.tolist()) == list(range(1000))
    assert len(california_housing.load_data("small", path)[0][0]) == 480
    with pytest.raises(ValueError):
        california_housing.load_data("tiny", path)


def test_idx_and_cifar(tmp_path):
    path = tmp_path / "labels.gz"
    with gzip.open(path, "wb") as file:
        file.write(bytes((0, 0, 8, 1, 0, 0, 0, 3, 5, 6, 7)))
    assert read_idx(path, (3,)).tolist() == [5, 6, 7]
    with pytest.raises(ValueError):
        read_idx(path, (4,))
    record = np.concatenate([[7, 9], np.repeat([1, 2, 3], 1024)]).astype("uint8")
    record.tofile(tmp_path / "a.bin")
    x, y = read_cifar([tmp_path / "a.bin"], labels=2, label=1)
    assert (x.shape, x[0, 5, 6].tolist(), y.tolist()) == ((1, 32, 32, 3), [1, 2, 3], [[9]])
    with pytest.raises(ValueError):
        read_cifar([tmp_path / "a.bin"], labels=1, label=0)


def objects(rows):
    array = np.empty(len(rows), dtype=object)
    array[:] = rows
    return array


def npy(array, protocol):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
    pickle.dump(array, file, protocol=protocol)
    return file.getvalue()


ROWS = [[1, 300, 70000, 2**31 + 5], [], [7], list(range(3000))]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_lists_without_pickle(protocol):
    assert read_integer_lists(npy(objects(ROWS), protocol)) == ROWS


def test_lists_with_something_else():
    class Evil:
        def __reduce__(self):
            return os.system, ("false",)

    for rows in ([[1], Evil()], [[1], ["a"]], [[1], 2]):
        for protocol in (2, 4):
            with pytest.raises(ValueError):
                read_integer_lists(npy(objects(rows) if rows[1] != 2 else objects([[1], [1.5]]), protocol))
    with pytest.raises(ValueError):
        read_integer_lists(npy(objects(ROWS), 2)[:-40])


def words_file(path, **arrays):
    with zipfile.ZipFile(path, "w") as file:
        for name, array in arrays.items():
            if array.dtype == object:
                file.writestr(f"{name}.npy", npy(array, 3))
            else:
                buffer = io.BytesIO()
                np.save(buffer, array)
                file.writestr(f"{name}.npy", buffer.getvalue())
    return str(path)


def test_imdb(tmp_path):
    rows = [[n, n + 1, 50] for n in range(1, 11)]
    labels = np.arange(10)
    path = words_file(
        tmp_path / "i.npz", x_train=objects(rows), y_train=labels, x_test=objects(rows[:3]), y_test=labels[:3]
    )
    (x_train, y_train), (x_test, _) = imdb.load_data(path, num_words=20)
    assert (len(x_train), len(x_test), x_train.dtype) == (10, 3, object)
    for row, label in zip(x_train, y_train, strict=True):
        assert row == [1, label + 4, label + 5, 2]
    (x_train, _), _ = imdb.load_data(path, start_char=None, oov_char=None, index_from=None, skip_top=50)
    assert all(row == [50] for row in x_train)
    with pytest.raises(TypeError):
        imdb.load_data(path, words=3)


def test_reuters(tmp_path):
    rows = [[n] * n for n in range(1, 11)]
    path = words_file(tmp_path / "r.npz", x=objects(rows), y=np.arange(10))
    (x_train, y_train), (x_test, _) = reuters.load_data(path)
    assert (len(x_train), len(x_test)) == (8, 2)
    assert all(len(row) == label + 2 for row, label in zip(x_train, y_train, strict=True))
    (x_train, _), _ = reuters.load_data(path, maxlen=5, test_split=0.0)
    assert sorted(map(len, x_train)) == [2, 3, 4]
    assert len(reuters.get_label_names()) == 46
