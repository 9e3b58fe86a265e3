"""Dynamic loss scaling for float16: it grows while gradients stay finite and halves when they do not.

Not here: a fixed factor, which every optimizer takes as `loss_scale_factor`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbill.engine.errors import ArgumentError, ArgumentTypeError
from hornbill.engine.naming import name_scope
from hornbill.engine.op import Tensor
from hornbill.engine.serialization import deserialize_keras_object, serialize_keras_object
from hornbill.engine.variable import Variable
from hornbill.optimizers.base import Optimizer

__all__ = ["LossScaleOptimizer"]


class LossScaleOptimizer(Optimizer):
    """Wraps an optimizer and scales the loss, so that small float16 gradients do not vanish.

    A step whose gradients are not all finite is left out and halves the scale; after `dynamic_growth_steps`
    finite ones in a row the scale doubles.

    Args:
        inner_optimizer: The optimizer that makes the steps.
        initial_scale: First factor of the loss.
        dynamic_growth_steps: Finite steps after which the factor doubles.
        name: A name; automatic if None.
        **kwargs: Refused; clipping, decay and averages are set on `inner_optimizer`.

    Example:
        >>> from hornbill.optimizers import SGD
        >>> float(LossScaleOptimizer(SGD(0.1), initial_scale=8.0).scale_loss(2.0))
        16.0
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 32768.0,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(inner_optimizer, Optimizer):
            raise ArgumentTypeError(
                "LossScaleOptimizer: `inner_optimizer` must be an optimizer.",
                got=f"inner_optimizer={inner_optimizer!r}.",
                fixes="keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())",
            )
        for word, value in kwargs.items():
            if value is not None and value is not False and word != "ema_momentum":
                raise ArgumentError(
                    f"LossScaleOptimizer does not support `{word}`.",
                    got=f"{word}={value!r}.",
                    fixes=f"Set `{word}` on the `inner_optimizer`.",
                )
        if initial_scale <= 0 or dynamic_growth_steps < 1:
            raise ArgumentError(
                "LossScaleOptimizer: `initial_scale` must be above 0 and `dynamic_growth_steps` at least 1.",
                got=f"initial_scale={initial_scale!r}, dynamic_growth_steps={dynamic_growth_steps!r}.",
            )
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale, self.dynamic_growth_steps = initial_scale, dynamic_growth_steps

    def build(self, variables: Sequence[Variable]) -> None:
        """Creates the scale and the slots of the inner optimizer.

        Args:
            variables: The weights, in the order in which gradients will come.
        """
        if self.built:
            return
        with name_scope(self.name):
            self.step_counter = Variable(np.zeros((), "int32"), trainable=False, name="step_counter")
            self.dynamic_scale = Variable(
                np.asarray(self.initial_scale, "float32"), trainable=False, name="dynamic_scale"
            )
        self.inner_optimizer.build(variables)
        super().build(variables)

    @property
    def variables(self) -> list[Variable]:
        """Its own variables, then those of the inner optimizer."""
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    @property
    def iterations(self) -> Any:
        """The number of steps that the inner optimizer made."""
        return self.inner_optimizer.iterations

    def scale_loss(self, loss: Tensor) -> Tensor:
        """Multiplies the loss by the present scale.

        Args:
            loss: The loss.
        """
        scale = self.dynamic_scale.value if self.built else self.initial_scale
        return self.inner_optimizer.scale_loss(loss) * scale

    def pure_scale_loss(self, state: Sequence[Any], loss: Tensor) -> Tensor:
        """Multiplies the loss by the scale in `state`.

        Args:
            state: Values of `variables`.
            loss: The loss.
        """
        scale = state[self._positions()[id(self.dynamic_scale)]]
        return self.inner_optimizer.scale_loss(loss) * scale

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Lets the inner optimizer replace weights by their averages.

        Args:
            var_list: The weights.
        """
        self.inner_optimizer.finalize_variable_values(var_list)

    def _trace_key(self) -> Any:
        inner = self.inner_optimizer._trace_key()
        return None if inner is None else (super()._trace_key(), inner)

    def _pure(
        self, state: list[Any], grads: list[Any], params: list[Any], indices: tuple[int, ...]
    ) -> tuple[list[Any], list[Any]]:
        at = self._positions()
        counter_at, scale_at = at[id(self.step_counter)], at[id(self.dynamic_scale)]
        own = len(self._variables)
        variables = [self._trainable_variables[index] for index in indices]
        counter, scale = state[counter_at], state[scale_at]
        checked = [
            g for g, variable in zip(grads, variables, strict=True) if not variable.overwrite_with_gradient
        ]
        finite = jnp.all(jnp.asarray([jnp.all(jnp.isfinite(g)) for g in checked]))
        unscaled = [
            g if variable.overwrite_with_gradient else g / scale.astype(g.dtype)
            for g, variable in zip(grads, variables, strict=True)
        ]

        def step(inner: list[Any], params: list[Any]) -> tuple[list[Any], list[Any]]:
            return self.inner_optimizer._pure(inner, unscaled, params, indices)

        def skip(inner: list[Any], params: list[Any]) -> tuple[list[Any], list[Any]]:
            return list(params), list(inner)

        params, inner = jax.lax.cond(finite, step, skip, list(state[own:]), list(params))
        grown = counter + 1 >= self.dynamic_growth_steps
        state = [*state[:own], *inner]
        state[counter_at] = jnp.where(finite & ~grown, counter + 1, 0).astype(counter.dtype)
        state[scale_at] = jnp.where(finite, jnp.where(grown, scale * 2, scale), scale / 2).astype(scale.dtype)
        return params, state

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that create this optimizer anew, as plain data."""
        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> LossScaleOptimizer:
        """Creates an optimizer from what `get_config` returned.

        Args:
            config: The arguments.
            custom_objects: Classes and functions of your own, by name.
        """
        inner = deserialize_keras_object(config["inner_optimizer"], custom_objects=custom_objects)
        return cls(**{**config, "inner_optimizer": inner})
