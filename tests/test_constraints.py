"""Constraints against Keras, under jit, and their names and configurations."""

from __future__ import annotations

import jax
import keras
import numpy as np
import pytest

from hornbill import constraints

W = np.random.default_rng(0).normal(size=(3, 4, 2)).astype("float32")
CASES = [
    ("MaxNorm", {"max_value": 1.0}),
    ("MaxNorm", {"max_value": 1.0, "axis": 1}),
    ("MaxNorm", {"max_value": 1, "axis": [0, 1]}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": [0, 1, 2]}),
    ("MinMaxNorm", {"min_value": 0.5, "max_value": 1.0, "rate": 0.5}),
    ("MinMaxNorm", {"min_value": 3.0, "max_value": 4.0, "axis": 1}),
    ("Constraint", {}),
]


def test_every_public_name():
    for name in dir(keras.constraints):
        if not name.startswith("_"):
            assert hasattr(constraints, name), name


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_same_as_keras(name, arguments):
    ours = getattr(constraints, name)(**arguments)
    theirs = getattr(keras.constraints, name)(**arguments)
    expected = np.asarray(theirs(W))
    np.testing.assert_allclose(ours(W), expected, rtol=2e-6)
    np.testing.assert_allclose(jax.jit(ours)(W), expected, rtol=2e-6)
    np.testing.assert_allclose(ours(np.zeros_like(W)), np.zeros_like(W))
    assert ours.get_config() == theirs.get_config()
    data = constraints.serialize(ours)
    assert data == keras.constraints.serialize(theirs)
    assert constraints.deserialize(data).get_config() == ours.get_config()


@pytest.mark.parametrize(
    "name",
    ["max_norm", "MaxNorm", "non_neg", "NonNeg", "unit_norm", "UnitNorm", "min_max_norm", "MinMaxNorm"],
)
def test_get_by_name(name):
    assert type(constraints.get(name)).__name__ == type(keras.constraints.get(name)).__name__


def test_get_other_things():
    assert constraints.get(None) is None
    assert constraints.get(abs) is abs
    assert isinstance(constraints.get(constraints.NonNeg), constraints.NonNeg)
    assert constraints.get({"class_name": "max_norm", "config": {"max_value": 3}}).max_value == 3
    with pytest.raises(ValueError, match="Did you mean"):
        constraints.get("nonneg")


@pytest.mark.parametrize(
    "make",
    [
        lambda: constraints.MaxNorm(-1),
        lambda: constraints.MinMaxNorm(2.0, 1.0),
        lambda: constraints.MinMaxNorm(rate=3.0),
    ],
)
def test_wrong_arguments(make):
    with pytest.raises(ValueError):
        make()
