"""`get`, `serialize` and `deserialize` for metrics: names, old spellings and configurations.

A name gives an instance of the metric class, as in Keras: `get("mse")` is a `MeanSquaredError`. The strings
whose meaning depends on shapes ("accuracy", "crossentropy") are settled in `resolve.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from hornbill.engine.registry import Registry, register_public
from hornbill.losses.base import serialize_function
from hornbill.losses.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from hornbill.losses.focal import binary_focal_crossentropy, categorical_focal_crossentropy
from hornbill.losses.hinges import categorical_hinge, hinge, squared_hinge
from hornbill.losses.probabilistic import kl_divergence, poisson
from hornbill.losses.regression import (
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from hornbill.metrics import (
    accuracy,
    auc,
    confusion,
    correlation,
    fscore,
    hinges,
    iou,
    mean,
    probabilistic,
    regression,
)
from hornbill.metrics.base import Metric

__all__ = [
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]

_FAMILIES = (mean, accuracy, confusion, auc, fscore, iou, regression, correlation, probabilistic, hinges)
_OBJECTS = [getattr(module, name) for module in _FAMILIES for name in module.__all__]
_CLASSES = [obj for obj in _OBJECTS if isinstance(obj, type)]
_LOSS_FUNCTIONS = [
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
]
_FUNCTIONS = [obj for obj in _OBJECTS if not isinstance(obj, type)] + _LOSS_FUNCTIONS
_ALIASES = {
    "mse": regression.MeanSquaredError,
    "MSE": regression.MeanSquaredError,
    "mae": regression.MeanAbsoluteError,
    "MAE": regression.MeanAbsoluteError,
    "mape": regression.MeanAbsolutePercentageError,
    "MAPE": regression.MeanAbsolutePercentageError,
    "msle": regression.MeanSquaredLogarithmicError,
    "MSLE": regression.MeanSquaredLogarithmicError,
    "bce": probabilistic.BinaryCrossentropy,
    "BCE": probabilistic.BinaryCrossentropy,
    # Keras 2
    "acc": accuracy.Accuracy,
    "kld": probabilistic.KLDivergence,
    "KLD": probabilistic.KLDivergence,
    "kullback_leibler_divergence": probabilistic.KLDivergence,
    "cosine_proximity": regression.CosineSimilarity,
    "logcosh": regression.LogCoshError,
    # functions that have no class here
    "log_cosh": log_cosh,
    "huber": huber,
    "binary_focal_crossentropy": binary_focal_crossentropy,
    "categorical_focal_crossentropy": categorical_focal_crossentropy,
}

register_public("keras.metrics", _FUNCTIONS)
registry = Registry(
    "metric",
    "keras.metrics",
    [Metric, *_CLASSES],
    aliases=_ALIASES,
    instantiate=True,
    functions_as_names=False,
)


def get(identifier: Any) -> Any:
    """Returns the metric for a name, class, instance, function, configuration or None.

    Args:
        identifier: What names the metric.

    Returns:
        A `Metric` or a metric function; None for None.

    Raises:
        ArgumentError: If there is no such metric; the message names the closest one.

    Example:
        >>> get("mse").name
        'mean_squared_error'
    """
    return registry.get(identifier)


def serialize(metric: Any) -> Any:
    """Returns a metric as plain data.

    Args:
        metric: A `Metric` or a metric function.
    """
    return serialize_function(metric) if inspect.isfunction(metric) else registry.serialize(metric)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the metric for data from `serialize`, or for a name.

    Args:
        config: The data or the name.
        custom_objects: Your own classes and functions by name.
    """
    return registry.deserialize(config, custom_objects)
