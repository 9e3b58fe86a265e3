"""Comparing a layer with its Keras twin: numbers, states, gradients, static shapes, names, configuration."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

import hornbill
from tests.cases import Case


def argument(arrays: Any) -> Any:
    return list(arrays) if len(arrays) > 1 else arrays[0]


def twins(case: Case) -> tuple[Any, Any, Any]:
    """Returns both layers, built, with equal weights, and the input."""
    mine, theirs = case.make(hornbill), case.make(keras)
    x = argument(case.arrays())
    for layer in (mine, theirs):
        layer(x, **case.call)
    rng = np.random.default_rng(1)
    weights = [
        rng.normal(size=w.shape).astype(w.dtype) * 0.5 for w in (np.asarray(v.value) for v in theirs.weights)
    ]
    mine.set_weights(weights)
    for variable, value in zip(theirs.weights, weights, strict=True):
        variable.assign(value)
    for layer in (mine, theirs):
        if getattr(layer, "stateful", False):
            layer.reset_state()
    return mine, theirs, x


def check_outputs(case: Case) -> None:
    mine, theirs, x = twins(case)
    names = [[(w.path.partition("/")[2], tuple(w.shape)) for w in layer.weights] for layer in (mine, theirs)]
    if case.public_name not in ("layers.RNN", "layers.StackedRNNCells"):  # their cells have automatic names
        assert names[0] == names[1]
    wanted, found = jax.tree.leaves(theirs(x, **case.call)), jax.tree.leaves(mine(x, **case.call))
    assert len(wanted) == len(found)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, np.asarray(b), rtol=case.tolerance, atol=1e-5)
        assert str(a.dtype) == str(b.dtype)


def check_gradients(case: Case) -> None:
    mine, theirs, x = twins(case)

    def gradient(layer: Any) -> Any:
        frozen = [v.value for v in layer.non_trainable_variables]

        def total(trainable: Any, inputs: Any) -> Any:
            outputs, _ = layer.stateless_call(trainable, frozen, inputs, **case.call)
            return sum(jnp.sum(jnp.sin(leaf)) for leaf in jax.tree.leaves(outputs))

        return jax.jit(jax.grad(total, argnums=(0, 1)))([v.value for v in layer.trainable_variables], x)

    for a, b in zip(jax.tree.leaves(gradient(mine)), jax.tree.leaves(gradient(theirs)), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)


def shapes(outputs: Any) -> list[Any]:
    return [tuple(t.shape) for t in jax.tree.leaves(outputs, is_leaf=lambda t: hasattr(t, "shape"))]


def check_static_shapes(case: Case) -> None:
    arrays = case.arrays()
    call = {key: value for key, value in case.call.items() if key != "mask"}
    for pattern in dict.fromkeys([*((axis,) for axis in case.variable), case.variable]):
        opened = [tuple(None if i in pattern else n for i, n in enumerate(a.shape)) for a in arrays]
        mine = argument(
            [hornbill.KerasTensor(shape, str(a.dtype)) for shape, a in zip(opened, arrays, strict=True)]
        )
        theirs = argument(
            [keras.KerasTensor(shape, str(a.dtype)) for shape, a in zip(opened, arrays, strict=True)]
        )
        assert shapes(case.make(hornbill)(mine, **call)) == shapes(case.make(keras)(theirs, **call)), opened


def plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if key not in ("name", "build_config")}
    return value


def check_config(case: Case) -> None:
    mine, theirs = case.make(hornbill), case.make(keras)
    config = mine.get_config()
    wanted = plain(theirs.get_config())
    if wanted.get("seed") != mine.get_config().get("seed"):
        wanted["seed"] = config["seed"]
    assert list(config) == list(theirs.get_config())
    assert plain(config) == wanted
    assert plain(type(mine).from_config(config).get_config()) == plain(config)
