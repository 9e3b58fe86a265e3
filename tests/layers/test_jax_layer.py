"""JaxLayer, and the layers that say why they do not work."""

from __future__ import annotations

import jax
import numpy as np
import pytest

import hornbill
from hornbill.engine.errors import ArgumentError, StateError
from hornbill.layers import jax_layer
from tests.numerics import assert_close

X = np.ones((2, 4), "float32")


def test_parameters_become_variables():
    layer = jax_layer.JaxLayer(
        lambda params, inputs: inputs @ params["kernel"],
        lambda rng, inputs: {"kernel": jax.random.normal(rng, (inputs.shape[-1], 3))},
        name="j",
    )
    assert layer(hornbill.KerasTensor((None, 4))).shape == (None, 3)
    assert [(v.path, v.shape) for v in layer.weights] == [("j/kernel", (4, 3))]
    assert_close(layer(X), X @ layer.weights[0].numpy())


def test_state_travels_with_compiled_calls():
    def count(params, state, rng, inputs, training):
        return inputs * params["scale"], {"n": state["n"] + 1}

    layer = jax_layer.JaxLayer(count, params={"scale": np.float32(2)}, state={"n": np.float32(0)}, seed=3)
    layer(X)
    call = jax.jit(layer.stateless_call)
    outputs, state = call(
        [v.value for v in layer.trainable_variables], [v.value for v in layer.non_trainable_variables], X
    )
    np.testing.assert_allclose(outputs, 2 * X)
    assert float(state[0]) == 2


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: jax_layer.JaxLayer(lambda x: x), ArgumentError, "may have the parameters"),
        (lambda: jax_layer.JaxLayer(lambda params, inputs: inputs), ArgumentError, "makes them"),
        (lambda: jax_layer.TFSMLayer("model"), StateError, "TensorFlow"),
        (lambda: jax_layer.TorchModuleWrapper(3), StateError, "torch"),
    ],
)
def test_errors(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_flax_layer_says_what_it_needs(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "flax", None)  # as where it is not installed
    with pytest.raises(StateError, match="pip install flax"):
        jax_layer.FlaxLayer(object())
