"""Registry: the one way in which a family (losses, initialisers, ...) is found by name, written and read.

Each family makes one Registry and takes `get`, `serialize` and `deserialize` from it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from hornbill.engine.errors import ArgumentError, did_you_mean
from hornbill.engine.naming import to_snake_case
from hornbill.engine.serialization import (
    add_public_object,
    deserialize_keras_object,
    get_registered_name,
    get_registered_object,
    is_serialized_object,
    serialize_keras_object,
)

__all__ = ["FAMILIES", "Registry", "is_own", "register_public"]

FAMILIES: dict[str, Registry] = {}
"""The registries by the last part of their public module: "initializers", "losses", ..."""


def is_own(obj: Any) -> bool:
    """Returns whether a class or function is Hornbill's own, so that its behaviour is known."""
    module = getattr(obj, "__module__", None) or type(obj).__module__
    return module == "hornbill" or module.startswith("hornbill.")


def register_public(module: str, objects: Iterable[Any]) -> None:
    """Enters classes and functions under their own names in a public Keras module."""
    for obj in objects:
        add_public_object(module, obj.__name__, obj)


_EXAMPLES = {
    "regularizer": "regularizers.L2(0.01)", "activation": "activation='relu'", "loss": "loss='mse'",
    "initializer": "initializers.Constant(0.1)", "constraint": "constraints.MaxNorm(3)",
    "metric": "metrics=['accuracy']",
}  # fmt: skip


class Registry:
    """The objects of one family by every name they go by.

    Args:
        kind: What one is called in messages: "loss".
        module: Public Keras module: "keras.losses".
        objects: Classes and functions; each is entered under its own name, and classes under its snake case too.
        aliases: Further names, such as {"mse": mean_squared_error}.
        instantiate: Whether a class found by name is created (`get("Adam")` gives an optimizer).
        functions_as_names: Whether `serialize` gives a public function by its name alone (activations, losses).
    """

    def __init__(
        self,
        kind: str,
        module: str,
        objects: Iterable[Any],
        aliases: Mapping[str, Any] | None = None,
        instantiate: bool = True,
        functions_as_names: bool = True,
    ) -> None:
        self.kind, self.module = kind, module
        self.instantiate, self.functions_as_names = instantiate, functions_as_names
        self.table: dict[str, Any] = {}
        FAMILIES[module.rsplit(".", 1)[-1]] = self
        for obj in objects:
            self.table[obj.__name__] = obj
            if isinstance(obj, type):
                self.table.setdefault(to_snake_case(obj.__name__), obj)
            add_public_object(module, obj.__name__, obj)
        for name, obj in (aliases or {}).items():
            self.table[name] = obj
            add_public_object(module, name, obj)

    def get(self, identifier: Any) -> Any:
        """Returns the object for a name, a configuration, a class, an instance, a callable or None.

        Raises:
            ArgumentError: If nothing goes by that name.
        """
        if identifier is None:
            return None
        if isinstance(identifier, str):
            return self._by_name(identifier)
        if isinstance(identifier, dict):
            return self.deserialize(identifier)
        if inspect.isclass(identifier):
            return identifier() if self.instantiate else identifier
        if callable(identifier) or hasattr(identifier, "get_config"):
            return identifier
        raise ArgumentError(
            f"{'An' if self.kind[0] in 'aio' else 'A'} {self.kind} is given by name, object, function or "
            "configuration.",
            got=f"{identifier!r}.",
            fixes=_EXAMPLES.get(self.kind, ()),
        )

    def _by_name(self, name: str) -> Any:
        found = get_registered_object(name)
        if found is None:
            found = self.table.get(name)
        if found is None:
            found = self.table.get(name.lower())
        if found is None:
            close = did_you_mean(name, self.table)
            raise ArgumentError(
                f"There is no {self.kind} named {name!r}.{close}",
                why=f"Known: {', '.join(sorted({k for k in self.table if k.islower() and k != self.kind}))}.",
                fixes=f"Your own: hornbill.saving.register_keras_serializable, or pass the {self.kind} itself.",
            )
        return found() if inspect.isclass(found) and self.instantiate else found

    def serialize(self, obj: Any) -> Any:
        """Returns an object of the family as plain data, a public function as its name."""
        if obj is None or isinstance(obj, str):
            return obj
        name = getattr(obj, "__name__", None)
        if self.functions_as_names and name is not None and not inspect.isclass(obj):
            if self.table.get(name) is obj:
                return name
            if get_registered_object(registered := get_registered_name(obj)) is obj:
                return registered
        return serialize_keras_object(obj)

    def deserialize(self, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Returns the object for data from `serialize`, or for a name."""
        if isinstance(config, str):
            if custom_objects and config in custom_objects:
                return custom_objects[config]
            return self._by_name(config)
        if is_serialized_object(config) and "module" not in config and config["class_name"] in self.table:
            inner = config["config"]
            return self.table[config["class_name"]].from_config(inner if isinstance(inner, dict) else {})
        return deserialize_keras_object(config, custom_objects)
