"""clone_model: the same network with weights of its own; and models from JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jax

from hornbill.engine.errors import ArgumentError, ArgumentTypeError, FileError
from hornbill.engine.graph import Node
from hornbill.engine.layer import Layer
from hornbill.engine.serialization import CustomObjectScope, deserialize_keras_object
from hornbill.engine.symbolic import KerasTensor, leaves_of
from hornbill.layers.input import Input, InputLayer
from hornbill.models.functional import Functional
from hornbill.models.model import Model
from hornbill.models.sequential import Sequential

__all__ = ["clone_model", "model_from_config", "model_from_json", "model_from_yaml"]


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Model:
    """Returns a model of the same layers with newly initialised weights.

    Args:
        model: The model; a subclass is made again from its configuration.
        input_tensors: KerasTensors to build on instead of new inputs.
        clone_function: `layer -> layer`, to change layers on the way; not called for inputs.
        call_function: `(layer, *args, **kwargs) -> outputs`, to change the connections of a functional model.
        recursive: Whether inner models are cloned layer by layer too.
        **kwargs: Refused.

    Raises:
        ArgumentError: If `clone_function` is given for a subclassed model.
    """
    if kwargs:
        raise ArgumentTypeError(f"clone_model has no argument {sorted(kwargs)}.")

    def copy(layer: Layer) -> Layer:
        if recursive and isinstance(layer, (Functional, Sequential)):
            return clone_model(
                layer, clone_function=clone_function, call_function=call_function, recursive=True
            )
        new = (
            clone_function(layer)
            if clone_function is not None
            else type(layer).from_config(layer.get_config())
        )
        if not isinstance(new, Layer):
            raise ArgumentError("clone_function must return a layer.", got=f"{new!r} for {layer.name!r}.")
        return new

    if isinstance(model, Sequential):
        return _clone_sequential(model, input_tensors, copy)
    if isinstance(model, Functional):
        return _clone_functional(model, input_tensors, copy, call_function)
    if clone_function is not None or input_tensors is not None:
        raise ArgumentError(
            f"Model {model.name!r} is a subclass: what it does stands in its call method.",
            why="clone_function and input_tensors need a functional or sequential model.",
            fixes="type(model).from_config(model.get_config())",
        )
    return type(model).from_config(model.get_config())


def _clone_sequential(model: Sequential, input_tensors: Any, copy: Callable[[Layer], Layer]) -> Sequential:
    clone = Sequential(name=model.name, trainable=model.trainable)
    given = leaves_of(input_tensors) if input_tensors is not None else []
    if len(given) > 1:
        raise ArgumentError("A Sequential model has one input.", got=f"{len(given)} input tensors.")
    if given:
        clone.add(given[0])
    elif model._input_layer is not None:
        clone.add(InputLayer.from_config(model._input_layer.get_config()))
    for layer in model.layers:
        clone.add(copy(layer))
    return clone


def _clone_functional(
    model: Functional,
    input_tensors: Any,
    copy: Callable[[Layer], Layer],
    call_function: Callable[..., Any] | None,
) -> Functional:
    given = leaves_of(input_tensors) if input_tensors is not None else None
    if given is not None and len(given) != len(model.inputs):
        raise ArgumentError(
            f"Model {model.name!r} has {len(model.inputs)} inputs.", got=f"{len(given)} tensors."
        )
    inputs = given or [
        Input(batch_shape=t.shape, dtype=t.dtype, name=t._keras_history[0].name)  # type: ignore[index] (inputs have one)
        for t in model.inputs
    ]
    copies: dict[int, Any] = {}

    def call(node: Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        operation: Any = node.operation
        if isinstance(operation, Layer):
            if id(operation) not in copies:
                copies[id(operation)] = copy(operation)
            operation = copies[id(operation)]
        else:
            operation = operation.fn if hasattr(operation, "fn") else operation
            kwargs = {**getattr(node.operation, "arguments", {}), **kwargs}
        return (
            call_function(operation, *args, **kwargs)
            if call_function is not None
            else operation(*args, **kwargs)
        )

    results = model._program.run(inputs, call)
    is_tensor = lambda x: isinstance(x, KerasTensor)  # noqa: E731
    outputs = jax.tree_util.tree_unflatten(
        jax.tree_util.tree_structure(model._outputs_structure, is_leaf=is_tensor), results
    )
    structure = jax.tree_util.tree_structure(model._inputs_structure, is_leaf=is_tensor)
    return Functional(jax.tree_util.tree_unflatten(structure, inputs), outputs, name=model.name)


def model_from_config(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Model:
    """Returns the model for a configuration of the form `{"class_name", "config"}`."""
    with CustomObjectScope(custom_objects or {}):
        model = deserialize_keras_object(config)
    if not isinstance(model, Model):
        raise FileError("The configuration does not describe a model.", got=f"{type(model).__name__}.")
    return model


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Model:
    """Returns the model for JSON from `to_json`, with newly initialised weights.

    Args:
        json_string: The text.
        custom_objects: Classes and functions by name that the text names.

    Raises:
        FileError: If the text is no JSON, or no model.
    """
    try:
        config = json.loads(json_string)
    except (ValueError, RecursionError) as error:
        raise FileError(
            "model_from_json wants JSON text.", got=f"{error}.", fixes="model.to_json() writes it."
        ) from None
    return model_from_config(config, custom_objects)


def model_from_yaml(*args: Any, **kwargs: Any) -> Model:  # noqa: ARG001 (whatever is given)
    """Refused: YAML can run code when read."""
    raise ArgumentError(
        "model_from_yaml is gone: reading YAML can run code.", fixes="model_from_json(model.to_json())"
    )
