"""Paths, order and shapes of weights are Keras', however a model is put together."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import hornbill


def _sequential(library):
    layer = library.layers
    model = library.Sequential(name="outer")
    model.add(library.Input((6, 4)))
    model.add(layer.TimeDistributed(layer.Dense(2)))
    model.add(layer.LSTM(3))
    model.add(library.Sequential([library.Input((3,)), layer.Dense(1)], name="inner"))
    model.compile("adam", "mse")
    model.fit(np.ones((4, 6, 4)), np.ones((4, 1)), verbose=0)
    return [*model.weights, *model.optimizer.variables]


def _deferred(library):
    model = library.Sequential([library.layers.Dense(2), library.layers.Dense(1)], name="outer")
    model(np.ones((2, 3)))
    return model.weights


def _graph(library):
    inputs = library.Input((3,))
    inner = library.Sequential([library.layers.Dense(2)], name="inner")
    return library.Model(inputs, library.layers.Dense(1, name="last")(inner(inputs))).weights


def _weights_in_init(library):
    class Block(library.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.first = self.add_weight(shape=(2,), name="first")
            self.dense = library.layers.Dense(2)

        def build(self, shape):
            self.dense.build(shape)
            self.second = self.add_weight(shape=(2,), name="second")

        def call(self, x):
            return self.dense(x) + self.first + self.second

    block = Block(name="block")
    block(np.ones((2, 3)))
    return block.weights


def _axes_out_of_order(library):
    layers = [library.layers.LayerNormalization(axis=(-1, -2)), library.layers.RMSNormalization(axis=(3, 2))]
    for layer in layers:
        layer.build((None, 8, 9, 4))
    return [weight for layer in layers for weight in layer.weights]


@pytest.mark.parametrize("make", [_sequential, _deferred, _graph, _weights_in_init, _axes_out_of_order])
def test_weights_are_called_and_shaped_as_in_keras(make):
    found, wanted = ([(w.path, tuple(w.shape)) for w in make(library)] for library in (hornbill, keras))
    assert found == wanted
