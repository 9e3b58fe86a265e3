"""Optimizers by name, configuration or optax transformation: `get`, `serialize`, `deserialize`.

Not here: schedules, which have their own pair in `keras.optimizers.schedules`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from hornbill.engine.errors import ArgumentError
from hornbill.engine.registry import Registry, register_public
from hornbill.optimizers.adafactor import Adafactor
from hornbill.optimizers.adagrad import Adadelta, Adagrad
from hornbill.optimizers.adam import Adam, Adamax, AdamW, Nadam
from hornbill.optimizers.base import Optimizer
from hornbill.optimizers.ftrl import Ftrl
from hornbill.optimizers.lamb import Lamb
from hornbill.optimizers.lion import Lion
from hornbill.optimizers.loss_scale import LossScaleOptimizer
from hornbill.optimizers.multi_optimizer import MultiOptimizer, OptimizerMap
from hornbill.optimizers.muon import Muon
from hornbill.optimizers.optax_adapter import OptaxOptimizer, is_optax
from hornbill.optimizers.rmsprop import RMSprop
from hornbill.optimizers.schedule_free import ScheduleFreeAdamW
from hornbill.optimizers.sgd import SGD

__all__ = ["deserialize", "get", "serialize"]

_BY_NAME = (
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Ftrl, Lamb, Lion, Muon, Nadam, RMSprop, SGD,
    ScheduleFreeAdamW,
)  # fmt: skip
_registry = Registry(
    "optimizer", "keras.optimizers", _BY_NAME, {cls.__name__.lower(): cls for cls in _BY_NAME}
)
_registry.table.update({"LossScaleOptimizer": LossScaleOptimizer, "MultiOptimizer": MultiOptimizer})
register_public("keras.optimizers", [*_BY_NAME, LossScaleOptimizer, MultiOptimizer, Optimizer, OptimizerMap])


def get(identifier: Any) -> Any:
    """Returns the optimizer for a name, configuration, class, optimizer, optax transformation or None.

    Args:
        identifier: A name such as "adam"; a dictionary from `serialize`; an optimizer or its class; an
            `optax.GradientTransformation`; or None.

    Returns:
        The optimizer; None for None.

    Raises:
        ArgumentError: If nothing goes by that name, or it is no optimizer.

    Example:
        >>> get("rmsprop").rho
        0.9
    """
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    if is_optax(identifier):
        return OptaxOptimizer(identifier)
    if isinstance(identifier, str) and _registry.table.get(identifier) in (
        LossScaleOptimizer,
        MultiOptimizer,
    ):
        raise ArgumentError(
            f"{identifier} wraps other optimizers, so its name alone does not say enough.",
            fixes=f"keras.optimizers.{identifier}(...)",
        )
    if not isinstance(identifier, (str, dict)) and not (
        inspect.isclass(identifier) and issubclass(identifier, Optimizer)
    ):
        raise ArgumentError(
            "An optimizer is given by name, object, configuration, or as an optax transformation.",
            got=f"{identifier!r}.",
            fixes=("optimizer='adam'", "optimizer=keras.optimizers.Adam(1e-3)"),
        )
    return _registry.get(identifier)


def serialize(optimizer: Any) -> Any:
    """Returns an optimizer as plain data.

    Args:
        optimizer: The optimizer.
    """
    return _registry.serialize(optimizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the optimizer for data from `serialize`, or for a name.

    Args:
        config: The data.
        custom_objects: Classes by name, beyond Hornbill's own and the registered ones.

    Raises:
        ArgumentError: If no optimizer goes by that name.
    """
    return _registry.deserialize(config, custom_objects)
