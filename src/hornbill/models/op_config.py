"""Ops of a graph in the configuration: Keras writes each as an object of a class named after the op.

`mean(x, axis=1)` stands in a file as class "Mean" of "keras.src.ops.numpy" with config `{"axis": 1}` and one call on
the tensor. Only ops in the closed table can be read.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

from hornbill.engine.errors import FileError, did_you_mean
from hornbill.engine.graph import Node, OpOperation
from hornbill.engine.naming import to_snake_case
from hornbill.engine.op import OPS
from hornbill.engine.serialization import deserialize_keras_object, serialize_keras_object
from hornbill.ops import image, linalg, nn, numpy

__all__ = ["op_from_config", "serialize_op"]

_FAMILIES = {"numpy": numpy, "nn": nn, "linalg": linalg, "image": image}
_KERAS_CLASS = {"relu6": "Relu6", "log1p": "Log1p", "expm1": "Expm1", "log10": "Log10", "log2": "Log2"}


def _class_name(op_name: str) -> str:
    return _KERAS_CLASS.get(op_name) or "".join(part[:1].upper() + part[1:] for part in op_name.split("_"))


def _module(op_name: str) -> str:
    for family, module in _FAMILIES.items():
        if op_name in module.__all__:
            return f"keras.src.ops.{family}"
    return "keras.src.ops.core" if op_name in _CORE else "keras.src.ops.math"


_CORE = frozenset({
    "cast", "cond", "convert_to_tensor", "fori_loop", "map", "scan", "scatter", "scatter_update", "shape", "slice",
    "slice_update", "stop_gradient", "switch", "unstack", "vectorized_map", "while_loop", "saturate_cast",
})  # fmt: skip


def _is_tensor_parameter(parameter: inspect.Parameter) -> bool:
    return str(parameter.annotation).startswith(("Tensor", "Sequence[Tensor"))


def serialize_op(operation: OpOperation, nodes: list[Node]) -> tuple[dict[str, Any], list[tuple[Any, Any]]]:
    """Returns the configuration of an op and its calls as `(args, kwargs)`.

    Static arguments go to the configuration, tensors (and numbers in their places) to the call.
    """
    signature: inspect.Signature = operation.fn.signature  # type: ignore[attr-defined]
    config: dict[str, Any] = {"name": operation.name}
    calls = []
    for node in nodes:
        bound = signature.bind(*node.args, **{**operation.arguments, **node.kwargs})
        bound.apply_defaults()
        args = []
        for name, parameter in signature.parameters.items():
            value = bound.arguments[name]
            if parameter.kind is parameter.VAR_POSITIONAL:
                args.extend(value)
            elif _is_tensor_parameter(parameter) or (operation.fn.__name__, name) == ("get_item", "key"):
                if value is not None:
                    args.append(value)
            else:
                config[name] = serialize_keras_object(value)
        calls.append((tuple(args), {}))
    name = operation.fn.__name__
    data = {"module": _module(name), "class_name": _class_name(name), "config": config, "registered_name": _class_name(name)}
    return data, calls


def op_from_config(data: dict[str, Any]) -> OpOperation | None:
    """Returns the operation for an op's configuration, or None if it is not that of an op.

    Raises:
        FileError: If it is an op that Hornbill does not have.
    """
    module = data.get("module")
    if not isinstance(module, str) or not re.match(r"(keras(\.src)?|hornbill)\.ops(\.|$)", module):
        return None
    class_name = data.get("class_name")
    if not isinstance(class_name, str):
        raise FileError("An op in the configuration must be named by a string.", got=f"{class_name!r}.")
    names = {_class_name(name): name for name in OPS}
    op_name = names.get(class_name) or to_snake_case(class_name)
    if op_name not in OPS:
        raise FileError(f"The configuration uses the op {class_name!r}, which does not exist.{did_you_mean(op_name, OPS)}")
    fn = OPS[op_name]
    config = dict(data["config"])
    name = config.pop("name", None)
    known = fn.signature.parameters  # type: ignore[attr-defined]
    arguments = {key: deserialize_keras_object(value) for key, value in config.items() if key in known}
    arguments = {key: tuple(v) if isinstance(v, list) else v for key, v in arguments.items()}
    return OpOperation(fn, name, arguments)
