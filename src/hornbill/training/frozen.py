"""Which layers a compiled model trains when `trainable` has changed since `compile`.

`compile` fixes what is trained. A layer frozen later stays out; one freed later waits for the next `compile`; and a
model frozen whole still trains what it was compiled with. The last is how two models share a network: a
discriminator is compiled, then frozen, then put into a second model that is compiled with it frozen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hornbill.engine.compatibility import warn_once

__all__ = ["as_compiled", "trainable_flags"]


def trainable_flags(model: Any) -> list[tuple[Any, bool]]:
    """Returns each layer of a model with its own flag `trainable`."""
    return [(layer, layer._trainable) for layer in model._flatten_layers()]


@contextmanager
def as_compiled(model: Any) -> Iterator[None]:
    """Gives the layers, for a while, the flags that training goes by.

    Args:
        model: A compiled model, or one that is not compiled: then nothing changes.
    """
    compiled = model.__dict__.get("_trainable_at_compile") or []
    now = [layer._trainable for layer, _ in compiled]
    if all(flag == before for flag, (_, before) in zip(now, compiled, strict=True)):
        yield
        return
    try:
        for (layer, before), flag in zip(compiled, now, strict=True):
            layer._trainable = before and flag
        if not model.trainable_variables:
            for layer, before in compiled:
                layer._trainable = before
        if any(layer._trainable != flag for (layer, _), flag in zip(compiled, now, strict=True)):
            warn_once(
                f"trainable {model.name}",
                f"Model {model.name!r} trains what was trainable when it was compiled; `trainable` has changed "
                "since. Call compile again if the change is meant for this model.",
            )
        yield
    finally:
        for (layer, _), flag in zip(compiled, now, strict=True):
            layer._trainable = flag
