"""The pure steps: `(state, batch) -> (logs, state)`, compiled once each.

The state is four flat lists of arrays: trainable variables, non-trainable ones, the optimizer's, the metrics'. A step
swaps them into the Variables by `functional_call`, runs the model, and hands the new values back. `Steps` gathers the
state, compiles, runs and writes back; a second compilation says why it happened.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from hornbill.engine.compatibility import warn_once
from hornbill.engine.errors import ArgumentError, DataError
from hornbill.engine.random import global_seed_generator
from hornbill.engine.registry import is_own
from hornbill.engine.tracking import unique
from hornbill.engine.variable import Variable, functional_call
from hornbill.training.compiler_memory import release_after_compiling
from hornbill.training.frozen import as_compiled
from hornbill.training.workload import Workload, workload_of

__all__ = ["State", "Steps", "loss_and_gradients", "masked_weight", "unpacked"]

State = tuple[list[Any], list[Any], list[Any], list[Any]]


class Steps:
    """The compiled steps of one model and the Variables they carry.

    Args:
        model: The model; built, and compiled for `train` and `test`.

    Attributes:
        seconds: How long a step takes in a loop, by kind and rows of a batch, where that was measured.
    """

    def __init__(self, model: Any) -> None:
        release_after_compiling()
        self.model = model
        self.trainable: list[Variable] = list(model.trainable_variables)
        metric_variables = unique(v for m in model.metrics for v in m.variables)
        self.non_trainable = model.non_trainable_variables
        seed = global_seed_generator().state
        if all(v is not seed for v in self.non_trainable):
            self.non_trainable = [*self.non_trainable, seed]
        self.optimizer: list[Variable] = (
            list(model.optimizer.variables) if model.optimizer is not None else []
        )
        self.metrics = metric_variables
        self.metric_objects = model.metrics
        self.seconds: dict[Any, float] = {}
        self._loops: dict[str, Any] = {}
        self._workloads: dict[Any, Workload] = {}
        self._functions: dict[str, Callable[..., Any]] = {}
        self._traced: dict[str, list[Any]] = {}

    @property
    def variables(self) -> list[Variable]:
        """All variables of the state, in its order."""
        return [*self.trainable, *self.non_trainable, *self.optimizer, *self.metrics]

    def carries(self, metric: Any) -> bool:
        """Returns whether a metric is among the model's: a subclass' `metrics` may leave the mean loss out."""
        return any(metric is one for one in self.metric_objects)

    def same_variables(self, other: Steps) -> bool:
        """Returns whether other steps carry the same variables, so that their programs still serve."""
        mine, theirs = self.variables, other.variables
        return len(mine) == len(theirs) and all(a is b for a, b in zip(mine, theirs, strict=True))

    def gather(self, kind: str) -> State:
        """Returns the state that a step of a kind takes; what it gives away, nobody else holds."""
        if kind == "train":
            groups = (self.trainable, self.non_trainable, self.optimizer, self.metrics)
            tv, ntv, ov, mv = ([v.give_away() for v in group] for group in groups)
            return tv, ntv, ov, mv
        return (
            [v._value for v in self.trainable],
            [v._value for v in self.non_trainable],
            [],
            [v.give_away() for v in self.metrics] if kind == "test" else [],
        )

    def write_back(self, kind: str, state: Any) -> None:
        """Puts a step's new values into the Variables."""
        groups = (self.trainable, self.non_trainable, self.optimizer, self.metrics)
        for variables, values in zip(groups, state, strict=False):
            if values:
                for variable, value in zip(variables, values, strict=True):
                    variable._value = value

    def function(self, kind: str) -> Callable[..., Any]:
        """Returns the step of a kind ("train", "test", "predict"), compiled unless the model runs eagerly."""
        if kind not in self._functions:
            step = self._noted(kind, _frozen_as_compiled(self.model, _step_of(self.model, kind)))
            if self.model._runs_compiled:
                # test and predict leave the weights alone, so only what a step replaces is given away
                step = jax.jit(step, donate_argnums={"train": 0, "test": 2, "predict": ()}[kind])
            self._functions[kind] = step
        return self._functions[kind]

    def run(self, kind: str, batch: Any) -> Any:
        """Runs one step on a batch, writes the state back and returns the logs (or the outputs)."""
        state = self.gather(kind)
        if kind == "train":
            logs, state = self.function(kind)(state, batch)
            self.write_back(kind, state)
            return logs
        tv, ntv, _, mv = state
        if kind == "test":
            result, changed, mv = self.function(kind)(tv, ntv, mv, batch)
            self.write_back(kind, ((), (), (), mv))
        else:
            result, changed = self.function(kind)(tv, ntv, batch)
        self.write_changed(changed)
        return result

    def write_changed(self, changed: dict[int, Any]) -> None:
        """Puts what a test or a prediction has replaced into the Variables, by place among the non-trainable."""
        for place, value in changed.items():
            self.non_trainable[place]._value = value

    def kept(self, name: str, make: Callable[[], Any]) -> Any:
        """Returns a compiled loop, made at its first use and kept as long as the steps."""
        if name not in self._loops:
            self._loops[name] = make()
        return self._loops[name]

    def with_state(self, kind: str) -> Callable[..., Any]:
        """Returns the step of a kind as `(state, batch) -> (logs, state)`."""
        return self.function(kind) if kind == "train" else _with_state(self.function(kind))

    @property
    def resets_are_pure(self) -> bool:
        """Whether resetting the metrics does nothing but set their variables."""
        return all(is_own(type(metric)) for metric in self.metric_objects)

    def reset_values(self, values: list[Any]) -> list[Any]:
        """Returns what the metrics' variables hold after a reset."""

        def reset() -> None:
            for metric in self.metric_objects:
                metric.reset_state()

        return functional_call(self.metrics, values, reset)[1]

    def workload(self, kind: str, batch: Any) -> Workload:
        """Returns the arithmetic of a step on batches like `batch`, from its trace, which compiling then uses."""
        key = (kind, *((leaf.shape, str(leaf.dtype)) for leaf in jax.tree_util.tree_leaves(batch)))
        if key not in self._workloads:
            tv, ntv, _, mv = state = self.gather(kind)
            arguments = {
                "train": (state, batch), "test": (tv, ntv, mv, batch), "predict": (tv, ntv, batch)
            }[kind]  # fmt: skip
            self._workloads[key] = workload_of(self.function(kind).trace(*arguments).jaxpr)  # type: ignore[attr-defined]
        return self._workloads[key]

    def _noted(self, kind: str, step: Callable[..., Any]) -> Callable[..., Any]:
        """Returns the step, which notes each time it is traced and says why the second time."""
        if not self.model._runs_compiled:
            return step

        def traced(*args: Any) -> Any:
            shapes = jax.tree_util.tree_map(lambda leaf: tuple(leaf.shape), args[-1])
            earlier = self._traced.setdefault(kind, [])
            count = len(earlier) + 1
            if count in (4, 8, 16, 32, 64, 128):
                warn_once(
                    f"compiled {self.model.name} {kind} {count}",
                    f"{kind} step of model {self.model.name!r} is compiled for {count} sizes of batches by now: "
                    f"this one has x of {shapes[0]}, the one before {earlier[-1][0]}. Batches of one size "
                    "compile once.",
                )
            earlier.append(shapes)
            return step(*args)

        return traced

    def compiled_for(self, kind: str) -> list[Any]:
        """Returns the shapes of the batches that a kind of step was compiled for."""
        return self._traced.get(kind, [])


def _step_of(model: Any, kind: str) -> Callable[..., Any]:
    """Returns the uncompiled step of a kind, from the model's own methods where it overrides them."""
    method = getattr(model, f"{kind}_step")
    _check_signature(model, kind, method)
    if getattr(method, "__func__", None) is not model.own_steps[kind]:
        method = _given_packed(method)
    if kind != "predict":
        method = _with_plain_logs(method)
    if kind == "train":
        return method
    if kind == "test":

        def test(tv: Any, ntv: Any, mv: Any, batch: Any) -> Any:
            logs, (_, new, mv) = method((tv, ntv, mv), batch)
            return logs, _changed(ntv, new), mv

        return test

    def predict(tv: Any, ntv: Any, batch: Any) -> Any:
        outputs, new = method((tv, ntv), batch)
        if isinstance(new, tuple) and len(new) == 2 and isinstance(new[1], list):
            new = new[1]
        return outputs, _changed(ntv, list(new))

    return predict


def _with_state(test: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a test step in the form of a training step: `(state, batch) -> (logs, state)`."""

    def step(state: Any, batch: Any) -> Any:
        tv, ntv, ov, mv = state
        logs, changed, mv = test(tv, ntv, mv, batch)
        return logs, (tv, [changed.get(i, value) for i, value in enumerate(ntv)], ov, mv)

    return step


def _frozen_as_compiled(model: Any, step: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any) -> Any:
        with as_compiled(model):
            return step(*args)

    return run


def _with_plain_logs(method: Callable[..., Any]) -> Callable[..., Any]:
    def step(state: Any, batch: Any) -> Any:
        logs, state = method(state, batch)
        return _plain_logs(logs), state

    return step


def _plain_logs(logs: Any) -> Any:
    """Returns the logs with the entries of dicts inside in their place, and values in place of Variables."""
    if not isinstance(logs, dict):
        return logs
    plain: dict[str, Any] = {}
    for name, value in logs.items():
        if isinstance(value, dict):
            plain.update(_plain_logs(value))
        else:
            plain[name] = value.value if isinstance(value, Variable) else value
    return plain


def _changed(before: list[Any], after: list[Any]) -> dict[int, Any]:
    """Returns the values that a step has replaced, by their place, so that the others are not copied."""
    return {i: new for i, (old, new) in enumerate(zip(before, after, strict=True)) if new is not old}


def _given_packed(method: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a user's step, which gets its data as Keras packs it: `(x, y)`, `(x, y, sample_weight)` or x alone."""

    def step(state: Any, batch: Any) -> Any:
        x, y, sample_weight, _ = batch
        if sample_weight is not None:
            return method(state, (x, y, sample_weight))
        return method(state, (x, y) if y is not None else (x,) if isinstance(x, tuple) else x)

    return step


def _check_signature(model: Any, kind: str, method: Callable[..., Any]) -> None:
    parameters = list(inspect.signature(method).parameters)
    if len(parameters) < 2:
        raise ArgumentError(
            f"{type(model).__name__}.{kind}_step takes (state, data) on JAX.",
            got=f"{kind}_step({', '.join(parameters)}), as with TensorFlow or torch.",
            why="JAX computes gradients of pure functions: the values go in and come out.",
            fixes=(
                "Often overriding compute_loss(self, x, y, y_pred, sample_weight) is enough.",
                "Else def train_step(self, state, data): ... return logs, state; see examples/custom_training_step.py.",
            ),
        )


def loss_and_gradients(model: Any, state: State, batch: Any) -> tuple[Any, Any, State, Any]:
    """Runs forward and backward; returns loss, gradients, the state (optimizer untouched) and the predictions."""
    tv, ntv, ov, mv = state
    x, y, sample_weight, rows = batch
    trainable, frozen, metric_variables = (
        model._steps.trainable,
        model._steps.non_trainable,
        model._steps.metrics,
    )
    optimizer = model.optimizer

    def compute(values: list[Any]) -> Any:
        def forward() -> Any:
            y_pred = model._call_for_training(x)
            loss = model._total_loss(x, y, y_pred, sample_weight, rows)
            model._clear_losses()
            return loss, y_pred

        (loss, y_pred), new = functional_call(
            [*trainable, *frozen, *metric_variables], [*values, *ntv, *mv], forward
        )
        start = len(trainable)
        scaled = optimizer.pure_scale_loss(ov, loss)
        return scaled, (loss, y_pred, new[start : start + len(frozen)], new[start + len(frozen) :])

    (_, (loss, y_pred, ntv, mv)), grads = jax.value_and_grad(compute, has_aux=True)(list(tv))
    return loss, grads, (tv, ntv, ov, mv), y_pred


def masked_weight(sample_weight: Any, rows: Any) -> Any:
    """Returns the sample weights with padded rows set to zero."""
    if rows is None:
        return sample_weight
    if sample_weight is None:
        return rows

    def combine(weight: Any) -> Any:
        return weight * jnp.reshape(rows, (-1,) + (1,) * (weight.ndim - 1)).astype(weight.dtype)

    return jax.tree_util.tree_map(combine, sample_weight)


def unpacked(data: Any) -> tuple[Any, Any, Any, Any]:
    """Returns `(x, y, sample_weight, rows)` for a batch in the loop's or the user's form."""
    if not isinstance(data, tuple):
        return data, None, None, None
    if len(data) > 4:
        raise DataError("A batch is (x, y) or (x, y, sample_weight).", got=f"a tuple of {len(data)}.")
    return (*data, *(None,) * (4 - len(data)))  # type: ignore[return-value]
