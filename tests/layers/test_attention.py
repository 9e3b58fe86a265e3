"""Attention layers against Keras: masks, scores, axes, gates, dropout; and their errors."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import hornbill
from hornbill import layers
from hornbill.engine.errors import ArgumentError, ShapeError
from tests.cases.layers_b import ATTENTION
from tests.layers import twins

RNG = np.random.default_rng(0)
Q, V, K = (RNG.normal(size=shape).astype("float32") for shape in ((2, 4, 6), (2, 5, 6), (2, 5, 3)))
GRID, OTHER = (RNG.normal(size=shape).astype("float32") for shape in ((2, 3, 4, 5), (2, 3, 7, 5)))
LONG = RNG.normal(size=(2, 70, 6)).astype("float32")  # enough scores for hornbill-native
LONG_VALUES = np.arange(70) < np.array([[50], [0]])
PAIRS = RNG.random((2, 4, 5)) > 0.4
PAIRS[0, 1] = False
VALUES = np.array([[1, 1, 0, 1, 0], [0, 0, 0, 0, 1]], bool)
SCORES = {"return_attention_scores": True}
MULTI = {"num_heads": 2, "key_dim": 3}
GROUPS = {"head_dim": 4, "num_query_heads": 4, "num_key_value_heads": 2}
HEADED = [
    ("MultiHeadAttention", {}, (Q, V), {}),
    ("MultiHeadAttention", {"value_dim": 5, "output_shape": (2, 7)}, (Q, V, K), SCORES),
    ("MultiHeadAttention", {}, (Q, V), {"attention_mask": PAIRS}),
    ("MultiHeadAttention", {}, (Q, V), {"attention_mask": PAIRS, **SCORES}),
    ("MultiHeadAttention", {}, (Q, V), {"value_mask": VALUES, "use_causal_mask": True, **SCORES}),
    ("MultiHeadAttention", {}, (Q, V), {"key_mask": VALUES, **SCORES}),
    ("MultiHeadAttention", {}, (Q, V), {"use_causal_mask": True}),
    ("MultiHeadAttention", {}, (LONG, LONG), {"value_mask": LONG_VALUES, "use_causal_mask": True}),
    ("GroupQueryAttention", {}, (LONG, LONG), {"value_mask": LONG_VALUES, "use_causal_mask": True}),
    ("GroupQueryAttention", {}, (LONG, LONG), {"use_causal_mask": True}),
    ("MultiHeadAttention", {"sliding_window": 2, "use_bias": False, "seed": 1}, (Q, V), {}),
    ("MultiHeadAttention", {"use_gate": True}, (Q, V), {}),
    ("MultiHeadAttention", {"dropout": 0.4, "seed": 3}, (Q, V), {"training": True, **SCORES}),
    ("MultiHeadAttention", {"attention_axes": 2}, (GRID, OTHER), SCORES),
    ("MultiHeadAttention", {"attention_axes": (1, 2)}, (GRID, OTHER), SCORES),
    ("MultiHeadAttention", {}, (GRID, OTHER), {}),
    ("GroupQueryAttention", {}, (Q, V), {}),
    (
        "GroupQueryAttention",
        {"use_gate": True, "sliding_window": 3},
        (Q, V),
        {"value_mask": VALUES, **SCORES},
    ),
    ("GroupQueryAttention", {"dropout": 0.4, "seed": 3}, (Q, V), {"training": True}),
]


@pytest.mark.long
@pytest.mark.parametrize(("name", "arguments", "inputs", "call"), HEADED)
def test_layers_with_heads_agree(name, arguments, inputs, call):
    arguments = {**(MULTI if name == "MultiHeadAttention" else GROUPS), **arguments}
    mine, theirs = (getattr(library.layers, name)(**arguments, name="a") for library in (hornbill, keras))
    quiet = {key: value for key, value in call.items() if key != "training"}
    mine(*inputs, **quiet)
    theirs(*inputs, **quiet)
    assert [(w.path, tuple(w.shape)) for w in mine.weights] == [
        (w.path, tuple(w.shape)) for w in theirs.weights
    ]
    mine.set_weights([np.asarray(v.value) for v in theirs.weights])
    wanted, found = theirs(*inputs, **call), mine(*inputs, **call)
    if not isinstance(wanted, tuple):
        wanted, found = (wanted,), (found,)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    assert list(mine.get_config()) == list(theirs.get_config())
    assert twins.plain(mine.get_config()) == twins.plain(theirs.get_config())
    again = type(mine).from_config(mine.get_config())
    assert twins.plain(again.get_config()) == twins.plain(mine.get_config())


@pytest.mark.long
@pytest.mark.parametrize("case", ATTENTION, ids=str)
def test_outputs_agree(case):
    twins.check_outputs(case)


@pytest.mark.parametrize("case", ATTENTION, ids=str)
def test_static_shapes_agree(case):
    twins.check_static_shapes(case)


@pytest.mark.parametrize("case", ATTENTION, ids=str)
def test_configuration_agrees(case):
    twins.check_config(case)


def test_static_shapes_of_layers_with_heads():
    query, value = hornbill.KerasTensor((None, None, 4)), hornbill.KerasTensor((None, 7, 4))
    output, scores = layers.MultiHeadAttention(2, 3)(query, value, return_attention_scores=True)
    assert (output.shape, scores.shape) == ((None, None, 4), (None, 2, None, 7))
    assert layers.GroupQueryAttention(4, 4, 2)(query, value).shape == (None, None, 4)


def test_the_activity_regularizer_counts_each_projection_once():
    layer = layers.MultiHeadAttention(2, 3, activity_regularizer="l2")
    layer(Q, V)
    assert len(layer.losses) == 4
    assert layer.get_config()["activity_regularizer"]["class_name"] == "L2"


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: layers.Attention()(Q), ArgumentError, "called on a list"),
        (lambda: layers.Attention()([Q]), ArgumentError, "a list of 1"),
        (lambda: layers.Attention()([Q, V], mask=PAIRS), ArgumentError, "mask is a list"),
        (lambda: layers.Attention(score_mode="dott"), ArgumentError, "Did you mean 'dot'"),
        (lambda: layers.MultiHeadAttention(0, 3), ArgumentError, "num_heads"),
        (lambda: layers.MultiHeadAttention(2, 3)(Q, GRID), ShapeError, "same number of axes"),
        (lambda: layers.MultiHeadAttention(2, 3, sliding_window=-1), ArgumentError, "sliding_window"),
        (
            lambda: layers.MultiHeadAttention(2, 3, flash_attention=True, dropout=0.1),
            ArgumentError,
            "no dropout",
        ),
        (lambda: layers.GroupQueryAttention(4, 4, 3), ArgumentError, "divide"),
    ],
)
def test_errors(make, error, text):
    with pytest.raises(error, match=text):
        make()
