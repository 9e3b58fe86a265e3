"""Neural-network ops against real Keras: values, gradients, dtypes, shapes and error messages."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import hornbill.activations
import hornbill.ops.image
import hornbill.ops.linalg
import hornbill.ops.nn
import hornbill.random
from hornbill.engine.errors import ArgumentError, ArgumentTypeError, ShapeError
from hornbill.engine.symbolic import KerasTensor
from hornbill.ops import nn

ROOM = np.random.default_rng(1)
MODULES = {
    "keras.ops.nn": hornbill.ops.nn,
    "keras.ops.linalg": hornbill.ops.linalg,
    "keras.ops.image": hornbill.ops.image,
    "keras.activations": hornbill.activations,
    "keras.random": hornbill.random,
}
SIGNATURES = json.loads((Path(__file__).parents[1] / "golden" / "keras_nn_signatures.json").read_text())


def floats(*shape):
    return ROOM.random(shape, dtype=np.float32)


@pytest.mark.parametrize("module", MODULES)
def test_names_and_signatures(module):
    names = {
        name.rpartition(".")[2]: text
        for name, text in SIGNATURES.items()
        if name.rpartition(".")[0] == module
    }
    assert set(MODULES[module].__all__) == set(names)
    for name, text in names.items():
        parameters = inspect.signature(getattr(MODULES[module], name)).parameters.values()
        ours = "(" + ", ".join(str(p.replace(annotation=p.empty)) for p in parameters) + ")"
        assert ours == text, name


def same(ours, theirs, rtol=1e-5):
    for mine, yours in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        assert (mine.shape, mine.dtype) == (yours.shape, yours.dtype)
        np.testing.assert_allclose(mine, yours, rtol=rtol, atol=1e-6)


LABELS, LENGTHS = np.array([[1, 2, 1], [2, 2, 0]]), (np.array([3, 2]), np.array([6, 5]))
LOGITS = floats(2, 6, 4) * 4
Q, KV = floats(2, 3, 4, 5), floats(2, 6, 4, 5)
VALUES = [
    ("ctc_loss", (LABELS, LOGITS, *LENGTHS), {}),
    ("ctc_loss", (LABELS, LOGITS, *LENGTHS), {"mask_index": 3}),
    ("ctc_decode", (LOGITS, LENGTHS[1]), {}),
    ("ctc_decode", (LOGITS, LENGTHS[1]), {"merge_repeated": False, "mask_index": 3}),
    ("ctc_decode", (LOGITS, LENGTHS[1]), {"strategy": "beam_search", "beam_width": 5, "top_paths": 2}),
    (
        "ctc_decode", (LOGITS, LENGTHS[1]),
        {"strategy": "beam_search", "beam_width": 50, "top_paths": 3, "mask_index": 3},
    ),
    ("dot_product_attention", (Q, KV, KV), {}),
    ("dot_product_attention", (Q, KV[:, :, :2], KV[:, :, 2:]), {"bias": floats(2, 4, 3, 6)}),
    ("dot_product_attention", (Q, KV, KV), {"mask": floats(2, 4, 3, 6) > 0.3, "is_causal": True, "scale": 1}),
    ("dot_product_attention", (Q, KV, KV), {"mask": np.zeros((1, 1, 1, 6), bool)}),
    ("unfold", (floats(1, 2, 5, 5), (2, 3)), {"dilation": (2, 1), "padding": (1, 0), "stride": (1, 2)}),
    ("fold", (floats(1, 12, 9), (5, 5), (2, 3)), {"dilation": (2, 1)}),
    ("depth_to_space", (floats(2, 3, 2, 8), 2), {}),
    ("depth_to_space", (floats(2, 8, 3, 2), 2), {"data_format": "channels_first"}),
    ("space_to_depth", (floats(2, 4, 6, 3), 2), {}),
    ("space_to_depth", (floats(2, 3, 4, 6), 2), {"data_format": "channels_first"}),
    ("one_hot", (np.array([[1, -1, 5]]), 4), {}),
    ("one_hot", (np.array([[1, 3, 0]]), 4), {"axis": 1, "dtype": "int32"}),
    ("multi_hot", (np.array([[0, 2, 1], [1, 1, 3]]), 4), {}),
    ("multi_hot", (np.array([[0, 2, 1], [1, 1, 3]]), 4), {"axis": 0}),
    ("psnr", (floats(3, 3), floats(3, 3), 2.0), {}),
    ("polar", (floats(3), floats(3)), {}),
    ("binary_crossentropy", (np.round(floats(3, 2)), floats(3, 2)), {}),
    ("binary_crossentropy", (np.round(floats(3, 2)), floats(3, 2)), {"from_logits": True}),
    ("categorical_crossentropy", (floats(3, 2, 4), floats(3, 2, 4)), {"axis": 1}),
    ("categorical_crossentropy", (floats(3, 4), floats(3, 4)), {"from_logits": True}),
    ("sparse_categorical_crossentropy", (np.array([1, 3, 0, 9]), floats(4, 4)), {}),
    ("sparse_categorical_crossentropy", (np.array([[1], [3]]), floats(2, 4)), {"from_logits": True}),
    ("moments", (floats(2, 3, 4), [0, 1]), {}),
    ("moments", (floats(2, 3, 4), [1]), {"keepdims": True}),
    ("softmax", (floats(2, 3, 4),), {"axis": (1, 2)}),
    ("log_softmax", (floats(2, 3),), {"axis": None}),
    ("threshold", (floats(5), 0.3, 1.5), {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "keywords"), VALUES)
def test_values(name, arguments, keywords):
    ours, theirs = (
        getattr(nn, name)(*arguments, **keywords),
        getattr(keras.ops.nn, name)(*arguments, **keywords),
    )
    same(ours, theirs)


X = floats(2, 3, 4) * 5 + 3
NORMALISATIONS = [
    ("batch_normalization", (X, floats(3), floats(3)), {"axis": 1, "offset": floats(3), "scale": floats(3)}),
    ("layer_normalization", (X, floats(4), floats(4)), {}),
    ("layer_normalization", (X, floats(3, 4), floats(3, 4)), {"axis": (1, 2)}),
    ("layer_normalization", (X, floats(2)), {"axis": 0, "epsilon": 0.1}),
    ("rms_normalization", (X, floats(4)), {}),
    ("rms_normalization", (X, floats(3, 4)), {"axis": (1, 2), "epsilon": 0.1}),
    ("normalize", (X,), {}),
    ("normalize", (X,), {"axis": 1, "order": 3}),
    ("normalize", (X,), {"axis": None}),
]


@pytest.mark.parametrize(("name", "arrays", "keywords"), NORMALISATIONS)
def test_normalisations_and_their_gradients(name, arrays, keywords):
    arrays = tuple(map(jnp.asarray, arrays))
    ours, ours_back = jax.vjp(lambda *a: getattr(nn, name)(*a, **keywords), *arrays)
    theirs, theirs_back = jax.vjp(lambda *a: getattr(keras.ops.nn, name)(*a, **keywords), *arrays)
    same(ours, theirs)
    weights = floats(*ours.shape)
    same(ours_back(weights), theirs_back(weights), rtol=1e-4)


def test_moments_gradient():
    def both(module):
        return jax.grad(lambda x: sum(m.sum() for m in module.moments(x, [0])))(jnp.asarray(X))

    same(both(nn), both(keras.ops.nn))


def test_sparsemax_against_its_definition():
    x = floats(5, 6) * 4 - 2
    result = np.asarray(nn.sparsemax(x))
    np.testing.assert_allclose(result.sum(-1), 1, rtol=1e-5)
    for row, shares in zip(x, result, strict=True):
        tau = (row - shares)[shares > 0]
        np.testing.assert_allclose(tau, tau[0], atol=1e-5)
        assert (row[shares == 0] <= tau[0] + 1e-5).all()


def test_whole_numbers_become_floats():
    x = np.array([-1, 0, 2])
    for name in ("sigmoid", "silu", "softmax", "layer_normalization", "rms_normalization", "normalize"):
        assert getattr(nn, name)(x).dtype == "float32", name
    assert nn.relu(x).dtype == "int32"


def test_sixteen_bits_stay():
    x = jnp.asarray(X, "bfloat16")
    for name in ("gelu", "softmax", "layer_normalization", "rms_normalization", "normalize"):
        assert getattr(nn, name)(x).dtype == "bfloat16", name


def test_soft_cap_and_other_value_size():
    capped = nn.dot_product_attention(Q * 50, KV, KV, attn_logits_soft_cap=1e-6)
    np.testing.assert_allclose(capped, np.broadcast_to(KV.mean(1, keepdims=True), Q.shape), rtol=1e-4)
    assert nn.dot_product_attention(Q, KV, floats(2, 6, 4, 7)).shape == (2, 3, 4, 7)


def test_sparse_encodings():
    dense = nn.one_hot(np.array([2, 0]), 3)
    np.testing.assert_array_equal(nn.one_hot(np.array([2, 0]), 3, sparse=True).todense(), dense)


def test_unknown_sizes():
    x = KerasTensor((None, 3))
    assert nn.one_hot(KerasTensor((None, 3), "int32"), 5).shape == (None, 3, 5)
    assert nn.multi_hot(KerasTensor((None, 3), "int32"), 5).shape == (None, 5)
    assert [m.shape for m in nn.moments(x, [0])] == [(3,), (3,)]
    assert nn.sparse_categorical_crossentropy(KerasTensor((None,), "int32"), x).shape == (None,)
    assert nn.glu(KerasTensor((None, 4))).shape == (None, 2)
    assert nn.dot_product_attention(*[KerasTensor((None, None, 4, 5))] * 3).shape == (None, None, 4, 5)
    assert nn.space_to_depth(KerasTensor((None, None, 4, 3)), 2).shape == (None, None, 2, 12)
    assert nn.batch_normalization(x, KerasTensor((3,)), KerasTensor((3,)), -1).shape == (None, 3)


ERRORS = [
    (lambda: nn.glu(floats(3)), ShapeError, "must be even"),
    (lambda: nn.depth_to_space(floats(1, 2, 2, 3), 2), ShapeError, "multiple of block_size**2 = 4"),
    (lambda: nn.space_to_depth(floats(1, 5, 4, 3), 2), ShapeError, "multiples of block_size = 2"),
    (lambda: nn.multi_hot([0, 1]), ArgumentError, "num_classes"),
    (lambda: nn.multi_hot([0, 1], 2, foo=1), ArgumentTypeError, "foo"),
    (lambda: nn.normalize(X, order=0), ArgumentError, "order"),
    (lambda: nn.moments(X, [0], synchronized=True), ArgumentError, "synchronized"),
    (lambda: nn.layer_normalization(X, center=True), ArgumentTypeError, "center"),
    (lambda: nn.layer_normalization(X, floats(7)), ShapeError, "gamma must have the shape (4,)"),
    (lambda: nn.batch_normalization(X, floats(2), floats(4), -1), ShapeError, "mean must have 4 numbers"),
    (lambda: nn.psnr(floats(2, 2), floats(2, 3), 1.0), ShapeError, "same shape"),
    (lambda: nn.ctc_decode(LOGITS, LENGTHS[1], "beam_serach"), ArgumentError, "Did you mean 'beam_search'"),
    (lambda: nn.dot_product_attention(Q[0], KV[0], KV[0]), ShapeError, "four axes"),
    (
        lambda: nn.dot_product_attention(Q, KV[:, :, :3], KV[:, :, :3]),
        ShapeError,
        "4 query heads cannot share 3",
    ),
    (lambda: nn.dot_product_attention(Q, KV, KV, mask=floats(2, 3, 6) > 1), ShapeError, "mask must stretch"),
    (lambda: nn.categorical_crossentropy(floats(2, 3), floats(2, 4)), ShapeError, "same shape"),
    (
        lambda: nn.sparse_categorical_crossentropy(floats(2, 3), floats(2, 3)),
        ShapeError,
        "categorical_crossentropy",
    ),
    (lambda: nn.fold(floats(1, 12, 8), (5, 5), (2, 3)), ShapeError, "fold wants"),
]


@pytest.mark.parametrize(("call", "error", "words"), ERRORS)
def test_errors(call, error, words):
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)


def test_softmax_over_one_number_warns():
    with pytest.warns(UserWarning, match="which has size 1"):
        nn.softmax(floats(3, 1))
