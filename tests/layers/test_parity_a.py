"""Every layer of `tests.cases.layers_a` against its Keras twin: numbers, gradients, shapes, configuration."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import hornbill
from tests.cases import Case
from tests.cases.layers_a import CASES

pytestmark = pytest.mark.filterwarnings("ignore:You passed `rms_scaling:UserWarning")

EACH_ONCE = list({case.public_name: case for case in CASES}.values())
DIFFERENTIABLE = [case for case in EACH_ONCE if not callable(case.inputs)]


def _argument(arrays):
    return list(arrays) if len(arrays) > 1 else arrays[0]


def _twins(case: Case):
    """Returns both layers, built, with equal weights, and the input."""
    mine, theirs = case.make(hornbill), case.make(keras)
    x = _argument(case.arrays())
    quiet = {key: value for key, value in case.call.items() if key != "training"}
    for layer in (mine, theirs):
        layer(x, **quiet)
    rng = np.random.default_rng(1)
    weights = [w + rng.uniform(0.1, 0.5, w.shape).astype(w.dtype) for w in theirs.get_weights()]
    for layer in (mine, theirs):
        layer.set_weights(weights)
    return mine, theirs, x


def _plain(value):
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if key not in ("name", "build_config")}
    return value


def _describe(layer):
    return [(w.path.partition("/")[2], tuple(w.shape), w.trainable, str(w.dtype)) for w in layer.weights]


@pytest.mark.long
@pytest.mark.parametrize("case", CASES, ids=str)
def test_outputs_and_state_agree(case):
    mine, theirs, x = _twins(case)
    assert _describe(mine) == _describe(theirs)
    wanted, found = theirs(x, **case.call), mine(x, **case.call)
    np.testing.assert_allclose(found, np.asarray(wanted), rtol=case.tolerance, atol=1e-5)
    for variable, a, b in zip(theirs.weights, mine.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5, err_msg=variable.path)


@pytest.mark.long
@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=str)
def test_gradients_agree(case):
    mine, theirs, x = _twins(case)

    def gradient(layer):
        frozen = [v.value for v in layer.non_trainable_variables]

        def total(trainable, inputs):
            outputs, _ = layer.stateless_call(trainable, frozen, inputs, **case.call)
            return jnp.sum(jnp.sin(outputs))

        return jax.jit(jax.grad(total, argnums=(0, 1)))([v.value for v in layer.trainable_variables], x)

    for a, b in zip(jax.tree.leaves(gradient(mine)), jax.tree.leaves(gradient(theirs)), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_static_shape_with_unknown_axes(case):
    shapes = [array.shape for array in case.arrays()]
    dtype = str(case.arrays()[0].dtype)
    patterns = [(axis,) for axis in case.variable] + [case.variable]
    call = {key: value for key, value in case.call.items() if key != "mask"}
    for pattern in dict.fromkeys(patterns):
        opened = [tuple(None if i in pattern else size for i, size in enumerate(shape)) for shape in shapes]
        mine = _argument([hornbill.KerasTensor(shape, dtype) for shape in opened])
        theirs = _argument([keras.KerasTensor(shape, dtype) for shape in opened])
        found, wanted = case.make(hornbill)(mine, **call).shape, tuple(case.make(keras)(theirs, **call).shape)
        if case.public_name == "layers.EinsumDense":  # Keras forgets the sizes that output_shape leaves open
            wanted = tuple(a if b is None else b for a, b in zip(found, wanted, strict=True))
        assert found == wanted, opened


@pytest.mark.parametrize("case", CASES, ids=str)
def test_configuration_agrees_and_makes_an_equal_layer(case):
    if case.public_name == "layers.Lambda":
        pytest.skip("no file stores a function")
    mine, theirs = case.make(hornbill), case.make(keras)
    config = mine.get_config()
    assert list(config) == list(theirs.get_config())
    assert _plain(config) == _plain(theirs.get_config())
    assert _plain(type(mine).from_config(config).get_config()) == _plain(config)
    again = hornbill.layers.deserialize(hornbill.layers.serialize(mine))
    assert _plain(again.get_config()) == _plain(config)


@pytest.mark.long
@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=str)
def test_mixed_precision(case):
    if "SpatialDropout" in case.public_name:
        pytest.skip("Keras' SpatialDropout cannot take a policy by configuration")
    mine = case.make(hornbill)
    config = {**mine.get_config(), "dtype": "mixed_bfloat16"}
    layer = type(mine).from_config(config) if case.public_name != "layers.Lambda" else mine
    outputs = layer(_argument(case.arrays()), **case.call)
    own_policy = ("layers.Lambda", "layers.SpectralNormalization")  # the layer inside has one of its own
    wanted = "float32" if case.public_name in own_policy else "bfloat16"
    assert str(outputs.dtype) == wanted
    own = [v for v in layer.weights if "inner" not in v.path]
    assert {v.dtype for v in own} <= {"float32"}


@pytest.mark.parametrize("case", EACH_ONCE, ids=str)
def test_every_weight_has_named_axes(case):
    layer = case.make(hornbill)
    layer(_argument([hornbill.KerasTensor(a.shape, str(a.dtype)) for a in case.arrays()]))
    for variable in layer.weights:
        assert variable.axes is not None, variable.path
        assert len(variable.axes) == variable.ndim
