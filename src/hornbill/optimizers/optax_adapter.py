"""Any optax transformation as an optimizer: `model.compile(optimizer=optax.adam(1e-3))` works.

Optax itself is never imported; a pair of `init` and `update` is all that is asked for. Not here: weight
decay, which is part of the transformation (`optax.add_decayed_weights`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbill.engine.errors import ArgumentError, ArgumentTypeError, MissingNameError
from hornbill.engine.variable import Variable
from hornbill.optimizers.base import Optimizer

__all__ = ["OptaxOptimizer"]


def is_optax(value: Any) -> bool:
    """Returns whether a value looks like an optax transformation: a named pair of `init` and `update`.

    Args:
        value: Anything.
    """
    return (
        isinstance(value, tuple)
        and callable(getattr(value, "init", None))
        and callable(getattr(value, "update", None))
    )


class OptaxOptimizer(Optimizer):
    """Makes the steps of an optax transformation.

    With `optax.inject_hyperparams` the learning rate can be read and set once the optimizer is built;
    otherwise it is part of the transformation and out of reach.

    Args:
        transformation: The `optax.GradientTransformation`.
        name: A name; automatic if None.
        **kwargs: Arguments of every optimizer, except `learning_rate` and `weight_decay`.

    Raises:
        ArgumentTypeError: If it is not a transformation.

    Example:
        >>> import optax
        >>> from hornbill.engine.variable import Variable
        >>> weight = Variable([1.0, 2.0], name="w")
        >>> OptaxOptimizer(optax.sgd(0.5)).apply([[1.0, -1.0]], [weight])
        >>> weight.numpy().tolist()
        [0.5, 2.5]
    """

    def __init__(self, transformation: Any, name: str | None = None, **kwargs: Any) -> None:
        if not is_optax(transformation):
            raise ArgumentTypeError(
                "OptaxOptimizer takes an optax transformation.",
                got=f"{transformation!r}.",
                fixes="OptaxOptimizer(optax.adam(1e-3))",
            )
        for word in ("learning_rate", "lr", "decay", "weight_decay"):
            if kwargs.get(word) is not None:
                raise ArgumentError(
                    f"OptaxOptimizer: `{word}` belongs into the optax transformation.",
                    got=f"{word}={kwargs[word]!r}.",
                )
        super().__init__(learning_rate=self._no_rate, name=name, **kwargs)
        self.transformation = transformation
        self._structure: Any = None
        self._leaves: list[Variable] = []

    def _no_rate(self) -> Any:
        raise MissingNameError(
            f"The learning rate of {self.name!r} is inside the optax transformation.",
            why="Only optax.inject_hyperparams keeps it within reach, once the optimizer is built.",
            fixes="optax.inject_hyperparams(optax.adam)(learning_rate=1e-3)",
        )

    @property
    def learning_rate(self) -> Any:
        """The rate that `optax.inject_hyperparams` keeps."""
        return self._learning_rate if isinstance(self._learning_rate, Variable) else self._no_rate()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if not isinstance(self._learning_rate, Variable):
            self._no_rate()
        self._learning_rate.assign(np.asarray(value, "float32"))

    def _build_slots(self, variables: Sequence[Variable]) -> None:
        super()._build_slots(variables)
        state = self.transformation.init([variable.value for variable in variables])
        found, self._structure = jax.tree_util.tree_flatten_with_path(state)
        leaves = []
        for path, leaf in found:
            name = re.sub(r"\W+", "_", jax.tree_util.keystr(path)).strip("_") or "state"
            host = np.array(leaf)
            variable = self.add_variable(host.shape, dtype=host.dtype, name=name)
            variable.assign(host)
            leaves.append(variable)
            if name.endswith("hyperparams_learning_rate"):
                self._learning_rate = variable
        self._leaves = leaves

    def _rate(self, state: Sequence[Any], at: dict[int, int]) -> Any:
        return jnp.zeros((), "float32")

    def _trace_key(self) -> Any:
        return None

    def _rule(
        self,
        state: list[Any],
        at: dict[int, int],
        grads: list[Any],
        params: list[Any],
        indices: tuple[int, ...],
        lr: Any,
    ) -> tuple[list[Any], list[Any]]:
        if indices != tuple(range(len(self._trainable_variables))):
            raise ArgumentError(
                "An optax transformation needs a gradient for every weight it was built with, in their "
                "order.",
                got=f"gradients for {len(indices)} of {len(self._trainable_variables)} weights.",
                fixes="Use zeros where there is no gradient.",
            )
        places = [at[id(leaf)] for leaf in self._leaves]
        inner = jax.tree_util.tree_unflatten(self._structure, [state[place] for place in places])
        grads = [g.astype(p.dtype) for g, p in zip(grads, params, strict=True)]
        changes, inner = self.transformation.update(grads, inner, params)
        for place, value in zip(places, jax.tree_util.tree_leaves(inner), strict=True):
            state[place] = jnp.asarray(value).astype(state[place].dtype)
        return [(p + change).astype(p.dtype) for p, change in zip(params, changes, strict=True)], state

    def get_config(self) -> dict[str, Any]:
        """Not available: an optax transformation is made of functions, which no file can hold.

        Raises:
            ArgumentError: Always.
        """
        raise ArgumentError(
            f"{self.name!r} wraps an optax transformation, which cannot be written as plain data.",
            why="A transformation is a pair of Python functions.",
            fixes=(
                "model.save(path, include_optimizer=False), and compile again after loading.",
                "Use one of keras.optimizers.",
            ),
        )
