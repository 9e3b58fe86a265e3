"""Regularizers against Keras, under jit, and their names and configurations."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from hornbill import regularizers

X = np.array([[1.0, -2, 3], [0, 4, -5], [2, 2, 0.5]], "float32")
CASES = [
    ("L1", (0.1,)),
    ("L2", (0.1,)),
    ("L1L2", (0.1, 0.2)),
    ("L1L2", ()),
    ("l1_l2", (0.0, 0.2)),
    ("OrthogonalRegularizer", (0.1,)),
]


def test_every_public_name():
    for name in dir(keras.regularizers):
        if not name.startswith("_"):
            assert hasattr(regularizers, name), name


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_same_as_keras(name, arguments):
    ours = getattr(regularizers, name)(*arguments)
    theirs = getattr(keras.regularizers, name)(*arguments)
    expected = np.asarray(theirs(X))
    np.testing.assert_allclose(ours(X), expected, rtol=1e-6)
    np.testing.assert_allclose(jax.jit(ours)(X), expected, rtol=1e-6)
    assert jax.grad(ours)(X).shape == X.shape
    data, expected_data = regularizers.serialize(ours), keras.regularizers.serialize(theirs)
    assert data["config"] == pytest.approx(expected_data.pop("config"))
    assert {key: data[key] for key in expected_data} == expected_data
    again = regularizers.deserialize(data)
    assert again.get_config() == ours.get_config()
    np.testing.assert_allclose(regularizers.get(data)(X), expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["l1", "L1", "l2", "L2", "l1_l2", "l1l2", "L1L2", "OrthogonalRegularizer"])
def test_get_by_name(name):
    assert isinstance(regularizers.get(name), regularizers.Regularizer)
    if name != "l1_l2":  # Keras documents it but refuses it
        assert regularizers.get(name).get_config() == pytest.approx(keras.regularizers.get(name).get_config())


def test_get_other_things():
    assert regularizers.get(None) is None
    assert regularizers.get(abs) is abs
    assert regularizers.get({"class_name": "L2", "config": {"l2": 0.5}}).l2 == 0.5
    assert regularizers.deserialize("l2").l2 == 0.01
    with pytest.raises(ValueError):
        regularizers.get(3)
    with pytest.raises(ValueError, match="Did you mean"):
        regularizers.get("orthogonal_regulariser")


@pytest.mark.parametrize("value", ["a", -1.0, float("nan"), float("inf")])
def test_wrong_factor(value):
    with pytest.raises(ValueError, match="l1"):
        regularizers.L1(value)


def test_orthogonal_columns():
    columns = X / np.linalg.norm(X, axis=0)
    cosines = np.abs(columns.T @ columns)
    mean = (cosines.sum() - 3) / 6
    assert float(regularizers.OrthogonalRegularizer(0.1, "columns")(X)) == pytest.approx(0.1 * mean, rel=1e-5)
    assert regularizers.OrthogonalRegularizer(0.1, "columns")(X[:2]).shape == ()


def test_wrong_orthogonal():
    with pytest.raises(ValueError, match="mode"):
        regularizers.OrthogonalRegularizer(mode="diagonals")
    with pytest.raises(ValueError, match="two dimensions"):
        regularizers.OrthogonalRegularizer()(np.ones(3))


def test_sixteen_bits_do_not_overflow():
    large = jnp.full((100, 100), 100.0, "float16")
    assert float(regularizers.L2(1.0)(large)) == pytest.approx(1e8)


def test_own_regularizer():
    class Largest(regularizers.Regularizer):
        def __init__(self, factor):
            self.factor = factor

        def __call__(self, x):
            return self.factor * jnp.max(x)

    assert Largest(2.0).get_config() == {"factor": 2.0}
    assert float(regularizers.Regularizer()(X)) == 0.0
