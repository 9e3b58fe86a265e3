"""Learning-rate schedules as plain data: `serialize` and `deserialize`.

Not here: `get`; Keras has none for schedules, and an optimizer takes the object itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hornbill.engine.registry import Registry
from hornbill.optimizers.schedules import base, decays

__all__ = ["deserialize", "serialize"]

_registry = Registry(
    "learning-rate schedule",
    "keras.optimizers.schedules",
    [base.LearningRateSchedule, *(getattr(decays, name) for name in decays.__all__)],
)


def serialize(learning_rate_schedule: Any) -> Any:
    """Returns a schedule as plain data.

    Args:
        learning_rate_schedule: The schedule.
    """
    return _registry.serialize(learning_rate_schedule)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the schedule for data from `serialize`.

    Args:
        config: The data.
        custom_objects: Classes by name, beyond Hornbill's own and the registered ones.

    Raises:
        ArgumentError: If no schedule goes by that name.
    """
    return _registry.deserialize(config, custom_objects)
