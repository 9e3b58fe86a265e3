"""The code that makes a layer, as a user would type it: only the arguments that differ from the defaults.

The arguments are read from the layer's configuration, and the defaults from that of a twin made with as few of them as
needed; so arguments that follow from others (the strides of a pooling from its size) are left out.
"""

from __future__ import annotations

import re
from typing import Any

from hornbill.engine.config import Configurable, parameters_of
from hornbill.engine.errors import HornbillError
from hornbill.engine.graph import Node, OpOperation
from hornbill.engine.naming import to_snake_case
from hornbill.engine.serialization import is_serialized_object, public_object
from hornbill.engine.symbolic import KerasTensor

__all__ = ["arguments_of", "code_of", "config_of", "plain", "typed"]

_ONE_NUMBER = frozenset({
    "kernel_size", "strides", "dilation_rate", "pool_size", "size", "padding", "cropping", "output_padding",
    "output_size",
})  # fmt: skip
"""Arguments that take one number in place of equal numbers for every axis."""

_NO_ARGUMENTS = frozenset({"name", "trainable", "dtype", "registered_name"})
_BY_PLACE = 2  # so many arguments are given by their place, if they have no defaults


def config_of(operation: Any) -> dict[str, Any]:
    """Returns the configuration of a layer or op as JSON holds it; what has none gives an empty one."""
    try:
        config = operation.get_config()
    except (HornbillError, TypeError, ValueError, AttributeError, NotImplementedError):
        return {}
    return plain(config) if isinstance(config, dict) else {}


def plain(value: Any) -> Any:
    """Returns a value as JSON holds it: tuples as lists, numbers of NumPy as Python's, other objects by their text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return str(value)


def code_of(operation: Any, node: Node | None = None) -> str:
    """Returns the call that makes a layer, such as `layers.Conv2D(32, 3, padding='same', activation='relu')`.

    Args:
        operation: The layer or op.
        node: The call of an op, whose arguments are shown: `ops.multiply(relu, 2)`.
    """
    if isinstance(operation, OpOperation):
        words = [] if node is None else [_argument(value) for value in node.args]
        words += [] if node is None else [f"{key}={_argument(value)}" for key, value in node.kwargs.items()]
        return f"ops.{operation.fn.__name__}({', '.join(words) if node is not None else '...'})"
    cls = type(operation)
    config = config_of(operation)
    if cls.__name__ == "InputLayer":
        return _input_code(config)
    if {"layers", "input_layers"} <= config.keys():
        return "Model(inputs, outputs)"
    if isinstance(config.get("layers"), list):
        return "Sequential([...])"
    arguments = _different(cls, config, _left_out(operation))
    if not _is_automatic(operation.name, cls.__name__):
        arguments.append(("name", operation.name))
    if config.get("trainable") is False:
        arguments.append(("trainable", False))
    return f"{_class_path(cls)}({_arguments(cls, arguments)})"


def arguments_of(layer: Any) -> dict[str, Any]:
    """Returns the arguments that make an equal layer, with its name: few of them for a layer of Hornbill's own.

    What follows from another argument is left out, so that it follows again when that one is changed.
    """
    config = layer.get_config()
    cls = type(layer)
    if cls.__module__.partition(".")[0] != "hornbill":
        return config
    base = {key: config[key] for key in ("name", "trainable", "dtype") if key in config}
    plainly = config_of(layer)
    chosen = (
        [name for name, _ in _different(cls, plainly, _left_out(layer))]
        if _twin(cls, _required(cls, plainly))
        else list(config)
    )
    return {**base, **{name: config[name] for name in chosen}}


def _required(cls: type, config: dict[str, Any]) -> dict[str, Any]:
    return {p.name: config[p.name] for p in parameters_of(cls) if p.default is p.empty and p.name in config}


def _argument(value: Any) -> str:
    """Returns an argument of an op: a tensor by the name of the layer that made it."""
    if isinstance(value, KerasTensor):
        return value.name if value._keras_history is None else value._keras_history[0].name
    if isinstance(value, (list, tuple)) and any(isinstance(item, KerasTensor) for item in value):
        return f"[{', '.join(map(_argument, value))}]"
    text = repr(plain(value))
    return text if len(text) < 40 else "..."


def _input_code(config: dict[str, Any]) -> str:
    shape = config.get("batch_shape") or [None]
    words = [typed("shape", shape[1:])]
    words += [f"batch_size={shape[0]}"] if shape[0] is not None else []
    words += [f"dtype={config['dtype']!r}"] if config.get("dtype", "float32") != "float32" else []
    return f"Input({', '.join(words)})"


def _is_automatic(name: str, class_name: str) -> bool:
    return re.fullmatch(rf"{re.escape(to_snake_case(class_name))}(_\d+)?", name) is not None


def _class_path(cls: type) -> str:
    """Returns `layers.Dense` for a class of Hornbill, the bare name for others."""
    if public_object(cls.__name__) is not cls:
        return cls.__name__
    family = cls.__module__.removeprefix("hornbill.").partition(".")[0]
    return f"{family}.{cls.__name__}" if family != "models" else cls.__name__


def _left_out(operation: Any) -> frozenset[str]:
    """Returns the parameters that were not given, or as their defaults; building may have completed their values."""
    captured = operation._captured_arguments()
    return frozenset(
        p.name
        for p in parameters_of(type(operation))
        if p.default is not p.empty and (captured[p.name] is p.default or captured[p.name] in ((), [], {}))
    )


def _different(
    cls: type, config: dict[str, Any], left_out: frozenset[str] = frozenset()
) -> list[tuple[str, Any]]:
    """Returns the arguments that differ from what the class would take by itself, in the order of its parameters."""
    parameters = [p for p in parameters_of(cls) if p.name in config and p.name not in _NO_ARGUMENTS]
    given = {p.name: config[p.name] for p in parameters if p.default is p.empty}
    twin = _twin(cls, given)
    if twin is None:  # a class that cannot be made for a trial: its signature says the defaults
        twin = {p.name: plain(p.default) for p in parameters}
    for parameter in parameters:
        name = parameter.name
        if (
            name not in given
            and name not in left_out
            and twin.get(name) != config[name]
            and (twin.get(name), config[name]) != (None, {})
        ):
            given[name] = config[name]
            twin = _twin(cls, given) or twin
    return [(p.name, given[p.name]) for p in parameters if p.name in given]


def _twin(cls: Any, given: dict[str, Any]) -> dict[str, Any] | None:
    """Returns the configuration of a trial object of a class of Hornbill's own; None if there can be none."""
    if cls.__module__.partition(".")[0] != "hornbill" or not issubclass(cls, Configurable):
        return None
    named = {"name": "twin"} if "name" in {p.name for p in parameters_of(cls)} or hasattr(cls, "call") else {}
    try:
        return config_of(cls.from_config({**given, **named}))
    except (HornbillError, TypeError, ValueError, KeyError, AttributeError):
        return None


def _arguments(cls: Any, given: list[tuple[str, Any]]) -> str:
    required = [p.name for p in parameters_of(cls) if p.default is p.empty and p.name not in _NO_ARGUMENTS]
    words = []
    for place, (name, value) in enumerate(given):
        by_place = place < _BY_PLACE and required[place : place + 1] == [name]
        words.append(typed(name, value) if by_place else f"{name}={typed(name, value)}")
    return ", ".join(words)


def typed(name: str, value: Any) -> str:
    """Returns an argument as it would be typed, from its value in a configuration."""
    if is_serialized_object(value):
        return _object(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {typed('', item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        if name in _ONE_NUMBER and (number := _same_number(value)) is not None:
            return f"{number}"
        if any(is_serialized_object(item) for item in value):
            return "[" + ", ".join(typed("", item) for item in value) + "]"
        items = ", ".join(typed(name if name in _ONE_NUMBER else "", item) for item in value)
        return f"({items},)" if len(value) == 1 else f"({items})"
    return repr(value)


def _same_number(value: Any) -> int | None:
    """Returns the one number that stands for lists of equal numbers, or None."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    numbers = {_same_number(item) for item in value} if isinstance(value, list) else {None}
    return numbers.pop() if len(numbers) == 1 else None


def _object(data: dict[str, Any]) -> str:
    """Returns the code of a serialised object: an initialiser, a regulariser, an inner layer, a function."""
    name, config = data["class_name"], data["config"]
    if name == "function" or not isinstance(config, dict):
        return str(config)
    if name == "__lambda__":
        return "lambda ...: ..."
    cls = public_object(name)
    if not isinstance(cls, type):
        return f"{name}(...)"
    given = _different(cls, config)
    family = cls.__module__.removeprefix("hornbill.").partition(".")[0]
    if not given and family in ("initializers", "regularizers", "constraints"):
        return repr(to_snake_case(name))
    return f"{_class_path(cls)}({_arguments(cls, given)})"
