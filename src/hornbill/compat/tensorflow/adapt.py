"""How a row of the stand-in's table becomes a function with TensorFlow's argument names.

`row(function, "input_tensor>x axis keepdims name>")` lists the parameters in TensorFlow's order; `a>b` is
called `b` by the function, `a>` means nothing here (names of graph nodes), anything else has the same name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbill.engine.errors import ArgumentTypeError, did_you_mean

__all__ = ["row"]


def row(function: Callable[..., Any], parameters: str) -> Callable[..., Any]:
    """Returns the function with TensorFlow's parameters."""
    pairs = [part.partition(">") for part in f"{parameters} name>".split()]
    names = [old for old, _, _ in pairs]
    meaning = {old: new if arrow else old for old, arrow, new in pairs}

    def call(*args: Any, **kwargs: Any) -> Any:
        if len(args) > len(names):
            raise ArgumentTypeError(
                f"tf.{call.__name__} takes {', '.join(names)}.", got=f"{len(args)} arguments."
            )
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        unknown = [name for name in given if name not in meaning]
        if unknown:
            raise ArgumentTypeError(
                f"The stand-in's tf.{call.__name__} has no argument {unknown[0]!r}."
                f"{did_you_mean(unknown[0], names)}",
                why=f"It takes {', '.join(names)}.",
            )
        return function(**{meaning[name]: value for name, value in given.items() if meaning[name]})

    call.__doc__ = function.__doc__
    return call
