"""How much multiplying a step does, counted in its trace: what decides how its loop is run.

Not for: explaining costs to people (`explain`), which counts layer by layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hornbill.engine.products import PRODUCTS, multiply_adds

__all__ = ["Workload", "workload_of"]


@dataclass(frozen=True, slots=True)
class Workload:
    """Multiply-adds of one step.

    Attributes:
        products: Those of matrix products.
        convolutions: Those of convolutions and of their gradients.
    """

    products: int = 0
    convolutions: int = 0

    def __add__(self, other: Workload) -> Workload:
        return Workload(self.products + other.products, self.convolutions + other.convolutions)

    def __mul__(self, times: int) -> Workload:
        return Workload(self.products * times, self.convolutions * times)


def workload_of(jaxpr: Any) -> Workload:
    """Returns the multiply-adds of a traced function; a `while` of unknown length counts once."""
    total = Workload()
    for equation in jaxpr.eqns:
        name = equation.primitive.name
        if name in PRODUCTS:
            shapes = [v.aval.shape for v in (*equation.invars[:2], equation.outvars[0])]
            count = multiply_adds(name, equation.params, *shapes)
            total += Workload(products=count) if name == "dot_general" else Workload(convolutions=count)
        for inner in _inner(equation.params):
            total += workload_of(inner) * int(equation.params.get("length", 1) if name == "scan" else 1)
    return total


def _inner(params: dict[str, Any]) -> list[Any]:
    """Returns the traces inside an equation: bodies of loops, branches, called functions."""
    values = [item for value in params.values() for item in (value if isinstance(value, tuple) else (value,))]
    return [
        getattr(value, "jaxpr", value) for value in values if hasattr(getattr(value, "jaxpr", value), "eqns")
    ]
