"""Keras 2's HDF5 files: `.h5` and `.hdf5` with a whole model, or with weights by layer.

A whole model stands in the attributes `model_config` and `training_config` and the groups `model_weights` and
`optimizer_weights`; weights alone in the root. In each layer's group the attribute `weight_names` gives the order of
the arrays. Keras 3 still reads and writes these files.
"""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from hornbill import losses
from hornbill.engine.errors import FileError
from hornbill.engine.random import SeedGenerator
from hornbill.engine.serialization import deserialize_keras_object, public_object, serialize_keras_object
from hornbill.engine.variable import Variable
from hornbill.saving.atomic import atomic_path
from hornbill.saving.config import KERAS_VERSION, model_from_data, parse_json
from hornbill.saving.h5 import H5Array, H5Group, open_h5, put_attribute
from hornbill.saving.matching import fitted
from hornbill.saving.upgrade import upgrade_training_config
from hornbill.saving.weights import saveables

__all__ = ["is_legacy", "read_legacy_weights", "read_model", "read_weights", "write_model", "write_weights"]

_TOP = "top_level_model_weights"
_OLD_SLOT = re.compile(r"/(m|v|vhat|rms|mg|momentum|accumulator|accum_grad|accum_var|linear)(?::0)?$")
_SEEDS = "seed_generators"
"""Group of Hornbill's own, which Keras passes over: where each stream of random numbers stands."""


def is_legacy(root: H5Group) -> bool:
    """Returns whether an open HDF5 file has Keras 2's layout."""
    return root.attribute("layer_names") is not None or root.attribute("model_config") is not None


# ---- writing


def write_model(model: Any, path: str | os.PathLike[str], include_optimizer: bool = True) -> None:
    """Writes a whole model.

    Args:
        model: The model.
        path: The file.
        include_optimizer: Whether what `compile` was given and the optimizer's state are written too.
    """
    data = _old_form(serialize_keras_object(model))
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = KERAS_VERSION, "jax"
        file.attrs["model_config"] = json.dumps(data).encode()
        _write_layers(model, file.create_group("model_weights"))
        _write_arrays(file.create_group(_SEEDS), list(_seeds(model).items()))
        if include_optimizer and model.compiled:
            training = model.get_compile_config()
            optimizer = training.pop("optimizer", None)
            training["optimizer_config"] = _plain_form(optimizer)
            training["loss"] = _full_names(training["loss"])
            file.attrs["training_config"] = json.dumps(training).encode()
            if model.optimizer is not None:
                group = file.create_group("optimizer_weights")
                _write_arrays(group, [(v.path, v) for v in model.optimizer.variables])
        file.flush()


def write_weights(model: Any, path: str | os.PathLike[str], include_optimizer: bool = False) -> None:
    """Writes the weights of a model by layer.

    Args:
        model: The model.
        path: The file.
        include_optimizer: Refused: this format has no place for it.
    """
    if include_optimizer:
        raise FileError(
            "Weights alone in Keras 2's layout hold no optimizer.", fixes="Save to '.weights.h5'."
        )
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        _write_layers(model, file)
        file.flush()


def _write_layers(model: Any, group: h5py.Group) -> None:
    layers = model.layers
    for layer in layers:
        if layer.name in (".", "..", _TOP):
            raise FileError(
                f"Keras 2's layout cannot hold a layer of the name {layer.name!r}.",
                fixes="Save to '.keras' or '.weights.h5'.",
            )
    put_attribute(group, "layer_names", [layer.name for layer in layers])
    group.attrs["backend"], group.attrs["keras_version"] = "jax", KERAS_VERSION
    for layer in sorted(layers, key=lambda layer: layer.name):
        _write_arrays(group.create_group(layer.name), [(v.path, v) for v in _old_order(layer)])
    _write_arrays(group.create_group(_TOP), [(v.path, v) for v in _top_level(model)])


def _write_arrays(group: h5py.Group, named: list[tuple[str, Variable]]) -> None:
    names: list[str] = []
    for name, variable in named:
        unique, count = name, 0
        while unique in names:
            count += 1
            unique = f"{name}_{count}"
        names.append(unique)
        values = np.asarray(variable._value)
        group.create_dataset(unique, data=values if values.dtype.kind in "fiubc" else _as_bytes(values))
    put_attribute(group, "weight_names", names)


def _as_bytes(values: np.ndarray) -> np.ndarray:
    return (
        values.view(f"V{values.dtype.itemsize}")
        if values.dtype.kind == "V" or values.dtype.itemsize < 3
        else values
    )


def _old_form(data: dict[str, Any]) -> dict[str, Any]:
    """Returns a serialised model or layer without what Keras 2 did not write, as Keras 3 does for these files.

    The layers of inner models are brought into that form too; layers inside wrappers stay as they are.
    """
    config = data["config"]
    if isinstance(config.get("layers"), list):
        config = {**config, "layers": [_old_form(layer) for layer in config["layers"]]}
    kept = {key: data[key] for key in ("class_name", "config", "name", "inbound_nodes") if key in data}
    cls = public_object(data["class_name"], data.get("module"))
    if isinstance(cls, type):  # these files go by the name of the class, not by the public one
        kept["class_name"] = cls.__name__
    return {**kept, "config": config}


def _full_names(loss: Any) -> Any:
    """Returns losses with "mean_squared_error" for "mse": Keras cannot read the short names in these files."""
    if isinstance(loss, str):
        return getattr(losses.get(loss), "__name__", loss)
    if isinstance(loss, list):
        return [_full_names(item) for item in loss]
    if isinstance(loss, dict) and "class_name" not in loss:
        return {key: _full_names(item) for key, item in loss.items()}
    return loss


def _plain_form(data: Any) -> Any:
    return {"class_name": data["class_name"], "config": data["config"]} if isinstance(data, dict) else data


# ---- reading


def read_model(path: str | os.PathLike[str], custom_objects: Mapping[str, Any] | None, compile: bool) -> Any:
    """Returns the whole model of a file.

    Args:
        path: The file.
        custom_objects: Classes and functions by name.
        compile: Whether the model is compiled as it was.

    Raises:
        FileError: If the file holds no whole model, or is not safe to read.
    """
    label = os.fspath(path)
    with open_h5(path) as root:
        text = root.attribute("model_config")
        if not isinstance(text, str):
            raise FileError(
                f"{label!r} holds no whole model.",
                why="It has no 'model_config': only weights were saved in it.",
                fixes="Build the model in your program, then model.load_weights(path).",
            )
        group = root.group("model_weights")
        if group is None:
            raise FileError(f"{label!r} holds no 'model_weights'.")
        size = sum(item.nbytes for item in group.walk() if isinstance(item, H5Array))
        model = model_from_data(parse_json(text, label), custom_objects, False, size)
        read_legacy_weights(model, group, label)
        _read_seeds(model, root.group(_SEEDS))
        training = root.attribute("training_config")
        if compile and isinstance(training, str):
            _compile(model, parse_json(training, label), custom_objects)
            _read_optimizer(model, root.group("optimizer_weights"))
    return model


def _compile(model: Any, training: dict[str, Any], custom_objects: Mapping[str, Any] | None) -> None:
    config = upgrade_training_config(training)
    optimizer = deserialize_keras_object(config.pop("optimizer", None), custom_objects)
    arguments = {key: deserialize_keras_object(value, custom_objects) for key, value in config.items()}
    model.compile(optimizer=optimizer if optimizer is not None else "rmsprop", **arguments)


def _read_optimizer(model: Any, group: H5Group | None) -> None:
    if group is None or not model.built:
        return
    optimizer = model.optimizer
    optimizer.build(model.trainable_variables)
    names = group.attribute("weight_names") or []
    arrays = [_array(group, name) for name in names]
    variables = _places_of(optimizer, names) or optimizer.variables
    if len(arrays) == len(variables) - 1:  # Keras 2 kept the learning rate in the configuration only
        variables = [v for v in variables if v.name != "learning_rate"]
    if len(arrays) == 2 and len(variables) > 2 and arrays[1].shape == ():
        variables = variables[:2]
    fits = [array.shape for array in arrays] == [variable.shape for variable in variables]
    if not fits:
        if arrays:
            warnings.warn(
                f"The state of optimizer {optimizer.name!r} in the file does not fit; it starts anew.",
                stacklevel=5,
            )
        return
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(fitted(array.read(), variable.dtype))


def _read_seeds(model: Any, group: H5Group | None) -> None:
    if group is None:
        return
    stored = set(group.attribute("weight_names") or [])
    for path, state in _seeds(model).items():
        if path in stored and (array := _array(group, path)).shape == state.shape:
            state.assign(array.read())


def _places_of(optimizer: Any, names: list[str]) -> list[Variable]:
    """Returns the variables for arrays that Keras 2 named after a weight and a slot; none if they do not fit.

    Until version 2.10 all weights came with their first slot, then all with their second: "Adam/dense/kernel/m:0".
    """
    slots = [_OLD_SLOT.search(name) for name in names]
    if not any(slots):
        return []
    numbers = [optimizer.variables[0], *optimizer._shared_variables]
    counts: dict[str, int] = {}
    places = []
    try:
        for slot in slots:
            if slot is None:
                places.append(numbers.pop(0))
                continue
            index = counts[slot[1]] = counts.get(slot[1], -1) + 1
            places.append(optimizer._slot_variables[index][list(counts).index(slot[1])])
    except IndexError:
        return []
    wanted = [variable for variable in optimizer.variables if variable.name != "learning_rate"]
    return places if len(places) == len(wanted) else []


def read_weights(
    model: Any, path: str | os.PathLike[str], skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Reads weights by layer, in order or by name.

    Args:
        model: The model.
        path: The file.
        skip_mismatch: Whether layers that do not fit are left out, with a warning.
        by_name: Whether layers are found by name instead of by their order.
    """
    with open_h5(path) as root:
        if not is_legacy(root):
            raise FileError(f"{os.fspath(path)!r} holds no weights in Keras 2's layout.")
        read_legacy_weights(model, root, os.fspath(path), skip_mismatch, by_name)


def read_legacy_weights(
    model: Any, root: H5Group, label: str, skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Sets the weights of a model from an open file's group of layers.

    Args:
        model: The model.
        root: The root, or its group `model_weights`.
        label: What messages call the file.
        skip_mismatch: Whether layers that do not fit are left out, with a warning.
        by_name: Whether layers are found by name instead of by their order.

    Raises:
        FileError: If something does not fit; the model is unchanged then.
    """
    inner = root.group("model_weights")
    if root.attribute("layer_names") is None and inner is not None:
        root = inner
    names = root.attribute("layer_names") or []
    stored = {str(name): _layer_arrays(root, str(name)) for name in names}
    pairs, problems = _pairs(model, stored, by_name)
    top = root.group(_TOP)
    if top is not None:
        pairs.append(
            (
                model.name,
                _top_level(model),
                [_array(top, name) for name in top.attribute("weight_names") or []],
            )
        )
    planned: list[tuple[Variable, H5Array]] = []
    for name, variables, arrays in pairs:
        lines = _differences(name, variables, arrays)
        problems += lines
        if not lines:
            planned += zip(variables, arrays, strict=True)
    if problems and not skip_mismatch:
        raise FileError(
            f"The weights in {label!r} do not fit model {model.name!r}; nothing was changed.",
            got="; ".join(problems[:12])
            + (f"; and {len(problems) - 12} more" if len(problems) > 12 else "")
            + ".",
            fixes=(
                *(("Build the model first: call it on data once.",) if not model.built else ()),
                "Load into a model made of the same layers.",
                "model.load_weights(path, by_name=True, skip_mismatch=True) takes what fits.",
            ),
        )
    values = [(variable, fitted(array.read(), variable.dtype)) for variable, array in planned]
    for variable, value in values:
        variable.assign(value)
    if problems:
        warnings.warn(f"{label!r}: these layers were skipped: {'; '.join(problems[:12])}.", stacklevel=4)


def _pairs(
    model: Any, stored: dict[str, list[H5Array]], by_name: bool
) -> tuple[list[tuple[str, list[Variable], list[H5Array]]], list[str]]:
    """Returns which arrays go to which layer, and what cannot be paired."""
    layers = [(layer, _old_order(layer)) for layer in model.layers]
    if by_name:
        return [(layer.name, own, stored[layer.name]) for layer, own in layers if layer.name in stored], []
    mine = [(layer.name, own) for layer, own in layers if own]
    given = [(name, arrays) for name, arrays in stored.items() if arrays]
    if len(mine) != len(given):
        problem = (
            f"the file has {len(given)} layers with weights ({', '.join(name for name, _ in given[:8])}), "
            f"the model {len(mine)} ({', '.join(name for name, _ in mine[:8])})"
        )
        return [], [problem]
    return [(name, own, arrays) for (name, own), (_, arrays) in zip(mine, given, strict=True)], []


def _differences(name: str, variables: list[Variable], arrays: list[H5Array]) -> list[str]:
    if len(variables) != len(arrays):
        return [f"{name}: {len(arrays)} arrays in the file, {len(variables)} weights in the model"]
    return [
        f"{name}: {array.path.rpartition('/')[2]} {array.shape} in the file, {variable.shape} in the model"
        for variable, array in zip(variables, arrays, strict=True)
        if array.shape != variable.shape
    ]


def _layer_arrays(root: H5Group, name: str) -> list[H5Array]:
    group = root.group(name)
    if group is None:
        raise FileError(f"The file names a layer {name[:80]!r} that it does not hold.")
    return [_array(group, weight) for weight in group.attribute("weight_names") or []]


def _array(group: H5Group, name: str) -> H5Array:
    found = group.find(name)
    if not isinstance(found, H5Array):
        raise FileError(f"The file names a weight {name[:80]!r} that it does not hold.")
    return found


def _old_order(layer: Any) -> list[Variable]:
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _top_level(model: Any) -> list[Variable]:
    inside = {id(variable) for layer in model.layers for variable in layer.weights}
    return [variable for variable in _old_order(model) if id(variable) not in inside]


def _seeds(model: Any) -> dict[str, Variable]:
    return {path: obj.state for path, obj in saveables(model).items() if isinstance(obj, SeedGenerator)}
