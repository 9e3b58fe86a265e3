"""The same small networks in Hornbill and in Keras, and data for them."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np


def network(k: Any, name: str) -> Any:
    """Returns the network of a name, made with library `k`."""
    layers = k.layers
    if name == "shared":
        a, b = k.Input((4,)), k.Input((4,))
        dense = layers.Dense(4, activation="relu")
        inner = k.Sequential([k.Input((4,)), layers.Dense(4), layers.BatchNormalization()])
        x, y = inner(dense(a)), inner(dense(b))
        return k.Model([a, b], [layers.Add()([x, y]), layers.Dense(2)(x)])
    if name == "sequential":
        return k.Sequential([
            k.Input((6, 4)), layers.Conv1D(3, 3, activation="relu"), layers.Flatten(), layers.Dropout(0.3),
            layers.Dense(2, kernel_regularizer="l2"),
        ])  # fmt: skip
    if name == "named":
        a, b = k.Input((4,), name="a"), k.Input((4,), name="b")
        joined = layers.Concatenate()([a, b])
        return k.Model(
            {"a": a, "b": b}, {"p": layers.Dense(2, name="p")(joined), "q": layers.Dense(1, name="q")(a)}
        )
    if name == "recurrent":
        a = k.Input((3, 2))
        x = layers.Bidirectional(layers.GRU(2, return_sequences=True))(a)
        return k.Model(a, layers.RNN([layers.LSTMCell(2), layers.GRUCell(2)])(x))
    if name == "attention":
        a = k.Input((3, 4))
        x = layers.LayerNormalization()(layers.MultiHeadAttention(2, 2)(a, a) + a)
        return k.Model(a, k.ops.mean(x, axis=1))
    a = k.Input((4,))  # "nested"
    inner = k.Model(a, layers.Dense(3)(layers.Dense(4)(a)), name="inner")
    b = k.Input((4,))
    middle = k.Model(b, inner(b) * 2.0, name="middle")
    c = k.Input((4,))
    return k.Model(c, layers.Dense(2)(middle(c)))


NAMES = ("shared", "sequential", "named", "recurrent", "attention", "nested")


def data_for(model: Any) -> Any:
    """Returns a batch of two for a model."""
    rng = np.random.default_rng(0)
    if type(model).__name__ == "Sequential":
        return rng.random((2, *model.input_shape[1:])).astype("float32")
    arrays = [rng.random((2, *t.shape[1:])).astype("float32") for t in model.inputs]
    if isinstance(model.input, dict):
        return {name: arrays[i] for i, name in enumerate(sorted(model.input))}
    return arrays if len(arrays) > 1 else arrays[0]


def outputs(model: Any, x: Any) -> list[np.ndarray]:
    """Returns the outputs for a batch as a flat list."""
    return [np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(model(x))]


def trained(k: Any, name: str) -> Any:
    """Returns the network after one step of Adam."""
    model = network(k, name)
    x = data_for(model)
    model.compile("adam", "mean_squared_error")
    y = jax.tree_util.tree_map(lambda leaf: np.zeros(leaf.shape, "float32"), model(x))
    model.train_on_batch(x, y)
    return model


def assert_same(first: Any, second: Any, optimizer: bool = True) -> None:
    """Asserts that two models give the same numbers and have the same state of training."""
    x = data_for(first)
    for a, b in zip(outputs(first, x), outputs(second, x), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    if optimizer:
        mine, other = first.optimizer.variables, second.optimizer.variables
        assert len(mine) == len(other)
        for a, b in zip(mine, other, strict=True):
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), atol=1e-7)
