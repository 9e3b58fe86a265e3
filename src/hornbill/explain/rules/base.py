"""What every sentence rule is made of: the Sentence, the table of rules, and how a claim is put.

A rule reads the record of one op's call and says, axis by axis, how the output size follows from the input. It works
the size out itself, from the sizes that came in and the arguments; `disagreeing` returns what the trace contradicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hornbill.engine.axes import axis_names
from hornbill.engine.record import Record, TensorSpec, specs_in
from hornbill.explain.languages import Catalogue, words

__all__ = [
    "RULES", "TRIALS", "Sentence", "Size", "axes_of", "changed_axes", "claim", "disagreeing", "first_spec", "kept_axes",
    "moved_axis", "named", "per_axis", "product", "rule", "said", "sentences_of", "show", "total", "whole",
]  # fmt: skip

Size = int | None
TRIALS = (3360, 6720)
"""Two sizes that stand for one that is not known, where a rule must find out whether a result depends on it."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """Why one axis of an output has its size, free of any language.

    Attributes:
        axis: Index of the output axis the sentence is about, or None when it is about all of them.
        name: Name of the axis, in English.
        before: Size before, None if unknown or none.
        after: Size that the rule computes; None if unknown.
        key: Key of its template in the catalogues of `languages`.
        values: What the template needs besides `before`, `after` and `formula`; plain JSON values.
        formula: The arithmetic without words, `(28 - 3) // 1 + 1 = 26`; n stands for a size not known; "" if there is
            none.
    """

    axis: int | None
    name: str
    before: Size
    after: Size
    key: str
    values: dict[str, Any] = field(default_factory=dict)
    formula: str = ""

    def say(self, catalogue: Catalogue) -> str:
        """Returns the sentence in the words of a catalogue."""
        given = {
            "name": {"axis": self.name},
            "before": self.before,
            "after": self.after,
            "formula": self.formula,
        }
        return catalogue.say(self.key, **{**given, **self.values})

    @property
    def text(self) -> str:
        """The sentence in English."""
        return self.say(words("en"))


Rule = Callable[[Record], Iterator[Sentence]]
RULES: dict[str, Rule] = {}


def rule(name: str) -> Callable[[Rule], Rule]:
    """Returns a decorator that enters a rule under the name that ops give."""

    def enter(fn: Rule) -> Rule:
        RULES[name] = fn
        return fn

    return enter


def _claims(record: Record) -> list[Sentence]:
    found = RULES.get(record.rule or "")
    if found is None or first_spec(record.output) is None or not record.tensors():
        return []
    return list(found(record))


def _agrees(sentence: Sentence, shape: tuple[Size, ...]) -> bool:
    return sentence.axis is None or (sentence.axis < len(shape) and shape[sentence.axis] == sentence.after)


def sentences_of(record: Record) -> list[Sentence]:
    """Returns the sentences about one op call that agree with the traced output."""
    output = first_spec(record.output)
    try:
        claims = _claims(record)
    except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError):
        return []  # a call that no rule foresaw is shown without a sentence; the tests demand that none of ours is
    return [s for s in claims if output is not None and _agrees(s, output.shape)]


def disagreeing(record: Record) -> list[Sentence]:
    """Returns the sentences about one op call that the trace contradicts; a rule that fails raises.

    There must be none: the tests ask this for every Case.
    """
    output = first_spec(record.output)
    return [s for s in _claims(record) if output is None or not _agrees(s, output.shape)]


# ---- what rules are written with


def first_spec(value: Any) -> TensorSpec | None:
    """Returns the first tensor of a structure."""
    return next(iter(specs_in(value)), None)


def whole(record: Record) -> TensorSpec:
    """Returns the (first) output of a call, which is there when a rule is asked."""
    found = first_spec(record.output)
    if found is None:
        raise ValueError(f"{record.name} gave no tensor")
    return found


def named(record: Record, rank: int) -> tuple[str, ...]:
    """Returns the names of the axes of a tensor of the call."""
    return axis_names(rank, record.arguments.get("data_format") or "channels_last")


def claim(
    names: Sequence[str], axis: int, before: Size, after: Size, key: str, formula: str = "", **values: Any
) -> Sentence:
    """Returns a sentence about one axis; n is explained where the size before is not known."""
    if before is None and "n" in formula.replace("min", "").split("=")[0] and "n" not in values:
        values["n"] = {"axis": names[axis]}
    return Sentence(axis, names[axis], before, after, key, values, formula)


def said(key: str, name: str = "axes", **values: Any) -> Sentence:
    """Returns a sentence about the whole output."""
    return Sentence(None, name, None, None, key, values)


def show(size: Size, unknown: str = "n") -> str:
    """Returns a size for arithmetic: n where it is not known."""
    return unknown if size is None else str(size)


def product(sizes: Sequence[Size]) -> Size:
    """Returns the product; None if one is not known."""
    result = 1
    for size in sizes:
        if size is None:
            return None
        result *= size
    return result


def total(sizes: Sequence[Size]) -> Size:
    """Returns the sum; None if one is not known."""
    return None if None in sizes else sum(sizes)  # type: ignore[arg-type]


def per_axis(value: Any, rank: int, default: int = 1) -> tuple[int, ...]:
    """Returns an argument that is one number, or one per spatial axis, as a tuple."""
    if value is None:
        return (default,) * rank
    return (int(value),) * rank if isinstance(value, int) else tuple(int(v) for v in value)


def axes_of(axis: Any, rank: int) -> list[int]:
    """Returns an axis argument as positions that are not negative; None means all."""
    if axis is None:
        return list(range(rank))
    return [int(a) % rank for a in (axis if isinstance(axis, (tuple, list)) else (axis,))]


def changed_axes(before: Sequence[Size], after: Sequence[Size]) -> list[int]:
    """Returns the axes of an output whose size or place differs from the input's."""
    if len(before) == len(after):
        return [axis for axis, size in enumerate(after) if size != before[axis]]
    pairs = enumerate(zip(before, after, strict=False))
    same = next((axis for axis, (a, b) in pairs if a != b), min(len(before), len(after)))
    return list(range(same, len(after)))


def moved_axis(names: Sequence[str], old: Sequence[str], axis: int, place: int, size: Size) -> Sentence:
    """Returns the sentence about an axis that stood at another place before."""
    values = {"moved": {"axis": old[place], "size": size}, "place": place, "to": axis}
    return Sentence(axis, names[axis], size, size, "axis.moved", values)


def kept_axes(
    record: Record, before: TensorSpec, origin: Sequence[int | None], key: str
) -> Iterator[Sentence]:
    """Says of each output axis that stands at another place than before where it stood.

    Args:
        record: The call.
        before: The tensor that came in.
        origin: For each output axis the input axis it is, or None for one that is new.
        key: Key of the sentences.
    """
    names, old = named(record, len(origin)), named(record, len(before.shape))
    for axis, place in enumerate(origin):
        if place is not None and place != axis:
            size = before.shape[place]
            values = {"moved": {"axis": old[place], "size": size}, "place": place, "to": axis}
            yield Sentence(axis, names[axis], size, size, key, values)
