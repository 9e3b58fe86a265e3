"""TimeDistributed and Bidirectional against Keras, and their errors."""

from __future__ import annotations

import numpy as np
import pytest

from hornbill import layers
from hornbill.engine.errors import ArgumentError, ShapeError
from tests.cases.layers_b import WRAPPED
from tests.layers import twins

X = np.ones((2, 5, 4), "float32")


@pytest.mark.long
@pytest.mark.parametrize("case", WRAPPED, ids=str)
def test_outputs_agree(case):
    twins.check_outputs(case)


@pytest.mark.long
@pytest.mark.parametrize("case", [WRAPPED[0], WRAPPED[-1]], ids=str)
def test_gradients_agree(case):
    twins.check_gradients(case)


@pytest.mark.parametrize("case", WRAPPED, ids=str)
def test_static_shapes_agree(case):
    twins.check_static_shapes(case)


@pytest.mark.parametrize("case", WRAPPED, ids=str)
def test_configuration_agrees(case):
    twins.check_config(case)


def test_initial_weights_are_set():
    donor = layers.Bidirectional(layers.GRU(3))
    donor(X)
    twin = layers.Bidirectional(layers.GRU(3), weights=donor.get_weights())
    np.testing.assert_allclose(twin(X), donor(X))


def test_own_backward_layer():
    layer = layers.Bidirectional(layers.LSTM(3), backward_layer=layers.GRU(2, go_backwards=True))
    assert layer(X).shape == (2, 5)


def test_a_mask_reaches_the_layer_inside():
    class Count(layers.Layer):
        def call(self, inputs, mask=None):
            return inputs[:, :1] * 0 + mask.astype("float32")[:, None]

    mask = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 0]], bool)
    found = layers.TimeDistributed(Count())(X, mask=mask)
    assert np.asarray(found)[..., 0].astype(bool).tolist() == mask.tolist()


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: layers.Bidirectional(3), ArgumentError, "wraps a layer"),
        (lambda: layers.Bidirectional(layers.Dense(3)), ArgumentError, "recurrent layer"),
        (
            lambda: layers.Bidirectional(layers.LSTM(3), merge_mode="avg"),
            ArgumentError,
            "did you mean|Did you mean",
        ),
        (lambda: layers.Bidirectional(layers.LSTM(3, go_backwards=True)), ArgumentError, "go_backwards"),
        (
            lambda: layers.Bidirectional(layers.LSTM(3))(X, initial_state=[X[:, 0]]),
            ShapeError,
            "4 initial states",
        ),
        (lambda: layers.TimeDistributed(layers.Dense(3))(X[:, 0]), ShapeError, "batch, steps"),
    ],
)
def test_errors(make, error, text):
    with pytest.raises(error, match=text):
        make()
