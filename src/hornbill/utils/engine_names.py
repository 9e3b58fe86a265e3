"""Names that Keras keeps in `keras.utils` and Hornbill in its engine, under one roof, and `clear_session`."""

from __future__ import annotations

import gc
from typing import Any

from hornbill.engine.dtype import standardize_dtype
from hornbill.engine.naming import reset_names
from hornbill.engine.random import set_random_seed
from hornbill.engine.serialization import (
    CustomObjectScope,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from hornbill.engine.settings import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
from hornbill.engine.symbolic import KerasTensor, is_keras_tensor

__all__ = [
    "CustomObjectScope",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "standardize_dtype",
]


def clear_session(free_memory: bool = True) -> None:
    """Starts the automatic names of layers anew.

    Hornbill keeps no model alive, so there is nothing else to clear.

    Args:
        free_memory: Whether to let Python collect deleted models now, which may take a while.
    """
    reset_names()
    if free_memory:
        gc.collect()


def get_source_inputs(tensor: KerasTensor) -> list[KerasTensor]:
    """Returns the inputs of the graph that `tensor` is computed from, each once.

    Args:
        tensor: A symbolic tensor.
    """
    sources: list[KerasTensor] = []
    seen: set[int] = set()
    waiting = [tensor]
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        history: Any = current._keras_history
        inputs = [] if history is None else history[0]._inbound_nodes[history[1]].input_tensors
        if inputs:
            waiting.extend(inputs)
        else:
            sources.append(current)
    return sources
