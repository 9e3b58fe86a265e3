"""Checks of optimizer arguments: the learning rate, and the old spellings `lr` and `decay`.

Not here: arguments of one optimizer only, which its own file checks.
"""

from __future__ import annotations

import inspect
from typing import Any

import jax
import numpy as np

from hornbill.engine.compatibility import warn_once
from hornbill.engine.errors import ArgumentError, did_you_mean
from hornbill.engine.variable import Variable

__all__ = ["checked_rate", "old_spellings"]

# Keras 2 wrote these into its files; every step is compiled here, so neither changes anything
_WITHOUT_EFFECT = ("jit_compile", "is_legacy_optimizer")


def checked_rate(owner: str, value: Any) -> Any:
    """Returns a learning rate if it is one number.

    Args:
        owner: Class in whose name the message speaks.
        value: The rate.

    Raises:
        ArgumentError: If it is not.
    """
    value = value.value if isinstance(value, Variable) else value
    number = isinstance(value, (int, float, np.number, np.ndarray, jax.Array)) and not isinstance(value, bool)
    if number and np.ndim(value) == 0:
        return value
    raise ArgumentError(
        f"{owner}: `learning_rate` must be a number, a schedule, or a callable without arguments.",
        got=f"learning_rate={value!r}.",
        fixes=(
            f"{owner}(learning_rate=0.001)",
            f"{owner}(learning_rate=keras.optimizers.schedules.CosineDecay(0.001, decay_steps=1000))",
        ),
    )


def old_spellings(owner: str, learning_rate: Any, kwargs: dict[str, Any], cls: type) -> tuple[Any, float]:
    """Takes `lr`, `decay` and switches without effect out of `kwargs`; refuses what is left.

    Args:
        owner: Class in whose name the message speaks.
        learning_rate: The rate under its new name.
        kwargs: The other arguments; emptied.
        cls: Class whose arguments are suggested.

    Returns:
        The learning rate and the decay.

    Raises:
        ArgumentError: If an argument is unknown.
    """
    decay = 0.0
    for name in _WITHOUT_EFFECT:
        kwargs.pop(name, None)
    if "lr" in kwargs:
        warn_once("optimizer-lr", "`lr` is the old spelling of `learning_rate`; both mean the same.")
        learning_rate = kwargs.pop("lr")
    if "decay" in kwargs:
        decay = float(kwargs.pop("decay") or 0.0)
        if decay:
            warn_once(
                "optimizer-decay",
                "`decay` is an old argument: the learning rate is divided by `1 + decay * iterations`. "
                "keras.optimizers.schedules.InverseTimeDecay is the new spelling.",
            )
    if kwargs:
        options = {name for klass in cls.__mro__ for name in inspect.signature(klass.__init__).parameters}
        unknown = ", ".join(repr(name) for name in kwargs)
        raise ArgumentError(
            f"{owner} does not know the argument{'s' if len(kwargs) > 1 else ''} {unknown}.",
            got=", ".join(f"{key}={value!r}" for key, value in kwargs.items()) + ".",
            fixes=did_you_mean(next(iter(kwargs)), sorted(options - {"self", "args", "kwargs"})).strip()
            or (),
        )
    return learning_rate, decay
