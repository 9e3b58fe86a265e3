"""The base class: learning rate, old spellings, subclasses, saving, messages, lookup, optax."""

from __future__ import annotations

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from hornbill import ops, optimizers
from hornbill.engine.compatibility import forget_warnings
from hornbill.engine.errors import (
    ArgumentError,
    ArgumentTypeError,
    MissingNameError,
    NotBuiltError,
    ShapeError,
)
from hornbill.engine.variable import Variable
from hornbill.optimizers.optax_adapter import OptaxOptimizer


def weights():
    return [Variable(np.ones((2, 3), "float32"), name="kernel"), Variable(np.ones(3, "float32"), name="bias")]


GRADIENTS = [np.full((2, 3), 0.5, "float32"), np.array([1.0, -2.0, 0.0], "float32")]


# Learning rate


def test_learning_rate_can_be_set_while_compiled():
    optimizer, variables = optimizers.SGD(0.5), weights()
    optimizer.build(variables)
    traces = []

    @jax.jit
    def step(state, params):
        traces.append(1)
        return optimizer.pure_apply(state, GRADIENTS, params)

    for rate in (0.5, 0.25):
        optimizer.learning_rate = rate
        params, _ = step([v.value for v in optimizer.variables], [v.value for v in variables])
        np.testing.assert_allclose(params[1], 1 - rate * GRADIENTS[1])
    assert len(traces) == 1
    optimizer.lr = 0.125
    assert float(optimizer.learning_rate.numpy()) == float(optimizer.lr) == 0.125
    assert optimizer.get_config()["learning_rate"] == 0.125


def test_old_spellings_are_honoured_and_said_once():
    forget_warnings()
    with pytest.warns(UserWarning, match="lr|decay") as caught:
        optimizer = optimizers.SGD(lr=0.5, decay=1.0)
    assert [str(warning.message)[:7] for warning in caught] == ["`lr` is", "`decay`"]
    assert optimizers.Adam(lr=0.25).get_config()["learning_rate"] == 0.25
    variables = weights()
    for step in range(3):
        before = variables[1].numpy()
        optimizer.apply(GRADIENTS, variables)
        np.testing.assert_allclose(variables[1].numpy(), before - 0.5 / (1 + step) * GRADIENTS[1], rtol=1e-6)
    assert optimizers.SGD.from_config(optimizer.get_config()).decay == 1.0
    assert "decay" not in optimizers.SGD().get_config()


def test_schedule_and_callable():
    schedule = optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)
    optimizer, variables = optimizers.SGD(schedule), weights()
    optimizer.apply(GRADIENTS, variables)
    assert float(optimizer.learning_rate) == 0.25
    with pytest.raises(TypeError, match="schedule"):
        optimizer.learning_rate = 0.1
    rates = iter([0.5, 0.25])
    optimizer, variables = optimizers.SGD(lambda: next(rates)), weights()
    optimizer.apply(GRADIENTS, variables)
    optimizer.apply(GRADIENTS, variables)
    np.testing.assert_allclose(variables[1].numpy(), 1 - 0.75 * GRADIENTS[1])
    optimizer = optimizers.SGD(0.5)
    optimizer.learning_rate = schedule
    assert [v.name for v in optimizer.variables] == ["iteration"]
    assert optimizers.SGD.from_config(optimizer.get_config()).learning_rate == 0.5


def test_changed_hyperparameter_is_not_lost_in_a_compiled_step():
    optimizer, variables = optimizers.SGD(0.5, momentum=0.9), weights()
    optimizer.apply(GRADIENTS, variables)
    optimizer.momentum = 0.0
    before = variables[0].numpy()
    optimizer.apply(GRADIENTS, variables)
    np.testing.assert_allclose(variables[0].numpy(), before - 0.25, rtol=1e-6)


# Subclasses


class KerasStyle(optimizers.Optimizer):
    def __init__(self, learning_rate=0.5, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.momentum = 0.5

    def build(self, variables):
        super().build(variables)
        self.momentums = []
        for variable in variables:
            self.momentums.append(
                self.add_variable_from_reference(reference_variable=variable, name="momentum")
            )

    def update_step(self, gradient, variable, learning_rate):
        m = self.momentums[self._get_variable_index(variable)]
        self.assign(m, m * self.momentum - ops.multiply(gradient, learning_rate))
        self.assign_add(variable, m)


class ChangedAdam(optimizers.Adam):
    def update_step(self, gradient, variable, learning_rate):
        assert self._momentums[self._get_variable_index(variable)].shape == variable.shape
        super().update_step(gradient * 2, variable, learning_rate)


class PureStyle(optimizers.Optimizer):
    slots = ("momentum",)

    def update(self, p, g, slots, lr, step):
        m = 0.5 * slots[0] - lr * g
        return p + m, (m,)


@pytest.mark.parametrize(
    "arguments", [{}, {"gradient_accumulation_steps": 2, "weight_decay": 0.1, "use_ema": True}]
)
@pytest.mark.parametrize("cls", [KerasStyle, PureStyle])
def test_subclasses_run_eagerly_and_compiled(cls, arguments):
    reference, expected = optimizers.SGD(0.5, momentum=0.5, **arguments), weights()
    optimizer, variables = cls(0.5, **arguments), weights()
    optimizer.build(variables)
    params, state = [v.value for v in variables], [v.value for v in optimizer.variables]
    step = jax.jit(optimizer.pure_apply)
    for _ in range(3):
        reference.apply(GRADIENTS, expected)
        optimizer.apply(GRADIENTS, variables)
        params, state = step(state, GRADIENTS, params)
    for ours, value, wanted in zip(variables, params, expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), wanted.numpy(), rtol=1e-6)
        np.testing.assert_allclose(value, wanted.numpy(), rtol=1e-6)
    for ours, value, wanted in zip(optimizer.variables, state, reference.variables, strict=True):
        np.testing.assert_allclose(ours.numpy(), wanted.numpy(), rtol=1e-6)
        np.testing.assert_allclose(value, wanted.numpy(), rtol=1e-6)
        assert ours.name == wanted.name


@pytest.mark.parametrize("cls", ["Adam", "Nadam", "Adafactor"])
def test_inherited_update_step_is_the_pure_rule(cls):
    base = getattr(optimizers, cls)
    reference, expected = base(0.1), weights()

    class Changed(base):
        def update_step(self, gradient, variable, learning_rate):
            super().update_step(gradient * 2, variable, learning_rate)

    optimizer, variables = Changed(0.1), weights()
    for _ in range(3):
        reference.apply([2 * g for g in GRADIENTS], expected)
        optimizer.apply(GRADIENTS, variables)
    for ours, wanted in zip(
        [*variables, *optimizer.variables], [*expected, *reference.variables], strict=True
    ):
        np.testing.assert_allclose(ours.numpy(), wanted.numpy(), rtol=1e-6, atol=1e-7)


def test_keras_lists_of_slots_are_there_for_subclasses():
    optimizer = ChangedAdam(0.1)
    optimizer.apply(GRADIENTS, weights())
    sgd = optimizers.SGD(0.1, momentum=0.9)
    variables = weights()
    sgd.build(variables)
    assert [m.shape for m in sgd.momentums] == [v.shape for v in variables]


def test_overridden_apply_is_used_in_compiled_steps():
    class Doubled(optimizers.SGD):
        def apply(self, grads, trainable_variables=None):
            super().apply([2 * g for g in grads], trainable_variables)

    optimizer, variables = Doubled(0.5), weights()
    optimizer.build(variables)
    params, state = jax.jit(optimizer.pure_apply)(
        [v.value for v in optimizer.variables], GRADIENTS, [v.value for v in variables]
    )
    np.testing.assert_allclose(params[1], 1 - GRADIENTS[1])
    assert int(state[0]) == 1


def test_rule_is_missing():
    with pytest.raises(NotImplementedError, match="update_step"):
        optimizers.Optimizer(0.1).apply(GRADIENTS, weights())


# State


def test_slots_share_no_buffers():
    optimizer = optimizers.Adam(use_ema=True, gradient_accumulation_steps=2)
    optimizer.build(weights())
    pointers = [v.value.unsafe_buffer_pointer() for v in optimizer.variables]
    assert len(set(pointers)) == len(pointers)
    donated = jax.jit(optimizer.pure_apply, donate_argnums=0)
    donated([v.value for v in optimizer.variables], GRADIENTS, [v.value for v in weights()])


def test_save_and_load_variables():
    optimizer, variables = optimizers.Adam(0.1), weights()
    optimizer.apply(GRADIENTS, variables)
    store: dict[str, np.ndarray] = {}
    optimizer.save_own_variables(store)
    assert sorted(store) == ["0", "1", "2", "3", "4", "5"]
    other = optimizers.Adam(0.5)
    with pytest.warns(UserWarning, match="Skipping variable loading"):
        other.load_own_variables(store)
    other.build(variables)
    other.load_own_variables(store)
    assert all(
        np.array_equal(a, b) for a, b in zip(other.get_weights(), optimizer.get_weights(), strict=True)
    )
    other.set_weights([np.zeros_like(w) for w in other.get_weights()])
    assert int(other.iterations) == 0
    with pytest.raises(ArgumentError, match="one array for each"):
        other.set_weights([1.0])


def test_iterations_count_rounds():
    optimizer, variables = optimizers.SGD(0.1, gradient_accumulation_steps=2), weights()
    for expected in (0, 1, 1, 2):
        optimizer.apply(GRADIENTS, variables)
        assert int(optimizer.iterations) == expected
    assert optimizers.SGD().apply_gradients(zip(GRADIENTS, weights(), strict=True)).value == 1


@pytest.mark.parametrize("copy_of", [copy.deepcopy, lambda optimizer: pickle.loads(pickle.dumps(optimizer))])
def test_copies_stand_alone(copy_of):
    optimizer, variables = optimizers.AdamW(0.1), weights()
    optimizer.exclude_from_weight_decay(var_list=variables[:1])
    optimizer.apply(GRADIENTS, variables)
    copied = copy_of(optimizer)
    copied.apply(GRADIENTS)
    optimizer.apply(GRADIENTS)
    assert int(copied.iterations) == int(optimizer.iterations) == 2
    assert all(
        np.array_equal(a, b) for a, b in zip(copied.get_weights(), optimizer.get_weights(), strict=True)
    )
    for ours, theirs in zip(copied._trainable_variables, variables, strict=True):
        assert ours is not theirs
        assert np.array_equal(ours.numpy(), theirs.numpy())


def test_own_variables_are_tracked():
    optimizer = optimizers.SGD(0.1)
    optimizer.temperature = Variable(2.0, name="temperature")
    optimizer.pair = [
        optimizer.add_variable((2,), "ones", name="extra"),
        optimizer.add_variable((), name="more"),
    ]
    assert [v.name for v in optimizer.variables] == [
        "iteration",
        "learning_rate",
        "temperature",
        "extra",
        "more",
    ]
    rows = optimizer.add_optimizer_variables(weights(), ["a", "b"], initializer=["zeros", "ones"])
    assert [[v.name for v in row] for row in rows] == [["kernel_a", "bias_a"], ["kernel_b", "bias_b"]]
    assert rows[1][0].numpy().min() == 1


# Messages


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: optimizers.get("adamm"), ArgumentError, "Did you mean 'adam'"),
        (lambda: optimizers.get(3), ArgumentError, "given by name"),
        (lambda: optimizers.get("LossScaleOptimizer"), ArgumentError, "wraps other optimizers"),
        (lambda: optimizers.Adam("x"), ArgumentError, "must be a number"),
        (lambda: optimizers.Adam(None), ArgumentError, "must be a number"),
        (lambda: optimizers.Adam(learning_rat=0.1), ArgumentError, "Did you mean 'learning_rate'"),
        (lambda: optimizers.Adam(clipnorm=1.0, clipvalue=1.0), ArgumentError, "only one of"),
        (lambda: optimizers.Adam(use_ema=True, ema_momentum=2), ArgumentError, "ema_momentum"),
        (lambda: optimizers.Adam(gradient_accumulation_steps=1), ArgumentError, "integer >= 2"),
        (lambda: optimizers.Adam(name="a/b"), ArgumentError, "without '/'"),
        (lambda: optimizers.SGD(momentum=2.0), ArgumentError, "momentum"),
        (lambda: optimizers.AdamW(weight_decay=None), ArgumentError, "must be a float"),
        (lambda: optimizers.Lion(beta_1=0), ArgumentError, "beta_1"),
        (lambda: optimizers.Ftrl(learning_rate_power=1), ArgumentError, "learning_rate_power"),
        (lambda: optimizers.Ftrl(initial_accumulator_value=-1), ArgumentError, "initial_accumulator_value"),
        (lambda: optimizers.ScheduleFreeAdamW(beta_1=0), ArgumentError, "beta_1"),
        (lambda: optimizers.LossScaleOptimizer("sgd"), ArgumentTypeError, "inner_optimizer"),
        (lambda: optimizers.LossScaleOptimizer(optimizers.SGD(), clipnorm=1.0), ArgumentError, "clipnorm"),
        (lambda: optimizers.MultiOptimizer(3), ArgumentTypeError, "OptimizerMap"),
        (lambda: optimizers.OptimizerMap(3), ArgumentTypeError, "default_optimizer"),
        (lambda: optimizers.SGD().apply(GRADIENTS), NotBuiltError, "build"),
        (lambda: optimizers.SGD().set_weights([]), NotBuiltError, "build"),
        (
            lambda: optimizers.SGD().apply(GRADIENTS[:1], weights()),
            ArgumentError,
            "1 gradients for 2 weights",
        ),
        (lambda: optimizers.SGD().apply([None, None], weights()), ArgumentError, "No gradients provided"),
        (lambda: optimizers.SGD().apply(GRADIENTS[::-1], weights()), ShapeError, "'kernel'"),
        (lambda: optimizers.MultiOptimizer(lambda _: 3).build(weights()), ArgumentTypeError, "optimizer"),
    ],
)
def test_mistakes_are_explained(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_some_gradients_missing():
    variables = weights()
    with pytest.warns(UserWarning, match=r"Gradients do not exist for variables \['bias'\]"):
        optimizers.SGD(0.5).apply([GRADIENTS[0], None], variables)
    assert variables[1].numpy().tolist() == [1, 1, 1]
    assert variables[0].numpy()[0, 0] == 0.75


def test_unknown_weight():
    optimizer = optimizers.SGD()
    optimizer.build(weights())
    with pytest.raises(ValueError, match="Unknown variable"):
        optimizer.apply(GRADIENTS, weights())


def test_ambiguous_patterns():
    table = optimizers.OptimizerMap(optimizers.SGD(), {"k.*": optimizers.Adam(), ".*l": optimizers.Adam()})
    with pytest.raises(ValueError, match="Multiple optimizers"):
        table["kernel"]
    with pytest.raises(ValueError, match="already exists"):
        table["k.*"] = optimizers.SGD()
    del table["k.*"]
    assert len(table) == 1
    assert isinstance(table["kernel"], optimizers.Adam)
    optimizer = optimizers.MultiOptimizer(table)
    assert not hasattr(optimizer, "learning_rate")
    with pytest.raises(MissingNameError, match="cannot be set"):
        optimizer.learning_rate = 0.1


# Lookup


@pytest.mark.parametrize(
    "name", ["adam", "Adam", "ADAM", "AdamW", "adamw", "adam_w", "rmsprop", "RMSprop", "sgd", "lamb"]
)
def test_get_by_name(name):
    assert type(optimizers.get(name)).__name__.lower() == name.lower().replace("_", "")


def test_get_other_ways():
    optimizer = optimizers.Adam()
    assert optimizers.get(optimizer) is optimizer
    assert optimizers.get(None) is None
    assert isinstance(optimizers.get(optimizers.Adam), optimizers.Adam)
    config = {
        "class_name": "adam",
        "config": {"learning_rate": 0.5, "jit_compile": False, "is_legacy_optimizer": False},
    }
    assert float(optimizers.get(config).learning_rate) == 0.5
    inner = {"class_name": "CosineDecay", "config": {"initial_learning_rate": 0.1, "decay_steps": 10}}
    assert (
        float(optimizers.get({"class_name": "SGD", "config": {"learning_rate": inner}}).learning_rate) > 0.09
    )


def test_legacy_names_work():
    optimizer = optimizers.legacy.Adam(learning_rate=0.5)
    assert isinstance(optimizer, optimizers.legacy.Optimizer)
    assert isinstance(optimizer, optimizers.Adam)
    variables, expected = weights(), weights()
    optimizer.apply(GRADIENTS, variables)
    optimizers.Adam(0.5).apply(GRADIENTS, expected)
    assert np.array_equal(variables[0].numpy(), expected[0].numpy())
    assert optimizers.serialize(optimizer)["module"] == "keras.optimizers.legacy"
    assert type(optimizers.deserialize(optimizers.serialize(optimizer))) is optimizers.legacy.Adam
    assert all(hasattr(optimizers.legacy, name) for name in ("SGD", "RMSprop", "Adagrad", "Ftrl", "Nadam"))


# Optax


def test_optax_transformations_run_eagerly_and_compiled():
    transformation = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(0.1))
    optimizer, variables = optimizers.get(transformation), weights()
    optimizer.build(variables)
    params, state = [v.value for v in variables], [v.value for v in optimizer.variables]
    expected = [jnp.asarray(p) for p in params]
    expected_state = transformation.init(expected)
    step = jax.jit(optimizer.pure_apply)
    for _ in range(3):
        optimizer.apply(GRADIENTS, variables)
        params, state = step(state, GRADIENTS, params)
        updates, expected_state = transformation.update(GRADIENTS, expected_state, expected)
        expected = optax.apply_updates(expected, updates)
    for variable, value, wanted in zip(variables, params, expected, strict=True):
        np.testing.assert_allclose(variable.numpy(), wanted, rtol=1e-6)
        np.testing.assert_allclose(value, wanted, rtol=1e-6)
    assert int(optimizer.iterations) == int(state[0]) == 3


def test_optax_learning_rate():
    optimizer = OptaxOptimizer(optax.inject_hyperparams(optax.sgd)(learning_rate=0.5), use_ema=True)
    variables = weights()
    optimizer.build(variables)
    optimizer.learning_rate = 0.25
    optimizer.apply(GRADIENTS, variables)
    np.testing.assert_allclose(variables[1].numpy(), 1 - 0.25 * GRADIENTS[1])
    plain = OptaxOptimizer(optax.sgd(0.5))
    assert not hasattr(plain, "learning_rate")
    with pytest.raises(MissingNameError, match="inject_hyperparams"):
        plain.learning_rate = 0.1
    with pytest.raises(ArgumentError, match="cannot be written"):
        plain.get_config()
    with pytest.raises(ArgumentError, match="weight_decay"):
        OptaxOptimizer(optax.sgd(0.5), weight_decay=0.1)
    with pytest.raises(ArgumentTypeError, match="optax"):
        OptaxOptimizer(3)
    with pytest.warns(UserWarning, match="do not exist"), pytest.raises(ArgumentError, match="every weight"):
        plain.apply([GRADIENTS[0], None], weights())
