"""Layers as data and back, and the names that `keras.layers` shares with the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hornbill import dtype_policies
from hornbill.engine.errors import ArgumentTypeError
from hornbill.engine.input_spec import InputSpec
from hornbill.engine.layer import Layer
from hornbill.engine.registry import register_public
from hornbill.engine.serialization import deserialize_keras_object, serialize_keras_object

__all__ = ["InputSpec", "Layer", "deserialize", "serialize"]


def serialize(layer: Layer) -> dict[str, Any]:
    """Returns a layer as plain data.

    Args:
        layer: The layer.

    Returns:
        A dict that `deserialize` makes an equal layer of, without its weights.
    """
    return serialize_keras_object(layer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Layer:
    """Returns the layer for data from `serialize`.

    Args:
        config: The data.
        custom_objects: Classes and functions by name, beyond Hornbill's own and the registered ones.

    Raises:
        ArgumentTypeError: If the data describes something other than a layer.
    """
    layer = deserialize_keras_object(config, custom_objects=custom_objects)
    if not isinstance(layer, Layer):
        raise ArgumentTypeError("layers.deserialize wants the configuration of a layer.", got=f"{config!r}.")
    return layer


# A layer's configuration names its policy, so the policies must be in the table of what a file may name.
register_public("keras", [Layer, InputSpec, dtype_policies.DTypePolicy, dtype_policies.DTypePolicyMap])
register_public("keras.layers", [Layer, InputSpec])
