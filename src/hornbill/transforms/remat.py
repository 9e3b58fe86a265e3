"""Recomputing instead of remembering: activations of a function are computed again in the backward pass."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Self

import jax

from hornbill.engine.config import options
from hornbill.engine.context import context
from hornbill.engine.tracking import unique
from hornbill.engine.variable import Variable, functional_call

__all__ = ["RematScope", "remat"]


def remat(f: Callable[..., Any]) -> Callable[..., Any]:
    """Returns `f` with its inner values recomputed in the backward pass: less memory, more time.

    Args:
        f: A function of tensors; a layer's call may read and assign its variables.
    """
    owner = getattr(f, "__self__", f)

    @functools.wraps(f, updated=())
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        variables: list[Variable] = unique(getattr(owner, "variables", []))
        arrays = [v._value for v in variables]

        def pure(values: list[Any], *inner: Any) -> Any:
            recorder, context().recorder = context().recorder, None
            try:
                return functional_call(variables, values, f, *inner, **kwargs)
            finally:
                context().recorder = recorder

        result, new = jax.checkpoint(pure)(arrays, *args)
        for variable, before, after in zip(variables, arrays, new, strict=True):
            if after is not before and not variable._trainable:
                variable.assign(after)
        return result

    return wrapped


class RematScope:
    """Keras' scope in which layers made inside recompute their activations.

    Args:
        mode: "full" (all layers), "activations", "larger_than" (outputs above `output_size_threshold` elements),
            "list_of_layers" (those in `layer_names`), or None.
        output_size_threshold: For "larger_than".
        layer_names: For "list_of_layers".
    """

    _open: list[RematScope] = []  # noqa: RUF012

    def __init__(
        self,
        mode: str | None = "full",
        output_size_threshold: int = 1024,
        layer_names: Sequence[str] | None = None,
    ) -> None:
        options("full", "activations", "larger_than", "list_of_layers", None)("RematScope", "mode", mode)
        self.mode, self.output_size_threshold = mode, output_size_threshold
        self.layer_names = list(layer_names or [])

    def __enter__(self) -> Self:
        RematScope._open.append(self)
        return self

    def __exit__(self, *exc: object) -> None:
        RematScope._open.pop()
