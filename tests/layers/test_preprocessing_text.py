"""Lookups, hashes and texts against the values in Keras' documentation (its own layers need TensorFlow to run)."""

from __future__ import annotations

import jax
import numpy as np
import pytest

import hornbill
from hornbill.engine.errors import ArgumentError, ArgumentTypeError, FileError, NotBuiltError
from hornbill.layers import preprocessing as own

LETTERS = [["A"], ["B"], ["C"], ["D"], ["E"]]


@pytest.mark.parametrize(
    ("arguments", "inputs", "wanted"),
    [
        ({}, LETTERS, [1, 0, 1, 1, 2]),
        ({"mask_value": ""}, [["A"], ["B"], [""], ["C"], ["D"]], [1, 1, 0, 2, 2]),
        ({"salt": [133, 137]}, LETTERS, [1, 2, 1, 0, 2]),
        ({"salt": 133}, LETTERS, [0, 0, 2, 1, 0]),
    ],
)
def test_hashing(arguments, inputs, wanted):
    assert np.ravel(own.Hashing(3, **arguments)(inputs)).tolist() == wanted


def test_hashing_inside_compiled_calls():
    layer = own.Hashing(4)
    np.testing.assert_array_equal(jax.jit(layer)(np.arange(5)), layer(np.arange(5)))
    assert layer(hornbill.KerasTensor((None, 3), "int32")).shape == (None, 3)


def test_hashed_crossing():
    features = [np.array(["A", "B", "A", "B", "A"]), np.array([101, 101, 101, 102, 102])]
    assert own.HashedCrossing(5)(features).tolist() == [1, 4, 1, 1, 3]
    assert own.HashedCrossing(5, output_mode="one_hot")(features).shape == (5, 5)


def test_string_lookup():
    words = ["a", "b", "c", "d"]
    data = [["a", "c", "d"], ["m", "z", "b"]]
    assert own.StringLookup(vocabulary=words)(data).tolist() == [[1, 3, 4], [0, 0, 2]]
    assert own.StringLookup(vocabulary=words, num_oov_indices=2)(data).tolist() == [[2, 4, 5], [0, 1, 3]]
    counts = own.StringLookup(vocabulary=words, output_mode="count")(
        [["a", "c", "d", "d"], ["d", "z", "b", "z"]]
    )
    assert counts.tolist() == [[0, 1, 0, 1, 2], [2, 0, 1, 0, 1]]
    weighted = own.StringLookup(vocabulary=words, idf_weights=[0.25, 0.75, 0.6, 0.4], output_mode="tf_idf")
    np.testing.assert_allclose(
        weighted([["a", "c", "d", "d"], ["d", "z", "b", "z"]]), [[0, 0.25, 0, 0.6, 0.8], [1, 0, 0.75, 0, 0.4]]
    )
    back = own.StringLookup(vocabulary=words, invert=True)
    assert back([[1, 3], [0, 2]]).tolist() == [["a", "c"], ["[UNK]", "b"]]


def test_string_lookup_learns_the_most_frequent_first():
    layer = own.StringLookup()
    layer.adapt([["a", "c", "d"], ["d", "z", "b"]])
    assert layer.get_vocabulary() == ["[UNK]", "d", "z", "c", "b", "a"]
    small = own.StringLookup(max_tokens=3)
    small.adapt(np.array(["a", "b", "b", "c"]))
    assert small.get_vocabulary() == ["[UNK]", "b", "c"]


def test_integer_lookup():
    words = [12, 36, 1138, 42]
    assert own.IntegerLookup(vocabulary=words)(np.array([[12, 1138, 42], [42, 1000, 36]])).tolist() == [
        [1, 3, 4],
        [4, 0, 2],
    ]
    two = own.IntegerLookup(vocabulary=words, num_oov_indices=2)
    assert two(np.array([[12, 1138, 42], [37, 1000, 36]])).tolist() == [[2, 4, 5], [1, 0, 3]]
    again = own.IntegerLookup.from_config(two.get_config())
    assert again.get_vocabulary() == [-1, -1, *words]


def test_text_vectorization():
    layer = own.TextVectorization(
        max_tokens=5000, output_sequence_length=4, vocabulary=["earth", "wind", "and", "fire"]
    )
    assert layer([["earth, wind and fire!"], ["fire FISH"]]).tolist() == [[2, 3, 4, 5], [5, 1, 0, 0]]
    layer = own.TextVectorization()
    layer.adapt(["foo bar", "bar baz", "baz bada boom"])
    assert layer.get_vocabulary() == ["", "[UNK]", "baz", "bar", "foo", "boom", "bada"]
    pairs = own.TextVectorization(vocabulary=["a", "b", "a b"], ngrams=2, output_mode="count")
    assert pairs(["A b!", "c"]).tolist() == [[0, 1, 1, 1], [1, 0, 0, 0]]
    again = own.TextVectorization.from_config(pairs.get_config())
    assert again.get_vocabulary() == pairs.get_vocabulary()


def test_vocabulary_files(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("a\nb\n")
    layer = own.StringLookup(vocabulary=str(path))
    assert layer.get_vocabulary() == ["[UNK]", "a", "b"]
    assert layer.get_config()["vocabulary"] == ["a", "b"]
    learned = own.StringLookup()
    learned.adapt(["x", "x", "y"])
    learned.save_assets(tmp_path)
    fresh = own.StringLookup()
    fresh.load_assets(tmp_path)
    assert fresh.get_vocabulary() == learned.get_vocabulary()


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: own.StringLookup()(["a"]), NotBuiltError, "no vocabulary yet"),
        (lambda: own.StringLookup(vocabulary=["a", "a"]), ArgumentError, "once"),
        (lambda: own.StringLookup.from_config({"vocabulary": "/etc/passwd"}), FileError, "never read"),
        (lambda: own.TextVectorization.from_config({"vocabulary": "words.txt"}), FileError, "never read"),
        (
            lambda: own.StringLookup(num_oov_indices=0, vocabulary=["a"])(["b"]),
            ArgumentError,
            "num_oov_indices=1",
        ),
        (lambda: own.IntegerLookup(vocabulary=[1])(["b"]), ArgumentError, "whole numbers"),
        (lambda: own.TextVectorization(split="white"), ArgumentError, "Did you mean 'whitespace'"),
        (
            lambda: own.TextVectorization(vocabulary=["a"])(hornbill.KerasTensor((None,), "string")),
            ArgumentTypeError,
            "strings",
        ),
        (lambda: own.Hashing(0), ArgumentError, "num_bins"),
    ],
)
def test_errors(make, error, text):
    with pytest.raises(error, match=text):
        make()
