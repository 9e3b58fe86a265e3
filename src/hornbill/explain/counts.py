"""How a parameter count comes about: from the named axes of each Variable, and from nowhere else."""

from __future__ import annotations

from typing import Any

from hornbill.engine.variable import Variable

__all__ = ["count_formula", "count_sentence", "weight_sentence"]


def _own_weights(layer: Any) -> list[Variable]:
    return layer.weights


def weight_sentence(variable: Variable) -> str:
    """Returns one weight's count with its factors named: `3 kernel height x 3 kernel width x 64 filters`."""
    axes = variable.axes or tuple(f"axis {i}" for i in range(len(variable.shape)))
    if not variable.shape:
        return f"1 {variable.name}"
    return " x ".join(f"{size} {axis}" for size, axis in zip(variable.shape, axes, strict=True))


def count_sentence(layer: Any) -> str:
    """Returns the count of a layer's parameters with every factor named.

    `3 kernel height x 3 kernel width x 32 input channels x 64 filters + 64 bias = 18,496`
    """
    weights = _own_weights(layer)
    if not weights:
        return "no weights = 0"
    parts = [
        f"{variable.size:,} {variable.name}" if len(variable.shape) <= 1 else weight_sentence(variable)
        for variable in weights
    ]
    return f"{' + '.join(parts)} = {sum(v.size for v in weights):,}"


def count_formula(layer: Any, limit: int = 4) -> str:
    """Returns the count of a layer's parameters as bare arithmetic: `3·3·32·64 + 64`; empty for a single number.

    Args:
        layer: A built layer.
        limit: Equal summands (such as those of a batch normalisation) are gathered; beyond this many, "..." stands.
    """
    weights = _own_weights(layer)
    summands: dict[str, int] = {}
    for variable in weights:
        text = "·".join(str(size) for size in variable.shape) or "1"
        summands[text] = summands.get(text, 0) + 1
    parts = [text if times == 1 else f"{times}×{text}" for text, times in summands.items()]
    if len(parts) > limit:
        parts = [*parts[:limit], "..."]
    return " + ".join(parts)
