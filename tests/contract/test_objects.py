"""What holds for every loss, metric, optimizer, schedule, initializer, regulariser, constraint, activation and op.

Configurations make equal objects, compiled and eager agree, static shapes are those of the run, states reset. Parity of
the numbers with Keras stands in the tests of each family.
"""

from __future__ import annotations

import json
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hornbill
from hornbill.engine.symbolic import KerasTensor
from hornbill.engine.variable import Variable, functional_call
from tests.cases import functions, losses, metrics, numbers, ops, optimizers

EVERY = [*losses.CASES, *metrics.CASES, *optimizers.CASES, *numbers.CASES]
FAMILIES = (
    "losses",
    "metrics",
    "optimizers",
    "optimizers.schedules",
    "initializers",
    "regularizers",
    "constraints",
)
BASES = (
    "losses.Loss",
    "metrics.Metric",
    "metrics.MeanMetricWrapper",
    "initializers.Initializer",
    "regularizers.Regularizer",
    "constraints.Constraint",
)


def family(case):
    return case.public_name.rpartition(".")[0]


def is_class(case):
    return case.public_name.rpartition(".")[2][0].isupper()


OBJECTS = [
    case for case in EVERY if family(case) in FAMILIES and is_class(case) and case.public_name not in BASES
]
FUNCTIONS = [
    case for case in EVERY if not is_class(case) and not case.public_name.endswith(("get", "serialize"))
]
METRICS = [case for case in metrics.CASES if is_class(case)]
OPTIMIZERS = [case for case in optimizers.CASES if family(case) == "optimizers" and is_class(case)]


def ids(cases):
    return {"argvalues": cases, "ids": [str(case) for case in cases]}


def close(a, b, rtol=1e-5):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(np.asarray(x, "float64"), np.asarray(y, "float64"), rtol=rtol, atol=1e-6)


@pytest.mark.parametrize("case", **ids(OBJECTS))
def test_configuration(case):
    made = case.make(hornbill)
    config = made.get_config()
    text = json.dumps(config, sort_keys=True)
    for source in (config, json.loads(text), pickle.loads(pickle.dumps(config))):
        assert json.dumps(type(made).from_config(source).get_config(), sort_keys=True) == text
    module = hornbill
    for part in family(case).split("."):
        module = getattr(module, part)
    again = module.deserialize(module.serialize(made))
    assert type(again) is type(made)
    assert json.dumps(again.get_config(), sort_keys=True) == text
    assert type(module.get(module.serialize(made)) if hasattr(module, "get") else again) is type(made)


@pytest.mark.long
@pytest.mark.parametrize(
    "case",
    **ids(
        [
            c
            for c in EVERY
            if family(c) in ("losses", "activations", "regularizers", "constraints", "optimizers.schedules")
            and not c.public_name.endswith(("get", "serialize", "deserialize"))
        ]
    ),
)
def test_compiled_equals_eager_with_finite_gradients(case):
    fn, arrays = case.make(hornbill), case.arrays()
    eager = fn(*arrays)
    close(jax.jit(fn)(*arrays), eager)
    if family(case) != "optimizers.schedules":
        gradient = jax.grad(lambda x: jnp.sum(fn(*arrays[:-1], x)))(jnp.asarray(arrays[-1]))
        assert bool(jnp.all(jnp.isfinite(gradient)))


# ---- metrics


@pytest.mark.long
@pytest.mark.parametrize("case", **ids(METRICS))
def test_metric_state(case):
    metric, arrays = case.make(hornbill), case.arrays()
    metric.update_state(*arrays)
    once = jax.tree.map(np.asarray, metric.result())
    metric.update_state(*arrays)
    metric.reset_state()
    metric.update_state(*arrays)
    close(metric.result(), once)
    fresh = case.make(hornbill)
    if case.public_name != "metrics.Metric":
        fresh.update_state(*arrays)
        fresh.reset_state()
    state = [v.value for v in fresh.variables]
    state = jax.jit(fresh.stateless_update_state)(state, *arrays)
    close(fresh.stateless_result(state), once)
    close(fresh.stateless_result(fresh.stateless_reset_state()), fresh.result())
    assert all(bool(jnp.all(jnp.isfinite(jnp.asarray(leaf)))) for leaf in jax.tree.leaves(once))


# ---- optimizers


@pytest.mark.long
@pytest.mark.parametrize("case", **ids(OPTIMIZERS))
def test_optimizer_goes_down_and_its_pure_form_agrees(case):
    optimizer, twin = case.make(hornbill), case.make(hornbill)
    (start,) = case.arrays()
    variable, other = Variable(start, name="w"), Variable(start, name="w")

    def gradients(value):
        factor = getattr(optimizer, "dynamic_scale", None)
        return [value * (1.0 if factor is None else factor.value)]

    optimizer.build([variable])
    twin.build([other])
    values, state = [other.value], [v.value for v in twin.variables]
    step = jax.jit(twin.stateless_apply)
    for _ in range(3):
        optimizer.apply(gradients(variable.value), [variable])
        values, state = step(state, gradients(values[0]), values)
    np.testing.assert_allclose(variable.numpy(), values[0], rtol=1e-5, atol=1e-6)
    assert float(jnp.sum(variable.value**2)) < float(np.sum(start**2))
    assert [v.name.rstrip("_0123456789") for v in optimizer.variables] == [
        v.name.rstrip("_0123456789") for v in twin.variables
    ]
    stored = {}
    optimizer.save_own_variables(stored)
    twin.load_own_variables(stored)
    for a, b in zip(optimizer.variables, twin.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


# ---- initializers


SHAPES = {"initializers.STFT": (8, 1, 5)}


@pytest.mark.parametrize(
    "case", **ids([c for c in numbers.CASES if family(c) == "initializers" and is_class(c)])
)
def test_initializer(case):
    made, shape = case.make(hornbill), SHAPES.get(case.public_name, (4, 6))
    first = made(shape)
    assert tuple(first.shape) == shape
    assert str(first.dtype) == "float32"
    assert np.isfinite(np.asarray(first)).all()
    np.testing.assert_array_equal(case.make(hornbill)(shape), first)
    assert str(made(shape, dtype="bfloat16").dtype) == "bfloat16"


# ---- ops

# Ops whose result's shape depends on the values, whose result is no tensor, or which take a function of arrays.
WITHOUT_STATIC_SHAPE = {
    "ops.nonzero",
    "ops.argwhere",
    "ops.unique",
    "ops.convert_to_numpy",
    "ops.custom_gradient",
    "ops.vectorize",
    "ops.bincount",
    "ops.histogram",
    "ops.is_tensor",
    "ops.extract_sequences",
    "ops.shape",
    "ops.hanning",
    "ops.hamming",
    "ops.blackman",
    "ops.bartlett",
    "ops.kaiser",
    "ops.jvp",
}


def _spec(value):
    return [(tuple(leaf.shape), str(leaf.dtype)) for leaf in jax.tree.leaves(value) if hasattr(leaf, "shape")]


@pytest.mark.long
@pytest.mark.parametrize(
    "case", **ids([c for c in (*ops.CASES, *functions.CASES) if c.public_name not in WITHOUT_STATIC_SHAPE])
)
def test_op_says_the_shape_that_it_gives(case):
    fn, arrays = case.make(hornbill), case.arrays()
    concrete = fn(*arrays)
    symbolic = [KerasTensor(a.shape, jnp.asarray(a).dtype) for a in arrays]
    assert _spec(fn(*symbolic)) == _spec(concrete)


def test_variables_count_as_tensors():
    variable = Variable(np.ones((2, 3), "float32"))
    result, new = functional_call([variable], [variable.value * 2], lambda: hornbill.ops.sum(variable))
    assert float(result) == 12
    assert len(new) == 1
