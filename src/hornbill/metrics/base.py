"""The base class of metrics: a few Variables, `update_state`, `result`, `reset_state`.

A metric sums something up over batches. Its state lives in Variables, so that the same code runs eagerly and,
through the `stateless_` methods, inside a compiled step. State is made and reset on the host: nothing
compiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from hornbill import initializers, tree
from hornbill.engine.config import Configurable
from hornbill.engine.dtype import get_policy
from hornbill.engine.errors import ArgumentError, StateError
from hornbill.engine.naming import auto_name, name_scope
from hornbill.engine.settings import floatx
from hornbill.engine.variable import Variable, functional_call

__all__ = ["Metric"]


class Metric(Configurable):
    """Base class of metrics: make Variables in `__init__`, write `update_state` and `result`.

    Args:
        dtype: Dtype of the state, or a dtype policy, whose compute dtype is taken. None means the float type.
        name: Name of the metric; automatic if None.

    Example:
        >>> class Count(Metric):
        ...     def __init__(self, name="count", **kwargs):
        ...         super().__init__(name=name, **kwargs)
        ...         self.total = self.add_variable(shape=(), initializer="zeros", name="total")
        ...
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.total.assign_add(len(y_true))
        ...
        ...     def result(self):
        ...         return self.total.value
        >>> float(Count()([1, 2, 3], [1, 2, 3]))
        3.0
    """

    tracked_kind: ClassVar[str] = "metric"

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or auto_name(type(self).__name__)
        self._dtype_policy = get_policy(floatx() if dtype is None else dtype)
        self._dtype = self._dtype_policy.compute_dtype
        self._variables: list[Variable] = []
        self._metrics: list[Metric] = []

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, (Variable, Metric, list, tuple, dict)) and name not in (
            "_variables",
            "_metrics",
        ):
            self._track(value)
        super().__setattr__(name, value)

    def _track(self, value: Any) -> None:
        for item in tree.flatten(value) if isinstance(value, (list, tuple, dict)) else (value,):
            if not isinstance(item, (Variable, Metric)):
                continue
            if "_variables" not in self.__dict__:
                raise StateError(
                    f"{type(self).__name__}: call super().__init__() before making state.",
                    fixes="super().__init__(name=name, dtype=dtype) as the first line of __init__",
                )
            kept: list[Any] = self._variables if isinstance(item, Variable) else self._metrics
            if not any(item is other for other in kept):
                kept.append(item)

    @property
    def dtype(self) -> str:
        """The dtype of the state."""
        return self._dtype

    @property
    def variables(self) -> list[Variable]:
        """The state: own Variables, then those of metrics inside."""
        found = list(self._variables)
        for metric in self._metrics:
            found += [
                variable for variable in metric.variables if not any(variable is other for other in found)
            ]
        return found

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any,
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """Makes a Variable that belongs to the metric.

        Args:
            shape: Its shape.
            initializer: Name, object or callable for the first value; "zeros" if None.
            dtype: Its dtype; that of the metric if None.
            aggregation: How replicas combine it.
            name: Its name; automatic if None.

        Returns:
            The Variable.
        """
        shape = tuple(shape)
        dtype = self.dtype if dtype is None else dtype
        if initializer is None or initializer == "zeros":
            first: Any = np.zeros(shape, jnp.dtype(dtype))
        else:
            first = initializers.get(initializer)
        with name_scope(self.name):
            variable = Variable(
                first,
                shape=shape,
                dtype=dtype,
                trainable=False,
                autocast=False,
                aggregation=aggregation,
                name=name,
            )
        self._track(variable)
        return variable

    def add_weight(
        self, shape: Sequence[int] = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """Makes a Variable that belongs to the metric; the same as `add_variable`, with defaults.

        Args:
            shape: Its shape.
            initializer: Name, object or callable for the first value; "zeros" if None.
            dtype: Its dtype; that of the metric if None.
            name: Its name; automatic if None.

        Returns:
            The Variable.
        """
        return self.add_variable(shape=shape, initializer=initializer, dtype=dtype, name=name)

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Takes one batch into account; every subclass writes it: `(y_true, y_pred, sample_weight=None)`."""
        raise StateError(f"{type(self).__name__} has no update_state method.", fixes=_SKELETON)

    def result(self) -> Any:
        """Returns the value so far, a tensor or a dict of tensors; every subclass writes it."""
        raise StateError(
            f"{type(self).__name__} has no result method.", fixes="def result(self): return self.total"
        )

    def reset_state(self) -> None:
        """Sets every Variable to zero; calls `reset_states` where a subclass written for Keras 2 has it."""
        if type(self).reset_states is not Metric.reset_states:
            self.reset_states()
        else:
            self._reset_to_zero()

    def reset_states(self) -> None:
        """Sets every Variable to its start (an old spelling of `reset_state`)."""
        if type(self).reset_state is not Metric.reset_state:
            self.reset_state()
        else:
            self._reset_to_zero()

    def _reset_to_zero(self) -> None:
        variables = self.variables
        zeros = jax.device_put([np.zeros(v.shape, jnp.dtype(v.dtype)) for v in variables])
        for variable, zero in zip(variables, zeros, strict=True):
            variable.take(zero)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls `update_state` with the arguments and returns `result()`."""
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Returns the state after a batch, without touching the Variables.

        Args:
            metric_variables: One array per entry of `variables`.
            *args: Passed to `update_state`.
            **kwargs: Passed to `update_state`.

        Returns:
            One array per entry of `variables`.
        """
        values = self._values(metric_variables)
        return functional_call(self.variables, values, self.update_state, *args, **kwargs)[1]

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """Returns the result for a state.

        Args:
            metric_variables: One array per entry of `variables`.
        """
        return functional_call(self.variables, self._values(metric_variables), self._plain_result)[0]

    def stateless_reset_state(self) -> list[Any]:
        """Returns the state that `reset_state` would leave."""
        variables = self.variables
        return functional_call(variables, [variable.value for variable in variables], self.reset_state)[1]

    def _plain_result(self) -> Any:
        return tree.map_structure(lambda x: x.value if isinstance(x, Variable) else x, self.result())

    def _values(self, metric_variables: Sequence[Any]) -> list[Any]:
        values = [value.value if isinstance(value, Variable) else value for value in metric_variables]
        if len(values) != len(self.variables):
            raise ArgumentError(
                f"Metric {self.name!r}: the state has {len(self.variables)} values, one per variable.",
                got=f"{len(values)} values.",
                why="Some metrics make their variables at the first update_state.",
                fixes="metric.update_state(...) once, then pass [v.value for v in metric.variables].",
            )
        return values

    def get_config(self) -> dict[str, Any]:
        """Returns the name and the dtype."""
        return {"name": self.name, "dtype": self.dtype}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


_SKELETON = "def update_state(self, y_true, y_pred, sample_weight=None): self.total.assign_add(...)"
