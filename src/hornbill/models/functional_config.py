"""The configuration of a graph, in the form that Keras writes, and the graph made of one again.

Old forms are read too: Keras 2's list-shaped `inbound_nodes` and its op layers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbill.engine.errors import FileError
from hornbill.engine.graph import Operation, OpOperation
from hornbill.engine.layer import Layer
from hornbill.engine.serialization import (
    CustomObjectScope,
    deserialize_keras_object,
    is_serialized_object,
    serialize_keras_object,
)
from hornbill.engine.symbolic import KerasTensor
from hornbill.layers.input import InputLayer
from hornbill.models.op_config import op_from_config, serialize_op

__all__ = ["functional_config", "graph_from_config"]


def functional_config(model: Any, serialize: Callable[[Any], Any] = serialize_keras_object) -> dict[str, Any]:
    """Returns Keras' configuration of a functional model."""
    program = model._program
    kept: dict[int, dict[int, int]] = {}
    for node in program.nodes:
        indices = kept.setdefault(id(node.operation), {})
        indices[node.index] = len(indices)
    for indices in kept.values():  # nodes are numbered in the order of the calls, not of the run
        for place, index in enumerate(sorted(indices)):
            indices[index] = place

    def place_of(tensor: KerasTensor) -> list[Any]:
        operation, node, index = tensor._keras_history  # type: ignore[misc]
        return [operation.name, kept[id(operation)].get(node, 0), index]

    def node_data(value: Any) -> Any:
        if isinstance(value, KerasTensor):
            config = {"shape": list(value.shape), "dtype": value.dtype, "keras_history": place_of(value)}
            return {"class_name": "__keras_tensor__", "config": config}
        if type(value) in (list, tuple):
            return type(value)(node_data(item) for item in value)
        if isinstance(value, dict):
            return {key: node_data(item) for key, item in value.items()}
        return serialize_keras_object(value)

    layers = []
    for operation in program.operations:
        nodes = sorted((n for n in program.nodes if n.operation is operation), key=lambda n: n.index)
        nodes = [n for n in nodes if not n.is_input]
        if isinstance(operation, OpOperation):
            data, calls = serialize_op(operation, nodes)
        else:
            data, calls = serialize(operation), [(n.args, n.kwargs) for n in nodes]
        data["name"] = operation.name
        data["inbound_nodes"] = [_call_data(node_data(args), node_data(kwargs)) for args, kwargs in calls]
        layers.append(data)

    def ends(structure: Any) -> Any:
        if isinstance(structure, KerasTensor):
            return place_of(structure)
        if isinstance(structure, dict):
            return {key: ends(item) for key, item in structure.items()}
        return [ends(item) for item in structure]

    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": ends(model._inputs_structure),
        "output_layers": ends(model._outputs_structure),
    }


def _call_data(args: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Returns one call as data; an inference mode that the user asked for is marked, since Keras writes one always."""
    marked = {"explicit_training": True} if kwargs.get("training") is False else {}
    return {"args": args, "kwargs": kwargs, **marked}


def graph_from_config(
    config: dict[str, Any], custom_objects: dict[str, Any] | None = None
) -> tuple[Any, Any]:
    """Makes the layers of a configuration, connects them, and returns the inputs and outputs."""
    with CustomObjectScope(custom_objects or {}):
        operations: dict[str, Operation] = {}
        waiting: list[tuple[Operation, dict[str, Any]]] = []
        for data in config["layers"]:
            operation = _make_operation(data)
            operations[data.get("name") or data["config"]["name"]] = operation
            waiting.extend((operation, node) for node in _nodes_of(data))
        made: dict[tuple[str, int], Any] = {
            (name, 0): op._inbound_nodes[0].outputs
            for name, op in operations.items()
            if isinstance(op, InputLayer)
        }
        counts = {name: int((name, 0) in made) for name in operations}
        names = {id(op): name for name, op in operations.items()}
        _connect(waiting, made, counts, names)
        inputs, outputs = _ends(config["input_layers"], made), _ends(config["output_layers"], made)
        old = any(
            isinstance(node, list) for data in config["layers"] for node in data.get("inbound_nodes") or []
        )
        return (_alone(inputs), _alone(outputs)) if old else (inputs, outputs)


def _make_operation(data: dict[str, Any]) -> Operation:
    if not isinstance(data, dict) or not isinstance(data.get("config"), dict):
        raise FileError(
            "A layer in the configuration must be a dict with class_name and config.", got=f"{data!r}"[:120]
        )
    found = op_from_config(data)
    if found is not None:
        return found
    operation = deserialize_keras_object(data)
    if not isinstance(operation, (Layer, Operation)):
        raise FileError(f"{data.get('class_name')!r} in the configuration is no layer.")
    return operation


def _nodes_of(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the calls of a layer in Keras 3's form, whichever form they stand in."""
    nodes = data.get("inbound_nodes") or []
    result = []
    for node in nodes:
        if isinstance(node, dict):
            result.append(node)
            continue
        if node and isinstance(node[0], str):  # Keras 2 with one input: ["layer", 0, 0, kwargs]
            node = [node]
        tensors, kwargs = [], {}
        for item in node:
            tensors.append({"class_name": "__keras_tensor__", "config": {"keras_history": item[:3]}})
            kwargs.update(item[3] if len(item) > 3 and isinstance(item[3], dict) else {})
        first = tensors[0] if len(tensors) == 1 else tensors
        kwargs = {key: _old_reference(value) for key, value in kwargs.items()}
        result.append({"args": [first], "kwargs": kwargs})
    return result


def _old_reference(value: Any) -> Any:
    if (
        isinstance(value, list)
        and len(value) == 3
        and isinstance(value[0], str)
        and isinstance(value[1], int)
    ):
        return {"class_name": "__keras_tensor__", "config": {"keras_history": value}}
    return value


class _NotYet(Exception):  # noqa: N818 (it says when, not what went wrong)
    """A call's argument is not made yet."""


def _connect(
    waiting: list[tuple[Operation, dict[str, Any]]],
    made: dict[tuple[str, int], Any],
    counts: dict[str, int],
    names: dict[int, str],
) -> None:
    """Calls the operations as soon as their arguments are there, each operation's calls in order."""
    while waiting:
        left, blocked = [], set()
        for operation, node in waiting:
            name = names[id(operation)]
            try:
                if name in blocked:
                    raise _NotYet
                args = _revive(node.get("args", []), made)
                kwargs = _revive(node.get("kwargs", {}), made)
            except _NotYet:
                blocked.add(name)
                left.append((operation, node))
                continue
            if kwargs.get("training") is False and not node.get("explicit_training"):
                del kwargs["training"]  # Keras notes the flag of the tracing call; it is no wish of the user
            if kwargs.get("mask", 0) is None:
                del kwargs["mask"]
            operation(*args, **kwargs)
            made[(name, counts[name])] = operation._inbound_nodes[-1].outputs
            counts[name] += 1
        if len(left) == len(waiting):
            missing = ", ".join(sorted({names[id(op)] for op, _ in left}))
            raise FileError(f"The configuration's layers {missing} take inputs that no layer gives.")
        waiting = left


def _revive(value: Any, made: dict[tuple[str, int], Any]) -> Any:
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            return _tensor(value["config"]["keras_history"], made)
        if value.get("class_name") == "__tuple__":
            return tuple(_revive(item, made) for item in value["items"])
        if is_serialized_object(value):
            return deserialize_keras_object(value)
        return {key: _revive(item, made) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_revive(item, made) for item in value)
    return value


def _tensor(place: Any, made: dict[tuple[str, int], Any]) -> KerasTensor:
    try:
        name, node, index = place
        outputs = made.get((name, node))
    except (TypeError, ValueError):
        raise FileError(
            "A connection in the configuration must be [layer, call, output].", got=f"{place!r}."
        ) from None
    if outputs is None:
        raise _NotYet
    if not isinstance(index, int) or index >= len(outputs):
        raise FileError(f"The configuration asks for output {index} of {name!r}, which has {len(outputs)}.")
    return outputs[index]


def _ends(places: Any, made: dict[tuple[str, int], Any]) -> Any:
    def find(place: Any) -> Any:
        if isinstance(place, dict):
            return {key: find(item) for key, item in place.items()}
        if isinstance(place, (list, tuple)) and len(place) == 3 and isinstance(place[0], str):
            try:
                return _tensor(place, made)
            except _NotYet:
                raise FileError(f"The configuration's model ends at {place}, which no layer gives.") from None
        if not isinstance(place, (list, tuple)):
            raise FileError("The ends of a graph must be [layer, call, output].", got=f"{place!r}.")
        return [find(item) for item in place]

    return find(places)


def _alone(structure: Any) -> Any:
    """Returns the tensor of a list of one, since Keras 2 wrote a single input as such a list."""
    return structure[0] if isinstance(structure, list) and len(structure) == 1 else structure
