"""How much multiplying a step does, counted in its trace: what decides how its loop is run.

Not for: explaining costs to people (`explain`), which counts layer by layer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

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
        name, shapes = equation.primitive.name, [v.aval.shape for v in (*equation.invars, *equation.outvars)]
        if name == "dot_general":
            ((contracted, _), _) = equation.params["dimension_numbers"]
            depth = math.prod(shapes[0][axis] for axis in contracted)
            total += Workload(products=math.prod(shapes[-1]) * depth)
        elif name == "conv_general_dilated":
            filters = shapes[1][equation.params["dimension_numbers"].rhs_spec[0]]
            total += Workload(convolutions=math.prod(shapes[-1]) * math.prod(shapes[1]) // max(filters, 1))
        for inner in _inner(equation.params):
            total += workload_of(inner) * int(equation.params.get("length", 1) if name == "scan" else 1)
    return total


def _inner(params: dict[str, Any]) -> list[Any]:
    """Returns the traces inside an equation: bodies of loops, branches, called functions."""
    values = [item for value in params.values() for item in (value if isinstance(value, tuple) else (value,))]
    return [
        getattr(value, "jaxpr", value) for value in values if hasattr(getattr(value, "jaxpr", value), "eqns")
    ]
