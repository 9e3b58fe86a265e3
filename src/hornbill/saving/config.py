"""Configurations in files: JSON to a model, whatever version of Keras wrote it.

The JSON is data of which nothing is believed: it is parsed with bounds, brought to the present form, and made into
objects by the closed tables of `engine.serialization`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hornbill.engine.errors import FileError, HornbillError
from hornbill.engine.serialization import CustomObjectScope, deserialize_keras_object, shared_objects
from hornbill.engine.variable import limited_weights
from hornbill.saving.upgrade import upgrade
from hornbill.saving.weights import is_model

__all__ = ["KERAS_VERSION", "MAX_CONFIG_BYTES", "model_from_data", "parse_json"]

KERAS_VERSION = "3.15.1"
"""The version of Keras whose files are written."""

MAX_CONFIG_BYTES = 256 * 2**20
_WEIGHT_ROOM = 256 * 2**20


def parse_json(text: str | bytes, label: str) -> dict[str, Any]:
    """Returns the dict that a JSON text holds.

    Args:
        text: The text.
        label: What messages call the file.

    Raises:
        FileError: If it is too long, no JSON, or no dict.
    """
    if len(text) > MAX_CONFIG_BYTES:
        raise FileError(f"The configuration in {label!r} is too long.", got=f"{len(text):,} bytes.")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileError(f"The configuration in {label!r} is no JSON.", got=f"{error}.") from None
    if not isinstance(data, dict):
        raise FileError(f"The configuration in {label!r} must be a dict.", got=f"{type(data).__name__}.")
    return data


def model_from_data(
    data: dict[str, Any], custom_objects: Mapping[str, Any] | None, compile: bool, stored_bytes: int
) -> Any:
    """Returns the model that a configuration describes, with new weights.

    Args:
        data: The configuration: `{"class_name": ..., "config": ...}`.
        custom_objects: Classes and functions by name, beyond Hornbill's own and the registered ones.
        compile: Whether the model is compiled as it was.
        stored_bytes: Size of the weights that the file holds: it bounds those that are made.

    Raises:
        FileError: If it does not describe a model that this program knows.
    """
    if not {"class_name", "config"} <= data.keys():
        raise FileError("The configuration describes no model: it has no class_name and config.")
    try:
        data = upgrade(data)
        if not compile:
            data.pop("compile_config", None)
        room = _WEIGHT_ROOM + 4 * stored_bytes  # float16 may be read as float32
        with CustomObjectScope(custom_objects or {}), shared_objects(), limited_weights(room):
            model = deserialize_keras_object(data)
    except HornbillError:
        raise
    except (
        AttributeError,
        KeyError,
        IndexError,
        TypeError,
        RecursionError,
        OverflowError,
        MemoryError,
    ) as error:
        raise FileError(
            "The configuration in the file does not make a model.", got=f"{type(error).__name__}: {error}."
        ) from error
    if not is_model(model):
        raise FileError("The configuration does not describe a model.", got=f"{type(model).__name__}.")
    return model
