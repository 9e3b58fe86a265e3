"""Arrays, frames, lists and their mistakes, as `make_batches` sees them."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from hornbill.engine.errors import ArgumentError, ArgumentTypeError, DataError, ShapeError
from hornbill.engine.random import set_random_seed
from hornbill.training.data import make_batches, pad_batch, split_validation, unpack_validation

X = np.arange(10, dtype="float64")[:, None]
Y = np.arange(10)[:, None]


def rows(batches, epoch=0, start=0):
    return [np.asarray(x).ravel().astype(int).tolist() for x, _, _ in batches.epoch(epoch, start)]


def test_batches_of_arrays():
    batches = make_batches(X, Y, batch_size=4)
    assert (batches.num_batches, batches.rows, batches.batch_size, batches.resident) == (3, 10, 4, True)
    x, y, weight = batches.spec
    assert (x.shape, x.dtype, y.shape, y.dtype, weight) == ((4, 1), np.float32, (4, 1), np.int32, None)
    assert rows(batches) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert rows(batches, start=2) == [[8, 9]]
    assert batches.order(0) is None


@pytest.mark.parametrize(
    ("given", "held"),
    [
        ("float64", "float32"),
        ("int64", "int32"),
        ("uint64", "uint32"),
        ("uint8", "uint8"),
        ("int8", "int8"),
        ("bool", "bool"),
        ("float16", "float16"),
        ("float32", "float32"),
        ("complex64", "complex64"),
    ],
)
def test_dtypes(given, held):
    batches = make_batches(np.ones((3, 2), given))
    assert batches.arrays[0].dtype == held == batches.spec[0].dtype


def test_integers_that_do_not_fit():
    with pytest.raises(DataError, match="do not fit int32"):
        make_batches(np.array([2**40]))


def test_shuffle_is_a_function_of_seed_and_epoch():
    first, again = (make_batches(X, batch_size=4, shuffle=True, seed=7) for _ in range(2))
    assert [first.order(e).tolist() for e in (3, 0)] == [again.order(e).tolist() for e in (3, 0)]
    assert first.order(0).tolist() != first.order(1).tolist()
    assert sorted(first.order(5)) == list(range(10))
    assert np.concatenate(rows(first, 2)).tolist() == first.order(2).tolist()
    other = make_batches(X, batch_size=4, shuffle=True, seed=8)
    other.restore(first.state())
    assert other.order(4).tolist() == first.order(4).tolist()


def test_seed_follows_set_random_seed():
    orders = []
    for _ in range(2):
        set_random_seed(3)
        orders.append(make_batches(X, shuffle=True).order(0).tolist())
    assert orders[0] == orders[1]


def test_shuffle_batch_keeps_batches_whole():
    got = rows(make_batches(X, batch_size=4, shuffle="batch", seed=1))
    assert sorted(got) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert got[-1] == [8, 9]


def test_steps_go_on_through_the_data_as_in_keras():
    batches = make_batches(X[:8], batch_size=2, steps=2)
    assert [rows(batches, epoch) for epoch in range(3)] == [
        [[0, 1], [2, 3]],
        [[4, 5], [6, 7]],
        [[0, 1], [2, 3]],
    ]
    short = make_batches(X, batch_size=4, steps=2)
    assert short.steps_in(1) == 1
    with pytest.warns(UserWarning, match="1 batches came, 2 were expected"):
        assert rows(short, 1) == [[8, 9]]
    with pytest.warns(UserWarning, match="3 batches came, 9 were expected"):
        assert len(rows(make_batches(X, batch_size=4, steps=9))) == 3


def test_pad_batch():
    batch, mask = pad_batch(({"a": np.array([1, 2])}, None, None), 4)
    assert batch[0]["a"].tolist() == [1, 2, 2, 2]
    assert mask.tolist() == [1, 1, 0, 0]
    full, mask = pad_batch((X, None, None), 10)
    assert mask is None
    assert full[0] is X


def test_structures():
    batches = make_batches({"b": X, "a": [X, (X,)]}, [Y, None], batch_size=5)
    x, y, _ = next(iter(batches))
    assert set(x) == {"a", "b"}
    assert isinstance(x["a"], list)
    assert isinstance(x["a"][1], tuple)
    assert y[1] is None


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ([1, 2], (2,)),
        ([[1.0, 2], [3, 4]], (2, 2)),
        ((1, 2, 3), (3,)),
        (range(3), None),
        ([np.float32(1)], (1,)),
        (jnp.ones((2, 3)), (2, 3)),
        (pd.DataFrame({"a": [1, 2], "b": [0.5, 1]}), (2, 2)),
        (pd.Series([1, 2]), (2, 1)),
        (np.array([np.ones(2), np.zeros(2)], dtype=object), (2, 2)),
        (scipy.sparse.csr_matrix(np.eye(3)), (3, 3)),
        (pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}), (2, 1)),
    ],
)
def test_array_likes(value, shape):
    if shape is not None:
        assert next(iter(make_batches(value)))[0].shape == shape


def test_object_rows_of_equal_shape():
    held = np.empty(2, object)
    held[0], held[1] = np.ones((2, 2)), np.zeros((2, 2))
    assert make_batches(held).arrays[0].shape == (2, 2, 2)


def test_sparse_is_densified_batch_by_batch():
    batches = make_batches(scipy.sparse.csr_matrix(np.eye(5)), batch_size=2, shuffle=True, seed=0)
    assert not batches.resident
    got = np.concatenate([x for x, _, _ in batches])
    np.testing.assert_array_equal(got, np.eye(5)[batches.order(0)])


def test_h5_dataset_is_read_by_rows(tmp_path):
    import h5py

    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.arange(6)
        batches = make_batches(file["x"], batch_size=4, shuffle=True, seed=0)
        assert np.concatenate(rows(batches)).tolist() == batches.order(0).tolist()


def test_class_weight():
    labels = Y[:, 0] % 2
    expected = np.where(labels == 1, 2.0, 1.0)
    for y in (labels, labels[:, None], np.eye(2)[labels]):
        weight = make_batches(X, y, class_weight={0: 1.0, 1: 2.0}).arrays[2]
        np.testing.assert_array_equal(weight, expected)
    both = make_batches(X, labels, np.full(10, 3.0), class_weight={0: 1.0, 1: 2.0}).arrays[2]
    np.testing.assert_array_equal(both, 3 * expected)
    with pytest.warns(UserWarning, match="no weight for class 1"):
        assert make_batches(X, labels, class_weight={0: 4.0}).arrays[2].tolist()[:2] == [4.0, 1.0]
    with pytest.raises(ArgumentError, match="one output"):
        make_batches(X, [labels, labels], class_weight={0: 1.0})
    with pytest.raises(ArgumentTypeError, match="dict"):
        make_batches(X, labels, class_weight=[1.0, 2.0])
    with pytest.raises(ArgumentError, match="integer keys"):
        make_batches(X, labels, class_weight={"cat": 2.0})


@pytest.mark.parametrize(
    ("rows_given", "fraction"), [(10, 0.25), (7, 0.29), (100, 0.58), (60, 0.7), (1000, 0.001)]
)
def test_validation_split_border_as_keras_documents(rows_given, fraction):
    x = np.arange(rows_given)
    train, held = split_validation(x, x, None, fraction)
    border = {(10, 0.25): 7, (7, 0.29): 4, (100, 0.58): 42, (60, 0.7): 18, (1000, 0.001): 999}[
        rows_given, fraction
    ]
    assert train[0].tolist() == list(range(border))
    assert held[1].tolist() == list(range(border, rows_given))


def test_unpack_validation():
    assert unpack_validation((X, Y))[2] is None
    assert unpack_validation([X, Y])[1] is Y
    with pytest.raises(DataError, match="4 parts"):
        unpack_validation((X, Y, X, X))


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"x": None}, DataError, "None"),
        ({"x": X[:0], "y": Y[:0]}, DataError, "no rows"),
        ({"x": []}, DataError, "empty"),
        ({"x": {}}, DataError, "empty"),
        ({"x": X, "y": Y[:5]}, ShapeError, r"x has 10 rows.*y has 5 rows"),
        ({"x": X, "sample_weight": np.ones(4)}, ShapeError, "sample_weight needs 10 weights"),
        ({"x": list(X), "y": Y}, ShapeError, r"np\.stack"),
        ({"x": np.array(3.0)}, ShapeError, "first axis"),
        ({"x": "data.csv"}, DataError, "file"),
        ({"x": np.array(["a", "b"])}, DataError, "StringLookup"),
        ({"x": ["a", "b"]}, DataError, "StringLookup"),
        ({"x": np.array(["a", 1], dtype=object)}, DataError, "StringLookup"),
        ({"x": [None, X]}, DataError, r"x\[0\]"),
        ({"x": np.array([1, None])}, DataError, "None"),
        ({"x": [[1, 2], [3]]}, ShapeError, "one shape"),
        ({"x": pd.DataFrame({"a": [1], "city": ["Ulm"]})}, DataError, r"x\['city'\].*|Ulm"),
        ({"x": object()}, DataError, "object"),
        ({"x": np.array(["2020-01-01"], "datetime64[D]")}, DataError, "dates"),
        ({"x": X, "batch_size": 0}, ArgumentError, "batch_size"),
        ({"x": X, "batch_size": 2.5}, ArgumentError, "batch_size"),
        ({"x": X, "steps": 0}, ArgumentError, "steps_per_epoch"),
        ({"x": X, "shuffle": "foo"}, ArgumentError, "shuffle"),
    ],
)
def test_mistakes(arguments, error, text):
    with pytest.raises(error, match=f"(?s){text}"):
        make_batches(**arguments)


@pytest.mark.parametrize("fraction", [0.99, 1.5, -0.1, True])
def test_bad_split(fraction):
    with pytest.raises(ArgumentError, match="validation_split"):
        split_validation(X, Y, None, fraction)
