"""`get`, `serialize` and `deserialize` for losses: names, old spellings and configurations.

`get("mse")` gives the function, `get("MeanSquaredError")` an instance of the class, as in Keras.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from hornbill.engine.registry import Registry
from hornbill.losses import (
    crossentropy,
    embedding,
    focal,
    hinges,
    probabilistic,
    regression,
    segmentation,
    sequence,
)
from hornbill.losses.base import FunctionLoss, Loss, serialize_function

__all__ = ["deserialize", "get", "serialize"]

_FAMILIES = (regression, crossentropy, focal, probabilistic, hinges, segmentation, embedding, sequence)
_OBJECTS = [getattr(module, name) for module in _FAMILIES for name in module.__all__]
_ALIASES = {
    "mse": regression.mean_squared_error,
    "MSE": regression.mean_squared_error,
    "mae": regression.mean_absolute_error,
    "MAE": regression.mean_absolute_error,
    "mape": regression.mean_absolute_percentage_error,
    "MAPE": regression.mean_absolute_percentage_error,
    "msle": regression.mean_squared_logarithmic_error,
    "MSLE": regression.mean_squared_logarithmic_error,
    "bce": crossentropy.binary_crossentropy,
    "BCE": crossentropy.binary_crossentropy,
    "kld": probabilistic.kl_divergence,
    "KLD": probabilistic.kl_divergence,
    # Keras 2
    "kullback_leibler_divergence": probabilistic.kl_divergence,
    "logcosh": regression.log_cosh,
    "huber_loss": regression.huber,
    "cosine_proximity": regression.cosine_similarity,
}

registry = Registry(
    "loss", "keras.losses", [Loss, *_OBJECTS], aliases=_ALIASES, instantiate=True, functions_as_names=False
)


def get(identifier: Any) -> Any:
    """Returns the loss for a name, class, instance, function, configuration or None.

    Args:
        identifier: What names the loss.

    Returns:
        A loss function or a `Loss`; None for None.

    Raises:
        ArgumentError: If there is no such loss; the message names the closest one.

    Example:
        >>> get("mse").__name__
        'mean_squared_error'
    """
    return registry.get(identifier)


def serialize(loss: Any) -> Any:
    """Returns a loss as plain data.

    Args:
        loss: A `Loss` or a loss function.
    """
    return serialize_function(loss) if inspect.isfunction(loss) else registry.serialize(loss)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the loss for data from `serialize`, or for a name.

    Args:
        name: The data or the name.
        custom_objects: Your own classes and functions by name.
    """
    return registry.deserialize(name, custom_objects)


def as_loss(loss: Any) -> Loss:
    """Returns a loss as a `Loss`: functions are wrapped, under their own name.

    Args:
        loss: Whatever `get` takes.
    """
    found = get(loss)
    if isinstance(found, Loss):
        return found
    return FunctionLoss(found, name=getattr(found, "__name__", None) or type(found).__name__)
