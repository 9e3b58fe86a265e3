"""What the programs turned up, each in its smallest form, against Keras where Keras runs it."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import hornbill

X = np.linspace(0, 1, 32, dtype="float32").reshape(8, 4)


@pytest.mark.parametrize("metrics", [[["mse", "mae"], ["mse", "mae"]], {"b": ["mse", "mae"], "a": ["mse"]}])
def test_evaluate_lists_the_metrics_of_several_outputs_by_name(metrics):
    results = []
    for k in (keras, hornbill):
        inputs = k.Input((4,))
        outputs = [
            k.layers.Dense(n, kernel_initializer="ones", name=name)(inputs)
            for name, n in (("a", 2), ("b", 1))
        ]
        model = k.Model(inputs, outputs)
        model.compile("sgd", "mse", metrics=metrics)
        results.append(model.evaluate(X, [np.zeros((8, 2)), np.ones((8, 1))], verbose=0))
    np.testing.assert_allclose(results[1], results[0], rtol=1e-5)


def test_sequential_built_by_a_call_takes_batches_of_any_size():
    model = hornbill.Sequential([hornbill.layers.Dense(3)])
    assert model(X).shape == (8, 3)
    assert model(X[:2]).shape == (2, 3)
    assert model(hornbill.Input((4,))).shape == (None, 3)


def test_sequential_built_inside_a_layer():
    class Block(hornbill.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = hornbill.Sequential([hornbill.layers.Dense(2), hornbill.layers.Dense(3)])

        def call(self, x):
            return self.inner(x)

    block = Block()
    assert block(hornbill.Input((None, 4))).shape == (None, None, 3)
    assert block.inner.input_shape == (None, None, 4)
    assert block(np.ones((5, 7, 4))).shape == (5, 7, 3)


def test_a_model_inside_another_keeps_its_own_metrics():
    inner = hornbill.Sequential([hornbill.Input((4,)), hornbill.layers.Dense(1)])
    inner.compile("sgd", "mse", metrics=["mae"])
    inner.trainable = False
    outer = hornbill.Sequential([hornbill.Input((4,)), hornbill.layers.Dense(4), inner])
    outer.compile("sgd", "mse")
    assert np.ndim(outer.train_on_batch(X, X[:, :1])) == 0
    before = inner.get_weights()
    with pytest.warns(UserWarning, match="Call compile again"):
        inner.train_on_batch(X, X[:, :1])
    assert any((a != b).any() for a, b in zip(before, inner.get_weights(), strict=True))


def test_star_imports_bring_names_that_load_later():
    names: dict = {}
    exec("from hornbill.models import *\nfrom hornbill.utils import *\nfrom hornbill.layers import *", names)
    assert {"load_model", "plot_model", "Rescaling", "TextVectorization", "Dense"} <= names.keys()
