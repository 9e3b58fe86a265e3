"""One optimizer step as a pure function of plain arrays, and the ways to run it.

`pure_apply` maps (state, gradients, weights) to (new weights, new state) without touching a Variable;
compiled training steps use it. `apply` and `apply_gradients` run the same function on the Variables. In
order: weights overwritten by their gradient, loss scale, accumulation, clipping, weight decay, the rule,
moving average, constraints, iteration.

Not here: the rules themselves, and where the arrays are kept (`base.py`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbill.engine.errors import ArgumentError, NotBuiltError, ShapeError
from hornbill.engine.op import Tensor
from hornbill.engine.variable import Variable, functional_call
from hornbill.optimizers.schedules.base import LearningRateSchedule

__all__ = ["StepMixin"]

_PLAIN = (bool, int, float, str, type(None))


class StepMixin:
    """What an optimizer does with gradients; the base class brings the attributes used here."""

    # Written by `Optimizer`
    name: str
    built: bool
    decay: float
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: float | None
    gradient_accumulation_steps: int | None
    _iterations: Variable
    _learning_rate: Any
    _trainable_variables: list[Variable]
    _index_of: dict[int, int]
    _averages: list[Variable | None]
    _accumulated_gradients: list[Variable | None]
    _slot_variables: list[list[Variable]]
    _shared_variables: list[Variable]
    _excluded_variables: list[Variable]
    _excluded_names: tuple[str, ...]
    _compiled: dict[Any, Callable[..., Any]]
    variables: Any
    build: Callable[..., None]
    scale_loss: Callable[[Any], Any]
    decay_rate_of: Callable[[Variable], float | None]

    # The rule, given by subclasses

    def prepare(self, lr: Tensor, step: Tensor, shared: tuple[Tensor, ...]) -> tuple[Any, tuple[Tensor, ...]]:
        """Computes what all weights share in one step, such as bias corrections.

        Args:
            lr: The learning rate.
            step: Number of this step, from 1, as a float.
            shared: State shared by all weights; empty for nearly all optimizers.

        Returns:
            What `update` gets as `lr`, and the new shared state.
        """
        return lr, shared

    def update(
        self, p: Tensor, g: Tensor, slots: tuple[Tensor, ...], lr: Any, step: Tensor
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The rule: computes one weight after one step. Pure, on plain arrays.

        Args:
            p: The weight.
            g: Its gradient.
            slots: Its slots, in the order of `slots`.
            lr: What `prepare` returned; the learning rate unless overridden.
            step: Number of this step, from 1, as a float.

        Returns:
            The new weight and its new slots.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define the pure rule update(p, g, slots, lr, step), "
            "or override update_step(gradient, variable, learning_rate)."
        )

    def update_all(
        self,
        params: list[Tensor],
        grads: list[Tensor],
        slots: list[tuple[Tensor, ...]],
        lr: Any,
        step: Tensor,
    ) -> list[tuple[Tensor, tuple[Tensor, ...]]]:
        """Computes all weights of one dtype after one step: `update` for each, or one kernel for all.

        Args:
            params: The weights.
            grads: Their gradients.
            slots: Their slots.
            lr: What `prepare` returned.
            step: Number of this step, from 1, as a float.

        Returns:
            Each weight's new value and new slots.
        """
        rows = zip(params, grads, slots, strict=True)
        return [self.update(p, g, own, lr, step) for p, g, own in rows]

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Any) -> None:
        """Changes one weight by its gradient, in place; a subclass may override it.

        Args:
            gradient: The gradient.
            variable: The weight.
            learning_rate: The learning rate of this step.
        """
        slots = self._slot_variables[self._index_of[id(variable)]]
        g, p = jnp.asarray(gradient, variable.dtype), variable.value
        shared = tuple(kept.value for kept in self._shared_variables)
        terms, step, _ = self._terms(
            jnp.asarray(_array(learning_rate)), self._rounds(self._iterations.value), shared, p.dtype
        )
        new, values = self.update(p, g, tuple(slot.value for slot in slots), terms, step)
        variable.assign(new)
        for slot, value in zip(slots, values, strict=True):
            slot.assign(value)

    # Ways to run a step

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Variable:
        """Makes one step from pairs of gradient and weight.

        Args:
            grads_and_vars: The pairs; a gradient may be None.

        Returns:
            The number of steps made.
        """
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self._iterations

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """Makes one step.

        Args:
            grads: One gradient for each weight; None where there is none.
            trainable_variables: The weights; None means those the optimizer was built with. They build it the
                first time.

        Raises:
            NotBuiltError: Without weights, if the optimizer is not built.
            ArgumentError: If no gradient is given, their number is wrong, or a weight is unknown.
            ShapeError: If a gradient has another shape than its weight.
        """
        grads = list(grads)
        if not grads and not trainable_variables:
            return
        if trainable_variables is None:
            self._require_build("apply(grads) without weights")
            trainable_variables = self._trainable_variables
        variables = list(trainable_variables)
        self._check_count(grads, len(variables))
        if not self.built:
            self.build(variables)
        indices = self._indices(variables)
        kept = self._without_missing(grads, indices)
        if not kept:
            return
        chosen = tuple(indices[n] for n in kept)
        arrays = [_array(grads[n]) for n in kept]
        weights = [variables[n] for n in kept]
        self._check_shapes(arrays, weights)
        state_variables = self.variables
        values, state = self._runner(chosen)(
            [variable.value for variable in state_variables], arrays, [weight.value for weight in weights]
        )
        for variable, value in zip([*weights, *state_variables], [*values, *state], strict=True):
            variable.assign(value)

    def stateless_apply(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        """Makes one step on values instead of Variables.

        Args:
            optimizer_variables: Values of `variables`.
            grads: One gradient for each weight.
            trainable_variables: Values of the weights that the optimizer was built with.

        Returns:
            `(new weights, new optimizer_variables)`.

        Raises:
            NotBuiltError: If the optimizer is not built.
            ArgumentError: If a number of arrays is wrong.
        """
        self._require_build("stateless_apply")
        for word, values, boxes in (
            ("optimizer_variables", optimizer_variables, self.variables),
            ("trainable_variables", trainable_variables, self._trainable_variables),
        ):
            if len(values) != len(boxes):
                raise ArgumentError(
                    f"{type(self).__name__}.stateless_apply takes one value for each of {len(boxes)} {word}.",
                    got=f"{len(values)} values.",
                )
        return self.pure_apply(optimizer_variables, grads, trainable_variables)

    def pure_apply(
        self, state: Sequence[Any], grads: Sequence[Any], params: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        """Makes one step as a pure function; what compiled training uses.

        Args:
            state: Values of `variables`, in their order.
            grads: One gradient for each weight; None where there is none.
            params: Values of the weights that the optimizer was built with.

        Returns:
            `(new_params, new_state)`.

        Raises:
            NotBuiltError: If the optimizer is not built.
            ArgumentError: If the number of gradients is wrong or all are None.
            ShapeError: If a gradient has another shape than its weight.
        """
        self._require_build("pure_apply")
        grads, params = list(grads), list(params)
        self._check_count(grads, len(params))
        if type(self).apply is not StepMixin.apply:
            boxes = [*self._trainable_variables, *self.variables]
            _, values = functional_call(
                boxes, [*params, *state], self.apply, grads, self._trainable_variables
            )
            return values[: len(params)], values[len(params) :]
        kept = self._without_missing(grads, tuple(range(len(params))))
        if not kept:
            return params, list(state)
        arrays = [_array(grads[n]) for n in kept]
        self._check_shapes(arrays, [self._trainable_variables[n] for n in kept])
        changed, new_state = self._pure(list(state), arrays, [params[n] for n in kept], tuple(kept))
        for n, value in zip(kept, changed, strict=True):
            params[n] = value
        return params, new_state

    def pure_scale_loss(self, state: Sequence[Any], loss: Tensor) -> Tensor:
        """Scales the loss by what `state` says, where `scale_loss` asks the Variables.

        Args:
            state: Values of `variables`.
            loss: The loss.

        Returns:
            What gradients are to be taken of.
        """
        return self.scale_loss(loss)

    def _runner(self, indices: tuple[int, ...]) -> Callable[..., Any]:
        key = self._trace_key()
        if key is None:
            return lambda state, grads, params: self._pure(state, grads, params, indices)
        key = (indices, len(self.variables), key)
        if key not in self._compiled:
            self._compiled[key] = jax.jit(
                lambda state, grads, params: self._pure(list(state), list(grads), list(params), indices)
            )
        return self._compiled[key]

    def _trace_key(self) -> Any:
        """Returns what a compiled step depends on besides its arrays; None if it must not be compiled."""
        rate = self._learning_rate
        own = type(rate).__module__.startswith("hornbill.")
        if self._has_own_update_step() or not (isinstance(rate, Variable) or own):
            return None
        if any(variable.constraint is not None for variable in self._trainable_variables):
            return None
        plain = tuple((key, value) for key, value in vars(self).items() if isinstance(value, _PLAIN))
        rule = (
            () if isinstance(rate, Variable) else tuple(sorted((k, repr(v)) for k, v in vars(rate).items()))
        )
        return plain, type(rate), rule, tuple(map(id, self._excluded_variables)), self._excluded_names

    def _has_own_update_step(self) -> bool:
        return type(self).update_step is not StepMixin.update_step

    # Checks

    def _require_build(self, what: str) -> None:
        if not self.built:
            raise NotBuiltError(
                f"{type(self).__name__}: {what} needs an optimizer that knows its weights.",
                fixes="optimizer.build(model.trainable_variables)",
            )

    def _check_count(self, grads: Sequence[Any], count: int) -> None:
        if len(grads) != count:
            raise ArgumentError(
                f"{type(self).__name__}: there must be one gradient for each weight.",
                got=f"{len(grads)} gradients for {count} weights.",
                fixes="Give None for a weight without gradient.",
            )

    def _indices(self, variables: Sequence[Variable]) -> tuple[int, ...]:
        for variable in variables:
            if id(variable) not in self._index_of:
                raise ArgumentError(
                    f"{type(self).__name__} {self.name!r} was built for other weights.",
                    got=f"Unknown variable: {variable!r}.",
                    fixes="Create a new optimizer for a new set of weights.",
                )
        return tuple(self._index_of[id(variable)] for variable in variables)

    def _without_missing(self, grads: Sequence[Any], indices: Sequence[int]) -> list[int]:
        kept = [n for n, gradient in enumerate(grads) if gradient is not None]
        if grads and not kept:
            raise ArgumentError(
                "No gradients provided for any variable.",
                got=f"None for all {len(grads)} weights.",
                why="The loss does not depend on any of the weights.",
                fixes="Check that model.compile() got a `loss` and that it is computed from the output.",
            )
        if len(kept) < len(grads):
            paths = [self._trainable_variables[indices[n]].path for n, g in enumerate(grads) if g is None]
            warnings.warn(
                f"Gradients do not exist for variables {paths} when minimizing the loss. If using "
                "`model.compile()`, did you forget to provide a `loss` argument?",
                stacklevel=4,
            )
        return kept

    def _check_shapes(self, grads: Sequence[Any], variables: Sequence[Variable]) -> None:
        for gradient, variable in zip(grads, variables, strict=True):
            if tuple(gradient.shape) != tuple(variable.shape):
                axes = f" ({', '.join(variable.axes)})" if variable.axes else ""
                raise ShapeError(
                    f"{type(self).__name__}: a gradient must have the shape of its weight {variable.path!r}.",
                    got=f"gradient {tuple(gradient.shape)}, weight {tuple(variable.shape)}{axes}.",
                    fixes="Give the gradients in the order of the weights.",
                )

    # The step

    def _rounds(self, iteration: Any) -> Any:
        steps = self.gradient_accumulation_steps
        return iteration // steps if steps else iteration

    def _positions(self) -> dict[int, int]:
        return {id(variable): position for position, variable in enumerate(self.variables)}

    def _rate(self, state: Sequence[Any], at: dict[int, int]) -> Any:
        """The learning rate of this step from the state."""
        source, iteration = self._learning_rate, state[at[id(self._iterations)]]
        if isinstance(source, Variable):
            rate = state[at[id(source)]]
        elif isinstance(source, LearningRateSchedule):
            rate = source(iteration)
        else:
            rate = source()
        rate = jnp.asarray(_array(rate))
        rate = rate if jnp.issubdtype(rate.dtype, jnp.floating) else rate.astype("float32")
        return rate / (1.0 + self.decay * iteration.astype(rate.dtype)) if self.decay else rate

    def _pure(
        self, state: list[Any], grads: list[Any], params: list[Any], indices: tuple[int, ...]
    ) -> tuple[list[Any], list[Any]]:
        at = self._positions()
        state, params = list(state), list(params)
        here = at[id(self._iterations)]
        iteration = state[here]
        variables = [self._trainable_variables[index] for index in indices]
        plain = [n for n, variable in enumerate(variables) if not variable.overwrite_with_gradient]
        for n in set(range(len(variables))) - set(plain):
            self._overwrite(state, at, grads[n], params, n, indices[n], iteration)
        if plain:
            chosen = tuple(indices[n] for n in plain)
            scale = self.loss_scale_factor
            kept = [grads[n] if scale is None else grads[n] / scale for n in plain]
            changed, state = self._accumulate(state, at, kept, [params[n] for n in plain], chosen)
            if self.use_ema:
                changed, state = self._average(state, at, changed, chosen)
            for n, value in zip(plain, changed, strict=True):
                params[n] = value
        for n, variable in enumerate(variables):
            if variable.constraint is not None:
                params[n] = _array(variable.constraint(params[n])).astype(params[n].dtype)
        state[here] = iteration + 1
        return params, state

    def _overwrite(
        self,
        state: list[Any],
        at: dict[int, int],
        g: Any,
        params: list[Any],
        n: int,
        index: int,
        iteration: Any,
    ) -> None:
        """Puts a gradient in the place of its weight; over several accumulated ones, their maximum."""
        g = g.astype(params[n].dtype)
        accumulator = self._accumulated_gradients[index] if self._accumulated_gradients else None
        if accumulator is None:
            params[n] = g
            return
        place = at[id(accumulator)]
        due = (iteration + 1) % self.gradient_accumulation_steps == 0
        largest = jnp.maximum(g, state[place])
        params[n] = jnp.where(due, largest, params[n])
        state[place] = jnp.where(due, jnp.zeros_like(largest), largest)

    def _accumulate(
        self,
        state: list[Any],
        at: dict[int, int],
        grads: list[Any],
        params: list[Any],
        indices: tuple[int, ...],
    ) -> tuple[list[Any], list[Any]]:
        steps = self.gradient_accumulation_steps
        if not steps:
            return self._step(state, at, grads, params, indices)
        iteration = state[at[id(self._iterations)]]
        places = [at[id(self._accumulated_gradients[index])] for index in indices]
        sums = [state[place] + g.astype(state[place].dtype) for place, g in zip(places, grads, strict=True)]

        def due(state: list[Any], params: list[Any]) -> tuple[list[Any], list[Any]]:
            params, state = self._step(state, at, [total / steps for total in sums], params, indices)
            for accumulator in self._accumulated_gradients:
                if accumulator is not None:
                    place = at[id(accumulator)]
                    state[place] = jnp.zeros_like(state[place])
            return params, state

        def wait(state: list[Any], params: list[Any]) -> tuple[list[Any], list[Any]]:
            state = list(state)
            for place, total in zip(places, sums, strict=True):
                state[place] = total
            return list(params), state

        return jax.lax.cond((iteration + 1) % steps == 0, due, wait, state, params)

    def _step(
        self,
        state: list[Any],
        at: dict[int, int],
        grads: list[Any],
        params: list[Any],
        indices: tuple[int, ...],
    ) -> tuple[list[Any], list[Any]]:
        lr = self._rate(state, at)
        params = list(params)
        for n, index in enumerate(indices):
            decay = self.decay_rate_of(self._trainable_variables[index])
            if decay is not None:
                p = params[n]
                params[n] = p - p * jnp.asarray(decay, p.dtype) * lr.astype(p.dtype)
        return self._rule(list(state), at, self._clip(grads), params, indices, lr)

    def _clip(self, grads: list[Any]) -> list[Any]:
        if self.clipnorm is not None and self.clipnorm > 0:
            return [_clip_by_norm(g, jnp.sqrt(_square_sum(g)), self.clipnorm) for g in grads]
        if self.global_clipnorm is not None and self.global_clipnorm > 0:
            norm = jnp.sqrt(sum((_square_sum(g) for g in grads), jnp.zeros((), "float32")))
            return [_clip_by_norm(g, norm, self.global_clipnorm) for g in grads]
        if self.clipvalue is not None and self.clipvalue > 0:
            return [jnp.clip(g, -self.clipvalue, self.clipvalue) for g in grads]
        return grads

    def _rule(
        self,
        state: list[Any],
        at: dict[int, int],
        grads: list[Any],
        params: list[Any],
        indices: tuple[int, ...],
        lr: Any,
    ) -> tuple[list[Any], list[Any]]:
        rounds = self._rounds(state[at[id(self._iterations)]])
        shared_places = [at[id(variable)] for variable in self._shared_variables]
        shared = tuple(state[place] for place in shared_places)
        if self._has_own_update_step():
            params, state = self._call_update_step(state, grads, params, indices, lr)
            new_shared = self._terms(lr, rounds, shared, lr.dtype)[2]
        else:
            new_shared = shared
            for dtype in dict.fromkeys(p.dtype for p in params):
                chosen = [n for n, p in enumerate(params) if p.dtype == dtype]
                terms, step, new_shared = self._terms(lr, rounds, shared, dtype)
                places = [[at[id(slot)] for slot in self._slot_variables[indices[n]]] for n in chosen]
                slots = [tuple(state[place] for place in each) for each in places]
                changed = self.update_all(
                    [params[n] for n in chosen], [grads[n].astype(dtype) for n in chosen], slots, terms, step
                )
                for n, each, (new, values) in zip(chosen, places, changed, strict=True):
                    params[n] = new.astype(dtype)
                    for place, value in zip(each, values, strict=True):
                        state[place] = value.astype(state[place].dtype)
        for place, value in zip(shared_places, new_shared, strict=True):
            state[place] = value.astype(state[place].dtype)
        return params, state

    def _terms(
        self, lr: Any, rounds: Any, shared: tuple[Any, ...], dtype: Any
    ) -> tuple[Any, Any, tuple[Any, ...]]:
        """What `prepare` gives for weights of one dtype; 16-bit floats are too coarse to compute it in."""
        work = jnp.promote_types(dtype, "float32")
        step = jnp.asarray(rounds + 1).astype(work)
        terms, shared = self.prepare(lr.astype(work), step, shared)
        return jax.tree.map(lambda term: jnp.asarray(term).astype(dtype), terms), step, shared

    def _call_update_step(
        self, state: list[Any], grads: list[Any], params: list[Any], indices: tuple[int, ...], lr: Any
    ) -> tuple[list[Any], list[Any]]:
        weights = [self._trainable_variables[index] for index in indices]

        def run() -> None:
            for gradient, weight in zip(grads, weights, strict=True):
                self.update_step(gradient, weight, lr)

        _, values = functional_call([*weights, *self.variables], [*params, *state], run)
        return values[: len(params)], values[len(params) :]

    def _average(
        self, state: list[Any], at: dict[int, int], params: list[Any], indices: tuple[int, ...]
    ) -> tuple[list[Any], list[Any]]:
        rounds = self._rounds(state[at[id(self._iterations)]])
        state, params = list(state), list(params)
        for n, index in enumerate(indices):
            place, p = at[id(self._averages[index])], params[n]
            momentum = jnp.where(rounds == 0, 0.0, self.ema_momentum).astype(p.dtype)
            state[place] = momentum * state[place] + (1 - momentum) * p
            if self.ema_overwrite_frequency:
                params[n] = jnp.where((rounds + 1) % self.ema_overwrite_frequency == 0, state[place], p)
        return params, state


def _array(value: Any) -> Any:
    """Returns a gradient or rate as something with `shape` and `dtype`."""
    value = value.value if isinstance(value, Variable) else value
    return value if isinstance(value, jax.Array) else jnp.asarray(np.asarray(value))


def _square_sum(g: Any) -> Any:
    return jnp.sum(jnp.square(g.astype(jnp.promote_types(g.dtype, "float32"))))


def _clip_by_norm(g: Any, norm: Any, largest: float) -> Any:
    factor = jnp.where(norm > largest, largest / norm, 1.0)
    return g * factor.astype(g.dtype)
