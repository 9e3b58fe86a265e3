"""Keras' scopes as thin users of the engine: StatelessScope, SymbolicScope, and Function, a graph that is called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import jax

from hornbill.engine.config import check_unknown
from hornbill.engine.context import fresh_context
from hornbill.engine.errors import ArgumentError
from hornbill.engine.graph import Operation, Program
from hornbill.engine.op import convert_to_tensor
from hornbill.engine.symbolic import KerasTensor, leaves_of
from hornbill.engine.variable import Variable, discard_assignments

__all__ = ["Function", "StatelessScope", "SymbolicScope"]


class StatelessScope:
    """Runs code on other values of variables and keeps what it assigns, leaving the variables as they are.

    Args:
        state_mapping: Pairs of variable and value.
        collect_losses: Whether losses added inside are kept in `losses`.
        initialize_variables: Kept for Keras' sake; variables are always made at once.

    Example:
        >>> v = Variable(1.0)
        >>> with StatelessScope([(v, jax.numpy.float32(5.0))]) as scope:
        ...     v.assign_add(1.0)
        Array(6., dtype=float32)
        >>> float(scope.get_current_value(v)), float(v.value)
        (6.0, 1.0)
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Variable, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:
        self.collect_losses, self.initialize_variables = collect_losses, initialize_variables
        self.losses: list[Any] = []
        self._pairs: list[tuple[Variable, Any]] = []
        for variable, value in dict(state_mapping or {}).items():
            if not isinstance(variable, Variable):
                raise ArgumentError("state_mapping pairs a Variable with a value.", got=f"{variable!r}.")
            self._pairs.append((variable, convert_to_tensor(value, variable.dtype)))
        self.state_mapping: dict[int, Any] = {id(variable): value for variable, value in self._pairs}

    def __enter__(self) -> Self:
        self._scope = discard_assignments()
        self._changed = self._scope.__enter__()
        for variable, value in self._pairs:
            variable.assign(value)
        return self

    def __exit__(self, *exc: Any) -> None:
        for variable in self._changed:
            self.state_mapping[id(variable)] = variable._value
        self._scope.__exit__(*exc)

    def get_current_value(self, variable: Variable) -> Any:
        """Returns the value that a variable has, or had at the end, inside the scope; None if it was not touched."""
        if variable in self._changed and variable._value is not self._changed[variable]:
            return variable._value
        return self.state_mapping.get(id(variable))

    def add_update(self, update: tuple[Variable, Any]) -> None:
        """Assigns a value to a variable inside the scope."""
        variable, value = update
        variable.assign(value)

    def add_loss(self, loss: Any) -> None:
        """Keeps a loss, if the scope collects them."""
        if self.collect_losses:
            self.losses.append(loss)


class SymbolicScope:
    """Marks code that only finds out shapes; assignments made inside are undone."""

    def __enter__(self) -> Self:
        self._context, self._assignments = fresh_context(probing=True), discard_assignments()
        self._context.__enter__()
        self._assignments.__enter__()
        return self

    def __exit__(self, *exc: Any) -> None:
        self._assignments.__exit__(*exc)
        self._context.__exit__(*exc)


class Function(Operation):
    """The computation between some KerasTensors and others, to be called on values.

    Args:
        inputs: KerasTensor, or structure of them.
        outputs: KerasTensor, or structure of them.
        name: Name; automatic if None.
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        check_unknown("Function", kwargs, Function)
        super().__init__(name)
        self._inputs_structure, self._outputs_structure = inputs, outputs
        self._program = Program(leaves_of(inputs), leaves_of(outputs))

    @property
    def operations(self) -> list[Operation]:
        """The operations in the order in which they run."""
        return self._program.operations

    @property
    def inputs(self) -> list[KerasTensor]:
        """The inputs as a flat list."""
        return self._program.inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The outputs as a flat list."""
        return self._program.outputs

    def call(self, inputs: Any) -> Any:
        """Computes the outputs for values of the inputs."""
        values = [convert_to_tensor(value) for value in leaves_of(inputs)]
        if len(values) != len(self.inputs):
            raise ArgumentError(
                f"Function {self.name!r} has {len(self.inputs)} inputs.", got=f"{len(values)}."
            )
        results = self._program.run(values, lambda node, args, kwargs: node.operation(*args, **kwargs))
        treedef = jax.tree_util.tree_structure(
            self._outputs_structure, is_leaf=lambda x: isinstance(x, KerasTensor)
        )
        return jax.tree_util.tree_unflatten(treedef, results)
