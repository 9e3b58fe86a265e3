"""Keras 2's op layers (`TFOpLambda`, `SlicingOpLambda`) as the ops of today.

Such a layer holds the name of a TensorFlow function, and its calls the arguments. One row per function says which op
it is now and how its arguments are called; anything else is refused.
"""

from __future__ import annotations

from typing import Any

from hornbill.engine.errors import FileError, did_you_mean

__all__ = ["upgrade_op"]

_X = {
    "input_tensor": "x",
    "input": "x",
    "tensor": "x",
    "features": "x",
    "logits": "x",
    "value": "x",
    "x": "x",
}
_XY = {"x": "x1", "y": "x2", "a": "x1", "b": "x2"}
_REDUCTION = {**_X, "keepdims": "keepdims", "axis": "axis"}


def _rows(
    names: str, op: str, arguments: dict[str, str], first: str
) -> dict[str, tuple[str, dict[str, str], str]]:
    return dict.fromkeys(names.split(), (op, arguments, first))


_OPS: dict[str, tuple[str, dict[str, str], str]] = {
    **_rows("__operators__.add math.add", "Add", _XY, "x1"),
    **_rows("math.subtract", "Subtract", _XY, "x1"),
    **_rows("math.multiply", "Multiply", _XY, "x1"),
    **_rows("math.truediv math.divide compat.v1.truediv", "TrueDivide", _XY, "x1"),
    **_rows("math.floordiv", "FloorDivide", _XY, "x1"),
    **_rows("math.pow", "Power", _XY, "x1"),
    **_rows("math.maximum", "Maximum", _XY, "x1"),
    **_rows("math.minimum", "Minimum", _XY, "x1"),
    **_rows("math.greater", "Greater", _XY, "x1"),
    **_rows("math.less", "Less", _XY, "x1"),
    **_rows("math.equal", "Equal", _XY, "x1"),
    **_rows("linalg.matmul matmul", "Matmul", _XY, "x1"),
    **_rows("math.negative", "Negative", _X, "x"),
    **_rows("math.abs", "Absolute", _X, "x"),
    **_rows("math.square", "Square", _X, "x"),
    **_rows("math.sqrt", "Sqrt", _X, "x"),
    **_rows("math.rsqrt", "Rsqrt", _X, "x"),
    **_rows("math.exp", "Exp", _X, "x"),
    **_rows("math.log", "Log", _X, "x"),
    **_rows("math.sin", "Sin", _X, "x"),
    **_rows("math.cos", "Cos", _X, "x"),
    **_rows("math.tanh nn.tanh", "Tanh", _X, "x"),
    **_rows("math.sigmoid nn.sigmoid", "Sigmoid", _X, "x"),
    **_rows("nn.relu", "Relu", _X, "x"),
    **_rows("nn.relu6", "Relu6", _X, "x"),
    **_rows("nn.elu", "Elu", _X, "x"),
    **_rows("nn.gelu", "Gelu", {**_X, "approximate": "approximate"}, "x"),
    **_rows("nn.silu nn.swish", "Silu", _X, "x"),
    **_rows("math.softplus nn.softplus", "Softplus", _X, "x"),
    **_rows("nn.leaky_relu", "LeakyRelu", {**_X, "alpha": "negative_slope"}, "x"),
    **_rows("nn.softmax", "Softmax", {**_X, "axis": "axis"}, "x"),
    **_rows("math.reduce_mean", "Mean", _REDUCTION, "x"),
    **_rows("math.reduce_sum", "Sum", _REDUCTION, "x"),
    **_rows("math.reduce_max", "Max", _REDUCTION, "x"),
    **_rows("math.reduce_min", "Min", _REDUCTION, "x"),
    **_rows("math.reduce_prod", "Prod", _REDUCTION, "x"),
    **_rows("math.reduce_std", "Std", _REDUCTION, "x"),
    **_rows("math.reduce_variance", "Var", _REDUCTION, "x"),
    **_rows("math.argmax", "Argmax", {**_X, "axis": "axis"}, "x"),
    **_rows("math.argmin", "Argmin", {**_X, "axis": "axis"}, "x"),
    **_rows("math.l2_normalize", "Normalize", {**_X, "axis": "axis"}, "x"),
    **_rows("concat", "Concatenate", {"values": "xs", "axis": "axis"}, "xs"),
    **_rows("stack", "Stack", {"values": "x", "axis": "axis"}, "x"),
    **_rows("reshape", "Reshape", {**_X, "shape": "newshape"}, "x"),
    **_rows("expand_dims", "ExpandDims", {**_X, "axis": "axis"}, "x"),
    **_rows("squeeze compat.v1.squeeze", "Squeeze", {**_X, "axis": "axis"}, "x"),
    **_rows("transpose compat.v1.transpose", "Transpose", {"a": "x", "perm": "axes", "x": "x"}, "x"),
    **_rows("tile", "Tile", {**_X, "multiples": "repeats"}, "x"),
    **_rows("repeat", "Repeat", {**_X, "repeats": "repeats", "axis": "axis"}, "x"),
    **_rows("cast", "Cast", {**_X, "dtype": "dtype"}, "x"),
    **_rows("clip_by_value", "Clip", {"t": "x", "clip_value_min": "x_min", "clip_value_max": "x_max"}, "x"),
    **_rows("zeros_like", "ZerosLike", _X, "x"),
    **_rows("ones_like", "OnesLike", _X, "x"),
    **_rows("__operators__.getitem", "GetItem", {"slice_spec": "key"}, "x"),
}
_ALIASES = {name.replace(".", "_"): name for name in _OPS} | {
    name.removeprefix("math."): name for name in _OPS if name.startswith("math.")
}
_IGNORED = frozenset({"name", "validate_shape", "conjugate"})


def upgrade_op(data: dict[str, Any]) -> dict[str, Any]:
    """Returns the present form of an op layer of Keras 2.

    Args:
        data: `{"class_name": "TFOpLambda", "config": {"name", "function"}, "inbound_nodes": [...]}`.

    Raises:
        FileError: If the function or an argument of it is not known.
    """
    config = data["config"]
    function = config.get("function") or "__operators__.getitem"
    function = function.removeprefix("tf.") if isinstance(function, str) else function
    row = _OPS.get(function) or _OPS.get(_ALIASES.get(function, "")) if isinstance(function, str) else None
    if row is None:
        raise FileError(
            f"The file uses the TensorFlow function {function!r}, which has no counterpart here."
            f"{did_you_mean(function, _OPS)}",
            fixes="Save the model again with a keras.layers layer in its place.",
        )
    op, arguments, _ = row
    nodes = [_node(node, function, arguments) for node in data.get("inbound_nodes") or []]
    name = config.get("name") or data.get("name")
    result = {"module": "keras.ops", "class_name": op, "config": {"name": name}, "registered_name": op}
    return {**result, "name": data.get("name", name), "inbound_nodes": nodes}


def _node(node: Any, function: str, arguments: dict[str, str]) -> dict[str, Any]:
    """Returns one call in Keras 3's form."""
    if isinstance(node, dict):
        return node
    entries = [node] if node and isinstance(node[0], str) else list(node)
    tensors = [_tensor(entry[:3]) for entry in entries]
    kwargs: dict[str, Any] = {}
    for entry in entries:
        for key, value in (entry[3] if len(entry) > 3 and isinstance(entry[3], dict) else {}).items():
            if key in _IGNORED or value is None:
                continue
            if key not in arguments:
                raise FileError(
                    f"The file calls {function!r} with the argument {key!r}, which has no counterpart here."
                )
            kwargs[arguments[key]] = _value(key, value)
    first: Any = tensors if function in ("concat", "stack") or len(tensors) > 1 else tensors[0]
    return {"args": [first], "kwargs": kwargs}


def _tensor(place: Any) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": list(place)}}


def _value(key: str, value: Any) -> Any:
    if (
        isinstance(value, list)
        and len(value) == 3
        and isinstance(value[0], str)
        and isinstance(value[1], int)
    ):
        return _tensor(value)
    if key == "slice_spec":
        items = value if isinstance(value, list) else [value]
        return {"class_name": "__tuple__", "items": [_slice(item) for item in items]}
    return value


def _slice(item: Any) -> Any:
    if isinstance(item, dict) and {"start", "stop", "step"} <= item.keys():
        return {"class_name": "__slice__", "config": {key: item[key] for key in ("start", "stop", "step")}}
    if (isinstance(item, dict) and item.get("class_name") == "__ellipsis__") or item in (
        "...",
        {"type": "Ellipsis"},
    ):
        return {"class_name": "__ellipsis__", "config": {}}
    return item
