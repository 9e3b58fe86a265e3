"""The contract of a layer, as one call: `check_layer(lambda: MyLayer(8), (2, 5))`.

What every layer owes its users, built-in or written at home: its configuration makes an equal layer, what is said
before the run (shapes, dtypes, counts, sentences) is what the run gives, compiled and not compiled agree, gradients are
the derivatives, weights survive storing. The checks know nothing of what the layer computes; whether its numbers are
the right ones is for a test that has the formula.

Not for: training runs, models, files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbill.engine.errors import ArgumentError, did_you_mean
from hornbill.engine.layer import Layer
from hornbill.testing.checks import CHECKS
from hornbill.testing.subject import ContractError, Subject

__all__ = ["CHECKS", "ContractError", "check_layer"]


def check_layer(
    layer_factory: Callable[[], Layer],
    inputs: Any,
    *,
    tolerance: float = 1e-5,
    call: Mapping[str, Any] | None = None,
    unknown_axes: Sequence[int] = (0,),
    training_matters: bool | None = None,
    gradients: str = "difference",
    skip: Sequence[str] = (),
    seed: int = 0,
) -> None:
    """Checks that a layer keeps what every layer promises; raises at the first promise it breaks.

    Args:
        layer_factory: Makes a new layer each time it is called, always with the same arguments.
        inputs: What to call it with: a shape (float32 numbers are drawn), an array, a list or dict of either as one
            argument, or a tuple of such things as several arguments.
        tolerance: Relative tolerance of the comparison of the compiled call with the one that is not.
        call: Keyword arguments of the call, such as `{"training": True}`.
        unknown_axes: Axes of the inputs that the layer must accept as unknown (None) when a graph is built. Every
            other axis is tried too, but there the layer may refuse with an error of Hornbill's kind.
        training_matters: True if the training flag must change the output, False if it must not. None: it must not
            if `call` has no `training` parameter.
        gradients: "difference" compares them with a finite difference along a random direction; "finite" only asks
            for finite numbers (for layers that stop gradients or round); "none" leaves them alone.
        skip: Names of checks to leave out; see `CHECKS`.
        seed: Seed of the numbers drawn.

    Raises:
        ContractError: If a check fails; it says which one, with the numbers.
        ArgumentError: If check_layer itself is called wrongly.

    Example:
        >>> import hornbill as keras
        >>> check_layer(lambda: keras.layers.Dense(3, activation="tanh"), (2, 5))
    """
    for name in skip:
        if name not in CHECKS:
            raise ArgumentError(
                f"check_layer: skip holds names of checks: {', '.join(CHECKS)}.",
                got=f"{name!r}.",
                fixes=did_you_mean(name, CHECKS).strip() or (),
            )
    if gradients not in ("difference", "finite", "none"):
        raise ArgumentError(
            "check_layer: gradients must be one of 'difference', 'finite', 'none'.", got=f"{gradients!r}."
        )
    rng = np.random.default_rng(seed)
    args = _arguments(inputs, rng)
    subject = Subject(
        layer_factory, args, dict(call or {}), tolerance, tuple(unknown_axes), training_matters, gradients
    )
    for name, check in CHECKS.items():
        if name not in skip:
            check(subject)


def _arguments(inputs: Any, rng: np.random.Generator) -> tuple[Any, ...]:
    """Returns the positional arguments of the call; shapes become arrays."""

    def draw(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: draw(value) for key, value in item.items()}
        if isinstance(item, list):
            return [draw(value) for value in item]
        if isinstance(item, tuple):
            return jnp.asarray(rng.normal(size=item).astype("float32"))
        return jnp.asarray(item)

    several = isinstance(inputs, tuple) and not all(hasattr(size, "__index__") for size in inputs)
    return tuple(draw(item) for item in inputs) if several else (draw(inputs),)
