"""What the boxes of a picture say, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hornbill.engine.axes import axis_names
from hornbill.engine.layer import Layer
from hornbill.engine.record import TensorSpec
from hornbill.engine.symbolic import KerasTensor
from hornbill.explain.counts import count_formula
from hornbill.explain.rows import Row

__all__ = ["Shown", "labels", "title_of"]

_MOST = 4  # shapes listed one by one


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of each layer; the names are those of `plot_model`'s arguments."""

    shapes: bool = False
    dtype: bool = False
    names: bool = False
    activations: bool = False
    trainable: bool = False
    params: bool = True
    axes: bool = False


def title_of(row: Row, shown: Shown) -> str:
    """Returns a box's first line: class, or name and class; a wrapper says what it wraps."""
    inner = getattr(row.layer, "layer", None)
    kind = f"{row.class_name}({type(inner).__name__})" if isinstance(inner, Layer) else row.class_name
    return f"{row.name} ({kind})" if shown.names else kind


def labels(row: Row, shown: Shown) -> list[str]:
    """Returns the lines of a row's box."""
    lines = [title_of(row, shown)]
    activation = getattr(row.layer, "activation", None)
    if shown.activations and activation is not None:
        lines.append(f"activation: {getattr(activation, '__name__', type(activation).__name__)}")
    if shown.shapes and row.inputs and row.class_name != "InputLayer":
        lines += _listed("in ", [_shape(s, row, shown) for s in row.inputs])
    if row.outputs and (shown.shapes or shown.params):
        dtypes = _dtypes(row) if shown.dtype else []
        texts = [_shape(s, row, shown) for s in row.outputs]
        if len(dtypes) == len(texts):
            texts = [f"{text} {dtype}" for text, dtype in zip(texts, dtypes, strict=True)]
        lines += _listed("out " if shown.shapes and row.class_name != "InputLayer" else "", texts)
    elif shown.dtype:
        lines.append(", ".join(_dtypes(row)) or getattr(row.layer, "compute_dtype", ""))
    if shown.params and row.params:
        lines.append(_count(row))
    if shown.trainable and isinstance(row.layer, Layer) and row.layer.weights:
        lines.append(_trained(row.layer))
    return [line for line in lines if line]


def _listed(head: str, texts: list[str]) -> list[str]:
    """Returns texts on one line if they are few, else one line each; what repeats is counted."""
    if len(texts) <= 1 or (len(texts) == 2 and sum(map(len, texts)) < 44):
        return [head + ", ".join(texts)]
    if len(set(texts)) == 1:
        return [f"{head}{len(texts)} times {texts[0]}"]
    shown = texts[:_MOST] if len(texts) > _MOST + 1 else texts
    more = [f"... and {len(texts) - len(shown)} more"] if len(shown) < len(texts) else []
    return [(head if i == 0 else "") + text for i, text in enumerate([*shown, *more])]


def _shape(shape: Sequence[int | None], row: Row, shown: Shown) -> str:
    if not shown.axes:
        return str(tuple(shape))
    names = axis_names(len(shape), getattr(row.layer, "data_format", None))
    return ", ".join(f"{name} {size}" for name, size in zip(names, shape, strict=True))


def _dtypes(row: Row) -> list[str]:
    value: Any = (
        row.node.outputs if row.node is not None else row.record.output if row.record is not None else []
    )
    return _dtypes_in(value)


def _dtypes_in(value: Any) -> list[str]:
    if isinstance(value, (TensorSpec, KerasTensor)):
        return [str(value.dtype)]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [dtype for item in items for dtype in _dtypes_in(item)]


def _count(row: Row) -> str:
    if not row.first:
        return f"{row.params:,} parameters, shared"
    formula = "" if hasattr(row.layer, "get_layer") else count_formula(row.layer, limit=3)
    return (
        f"{formula} = {row.params:,}"
        if formula and formula != f"{row.params}"
        else f"{row.params:,} parameters"
    )


def _trained(layer: Layer) -> str:
    trained, total = len(layer.trainable_weights), len(layer.weights)
    if not layer.trainable or not trained:
        return "frozen"
    return "trained" if trained == total else f"{trained} of {total} weights trained"
