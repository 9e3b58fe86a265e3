"""How a parameter count comes about: from the named axes of each Variable, and from nowhere else."""

from __future__ import annotations

from typing import Any

from hornbill.engine.variable import Variable
from hornbill.explain.languages import words
from hornbill.explain.sizes import weight_bytes
from hornbill.explain.wording import count_sentence_of, weight_words

__all__ = ["count_formula", "count_sentence", "weight_document", "weight_sentence"]


def weight_document(variable: Variable, trainable: bool) -> dict[str, Any]:
    """Returns a weight as the document holds it.

    Args:
        variable: The weight.
        trainable: Whether the layer's training changes it.
    """
    axes = variable.axes or tuple(f"axis {i}" for i in range(len(variable.shape)))
    return {
        "name": variable.name,
        "path": variable.path,
        "shape": list(variable.shape),
        "axes": list(axes),
        "dtype": variable.dtype,
        "size": variable.size,
        "bytes": weight_bytes([variable]),
        "trainable": trainable,
    }


def weight_sentence(variable: Variable, language: str = "en") -> str:
    """Returns one weight's count with its factors named.

    `(3 kernel height x 3 kernel width x 32 input channels) x 64 filters`
    """
    return weight_words(weight_document(variable, variable.trainable), words(language))


def count_sentence(layer: Any, language: str = "en") -> str:
    """Returns the count of a layer's parameters with every factor named.

    `(3 kernel height x 3 kernel width x 32 input channels) x 64 filters + 64 bias = 18,496`
    """
    weights = [weight_document(variable, variable.trainable) for variable in layer.weights]
    return count_sentence_of(weights, words(language))


def count_formula(layer: Any, limit: int = 4) -> str:
    """Returns the count of a layer's parameters as bare arithmetic: `3·3·32·64 + 64`; empty for a single number.

    Args:
        layer: A built layer.
        limit: Equal summands (such as those of a batch normalisation) are gathered; beyond this many, "..." stands.
    """
    summands: dict[str, int] = {}
    for variable in layer.weights:
        text = "·".join(str(size) for size in variable.shape) or "1"
        summands[text] = summands.get(text, 0) + 1
    parts = [text if times == 1 else f"{times}×{text}" for text, times in summands.items()]
    if len(parts) > limit:
        parts = [*parts[:limit], "..."]
    return " + ".join(parts)
