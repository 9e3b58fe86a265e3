"""What a model would be with another input shape or with other arguments of some layers: a copy without weights.

The copy knows shapes and nothing else: its variables take no memory and nothing is compiled. The model stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hornbill.engine.config import parameters_of
from hornbill.engine.errors import ArgumentError, HornbillError, ShapeError, did_you_mean
from hornbill.engine.layer import Layer
from hornbill.engine.naming import kept_names
from hornbill.engine.variable import hollow_weights
from hornbill.explain.spelling import arguments_of
from hornbill.layers.input import Input
from hornbill.models.clone import clone_model
from hornbill.models.functional import Functional
from hornbill.models.sequential import Sequential

__all__ = ["checked_change", "variant_of"]

Change = Mapping[str, Mapping[str, Any]]


def variant_of(target: Any, input_shape: Any = None, change: Change | None = None) -> Any:
    """Returns a copy without weights of a model or layer, with another input shape or other arguments.

    Args:
        target: A built model, or a layer, whose copy is then not built.
        input_shape: Shape of the input without the batch axis; a list or dict of them for several inputs.
        change: Arguments to change, by name of the layer.

    Raises:
        ArgumentError: If there is no such layer or argument, or a value is refused.
        ShapeError: If the layers do not fit each other any more.
    """
    change = checked_change(target, change or {})
    with kept_names(), hollow_weights():
        try:
            return _copy(target, input_shape, change)
        except HornbillError as error:
            asked = ", ".join(
                f"{name}.{key}={value!r}" for name, values in change.items() for key, value in values.items()
            )
            asked = ", ".join(
                filter(None, [f"input_shape={input_shape}" if input_shape is not None else "", asked])
            )
            kind = ShapeError if isinstance(error, ShapeError) else ArgumentError
            failed = kind(
                f"With {asked}, {type(target).__name__} {target.name!r} does not work.",
                got=error.asked,
                why=" ".join(filter(None, (error.got, error.why))) or None,
                fixes=error.fixes,
            )
            if error.where:
                failed.set_where(error.where)
            raise failed from error


def _copy(target: Any, input_shape: Any, change: Change) -> Any:
    def make(layer: Layer) -> Layer:
        return type(layer).from_config({**arguments_of(layer), **change.get(layer.name, {})})

    if isinstance(target, (Functional, Sequential)) and _is_graph(target):
        inputs = _inputs(target, input_shape)
        return clone_model(target, input_tensors=inputs, clone_function=make, recursive=True)
    if not hasattr(target, "get_layer"):
        return make(target)
    copy = type(target).from_config(target.get_config())
    _exchange(target, copy, change, make)
    shapes = target._build_shapes or {}
    if input_shape is not None:
        first = next(iter(shapes), "input_shape")
        shapes = {**shapes, first: _with_batch(input_shape, shapes.get(first))}
    if list(shapes) == ["input_shape"]:
        copy.build(shapes["input_shape"])
    elif shapes:
        copy.build(**shapes)
    return copy


def _is_graph(model: Any) -> bool:
    """Whether a model is made by its inputs and outputs, and not by the constructor of a class of its own."""
    written = next(c for c in type(model).__mro__ if "__init__" in c.__dict__)
    return written.__module__.partition(".")[0] == "hornbill"


def _with_batch(shape: Any, before: Any) -> Any:
    if isinstance(shape, dict):
        return {key: _with_batch(item, None) for key, item in shape.items()}
    if shape and isinstance(shape[0], (tuple, list)):
        return [_with_batch(item, None) for item in shape]
    batch = (
        before[0]
        if isinstance(before, (tuple, list)) and before and not isinstance(before[0], tuple)
        else None
    )
    return (batch, *shape)


def _inputs(model: Any, input_shape: Any) -> list[Any] | None:
    """Returns inputs of the new shapes with the names of the old ones; None where none is asked for."""
    if input_shape is None:
        return None
    names = [tensor._keras_history[0].name for tensor in model.inputs]
    if isinstance(input_shape, Mapping):
        _check_known(input_shape, names, f"Model {model.name!r} has no input named")
        shapes = [input_shape.get(name) for name in names]
    elif len(names) == 1:
        shapes = [input_shape]
    else:
        shapes = list(input_shape)
    if len(shapes) != len(names) or not all(
        shape is None or isinstance(shape, (tuple, list)) for shape in shapes
    ):
        raise ArgumentError(
            f"Model {model.name!r} has {len(names)} inputs: {', '.join(names)}.",
            got=f"input_shape={input_shape!r}.",
            fixes="input_shape={" + ", ".join(f"{name!r}: (...)" for name in names) + "}",
        )
    return [
        Input(
            batch_shape=tensor.shape if shape is None else (tensor.shape[0], *shape),
            dtype=tensor.dtype,
            name=name,
        )
        for tensor, shape, name in zip(model.inputs, shapes, names, strict=True)
    ]


def _exchange(model: Any, copy: Any, change: Change, make: Any) -> None:
    """Puts changed layers into the copy of a model whose layers stand in its attributes."""
    pairs = list(
        zip(model._flatten_layers(include_self=False), copy._flatten_layers(include_self=False), strict=True)
    )
    new = {}
    for before, after in pairs:
        after.name = before.name
        if before.name in change:
            new[id(after)] = make(before)
    for owner in copy._flatten_layers():
        for name, value in list(owner.__dict__.items()):
            if id(value) in new:
                setattr(owner, name, new[id(value)])
            elif type(value) is list and any(id(item) in new for item in value):
                setattr(owner, name, [new.get(id(item), item) for item in value])


# ---- what may be changed


def checked_change(target: Any, change: Any) -> dict[str, dict[str, Any]]:
    """Returns the changes, each a dict by argument; a layer by itself may leave its name out.

    Args:
        target: A model or layer.
        change: Arguments to change, by name of the layer.

    Raises:
        ArgumentError: If there is no such layer or argument.
    """
    if not isinstance(change, Mapping):
        raise ArgumentError(
            "explain: change names layers and their arguments.",
            got=f"change={change!r}.",
            fixes="change={'conv2d': {'strides': 2}}",
        )
    single = not hasattr(target, "get_layer")
    if single and not all(isinstance(value, Mapping) for value in change.values()):
        change = {target.name: change}
    layers = {layer.name: layer for layer in target._flatten_layers(include_self=single)}
    _check_known(change, layers, f"{'Layer' if single else 'Model'} {target.name!r} has no layer named")
    for name, values in change.items():
        if not isinstance(values, Mapping):
            raise ArgumentError(
                "explain: change names layers and their arguments.",
                got=f"{name!r}: {values!r}.",
                fixes=f"change={{{name!r}: {{'units': 10}}}}",
            )
        layer = layers[name]
        known = [p.name for p in parameters_of(type(layer))]
        known += [key for key in layer.get_config() if key not in known]
        _check_known(values, known, f"{type(layer).__name__} {name!r} has no argument")
    return {name: dict(values) for name, values in change.items()}


def _check_known(given: Iterable[str], known: Iterable[str], asked: str) -> None:
    names = list(known)
    for name in given:
        if name not in names:
            shown = ", ".join(names[:30]) + (", ..." if len(names) > 30 else "")
            hint = did_you_mean(name, names)
            raise ArgumentError(
                f"{asked} {name!r}.{hint}",
                why=f"There are {shown}.",
                fixes=() if hint else "Take one of those.",
            )
