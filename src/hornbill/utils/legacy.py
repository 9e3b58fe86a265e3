"""The names of Keras 2's `utils.legacy`: the same functions as in Keras 3, with the older arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hornbill.engine import serialization
from hornbill.engine.errors import ArgumentError, did_you_mean

__all__ = ["deserialize_keras_object", "serialize_keras_object"]


def serialize_keras_object(instance: Any) -> Any:
    """Returns an object as `{"class_name", "config"}`, or a function by its name.

    Args:
        instance: The object or function.
    """
    if instance is None:
        return None
    if hasattr(instance, "get_config"):
        name = serialization.get_registered_name(type(instance))
        return {"class_name": name, "config": instance.get_config()}
    if hasattr(instance, "__name__"):
        return serialization.get_registered_name(instance)
    raise ArgumentError(
        f"A {type(instance).__name__} cannot be written: it has neither get_config nor a name."
    )


def deserialize_keras_object(
    identifier: Any,
    module_objects: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """Returns the object for a name or for data from `serialize_keras_object`.

    Args:
        identifier: The name, data, a function (returned as it is) or None.
        module_objects: Objects of the family by name.
        custom_objects: Further objects by name.
        printable_module_name: What one is called in messages.

    Raises:
        ArgumentError: If nothing goes by that name.
    """
    if identifier is None or callable(identifier):
        return identifier
    config = identifier.get("config") if isinstance(identifier, dict) else None
    name = str(identifier.get("class_name") if isinstance(identifier, dict) else identifier)
    found = serialization.get_registered_object(name, custom_objects, module_objects)
    if found is None:
        found = serialization.public_object(name)
    if found is None:
        hint = did_you_mean(name, {**(module_objects or {}), **(custom_objects or {})})
        raise ArgumentError(
            f"There is no {printable_module_name} named {name!r}.{hint}",
            fixes=f"custom_objects={{{name!r}: ...}}",
        )
    if not isinstance(found, type):
        return found
    if config is None:
        return found()
    with serialization.CustomObjectScope(custom_objects or {}):
        return found.from_config(config)  # type: ignore[attr-defined]
