"""What the renderings put into words from the document, in any language: shapes, counts, receptive fields.

Not for: arithmetic. Each number here was read from the document.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from hornbill.explain.languages import Catalogue
from hornbill.explain.sizes import show_bytes, show_number

__all__ = [
    "bytes_words",
    "count_sentence_of",
    "field_words",
    "plain_spaces",
    "rough_bytes",
    "shape_words",
    "tensors_words",
    "way_words",
    "weight_words",
]

_MOST_WEIGHTS, _MOST_PARTS = 6, 8


def shape_words(tensor: dict[str, Any], catalogue: Catalogue) -> str:
    """Returns a tensor's shape with its axes named: `(batch None, height 28, width 28, channels 1)`."""
    pairs = zip(tensor["axes"], tensor["shape"], strict=True)
    parts = [
        catalogue.say("shape.axis", name=_joined(catalogue.axis(name)), size=size) for name, size in pairs
    ]
    return catalogue.say("shape", axes=catalogue.say("shape.comma").join(parts))


def _joined(name: str) -> str:
    """Returns a Chinese word so that no line breaks inside it."""
    return name if name.isascii() else "\u2060".join(name)


def tensors_words(tensors: Sequence[dict[str, Any]], catalogue: Catalogue) -> str:
    """Returns the shapes of several tensors."""
    return catalogue.say("and").join(shape_words(tensor, catalogue) for tensor in tensors)


def way_words(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]], catalogue: Catalogue) -> str:
    """Returns what goes in and what comes out: `(...) -> (...)`."""
    made = tensors_words(after, catalogue) or "?"
    return f"{tensors_words(before, catalogue)} ->\u00a0{made}" if before else made


def plain_spaces(text: str) -> str:
    """Returns a text with plain spaces in place of those that say where lines may break."""
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("\u2060", "")


def bytes_words(size: int | None) -> str:
    """Returns a number of bytes, exactly, and above 10 KB also roundly: `73,984 B (72.25 KB)`."""
    if size is None:
        return "?"
    return f"{size:,}\u00a0B" if size < 10_240 else f"{size:,}\u00a0B ({rough_bytes(size)})"


def rough_bytes(size: int) -> str:
    """Returns a number of bytes roundly, on one line: `72.25 KB`."""
    return f"{size}\u00a0B" if size < 1024 else show_bytes(size).replace(" ", "\u00a0")


def count_sentence_of(weights: Sequence[dict[str, Any]], catalogue: Catalogue) -> str:
    """Returns the count of some weights with every factor named.

    `(3 kernel height x 3 kernel width x 32 input channels) x 64 filters + 64 bias = 18,496`

    Args:
        weights: Weights as they stand in the document.
        catalogue: The words.
    """
    total = show_number(sum(weight["size"] for weight in weights))
    if not weights:
        return catalogue.say("count.none")
    if len(weights) <= _MOST_WEIGHTS:
        parts = [weight_words(weight, catalogue) for weight in weights]
        return f"{' + '.join(parts)} = {total}"
    groups: dict[str, int] = {}
    for weight in weights:
        owner = weight["path"].rpartition("/")[0].rpartition("/")[2] or weight["name"]
        groups[owner] = groups.get(owner, 0) + weight["size"]
    if 1 < len(groups) <= _MOST_PARTS:
        return f"{' + '.join(f'{size:,} {owner}' for owner, size in groups.items())} = {total}"
    return catalogue.say("count.inside", total=total, arrays=len(weights))


def weight_words(weight: dict[str, Any], catalogue: Catalogue) -> str:
    """Returns one weight's count; the factors of a kernel that belong to one filter stand in brackets.

    Args:
        weight: A weight as it stands in the document.
        catalogue: The words.
    """
    if len(weight["shape"]) <= 1:
        return catalogue.say(
            "count.factor", size=show_number(weight["size"]), name=catalogue.axis(weight["name"])
        )
    factors = [
        catalogue.say("count.factor", size=show_number(size), name=_product(catalogue.axis(axis)))
        for size, axis in zip(weight["shape"], weight["axes"], strict=True)
    ]
    if len(factors) < 3:
        return " x ".join(factors)
    return f"({' x '.join(factors[:-1])}) x {factors[-1]}"


def _product(name: str) -> str:
    """Returns the name of an axis, in brackets where it is a product itself: `(4 gates x units)`."""
    return f"({name})" if name[:1].isdigit() else name


def field_words(field: dict[str, Any], catalogue: Catalogue) -> str:
    """Returns what one output cell sees of an input of the model.

    Args:
        field: A receptive field as it stands in the document.
        catalogue: The words.
    """
    axes, given = field["axes"], field["input"]
    if field["whole"] or all(axis["whole"] for axis in axes):
        return catalogue.say("field.whole", input=given)
    sizes = catalogue.say("comma").join(_extent(axis, catalogue) for axis in axes)
    steps = {(axis["jump"], axis["start"]) for axis in axes if not axis["whole"]}
    jump, start = steps.pop() if len(steps) == 1 else (None, None)
    if jump is not None:
        return catalogue.say("field", input=given, axes=sizes, jump=_fraction(jump), start=start)
    if any(axis["jump"] is None for axis in axes):
        return catalogue.say("field.open", input=given, axes=sizes)
    return catalogue.say(
        "field.uneven",
        input=given,
        axes=catalogue.say("semicolon").join(
            _extent(axis, catalogue)
            if axis["whole"]
            else catalogue.say(
                "field.axis",
                extent=_extent(axis, catalogue),
                jump=_fraction(axis["jump"]),
                start=axis["start"],
            )
            for axis in axes
        ),
    )


def _extent(axis: dict[str, Any], catalogue: Catalogue) -> str:
    name = catalogue.axis(axis["name"])
    if axis["whole"] or axis["size"] is None:
        return catalogue.say("field.axis.whole", name=name)
    return catalogue.say("shape.axis", name=name, size=axis["size"])


def _fraction(jump: float) -> str:
    """Returns a step between cells: a whole number, or a fraction behind an upsampling."""
    return str(Fraction(jump).limit_denominator(1000))
