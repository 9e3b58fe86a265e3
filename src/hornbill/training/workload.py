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
        convolutions: Those of XLA's convolutions and of their gradients.
        kernels: Those of convolutions that hornbill-native takes.
    """

    products: int = 0
    convolutions: int = 0
    kernels: int = 0

    def __add__(self, other: Workload) -> Workload:
        return Workload(
            self.products + other.products,
            self.convolutions + other.convolutions,
            self.kernels + other.kernels,
        )

    def __mul__(self, times: int) -> Workload:
        return Workload(self.products * times, self.convolutions * times, self.kernels * times)

    @property
    def all(self) -> int:
        """All multiply-adds."""
        return self.products + self.convolutions + self.kernels


def workload_of(jaxpr: Any) -> Workload:
    """Returns the multiply-adds of a traced function; a `while` of unknown length counts once."""
    total = Workload()
    for equation in jaxpr.eqns:
        name = equation.primitive.name
        if name in PRODUCTS:
            shapes = [v.aval.shape for v in (*equation.invars[:2], equation.outvars[0])]
            count = multiply_adds(name, equation.params, *shapes)
            total += Workload(products=count) if name == "dot_general" else Workload(convolutions=count)
        inside = sum((workload_of(inner) for inner in _inner(equation.params)), Workload())
        if name == "cond" and any(map(_calls_kernel, _inner(equation.params))):
            inside = Workload(inside.products, kernels=inside.convolutions)  # the other platforms' branch
        total += inside * int(equation.params.get("length", 1) if name == "scan" else 1)
    return total


def _calls_kernel(jaxpr: Any) -> bool:
    """Returns whether a branch is nothing but a call of a foreign function (see `hornbill.ops.native`)."""
    return any(equation.primitive.name == "ffi_call" for equation in jaxpr.eqns)


def _inner(params: dict[str, Any]) -> list[Any]:
    """Returns the traces inside an equation: bodies of loops, branches, called functions."""
    values = [item for value in params.values() for item in (value if isinstance(value, tuple) else (value,))]
    return [
        getattr(value, "jaxpr", value) for value in values if hasattr(getattr(value, "jaxpr", value), "eqns")
    ]
