"""The layer under test with what it was given and what it gave: what every check of the contract starts from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax

from hornbill.engine.dtype import standardize_dtype
from hornbill.engine.errors import ArgumentError, HornbillError
from hornbill.engine.layer import Layer
from hornbill.engine.symbolic import KerasTensor, leaves_of
from hornbill.engine.variable import functional_call

__all__ = ["QUICK", "ContractError", "Subject"]

# What is compiled here runs a few times on a few numbers: compiling quickly counts, running quickly does not.
QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


class ContractError(HornbillError, AssertionError):
    """A layer does not keep the contract that `check_layer` checks."""


@dataclass
class Subject:
    """The layer under test, built, with what it was given and what it gave.

    Attributes:
        factory: Makes a new layer.
        args: Positional arguments of the call: arrays, alone or in lists and dicts.
        call: Keyword arguments of the call.
        tolerance: Relative tolerance of comparisons.
        unknown_axes: Axes that may be unknown without the layer refusing.
        training_matters: Whether the training flag may, must or must not change the output.
        gradients: "difference", "finite" or "none".
        layer: The layer, built and called once.
        outputs: What it gave, eagerly.
        traces: How often the compiled call was traced.
    """

    factory: Callable[[], Layer]
    args: tuple[Any, ...]
    call: dict[str, Any]
    tolerance: float
    unknown_axes: tuple[int, ...]
    training_matters: bool | None
    gradients: str
    layer: Layer = field(init=False)
    outputs: Any = field(init=False)
    traces: int = 0

    def __post_init__(self) -> None:
        self.layer = self.factory()
        if not isinstance(self.layer, Layer):
            raise ArgumentError(
                "check_layer wants a function that makes a new layer each time it is called.",
                got=f"one that gives {type(self.layer).__name__}.",
                fixes="check_layer(lambda: MyLayer(8), (2, 5))",
            )
        self.layer(*self.args, **self.call)
        self.outputs = self.run()
        self.compiled = jax.jit(self._pure, compiler_options=QUICK)

    @property
    def name(self) -> str:
        """The layer's class."""
        return type(self.layer).__name__

    def values(self) -> list[jax.Array]:
        """Returns the values of all variables."""
        return [variable.value for variable in self.layer.variables]

    def run(self, layer: Layer | None = None, args: tuple[Any, ...] | None = None, **more: Any) -> Any:
        """Calls the layer eagerly and leaves its variables as they were."""
        layer = layer or self.layer
        variables, arguments = layer.variables, self.args if args is None else args
        values = [variable.value for variable in variables]
        return functional_call(variables, values, layer, *arguments, **{**self.call, **more})[0]

    def _pure(self, values: list[jax.Array], arrays: list[Any]) -> list[jax.Array]:
        """The call as a function of arrays alone; gives the leaves of the output."""
        self.traces += 1
        args = jax.tree.unflatten(jax.tree.structure(self.args), arrays)
        outputs, _ = functional_call(self.layer.variables, values, self.layer, *args, **self.call)
        return [leaf for leaf in leaves_of(outputs) if leaf is not None]

    def symbolic(
        self, layer: Layer, resize: Callable[[tuple[int, ...]], tuple[int | None, ...]] | None = None
    ) -> Any:
        """Calls a layer on KerasTensors in place of the arrays, their shapes changed by `resize`."""

        def stand_in(value: Any) -> Any:
            if not hasattr(value, "shape"):
                return value
            shape = tuple(value.shape)
            return KerasTensor(shape if resize is None else resize(shape), standardize_dtype(value.dtype))

        return layer(*jax.tree.map(stand_in, self.args), **jax.tree.map(stand_in, self.call))

    def failed(
        self, check: str, asked: str, got: str, why: str | None = None, fix: str = ""
    ) -> ContractError:
        """Returns the error of a check, in the house form."""
        text = f"check_layer, {check!r}: {self.name} {self.layer.name!r} {asked}"
        return ContractError(text, got=got, why=why, fixes=fix or ())
