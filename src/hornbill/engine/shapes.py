"""Structures of shapes: from tensors, to tensors, and in the form that configurations hold."""

from __future__ import annotations

from typing import Any

from hornbill.engine.symbolic import KerasTensor, Spec

__all__ = [
    "is_shape",
    "shape_as_list",
    "shape_from_list",
    "shapes_of",
    "specs_from_shapes",
    "tensors_from_shapes",
]


def shapes_of(structure: Any) -> Any:
    """Returns the shapes of the tensors in a structure; what is no tensor becomes None."""
    if isinstance(structure, (list, tuple)):
        return (
            type(structure)([shapes_of(item) for item in structure])
            if type(structure) in (list, tuple)
            else None
        )
    if isinstance(structure, dict):
        return {key: shapes_of(item) for key, item in structure.items()}
    shape = getattr(structure, "shape", None)
    return tuple(shape) if shape is not None else None


def is_shape(value: Any) -> bool:
    """Returns whether a value is one shape: a tuple or list of whole numbers and None."""
    return isinstance(value, (tuple, list)) and all(
        size is None or hasattr(size, "__index__") for size in value
    )


def tensors_from_shapes(shape: Any, dtype: str) -> Any:
    """Returns a structure of shapes as one of KerasTensors of a dtype."""
    if shape is None:
        return None
    if is_shape(shape):
        return KerasTensor(shape, dtype)
    if isinstance(shape, dict):
        return {key: tensors_from_shapes(item, dtype) for key, item in shape.items()}
    return type(shape)(tensors_from_shapes(item, dtype) for item in shape)


def specs_from_shapes(shape: Any, dtypes: Any, default: str) -> Any:
    """Returns a structure of shapes as one of `Spec`, with dtypes from an iterator while it lasts."""
    if is_shape(shape):
        return Spec(tuple(shape), next(dtypes, default))
    if isinstance(shape, dict):
        return {key: specs_from_shapes(item, dtypes, default) for key, item in shape.items()}
    return type(shape)(specs_from_shapes(item, dtypes, default) for item in shape)


def shape_as_list(shape: Any) -> Any:
    """Returns a shape, or a structure of them, as lists, as configurations hold it."""
    if isinstance(shape, (tuple, list)):
        return [shape_as_list(item) for item in shape]
    if isinstance(shape, dict):
        return {key: shape_as_list(item) for key, item in shape.items()}
    return shape


def shape_from_list(value: Any) -> Any:
    """Returns a shape from a configuration as a tuple; structures of shapes stay lists and dicts."""
    if isinstance(value, list):
        return tuple(value) if is_shape(value) else [shape_from_list(item) for item in value]
    if isinstance(value, dict):
        return {key: shape_from_list(item) for key, item in value.items()}
    return value
