"""Activations against real Keras: values, gradients, names and serialisation."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from hornbill import activations
from hornbill.engine.errors import ArgumentError
from hornbill.engine.symbolic import KerasTensor

X = np.array([-8, -3.0, -1.0, -0.5, 0.0, 0.2, 0.5, 1, 2.0, 3, 6, 7.0], "float32")
# Keras' sparsemax on JAX does not add up to 1; ours is compared with its definition in the tests of the ops.
NAMES = sorted(set(activations.__all__) - {"get", "serialize", "deserialize", "threshold", "sparsemax"})


def same_with_gradient(ours, theirs):
    x = jnp.asarray(X)
    np.testing.assert_allclose(ours(X), theirs(X), rtol=1e-5, atol=1e-6)
    weights = jnp.arange(1.0, 1.0 + ours(X).size)
    slopes = [jax.grad(lambda v, f=f: (f(v) * weights).sum())(x) for f in (ours, theirs)]
    np.testing.assert_allclose(*slopes, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_values_and_gradients(name):
    same_with_gradient(getattr(activations, name), getattr(keras.activations, name))


@pytest.mark.parametrize(
    "arguments",
    [
        {"negative_slope": 0.1},
        {"max_value": 1.0},
        {"max_value": 6},
        {"threshold": 0.7},
        {"negative_slope": 0.1, "max_value": 3.0, "threshold": 0.2},
    ],
)
def test_relu_arguments(arguments):
    same_with_gradient(
        lambda x: activations.relu(x, **arguments), lambda x: keras.activations.relu(x, **arguments)
    )


@pytest.mark.parametrize("name", [*NAMES, "sparsemax"])
def test_keras_tensors(name):
    shape = (None, 2) if name == "glu" else (None, 4)
    assert getattr(activations, name)(KerasTensor((None, 4))).shape == shape


@pytest.mark.parametrize("name", [*NAMES, "sparsemax", "threshold"])
def test_names_go_and_come_back(name):
    function = getattr(activations, name)
    assert activations.get(name) is function
    assert activations.serialize(function) == keras.activations.serialize(getattr(keras.activations, name))
    assert activations.deserialize(activations.serialize(function)) is function


def test_get_of_other_things():
    assert activations.get(None) is activations.linear
    assert activations.get(len) is len
    assert activations.deserialize("mine", custom_objects={"mine": len}) is len


def test_unknown_names():
    with pytest.raises(ArgumentError, match="Did you mean 'relu'"):
        activations.get("rleu")
    with pytest.raises(ArgumentError, match="3"):
        activations.get(3)
