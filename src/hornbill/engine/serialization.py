"""Objects to plain data and back, in the form that Keras 3 writes.

A serialised object is `{"module", "class_name", "config", "registered_name"}`. Reading one looks its class up by
name in a closed table: the public classes of Hornbill, those that the program registered, and those given with the
call. Nothing is imported by name and no code in the data is run.
"""

from __future__ import annotations

import importlib
import threading
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np

from hornbill.engine.dtype import DTypePolicy, standardize_dtype
from hornbill.engine.errors import ArgumentError, ArgumentTypeError, FileError, did_you_mean
from hornbill.engine.symbolic import KerasTensor

__all__ = [
    "CustomObjectScope", "add_public_object", "custom_object_scope", "deserialize_keras_object",
    "get_custom_objects", "get_registered_name", "get_registered_object", "is_serialized_object", "public_object",
    "register_keras_serializable", "serialize_keras_object",
]  # fmt: skip

_custom: dict[str, Any] = {}
_registered_names: dict[Any, str] = {}
_public: dict[str, dict[str, Any]] = {}
_public_names: dict[int, tuple[str, str]] = {}
_local = threading.local()
late_modules: tuple[str, ...] = ()
"""Hornbill's own modules that enter public objects and are imported when a name is not known yet."""


def add_public_object(module: str, name: str, obj: Any) -> None:
    """Enters a class or function under its public Keras module and name; the first module is the one written."""
    _public.setdefault(module, {})[name] = obj
    _public_names.setdefault(id(obj), (module, name))


def public_object(name: str, module: str | None = None) -> Any:
    """Returns the public object of a name, in a module if given, or None.

    A module of Keras other than the public one will do, since files name inner modules; one of another program not.
    """
    if module is not None and name in _public.get(module, {}):
        return _public[module][name]
    if module is not None and module.partition(".")[0] not in ("keras", "builtins", "tensorflow", "tf_keras"):
        return None
    for table in _public.values():
        if name in table:
            return table[name]
    return None


def get_custom_objects() -> dict[str, Any]:
    """Returns the live dict of objects known by name in this process."""
    return _custom


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """Returns a decorator that enters a class or function as `package>name`, so that files may name it.

    Args:
        package: First part of the name.
        name: Second part; the object's own name if None.
    """

    def register(obj: Any) -> Any:
        if isinstance(obj, type) and not hasattr(obj, "get_config"):
            raise ArgumentError(f"{obj.__name__} cannot be registered: it has no get_config method.")
        registered = f"{package}>{name or obj.__name__}"
        _custom[registered] = obj
        _registered_names[obj] = registered
        return obj

    return register


def get_registered_name(obj: Any) -> str:
    """Returns the name an object was registered under, else its own name.

    Args:
        obj: A class or function.
    """
    try:
        return _registered_names.get(obj) or getattr(obj, "__name__", str(obj))
    except TypeError:
        return getattr(obj, "__name__", str(obj))


def get_registered_object(
    name: str,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """Returns the object of a name from the open scopes, the given tables or the registry, or None.

    Args:
        name: The registered name.
        custom_objects: Objects by name, looked at before the registry.
        module_objects: More objects by name, looked at last.
    """
    for table in (*reversed(_scopes()), custom_objects or {}, _custom, module_objects or {}):
        if name in table:
            return table[name]
    return None


class CustomObjectScope:
    """Makes objects known by name inside a `with` block.

    Args:
        custom_objects: Dict from name to class or function.
    """

    def __init__(self, custom_objects: Mapping[str, Any]) -> None:
        self.custom_objects = dict(custom_objects or {})

    def __enter__(self) -> CustomObjectScope:
        _scopes().append(self.custom_objects)
        return self

    def __exit__(self, *exc: object) -> None:
        _scopes().pop()


custom_object_scope = CustomObjectScope


def _scopes() -> list[Mapping[str, Any]]:
    if not hasattr(_local, "scopes"):
        _local.scopes = []
    return _local.scopes


@contextmanager
def shared_objects() -> Iterator[dict[int, Any]]:
    """Opens a scope in which an object serialised once is made once."""
    outer = getattr(_local, "shared", None)
    _local.shared = {} if outer is None else outer
    try:
        yield _local.shared
    finally:
        _local.shared = outer


def is_serialized_object(value: Any) -> bool:
    """Returns whether a value has the form of a serialised object."""
    return isinstance(value, dict) and "class_name" in value and "config" in value


def serialize_keras_object(obj: Any) -> Any:
    """Returns an object as data that JSON can hold.

    Args:
        obj: The object: plain data, a layer, a function, or lists and dicts of such.

    Raises:
        ArgumentTypeError: If it is neither plain data nor an object with `get_config`.
    """
    if obj is None or isinstance(obj, (bool, int, float, str)):
        return _plain(obj)
    if isinstance(obj, DTypePolicy):
        return obj.serialized()
    if isinstance(obj, KerasTensor):
        history = None
        if obj._keras_history is not None:
            operation, node, tensor = obj._keras_history
            history = [operation.name, node, tensor]
        return {
            "class_name": "__keras_tensor__",
            "config": {"shape": list(obj.shape), "dtype": obj.dtype, "keras_history": history},
        }
    return _serialize_container(obj) if isinstance(obj, (list, tuple, dict, set)) else _serialize_other(obj)


def _plain(obj: Any) -> Any:
    return obj if type(obj) in (bool, int, float, str) or obj is None else type(obj).__mro__[1](obj)


def _serialize_container(obj: Any) -> Any:
    if isinstance(obj, dict):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    items = [serialize_keras_object(item) for item in obj]
    if isinstance(obj, tuple) and type(obj) is tuple:
        return {"class_name": "__tuple__", "items": items} if _holds_objects(obj) else tuple(items)
    return items


def _holds_objects(obj: tuple[Any, ...]) -> bool:
    return any(isinstance(leaf, KerasTensor) for leaf in jax.tree_util.tree_leaves(obj))


def _serialize_other(obj: Any) -> Any:
    if isinstance(obj, (np.ndarray, jax.Array)):
        host = np.asarray(obj)
        if host.ndim == 0:
            return host.item()
        return {"class_name": "__numpy__", "config": {"value": host.tolist(), "dtype": host.dtype.name}}
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.dtype) or (isinstance(obj, type) and issubclass(obj, np.generic)):
        return standardize_dtype(obj)
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode()}}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, slice):
        parts = {"start": obj.start, "stop": obj.stop, "step": obj.step}
        return {"class_name": "__slice__", "config": {k: serialize_keras_object(v) for k, v in parts.items()}}
    if isinstance(obj, types.LambdaType) and obj.__name__ == "<lambda>":
        return {"class_name": "__lambda__", "config": {"value": None}, "source": "not stored"}
    if isinstance(obj, type) or not hasattr(obj, "get_config"):
        return _serialize_named(obj)
    data = {**_name_fields(type(obj)), "config": obj.get_config()}
    data = {key: data[key] for key in ("module", "class_name", "config", "registered_name")}
    if hasattr(obj, "get_build_config") and (build_config := obj.get_build_config()):
        data["build_config"] = build_config
    if hasattr(obj, "get_compile_config") and (compile_config := obj.get_compile_config()):
        data["compile_config"] = compile_config
    return data


def _name_fields(cls: Any) -> dict[str, Any]:
    public = _public_names.get(id(cls))
    if public is not None and cls not in _registered_names:
        # Keras writes its internal classes, which stand under "keras.src", with their registered name.
        registered = public[1] if public[0].startswith("keras.src.") else None
        return {"module": public[0], "class_name": public[1], "registered_name": registered}
    if cls in _registered_names:  # found by that name alone, wherever the class is written
        return {"module": None, "class_name": cls.__name__, "registered_name": _registered_names[cls]}
    return {"module": cls.__module__, "class_name": cls.__name__, "registered_name": get_registered_name(cls)}


def _serialize_named(obj: Any) -> Any:
    """Serialises a function or class by its name."""
    name = getattr(obj, "__name__", None)
    if name is None:
        raise ArgumentTypeError(
            f"A {type(obj).__name__} cannot be stored in a configuration.",
            got=f"{str(obj)[:80]}.",
            fixes=(
                "Give the class a get_config method.",
                "Store plain numbers, strings, lists and dicts only.",
            ),
        )
    public = _public_names.get(id(obj))
    if public is not None and obj not in _registered_names:
        module, name, registered = public[0], public[1], public[1]
    else:
        module, registered = getattr(obj, "__module__", None), get_registered_name(obj)
        module = "builtins" if not isinstance(obj, type) and module is not None else module
    kind = "class" if isinstance(obj, type) else "function"
    return {
        "module": module if kind == "class" or public is not None else "builtins",
        "class_name": kind,
        "config": name if public is None or obj in _registered_names else public[1],
        "registered_name": registered,
    }


_MARKERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "__bytes__": lambda data: data["config"]["value"].encode(),
    "__numpy__": lambda data: np.array(data["config"]["value"], dtype=data["config"]["dtype"]),
    "__tensor__": lambda data: jax.numpy.asarray(
        np.array(data["config"]["value"], dtype=data["config"]["dtype"])
    ),
    "__ellipsis__": lambda _: Ellipsis,
    "__slice__": lambda data: slice(
        *(deserialize_keras_object(data["config"][part]) for part in ("start", "stop", "step"))
    ),
    "__keras_tensor__": lambda data: KerasTensor(data["config"]["shape"], data["config"]["dtype"]),
}


def deserialize_keras_object(
    config: Any,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
    **kwargs: Any,  # noqa: ARG001 (old arguments)
) -> Any:
    """Returns the object for data from `serialize_keras_object`.

    Args:
        config: The data.
        custom_objects: Classes and functions by name, beyond Hornbill's own and the registered ones.
        safe_mode: Kept for Keras' sake. False changes nothing: code in a file is never run.
        **kwargs: `module_objects`, `printable_module_name`: kept for Keras 2's sake.

    Raises:
        FileError: If a class is not known, or the data asks for code to be run.
    """
    if custom_objects:
        with CustomObjectScope(custom_objects):
            return deserialize_keras_object(config, safe_mode=safe_mode)
    if config is None or isinstance(config, (bool, int, float)):
        return config
    if isinstance(config, str):
        found = get_registered_object(config)
        return config if found is None else found
    if isinstance(config, (list, tuple)):
        return type(config)(deserialize_keras_object(item) for item in config)
    if not isinstance(config, dict):
        return config
    name = config.get("class_name")
    if name == "__tuple__":
        return tuple(deserialize_keras_object(item) for item in config.get("items", config.get("config", ())))
    if not is_serialized_object(config):
        return {key: deserialize_keras_object(value) for key, value in config.items()}
    if name == "__lambda__":
        raise FileError(
            "This file stores a Python lambda, which Hornbill never runs.",
            why="Code from a file could do anything that you can do on this machine.",
            fixes="Write the function in your program and pass it: load_model(path, custom_objects={'name': fn}).",
        )
    if name in _MARKERS:
        return _MARKERS[name](config)
    return _make(config)


def _make(config: dict[str, Any]) -> Any:
    name, inner = config["class_name"], config["config"]
    shared = getattr(_local, "shared", None)
    shared_id = config.get("shared_object_id")
    if shared is not None and shared_id is not None and shared_id in shared:
        return shared[shared_id]
    if name in ("function", "class"):
        return _find(inner, config.get("module"), config.get("registered_name"), name)
    cls = _find(name, config.get("module"), config.get("registered_name"), "class")
    if not isinstance(cls, type) or not hasattr(cls, "from_config"):
        raise FileError(
            f"The configuration names {name!r} as a class to create, but it is not one that a file may create."
        )
    if not isinstance(inner, dict):
        raise FileError(f"The configuration of {name!r} must be a dict.", got=f"{type(inner).__name__}.")
    instance = cls.from_config(inner)
    build_config = config.get("build_config")
    if build_config and not getattr(instance, "built", True):
        instance.build_from_config(build_config)
    if config.get("compile_config") and hasattr(instance, "compile_from_config"):
        instance.compile_from_config(config["compile_config"])
    if shared is not None and shared_id is not None:
        shared[shared_id] = instance
    return instance


def _find(name: Any, module: Any, registered_name: Any, kind: str) -> Any:
    """Returns the class or function that a configuration names, from the closed tables only."""
    if not isinstance(name, str):
        raise FileError(f"A configuration must name its {kind} by a string.", got=f"{name!r}.")
    for key in (registered_name, name):
        if isinstance(key, str) and (found := get_registered_object(key)) is not None:
            return found
    found = None
    if not (isinstance(registered_name, str) and ">" in registered_name):
        found = public_object(name, _public_module(module))
        if found is None:
            for late in late_modules:
                importlib.import_module(late)
            found = public_object(name, _public_module(module))
    if found is not None:
        return found
    known = [key for table in _public.values() for key in table] + list(_custom)
    raise FileError(
        f"The configuration names a {kind} {registered_name or name!r} that this program does not know.",
        why="Files are data: Hornbill imports nothing that a file names.",
        fixes=(
            f"load_model(path, custom_objects={{{name!r}: {name}}})",
            f"Put @hornbill.saving.register_keras_serializable() above the {kind}.",
            *([hint.strip()] if (hint := did_you_mean(name, known)) else []),
        ),
    )


def _public_module(module: Any) -> str | None:
    """Returns the public module for one that files name: `keras.src.ops.numpy` -> `keras.ops.numpy`."""
    if not isinstance(module, str):
        return None
    for old in ("keras.src.", "tensorflow.keras.", "tf_keras.", "hornbill."):
        module = module.replace(old, "keras.") if module.startswith(old) else module
    return module
