"""Random tensors: the same numbers as real Keras for a whole-number seed, and the rules of seeds."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from hornbill import random
from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.engine.random import set_random_seed
from hornbill.engine.symbolic import KerasTensor

LOGITS = np.log(np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]], "float32"))
CALLS = [
    ("uniform", ((3, 4), -1.0, 2.0), {}),
    ("normal", ((3, 4), 1.0, 2.0), {}),
    ("truncated_normal", ((3, 4), 1.0, 2.0), {}),
    ("randint", ((9,), 0, 10), {}),
    ("gamma", ((4,), 2.0), {}),
    ("beta", ((4,), 2.0, 3.0), {}),
    ("binomial", ((4,), 10, 0.3), {}),
    ("categorical", (LOGITS, 5), {}),
    ("dropout", (np.ones((3, 4), "float32"), 0.4), {}),
    ("dropout", (np.ones((3, 4), "float32"), 0.4), {"noise_shape": (None, 1)}),
    ("shuffle", (np.arange(7),), {}),
    ("shuffle", (np.arange(12).reshape(3, 4),), {"axis": 1}),
]


@pytest.mark.parametrize(("name", "arguments", "keywords"), CALLS)
def test_the_numbers_of_keras(name, arguments, keywords):
    ours = getattr(random, name)(*arguments, seed=5, **keywords)
    theirs = getattr(keras.random, name)(*arguments, seed=5, **keywords)
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_seeds():
    assert np.array_equal(random.normal((3,), seed=1), random.normal((3,), seed=1))
    assert not np.array_equal(random.normal((3,)), random.normal((3,)))
    first, second = random.SeedGenerator(7), random.SeedGenerator(7)
    drawn = [random.uniform((3,), seed=first), random.uniform((3,), seed=first)]
    assert not np.array_equal(*drawn)
    assert np.array_equal(drawn[0], random.uniform((3,), seed=second))
    set_random_seed(3)
    once = random.normal((3,))
    set_random_seed(3)
    assert np.array_equal(once, random.normal((3,)))


def test_dropout_ends():
    ones = np.ones((2, 3), "float32")
    assert random.dropout(ones, 0.0).sum() == 6
    assert random.dropout(ones, 1.0).sum() == 0
    assert random.dropout(KerasTensor((None, 3)), 0.5).shape == (None, 3)
    assert random.shuffle(KerasTensor((None, 3))).shape == (None, 3)
    assert random.categorical(KerasTensor((None, 3)), 4).shape == (None, 4)


ERRORS = [
    (lambda: random.uniform((2,), dtype="int32"), ArgumentError, "randint"),
    (lambda: random.randint((2,), 0, 5, dtype="float32"), ArgumentError, "whole numbers"),
    (lambda: random.uniform((2,), seed="a"), ArgumentError, "seed"),
    (lambda: random.dropout(np.ones(3, "float32"), -0.5), ArgumentError, "between 0 and 1"),
    (lambda: random.dropout(np.ones(3, "float32"), 0.5, (1, 1)), ShapeError, "noise_shape"),
    (lambda: random.categorical(np.zeros(3, "float32"), 2), ShapeError, "(batch, classes)"),
]


@pytest.mark.parametrize(("call", "error", "words"), ERRORS)
def test_errors(call, error, words):
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)
